"""The grid of a map before it has coordinates: cells, ways, tracks, and the least sizes they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from svcflow.drawing.layout.box_text import BAR, DOT, Faces
from svcflow.drawing.layout.columns import columns
from svcflow.drawing.layout.rows import Places, places
from svcflow.drawing.router.paths import ways
from svcflow.drawing.router.tracks import Stretch, Track, stretches, tracks
from svcflow.drawing.scene.scene import Direction, Node, Scene

_PITCH = 12.0
_EDGE = 7.0
_WIDE = 1.9
_TALL = 1.5


@attrs.frozen(kw_only=True)
class Skeleton:
    """Hold a routed grid; index 0 of each pair is along the flow, 1 across it."""

    places: Places
    sizes: Mapping[str, tuple[float, float]]
    pieces: Mapping[str, tuple[Stretch, ...]]
    ends: Mapping[str, tuple[str, str]]
    tracks: Mapping[tuple[str, int], Track]
    pitch: Mapping[int, float]
    room: Mapping[int, float]
    cells: tuple[Sequence[float], Sequence[float]]
    counts: tuple[Sequence[int], Sequence[int]]
    least: tuple[Sequence[float], Sequence[float]]

    def track(self, piece: Stretch) -> Track:
        """Return where a stretch runs on its line."""
        return self.tracks[piece.edge, piece.index]


def skeleton(scene: Scene, faces: Faces, direction: Direction) -> Skeleton:
    """Place and route a scene on its grid; fold a map that would be too long for a sheet."""
    sizes = {node.key: _size(node, faces, direction) for node in scene.nodes}
    grid = _placed(scene, faces, direction)
    cells = _cells(grid, sizes)
    least = _least(scene, grid, direction)
    found = ways(scene, grid, _rough(cells[0], least[0]), _rough(cells[1], least[1]))
    pieces = {edge.key: stretches(edge.key, found[edge.key]) for edge in scene.edges}
    pinned = frozenset(e.key for e in scene.edges if e.main and len(pieces[e.key]) == 1)
    given = tracks(pieces, pinned)
    ends = {edge.key: (edge.source, edge.target) for edge in scene.edges}
    room = _pitches(pieces, given, sizes, ends)
    pitch = {group: min(_PITCH, most) for group, most in room.items()}
    return Skeleton(
        places=grid,
        sizes=sizes,
        pieces=pieces,
        ends=ends,
        tracks=given,
        pitch=pitch,
        room=room,
        cells=_grown(cells, pieces, given, pitch),
        counts=_counts(grid, pieces, given),
        least=least,
    )


def _placed(scene: Scene, faces: Faces, direction: Direction) -> Places:
    plain = places(scene, columns(scene, fold=False))
    along = plain.columns * (faces.width + 60 if direction == "horizontal" else faces.height + 36)
    across = plain.rows * (faces.height + 34 if direction == "horizontal" else faces.width + 40)
    if along / across <= (_WIDE if direction == "horizontal" else _TALL):
        return plain
    folded = places(scene, columns(scene, fold=True))
    return folded if folded.columns < plain.columns else plain


def _size(node: Node, faces: Faces, direction: Direction) -> tuple[float, float]:
    if node.bar:
        return BAR, faces.height if direction == "horizontal" else faces.width
    if node.shape == "start":
        return DOT, DOT
    size = (faces.width, faces.end_height if node.shape == "end" else faces.height)
    return size if direction == "horizontal" else (size[1], size[0])


def _cells(grid: Places, sizes: Mapping[str, tuple[float, float]]) -> tuple[list[float], list[float]]:
    along, across = [0.0] * grid.columns, [0.0] * grid.rows
    for key, cells in grid.cells.items():
        for column, row in cells:
            along[column] = max(along[column], sizes[key][0])
            across[row] = max(across[row], sizes[key][1])
    return along, across


def _least(scene: Scene, grid: Places, direction: Direction) -> tuple[list[float], list[float]]:
    """Return the least width of every channel."""
    flat = direction == "horizontal"
    narrow = {grid.cells[node.key][0][0] for node in scene.nodes if node.bar or node.shape == "start"}
    along = [
        (26.0 if {place - 1, place} & narrow else 44.0) if flat else 30.0 for place in range(grid.columns + 1)
    ]
    along[0], along[-1] = 12.0, 20.0
    across = [24.0 if flat else 30.0] * (grid.rows + 1)
    for rows in grid.lane_rows.values():
        across[rows.start] = 38.0 if flat else 40.0
    across[0] = across[-1] = 16.0 if flat else 20.0
    return along, across


def _rough(cells: Sequence[float], least: Sequence[float]) -> list[float]:
    """Return about where the grid's lines will be, for the costs of the search."""
    out, at = [], 0.0
    for cell, gap in zip((*cells, 0.0), least, strict=True):
        room = gap + 16.0
        out += [at + room / 2, at + room + cell / 2]
        at += room + cell
    return out[:-1]


def _pitches(
    pieces: Mapping[str, tuple[Stretch, ...]],
    given: Mapping[tuple[str, int], Track],
    sizes: Mapping[str, tuple[float, float]],
    ends: Mapping[str, tuple[str, str]],
) -> dict[int, float]:
    """Return how far apart lines of one group may run in rows and columns: boxes have only so much side."""
    out: dict[int, float] = {}
    for edge, stretch in ((e, s) for e, all_ in pieces.items() for s in all_):
        if stretch.line[1] % 2 == 0:
            continue
        track = given[edge, stretch.index]
        most = 1e9
        for key in _touched(edge, stretch, pieces, ends):
            side = sizes[key][1 if stretch.line[0] == "y" else 0]
            if track.at:
                most = min(most, (side / 2 - min(_EDGE, side / 4)) / abs(track.at))
        out[track.group] = min(out.get(track.group, 1e9), most)
    return out


def _touched(
    edge: str,
    stretch: Stretch,
    pieces: Mapping[str, tuple[Stretch, ...]],
    ends: Mapping[str, tuple[str, str]],
) -> list[str]:
    """Return the boxes at which a stretch begins or ends."""
    source, target = ends[edge]
    return [source] * (stretch.index == 0) + [target] * (stretch.index == len(pieces[edge]) - 1)


def _grown(
    cells: tuple[list[float], list[float]],
    pieces: Mapping[str, tuple[Stretch, ...]],
    given: Mapping[tuple[str, int], Track],
    pitch: Mapping[int, float],
) -> tuple[list[float], list[float]]:
    """Widen cells that only lines pass, so that these keep off the channels beside."""
    out = (list(cells[0]), list(cells[1]))
    for stretch in (s for all_ in pieces.values() for s in all_):
        if stretch.line[1] % 2:
            track = given[stretch.edge, stretch.index]
            table = out[0] if stretch.line[0] == "x" else out[1]
            cell = stretch.line[1] // 2
            table[cell] = max(table[cell], 2 * abs(track.at) * pitch[track.group] + 2)
    return out


def _counts(
    grid: Places, pieces: Mapping[str, tuple[Stretch, ...]], given: Mapping[tuple[str, int], Track]
) -> tuple[list[int], list[int]]:
    out = ([0] * (grid.columns + 1), [0] * (grid.rows + 1))
    for stretch in (s for all_ in pieces.values() for s in all_):
        if stretch.line[1] % 2 == 0:
            table = out[0] if stretch.line[0] == "x" else out[1]
            number = int(given[stretch.edge, stretch.index].at) + 1
            table[stretch.line[1] // 2] = max(table[stretch.line[1] // 2], number)
    return out
