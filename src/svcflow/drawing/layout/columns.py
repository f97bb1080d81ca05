"""Column of each node: its longest path from the start with back edges removed.

With `fold`, the main line may cross to another lane within one column, so that a long procedure keeps the
proportions of a sheet; steps beside the main line share the column of the step they leave.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from svcflow.drawing.scene.map_scene import Edge, MapScene

Column = tuple[int, int, int]
"""A rank, the place within it (a join or the start before, steps, a fork after), and a bar's own number."""
_SUB = {"start": -1, "join": -1, "fork": 1}
_LED = {"normal": 0, "exception": 1, "rework": 2}
_TRIES = 4
_OPEN, _DONE = 1, 2


def columns(scene: MapScene, *, fold: bool) -> dict[str, int]:
    """Return the column of every node, counted from 0, empty ones left out."""
    forward = forward_edges(scene)
    order = _sorted(scene, forward)
    push: dict[str, int] = {}
    for _ in range(_TRIES):
        ranks = _Ranks(scene, forward, fold=fold, push=push).of(order)
        crossed = _crossed_by_handover(scene, ranks)
        if not crossed:
            break
        for key in crossed:
            push[key] = push.get(key, 0) + 1
    numbered = {
        node.key: (ranks[node.key], _SUB.get(node.shape, 0), number if node.bar else 0)
        for number, node in enumerate(scene.nodes)
    }
    place = {column: index for index, column in enumerate(sorted(set(numbered.values())))}
    return {key: place[column] for key, column in numbered.items()}


def forward_edges(scene: MapScene) -> list[Edge]:
    """Return the edges that do not lead back, found depth first with the main line leading."""
    leaving: dict[str, list[Edge]] = {node.key: [] for node in scene.nodes}
    for declared in scene.edges:
        leaving[declared.source].append(declared)
    for edges in leaving.values():
        edges.sort(key=lambda edge: (not edge.main, _LED[edge.kind]))
    kept: list[Edge] = []
    state: dict[str, int] = {}
    for root in scene.by_key:
        if root in state:
            continue
        state[root] = _OPEN
        stack = [(root, iter(leaving[root]))]
        while stack:
            key, rest = stack[-1]
            edge = next(rest, None)
            if edge is None:
                state[key] = _DONE
                stack.pop()
            elif state.get(edge.target) != _OPEN:
                kept.append(edge)
                if edge.target not in state:
                    state[edge.target] = _OPEN
                    stack.append((edge.target, iter(leaving[edge.target])))
    return kept


def _sorted(scene: MapScene, forward: list[Edge]) -> list[str]:
    import networkx as nx  # noqa: PLC0415  # 140 ms, and only drawings with coordinates need it

    place = {node.key: index for index, node in enumerate(scene.nodes)}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(place)
    graph.add_edges_from((edge.source, edge.target) for edge in forward)
    return list(nx.lexicographical_topological_sort(graph, key=place.__getitem__))


@attrs.define
class _Ranks:
    """Ranks of nodes, given in topological order; `push` moves nodes right.

    `main_at` is the node of the main line by lane and rank, `beside` counts the others, `passed` are the lanes
    and ranks through which the main line crosses.
    """

    scene: MapScene
    forward: list[Edge]
    push: Mapping[str, int]
    fold: bool = attrs.field(kw_only=True)
    rank: dict[str, int] = attrs.field(factory=dict)
    main_at: dict[tuple[str, int], str] = attrs.field(factory=dict)
    beside: dict[tuple[str, int], int] = attrs.field(factory=dict)
    passed: set[tuple[str, int]] = attrs.field(factory=set)

    def of(self, order: list[str]) -> dict[str, int]:
        into: dict[str, list[Edge]] = {key: [] for key in order}
        for edge in self.forward:
            into[edge.target].append(edge)
        for key in order:
            self._place(key, into[key])
        return self.rank

    def _place(self, key: str, into: list[Edge]) -> None:
        node = self.scene.by_key[key]
        rank = max((self.rank[e.source] + self._step(e) for e in into), default=0) + self.push.get(key, 0)
        if key in self.scene.main:
            while node.shape not in ("fork", "join") and self.main_at.get((node.lane, rank), key) != key:
                rank += 1
            if not node.bar and node.shape != "start":
                self.main_at.setdefault((node.lane, rank), key)
            for edge in into:
                if edge.main and self.rank[edge.source] == rank:
                    lanes = between(self.scene, self.scene.by_key[edge.source].lane, node.lane)
                    self.passed.update((lane, rank) for lane in lanes[1:-1])
        else:
            while self.beside.get((node.lane, rank), 0) > 1:
                rank += 1
            self.beside[node.lane, rank] = self.beside.get((node.lane, rank), 0) + 1
        self.rank[key] = rank

    def _step(self, edge: Edge) -> int:
        source, target = self.scene.by_key[edge.source], self.scene.by_key[edge.target]
        if source.shape in ("start", "join") and target.shape != "join":
            return 0
        if target.shape == "fork":
            return 0
        if source.bar or target.bar:
            return 1
        main = self.scene.main
        if source.key in main and target.key in main:
            return 0 if edge.main and self._may_fold(edge) else 1
        if target.key in main:
            return 0 if source.lane != target.lane else 1
        return 0 if source.key in main else 1

    def _may_fold(self, edge: Edge) -> bool:
        """Return whether the next step may stand across in the same column: the way between is free."""
        source, target = self.scene.by_key[edge.source], self.scene.by_key[edge.target]
        if not self.fold or source.lane == target.lane or target.strand or source.shape == "request":
            return False
        rank = self.rank[source.key]
        lanes = between(self.scene, source.lane, target.lane)[1:]
        free = all((lane, rank) not in self.main_at for lane in lanes)
        return free and (target.lane, rank) not in self.passed


def between(scene: MapScene, one: str, other: str) -> list[str]:
    """Return the lanes from `one` to `other`, both included, in that direction."""
    order = scene.lane_order
    a, b = order[one], order[other]
    lanes = [lane.id for lane in scene.lanes]
    return lanes[a : b + 1] if a <= b else lanes[b : a + 1][::-1]


def _crossed_by_handover(scene: MapScene, ranks: Mapping[str, int]) -> list[str]:
    """Return the steps beside the main line that stand where the main line crosses their lane."""
    passed: set[tuple[str, int]] = set()
    for edge in scene.edges:
        source, target = scene.by_key[edge.source], scene.by_key[edge.target]
        if edge.main and not source.bar and not target.bar and ranks[edge.source] == ranks[edge.target]:
            lanes = between(scene, source.lane, target.lane)
            passed.update((lane, ranks[edge.source]) for lane in lanes[1:-1])
    return [
        node.key
        for node in scene.nodes
        if node.key not in scene.main and (node.lane, ranks[node.key]) in passed
    ]
