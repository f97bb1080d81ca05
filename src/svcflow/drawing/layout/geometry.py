"""Points, rectangles and axis-parallel lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import attrs

Point = tuple[float, float]


@attrs.frozen
class Rect:
    """An axis-parallel rectangle, x to the right and y down."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The greatest x."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The greatest y."""
        return self.y + self.h

    @property
    def cx(self) -> float:
        """The x of the centre."""
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        """The y of the centre."""
        return self.y + self.h / 2

    def grown(self, by: float) -> Rect:
        """Return the rectangle with `by` more on each side (less when negative)."""
        return Rect(self.x - by, self.y - by, self.w + 2 * by, self.h + 2 * by)

    def overlaps(self, other: Rect) -> bool:
        """Return whether the insides meet; touching sides do not count."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )

    def holds(self, other: Rect) -> bool:
        """Return whether `other` lies inside."""
        return (
            self.x <= other.x
            and other.right <= self.right
            and self.y <= other.y
            and other.bottom <= self.bottom
        )


def hull(a: Point, b: Point) -> Rect:
    """Return the rectangle spanned by two points; for an axis-parallel segment it is flat."""
    return Rect(min(a[0], b[0]), min(a[1], b[1]), abs(a[0] - b[0]), abs(a[1] - b[1]))


def meets(a: Point, b: Point, box: Rect) -> bool:
    """Return whether an axis-parallel segment passes through the inside of a rectangle."""
    return (
        min(a[0], b[0]) < box.right
        and box.x < max(a[0], b[0])
        and min(a[1], b[1]) < box.bottom
        and box.y < max(a[1], b[1])
        if a[0] != b[0] and a[1] != b[1]
        else _flat_meets(hull(a, b), box)
    )


def _flat_meets(line: Rect, box: Rect) -> bool:
    if line.w == 0:
        return box.x < line.x < box.right and line.y < box.bottom and box.y < line.bottom
    return box.y < line.y < box.bottom and line.x < box.right and box.x < line.right


def segments(points: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    """Yield the pieces of a polyline."""
    return pairwise(points)


def simplified(points: Iterable[Point]) -> tuple[Point, ...]:
    """Drop repeated points and those in the middle of a straight piece."""
    kept: list[Point] = []
    for point in points:
        if kept and _same(kept[-1], point):
            continue
        while len(kept) > 1 and _straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def crossings(one: Sequence[Point], other: Sequence[Point]) -> int:
    """Count the proper crossings of two axis-parallel polylines."""
    return sum(_cross(a, b, c, d) for a, b in segments(one) for c, d in segments(other))


def shared_length(one: Sequence[Point], other: Sequence[Point], within: float = 2.0) -> float:
    """Return how far two polylines run on top of each other, nearer than `within`."""
    return sum(_along(a, b, c, d, within) for a, b in segments(one) for c, d in segments(other))


def length(points: Sequence[Point]) -> float:
    """Return the length of an axis-parallel polyline."""
    return sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in segments(points))


def _same(a: Point, b: Point) -> bool:
    return abs(a[0] - b[0]) < 0.01 and abs(a[1] - b[1]) < 0.01


def _straight(a: Point, b: Point, c: Point) -> bool:
    return (abs(a[0] - b[0]) < 0.01 and abs(b[0] - c[0]) < 0.01) or (
        abs(a[1] - b[1]) < 0.01 and abs(b[1] - c[1]) < 0.01
    )


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    if (a[0] == b[0]) == (c[0] == d[0]):
        return False
    if a[0] == b[0]:
        a, b, c, d = c, d, a, b
    left, right = sorted((a[0], b[0]))
    top, bottom = sorted((c[1], d[1]))
    return left < c[0] < right and top < a[1] < bottom


def _along(a: Point, b: Point, c: Point, d: Point, within: float) -> float:
    if a[0] == b[0] and c[0] == d[0] and abs(a[0] - c[0]) < within:
        return max(0.0, min(max(a[1], b[1]), max(c[1], d[1])) - max(min(a[1], b[1]), min(c[1], d[1])))
    if a[1] == b[1] and c[1] == d[1] and abs(a[1] - c[1]) < within:
        return max(0.0, min(max(a[0], b[0]), max(c[0], d[0])) - max(min(a[0], b[0]), min(c[0], d[0])))
    return 0.0
