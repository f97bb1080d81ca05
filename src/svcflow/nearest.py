"""Suggestions: the known name nearest to one that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import lru_cache

import attrs

from svcflow.text import NO_TEXT, Text

__all__ = ["did_you_mean", "nearest", "nearest_name"]


FEW = 12
"""So many names can be taken in at a glance; more of them would bury the message."""
_LONGEST = 100
_COMPARED = 128
_ALIKE = 0.6


def nearest(given: object, known: Iterable[str]) -> Text:
    """Return a question whether the nearest name was meant; without one the names there are, unless they are too many.

    >>> nearest("repiar", ["repair", "meeting"]).en, nearest("x", ["repair", "meeting"]).zh
    ('did you mean repair?', '可用：repair, meeting')
    """
    names = tuple(known)
    near = nearest_name(given, names)
    if near is not None:
        return did_you_mean(near)
    if len(names) > FEW:
        return NO_TEXT
    if not names:
        return Text(zh="一个也没有", en="there are none")
    listed = ", ".join(names)
    return Text(zh=f"可用：{listed}", en=f"there are: {listed}")


def did_you_mean(name: str) -> Text:
    """Return the question whether a name, or whatever else may be written, was meant."""
    return Text(zh=f"是否指 {name}？", en=f"did you mean {name}?")


def nearest_name(given: object, known: Iterable[str]) -> str | None:
    """Return the known name that is most like the given one; None when none is like it."""
    name = given if isinstance(given, str) else ""
    return None if len(name) > _LONGEST else _index(tuple(known)).nearest(name)


@attrs.frozen
class _Index:
    """Names by the pairs of letters that follow each other in them, each pair being one bit."""

    names: tuple[str, ...]
    masks: tuple[int, ...]
    bits: dict[str, int]
    holding: dict[str, list[int]]

    def nearest(self, given: str) -> str | None:
        pairs = _pairs(given)
        mask, count = sum(self.bits.get(pair, 0) for pair in pairs), len(pairs)
        ranked = sorted(
            (-(mask & other).bit_count() / (count + other.bit_count()), abs(count - other.bit_count()), place)
            for place, other in self._candidates(pairs)
        )
        for *_, place in ranked[:3]:
            if difflib.SequenceMatcher(None, self.names[place], given).ratio() >= _ALIKE:
                return self.names[place]
        return None

    def _candidates(self, pairs: frozenset[str]) -> list[tuple[int, int]]:
        """Return names that share the rarest pairs, so that the work does not grow with the names."""
        near: set[int] = set()
        for places in sorted((self.holding[pair] for pair in pairs if pair in self.holding), key=len):
            near.update(places[: _COMPARED - len(near)])
            if len(near) >= _COMPARED:
                break
        return [(place, self.masks[place]) for place in near]


@lru_cache(maxsize=16)
def _index(names: tuple[str, ...]) -> _Index:
    """Return the index of the names, kept, as a document may misspell thousands of keys of the same few names."""
    holding: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        for pair in _pairs(name):
            holding.setdefault(pair, []).append(place)
    bits = {pair: 1 << count for count, pair in enumerate(holding)}
    return _Index(names, tuple(sum(bits[pair] for pair in _pairs(name)) for name in names), bits, holding)


def _pairs(name: str) -> frozenset[str]:
    edged = f"\0{name.casefold()}\0"
    return frozenset(edged[place : place + 2] for place in range(len(edged) - 1))
