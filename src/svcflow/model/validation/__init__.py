"""What must hold of a declaration."""
