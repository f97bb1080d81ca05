"""Holds and waits: which clocks stand still, for how long they may, and what that costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kernel_cases import HOUR, MICRO, MINUTE, MONDAY, Case, Step, fork, move, procedure, worker

from svcflow.kernel.timing.deadlines import deadlines
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import HoldRule
from svcflow.model.step import HOLD_REASONS
from svcflow.worktime.instants import to_us

DAY = timedelta(days=1)


def two(**more: object) -> Case:
    """One limit that holds stop, one that they do not."""
    return Case(
        procedure(
            Step("a", within="4wh", to=(move("go", "end"),)),
            Step("end", end="completed"),
            limits=(TimeLimit(id="hard", within="24h", stoppable=False),),
            **more,
        )
    )


def test_a_hold_stops_the_stoppable_clocks_and_no_others():
    """Held 10:00-15:00 in 4wh from 09:00 → next day 09:00; the limit that may not stop keeps its deadline."""
    case = two()
    case.hold(HOUR)
    assert case.due("a") is None
    assert case.deadline("a").state == "paused"
    assert case.deadline("a").remaining == 3 * HOUR
    assert case.due("hard") == "Tue 09:00"
    case.resume(5 * HOUR)
    assert case.due("a") == "Tue 09:00"
    assert case.due("hard") == "Tue 09:00"


def test_nothing_stoppable_fires_during_a_hold():
    """A clock that stands still reaches nothing, however long the hold."""
    case = two()
    case.hold(HOUR)
    case.wait(30 * DAY)
    assert [fact.limit for fact in case.of("Overdue")] == ["hard"]


def test_a_hold_at_the_deadline_comes_too_late_to_save_it():
    """Held at the very deadline: met so far, overdue a microsecond later, for the time is used up."""
    case = two()
    case.hold(timedelta(hours=5, minutes=30))
    assert case.deadline("a").remaining == timedelta(0)
    assert case.of("Overdue") == []
    case.wait(MICRO)
    assert [(fact.limit, case.when(fact)) for fact in case.of("Overdue")] == [("a", "Mon 14:30")]


def test_a_hold_after_the_breach_changes_nothing_about_it():
    """The breach stands, its deadline stays visible; time on hold is no overrun."""
    case = two()
    case.hold(6 * HOUR + 30 * MINUTE)
    assert case.deadline("a").state == "overdue"
    assert case.due("a") == "Mon 14:30"
    case.resume(HOUR)
    case.fire("go", after=30 * MINUTE)
    settled = case.of("Settled")[0]
    assert settled.overrun_us == 90 * 60_000_000  # 14:30-15:30 and 16:30-17:00


def test_hold_while_held_and_resume_while_running_are_refused():
    """Both are refused and kept in the journal."""
    case = two()
    case.resume()
    assert case.rule == "not_held"
    case.hold()
    case.hold()
    assert case.rule == "held"
    assert case.kinds == ["Started", "Refused", "Held", "Refused"]


def test_only_the_reasons_of_the_list_hold():
    """Without own rules the closed list of reasons holds; with rules, theirs alone."""
    for reason in HOLD_REASONS:
        case = two()
        case.hold(reason=reason)
        assert case.instance.hold == reason
    case = two()
    case.hold(reason="tired")
    assert case.rule == "hold_reason"
    assert "statutory" in case.outcome.remedy.en
    case = two(holds=(HoldRule("recipient"),))
    case.hold(reason="third_party")
    assert case.rule == "hold_reason"


def test_a_hold_owes_the_evidence_its_rule_names():
    """行政许可法 §45: the recipient has to be told; without that evidence the hold is refused."""
    case = two(holds=(HoldRule("recipient", evidence=("notice",)),))
    case.hold(reason="recipient")
    assert case.rule == "evidence"
    case.hold(reason="recipient", evidence={"notice": "n-1"}, actor=worker("li"))
    assert case.instance.status == "held"
    assert "notice" in case.instance.evidence


def capped(**more: object) -> Case:
    return two(holds=(HoldRule("third_party", at_most="2wh", **more),))


def test_a_hold_over_its_cap_is_a_deviation_of_its_own_kind():
    """The cap runs while the instance is held; passing it is `long_wait`, settled when the hold ends."""
    case = capped()
    case.hold(HOUR)
    assert case.due("hold.third_party") == "Mon 12:00"
    case.resume(4 * HOUR)
    assert case.deviations == [("long_wait", "a")]
    assert case.all_deviations[0].overrun == 30 * MINUTE
    assert case.kinds[-3:] == ["Overdue", "Resumed", "Settled"]


def test_each_hold_has_the_whole_cap():
    """The cap is of one hold: a second one starts with the whole of it, under its own visit."""
    case = capped()
    for _ in range(2):
        case.hold(MINUTE)
        case.resume(HOUR)
    assert case.deviations == []
    case.hold(MINUTE)
    assert case.deadline("hold.third_party").visit == 3
    case.resume(2 * DAY)
    case.hold(MINUTE)
    case.resume(DAY)
    assert [one.visit for one in case.all_deviations if one.kind == "long_wait"] == [3, 4]


def test_a_hold_within_its_cap_leaves_no_deviation():
    """Resumed at the cap: met."""
    case = capped()
    case.hold(HOUR)
    case.resume(2 * HOUR)
    assert case.deviations == []
    assert case.deadline("hold.third_party", ended=True).state == "met"


def test_a_deemed_move_happens_on_hold_too_and_ends_it():
    """A limit that may not stop moves the instance also while it is held; at the end the hold is over."""
    case = Case(
        procedure(
            Step("a", to=(move("go", "end"),)),
            Step("end", end="completed"),
            holds=(HoldRule("third_party", at_most="1h"),),
            limits=(TimeLimit(id="hard", within="3h", stoppable=False, on_overdue="go"),),
        )
    )
    case.hold(HOUR)
    case.wait(DAY)
    assert (case.instance.status, case.instance.hold) == ("ended", "")
    assert [(fact.limit, fact.overrun_us) for fact in case.of("Settled")] == [
        ("hard", 0), ("hold.third_party", 3_600_000_000),
    ]  # fmt: skip


def waiting(**more: object) -> Case:
    return Case(
        procedure(
            Step("work", within="4wh", to=(move("wait", "parts"), move("go", "end"))),
            Step("parts", waits="third_party", at_most="1wd", to=(move("come", "work"),), **more),
            Step("end", end="completed"),
            limits=(TimeLimit(id="all", within="10wh"), TimeLimit(id="hard", within="24h", stoppable=False)),
        )
    )


def test_a_waiting_step_stops_the_stoppable_clocks_but_not_its_own():
    """In a `waits` step the whole procedure's clock stands still; the cap of the wait runs."""
    case = waiting()
    case.fire("wait", after=HOUR)
    assert case.due("all") is None
    assert case.due("hard") == "Tue 09:00"
    assert case.due("parts.wait") == "Tue 17:30"
    case.wait(3 * DAY)
    assert case.deviations == [("overdue", "parts"), ("long_wait", "parts")]
    case.fire("come", after=HOUR)
    assert case.deadline("all").remaining == 9 * HOUR
    assert case.deadline("work").remaining == 3 * HOUR


