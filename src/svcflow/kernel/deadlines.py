"""Deadlines: what each declared limit means for one instance at one instant. Computed, never stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal, NamedTuple

from svcflow.kernel import clocks
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import transact
from svcflow.kernel.facts import to_datetime
from svcflow.kernel.instance import NEVER, STOPPED, Clock, Instance
from svcflow.kernel.ladder import CompiledLimit
from svcflow.model.limit import Severity
from svcflow.model.target import Target
from svcflow.text import Text

DeadlineState = Literal[
    "pending", "running", "paused", "overdue", "reached", "met", "late", "early", "cancelled"
]


class Deadline(NamedTuple):
    """Hold one limit's deadline on one instance; a named tuple, because all of them are made for every question.

    `remaining` is in the limit's own clock (open hours for working limits), negative once overdue; a paused
    limit has `remaining` and no `due_at`; one whose scheduled instant is missing is `pending` and has
    neither. `reached` is a minimum that has run. A `provisional` deadline lies past what its calendar covers.
    """

    instance: str
    limit: str
    name: Text
    step: str
    visit: int
    target: Target
    severity: Severity
    state: DeadlineState
    due_at: datetime | None
    remaining: timedelta | None
    provisional: bool


def deadlines(
    compiled: Compiled, instance: Instance, at_us: int, *, ended: bool = False
) -> tuple[Deadline, ...]:
    """Return the deadlines as they are at `at_us`, soonest first; with `ended`, those of ended limits too."""
    now = transact(compiled, instance, None, at_us).instance
    found = [clock for clock in now.clocks.values() if ended or not clock.verdict]
    found.sort(key=_SOONEST)
    known = (
        (compiled.limits.get(clock.limit), clock) for clock in found
    )  # some are of an earlier version only
    return tuple(
        _deadline(limit, now.id, clock, target, at_us)
        for limit, clock in known
        if limit is not None and (target := limit.rows[clock.row].target) is not None
    )


_SOONEST = attrgetter("due_us", "limit")


def _deadline(limit: CompiledLimit, instance: str, clock: Clock, target: Target, at_us: int) -> Deadline:
    declared, due_us = limit.limit, clock.due_us
    left_us = None if clock.verdict else clocks.remaining(limit, clock, at_us)
    return Deadline(
        instance,
        limit.id,
        declared.name,
        declared.step or "",
        clock.visit,
        target,
        declared.severity,
        _state(limit, clock, at_us),
        None if due_us == NEVER else to_datetime(due_us),
        None if left_us is None else timedelta(0, 0, left_us),
        due_us != NEVER and limit.calendar.provisional(due_us),
    )


def _state(limit: CompiledLimit, clock: Clock, at_us: int) -> DeadlineState:
    if clock.verdict:
        return clock.verdict
    if clock.overdue:
        return "overdue"
    if clock.open_us == STOPPED:
        return "paused"
    if clock.due_us == NEVER:
        return "pending"
    reached = limit.rows[clock.row].kind == "at_least" and at_us >= clock.due_us
    return "reached" if reached else "running"
