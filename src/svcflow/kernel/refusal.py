"""A refusal: the rule that refuses a command, why, and the remedy. A value; the ledger records it."""

from __future__ import annotations

import attrs

from svcflow.text import NO_TEXT, Text


@attrs.frozen
class Refusal:
    """Name the rule that refuses a command, why, and what to do instead."""

    rule: str
    message: Text
    remedy: Text = NO_TEXT
    step: str = ""
