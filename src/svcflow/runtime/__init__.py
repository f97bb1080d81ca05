"""The engine: commands, queries, time and delivery over a store."""
