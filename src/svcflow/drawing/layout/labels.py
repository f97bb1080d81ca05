"""Placement of labels: at their own line, touching no box or label, off other lines if possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import attrs

from svcflow.drawing.layout.box_text import LabelText
from svcflow.drawing.layout.geometry import Point, Rect, length, segments

Position = Literal["split", "above", "below", "left", "right", "over"]
_POSITION_COST: dict[Position, float] = {
    "split": 0,
    "above": 1,
    "right": 1,
    "below": 3,
    "left": 4,
    "over": 14,
}
_LINE_COST, _BORDER_COST, _AWAY, _AIR, _ARROW = 60.0, 14.0, 0.03, 2.5, 10.0


_Span = tuple[float, float, float, float]
"""Left, top, right and bottom of a piece of a line."""


@attrs.frozen
class Label:
    """A label with its place.

    `split` is the y of its line when rows stand above and below it, `struck` the number of lines it lies over.
    """

    box: Rect
    text: LabelText
    split: float | None = None
    struck: int = 0
    position: Position = "above"


@attrs.frozen(kw_only=True)
class Obstacles:
    """What labels must keep off: boxes, every edge's route, borders of lanes; and the bounds they keep inside."""

    boxes: Sequence[Rect]
    bounds: Rect
    routes: Mapping[str, Sequence[Point]]
    borders: Sequence[Rect] = ()


def place_labels(texts: Mapping[str, LabelText], obstacles: Obstacles) -> dict[str, Label]:
    """Return the labels that find a free place, by edge; the most constrained choose first."""
    lines = {edge: [_span(a, b) for a, b in segments(route)] for edge, route in obstacles.routes.items()}
    borders = [_span((box.x, box.y), (box.right, box.bottom)) for box in obstacles.borders]
    labels: dict[str, Label] = {}
    taken: list[Rect] = []
    for edge in sorted(texts, key=lambda e: (length(obstacles.routes[e]), e)):
        label = _LabelSearch(edge, texts[edge], obstacles, lines, borders, taken).best()
        if label is not None:
            labels[edge] = label
            taken.append(label.box.grown(1))
    return labels


def _span(a: Point, b: Point) -> _Span:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


@attrs.frozen
class _LabelSearch:
    """Search for the cheapest free place of one label."""

    edge: str
    text: LabelText
    obstacles: Obstacles
    lines: Mapping[str, Sequence[_Span]]
    borders: Sequence[_Span]
    taken: Sequence[Rect]

    def best(self) -> Label | None:
        route = self.obstacles.routes[self.edge]
        area = _area(route, max(self.text.w, self.text.h) + 8)
        near = [box.grown(1) for box in self.obstacles.boxes if box.overlaps(area)]
        near += [box for box in self.taken if box.overlaps(area)]
        foreign = self._foreign(area)
        best: Label | None = None
        least = 1e9
        for cost, position, box, split in sorted(_candidates(route, self.text), key=lambda s: s[0]):
            if cost >= least:
                break
            if not self.obstacles.bounds.holds(box) or any(box.overlaps(other) for other in near):
                continue
            struck = self._struck(box, position, foreign)
            full = cost + struck * _LINE_COST + _hits(box, -2, self.borders) * _BORDER_COST
            if full < least:
                least = full
                best = Label(box, self.text, split, struck, position)
        return best

    def _foreign(self, area: Rect) -> list[_Span]:
        left, top, right, bottom = area.x, area.y, area.right, area.bottom
        return [
            span
            for owner, spans in self.lines.items()
            if owner != self.edge
            for span in spans
            if span[0] < right and left < span[2] and span[1] < bottom and top < span[3]
        ]

    def _struck(self, box: Rect, position: Position, foreign: Sequence[_Span]) -> int:
        """Count the lines a label would lie over; its own too, unless the position is on it."""
        struck = _hits(box, 1, foreign)
        if position not in ("split", "over"):
            struck += _hits(box, -_AIR, self.lines[self.edge])
        return struck


def _hits(box: Rect, by: float, spans: Sequence[_Span]) -> int:
    left, top, right, bottom = box.x - by, box.y - by, box.x + box.w + by, box.y + box.h + by
    return sum(s[0] < right and left < s[2] + 0.01 and s[1] < bottom and top < s[3] + 0.01 for s in spans)


def _area(route: Sequence[Point], by: float) -> Rect:
    xs, ys = [p[0] for p in route], [p[1] for p in route]
    return Rect(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)).grown(by)


def _candidates(
    route: Sequence[Point], text: LabelText
) -> Iterator[tuple[float, Position, Rect, float | None]]:
    """Yield the places a label may take: cost, position, box, and y of its line if it is split."""
    gone = 0.0
    pieces = list(segments(route))
    for number, (a, b) in enumerate(pieces):
        last = number == len(pieces) - 1
        run = abs(a[0] - b[0]) + abs(a[1] - b[1])
        side = text.w if a[1] == b[1] else text.h
        for start in _starts(run - (_ARROW if last else 0.0), side):
            cost = (gone + max(start, 0)) * _AWAY + (8 if side > run else 0)
            yield from _around(a, b, start, text, cost)
        gone += run


def _starts(run: float, side: float) -> tuple[float, ...]:
    """Return how far from the segment's first point a label may begin."""
    free = run - side - 4
    if free <= 0:
        return ((run - side) / 2, 3.0, run - side - 3)
    count = min(7, int(free / 11) + 1)
    return tuple(3 + free * place / max(count, 1) for place in range(count + 1))


def _around(
    a: Point, b: Point, start: float, text: LabelText, cost: float
) -> Iterator[tuple[float, Position, Rect, float | None]]:
    w, h = text.w, text.h
    if a[1] == b[1]:
        x = a[0] + start if b[0] >= a[0] else a[0] - start - w
        y = a[1]
        if len(text.rows) == 2:
            high = h + 4
            yield cost + _POSITION_COST["split"], "split", Rect(x, y - high / 2, w, high), y
        yield cost + _POSITION_COST["above"], "above", Rect(x, y - h - _AIR, w, h), None
        yield cost + _POSITION_COST["below"], "below", Rect(x, y + _AIR, w, h), None
        yield cost + _POSITION_COST["over"], "over", Rect(x, y - h / 2, w, h), None
    else:
        y = a[1] + start if b[1] >= a[1] else a[1] - start - h
        x = a[0]
        yield cost + _POSITION_COST["right"], "right", Rect(x + _AIR + 1, y, w, h), None
        yield cost + _POSITION_COST["left"], "left", Rect(x - w - _AIR - 1, y, w, h), None
        yield cost + _POSITION_COST["over"], "over", Rect(x - w / 2, y, w, h), None
