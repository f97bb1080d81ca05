"""Foreign event logs: read, mapped to a procedure, replayed through the kernel, judged."""
