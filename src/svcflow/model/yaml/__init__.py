"""YAML documents: read, structured, written back, and their JSON Schema."""
