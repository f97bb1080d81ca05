"""Locations in a declaration: paths of steps and rows, and the scopes to which steps belong."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from svcflow.errors import Path
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition, rows_by_trigger

__all__ = ["Rows", "Scope", "concurrent", "row_groups", "scopes"]


@attrs.frozen
class Scope:
    """One list of steps: the procedure's own, or those of one branch of a parallel step."""

    steps: tuple[Step, ...]
    path: Path
    parent: Step | None = None
    outer: Scope | None = None

    def path_of(self, step: Step) -> Path:
        """Return the path of one of the scope's steps."""
        return (*self.path, step.id)


@attrs.frozen
class Rows:
    """Transitions of one trigger at one step: the first whose guard is true is taken."""

    step: Step
    trigger: str
    moves: tuple[Transition, ...]
    path: Path

    def path_of(self, row: int) -> Path:
        """Return the path of one row; a trigger with a single row, and no `otherwise`, is written without a list."""
        return (*self.path, row) if len(self.moves) > 1 or self.moves[-1].otherwise else self.path


def scopes(procedure: Procedure) -> tuple[Scope, ...]:
    """Return every scope, outer ones before those inside them."""
    return tuple(_inside(Scope(procedure.steps, ("steps",))))


def row_groups(scope: Scope) -> Iterator[Rows]:
    """Yield the rows of each trigger of each step of the scope."""
    for step in scope.steps:
        for trigger, moves in rows_by_trigger(step).items():
            yield Rows(step, trigger, tuple(moves), (*scope.path_of(step), "to", trigger))


def concurrent(one: Scope, other: Scope) -> bool:
    """Return whether steps of the two scopes may be open at once, in branches of one parallel step."""
    mine, theirs = dict(_branches(one)), dict(_branches(other))
    return any(mine[parent] != theirs[parent] for parent in mine.keys() & theirs.keys())


def _inside(scope: Scope) -> Iterator[Scope]:
    yield scope
    for step in scope.steps:
        for branch in step.parallel:
            path = (*scope.path_of(step), "parallel", branch.id, "steps")
            yield from _inside(Scope(branch.steps, path, step, scope))


def _branches(scope: Scope | None) -> Iterator[tuple[str, str]]:
    while scope is not None and scope.parent is not None:
        yield scope.parent.id, scope.steps[0].id
        scope = scope.outer
