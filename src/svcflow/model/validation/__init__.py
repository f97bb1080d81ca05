"""Validation of a declaration."""
