"""A refusal: the rule that refuses a command, why, and the remedy. A value; the ledger records it."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from svcflow.text import NO_TEXT, Text


@attrs.frozen
class Refusal:
    """Name the rule that refuses a command, why, and what to do instead."""

    rule: str
    message: Text
    remedy: Text = NO_TEXT
    step: str = ""


def wanted(keyword: str, names: Iterable[str]) -> Text:
    """Say what is to come with a command, by the keyword that carries it."""
    listed = ", ".join(f'`{keyword}["{name}"]`' for name in names)
    return Text(zh=f"用 {listed} 给出", en=f"give it with {listed}")
