"""Verification of journals, and of the rows beside them."""
