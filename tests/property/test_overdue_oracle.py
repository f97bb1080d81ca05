"""A plain reference for deadlines: it steps minute by minute and asks the calendar only whether it is open.

It shares no code with the clocks of the kernel, and knows nothing of prefix sums or nth closings.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from procedures import CALENDARS, OFFICE

from svcflow.kernel import Hold, Resume, Start, compile_procedure, transact
from svcflow.kernel.facts import EPOCH
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.worktime.calendar import WorkCalendar

MINUTE = timedelta(minutes=1)
MONDAY = datetime(2026, 3, 2, tzinfo=OFFICE.timezone)
HORIZON = 9 * 24 * 60


@attrs.frozen
class Story:
    """Hold a limit, when it starts, and the minutes at which holds begin and end."""

    calendar: str
    number: int
    unit: str
    start: int
    turns: tuple[int, ...]
    stoppable: bool

    def held(self, minute: int) -> bool:
        return self.stoppable and sum(turn <= minute for turn in self.turns) % 2 == 1


@st.composite
def stories(draw: st.DrawFn) -> Story:
    unit = draw(st.sampled_from(["m", "h", "wm", "wh", "wd", "wd"]))
    most = {"m": 900, "h": 30, "wm": 600, "wh": 14, "wd": 3}[unit]
    start = draw(st.integers(0, 2 * 24 * 60))
    turns = draw(st.lists(st.integers(start, start + 5 * 24 * 60), max_size=6, unique=True))
    return Story(
        calendar=draw(st.sampled_from(sorted(CALENDARS))),
        number=draw(st.integers(1, most)),
        unit=unit,
        start=start,
        turns=tuple(sorted(turns)),
        stoppable=draw(st.sampled_from([True, True, True, False])),
    )


def expected(story: Story) -> datetime | None:
    """Return the deadline that was passed, stepping through the minutes; None when none was in the horizon."""
    calendar = CALENDARS[story.calendar]
    if story.unit == "wd":
        return _by_closings(story, calendar)
    working = story.unit.startswith("w")
    wanted = story.number * (60 if story.unit.endswith("h") else 1)
    ran = 0
    for minute in range(story.start, HORIZON):
        at = MONDAY + minute * MINUTE
        if ran == wanted:
            return at  # the earliest instant; a hold that begins just then comes too late
        if not story.held(minute) and (not working or calendar.is_open(at)):
            ran += 1
    return None


def _by_closings(story: Story, calendar: WorkCalendar) -> datetime | None:
    """A day counts when the clock runs up to its closing; the day of the start does not count."""
    first_day = calendar.day_of(MONDAY + story.start * MINUTE)
    days: set[object] = set()
    for minute in range(story.start + 1, HORIZON):
        at, before = MONDAY + minute * MINUTE, MONDAY + (minute - 1) * MINUTE
        if not calendar.is_open(before) or calendar.is_open(at):
            continue  # no closing
        day = calendar.day_of(before)
        if day <= first_day or not _is_last_closing(calendar, minute, day) or story.held(minute - 1):
            continue
        days.add(day)
        if len(days) == story.number:
            return at
    return None


def _is_last_closing(calendar: WorkCalendar, minute: int, day: object) -> bool:
    later = (MONDAY + ahead * MINUTE for ahead in range(minute, minute + 16 * 60))
    return not any(calendar.is_open(at) and calendar.day_of(at) == day for at in later)


def found(story: Story) -> datetime | None:
    """Return the deadline of the breach that the kernel recorded in the horizon."""
    limit = TimeLimit(
        within=f"{story.number}{story.unit}", calendar=story.calendar, stoppable=story.stoppable
    )
    steps = (
        Step("a", within=limit, to=(Transition("go", "end"),)),
        Step("end", end="completed"),
    )
    compiled = compile_procedure(Procedure(id="p", steps=steps, calendar="office"), CALENDARS.__getitem__)
    facts = []
    outcome = transact(compiled, None, Start("i1"), _us(story.start))
    for place, turn in enumerate(story.turns):
        outcome = transact(
            compiled, outcome.instance, Resume() if place % 2 else Hold("third_party"), _us(turn)
        )
        assert outcome.refused is None
        facts += outcome.facts
    facts += transact(compiled, outcome.instance, None, _us(HORIZON) - 1).facts
    return next((EPOCH + timedelta(microseconds=f.due_us) for f in facts if f.kind == "Overdue"), None)


def _us(minute: int) -> int:
    return (MONDAY + minute * MINUTE - EPOCH) // timedelta(microseconds=1)


@settings(max_examples=2 * settings.default.max_examples)
@given(stories())
def test_a_minute_by_minute_reference_finds_the_same_deadlines(story: Story):
    """For limits in m, h, wm, wh and wd with holds, the kernel and a plain count of minutes agree."""
    assert found(story) == expected(story)
