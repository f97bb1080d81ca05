"""Clocks that jump, stand still or run twice through an hour: the journal is the one of a quiet day."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import attrs
import pytest

from svcflow import Actor, Catalog, Engine, Fact
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.model.yaml.document import Document
from svcflow.worktime.instants import to_us

ZONES = (
    "America/Havana", "America/Los_Angeles", "America/New_York", "America/Santiago", "America/St_Johns",
    "Australia/Lord_Howe", "Australia/Sydney", "Europe/Amsterdam", "Pacific/Auckland", "Pacific/Chatham",
)  # fmt: skip
"""Changes by an hour and by half of one, at midnight, at two and at a quarter to three, north and south."""
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
LI = Actor("li")
Ticks = Callable[[int, int], list[int]]
"""When to tick between one command and the next, both ends included; in the order in which they come."""


@attrs.define
class SetClock:
    """Show what it is set to, also when that is earlier than before."""

    us: int

    def now_us(self) -> int:
        return self.us


def changes(zone: str) -> Iterator[datetime]:
    """Yield the local midnight of each day of 2026 that has more or less than 24 hours."""
    local = ZoneInfo(zone)
    for number in range(365):
        day = datetime(2026, 1, 1) + timedelta(number)  # noqa: DTZ001  # its zone follows
        begins, ends = (one.replace(tzinfo=local).astimezone(UTC) for one in (day, day + timedelta(1)))
        if ends - begins != timedelta(1):
            yield day.replace(tzinfo=local)


DAYS = [(zone, day) for zone in ZONES for day in changes(zone)]


def catalog(zone: str) -> Catalog:
    """Two steps under limits of many kinds, on a calendar that is open through the night."""
    watch = Procedure(
        id="watch",
        calendar="local",
        steps=(
            Step(
                "night",
                within=TimeLimit(within="3wh", warn=["50%", "+30wm"]),
                to=(Transition("go", "day"), Transition("tea", "night")),
            ),
            Step("day", within="1wd", to=(Transition("finish", "over"), Transition("tea", "day"))),
            Step("over", end="completed"),
        ),
        limits=(
            TimeLimit(id="half_past_two", by="02:30", warn=["-10m"]),
            TimeLimit(id="round", every="45m", done_by="tea"),
            TimeLimit(id="whole", within="26h", warn=["75%"]),
            TimeLimit(id="days", within="1cd"),
        ),
    )
    calendar = {
        "calendar": "local",
        "timezone": zone,
        "weekly": {"mon-sun": ["00:00-04:30", "08:30-12:00", "13:30-24:00"]},
        "covers": {"from": "2026-01-01", "to": "2026-12-31"},
    }
    return Catalog({("watch", 1): watch}, {"local": Document(calendar, "", {})})


def lived(zone: str, day: datetime, ticks: Ticks) -> tuple[Fact, ...]:
    """Begin at eight in the evening before; the journal, without when it was written down."""
    begin_us = to_us(day) - 4 * HOUR_US
    clock = SetClock(begin_us)
    with Engine("memory://", catalog(zone), clock=clock) as engine:
        name = engine.start("watch", actor=LI, instance_id="w1").id
        asked = (
            (200, lambda: engine.fire(name, "tea", actor=LI)),
            (330, lambda: engine.hold(name, reason="third_party", actor=LI)),
            (415, lambda: engine.resume(name, actor=LI)),
            (545, lambda: engine.fire(name, "go", actor=LI)),
            (1_000, lambda: engine.fire(name, "tea", actor=LI)),
            (1_900, lambda: engine.fire(name, "finish", actor=LI)),
        )
        before_us = begin_us
        for minutes, ask in asked:
            at_us = begin_us + minutes * MINUTE_US
            for tick_us in ticks(before_us, at_us):
                clock.us = tick_us
                engine.tick()
            clock.us = before_us = at_us
            ask()
        assert engine.verify().ok
        facts = engine.journal(name)
    assert all(one.occurred_us <= next_.occurred_us for one, next_ in pairwise(facts))
    assert all(one.recorded_us <= next_.recorded_us for one, next_ in pairwise(facts))
    return tuple(attrs.evolve(fact, recorded_us=0) for fact in facts)


def never(_from_us: int, _to_us: int) -> list[int]:
    return []


def every(minutes: int) -> Ticks:
    return lambda from_us, until_us: [*range(from_us, until_us, minutes * MINUTE_US), until_us]


def test_every_zone_changes_its_clocks_twice():
    """Ten zones, two days each: one of less than 24 hours, one of more."""
    assert len(DAYS) == 2 * len(ZONES) == 20


@pytest.mark.parametrize(("zone", "day"), DAYS, ids=[f"{zone} {day:%m-%d}" for zone, day in DAYS])
def test_ticks_anywhere_give_the_same_journal_when_clocks_change(zone, day):
    """Never, every seven minutes, every hour, at random: what is recorded is the same."""
    journal = lived(zone, day, never)
    assert {fact.kind for fact in journal} >= {"Moved", "Held", "Resumed", "Warned", "Overdue"}
    assert lived(zone, day, every(7)) == journal
    assert lived(zone, day, every(60)) == journal
    chance = random.Random(f"{zone} {day}")
    assert (
        lived(zone, day, lambda from_us, until_us: sorted(chance.choices(range(from_us, until_us), k=5)))
        == journal
    )


def disturbed(by_us: int) -> Ticks:
    """Tick every five minutes; for the first quarter of an hour the clock is wrong by so much, or stands still."""

    def ticks(from_us: int, until_us: int) -> list[int]:
        right = every(5)(from_us, until_us)
        wrong = [us + by_us if by_us else from_us for us in right[:3]]
        return [*wrong, *right[3:]]

    return ticks


@pytest.mark.parametrize("by_us", [-HOUR_US, HOUR_US, 0], ids=["an hour behind", "an hour ahead", "frozen"])
def test_a_clock_that_was_wrong_and_is_put_right_leaves_no_trace(by_us):
    """After every command the clock is wrong for a while; once it is right again, so is the journal."""
    zone, day = DAYS[0]
    assert lived(zone, day, disturbed(by_us)) == lived(zone, day, never)


def test_a_clock_that_stands_still_brings_nothing_twice():
    """What became due is recorded by the first tick; the next ones find nothing."""
    clock = SetClock(to_us(datetime(2026, 6, 1, 8, tzinfo=UTC)))
    with Engine("memory://", catalog("Europe/Amsterdam"), clock=clock) as engine:
        name = engine.start("watch", actor=LI, instance_id="w1").id
        clock.us += 5 * HOUR_US
        assert engine.tick()
        count = len(engine.journal(name))
        assert [engine.tick() for _ in range(5)] == [()] * 5
        assert len(engine.journal(name)) == count


@pytest.mark.parametrize("behind_us", [1, HOUR_US, 24 * HOUR_US], ids=["a moment", "an hour", "a day"])
def test_what_is_done_while_the_clock_is_behind_counts_from_the_last_fact(behind_us):
    """A journal never runs backwards: nothing is lost, refused or dated before what is on record."""
    clock = SetClock(to_us(datetime(2026, 6, 1, 8, tzinfo=UTC)))
    with Engine("memory://", catalog("Europe/Amsterdam"), clock=clock) as engine:
        name = engine.start("watch", actor=LI, instance_id="w1").id
        clock.us += 2 * HOUR_US
        engine.tick()
        engine.fire(name, "tea", actor=LI)
        last = engine.journal(name)[-1]
        clock.us -= behind_us
        assert engine.tick() == ()
        engine.hold(name, reason="third_party", actor=LI)
        engine.resume(name, actor=LI)
        engine.fire(name, "go", actor=LI)
        done = engine.journal(name)[last.sequence :]
        assert [fact.kind for fact in done if fact.kind in ("Held", "Resumed", "Moved")] == [
            "Held",
            "Resumed",
            "Moved",
        ]
        assert {fact.occurred_us for fact in done} == {last.occurred_us}
        assert engine.verify().ok
