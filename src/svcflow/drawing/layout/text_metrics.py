"""Width of text and where it breaks, by a table of our own: no installed font changes a drawing.

The widths are upper bounds over Arial and the Latin of Noto Sans CJK; East Asian characters are 1 em.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import attrs

FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "Arial",
)
BOLD = 1.06
SMALLEST = 0.75
"""How far a font may shrink before words are cut."""
_CLASSES = {
    0.28: " !'ijl|,.:;fI`",
    0.34: '-()[]{}rt"*/\\',
    0.5: "cksvxyzJ?",
    0.56: "abdeghnopqu0123456789_#$L~^·",
    0.6: "<>=+≤≥×…FTZ",
    0.68: "ABEKPSVXY&",
    0.75: "CDHNRUw→",
    0.79: "GOQ",
    0.86: "mM",
    0.95: "W%@—",
}
_WIDTH = {char: width for width, chars in _CLASSES.items() for char in chars}
_BREAK = re.compile(r"[⺀-鿿豈-﫿＀-￯][，。、；：！？）】》”]*|[^\s⺀-鿿豈-﫿＀-￯]+\s*|\s+")


@attrs.frozen
class FittedText:
    """Text broken to fit: the lines, the font size, and whether something was cut."""

    lines: tuple[str, ...]
    size: float
    cut: bool = False


@lru_cache(maxsize=4096)
def ems(text: str) -> float:
    """Return the width of regular text in em."""
    return sum(map(_char, text))


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of one line in the unit of `size`."""
    return ems(text) * size * (BOLD if bold else 1.0)


def fit(text: str, room: float, size: float, *, bold: bool = False, most: int = 2) -> FittedText:
    """Break text into at most `most` lines no wider than `room`; shrink, then cut, when it is too long."""
    for step in range(4):
        smaller = size * (1 - (1 - SMALLEST) * step / 3)
        lines = broken(text, room / (smaller * (BOLD if bold else 1.0)))
        if len(lines) <= most:
            return FittedText(lines, smaller)
    smaller = size * SMALLEST
    limit = room / (smaller * (BOLD if bold else 1.0))
    kept = list(broken(text, limit)[:most])
    kept[-1] = _cut(kept[-1], limit)
    return FittedText(tuple(kept), smaller, cut=True)


@lru_cache(maxsize=4096)
def broken(text: str, limit: float) -> tuple[str, ...]:
    """Break text into lines of at most `limit` em, at spaces and between Chinese characters."""
    lines, line = [], ""
    for piece in _pieces(" ".join(text.split()), limit):
        if line and ems((line + piece).rstrip()) > limit:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return (*lines, line.rstrip()) if line.strip() else tuple(lines)


def _pieces(text: str, limit: float) -> list[str]:
    pieces = []
    for piece in _BREAK.findall(text):
        if ems(piece.rstrip()) <= limit:
            pieces.append(piece)
        else:
            pieces.extend(_chopped(piece, limit))
    return pieces


def _chopped(word: str, limit: float) -> list[str]:
    """Cut a word that no line can hold into parts that fit."""
    parts, part = [], ""
    for char in word:
        if part and ems(part + char) > limit:
            parts.append(part)
            part = ""
        part += char
    return [*parts, part]


def _cut(line: str, limit: float) -> str:
    while line and ems(line + "…") > limit:
        line = line[:-1]
    return line.rstrip() + "…"


@lru_cache(maxsize=2048)
def _char(char: str) -> float:
    known = _WIDTH.get(char)
    if known is not None:
        return known
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WFA":
        return 1.0
    return 0.72 if char.isupper() else 0.62
