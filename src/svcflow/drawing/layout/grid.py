"""Grid of a map before it has coordinates: cells of nodes, paths and tracks of lines, least sizes.

Of each pair here, the first is along the flow of the procedure, the second across it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from svcflow.drawing.layout.box_text import BAR, DOT, BoxTexts
from svcflow.drawing.layout.columns import columns
from svcflow.drawing.layout.rows import GridCells, grid_cells
from svcflow.drawing.router.paths import find_paths
from svcflow.drawing.router.tracks import Segment, Track, segments_of, tracks
from svcflow.drawing.scene.map_scene import Direction, MapScene, Node

_PITCH = 12.0
"""Between two lines side by side in a row or column, in pixels."""
_CORNER = 7.0
"""From a box's corner to the nearest line that ends at its side."""
_WIDE, _TALL = 1.9, 1.5
"""Length to width from which a horizontal, a vertical map is folded."""

Sizes = Mapping[str, tuple[float, float]]
Segments = Mapping[str, tuple[Segment, ...]]
Tracks = Mapping[tuple[str, int], Track]


@attrs.frozen(kw_only=True)
class Grid:
    """A routed grid; sizes in pixels.

    `sizes` are those of nodes, `segments` and `ends` (source, target) those of edges by key, `pitch` and
    `room` the distance of lines side by side and its upper bound by group of tracks, `cell_sizes` those of
    columns and rows, `counts` the tracks of each channel and `least` its least width.
    """

    cells: GridCells
    sizes: Sizes
    segments: Segments
    ends: Mapping[str, tuple[str, str]]
    tracks: Tracks
    pitch: Mapping[int, float]
    room: Mapping[int, float]
    cell_sizes: tuple[Sequence[float], Sequence[float]]
    counts: tuple[Sequence[int], Sequence[int]]
    least: tuple[Sequence[float], Sequence[float]]

    def track(self, segment: Segment) -> Track:
        """Return where a segment runs on its line."""
        return self.tracks[segment.edge, segment.index]


def routed_grid(scene: MapScene, texts: BoxTexts, direction: Direction) -> Grid:
    """Place and route a scene on its grid; fold a map that would be too long for a sheet."""
    sizes = {node.key: _size(node, texts, direction) for node in scene.nodes}
    cells = _folded_if_long(scene, texts, direction)
    cell_sizes = _cell_sizes(cells, sizes)
    least = _least(scene, cells, direction)
    paths = find_paths(scene, cells, _rough(cell_sizes[0], least[0]), _rough(cell_sizes[1], least[1]))
    segments = {edge.key: segments_of(edge.key, paths[edge.key]) for edge in scene.edges}
    straight_main = frozenset(edge.key for edge in scene.edges if edge.main and len(segments[edge.key]) == 1)
    found = tracks(segments, straight_main)
    ends = {edge.key: (edge.source, edge.target) for edge in scene.edges}
    room = _rooms(segments, found, sizes, ends)
    pitch = {group: min(_PITCH, most) for group, most in room.items()}
    return Grid(
        cells=cells,
        sizes=sizes,
        segments=segments,
        ends=ends,
        tracks=found,
        pitch=pitch,
        room=room,
        cell_sizes=_widened(cell_sizes, segments, found, pitch),
        counts=_counts(cells, segments, found),
        least=least,
    )


def _folded_if_long(scene: MapScene, texts: BoxTexts, direction: Direction) -> GridCells:
    plain = grid_cells(scene, columns(scene, fold=False))
    along = plain.columns * (texts.width + 60 if direction == "horizontal" else texts.height + 36)
    across = plain.rows * (texts.height + 34 if direction == "horizontal" else texts.width + 40)
    if along / across <= (_WIDE if direction == "horizontal" else _TALL):
        return plain
    folded = grid_cells(scene, columns(scene, fold=True))
    return folded if folded.columns < plain.columns else plain


