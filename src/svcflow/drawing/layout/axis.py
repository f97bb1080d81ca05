"""Positions along one axis: cells (columns or rows) and the channels between them.

A channel is as wide as its tracks, and the labels that need it, ask; a ruler knows no edges and no boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise

import attrs

PAD = 15.0
"""From a box to the nearest line beside it: room for an arrow head."""
PITCH = 10.0
"""Between two lines in one channel."""
_FREE = 18.0
"""On the side of a channel's middle that no label needs."""


@attrs.frozen
class Asked:
    """Hold what labels ask of one channel: room before its tracks, after them, and before single ones."""

    lead: float = 0.0
    tail: float = 0.0
    beside: Mapping[int, float] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True, slots=False)
class Ruler:
    """Lay cells and channels one after another from `origin`."""

    origin: float
    cells: Sequence[float]
    tracks: Sequence[int]
    asked: Mapping[int, Asked]
    least: Sequence[float]

    @cached_property
    def channels(self) -> tuple[tuple[float, ...], ...]:
        """For each channel the positions of its start, its tracks and its end."""
        out, at = [], self.origin
        for number, count in enumerate(self.tracks):
            marks = self._marks(number, count)
            out.append(tuple(at + mark for mark in marks))
            at += marks[-1] + (self.cells[number] if number < len(self.cells) else 0.0)
        return tuple(out)

    @property
    def end(self) -> float:
        """Where the last channel ends."""
        return self.channels[-1][-1]

    def middle(self, cell: int) -> float:
        """Return the middle of a cell."""
        return self.channels[cell][-1] + self.cells[cell] / 2

    def track(self, channel: int, number: int) -> float:
        """Return where a track of a channel runs."""
        return self.channels[channel][number + 1]

    def border(self, channel: int) -> float:
        """Return where a lane's border may run in a channel: on no track and through no asked room."""
        marks, asked = self.channels[channel], self.asked.get(channel, Asked())
        if len(marks) == 2:
            return (marks[0] + asked.lead + marks[-1] - asked.tail) / 2
        gaps = [(a + b) / 2 for a, b in pairwise(marks[1:-1])]
        gaps += [marks[1] - PAD / 2, marks[-2] + PAD / 2]
        middle = (marks[0] + marks[-1]) / 2
        return min(gaps, key=lambda at: abs(at - middle))

    def _marks(self, number: int, count: int) -> list[float]:
        asked = self.asked.get(number, Asked())
        if not count:
            return [0.0, max(max(_FREE, asked.lead) + max(_FREE, asked.tail), self.least[number])]
        marks = [PAD + asked.lead]
        for track in range(count):
            if track:
                marks.append(marks[-1] + PITCH)
            marks[-1] += asked.beside.get(track, 0.0)
        width = marks[-1] + PAD + asked.tail
        spare = max(0.0, self.least[number] - width)
        shift = spare / 2
        return [0.0, *(mark + shift for mark in marks), width + spare]
