"""A plain-text grid: columns aligned on a terminal, where Chinese characters are two cells wide.

It knows cells of text only. (The drawing's lettering measures in ems of a proportional face, which is no width here.)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from svcflow.text import visible

__all__ = ["cells", "grid"]

_GAP = "  "


def cells(text: str) -> int:
    """Return how many cells a terminal gives a text.

    >>> cells("超时 overdue")
    12
    """
    return sum(_cells(char) for char in text)


def grid(rows: Sequence[Sequence[str]], *, left: int = 0) -> str:
    """Align rows of equally many texts: the column `left` to the left, the others to the right."""
    rows = [tuple(map(visible, row)) for row in rows]
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_GAP.join(_padded(row, widths, left)).rstrip() for row in rows)


def _padded(row: Sequence[str], widths: Sequence[int], left: int) -> Iterator[str]:
    for place, (text, width) in enumerate(zip(row, widths, strict=True)):
        space = " " * (width - cells(text))
        yield text + space if place == left else space + text


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
