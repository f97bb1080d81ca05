"""Verification of journals, and of everything that is kept beside them."""
