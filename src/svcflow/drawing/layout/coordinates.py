"""Layout of a map on paper: boxes, routes of lines, labels and lanes, in pixels.

Lines are routed on the grid first; columns, rows and channels then get the width that their lines and labels
need, so that text is never squeezed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import attrs

from svcflow.drawing.layout.axis import PAD, Axis, ChannelRoom
from svcflow.drawing.layout.box_text import BoxTexts, LabelText, box_texts, in_one_row, label_text
from svcflow.drawing.layout.geometry import Point, Rect, simplified
from svcflow.drawing.layout.grid import Grid, routed_grid
from svcflow.drawing.layout.labels import Label, Obstacles, place_labels
from svcflow.drawing.router.tracks import Segment
from svcflow.drawing.scene.map_scene import Direction, MapScene
from svcflow.text import Lang

MARGIN = 16.0
TITLE = 58.0
HEADER_SIDE, HEADER_TOP = 92.0, 40.0
_ROUNDS, _REQUESTS = 9, 2
"""Rounds of widening, and requests for room a label has in each."""
_FLATTEN = 4
"""After how many rounds a label that still lies over a line is tried in one row."""
_AIR = 9.0


@attrs.frozen(kw_only=True)
class Layout:
    """A scene with places on paper; everything in pixels, y down, by key of node, edge or lane.

    A label without a free place is in `texts` but not in `labels`.
    """

    scene: MapScene
    direction: Direction
    lang: Lang
    box_texts: BoxTexts
    boxes: Mapping[str, Rect]
    routes: Mapping[str, tuple[Point, ...]]
    labels: Mapping[str, Label]
    texts: Mapping[str, LabelText]
    lanes: Mapping[str, Rect]
    heads: Mapping[str, Rect]
    area: Rect

    def obstacles(self, routes: Mapping[str, Sequence[Point]]) -> Obstacles:
        """Return what labels must keep off when the lines run like this."""
        return Obstacles(
            boxes=[self.boxes[node.key] for node in self.scene.nodes],
            bounds=self.area.grown(-2),
            routes=routes,
            borders=tuple(self._borders()),
        )

    def _borders(self) -> Iterator[Rect]:
        for box in list(self.lanes.values())[:-1]:
            if self.direction == "horizontal":
                yield Rect(box.x, box.bottom, box.w, 0.0)
            else:
                yield Rect(box.right, box.y, 0.0, box.h)


def lay_out(scene: MapScene, *, lang: Lang, direction: Direction) -> Layout:
    """Return where everything of a scene stands."""
    boxes = box_texts(scene, lang)
    texts = {edge.key: text for edge in scene.edges if (text := label_text(edge, lang)) is not None}
    grid = routed_grid(scene, boxes, direction)
    return _LayoutSearch(scene, lang, direction, boxes, texts, grid).best()


@attrs.define
class _LayoutSearch:
    """Search for channel widths with which every label has a place of its own.

    `rooms` are the widths that labels need by channel, `turns` counts the requests of each label, `shared` the
    labels that a channel gives room to where lines leave a box.
    """

    scene: MapScene
    lang: Lang
    direction: Direction
    box_texts: BoxTexts
    texts: dict[str, LabelText]
    grid: Grid
    rooms: tuple[dict[int, ChannelRoom], dict[int, ChannelRoom]] = attrs.field(factory=lambda: ({}, {}))
    turns: dict[str, int] = attrs.field(factory=dict)
    shared: dict[str, int] = attrs.field(factory=dict)
    pitch: dict[int, float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.pitch = dict(self.grid.pitch)

    def best(self) -> Layout:
        """Widen channels until every label has a place of its own; keep the best of a few rounds."""
        for edge in self.texts:
            segments = self.grid.segments[edge]
            if len(segments) == 1:
                self._request_crossing(edge, segments[0])
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
                self.texts = {**self.texts, **{edge: in_one_row(self.texts[edge]) for edge in struck}}
            for edge in (*missing, *struck) * _REQUESTS:
                self._request(edge)
        return best

    def _request(self, edge: str) -> None:
        """Request room for a label at the next of the places where its line could carry it."""
        segments = self.grid.segments[edge]
        longest = sorted(segments, key=lambda segment: segment.low - segment.high)
        requests: list[Callable[[], None]] = [partial(self._request_crossing, edge, segments[0])]
        requests += [
            partial(self._request_flank, edge, segment, after=after)
            for segment in longest
            if not segment.in_channel
            for after in (True, False)
        ]
        requests += [
            partial(self._request_spread, edge, segment) for segment in longest if not segment.in_channel
        ]
        requests += [
            partial(self._request_beside, edge, segment) for segment in longest if segment.in_channel
        ]
        count = self.turns.get(edge, 1 if len(segments) == 1 else 0)
        self.turns[edge] = count + 1
        requests[count % len(requests)]()

    def _request_crossing(self, edge: str, segment: Segment) -> None:
        """Request room in the channel next to the box where the segment leaves or enters."""
        along = 0 if segment.line[0] == "y" else 1
        leaves = segment.index == 0
        at, toward = (segment.start, segment.stop) if leaves else (segment.stop, segment.start)
        ahead = toward > at
        channel = (at + 1 if ahead else at - 1) // 2
        need = (
            self._extent(edge, along)
            + 2
            + (10.0 if segment.index == len(self.grid.segments[edge]) - 1 else 0)
        )
        need *= self.shared.get(edge, 0) + 1
        self.shared[edge] = self.shared.get(edge, 0) + 1
        need = max(0.0, need - PAD + 4) if self.grid.counts[along][channel] else need + 6
        self._widen(along, channel, need, before=ahead)

    def _request_flank(self, edge: str, segment: Segment, *, after: bool) -> None:
        """Request room in the channel along the column or row in which the segment runs."""
        across = 0 if segment.line[0] == "x" else 1
        cell = segment.line[1] // 2
        track = self.grid.track(segment)
        offset = track.at * self.pitch[track.group]
        inside = self.grid.cell_sizes[across][cell] / 2 + (-offset if after else offset)
        channel = cell + 1 if after else cell
        room = PAD if self.grid.counts[across][channel] else 0.0
        self._widen(
            across, channel, max(0.0, self._extent(edge, across) + _AIR - inside - room), before=after
        )

    def _request_spread(self, edge: str, segment: Segment) -> None:
        """Request that lines side by side in a row or column stand apart, as far as boxes and cells allow."""
        across = 0 if segment.line[0] == "x" else 1
        group = self.grid.track(segment).group
        near = [s for all_ in self.grid.segments.values() for s in all_ if self.grid.track(s).group == group]
        most = max(abs(self.grid.track(s).at) for s in near)
        cell = self.grid.cell_sizes[across][segment.line[1] // 2]
        limit = min(self.grid.room[group], (cell / 2 - 2) / most if most else 0.0)
        self.pitch[group] = max(self.pitch[group], min(limit, self._extent(edge, across) + _AIR))

    def _widen(self, axis: int, channel: int, need: float, *, before: bool) -> None:
        room = self.rooms[axis].get(channel, ChannelRoom())
        self.rooms[axis][channel] = (
            attrs.evolve(room, lead=max(room.lead, need))
            if before
            else attrs.evolve(room, tail=max(room.tail, need))
        )

    def _request_beside(self, edge: str, segment: Segment) -> None:
        """Request room beside the segment's track."""
        across = 0 if segment.line[0] == "x" else 1
        channel = segment.line[1] // 2
        number = int(self.grid.track(segment).at)
        rooms = self.rooms[across]
        room = rooms.get(channel, ChannelRoom())
        need = max(room.beside.get(number, 0.0), self._extent(edge, across) + 4)
        rooms[channel] = attrs.evolve(room, beside={**room.beside, number: need})

    def _extent(self, edge: str, axis: int) -> float:
        text = self.texts[edge]
        return text.w if (axis == 0) == (self.direction == "horizontal") else text.h

    def _axes(self) -> tuple[Axis, Axis]:
        upright = self.direction == "vertical"
        origins = (TITLE + HEADER_TOP, MARGIN) if upright else (MARGIN + HEADER_SIDE, TITLE)
        axes = [
            Axis(
                origin=origins[axis],
                cells=self.grid.cell_sizes[axis],
                tracks=self.grid.counts[axis],
                rooms=self.rooms[axis],
                least=self.grid.least[axis],
            )
            for axis in (0, 1)
        ]
        return axes[0], axes[1]

    def _built(self) -> Layout:
        axes = self._axes()
        boxes = {node.key: self._box(node.key, axes) for node in self.scene.nodes}
        routes = {edge.key: self._route(edge.key, axes, boxes) for edge in self.scene.edges}
        lanes, heads = self._lanes(axes)
        start = self._turned_point(axes[0].origin, axes[1].origin)
        end = self._turned_point(axes[0].end, axes[1].end)
        area = Rect(*start, end[0] - start[0], end[1] - start[1])
        layout = Layout(
            scene=self.scene,
            direction=self.direction,
            lang=self.lang,
            box_texts=self.box_texts,
            boxes={key: self._turned(box) for key, box in boxes.items()},
            routes={
                key: tuple(self._turned_point(*point) for point in route) for key, route in routes.items()
            },
            labels={},
            texts=self.texts,
            lanes=lanes,
            heads=heads,
            area=area,
        )
        return attrs.evolve(layout, labels=place_labels(self.texts, layout.obstacles(layout.routes)))

    def _box(self, key: str, axes: tuple[Axis, Axis]) -> Rect:
        cells = self.grid.cells.by_key[key]
        (column, top), (_, bottom) = cells[0], cells[-1]
        w, h = self.grid.sizes[key]
        x, y = axes[0].middle(column), axes[1].middle(top)
        stretch = axes[1].middle(bottom) - y
        return Rect(x - w / 2, y - h / 2, w, h + stretch)

    def _route(self, edge: str, axes: tuple[Axis, Axis], boxes: Mapping[str, Rect]) -> tuple[Point, ...]:
        segments = self.grid.segments[edge]
        at = [self._position(segment, axes) for segment in segments]
        source, target = self.grid.ends[edge]
        points = [_port(segments[0], at[0], boxes[source], leaves=True)]
        for segment, here, there in zip(segments, at, at[1:], strict=False):
            points.append((there, here) if segment.line[0] == "y" else (here, there))
        points.append(_port(segments[-1], at[-1], boxes[target], leaves=False))
        return simplified(points)

    def _position(self, segment: Segment, axes: tuple[Axis, Axis]) -> float:
        axis = axes[0] if segment.line[0] == "x" else axes[1]
        track = self.grid.track(segment)
        if segment.in_channel:
            return axis.track(segment.line[1] // 2, int(track.at))
        return axis.middle(segment.line[1] // 2) + track.at * self.pitch[track.group]

    def _lanes(self, axes: tuple[Axis, Axis]) -> tuple[dict[str, Rect], dict[str, Rect]]:
        lanes, heads = {}, {}
        before = axes[1].origin
        first, last = axes[0].origin, axes[0].end
        deep = HEADER_TOP if self.direction == "vertical" else HEADER_SIDE
        for place, lane in enumerate(self.scene.lanes):
            rows = self.grid.cells.lane_rows[lane.id]
            final = place == len(self.scene.lanes) - 1
            after = axes[1].end if final else axes[1].border(rows.stop)
            lanes[lane.id] = self._turned(Rect(first, before, last - first, after - before))
            heads[lane.id] = self._turned(Rect(first - deep, before, deep, after - before))
            before = after
        return lanes, heads

    def _turned_point(self, along: float, across: float) -> Point:
        return (along, across) if self.direction == "horizontal" else (across, along)

    def _turned(self, box: Rect) -> Rect:
        return box if self.direction == "horizontal" else Rect(box.y, box.x, box.h, box.w)


def _port(segment: Segment, at: float, box: Rect, *, leaves: bool) -> Point:
    forward = segment.stop > segment.start
    far = forward == leaves
    if segment.line[0] == "y":
        return (box.right if far else box.x, at)
    return (at, box.bottom if far else box.y)
