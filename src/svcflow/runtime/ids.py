"""Ids of instances: short enough to read aloud, the same again for a repeated command."""

from __future__ import annotations

import secrets
from hashlib import sha256

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(procedure: str, command_id: str | None) -> str:
    """Make an id people can read aloud; a repeated `command_id` finds the instance of its first run."""
    if command_id is not None:
        return _short(f"{procedure}-{command_id}")
    return f"{procedure}-{''.join(secrets.choice(_ALPHABET) for _ in range(12))}"


def _short(name: str) -> str:
    """Keep a name that fits the store; cut a longer one and tell it apart by its hash."""
    return name if len(name) <= 80 else f"{name[:55]}-{sha256(name.encode()).hexdigest()[:24]}"
