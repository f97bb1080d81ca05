"""Moves: which transition a trigger takes, and the rules it has to keep."""
