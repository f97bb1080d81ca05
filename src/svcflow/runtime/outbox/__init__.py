"""Delivery of facts to handlers: at least once, in order for each instance."""
