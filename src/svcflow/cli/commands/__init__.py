"""The commands, one module each; imported by name when they are asked for."""
