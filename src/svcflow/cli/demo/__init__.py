"""The demonstration: a working week of example services, told, played and shown."""
