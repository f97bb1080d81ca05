"""The engine against a plain oracle that steps minute by minute: when does a limit become overdue, or not?

`SVCFLOW_ORACLE_CASES` says how many situations are tried; 20,000 have been, without a disagreement.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import pytest
from minute_oracle import Situation, Verdict, judge, situation

from svcflow.kernel import Compiled, Fire, Hold, Resume, Start, compile_procedure, transact
from svcflow.kernel.commands import Command
from svcflow.kernel.facts import Fact
from svcflow.kernel.lifecycle.deviations import deviations_of
from svcflow.kernel.timing.deadlines import deadlines
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.worktime import WorkCalendar

pytestmark = pytest.mark.long

CASES = int(os.environ.get("SVCFLOW_ORACLE_CASES", "300"))
MINUTE_US = 60_000_000
COMMANDS: dict[str, Command] = {
    "start": Start("one"),
    "hold": Hold("third_party"),
    "resume": Resume(),
    "leave": Fire("leave"),
    "continue": Fire("go_on"),
    "restart": Fire("start_anew"),
}


def compiled_of(made: Situation) -> Compiled:
    """Declare the situation in the library's own words."""
    week = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    calendar = WorkCalendar.from_mapping(
        {
            "calendar": "made",
            "timezone": made.zone,
            "weekly": {week[day]: made.style.split() for day in made.weekdays},
            "covers": {"from": date(2026, 1, 1), "to": date(2027, 12, 31)},
            "holidays": [{"date": day} for day in sorted(made.off)],
            "makeup": [{"date": day, "hours": made.style.split()} for day in sorted(made.makeup)],
        }
    )
    extents = {
        "step": {},
        "to": {"from_": "work", "to": "check"},
        "to_trigger": {"from_": "work", "to_trigger": "leave"},
    }
    declared = {made.kind: f"{made.amount}{made.unit}", **extents[made.extent]}
    limit = TimeLimit(id="limit", **declared, visits=made.visits, if_reached=made.if_reached)
    back = (
        Transition("go_on", "work"),
        Transition("start_anew", "work", clock="restart"),
        Transition("stop", "end"),
    )
    steps = (
        Step("work", within=limit if made.extent == "step" else None, to=(Transition("leave", "check"),)),
        Step("check", to=back),
        Step("end", end="completed"),
    )
    return compile_procedure(
        Procedure(id="made", calendar="made", steps=steps, limits=() if made.extent == "step" else (limit,)),
        {"made": calendar}.__getitem__,
    )


def said_by_the_kernel(made: Situation) -> Verdict:
    compiled, instance, facts = compiled_of(made), None, list[Fact]()
    for minute, does in made.events:
        outcome = transact(compiled, instance, COMMANDS[does], minute * MINUTE_US)
        assert outcome.refused is None, (made, outcome.refused)
        instance, facts = outcome.instance, [*facts, *outcome.facts]
    assert instance is not None
    found = deviations_of(facts)
    due_at = deadlines(compiled, instance, made.events[-1][0] * MINUTE_US, ended=True)[0].due_at
    assert due_at is not None
    minute, odd = divmod(due_at - datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1))
    assert not odd
    return Verdict(
        [(one.visit, _minute(one.due_us)) for one in found if one.kind == "overdue"],
        [_minute(one.occurred_us) for one in found if one.kind == "too_early"],
        minute,
    )


def _minute(at_us: int | None) -> int:
    assert at_us is not None
    assert at_us % MINUTE_US == 0
    return at_us // MINUTE_US


def test_the_kernel_and_the_oracle_agree_on_every_situation() -> None:
    """Calendars, zones, holds, re-entries and units at random: the same breaches and the same deadline."""
    disagreements = []
    for seed in range(CASES):
        made = situation(seed)
        ours, theirs = said_by_the_kernel(made), judge(made)
        if ours != theirs:
            disagreements.append((made, ours, theirs))
    assert disagreements == [], f"{len(disagreements)} of {CASES}: {disagreements[:2]}"


def test_the_situations_reach_what_they_are_meant_to() -> None:
    """Breaches, ends in time, early ends, restarts and deadlines in a hold or absence all occur."""
    made = [situation(seed) for seed in range(200)]
    said = [judge(one) for one in made[:60]]
    assert {one.unit for one in made} == {"m", "wm", "wd", "cd"}
    assert {one.visits for one in made} == {"sum", "each", "first"}
    assert {one.extent for one in made} == {"step", "to", "to_trigger"}
    judged = [one for one in made[:60] if one.if_reached]
    assert {bool(judge(one).overdue) for one in judged} == {False, True}
    assert {does for one in made for _, does in one.events} == set(COMMANDS)
    assert any(one.overdue for one in said)
    assert any(one.early for one in said)
    assert any(not one.overdue and not one.early for one in said)
