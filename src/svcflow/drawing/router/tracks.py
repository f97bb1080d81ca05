"""Tracks: which lines run side by side in a channel, row or column of the grid, and in what order.

Two lines that run along each other are ordered by where each turns off, so that they cross only when they must.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import attrs

from svcflow.drawing.router.paths import GridPath, Vertex

AxisName = Literal["x", "y"]
GridLine = tuple[AxisName, int]
"""A line of the grid: ("y", 3) is the middle of row 1, along which y does not change."""


@attrs.frozen
class Segment:
    """One straight piece of an edge's path, in numbers of the grid; `boxed` are its ends that lie at boxes."""

    edge: str
    index: int
    line: GridLine
    start: int
    stop: int
    boxed: tuple[int, ...] = ()

    @property
    def in_channel(self) -> bool:
        """Whether it runs in a channel, not in the middle of a row or column."""
        return self.line[1] % 2 == 0

    @property
    def low(self) -> int:
        """The lesser end."""
        return min(self.start, self.stop)

    @property
    def high(self) -> int:
        """The greater end."""
        return max(self.start, self.stop)


def segments_of(edge: str, path: GridPath) -> tuple[Segment, ...]:
    """Break a path into its straight pieces."""
    corners = _corners(path)
    segments = []
    for index, (a, b) in enumerate(itertools.pairwise(corners)):
        axis = 0 if a[1] == b[1] else 1
        boxed = [a[axis]] * (index == 0) + [b[axis]] * (index == len(corners) - 2)
        line: GridLine = ("y", a[1]) if axis == 0 else ("x", a[0])
        segments.append(Segment(edge, index, line, a[axis], b[axis], tuple(boxed)))
    return tuple(segments)


@attrs.frozen
class Track:
    """A segment's place beside the others of its group on one line of the grid."""

    at: float
    group: int


def tracks(
    segments: Mapping[str, tuple[Segment, ...]], pinned: frozenset[str]
) -> dict[tuple[str, int], Track]:
    """Return each segment's track on its line: 0, 1, 2 … in channels, around 0 in rows and columns.

    `pinned` edges, the straight ones of the main line, keep track 0 of their row or column.
    """
    ranking = {edge: place for place, edge in enumerate(segments)}
    lines: dict[GridLine, list[Segment]] = {}
    for edge in segments:
        for segment in segments[edge]:
            lines.setdefault(segment.line, []).append(segment)
    found: dict[tuple[str, int], Track] = {}
    order = _Order(segments, ranking)
    groups = [(line, group) for line in sorted(lines) for group in _groups(lines[line])]
    for number, (line, group) in enumerate(groups):
        assigned = _assign(order.of(group), line, pinned)
        found.update({key: Track(at, number) for key, at in assigned.items()})
    return found


def overlap(one: Segment, other: Segment) -> bool:
    """Return whether two segments of one line need different tracks; a shared turning point counts."""
    low, high = max(one.low, other.low), min(one.high, other.high)
    return low < high or (low == high and not (low in one.boxed and low in other.boxed))


def _corners(path: GridPath) -> list[Vertex]:
    turns = [
        at
        for before, at, after in zip(path, path[1:], path[2:], strict=False)
        if (before[0] == at[0]) != (at[0] == after[0])
    ]
    return [path[0], *turns, path[-1]]


def _groups(items: Sequence[Segment]) -> Iterable[list[Segment]]:
    """Split a line's segments into groups that touch."""
    group: list[Segment] = []
    reach = -1
    for item in sorted(items, key=lambda s: (s.low, s.high, s.edge, s.index)):
        if group and item.low > reach:
            yield group
            group, reach = [], -1
        group.append(item)
        reach = max(reach, item.high)
    if group:
        yield group


