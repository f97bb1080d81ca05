"""The ways a limit runs over: from the step that starts it to the step that ends it, and what they weigh.

A parallel step weighs what its longest branch weighs, unless it has a limit of its own. Where a limit
starts or ends inside a branch, the way goes through that branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from svcflow.checks.graph import Way, heaviest_way, lightest_way, reachable, scope_graph
from svcflow.checks.places import Scope, scopes
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE, Step, Transition

if TYPE_CHECKING:
    from svcflow.checks.graph import Graph

__all__ = ["Stretch", "branches_of", "stretch"]

Weigh = Callable[[Step], int | None]
"""What a step's own limit weighs; None when it has none."""


@attrs.frozen
class Stretch:
    """Hold the steps a limit runs over: everything between `source` and the `targets`."""

    found: tuple[Scope, ...]
    source: str
    targets: tuple[str, ...]
    passed: frozenset[str] = frozenset()
    """Parallel steps that the way enters or leaves through one branch: the branch weighs, not the step."""
    closed: frozenset[int] = frozenset()
    """Moves, by `id`, that are not taken (see `Case.closed`)."""

    def shortest(self, weigh: Weigh) -> Way | None:
        """Return the lightest way, rework included; None where no way leads to a target."""
        return lightest_way(self._whole, self.source, self.targets, self._weights(weigh, self._lightest))

    def longest(self, weigh: Weigh) -> Way | None:
        """Return the heaviest acyclic way without rework, as `heaviest_way` defines it."""
        return heaviest_way(self._onward, self.source, self.targets, self._weights(weigh, self._heaviest))

    def covered(self) -> set[str]:
        """Return the steps whose time the limit counts, without rework."""
        after = reachable(self._onward, self.source)
        backward = self._onward.reverse()
        before = {step for target in self.targets for step in reachable(backward, target)} - {*self.targets}
        return after & before

    @cached_property
    def _whole(self) -> Graph:
        return self._graph(self._open)

    @cached_property
    def _onward(self) -> Graph:
        return self._graph(self._forward)

    def _open(self, move: Transition) -> bool:
        return id(move) not in self.closed

    def _forward(self, move: Transition) -> bool:
        return move.kind != "rework" and self._open(move)

    def _graph(self, keep: Callable[[Transition], bool]) -> Graph:
        graph = scope_graph(self.found[0], keep)
        for scope in self.found[1:]:
            graph.update(scope_graph(scope, keep))
        for scope in self.found:
            if scope.parent is None or scope.parent.id not in self.passed:
                continue
            if self._leads_to(scope):
                graph.add_edge(scope.parent.id, scope.steps[0].id)
            elif self._starts_in(scope):
                after = [move.step for move in scope.parent.to if move.trigger == DONE]
                ends = [step.id for step in scope.steps if step.end is not None]
                graph.add_edges_from((end, step) for end in ends for step in after)
        return graph

    def _lightest(self, scope: Scope, ends: list[str], weights: Mapping[str, int]) -> Way | None:
        return lightest_way(scope_graph(scope, self._open), scope.steps[0].id, ends, weights)

    def _heaviest(self, scope: Scope, ends: list[str], weights: Mapping[str, int]) -> Way | None:
        return heaviest_way(scope_graph(scope, self._forward), scope.steps[0].id, ends, weights)

    def _leads_to(self, scope: Scope) -> bool:
        return any(_within(scope, self.found, target) for target in self.targets)

    def _starts_in(self, scope: Scope) -> bool:
        return _within(scope, self.found, self.source)

    def _weights(self, weigh: Weigh, choose: _Choose) -> Mapping[str, int]:
        """Weigh inner scopes first, so that a parallel step knows its branches."""
        weights: dict[str, int] = {}
        branches: dict[str, int] = {}
        for scope in reversed(self.found):
            for step in scope.steps:
                own = 0 if step.id in self.passed else weigh(step)
                weights[step.id] = branches.get(step.id, 0) if own is None else own
            if scope.parent is not None:
                ends = [step.id for step in scope.steps if step.end is not None]
                way = choose(scope, ends, weights)
                longest = max(branches.get(scope.parent.id, 0), way[0] if way else 0)
                branches[scope.parent.id] = longest
        return weights


_Choose = Callable[[Scope, list[str], Mapping[str, int]], Way | None]


def stretch(procedure: Procedure, limit: TimeLimit) -> Stretch | None:
    """Return what the limit runs over; None for a limit over one step.

    A whole-procedure limit runs to the ends that complete it, where there are any: being turned down after
    an hour does not make a day enough for the work.
    """
    found = scopes(procedure)
    if limit.scope == "step":
        return None
    if limit.from_ is None or limit.to is None:
        ends = [step for step in procedure.steps if step.end is not None]
        completed = [step for step in ends if step.succeeds] or ends
        return Stretch(found, procedure.steps[0].id, tuple(step.id for step in completed))
    homes = {step.id: scope for scope in found for step in scope.steps}
    starts, stops = set(_parents(homes[limit.from_])), set(_parents(homes[limit.to]))
    return Stretch(found, limit.from_, (limit.to,), frozenset(starts ^ stops))


def branches_of(procedure: Procedure, step: Step) -> Iterator[Stretch]:
    """Yield, for a parallel step, what runs inside each branch."""
    found = scopes(procedure)
    for scope in found:
        if scope.parent is not None and scope.parent.id == step.id:
            ends = tuple(inner.id for inner in scope.steps if inner.end is not None)
            yield Stretch(found, scope.steps[0].id, ends)


def _within(scope: Scope, found: tuple[Scope, ...], step: str) -> bool:
    home: Scope | None = next(s for s in found if any(inner.id == step for inner in s.steps))
    while home is not None:
        if home.path == scope.path:
            return True
        home = home.outer
    return False


def _parents(scope: Scope | None) -> Iterator[str]:
    while scope is not None and scope.parent is not None:
        yield scope.parent.id
        scope = scope.outer
