"""Ladders in working units and in opening hours: the plain cases people ask about, and how they are told."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from timelimit_cases import Desk, at, booked, work

from svcflow.drawing.scene.from_procedure import scene_of
from svcflow.kernel.facts import Escalated, Warned, to_datetime
from svcflow.model.limit import TimeLimit
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import dump
from svcflow.model.yaml.parse import structure_procedure

SHANGHAI = ZoneInfo("Asia/Shanghai")


def climbed(desk: Desk, until: str) -> list[tuple[str, str]]:
    """Each point of the ladder with its instant, in the order in which they are recorded."""
    desk.tick(until)
    rungs = [fact for fact in desk.facts() if isinstance(fact, Warned | Escalated)]
    return [
        (fact.at, to_datetime(fact.occurred_us).astimezone(SHANGHAI).strftime("%m-%d %H:%M"))
        for fact in rungs
    ]


def ladder(within: str, start: str, until: str = "03-31 00:00", **more: object) -> list[tuple[str, str]]:
    return climbed(Desk(work(TimeLimit(within=within, **more)), start), until)


def test_three_working_days_later_are_three_instants() -> None:
    """Three calendar days after a Friday are one: they all move to Monday."""
    assert ladder("3cd", "03-03 10:00", escalate=["+1cd", "+2cd", "+3cd"]) == [
        ("+1cd", "03-09 17:30"), ("+2cd", "03-09 17:30"), ("+3cd", "03-09 17:30"),
    ]  # fmt: skip
    assert ladder("3cd", "03-03 10:00", escalate=["+1wd", "+2wd", "+3wd"]) == [
        ("+1wd", "03-09 17:30"), ("+2wd", "03-10 17:30"), ("+3wd", "03-11 17:30"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        ("48h", [("-1wd", "03-06 17:30"), ("-4wh", "03-06 13:30"), ("+1wh", "03-09 09:30"), ("+1wd", "03-09 17:30")]),
        ("2wd", [("-1wd", "03-06 17:30"), ("-4wh", "03-09 13:30"), ("+1wh", "03-10 09:30"), ("+1wd", "03-10 17:30")]),
        ("10wh", [("-1wd", "03-06 17:30"), ("-4wh", "03-06 15:00"), ("+1wh", "03-09 11:00"), ("+1wd", "03-10 17:30")]),
        ("1mo", [("-1wd", "04-03 17:30"), ("-4wh", "04-07 13:30"), ("+1wh", "04-08 09:30"), ("+1wd", "04-08 17:30")]),
    ],
)  # fmt: skip
def test_working_units_stand_on_any_limit(within: str, expected: list[tuple[str, str]]) -> None:
    """Counted from the deadline, whatever that was counted in; a day is that after the deadline's."""
    warn, escalate = ["-1wd", "-4wh"], ["+1wd", "+1wh"]
    found = ladder(within, "03-05 16:30", "04-30 00:00", warn=warn, escalate=escalate)
    assert sorted(found) == sorted(expected)


def test_round_the_clock_a_working_day_is_a_day() -> None:
    """A deadline at midnight belongs to the day that ends there."""
    found = ladder("1cd", "03-06 16:30", warn=["-1wd"], escalate=["+1wd", "+24wh"], calendar="cn_always")
    assert found == [("-1wd", "03-07 00:00"), ("+1wd", "03-09 00:00"), ("+24wh", "03-09 00:00")]


def test_past_the_deadline_it_counts_while_the_limit_runs() -> None:
    """A hold puts off what comes after it."""
    limit = TimeLimit(within="2h", escalate=["+2wh", "+1wd"])
    desk = Desk(work(limit), "03-02 09:00").hold("03-02 11:30").resume("03-03 15:00")
    assert climbed(desk, "03-31 00:00") == [("+2wh", "03-03 16:30"), ("+1wd", "03-03 17:30")]


