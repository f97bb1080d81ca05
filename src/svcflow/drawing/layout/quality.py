"""Faults of the lines of a map, and the measure by which two drawings of one map are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import attrs

from svcflow.drawing.layout.coordinates import Layout
from svcflow.drawing.layout.geometry import Point, Rect, crossings, length, meets, segments, shared_length
from svcflow.drawing.scene.map_scene import Edge

Routes = Mapping[str, Sequence[Point]]
_SHARED, _CLOSE = 8.0, 3.0
"""Pixels along which two lines run nearer than so many, from which they count as one on top of the other."""
_REACH = 1.5
"""How far from the side of a box a line may end, or run inside, and still be at the side."""


@attrs.frozen(kw_only=True)
class Quality:
    """Counts of what makes a map hard to read; less is better in everything. `length` is in pixels."""

    missing_labels: int
    struck_labels: int
    crossings: int
    bends: int
    length: float

    @property
    def cost(self) -> float:
        """One figure to compare two drawings of the same boxes by; the weights are a choice of ours."""
        labels = 500 * self.missing_labels + 40 * self.struck_labels
        return labels + 30 * self.crossings + 8 * self.bends + 0.03 * self.length


def quality(layout: Layout) -> Quality:
    """Return the measure of a map."""
    routes = list(layout.routes.values())
    return Quality(
        missing_labels=len(layout.texts) - len(layout.labels),
        struck_labels=sum(bool(label.struck) for label in layout.labels.values()),
        crossings=sum(crossings(one, other) for one, other in combinations(routes, 2)),
        bends=sum(max(0, len(route) - 2) for route in routes),
        length=sum(map(length, routes)),
    )


def faulty(layout: Layout, routes: Routes) -> frozenset[str]:
    """Return the edges whose line breaks a rule: it ends at its boxes, passes none, stays in the frame, shares no stretch.

    Of two that share a stretch the later one is named.
    """
    bad = {
        edge.key
        for edge in layout.scene.edges
        if edge.key not in routes or _broken(layout, edge, routes[edge.key])
    }
    keys = [edge.key for edge in layout.scene.edges if edge.key not in bad]
    for one, other in combinations(keys, 2):
        if shared_length(routes[one], routes[other], _CLOSE) > _SHARED:
            bad.add(other)
    return frozenset(bad)


def _broken(layout: Layout, edge: Edge, route: Sequence[Point]) -> bool:
    return any(_complaints(layout, edge, route))


def _complaints(layout: Layout, edge: Edge, route: Sequence[Point]) -> Iterator[bool]:
    yield len(route) < 2 or any(a[0] != b[0] and a[1] != b[1] for a, b in segments(route))
    yield not _touches(route[0], layout.boxes[edge.source]) or not _touches(
        route[-1], layout.boxes[edge.target]
    )
    yield any(not _inside(point, layout.area) for point in route)
    yield any(through(a, b, box) for a, b in segments(route) for box in layout.boxes.values())


def through(a: Point, b: Point, box: Rect) -> bool:
    """Return whether a segment passes through the inside of a box, or along its side."""
    return meets(a, b, box.grown(-_REACH))


def _touches(point: Point, box: Rect) -> bool:
    x, y = point
    inside = _inside(point, box.grown(_REACH))
    return inside and not (
        box.x + _REACH < x < box.right - _REACH and box.y + _REACH < y < box.bottom - _REACH
    )


def _inside(point: Point, box: Rect) -> bool:
    return box.x <= point[0] <= box.right and box.y <= point[1] <= box.bottom
