"""A journal is replayed as it was recorded, though its calendar was corrected since."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from svcflow import Actor, Procedure
from svcflow.kernel import Fire, Start, compile_procedure, evolve_all, transact
from svcflow.model.limit import TimeLimit
from svcflow.model.step import Step, Transition
from svcflow.worktime import WorkCalendar
from svcflow.worktime.instants import to_us

MONDAY_US = to_us(datetime(2026, 3, 2, 9, tzinfo=UTC))
HOUR_US = 3_600_000_000
OFFICE = {
    "calendar": "office",
    "timezone": "UTC",
    "weekly": {"mon-fri": ["09:00-17:00"]},
    "covers": {"from": "2026-01-01", "to": "2026-12-31"},
}
AS_ANNOUNCED = WorkCalendar.from_mapping(OFFICE)
CORRECTED = WorkCalendar.from_mapping(
    {**OFFICE, "holidays": [{"date": "2026-03-02", "name": "closed after all"}]}
)


def declared(**limit: object) -> Procedure:
    work = Step("work", within=TimeLimit(**limit), to=(Transition("pour", "work"), Transition("stop", "end")))
    return Procedure(id="p", calendar="office", steps=(work, Step("end", end="completed")))


@pytest.mark.parametrize(
    "limit",
    [
        {"within": "2wh", "warn": ["50%"], "escalate": ["+1wh"]},
        {"every": "1wh", "done_by": "pour"},
        {"within": "1wd"},
    ],
    ids=lambda limit: next(iter(limit)) + str(len(limit)),
)
def test_what_was_recorded_keeps_the_deadlines_it_was_recorded_with(limit):
    """Warnings, escalations and breaches are of the deadline they name; the corrected calendar does not move it."""
    then = compile_procedure(declared(**limit), lambda _: AS_ANNOUNCED)
    started = transact(then, None, Start("i"), MONDAY_US)
    late = transact(then, started.instance, Fire("stop", Actor("li")), MONDAY_US + 60 * HOUR_US)
    facts = (*started.facts, *late.facts)
    assert "Overdue" in {fact.kind for fact in facts}
    now = compile_procedure(declared(**limit), lambda _: CORRECTED)
    again = evolve_all(now, None, facts)
    assert (again.status, again.deviations) == ("ended", late.instance.deviations)
    assert again.stopwatches == late.instance.stopwatches
