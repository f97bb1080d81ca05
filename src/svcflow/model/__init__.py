"""The model of a procedure: what is declared, as immutable values."""
