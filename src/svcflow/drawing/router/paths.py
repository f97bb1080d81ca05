"""Paths of lines over the grid of channels and empty cells.

Lines are searched one after another (A*), the main line first; length, bends, crossings, shared channels
and crowded sides of boxes cost. Positions are numbers of the grid's lines: even = channel, odd = middle of a
column or row. Where in a channel a line runs is settled afterwards, in `tracks`.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from svcflow.drawing.layout.rows import Cell, GridCells
from svcflow.drawing.scene.map_scene import Edge, MapScene

Vertex = tuple[int, int]
GridPath = tuple[Vertex, ...]
RIGHT, DOWN, LEFT, UP = range(4)
_BEND, _CROSS, _GRAZE, _SHARE, _SIDE = 56.0, 140.0, 40.0, 0.03, 24.0
_BACK = 30.0
_ORDER = {"normal": 0, "exception": 1, "rework": 2}


def find_paths(
    scene: MapScene, cells: GridCells, xs: Sequence[float], ys: Sequence[float]
) -> dict[str, GridPath]:
    """Return the path of every edge; `xs` and `ys` are rough positions of the grid's lines."""
    return _Router(scene, cells, xs, ys).run()


@attrs.define
class _Router:
    """Search for the paths of all edges.

    A vertex is row * columns + column of the grid's lines. `owner` is the node that covers a vertex; `passed`
    (straight on, by axis), `bent` and `used` (towards the next vertex, by axis) count the lines laid so far at a
    vertex; `sides` the lines at a side of a node; `step` is what a move right, down, left or up adds to a vertex.
    """

    scene: MapScene
    cells: GridCells
    xs: Sequence[float]
    ys: Sequence[float]
    paths: dict[str, list[int]] = attrs.field(factory=dict)
    sides: dict[tuple[str, int], int] = attrs.field(factory=dict)
    owner: dict[int, str] = attrs.field(factory=dict)
    passed: tuple[list[int], list[int]] = attrs.field(init=False)
    bent: list[int] = attrs.field(init=False)
    used: tuple[list[int], list[int]] = attrs.field(init=False)
    step: tuple[int, int, int, int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        size = len(self.xs) * len(self.ys)
        self.passed, self.used = ([0] * size, [0] * size), ([0] * size, [0] * size)
        self.bent = [0] * size
        self.step = (1, len(self.xs), -1, -len(self.xs))
        for key, cells in self.cells.by_key.items():
            self.owner.update(dict.fromkeys(self._covered(cells), key))

    def run(self) -> dict[str, GridPath]:
        order = sorted(self.scene.edges, key=self._first)
        for edge in order:
            self._lay(edge)
        for edge in order:
            if not edge.main and self._troubled(self.paths[edge.key]):
                self._count(edge, -1)
                self._lay(edge)
        across = len(self.xs)
        return {
            edge.key: tuple((v % across, v // across) for v in self.paths[edge.key])
            for edge in self.scene.edges
        }

    def _covered(self, cells: Sequence[Cell]) -> Iterable[int]:
        (column, top), (_, bottom) = cells[0], cells[-1]
        across = len(self.xs)
        return [y * across + 2 * column + 1 for y in range(2 * top + 1, 2 * bottom + 2)]

    def _first(self, edge: Edge) -> tuple[bool, bool, int, float]:
        (c0, r0), (c1, r1) = self.cells.by_key[edge.source][0], self.cells.by_key[edge.target][0]
        return not edge.main, c0 != c1 and r0 != r1, _ORDER[edge.kind], abs(c0 - c1) + abs(r0 - r1)

    def _troubled(self, path: list[int]) -> bool:
        """Return whether a line crosses another or bends where another does, so that a second search may do better."""
        for a, v, b in zip(path, path[1:], path[2:], strict=False):
            straight = v - a == b - v
            if straight and self.passed[0 if abs(b - v) != 1 else 1][v]:
                return True
            if self.bent[v] > (0 if straight else 1):
                return True
        return False

    def _lay(self, edge: Edge) -> None:
        self.paths[edge.key] = self._loop(edge) if edge.source == edge.target else self._search(edge)
        self._count(edge, 1)

    def _loop(self, edge: Edge) -> list[int]:
        column, row = self.cells.by_key[edge.source][0]
        at = (2 * row + 1) * len(self.xs) + 2 * column + 1
        right, _, _, up = self.step
        return [at, at + right, at + right + up, at + up, at]

    def _count(self, edge: Edge, by: int) -> None:
        path = self.paths[edge.key]
        for v, w in itertools.pairwise(path):
            self.used[0 if abs(v - w) == 1 else 1][min(v, w)] += by
        for a, v, b in zip(path, path[1:], path[2:], strict=False):
            if v - a == b - v:
                self.passed[0 if abs(b - v) == 1 else 1][v] += by
            else:
                self.bent[v] += by
        weight = by * (2 if edge.main else 1)
        for key, side in ((edge.source, path[1] - path[0]), (edge.target, path[-2] - path[-1])):
            self.sides[key, side] = self.sides.get((key, side), 0) + weight

    def _starts(self, edge: Edge) -> list[tuple[float, int, int]]:
        """Return the first moves out of the source: cost, vertex, heading."""
        bar = self.scene.by_key[edge.source].bar
        moves = []
        for column, row in self.cells.by_key[edge.source]:
            at = (2 * row + 1) * len(self.xs) + 2 * column + 1
            for heading in (RIGHT,) if bar else (RIGHT, DOWN, UP, LEFT):
                crowd = self.sides.get((edge.source, self.step[heading]), 0) ** 1.5 * _SIDE
                moves.append((crowd + (_BACK if heading == LEFT else 0), at, heading))
        return moves

    def _goals(self, edge: Edge) -> dict[tuple[int, int], float]:
        """Return the last moves into the target: vertex and heading, and what each costs."""
        bar = self.scene.by_key[edge.target].bar
        moves = {}
        for column, row in self.cells.by_key[edge.target]:
            at = (2 * row + 1) * len(self.xs) + 2 * column + 1
            for heading in (RIGHT,) if bar else (RIGHT, DOWN, UP, LEFT):
                crowd = self.sides.get((edge.target, -self.step[heading]), 0) ** 1.5 * _SIDE
                moves[at, heading] = crowd + (_BACK if heading == LEFT else 0)
        return moves

    def _search(self, edge: Edge) -> list[int]:
        """Find the cheapest path from source to target; the outer channels join all cells, so there is one."""
        goals, distance = self._goals(edge), self._distance(edge.target)
        best: dict[int, float] = {}
        back: dict[int, int] = {}
        heap: list[tuple[float, int, int]] = []

        def offer(cost: float, v: int, heading: int, before: int) -> None:
            """Keep state (v, heading) when this is the cheapest path to it so far."""
            state = v * 4 + heading
            if cost < best.get(state, 1e18):
                best[state] = cost
                back[state] = before
                heapq.heappush(heap, (cost + distance(v), state, before))

        for cost, at, heading in self._starts(edge):
            offer(cost + self._move(at, heading), at + self.step[heading], heading, -(at + 1))
        while True:
            _, state, before = heapq.heappop(heap)
            # an older entry of the heap, for which a cheaper one has come since
            if back[state] != before:
                continue
            v, heading = divmod(state, 4)
            if v in self.owner:
                return self._trace(state, back)
            for turn, w, extra in self._onward(v, heading, goals):
                onward = self._turn(v, heading, turn) + self._move(v, turn) + extra
                offer(best[state] + onward, w, turn, state)

    def _onward(
        self, v: int, heading: int, goals: Mapping[tuple[int, int], float]
    ) -> Iterator[tuple[int, int, float]]:
        """Yield the moves from a vertex: direction, next vertex, and what entering the target costs."""
        y, x = divmod(v, len(self.xs))
        for turn in (heading, (heading + 1) % 4, (heading + 3) % 4):
            if not self._room(x, y, turn):
                continue
            w = v + self.step[turn]
            if w not in self.owner:
                yield turn, w, 0.0
            elif (w, turn) in goals:
                yield turn, w, goals[w, turn]

    def _room(self, x: int, y: int, turn: int) -> bool:
        if turn in (RIGHT, LEFT):
            return x < len(self.xs) - 1 if turn == RIGHT else x > 0
        return y < len(self.ys) - 1 if turn == DOWN else y > 0

    def _trace(self, state: int, back: Mapping[int, int]) -> list[int]:
        """Return the vertices from the source to a state; a negative state holds the source's vertex."""
        path = []
        while state >= 0:
            path.append(state // 4)
            state = back[state]
        return [-state - 1, *reversed(path)]

    def _move(self, v: int, heading: int) -> float:
        w = v + self.step[heading]
        low = min(v, w)
        y, x = divmod(low, len(self.xs))
        if heading in (RIGHT, LEFT):
            run, shared = self.xs[x + 1] - self.xs[x], self.used[0][low]
        else:
            run, shared = self.ys[y + 1] - self.ys[y], self.used[1][low]
        return run * (1 + _SHARE * shared)

    def _turn(self, v: int, heading: int, turn: int) -> float:
        if heading == turn:
            return self.passed[1 if heading in (RIGHT, LEFT) else 0][v] * _CROSS + self.bent[v] * _GRAZE
        return _BEND + (self.passed[0][v] + self.passed[1][v]) * _GRAZE

    def _distance(self, key: str) -> _Distance:
        cells = self.cells.by_key[key]
        return _Distance(
            xs=self.xs,
            ys=self.ys,
            x=self.xs[2 * cells[0][0] + 1],
            top=self.ys[2 * cells[0][1] + 1],
            bottom=self.ys[2 * cells[-1][1] + 1],
        )


@attrs.frozen(kw_only=True)
class _Distance:
    """Distance of a vertex from the target as the crow flies along the axes; never too high, as A* requires."""

    xs: Sequence[float]
    ys: Sequence[float]
    x: float
    top: float
    bottom: float

    def __call__(self, v: int) -> float:
        y, x = divmod(v, len(self.xs))
        at = self.ys[y]
        across = self.top - at if at < self.top else at - self.bottom if at > self.bottom else 0.0
        return abs(self.xs[x] - self.x) + across