def test_what_comes_before_a_scheduled_instant_is_as_it_was() -> None:
    """`by`, `before` and `after` always took working units."""
    limit = TimeLimit(before="meeting - 2h", warn=["-1wd", "-30m"], escalate=["+1wd"])
    desk = Desk(booked(limit), "03-02 09:00", data={"meeting": at("03-06 16:00").isoformat()})
    assert climbed(desk, "03-31 00:00") == [
        ("-1wd", "03-05 17:30"),
        ("-30m", "03-06 13:30"),
        ("+1wd", "03-09 17:30"),
    ]


def test_in_opening_hours_nothing_is_told_at_night() -> None:
    """What falls in closed hours waits for the next opening; what falls in open ones does not."""
    given = {"warn": ["50%"], "escalate": ["100%", "+1h", "+40h"]}
    assert ladder("14h", "03-03 09:00", **given) == [
        ("50%", "03-03 16:00"), ("100%", "03-03 23:00"), ("+1h", "03-04 00:00"), ("+40h", "03-05 15:00"),
    ]  # fmt: skip
    assert ladder("14h", "03-03 09:00", **given, in_opening_hours=True) == [
        ("50%", "03-03 16:00"), ("+1h", "03-04 08:30"), ("100%", "03-04 08:30"), ("+40h", "03-05 15:00"),
    ]  # fmt: skip


def test_a_warning_never_passes_its_deadline() -> None:
    """It goes to the last opening before; at the start where there was none; one that fits waits for its opening."""
    weekend = {"warn": ["75%"], "in_opening_hours": True}
    assert ladder("60h", "03-06 10:00", **weekend) == [("75%", "03-06 13:30")]
    assert ladder("30m", "03-07 10:00", **weekend) == [("75%", "03-07 10:00")]
    assert ladder("72h", "03-06 10:00", **weekend) == [("75%", "03-09 08:30")]
    assert ladder("2cd", "03-06 10:00", warn=["-2wd"], in_opening_hours=True) == [("-2wd", "03-06 10:00")]
    assert ladder("2wd", "03-05 10:00", warn=["-1wd"], in_opening_hours=True) == [("-1wd", "03-09 08:30")]


def test_a_missed_occurrence_is_told_before_the_next_begins() -> None:
    """Its escalation cannot wait for an opening, since the next interval has begun by then."""
    every = {"every": "20h", "done_by": "tea", "escalate": ["100%"]}
    plain, waiting = (
        climbed(Desk(work(TimeLimit(**every, in_opening_hours=waits)), "03-03 09:00"), "03-06 00:00")
        for waits in (False, True)
    )
    assert plain == waiting
    assert len(plain) == 3


TEXT = """\
procedure: p
steps:
  work: {within: {within: 3cd, warn: [-2wd, 75%], escalate: [+1wd, +1wh], in_opening_hours: true}, to: {go: end}}
  end: {end: completed}
"""


def test_it_is_written_as_it_was_read() -> None:
    """In its place; what does not use it is written without."""
    declared = parse_document(TEXT).build(structure_procedure)
    limit = declared.steps[0].within
    assert limit.in_opening_hours
    assert [rung.at for rung in (*limit.warn, *limit.escalate)] == ["-2wd", "75%", "+1wd", "+1wh"]
    assert parse_document(dump(declared)).build(structure_procedure) == declared
    assert "in_opening_hours" not in dump(work("3cd"))


def test_people_are_told_that_it_waits() -> None:
    """In the note under the map, at the head of an explanation, and where a point was moved."""
    limit = TimeLimit(within="14h", escalate=["+1h"], in_opening_hours=True)
    desk = Desk(work(limit), "03-03 09:00").tick("03-05 00:00")
    told = desk.engine.explain(desk.id, "work")
    assert "warnings and escalations in opening hours" in told.text("en")
    assert "Wed 03-04 08:30: escalation 1 hour after it was due, moved to opening hours" in told.text("en")
    assert "升级（截止后 1小时，移到开放时间）" in told.text("zh")
    note = scene_of(work(limit)).notes[0]
    assert "in opening hours" in note.body.en
    assert "预警与升级在开放时间内" in note.body.zh