def _size(node: Node, texts: BoxTexts, direction: Direction) -> tuple[float, float]:
    if node.bar:
        return BAR, texts.height if direction == "horizontal" else texts.width
    if node.shape == "start":
        return DOT, DOT
    size = (texts.width, texts.end_height if node.shape == "end" else texts.height)
    return size if direction == "horizontal" else (size[1], size[0])


def _cell_sizes(grid: GridCells, sizes: Sizes) -> tuple[list[float], list[float]]:
    along, across = [0.0] * grid.columns, [0.0] * grid.rows
    for key, cells in grid.by_key.items():
        for column, row in cells:
            along[column] = max(along[column], sizes[key][0])
            across[row] = max(across[row], sizes[key][1])
    return along, across


def _least(scene: MapScene, grid: GridCells, direction: Direction) -> tuple[list[float], list[float]]:
    """Return the least width of every channel."""
    flat = direction == "horizontal"
    narrow = {grid.by_key[node.key][0][0] for node in scene.nodes if node.bar or node.shape == "start"}
    along = [
        (26.0 if {place - 1, place} & narrow else 44.0) if flat else 30.0 for place in range(grid.columns + 1)
    ]
    along[0], along[-1] = 12.0, 20.0
    across = [24.0 if flat else 30.0] * (grid.rows + 1)
    for rows in grid.lane_rows.values():
        across[rows.start] = 38.0 if flat else 40.0
    across[0] = across[-1] = 16.0 if flat else 20.0
    return along, across


def _rough(cell_sizes: Sequence[float], least: Sequence[float]) -> list[float]:
    """Return about where the grid's lines will be, for the costs of the search."""
    positions, at = [], 0.0
    for cell, gap in zip((*cell_sizes, 0.0), least, strict=True):
        room = gap + 16.0
        positions += [at + room / 2, at + room + cell / 2]
        at += room + cell
    return positions[:-1]


def _rooms(
    segments: Segments, found: Tracks, sizes: Sizes, ends: Mapping[str, tuple[str, str]]
) -> dict[int, float]:
    """Return how far apart lines of one group may run in rows and columns: boxes have only so much side."""
    rooms: dict[int, float] = {}
    for segment in _all(segments):
        if segment.in_channel:
            continue
        track = found[segment.edge, segment.index]
        most = 1e9
        for key in _boxes_at(segment, segments, ends):
            side = sizes[key][1 if segment.line[0] == "y" else 0]
            if track.at:
                most = min(most, (side / 2 - min(_CORNER, side / 4)) / abs(track.at))
        rooms[track.group] = min(rooms.get(track.group, 1e9), most)
    return rooms


def _boxes_at(segment: Segment, segments: Segments, ends: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return the boxes at which a segment begins or ends."""
    source, target = ends[segment.edge]
    last = len(segments[segment.edge]) - 1
    return [source] * (segment.index == 0) + [target] * (segment.index == last)


def _widened(
    cell_sizes: tuple[list[float], list[float]],
    segments: Segments,
    found: Tracks,
    pitch: Mapping[int, float],
) -> tuple[list[float], list[float]]:
    """Widen cells that only lines pass, so that these keep off the channels beside."""
    along, across = list(cell_sizes[0]), list(cell_sizes[1])
    for segment in _all(segments):
        if not segment.in_channel:
            track = found[segment.edge, segment.index]
            table = along if segment.line[0] == "x" else across
            cell = segment.line[1] // 2
            table[cell] = max(table[cell], 2 * abs(track.at) * pitch[track.group] + 2)
    return along, across


def _counts(grid: GridCells, segments: Segments, found: Tracks) -> tuple[list[int], list[int]]:
    """Return how many tracks each channel has."""
    along, across = [0] * (grid.columns + 1), [0] * (grid.rows + 1)
    for segment in _all(segments):
        if segment.in_channel:
            table, channel = along if segment.line[0] == "x" else across, segment.line[1] // 2
            table[channel] = max(table[channel], int(found[segment.edge, segment.index].at) + 1)
    return along, across


def _all(segments: Segments) -> Iterator[Segment]:
    return (segment for edge in segments.values() for segment in edge)
