"""Time limits of an instance: stopwatches, due instants, and what time brings about."""
