"""The ways of lines between boxes."""
