"""Where everything on a map stands."""
