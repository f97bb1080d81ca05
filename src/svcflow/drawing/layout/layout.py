"""From a scene to places on paper: boxes, routes, labels and lanes in pixels.

Routes are found on the grid first; columns, rows and channels then get the width that their lines and
labels need, so that text is never squeezed. It draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import attrs

from svcflow.drawing.layout import labels as labelling
from svcflow.drawing.layout.axis import PAD, Asked, Ruler
from svcflow.drawing.layout.box_text import Faces, LabelText, faces, flat, label_text
from svcflow.drawing.layout.geometry import Point, Rect, simplified
from svcflow.drawing.layout.grid import Skeleton, skeleton
from svcflow.drawing.layout.labels import Ground, Label
from svcflow.drawing.router.tracks import Stretch
from svcflow.drawing.scene.scene import Direction, Scene
from svcflow.text import Lang

MARGIN = 16.0
TITLE = 58.0
HEADER_SIDE, HEADER_TOP = 92.0, 40.0
_ROUNDS, _ASKS = 9, 2
_FLATTEN = 4
"""After how many rounds a label that still lies over a line is tried in one row."""
_AIR = 9.0


@attrs.frozen(kw_only=True)
class Layout:
    """Hold a laid out scene; everything in pixels, y down."""

    scene: Scene
    direction: Direction
    lang: Lang
    faces: Faces
    boxes: Mapping[str, Rect]
    routes: Mapping[str, tuple[Point, ...]]
    labels: Mapping[str, Label]
    texts: Mapping[str, LabelText]
    lanes: Mapping[str, Rect]
    heads: Mapping[str, Rect]
    area: Rect

    def ground(self, routes: Mapping[str, Sequence[Point]]) -> Ground:
        """Return what labels must keep off when the lines run like this."""
        return Ground(
            boxes=solid(self), bounds=self.area.grown(-2), routes=routes, borders=tuple(self._borders())
        )

    def _borders(self) -> Iterator[Rect]:
        for box in list(self.lanes.values())[:-1]:
            if self.direction == "horizontal":
                yield Rect(box.x, box.bottom, box.w, 0.0)
            else:
                yield Rect(box.right, box.y, 0.0, box.h)

    def rerouted(self, routes: Mapping[str, tuple[Point, ...]]) -> Layout:
        """Return the same boxes with other lines, labels placed anew."""
        found = labelling.placed(self.texts, self.ground(routes))
        return attrs.evolve(self, routes=routes, labels=found)


def solid(layout: Layout) -> list[Rect]:
    """Return every box that lines and labels keep off."""
    return [layout.boxes[node.key] for node in layout.scene.nodes]


def lay_out(scene: Scene, *, lang: Lang, direction: Direction) -> Layout:
    """Lay a scene out with our own router."""
    made = faces(scene, lang)
    texts = {edge.key: said for edge in scene.edges if (said := label_text(edge, lang)) is not None}
    bones = skeleton(scene, made, direction)
    plan = _Plan(scene, lang, direction, made, texts, bones)
    return plan.settle()


@attrs.define
class _Plan:
    scene: Scene
    lang: Lang
    direction: Direction
    faces: Faces
    texts: dict[str, LabelText]
    bones: Skeleton
    asked: tuple[dict[int, Asked], dict[int, Asked]] = attrs.field(factory=lambda: ({}, {}))
    tried: dict[str, int] = attrs.field(factory=dict)
    crossed: dict[str, int] = attrs.field(factory=dict)
    pitch: dict[int, float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.pitch = dict(self.bones.pitch)

    def settle(self) -> Layout:
        """Widen channels until every label has a place of its own; keep the best of a few rounds."""
        for edge in self.texts:
            pieces = self.bones.pieces[edge]
            if len(pieces) == 1:
                self._ask_crossing(edge, pieces[0])
        layout = best = self._built()
        least = (len(self.texts) + 1, 0)
        for number in range(_ROUNDS):
            layout = self._built() if number else layout
            missing = [edge for edge in self.texts if edge not in layout.labels]
            struck = [edge for edge, label in layout.labels.items() if label.struck]
            if (len(missing), len(struck)) < least:
                best, least = layout, (len(missing), len(struck))
            if not missing and not struck:
                break
            if number == _FLATTEN:
                self.texts = {**self.texts, **{edge: flat(self.texts[edge]) for edge in struck}}
            for edge in (*missing, *struck) * _ASKS:
                self._ask(edge)
        return best

    def _ask(self, edge: str) -> None:
        """Ask for room for a label at the next of the places where its line could carry it."""
        pieces = self.bones.pieces[edge]
        longest = sorted(pieces, key=lambda piece: piece.low - piece.high)
        hosts: list[Callable[[], None]] = [partial(self._ask_crossing, edge, pieces[0])]
        hosts += [
            partial(self._ask_flank, edge, piece, after=after)
            for piece in longest
            if piece.line[1] % 2
            for after in (True, False)
        ]
        hosts += [partial(self._ask_spread, edge, piece) for piece in longest if piece.line[1] % 2]
        hosts += [partial(self._ask_beside, edge, piece) for piece in longest if piece.line[1] % 2 == 0]
        count = self.tried.get(edge, 1 if len(pieces) == 1 else 0)
        self.tried[edge] = count + 1
        hosts[count % len(hosts)]()

    def _ask_crossing(self, edge: str, piece: Stretch) -> None:
        """Ask for room in the channel next to the box where the stretch leaves or enters."""
        along = 0 if piece.line[0] == "y" else 1
        leaves = piece.index == 0
        at, toward = (piece.start, piece.stop) if leaves else (piece.stop, piece.start)
        ahead = toward > at
        channel = (at + 1 if ahead else at - 1) // 2
        need = (
            self._extent(edge, along) + 2 + (10.0 if piece.index == len(self.bones.pieces[edge]) - 1 else 0)
        )
        need *= self.crossed.get(edge, 0) + 1
        self.crossed[edge] = self.crossed.get(edge, 0) + 1
        need = max(0.0, need - PAD + 4) if self.bones.counts[along][channel] else need + 6
        self._widen(along, channel, need, before=ahead)

    def _ask_flank(self, edge: str, piece: Stretch, *, after: bool) -> None:
        """Ask for room in the channel along the column or row in which the stretch runs."""
        across = 0 if piece.line[0] == "x" else 1
        cell = piece.line[1] // 2
        track = self.bones.track(piece)
        offset = track.at * self.pitch[track.group]
        inside = self.bones.cells[across][cell] / 2 + (-offset if after else offset)
        channel = cell + 1 if after else cell
        room = PAD if self.bones.counts[across][channel] else 0.0
        self._widen(
            across, channel, max(0.0, self._extent(edge, across) + _AIR - inside - room), before=after
        )

    def _ask_spread(self, edge: str, piece: Stretch) -> None:
        """Ask that lines side by side in a row or column stand apart, as far as boxes and cells allow."""
        across = 0 if piece.line[0] == "x" else 1
        group = self.bones.track(piece).group
        near = [s for all_ in self.bones.pieces.values() for s in all_ if self.bones.track(s).group == group]
        most = max(abs(self.bones.track(s).at) for s in near)
        cell = self.bones.cells[across][piece.line[1] // 2]
        limit = min(self.bones.room[group], (cell / 2 - 2) / most if most else 0.0)
        self.pitch[group] = max(self.pitch[group], min(limit, self._extent(edge, across) + _AIR))

    def _widen(self, axis: int, channel: int, need: float, *, before: bool) -> None:
        now = self.asked[axis].get(channel, Asked())
        self.asked[axis][channel] = (
            attrs.evolve(now, lead=max(now.lead, need))
            if before
            else attrs.evolve(now, tail=max(now.tail, need))
        )

    def _ask_beside(self, edge: str, piece: Stretch) -> None:
        """Ask for room beside the stretch's track."""
        across = 0 if piece.line[0] == "x" else 1
        channel = piece.line[1] // 2
        number = int(self.bones.track(piece).at)
        table = self.asked[across]
        now = table.get(channel, Asked())
        need = max(now.beside.get(number, 0.0), self._extent(edge, across) + 4)
        table[channel] = attrs.evolve(now, beside={**now.beside, number: need})

    def _extent(self, edge: str, axis: int) -> float:
        text = self.texts[edge]
        return text.w if (axis == 0) == (self.direction == "horizontal") else text.h

    def _rulers(self) -> tuple[Ruler, Ruler]:
        upright = self.direction == "vertical"
        origins = (TITLE + HEADER_TOP, MARGIN) if upright else (MARGIN + HEADER_SIDE, TITLE)
        made = [
            Ruler(
                origin=origins[axis],
                cells=self.bones.cells[axis],
                tracks=self.bones.counts[axis],
                asked=self.asked[axis],
                least=self.bones.least[axis],
            )
            for axis in (0, 1)
        ]
        return made[0], made[1]

    def _built(self) -> Layout:
        rulers = self._rulers()
        boxes = {node.key: self._box(node.key, rulers) for node in self.scene.nodes}
        routes = {edge.key: self._route(edge.key, rulers, boxes) for edge in self.scene.edges}
        lanes, heads = self._lanes(rulers)
        start = self._real(rulers[0].origin, rulers[1].origin)
        stop = self._real(rulers[0].end, rulers[1].end)
        area = Rect(*start, stop[0] - start[0], stop[1] - start[1])
        layout = Layout(
            scene=self.scene,
            direction=self.direction,
            lang=self.lang,
            faces=self.faces,
            boxes={key: self._turned(box) for key, box in boxes.items()},
            routes={key: tuple(self._real(*point) for point in route) for key, route in routes.items()},
            labels={},
            texts=self.texts,
            lanes=lanes,
            heads=heads,
            area=area,
        )
        return layout.rerouted(layout.routes)

    def _box(self, key: str, rulers: tuple[Ruler, Ruler]) -> Rect:
        cells = self.bones.places.cells[key]
        (column, top), (_, bottom) = cells[0], cells[-1]
        w, h = self.bones.sizes[key]
        x, y = rulers[0].middle(column), rulers[1].middle(top)
        stretch = rulers[1].middle(bottom) - y
        return Rect(x - w / 2, y - h / 2, w, h + stretch)

    def _route(self, edge: str, rulers: tuple[Ruler, Ruler], boxes: Mapping[str, Rect]) -> tuple[Point, ...]:
        pieces = self.bones.pieces[edge]
        at = [self._place(piece, rulers) for piece in pieces]
        source, target = self.bones.ends[edge]
        points = [_port(pieces[0], at[0], boxes[source], leaves=True)]
        for one, here, there in zip(pieces, at, at[1:], strict=False):
            points.append((there, here) if one.line[0] == "y" else (here, there))
        points.append(_port(pieces[-1], at[-1], boxes[target], leaves=False))
        return simplified(points)

    def _place(self, piece: Stretch, rulers: tuple[Ruler, Ruler]) -> float:
        ruler = rulers[0] if piece.line[0] == "x" else rulers[1]
        track = self.bones.track(piece)
        if piece.line[1] % 2 == 0:
            return ruler.track(piece.line[1] // 2, int(track.at))
        return ruler.middle(piece.line[1] // 2) + track.at * self.pitch[track.group]

    def _lanes(self, rulers: tuple[Ruler, Ruler]) -> tuple[dict[str, Rect], dict[str, Rect]]:
        lanes, heads = {}, {}
        before = rulers[1].origin
        first, last = rulers[0].origin, rulers[0].end
        deep = HEADER_TOP if self.direction == "vertical" else HEADER_SIDE
        for place, lane in enumerate(self.scene.lanes):
            rows = self.bones.places.lane_rows[lane.id]
            final = place == len(self.scene.lanes) - 1
            after = rulers[1].end if final else rulers[1].border(rows.stop)
            lanes[lane.id] = self._turned(Rect(first, before, last - first, after - before))
            heads[lane.id] = self._turned(Rect(first - deep, before, deep, after - before))
            before = after
        return lanes, heads

    def _real(self, along: float, across: float) -> Point:
        return (along, across) if self.direction == "horizontal" else (across, along)

    def _turned(self, box: Rect) -> Rect:
        return box if self.direction == "horizontal" else Rect(box.y, box.x, box.h, box.w)


def _port(piece: Stretch, at: float, box: Rect, *, leaves: bool) -> Point:
    forward = piece.stop > piece.start
    far = forward == leaves
    if piece.line[0] == "y":
        return (box.right if far else box.x, at)
    return (at, box.bottom if far else box.y)
