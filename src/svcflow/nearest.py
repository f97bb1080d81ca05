"""Nearest: what to say instead of a name that there is not. It knows names only, and nothing of what they name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from svcflow.text import NO_TEXT, Text, cut

__all__ = ["nearest"]

FEW = 12
"""So many names can be taken in at a glance; more of them would bury the message."""


def nearest(given: object, known: Iterable[str]) -> Text:
    """Ask whether the nearest name was meant; without one say what there is, unless that is too much.

    >>> nearest("repiar", ["repair", "meeting"]).en, nearest("x", ["repair", "meeting"]).zh
    ('did you mean repair?', '可用：repair, meeting')
    """
    names = list(known)
    given = cut(str(given))
    near = difflib.get_close_matches(given, names, 1)
    if near:
        return Text(zh=f"是否指 {near[0]}？", en=f"did you mean {near[0]}?")
    if len(names) > FEW:
        return NO_TEXT
    listed = ", ".join(names) or "—"
    return Text(zh=f"可用：{listed}", en=f"there are: {listed}")
