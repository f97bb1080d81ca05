"""Where labels stand: on their own line, touching no box and no other label, off other lines if possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import attrs

from svcflow.drawing.layout.box_text import LabelText
from svcflow.drawing.layout.geometry import Point, Rect, length, segments

Seat = Literal["split", "above", "below", "left", "right", "over"]
_SEAT: dict[Seat, float] = {"split": 0, "above": 1, "right": 1, "below": 3, "left": 4, "over": 14}
_LINE_COST, _BORDER_COST, _AWAY, _AIR, _ARROW = 60.0, 14.0, 0.03, 2.5, 10.0


@attrs.frozen
class Label:
    """Hold a placed label; `split` is the height of its line when rows stand above and below it."""

    box: Rect
    text: LabelText
    split: float | None = None
    struck: int = 0
    seat: Seat = "above"


@attrs.frozen(kw_only=True)
class Ground:
    """Hold what labels must keep off: boxes, the bounds of the map, every edge's route."""

    boxes: Sequence[Rect]
    bounds: Rect
    routes: Mapping[str, Sequence[Point]]
    borders: Sequence[Rect] = ()


def placed(texts: Mapping[str, LabelText], ground: Ground) -> dict[str, Label]:
    """Place as many labels as find a free place, the most constrained first."""
    lines = {edge: [_span(a, b) for a, b in segments(route)] for edge, route in ground.routes.items()}
    borders = [_span((box.x, box.y), (box.right, box.bottom)) for box in ground.borders]
    out: dict[str, Label] = {}
    taken: list[Rect] = []
    for edge in sorted(texts, key=lambda e: (length(ground.routes[e]), e)):
        seats = _Seating(edge, texts[edge], ground, lines, borders, taken)
        found = seats.best()
        if found is not None:
            out[edge] = found
            taken.append(found.box.grown(1))
    return out


_Span = tuple[float, float, float, float]
"""Left, top, right and bottom of a piece of a line."""


def _span(a: Point, b: Point) -> _Span:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


@attrs.frozen
class _Seating:
    """Look for the best place of one label."""

    edge: str
    text: LabelText
    ground: Ground
    lines: Mapping[str, Sequence[_Span]]
    borders: Sequence[_Span]
    taken: Sequence[Rect]

    def best(self) -> Label | None:
        route = self.ground.routes[self.edge]
        area = _area(route, max(self.text.w, self.text.h) + 8)
        near = [box.grown(1) for box in self.ground.boxes if box.overlaps(area)]
        near += [box for box in self.taken if box.overlaps(area)]
        foreign = self._foreign(area)
        found: Label | None = None
        least = 1e9
        for cost, seat, box, split in sorted(_seats(route, self.text), key=lambda s: s[0]):
            if cost >= least:
                break
            if not self.ground.bounds.holds(box) or any(box.overlaps(other) for other in near):
                continue
            struck = self._struck(box, seat, foreign)
            full = cost + struck * _LINE_COST + _hits(box, -2, self.borders) * _BORDER_COST
            if full < least:
                least = full
                found = Label(box, self.text, split, struck, seat)
        return found

    def _foreign(self, area: Rect) -> list[_Span]:
        left, top, right, bottom = area.x, area.y, area.right, area.bottom
        return [
            span
            for owner, spans in self.lines.items()
            if owner != self.edge
            for span in spans
            if span[0] < right and left < span[2] and span[1] < bottom and top < span[3]
        ]

    def _struck(self, box: Rect, seat: Seat, foreign: Sequence[_Span]) -> int:
        """Count the lines a label would lie over; its own counts too, unless it is meant to."""
        struck = _hits(box, 1, foreign)
        if seat not in ("split", "over"):
            struck += _hits(box, -_AIR, self.lines[self.edge])
        return struck


def _hits(box: Rect, by: float, spans: Sequence[_Span]) -> int:
    left, top, right, bottom = box.x - by, box.y - by, box.x + box.w + by, box.y + box.h + by
    return sum(s[0] < right and left < s[2] + 0.01 and s[1] < bottom and top < s[3] + 0.01 for s in spans)


def _area(route: Sequence[Point], by: float) -> Rect:
    xs, ys = [p[0] for p in route], [p[1] for p in route]
    return Rect(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)).grown(by)


def _seats(route: Sequence[Point], text: LabelText) -> Iterator[tuple[float, Seat, Rect, float | None]]:
    """Yield the places a label may take, each with its cost, seat and the height of its line."""
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
) -> Iterator[tuple[float, Seat, Rect, float | None]]:
    w, h = text.w, text.h
    if a[1] == b[1]:
        x = a[0] + start if b[0] >= a[0] else a[0] - start - w
        y = a[1]
        if len(text.rows) == 2:
            high = h + 4
            yield cost + _SEAT["split"], "split", Rect(x, y - high / 2, w, high), y
        yield cost + _SEAT["above"], "above", Rect(x, y - h - _AIR, w, h), None
        yield cost + _SEAT["below"], "below", Rect(x, y + _AIR, w, h), None
        yield cost + _SEAT["over"], "over", Rect(x, y - h / 2, w, h), None
    else:
        y = a[1] + start if b[1] >= a[1] else a[1] - start - h
        x = a[0]
        yield cost + _SEAT["right"], "right", Rect(x + _AIR + 1, y, w, h), None
        yield cost + _SEAT["left"], "left", Rect(x - w - _AIR - 1, y, w, h), None
        yield cost + _SEAT["over"], "over", Rect(x - w / 2, y, w, h), None