def test_resuming_a_hold_in_a_waiting_step_keeps_the_clocks_stopped():
    """Two reasons to stand still: the clocks go on when neither is left."""
    case = waiting()
    case.fire("wait", after=HOUR)
    case.hold()
    case.resume()
    assert case.deadline("all").state == "paused"
    case.fire("come")
    assert case.deadline("all").state == "running"


def test_a_branch_that_waits_does_not_stop_one_that_works():
    """The clocks stop only when every branch still open waits."""
    case = Case(
        procedure(
            fork(
                "p",
                move("done", "end"),
                x=(Step("x1", waits="recipient", to=(move("fx", "x2"),)), Step("x2", end="done")),
                y=(Step("y1", to=(move("fy", "y2"),)), Step("y2", end="done")),
            ),
            Step("end", end="completed"),
            limits=(TimeLimit(id="all", within="10wh"),),
        )
    )
    assert case.deadline("all").state == "running"
    case.fire("fy")
    assert case.deadline("all").state == "paused"


def test_a_limit_opened_again_while_held_has_no_deadline_yet():
    """Back in a step while everything stands still: `remaining`, but no instant."""
    case = Case(
        procedure(
            Step("a", within="2wh", to=(move("go", "b"), move("end_it", "end"))),
            Step(
                "b",
                within=TimeLimit(within="1h", stoppable=False, on_overdue="back"),
                to=(move("back", "a"),),
            ),
            Step("end", end="completed"),
        )
    )
    case.fire("go", after=HOUR)
    case.hold()
    case.wait(2 * HOUR)
    assert case.instance.steps == ("a",)
    deadline = case.deadline("a")
    assert (deadline.state, deadline.due_at, deadline.remaining) == ("paused", None, HOUR)
    case.resume()
    assert case.deadline("a").remaining == HOUR


def test_working_days_count_when_the_clock_runs_at_their_closing():
    """5wd from Monday, held Tuesday 16:00 to Thursday 09:00 → Wednesday 03-11; within a day unchanged."""

    def due(held_after: timedelta, held_for: timedelta) -> str:
        case = Case(procedure(Step("a", within="5wd", to=(move("go", "end"),)), Step("end", end="completed")))
        case.hold(held_after)
        assert case.deadline("a").remaining > timedelta(0)
        case.resume(held_for)
        return case.deadline("a").due_at.astimezone(MONDAY.tzinfo).strftime("%m-%d %H:%M")

    assert due(DAY + 7 * HOUR, DAY + 17 * HOUR) == "03-11 17:30"
    assert due(DAY + HOUR, 2 * HOUR) == "03-09 17:30"


def test_a_hold_that_begins_at_a_closing_takes_no_day_away():
    """Every counted day was done before the hold: the deadline stays where it was reached."""
    case = Case(procedure(Step("a", within="1wd", to=(move("go", "end"),)), Step("end", end="completed")))
    case.hold(DAY + timedelta(hours=8, minutes=30))  # Tuesday 17:30
    case.resume(DAY)
    assert case.due("a") == "Tue 17:30"


@pytest.mark.parametrize(
    ("held", "expected"),
    [(((HOUR, HOUR), (3 * HOUR, 2 * HOUR)), "Mon 17:30"), (((3 * HOUR, 90 * MINUTE),), "Mon 14:30")],
)
def test_pauses_add_up_in_the_limits_own_clock(held, expected):
    """4wh from 09:00: pauses 10-11 and 14-16 → 17:30; a pause outside hours changes nothing."""
    case = Case(procedure(Step("a", within="4wh", to=(move("go", "end"),)), Step("end", end="completed")))
    for after, for_ in held:
        case.hold(after)
        case.resume(for_)
    assert case.due("a") == expected


def test_resumed_in_the_evening_the_rest_runs_next_morning():
    """Resume at 20:00 with 2wh left → next day 10:30."""
    case = Case(procedure(Step("a", within="4wh", to=(move("go", "end"),)), Step("end", end="completed")))
    case.hold(2 * HOUR)
    case.resume(9 * HOUR)
    assert case.due("a") == "Tue 10:30"
    assert len(deadlines(case.compiled, case.instance, to_us(case.now))) == 1
