"""Row of each node: every lane has as many rows as it needs, and the main line keeps to one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from svcflow.drawing.layout.columns import between
from svcflow.drawing.scene.map_scene import FORK, JOIN, MapScene

Cell = tuple[int, int]
"""Column and row, both counted from 0."""


@attrs.frozen
class GridCells:
    """Cells of a map: one for a node, several for a bar, and the rows of each lane."""

    by_key: Mapping[str, tuple[Cell, ...]]
    lane_rows: Mapping[str, range]
    columns: int
    rows: int


def grid_cells(scene: MapScene, column: Mapping[str, int]) -> GridCells:
    """Return the cells of every node, given its column."""
    packed = _Packing(scene, column)
    packed.pack()
    first, lane_rows, start = {}, {}, 0
    for lane in scene.lanes:
        used = sorted({row for key, row in packed.row.items() if scene.by_key[key].lane == lane.id}) or [0]
        low, high = min(used), max(used)
        first[lane.id] = start - low
        lane_rows[lane.id] = range(start, start + high - low + 1)
        start += high - low + 1
    row = {key: first[scene.by_key[key].lane] + at for key, at in packed.row.items()}
    cells: dict[str, tuple[Cell, ...]] = {}
    cells |= {node.key: ((column[node.key], row[node.key]),) for node in scene.nodes if not node.bar}
    for node in scene.nodes:
        if node.bar:
            cells[node.key] = _bar_cells(scene, node.key, column, row)
    return GridCells(
        by_key={node.key: cells[node.key] for node in scene.nodes},
        lane_rows=lane_rows,
        columns=max(column.values()) + 1,
        rows=start,
    )


def _bar_cells(
    scene: MapScene, key: str, column: Mapping[str, int], row: Mapping[str, int]
) -> tuple[Cell, ...]:
    """Return the cells a bar covers: from the first to the last row it joins."""
    ends = {edge.target for edge in scene.edges if edge.source == key}
    ends |= {edge.source for edge in scene.edges if edge.target == key}
    if scene.by_key[key].shape == "join":
        ends -= {edge.target for edge in scene.edges if edge.source == key}
    rows = [row[key], *(row[end] for end in ends)]
    return tuple((column[key], at) for at in range(min(rows), max(rows) + 1))


@attrs.define
class _Packing:
    """Rows within each lane, where 0 is that of the main line and those above are negative.

    `taken` are the columns in use by lane and row.
    """

    scene: MapScene
    column: Mapping[str, int]
    row: dict[str, int] = attrs.field(factory=dict)
    taken: dict[tuple[str, int], set[int]] = attrs.field(factory=dict)

    def pack(self) -> None:
        self._pin(())
        self._handovers()
        for strand in dict.fromkeys(node.strand for node in self.scene.nodes if node.strand):
            self._strand(strand)
        for node in self.scene.nodes:
            if node.key not in self.row:
                self._beside(node.key)

    def _pin(self, strand: tuple[str, ...]) -> None:
        """Put the main line outside branches in row 0 of its lanes and keep the cells between free."""
        for lane in self.scene.lanes:
            keys = self._main_keys(strand, lane.id)
            self.row.update(dict.fromkeys(keys, 0))
            self._take(lane.id, 0, self._straight(keys))

    def _main_keys(self, strand: tuple[str, ...], lane: str) -> list[str]:
        keys = [
            node.key
            for node in self.scene.nodes
            if node.strand == strand
            and node.lane == lane
            and (node.key in self.scene.main or node.bar or node.shape == "start")
        ]
        return sorted(keys, key=self.column.__getitem__)

    def _straight(self, keys: Iterable[str]) -> set[int]:
        """Return the columns of these nodes, and those between neighbours on the main line."""
        nodes = set(keys)
        columns = {self.column[key] for key in nodes}
        for edge in self.scene.edges:
            if edge.main and edge.source in nodes and edge.target in nodes:
                columns.update(range(*sorted((self.column[edge.source], self.column[edge.target]))))
        return columns

    def _handovers(self) -> None:
        """Keep the cells free where the main line crosses lanes within one column."""
        for edge in self.scene.edges:
            source, target = self.scene.by_key[edge.source], self.scene.by_key[edge.target]
            if not edge.main or source.lane == target.lane or source.bar or target.bar:
                continue
            at, to = self.column[source.key], self.column[target.key]
            if at != to:
                continue
            lanes = between(self.scene, source.lane, target.lane)
            down = self.scene.lane_order[source.lane] < self.scene.lane_order[target.lane]
            ahead = range(1, 9) if down else range(-8, 0)
            behind = range(-8, 0) if down else range(1, 9)
            for row in ahead:
                self._take(lanes[0], row, {at})
            for row in behind:
                self._take(lanes[-1], row, {at})

    def _strand(self, strand: tuple[str, ...]) -> None:
        """Put a branch in one row in each lane it uses, free from its fork to its join."""
        keys = [node.key for node in self.scene.nodes if node.strand == strand]
        parallel = strand[-1].rsplit("/", 1)[0]
        span = set(range(self.column[FORK + parallel] + 1, self.column[JOIN + parallel]))
        for lane in dict.fromkeys(self.scene.by_key[key].lane for key in keys):
            main = [key for key in self._main_keys(strand, lane) if key not in self.row]
            if main:
                row = self._free(lane, span, (0, 1, 2, -1, 3, -2, *range(4, 40)))
                self.row.update(dict.fromkeys(main, row))
                self._take(lane, row, span)

    def _beside(self, key: str) -> None:
        """Put a step beside the main line: in its row if that is free, else next to it."""
        node = self.scene.by_key[key]
        at = self.column[key]
        row = self._free(node.lane, {at}, self._wishes(key))
        self.row[key] = row
        self._take(node.lane, row, {at})

    def _wishes(self, key: str) -> tuple[int, ...]:
        """Return rows by preference: beside the row of the step it comes from, rather below than above."""
        node = self.scene.by_key[key]
        sources = [e.source for e in self.scene.edges if e.target == key and e.source in self.row]
        home = next((self.row[s] for s in sources if self.scene.by_key[s].lane == node.lane), 0)
        upward = self._comes_from_above(node.lane, sources)
        near = (0, -1, 1) if upward else (0, 1, -1)
        return tuple(dict.fromkeys((*(home + step for step in near), *near, 2, -2, 3, -3, *range(4, 60))))

    def _comes_from_above(self, lane: str, sources: list[str]) -> bool:
        order = self.scene.lane_order
        return any(order[self.scene.by_key[source].lane] < order[lane] for source in sources)

    def _free(self, lane: str, span: set[int], wishes: Iterable[int]) -> int:
        for row in wishes:
            if not span & self.taken.get((lane, row), set()):
                return row
        return 1 + max(row for at, row in self.taken if at == lane)

    def _take(self, lane: str, row: int, span: set[int]) -> None:
        self.taken.setdefault((lane, row), set()).update(span)
