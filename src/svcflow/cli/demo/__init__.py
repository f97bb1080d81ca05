"""The demonstration: a working week of example services."""
