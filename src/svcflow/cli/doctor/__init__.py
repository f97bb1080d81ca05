"""The look over the installation: what is there, what is missing, and what that means."""
