"""Branching: which transition is taken out of a step, given a random number.

A transition is open whose guard holds, and that of a `done` which would follow it. Where the scenario gives
shares for the step, they decide among the open ones; what they leave out is not taken. Otherwise, and where the
shares leave nothing open: rework and exceptions are taken in 5 % each, the first open normal transition nine times
as often as all other normal ones together. A transition that is deemed made when a limit passes is then left to time, unless it is
the only normal one, and bounded rework stops at its bound, unless there is no other way. What a step fires by itself
at an instant is always left to that instant.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from svcflow.kernel.compiled import Compiled, CompiledMove, CompiledStep
from svcflow.kernel.instance import Draft, Instance
from svcflow.kernel.moves.rules import choose_row, join_refusal
from svcflow.model.step import TransitionKind
from svcflow.simulate.plan import StepPlan

__all__ = ["EXCEPTION_SHARE", "FIRST_SHARE", "REWORK_SHARE", "choose_exit", "hangs_on_data", "open_row"]

EXCEPTION_SHARE = 0.05
REWORK_SHARE = 0.05
FIRST_SHARE = 0.9

_Weighted = list[tuple[CompiledMove, float]]


def choose_exit(compiled: Compiled, instance: Instance, plan: StepPlan, number: float) -> CompiledMove | None:
    """Return the transition that `number`, between 0 and 1, picks; None when none is open to people."""
    rows = list(_open_rows(compiled, instance, plan.place))
    shares = plan.shares
    weighted = [
        (row, shares.get(row.move.trigger, 0.0)) for row in rows if shares and not _is_refused(instance, row)
    ]
    if not any(weight for _, weight in weighted):
        by_people = [row for row in rows if row.move.trigger != plan.timed]
        weighted = _default_weights(instance, plan.deemed, by_people)
    return _pick(weighted, number)


def open_row(compiled: Compiled, instance: Instance, step: CompiledStep, trigger: str) -> CompiledMove | None:
    """Return the row of a trigger that the kernel would take now; None when it would refuse it for a guard."""
    rows = compiled.rows(step.step.id, trigger)
    if not hangs_on_data(rows[0]):
        return rows[0]
    draft = Draft.of(instance)
    row, breach = choose_row(compiled, draft, rows)
    closed = breach is not None or join_refusal(compiled, draft, row, step.step.id) is not None
    return None if closed else row


def hangs_on_data(row: CompiledMove) -> bool:
    """Return whether data may close a row: by its guard, or by a guard of `done` when it ends the last branch."""
    return row.move.when is not None or row.joins != ""


def _open_rows(compiled: Compiled, instance: Instance, step: CompiledStep) -> Iterator[CompiledMove]:
    for trigger in step.triggers:
        row = open_row(compiled, instance, step, trigger)
        if row is not None:
            yield row


def _is_used_up(instance: Instance, row: CompiledMove) -> bool:
    return row.move.at_most is not None and instance.counts.get(row.key, 0) >= row.move.at_most


def _is_refused(instance: Instance, row: CompiledMove) -> bool:
    return row.enforce["rework"] == "refuse" and _is_used_up(instance, row)


def _default_weights(instance: Instance, deemed: Container[str], rows: list[CompiledMove]) -> _Weighted:
    """Return the open transitions with the weights that hold where the scenario gives no shares."""
    free = [row for row in rows if not _is_used_up(instance, row)] or [
        row for row in rows if not _is_refused(instance, row)
    ]
    by_people = [row for row in free if row.move.trigger not in deemed]
    normal = _of_kind(by_people, "normal") or _of_kind(free, "normal")
    if not normal and not by_people:
        by_people = free
    weighted = _evenly(_of_kind(by_people, "exception"), EXCEPTION_SHARE) + _evenly(
        _of_kind(by_people, "rework"), REWORK_SHARE
    )
    rest = 1 - sum(weight for _, weight in weighted)
    first, others = normal[:1], normal[1:]
    main = rest * FIRST_SHARE if others else rest
    return _evenly(first, main) + _evenly(others, rest - main) + weighted


def _of_kind(rows: list[CompiledMove], kind: TransitionKind) -> list[CompiledMove]:
    return [row for row in rows if row.move.kind == kind]


def _evenly(rows: list[CompiledMove], share: float) -> _Weighted:
    return [(row, share / len(rows)) for row in rows]


def _pick(weighted: _Weighted, number: float) -> CompiledMove | None:
    remaining = number * sum(weight for _, weight in weighted)
    for row, weight in weighted:
        remaining -= weight
        if remaining < 0:
            return row
    # Rounding may leave a remainder above every weight: the last one that can be taken is meant.
    return next((row for row, weight in reversed(weighted) if weight), None)
