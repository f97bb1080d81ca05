"""Deadlines: what each declared limit means for one instance at one instant. Computed, never stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import attrs

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


@attrs.frozen
class Deadline:
    """Hold one limit's deadline on one instance.

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
    found = [
        _deadline(compiled.limits[clock.limit], now.id, clock, at_us)
        for clock in now.clocks.values()
        if (ended or not clock.verdict) and _has_target(compiled, clock)
    ]
    return tuple(sorted(found, key=lambda one: (one.due_at is None, one.due_at or 0, one.limit)))


def _has_target(compiled: Compiled, clock: Clock) -> bool:
    """Say whether a clock has a deadline to speak of; one of a limit of an earlier version has none any more."""
    limit = compiled.limits.get(clock.limit)
    return limit is not None and limit.rows[clock.row].target is not None


def _deadline(limit: CompiledLimit, instance: str, clock: Clock, at_us: int) -> Deadline:
    target = limit.rows[clock.row].target
    assert target is not None  # noqa: S101  # rows without a target were left out
    left_us = None if clock.verdict else clocks.remaining(limit, clock, at_us)
    return Deadline(
        instance=instance,
        limit=limit.id,
        name=limit.limit.name,
        step=limit.limit.step or "",
        visit=clock.visit,
        target=target,
        severity=limit.limit.severity,
        state=_state(limit, clock, at_us),
        due_at=None if clock.due_us == NEVER else to_datetime(clock.due_us),
        remaining=None if left_us is None else timedelta(microseconds=left_us),
        provisional=clock.due_us != NEVER and limit.calendar.provisional(clock.due_us),
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
