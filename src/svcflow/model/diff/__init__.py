"""What changed between two versions of a procedure."""
