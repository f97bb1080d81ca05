"""Procedures as networkx graphs: nodes are step ids, an edge says one step may follow another.

No other module of the checks loads networkx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

import networkx as nx

from svcflow.checks.locations import Scope, scopes
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE, Step, Transition

if TYPE_CHECKING:
    Graph: TypeAlias = nx.DiGraph[str]

__all__ = [
    "back_edges",
    "can_end",
    "comes_before",
    "cycles",
    "flow",
    "heaviest_way",
    "lightest_way",
    "reachable",
    "scope_graph",
]


Way: TypeAlias = tuple[int, tuple[str, ...]]
"""Weight of a way and its steps, first and last included."""
_SINK = ""


def _every(_: Transition) -> bool:
    return True


def scope_graph(scope: Scope, keep: Callable[[Transition], bool] = _every) -> Graph:
    """Return the graph of one scope, with those moves for which `keep` is true.

    A parallel step is one node: whoever follows it by `done` follows all of its branches.
    """
    graph: Graph = nx.DiGraph()
    graph.add_nodes_from(step.id for step in scope.steps)
    graph.add_edges_from((step.id, move.step) for step in scope.steps for move in step.to if keep(move))
    return graph


def flow(procedure: Procedure, keep: Callable[[Transition], bool] = _every) -> Graph:
    """Return the graph of the whole procedure, branches included.

    A parallel step leads into the first step of each branch, an end of a branch to where `done` leads.
    """
    graph: Graph = nx.DiGraph()
    for scope in scopes(procedure):
        graph.update(scope_graph(scope, keep))
        if scope.parent is not None:
            graph.add_edge(scope.parent.id, scope.steps[0].id)
            graph.add_edges_from(_joins(scope, scope.parent, keep))
    return graph


def reachable(graph: Graph, source: str) -> set[str]:
    """Return `source` and every step that can come after it."""
    return {source, *nx.descendants(graph, source)}


def comes_before(graph: Graph, one: str, other: str) -> bool:
    """Return whether `one` can be left and `other` entered later; of a step itself, whether it can come again."""
    return any(nx.has_path(graph, after, other) for after in graph[one])


def can_end(scope: Scope, inner: Mapping[str, bool]) -> set[str]:
    """Return the steps of the scope from which an end of the scope can be reached.

    `inner` says of each parallel step whether all of its branches can end; where one cannot, `done` is
    never fired.
    """
    graph: Graph = nx.DiGraph()
    graph.add_node(_SINK)
    for step in scope.steps:
        stuck = not inner.get(step.id, True)
        graph.add_edges_from((step.id, m.step) for m in step.to if not (stuck and m.trigger == DONE))
        if step.end is not None:
            graph.add_edge(step.id, _SINK)
    return set(nx.ancestors(graph, _SINK))


def cycles(graph: Graph) -> list[set[str]]:
    """Return the sets of steps that can all be reached from one another; a lone step only if it loops."""
    components = nx.strongly_connected_components(graph)
    return [circle for circle in components if len(circle) > 1 or any(graph.has_edge(s, s) for s in circle)]


def back_edges(graph: Graph, sources: Iterable[str]) -> list[tuple[str, str]]:
    """Return the edges that lead back to a step still open in a depth-first walk from `sources`.

    Steps and their moves are walked in the order they were declared, so the answer is always the same.
    """
    edges: list[tuple[str, str]] = []
    opened: set[str] = set()
    closed: set[str] = set()
    for source in sources:
        if source in closed:
            continue
        opened.add(source)
        stack: list[tuple[str, Iterator[str]]] = [(source, iter(graph[source]))]
        while stack:
            step, following = stack[-1]
            for after in following:
                if after in opened:
                    edges.append((step, after))
                elif after not in closed:
                    opened.add(after)
                    stack.append((after, iter(graph[after])))
                    break
            else:
                opened.discard(step)
                closed.add(step)
                stack.pop()
    return edges


def lightest_way(graph: Graph, source: str, targets: Iterable[str], weight: Mapping[str, int]) -> Way | None:
    """Return the way of least weight to any target; a step's weight counts when it is left again."""
    ways = nx.single_source_dijkstra_path(graph, source, weight=lambda u, _v, _d: weight.get(u, 0))
    candidates = [tuple(ways[target]) for target in targets if target in ways]
    return min(((sum(weight.get(step, 0) for step in way[:-1]), way) for way in candidates), default=None)


def heaviest_way(graph: Graph, source: str, targets: Iterable[str], weight: Mapping[str, int]) -> Way | None:
    """Return the heaviest way to any target in the graph without its back edges.

    The longest way that enters no step twice is NP-hard to find. What is computed is exact for this
    definition: take away the back edges of a depth-first walk from `source` in declared order (rework moves
    are to be left out of `graph` by the caller), and in the acyclic rest take the heaviest way.
    """
    rest = graph.subgraph(reachable(graph, source)).copy()
    rest.remove_edges_from(back_edges(rest, [source]))
    best: dict[str, tuple[int, str | None]] = {source: (0, None)}
    for step in nx.topological_sort(rest):
        total = best[step][0] + weight.get(step, 0)
        for after in rest[step]:
            if after not in best or total > best[after][0]:
                best[after] = (total, step)
    totals = [(best[target][0], target) for target in targets if target in best]
    if not totals:
        return None
    total, last = max(totals)
    return total, _back_from(last, best)


def _back_from(last: str, best: Mapping[str, tuple[int, str | None]]) -> tuple[str, ...]:
    way = [last]
    while (before := best[way[-1]][1]) is not None:
        way.append(before)
    return tuple(reversed(way))


def _joins(scope: Scope, parent: Step, keep: Callable[[Transition], bool]) -> Iterator[tuple[str, str]]:
    after = [move.step for move in parent.to if move.trigger == DONE and keep(move)]
    ends = [step.id for step in scope.steps if step.end is not None]
    yield from ((end, step) for end in ends for step in after)
