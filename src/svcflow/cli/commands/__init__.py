"""Commands, one module a family; `svcflow.cli.app` imports them by name when they are called."""
