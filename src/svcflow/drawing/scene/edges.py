"""Edges of the map of a procedure: main line, forks and joins, one edge for triggers that go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import attrs

from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.map_scene import FORK, JOIN, START, Edge, LineKind
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE, TRANSITION_KINDS, Step, Transition
from svcflow.text import NO_TEXT, Text

_Group = tuple[str, str, LineKind]


def edges_of(procedure: Procedure) -> tuple[Edge, ...]:
    """Return every edge in declared order, the one from the start first."""
    first = procedure.steps[0].id
    start = Edge(key=f"{START}>{first}", source=START, target=first, main=True)
    return (start, *_Level(procedure.steps, procedure.fields, None).edges())


def main_path(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return the main line: first normal transitions to the completed end, any transitions if need be."""
    wanted = [step.id for step in steps if step.succeeds] or [s.id for s in steps if s.end]
    for kinds in (("normal",), ("normal", "exception"), ("normal", "exception", "rework")):
        for goals in (set(wanted[:1]), set(wanted)):
            path = _first_path(steps, goals, kinds)
            if path:
                return path
    return (steps[0].id,)


def _first_path(steps: Sequence[Step], goals: set[str], kinds: Sequence[str]) -> tuple[str, ...]:
    after = {step.id: [move.step for move in step.to if move.kind in kinds] for step in steps}
    path, seen = [steps[0].id], {steps[0].id}
    rest = [iter(after[steps[0].id])]
    while path and path[-1] not in goals:
        step = next((s for s in rest[-1] if s not in seen and s in after), None)
        if step is None:
            path.pop()
            rest.pop()
        else:
            seen.add(step)
            path.append(step)
            rest.append(iter(after[step]))
    return tuple(path)


@attrs.frozen
class _Level:
    """The steps of a procedure or of one branch; `join` is the node where the branch ends."""

    steps: Sequence[Step]
    fields: Mapping[str, Field]
    join: str | None

    def edges(self) -> Iterator[Edge]:
        path = main_path(self.steps)
        hops = frozenset(pairwise(path))
        for step in self.steps:
            if self.join is not None and step.end is not None:
                continue
            if step.parallel:
                yield from self._branches(step, on_main=step.id in path)
            yield from self._moves(step, hops)

    def _moves(self, step: Step, hops: frozenset[tuple[str, str]]) -> Iterator[Edge]:
        """Yield one edge per source, target and kind; several triggers share it."""
        groups: dict[_Group, list[Transition]] = {}
        for move in step.to:
            source = JOIN + step.id if step.parallel and move.trigger == DONE else step.id
            groups.setdefault((source, self._target(move), move.kind), []).append(move)
        leading: dict[tuple[str, str], _Group] = {}
        for kind in TRANSITION_KINDS:
            for group, moves in groups.items():
                hop = (step.id, moves[0].step)
                if group[2] == kind and hop in hops:
                    leading.setdefault(hop, group)
        for group, moves in groups.items():
            yield self._edge(step, group, moves, main=group in leading.values())

    def _edge(self, step: Step, group: _Group, moves: list[Transition], *, main: bool) -> Edge:
        source, target, kind = group
        silent = source.startswith(JOIN) and not moves[0].name
        overdue = {limit.on_overdue for limit in step.time_limits}
        guards = list(dict.fromkeys(move.when for move in moves if move.when is not None))
        return Edge(
            key=f"{source}>{target}/{kind}",
            source=source,
            target=target,
            kind=kind,
            main=main,
            name=NO_TEXT if silent else phrases.joined([self._name(move) for move in moves]),
            condition=phrases.either(guards, self.fields) if all(move.when for move in moves) else NO_TEXT,
            overdue=not overdue.isdisjoint(move.trigger for move in moves),
            timed=self._timed(step, moves),
            triggers=tuple(dict.fromkeys(move.trigger for move in moves)),
        )

    def _timed(self, step: Step, moves: list[Transition]) -> Text:
        if step.then is None or step.then.fire not in {move.trigger for move in moves}:
            return NO_TEXT
        return phrases.timed_text(step.then, self.fields)

    def _target(self, move: Transition) -> str:
        end = self._end(move)
        return move.step if end is None or self.join is None else self.join

    def _name(self, move: Transition) -> Text:
        """Return the name of a move; one that ends a branch may go by the name of the end, which has no box."""
        end = self._end(move) if self.join is not None else None
        return phrases.trigger_text(move.trigger, move.name or (end.name if end else NO_TEXT))

    def _end(self, move: Transition) -> Step | None:
        return next((step for step in self.steps if step.id == move.step and step.end is not None), None)

    def _branches(self, step: Step, *, on_main: bool) -> Iterator[Edge]:
        fork, join = FORK + step.id, JOIN + step.id
        yield Edge(key=f"{step.id}>{fork}", source=step.id, target=fork, main=on_main)
        for branch in step.parallel:
            first = branch.steps[0].id
            yield Edge(
                key=f"{fork}>{first}/{branch.id}", source=fork, target=first, main=True, name=branch.name
            )
            yield from _Level(branch.steps, self.fields, join).edges()
