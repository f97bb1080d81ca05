"""Time limits and lengths of a procedure, each with its place in the document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from svcflow.errors import Path, Problem
from svcflow.model.amount import Amount
from svcflow.model.automatic_move import MoveInstant
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.model.step import Step
from svcflow.model.target import TARGET_KINDS

__all__ = ["instant_places", "limit_places", "limits_over", "step_places", "too_long"]


def limit_places(procedure: ProcedureParts) -> Iterator[tuple[Path, TimeLimit]]:
    """Yield each limit that is written out: those of steps, those of steps in branches, then the others."""
    for path, step in step_places(procedure.steps, ("steps",)):
        if step.within is not None:
            yield (*path, "within"), step.within
    for place, limit in enumerate(procedure.limits):
        yield ("limits", place), limit


def too_long(procedure: ProcedureParts) -> Iterator[Problem]:
    """Yield a mistake for each length of time that is longer than a hundred years."""
    for path, amount in _lengths(procedure):
        problem = None if amount is None else amount.too_long
        if problem is not None:
            yield Problem(path, problem.message, problem.remedy)


def step_places(steps: Iterable[Step], base: Path) -> Iterator[tuple[Path, Step]]:
    """Yield each step with its place, those in branches after their parallel step; `base` is the place of `steps`."""
    for step in steps:
        path = (*base, step.id)
        yield path, step
        for branch in step.parallel:
            yield from step_places(branch.steps, (*path, "parallel", branch.id, "steps"))


def _lengths(procedure: ProcedureParts) -> Iterator[tuple[Path, Amount | None]]:
    yield ("late_after",), procedure.late_after
    if procedure.start is not None and procedure.start.before is not None:
        yield ("start", "before"), procedure.start.before.amount
    for rule in procedure.holds:
        yield ("holds", rule.reason, "at_most"), rule.at_most
    for place, start in enumerate(procedure.starts):
        yield ("starts", place, "every"), start.every
    for path, step in step_places(procedure.steps, ("steps",)):
        yield from _lengths_of_step(step, path)
    for place, limit in enumerate(procedure.limits):
        yield from _lengths_of_limit(limit, ("limits", place))


def _lengths_of_step(step: Step, path: Path) -> Iterator[tuple[Path, Amount | None]]:
    yield (*path, "at_most"), step.at_most
    if step.within is not None:
        yield from _lengths_of_limit(step.within, (*path, "within"))
    for where, row in instant_places(step, path):
        yield (*where, "after"), row.after
        yield (*where, "at"), None if row.at is None else row.at.amount


def limits_over(procedure: ProcedureParts, step: Step) -> tuple[TimeLimit, ...]:
    """Return the limits over one step: its own, then those declared for it apart."""
    return (*step.time_limits, *(limit for limit in procedure.limits if limit.step == step.id))


def instant_places(step: Step, path: Path) -> Iterator[tuple[Path, MoveInstant]]:
    """Yield each row of a step's automatic move with its place; `path` is that of the step."""
    if step.then is not None:
        for place, row in enumerate(step.then.rows):
            yield (*path, "then", "match", place) if step.then.match else (*path, "then"), row


def _lengths_of_limit(limit: TimeLimit, path: Path) -> Iterator[tuple[Path, Amount | None]]:
    for place, row in enumerate(limit.rows):
        where = (*path, "match", place) if limit.match else path
        for kind in TARGET_KINDS:
            target = getattr(row, kind)
            yield (*where, kind), target if isinstance(target, Amount) else getattr(target, "amount", None)
    for key, rungs in (("warn", limit.warn), ("escalate", limit.escalate)):
        for place, rung in enumerate(rungs):
            yield (*path, key, place), rung.after or rung.ahead
    if limit.extension is not None:
        yield (*path, "extension", "by"), limit.extension.by
