"""The kinds of limit beyond the numbered cases: scheduled instants, minima, recurrences, times of day, scopes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from timelimit_cases import CHIEF, HOUR, MICRO, MINUTE, WANG, Desk, at, booked, due, procedure, work

from svcflow.model.field import Field
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.step import Step, Transition

# scheduled instants


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        ("meeting", "03-06 16:00"),
        ("meeting - 90m", "03-06 14:30"),
        ("meeting - 1d", "03-05 16:00"),
        ("meeting - 4wh", "03-06 10:30"),
        ("meeting - 2wd", "03-04 17:30"),
    ],
)
def test_before_an_instant_in_each_unit(anchor: str, expected: str) -> None:
    """`before` reckons back in elapsed time, open time, or to the closing of a working day."""
    limit = TimeLimit(before=anchor)
    assert (
        Desk(booked(limit), "03-02 09:00", data={"meeting": at("03-06 16:00").isoformat()}).due() == expected
    )


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        ("meeting + 30m", "03-06 16:30"),
        ("meeting + 2wh", "03-09 09:00"),
        ("meeting + 1wd", "03-09 17:30"),
    ],
)
def test_after_an_instant_in_each_unit(anchor: str, expected: str) -> None:
    """`after` reckons on from the instant."""
    limit = TimeLimit(after=anchor)
    assert (
        Desk(booked(limit), "03-02 09:00", data={"meeting": at("03-06 16:00").isoformat()}).due() == expected
    )


def test_a_scheduled_deadline_is_never_paused() -> None:
    """A hold does not move what must be done before a meeting; it can be missed while held."""
    desk = Desk(
        booked(TimeLimit(before="meeting - 1h")),
        "03-02 09:00",
        data={"meeting": at("03-02 16:00").isoformat()},
    )
    desk.hold("03-02 10:00")
    assert (desk.state(), desk.due()) == ("running", "03-02 15:00")
    desk.go("03-02 15:30")
    assert desk.deviations() == [("overdue", "03-02 15:00")]


def test_a_deadline_follows_its_meeting_both_ways() -> None:
    """Moved later or earlier, the deadline goes along; both instants are in the journal."""
    desk = Desk(
        booked(TimeLimit(before="meeting - 1h")),
        "03-02 09:00",
        data={"meeting": at("03-02 16:00").isoformat()},
    )
    desk.reschedule("03-02 09:10", "03-03 10:00")
    assert desk.due() == "03-03 09:00"
    desk.reschedule("03-02 09:20", "03-02 14:00")
    assert desk.due() == "03-02 13:00"
    moved = desk.facts("Rescheduled")[-1]
    assert (moved.previous, moved.at) == (at("03-03 10:00").isoformat(), at("03-02 14:00").isoformat())


def test_a_cancelled_meeting_booked_again_too_late_is_short_notice() -> None:
    """Cleared and set anew, it is a new booking."""
    desk = Desk(
        booked(TimeLimit(before="meeting - 2h")),
        "03-02 09:00",
        data={"meeting": at("03-02 16:00").isoformat()},
    )
    desk.reschedule("03-02 09:10", None).reschedule("03-02 10:00", "03-02 11:00")
    assert desk.deviations() == [("short_notice", "03-02 10:00")]


def test_a_booking_exactly_at_the_minimum_notice_is_in_time() -> None:
    """The notice is kept to the microsecond: at it in time, after it short."""
    limit = TimeLimit(before="meeting - 2h")
    meeting = {"meeting": at("03-02 11:00").isoformat()}
    assert Desk(booked(limit), "03-02 09:00", data=meeting).deviations() == []
    late = Desk(booked(limit), at("03-02 09:00") + MICRO, data=meeting)
    assert [kind for kind, _ in late.deviations()] == ["short_notice"]


def test_a_row_may_change_to_a_scheduled_instant_and_back_while_held() -> None:
    """What cannot be paused runs though the instance is held; what can be stops again."""
    rows = (Row(before="meeting - 1h", when='how == "fixed"'), Row("4wh"))
    declared = work(
        TimeLimit(match=rows, on_change="from_start"),
        fields=(Field("meeting", type="instant"), Field("how", default="free")),
    )
    desk = Desk(declared, "03-02 09:00", data={"meeting": at("03-03 12:00").isoformat()}).hold("03-02 10:00")
    assert desk.state() == "paused"
    desk.update("03-02 10:30", how="fixed")
    assert (desk.state(), desk.due()) == ("running", "03-03 11:00")
    desk.update("03-02 10:45", how="free")
    assert (desk.state(), desk.due()) == ("paused", None)
    desk.resume("03-02 11:00")
    assert desk.state() == "running"


# minima


def test_a_minimum_ended_early_is_the_deviation() -> None:
    """`at_least` is met at its instant and after; a microsecond before it is `too_early`, by who ended it."""
    limit = TimeLimit(at_least="48h")
    early = Desk(work(limit), "03-02 09:00").fire("finish", at("03-04 09:00") - MICRO)
    assert (early.state(), [kind for kind, _ in early.deviations()]) == ("early", ["too_early"])
    one = early.engine.deviations()[0]
    assert (one.limit, one.actor, one.due_at) == ("work", "wang", at("03-04 09:00"))
    for when in ("03-04 09:00", "03-20 09:00"):
        met = Desk(work(limit), "03-02 09:00").fire("finish", when)
        assert (met.state(), met.deviations()) == ("met", [])


def test_a_minimum_that_has_run_is_reached_and_nothing_is_owed() -> None:
    """Past its instant a minimum is `reached`, with nothing remaining, also while held."""
    desk = Desk(work(TimeLimit(at_least="2wh")), "03-02 09:00").go("03-02 14:00")
    assert (desk.state(), desk.remaining()) == ("reached", timedelta(0))
    desk.hold("03-02 14:30").resume("03-02 15:00").fire("finish")
    assert (desk.state(), desk.deviations()) == ("met", [])


def test_a_minimum_reached_before_a_wait_is_met_when_the_wait_ends_it() -> None:
    """A span that ends while its clock stands still is judged by what ran before."""
    declared = procedure(
        Step("publish", to=(Transition("ask", "asked"),)),
        Step("asked", waits="recipient", at_most="9wd", to=(Transition("close", "end"),)),
        Step("end", end="completed"),
        limits=(TimeLimit(id="notice", from_="publish", to="end", at_least="2wd"),),
    )
    met = Desk(declared, "03-02 09:00").fire("ask", "03-05 09:00").fire("close", "03-05 10:00")
    assert (met.state("notice"), met.deviations()) == ("met", [])
    early = Desk(declared, "03-02 09:00").fire("ask", "03-04 09:00").fire("close", "03-20 10:00")
    assert [kind for kind, _ in early.deviations()] == ["long_wait", "too_early"]


# recurrences

TEA = TimeLimit(every="15m", done_by="tea")


def test_each_missed_interval_is_one_deviation() -> None:
    """Not served for an hour: four misses, each at its own instant, each a visit of its own."""
    desk = Desk(work(TEA), "03-02 09:00").go("03-02 10:05")
    missed = [("missed_occurrence", f"03-02 {clock}") for clock in ("09:15", "09:30", "09:45", "10:00")]
    assert desk.deviations() == missed
    assert [one.visit for one in desk.engine.deviations()] == [1, 2, 3, 4]
    assert desk.due() == "03-02 10:15"


def test_an_occurrence_begins_the_next_interval() -> None:
    """`done_by` counts, at the deadline still in time; the next interval runs from it."""
    desk = Desk(work(TEA), "03-02 09:00").fire("tea", "03-02 09:10").fire("tea", "03-02 09:25")
    assert (desk.due(), desk.deviations()) == ("03-02 09:40", [])


def test_a_recurrence_stands_still_in_a_hold() -> None:
    """Ten minutes ran before the hold; five are left after it."""
    desk = Desk(work(TEA), "03-02 09:00").hold("03-02 09:10").go("03-02 10:00")
    assert desk.deviations() == []
    assert desk.resume("03-02 10:00").due() == "03-02 10:05"


def test_a_recurrence_is_of_its_step() -> None:
    """Outside the step nothing is missed; entered again, the interval goes on."""
    declared = procedure(
        Step(
            "meeting",
            within=TEA,
            to=(Transition("tea", "meeting"), Transition("rest", "break"), Transition("close", "end")),
        ),
        Step("break", to=(Transition("back", "meeting"),)),
        Step("end", end="completed"),
    )
    desk = Desk(declared, "03-02 09:00").fire("rest", "03-02 09:05").fire("back", "03-02 11:00")
    assert (desk.due("meeting"), desk.deviations()) == ("03-02 11:10", [])
    desk.fire("close", "03-02 11:10")
    assert (desk.state("meeting"), desk.deviations()) == ("met", [])


@pytest.mark.parametrize(
    ("every", "dues"), [("2wh", ["03-02 11:00", "03-02 14:30"]), ("1wd", ["03-03 17:30", "03-04 17:30"])]
)
def test_a_recurrence_may_run_in_open_time_or_days(every: str, dues: list[str]) -> None:
    """A patrol every two working hours, a report every working day."""
    desk = Desk(work(TimeLimit(every=every, done_by="tea")), "03-02 09:00").go("03-05 09:00")
    assert desk.deviations()[:2] == [("missed_occurrence", when) for when in dues]


def test_an_escalation_at_a_miss_fires_with_each() -> None:
    """A rung at 100 % of a recurrence is told for every miss."""
    limit = TimeLimit(every="15m", done_by="tea", warn=["80%"], escalate=["100%"])
    desk = Desk(work(limit), "03-02 09:00").tick("03-02 09:31")
    assert desk.told("Warned", "Escalated", "Overdue") == [
        ("Warned", "03-02 09:12"),
        ("Escalated", "03-02 09:15"),
        ("Overdue", "03-02 09:15"),
        ("Warned", "03-02 09:27"),
        ("Escalated", "03-02 09:30"),
        ("Overdue", "03-02 09:30"),
    ]


# times of day


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("03-05 14:00", "03-06 10:00"),
        ("03-05 15:00", "03-06 10:00"),
        ("03-05 15:01", "03-09 10:00"),
        ("03-06 09:00", "03-09 10:00"),
        ("03-07 09:00", "03-10 10:00"),
        ("02-13 09:00", "02-14 10:00"),
        ("02-14 16:00", "02-25 10:00"),
    ],
)
def test_by_a_time_of_the_next_working_day(start: str, expected: str) -> None:
    """`day: +1` counts working days; after the cutoff, or asked on a day off, one more."""
    assert due(TimeLimit(by="10:00", cutoff="15:00", day="+1"), start) == expected


def test_without_a_cutoff_only_the_same_day_can_be_too_late() -> None:
    """By 17:00: asked at 17:00 today, at 17:01 tomorrow. By 17:00 of the next day: tomorrow at any hour."""
    assert due(TimeLimit(by="17:00"), "03-02 17:00") == "03-02 17:00"
    assert due(TimeLimit(by="17:00"), "03-02 17:01") == "03-03 17:00"
    assert due(TimeLimit(by="17:00", day=1), "03-02 20:00") == "03-03 17:00"


def test_a_ladder_before_a_clock_time() -> None:
    """`-10m` is ten minutes before the deadline, `+30m` after it; each is told once."""
    limit = TimeLimit(by="17:00", warn=["-10m", "-1wh"], escalate=["+30m"])
    desk = Desk(work(limit), "03-02 09:00").tick("03-04 09:00").tick("03-05 09:00")
    assert desk.told("Warned", "Overdue", "Escalated") == [
        ("Warned", "03-02 16:00"),
        ("Warned", "03-02 16:50"),
        ("Overdue", "03-02 17:00"),
        ("Escalated", "03-02 17:30"),
    ]


def test_a_ladder_follows_its_meeting_and_is_never_told_twice() -> None:
    """A warning given before a meeting was moved later is not given again."""
    limit = TimeLimit(before="meeting", warn=["-30m"])
    desk = Desk(booked(limit), "03-02 09:00", data={"meeting": at("03-02 10:00").isoformat()}).tick(
        "03-02 09:40"
    )
    desk.reschedule("03-02 09:45", "03-02 16:00").tick("03-02 15:59")
    assert desk.told("Warned") == [("Warned", "03-02 09:30")]
    other = Desk(booked(limit), "03-02 09:00", data={"meeting": at("03-02 10:00").isoformat()})
    other.reschedule("03-02 09:10", "03-02 16:00").tick("03-02 15:59")
    assert other.told("Warned") == [("Warned", "03-02 15:30")]


# scopes


def test_limits_run_in_parallel_over_a_step_a_span_and_the_whole() -> None:
    """Response, arrival and resolution each run on their own, soonest first; the whole never restarts."""
    declared = procedure(
        Step("ask", within="30m", to=(Transition("accept", "go"),)),
        Step("go", to=(Transition("arrive", "fix"),)),
        Step(
            "fix", to=(Transition("again", "ask", clock="restart", kind="rework"), Transition("done", "end"))
        ),
        Step("end", end="completed"),
        limits=(
            TimeLimit(id="arrival", from_="ask", to="fix", within="2wh"),
            TimeLimit(id="whole", within="3wd"),
            TimeLimit(id="talk", from_="go", to="fix", within="1h"),
        ),
    )
    desk = Desk(declared, "03-02 09:00")
    assert [one.limit for one in desk.engine.deadlines(desk.id)] == ["ask", "arrival", "whole"]
    desk.fire("accept", "03-02 09:20").fire("arrive", "03-02 11:00")
    assert [desk.state(name) for name in ("ask", "arrival", "talk", "whole")] == [
        "met",
        "met",
        "late",
        "running",
    ]
    desk.fire("again", "03-02 11:30")
    assert [desk.due(name) for name in ("ask", "arrival", "whole")] == [
        "03-02 12:00",
        "03-02 15:00",
        "03-05 17:30",
    ]
    assert [desk.deadline(name).visit for name in ("ask", "arrival", "whole")] == [2, 2, 1]


def test_a_target_changed_while_away_holds_on_return() -> None:
    """The row is asked again when a step is entered anew: no stale target."""
    declared = procedure(
        Step(
            "work",
            within=TimeLimit(match=(Row("2wh", when='p == "high"'), Row("8wh")), on_change="from_start"),
            to=(Transition("send", "check"),),
        ),
        Step("check", to=(Transition("back", "work"), Transition("done", "end"))),
        Step("end", end="completed"),
        fields=(Field("p", default="low"),),
    )
    desk = Desk(declared, "03-02 09:00").fire("send", "03-02 10:00").update("03-02 10:30", p="high")
    assert desk.fire("back", "03-02 11:00").due() == "03-02 12:00"
    late = Desk(declared, "03-02 09:00").fire("send", "03-02 12:00").update("03-02 14:00", p="high")
    late.fire("back", "03-02 15:00")
    assert late.deviations() == [("breached_on_attach", "03-02 15:00")]
    assert late.due() == "03-02 11:00"


def test_a_new_target_already_past_is_reported_apart() -> None:
    """`breached_on_attach`, at the change; its deadline is where the time had been used up, holds and all."""
    limit = TimeLimit(match=(Row("2wh", when='p == "high"'), Row("8wh")), on_change="from_start")
    declared = work(limit, fields=(Field("p", default="low"),))
    desk = (
        Desk(declared, "03-02 09:00")
        .hold("03-02 11:30")
        .resume("03-02 14:00")
        .update("03-02 15:00", p="high")
    )
    assert desk.deviations() == [("breached_on_attach", "03-02 15:00")]
    assert desk.due() == "03-02 11:00"
    desk.fire("finish", "03-02 15:30")
    assert desk.engine.deviations()[0].overrun == 2 * HOUR
    held = Desk(declared, "03-02 09:00").hold("03-02 11:30").update("03-02 11:45", p="high")
    assert held.deviations() == [("breached_on_attach", "03-02 11:45")]


def test_minutes_and_minor_matters_keep_who_did_them() -> None:
    """A breach that time brings is nobody's; one that a rescheduling caused is the rescheduler's."""
    desk = Desk(
        booked(TimeLimit(before="meeting - 2h")),
        "03-02 09:00",
        data={"meeting": at("03-02 16:00").isoformat()},
    )
    desk.tick("03-02 15:00").fire("finish", at("03-02 15:00") + MINUTE)
    assert [one.actor for one in desk.engine.deviations()] == [""]
    moved = Desk(
        booked(TimeLimit(before="meeting - 2h")),
        "03-02 09:00",
        data={"meeting": at("03-02 16:00").isoformat()},
    )
    moved.reschedule("03-02 13:00", "03-02 13:30", actor=CHIEF)
    moved.deviations()
    assert [one.actor for one in moved.engine.deviations()] == ["zhao"]


LATER = procedure(
    Step("asked", to=(Transition("pass_on", "work"),)),
    Step("work", within=TimeLimit(before="meeting - 2h"), to=(Transition("finish", "end"), Transition("back", "asked", kind="rework"))),
    Step("end", end="completed"),
    fields=(Field("meeting", type="instant"),),
)  # fmt: skip


def _breach(desk: Desk) -> tuple[str, str, str]:
    found = desk.engine.deviations()
    assert len(found) == 1
    return found[0].kind, desk.written(found[0].occurred_at), found[0].actor


def test_short_notice_is_of_who_asked_and_when_though_the_step_begins_later() -> None:
    """Asked at nine for eleven minus a minute, it is short whoever passes it on; the breach is noticed as the step begins."""
    desk = Desk(LATER, "03-02 09:01", data={"meeting": at("03-02 11:00").isoformat()})
    desk.fire("pass_on", "03-02 10:00", actor=CHIEF)
    assert _breach(desk) == ("short_notice", "03-02 10:00", WANG.id)
    moved = Desk(LATER, "03-02 09:00", data={"meeting": at("03-02 16:00").isoformat()})
    moved.reschedule("03-02 09:30", "03-02 11:00").fire("pass_on", "03-02 10:00")
    assert _breach(moved) == ("infeasible_on_reschedule", "03-02 10:00", CHIEF.id)


def test_asked_in_time_and_passed_on_too_late_it_is_overdue() -> None:
    """The notice was long enough; nobody is blamed for the booking, and nobody is named."""
    desk = Desk(LATER, "03-02 09:00", data={"meeting": at("03-02 12:00").isoformat()})
    desk.fire("pass_on", "03-02 11:00", actor=CHIEF)
    assert _breach(desk) == ("overdue", "03-02 11:00", "")


def test_moved_in_time_while_another_step_ran_the_limit_is_breached_as_it_goes_on() -> None:
    """Whoever moved the meeting left time enough; entered again, the limit has a target that is past."""
    desk = Desk(LATER, "03-02 09:00", data={"meeting": at("03-02 16:00").isoformat()})
    desk.fire("pass_on", "03-02 09:10").fire("back", "03-02 09:20").reschedule("03-02 09:30", "03-02 12:00")
    desk.fire("pass_on", "03-02 11:00", actor=CHIEF)
    assert _breach(desk) == ("breached_on_attach", "03-02 11:00", "")


def test_the_same_meeting_given_again_is_no_new_booking() -> None:
    """What was asked for in time stays so, whoever repeats it."""
    meeting = {"meeting": at("03-02 12:00").isoformat()}
    desk = Desk(LATER, "03-02 09:00", data=meeting)
    desk.fire("pass_on", "03-02 11:00", actor=CHIEF, data=meeting)
    assert _breach(desk) == ("overdue", "03-02 11:00", "")


def test_a_booking_recorded_late_is_judged_by_when_it_was_made() -> None:
    """Made at nine, written down at eleven: the notice was long enough."""
    desk = Desk(LATER, "03-02 08:30")
    meeting = {"meeting": at("03-02 12:00").isoformat()}
    desk.fire("pass_on", "03-02 11:00", data=meeting, occurred_at=at("03-02 09:00"))
    assert [one.kind for one in desk.engine.deviations()] == ["overdue", "late_record"]
