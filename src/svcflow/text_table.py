"""Plain-text tables: columns aligned on a terminal, where Chinese characters are two cells wide.

Widths are cells of a terminal; those of a drawing, in a proportional face, stand in `svcflow.drawing`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence

from svcflow.text import visible

__all__ = ["WIDEST", "broken", "cells", "clipped", "grid", "padded", "table"]


WIDEST = 100
_GAP = 2
_NARROWEST, _NARROW = 12, 5
_PIECE = re.compile(r"[（《“]*(?:[⺀-鿿＀-￯]|[^⺀-鿿＀-￯\s]+)[，。；：、）》？！]*\s*|\s+")
_MARKS = frozenset(("Mn", "Mc", "Me", "Cf"))


def cells(text: str) -> int:
    """Return how many cells a terminal gives a text.

    >>> cells("超时 overdue")
    12
    """
    if text.isascii():
        return len(text)
    if any(map(_joins, text)):
        return _joined_cells(text)
    return len(text) + sum(unicodedata.east_asian_width(char) in "WF" for char in text)


def clipped(text: str, width: int) -> str:
    """Cut a text to so many cells, with an ellipsis when something is lost."""
    if cells(text) <= width:
        return text
    kept = ""
    for char in text:
        if cells(kept + char) > width - 1:
            break
        kept += char
    return f"{kept.rstrip()}…"


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Fill a text up to so many cells."""
    space = " " * max(0, width - cells(text))
    return space + text if right else text + space


def broken(text: str, width: int) -> list[str]:
    """Break a text into lines of at most so many cells, at spaces and between Chinese characters."""
    lines = [""]
    for piece in _PIECE.findall(text):
        for part in (piece,) if cells(piece.rstrip()) <= width else piece:
            if lines[-1] and cells((lines[-1] + part).rstrip()) > width:
                lines.append("")
            lines[-1] += part if lines[-1] else part.lstrip()
    return [line.rstrip() for line in lines]


def grid(rows: Sequence[Sequence[str]], *, left: int = 0) -> str:
    """Align rows of equally many texts, uncut: the column `left` to the left, the others to the right."""
    filled = [tuple(map(visible, row)) for row in rows]
    widths = [max(map(cells, column)) for column in zip(*filled, strict=True)]
    rights = [place != left for place in range(len(widths))]
    return "\n".join(_line(row, widths, rights) for row in filled)


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[str] = (),
    whole: Iterable[str] = (),
    indent: int = 2,
    flows: bool = False,
) -> str:
    """Return the table with a rule under its heads; empty columns are left out, `right` names right-aligned ones.

    What is too long is cut; with `flows`, in the last column it goes on below instead. `whole` names columns
    that are never cut, because they are copied; the others then give way further.
    """
    filled = [tuple(map(visible, row)) for row in rows]
    last = len(heads) - 1
    kept = [place for place in range(len(heads)) if any(row[place] for row in filled)]
    heads = [heads[place] for place in kept]
    filled = [tuple(row[place] for place in kept) for row in filled]
    flows = flows and kept[-1:] == [last]
    spared = {heads.index(head) for head in whole if head in heads}
    widths = _widths(heads, filled, WIDEST - indent, _NARROWEST if flows else WIDEST, spared)
    named = set(right)
    rights = [head in named for head in heads]
    rule = ["─" * width for width in widths]
    flowed = [line for row in filled for line in (_flowed(row, widths[-1]) if flows else (row,))]
    lines = [_line(row, widths, rights) for row in (heads, rule, *flowed)]
    return "\n".join(f"{'':{indent}}{line}" for line in lines)


def _joins(char: str) -> bool:
    """Return whether a character may take no cell of its own: marks, joiners, skin tones, vowels of Hangul syllables."""
    return (
        unicodedata.category(char) in _MARKS
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\u1160" <= char <= "\u11ff"
    )


def _joined_cells(text: str) -> int:
    """Return the cells of a text in which characters join, such as an emoji of several."""
    from wcwidth import wcswidth, wcwidth  # noqa: PLC0415  # 25 ms, which tables in Chinese need not pay

    width = wcswidth(text)
    return width if width >= 0 else sum(abs(wcwidth(char)) for char in text)


def _widths(
    heads: Sequence[str], rows: Sequence[Sequence[str]], room: int, least: int, spared: Collection[int]
) -> list[int]:
    """Return the widths of the columns; the last gives way down to `least`, then the widest, until they fit."""
    widths = [max(map(cells, column)) for column in zip(heads, *rows, strict=True)]
    over = sum(widths) + _GAP * (len(widths) - 1) - room
    if over > 0:
        widths[-1] = max(widths[-1] - over, min(least, widths[-1]))
    giving = [place for place in range(len(widths)) if place not in spared]
    narrowest = _NARROW if spared else _NARROWEST
    while sum(widths) + _GAP * (len(widths) - 1) > room:
        widest = max(giving, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= narrowest:
            break
        widths[widest] -= 1
    return widths


def _flowed(row: Sequence[str], width: int) -> Iterator[Sequence[str]]:
    """Yield the row, and below it what its last text has no room for."""
    first, *more = broken(row[-1], width)
    yield (*row[:-1], first)
    for text in more:
        yield (*("" for _ in row[:-1]), text)


def _line(row: Sequence[str], widths: Sequence[int], rights: Sequence[bool]) -> str:
    parts = (
        padded(clipped(text, width), width, right=right)
        for text, width, right in zip(row, widths, rights, strict=True)
    )
    return (" " * _GAP).join(parts).rstrip()
