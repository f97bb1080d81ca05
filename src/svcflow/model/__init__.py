"""Model of a procedure: its declaration, as immutable values."""