def _assign(
    ordered: Sequence[Segment], line: GridLine, pinned: frozenset[str]
) -> dict[tuple[str, int], float]:
    """Return the tracks of a group in order: from 0 in a channel, else centred or around pinned segments at 0."""
    fixed = {(s.edge, s.index) for s in ordered if s.edge in pinned and line[1] % 2}
    if not fixed:
        track = _stacked(ordered, {})
        shift = (max(track.values()) / 2) if line[1] % 2 else 0.0
        return {key: value - shift for key, value in track.items()}
    places = [i for i, s in enumerate(ordered) if (s.edge, s.index) in fixed]
    above = [
        s
        for i, s in enumerate(ordered)
        if any(i < place and overlap(s, ordered[place]) for place in places)
        and (s.edge, s.index) not in fixed
    ]
    held = {(s.edge, s.index) for s in above}
    below = [s for s in ordered if (s.edge, s.index) not in held]
    down = _stacked(below, dict.fromkeys(fixed, 0))
    up = _stacked(
        [s for s in reversed(ordered) if (s.edge, s.index) in held | fixed], dict.fromkeys(fixed, 0)
    )
    return {**{key: float(-value) for key, value in up.items()}, **{k: float(v) for k, v in down.items()}}


def _stacked(ordered: Sequence[Segment], fixed: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """Return for each segment the first track after those of all earlier ones that it overlaps."""
    track = dict(fixed)
    pins = [s for s in ordered if (s.edge, s.index) in fixed]
    done: list[Segment] = []
    for item in ordered:
        key = (item.edge, item.index)
        if key not in fixed:
            least = 1 if any(overlap(item, pin) for pin in pins) else 0
            track[key] = max([least, *(track[s.edge, s.index] + 1 for s in done if overlap(s, item))])
            done.append(item)
    return track


@attrs.define
class _Order:
    """Order of segments side by side; `ranking` decides between two edges that would be ordered both ways."""

    segments: Mapping[str, tuple[Segment, ...]]
    ranking: Mapping[str, int]

    def of(self, group: list[Segment]) -> list[Segment]:
        """Sort a group so that as few as possible of its segments cross."""
        if len(group) == 1:
            return group
        before: dict[int, set[int]] = {i: set() for i in range(len(group))}
        for i, one in enumerate(group):
            for j in range(i):
                if overlap(one, group[j]):
                    order = self._compare(one, group[j])
                    if order:
                        late, early = (i, j) if order > 0 else (j, i)
                        before[late].add(early)
        ordered: list[Segment] = []
        left = list(range(len(group)))
        while left:
            # the wishes of three segments may be circular: take the one with the fewest that want to be before it
            waiting = set(left)
            first = min(left, key=lambda i: (len(before[i] & waiting), self._lean(group[i]), i))
            left.remove(first)
            ordered.append(group[first])
        return ordered

    def _lean(self, item: Segment) -> int:
        """Return to which side a segment turns off on the whole: negative towards lesser numbers."""
        return self._off(item, 1) + self._off(item, -1)

    def _compare(self, one: Segment, other: Segment) -> int:
        """Return -1 when `one` should run before `other` (above it, left of it), 1 after, 0 for no matter."""
        high, low = self._end(one, other, 1), self._end(one, other, -1)
        if high and low and high != low:
            first = one if self.ranking[one.edge] <= self.ranking[other.edge] else other
            return low if first.start == first.low else high
        return high or low

    def _end(self, one: Segment, other: Segment, end: int, depth: int = 0) -> int:
        mine, its = (one.high, other.high) if end > 0 else (-one.low, -other.low)
        if mine < its:
            return self._off(one, end)
        if mine > its:
            return -self._off(other, end)
        a, b = self._off(one, end), self._off(other, end)
        if a != b:
            return -1 if a < b else 1
        if a == 0 or depth > 40:
            return 0
        onward = self._end(self._next(one, end), self._next(other, end), a, depth + 1)
        return onward * -(end * a)

    def _next(self, item: Segment, end: int) -> Segment:
        """Return the segment that follows at this end, in whichever direction the edge runs."""
        forward = (item.stop > item.start) == (end > 0)
        return self.segments[item.edge][item.index + (1 if forward else -1)]

    def _off(self, item: Segment, end: int) -> int:
        """Return the direction in which the edge goes on at this end; 0 when it ends at a box."""
        forward = (item.stop > item.start) == (end > 0)
        index = item.index + (1 if forward else -1)
        segments = self.segments[item.edge]
        if not 0 <= index < len(segments):
            return 0
        onward = segments[index]
        going = onward.stop - onward.start if forward else onward.start - onward.stop
        return 1 if going > 0 else -1
