"""Positions along one axis of a map: cells (columns or rows) and the channels for lines between them."""

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
"""On each side of the middle of a channel without lines."""


@attrs.frozen
class ChannelRoom:
    """Room that labels need in one channel: before its tracks, after them, and before single ones; in pixels."""

    lead: float = 0.0
    tail: float = 0.0
    beside: Mapping[int, float] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True, slots=False)
class Axis:
    """Cells and channels in turn from `origin`, a channel first and last.

    A channel is as wide as its tracks, the room for labels and `least` require.
    """

    origin: float
    cells: Sequence[float]
    tracks: Sequence[int]
    rooms: Mapping[int, ChannelRoom]
    least: Sequence[float]

    @cached_property
    def channels(self) -> tuple[tuple[float, ...], ...]:
        """For each channel the positions of its start, its tracks and its end."""
        channels, at = [], self.origin
        for number, count in enumerate(self.tracks):
            offsets = self._offsets(number, count)
            channels.append(tuple(at + offset for offset in offsets))
            at += offsets[-1] + (self.cells[number] if number < len(self.cells) else 0.0)
        return tuple(channels)

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
        """Return where a lane's border may run in a channel: on no track and through no room for labels."""
        positions, room = self.channels[channel], self.rooms.get(channel, ChannelRoom())
        if len(positions) == 2:
            return (positions[0] + room.lead + positions[-1] - room.tail) / 2
        gaps = [(a + b) / 2 for a, b in pairwise(positions[1:-1])]
        gaps += [positions[1] - PAD / 2, positions[-2] + PAD / 2]
        middle = (positions[0] + positions[-1]) / 2
        return min(gaps, key=lambda at: abs(at - middle))

    def _offsets(self, number: int, count: int) -> list[float]:
        """Return the positions within a channel of its start, its tracks and its end."""
        room = self.rooms.get(number, ChannelRoom())
        if not count:
            return [0.0, max(max(_FREE, room.lead) + max(_FREE, room.tail), self.least[number])]
        offsets = [PAD + room.lead]
        for track in range(count):
            if track:
                offsets.append(offsets[-1] + PITCH)
            offsets[-1] += room.beside.get(track, 0.0)
        width = offsets[-1] + PAD + room.tail
        spare = max(0.0, self.least[number] - width)
        return [0.0, *(offset + spare / 2 for offset in offsets), width + spare]
