"""Clocks, ladders and deemed moves: what time brings by itself, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kernel_cases import HOUR, MICRO, MINUTE, MONDAY, Case, Step, fork, line, move, procedure

from svcflow.errors import AutomaticLoop
from svcflow.kernel import NOBODY, decide, deviations_of
from svcflow.kernel.facts import Escalated, Overdue, Settled, Warned
from svcflow.kernel.moves.availability import available
from svcflow.model.field import Field
from svcflow.model.limit import Row, Rung, TimeLimit
from svcflow.worktime.instants import to_us

DAY = timedelta(days=1)


def one(within: object, **more: object) -> Case:
    limit = TimeLimit(within=within, **more)
    return Case(procedure(Step("a", within=limit, to=(move("go", "end"),)), Step("end", end="completed")))


@pytest.mark.parametrize(
    ("within", "due"),
    [("30m", "Mon 09:30"), ("2h", "Mon 11:00"), ("1d", "Tue 09:00"), ("2wh", "Mon 11:00"), ("4wh", "Mon 14:30"),
     ("90wm", "Mon 10:30"), ("3wd", "Thu 17:30"), ("0m", "Mon 09:00"), ("0wd", "Mon 09:00")],
)  # fmt: skip
def test_each_unit_runs_on_its_own_clock(within, due):
    """Elapsed, working and working-day limits of a step, from Monday 09:00 in the office's hours."""
    case = one(within)
    assert case.due("a") == due
    case.wait(10 * DAY)
    overdue = case.of("Overdue")
    assert [case.when(fact) for fact in overdue] == [due]
    assert overdue[0].due_us == overdue[0].occurred_us


@pytest.mark.parametrize("within", ["30m", "2wh", "3wd"])
def test_ended_at_the_very_deadline_is_met_and_a_microsecond_later_overdue(within):
    """The deadline itself still belongs to the limit."""
    due = one(within).deadline("a").due_at
    met, late = one(within), one(within)
    met.fire("go", after=due - MONDAY)
    assert met.kinds == ["Started", "Moved"]
    assert met.deadline("a", ended=True).state == "met"
    late.fire("go", after=due - MONDAY + MICRO)
    assert late.kinds == ["Started", "Overdue", "Moved", "Settled"]
    assert late.deadline("a", ended=True).state == "late"
    assert late.facts[1].occurred_us == late.facts[1].due_us == to_us(due)


def test_the_overrun_is_measured_in_the_limits_own_clock():
    """Due Friday 17:00, ended Monday 09:00: 60 working minutes (64 hours elapsed)."""
    friday = MONDAY.replace(day=6, hour=15)
    limit = TimeLimit(within="2wh")
    case = Case(
        procedure(Step("a", within=limit, to=(move("go", "end"),)), Step("end", end="completed")), at=friday
    )
    case.fire("go", after=timedelta(days=2, hours=18))
    settled = case.facts[-1]
    assert isinstance(settled, Settled)
    assert settled.overrun_us == 3_600_000_000
    assert case.all_deviations[0].overrun == HOUR
    assert case.all_deviations[0].due_at == friday + 2 * HOUR


def test_an_overrun_is_unknown_until_the_limit_has_ended():
    """While the breach goes on its length is not guessed."""
    case = one("1h")
    case.wait(5 * HOUR)
    assert case.all_deviations[0].overrun is None
    assert case.deadline("a").state == "overdue"
    assert case.deadline("a").remaining == -4 * HOUR


def ladder(within: str = "4h") -> Case:
    return one(
        within,
        warn=(Rung("50%"), Rung("75%", role="clerk")),
        escalate=(Rung("100%", role="clerk"), Rung("+30m", role="chief", action="call"), Rung("150%")),
        severity="major",
    )


def test_every_rung_fires_once_at_its_instant_in_order():
    """Warnings before, the breach at, escalations at and after the deadline; never a second time."""
    case = ladder()
    for _ in range(40):
        case.wait(timedelta(minutes=17))
    told = [(fact.kind, getattr(fact, "at", ""), case.when(fact)) for fact in case.facts[1:]]
    assert told == [
        ("Warned", "50%", "Mon 11:00"),
        ("Warned", "75%", "Mon 12:00"),
        ("Overdue", "", "Mon 13:00"),
        ("Escalated", "100%", "Mon 13:00"),
        ("Escalated", "+30m", "Mon 13:30"),
        ("Escalated", "150%", "Mon 15:00"),
    ]
    assert isinstance(case.facts[2], Warned)
    assert case.facts[2].role == "clerk"
    assert isinstance(case.facts[5], Escalated)
    assert (case.facts[5].role, case.facts[5].action) == ("chief", "call")
    assert isinstance(case.facts[3], Overdue)
    assert case.facts[3].severity == "major"


def test_all_rungs_together_are_the_same_as_one_by_one():
    """One tick long after gives the same facts at the same instants as many."""
    often, once = ladder(), ladder()
    for _ in range(10):
        often.wait(HOUR)
    once.wait(10 * HOUR)
    assert [(f.kind, f.occurred_us) for f in often.facts] == [(f.kind, f.occurred_us) for f in once.facts]


@pytest.mark.parametrize("at", ["100%", "+0m"])
def test_escalation_at_the_deadline_does_not_fire_for_what_was_met_at_it(at):
    """Work that ends at the very deadline is met: nobody is told that it was missed."""
    case = one("1h", escalate=(Rung(at),))
    case.fire("go", after=HOUR)
    assert case.kinds == ["Started", "Moved"]
    late = one("1h", escalate=(Rung(at),))
    late.wait(2 * HOUR)
    assert late.kinds == ["Started", "Overdue", "Escalated"]


@pytest.mark.parametrize(
    ("share", "when"), [("50%", "Wed 08:45"), ("75%", "Thu 08:37:30.000000"), ("10%", "Mon 11:57")]
)
def test_a_share_of_working_days_is_a_share_of_the_open_time(share, when):
    """3wd from Monday 09:00 hold 1,770 open minutes until Thursday 17:30; a warning comes at a share of them."""
    case = one("3wd", warn=(Rung(share),))
    case.wait(10 * DAY)
    assert [case.when(fact) for fact in case.of("Warned")] == [when]


def test_a_share_of_working_days_counts_what_ran_before_a_hold():
    """After a hold the share is taken of the open time that ran and that is left."""
    case = one("1wd", warn=(Rung("50%"),))
    case.hold(2 * HOUR)
    case.resume(HOUR)
    case.wait(10 * DAY)
    # 120 minutes before the hold; from 12:00 to Tuesday 17:30 690 more: half of 810 is 405, 285 after 12:00
    assert [case.when(fact) for fact in case.of("Warned")] == ["Tue 09:15"]


def test_working_day_escalation_counts_further_days():
    """`+1wd` is the closing of the next working day after the deadline."""
    case = one("1wd", escalate=(Rung("+1wd"), Rung("200%")))
    case.wait(10 * DAY)
    assert [case.when(fact) for fact in case.of("Escalated")] == ["Wed 17:30", "Wed 17:30"]


def test_warnings_come_before_the_breach_even_of_a_zero_limit():
    """With no time at all, every rung is reached at the start, in its order."""
    case = one("0m", warn=(Rung("75%"),), escalate=(Rung("100%"), Rung("150%")))
    case.wait(MINUTE)
    assert case.kinds == ["Started", "Warned", "Overdue", "Escalated", "Escalated"]
    assert {fact.occurred_us for fact in case.facts} == {to_us(MONDAY)}


def test_a_clock_set_back_counts_as_the_last_recorded_instant():
    """A journal never runs backwards: a command of an earlier hour is taken at the last fact's."""
    case = one("1h")
    case.update(2 * HOUR)
    case.fire("go", after=-HOUR)
    assert case.kinds == ["Started", "Overdue", "Updated", "Moved", "Settled"]
    assert case.facts[-1].occurred_us == case.facts[2].occurred_us
    assert case.facts[-1].recorded_us == to_us(MONDAY + HOUR)


def test_facts_keep_when_they_were_written_down():
    """`recorded_at` is when the scheduler came, `occurred_at` when it was due."""
    case = one("1h")
    case.wait(5 * HOUR)
    assert case.facts[-1].occurred_at == MONDAY + HOUR
    assert case.facts[-1].recorded_at == MONDAY + 5 * HOUR


def deemed(within: str = "2h", **more: object) -> Case:
    return Case(
        procedure(
            Step(
                "check",
                within=within,
                on_overdue="confirm",
                to=(move("confirm", "end", **more), move("back", "check")),
            ),
            Step("end", end="completed"),
            fields=(Field("fee", type="number", default=1),),
        )
    )


def test_a_deemed_move_is_made_at_the_deadline_by_the_system():
    """`on_overdue` moves the instance by itself, at the deadline, and the breach is settled at nothing."""
    case = deemed()
    case.wait(5 * HOUR)
    assert case.kinds == ["Started", "Overdue", "Moved", "Settled"]
    assert {case.when(fact) for fact in case.facts[1:]} == {"Mon 11:00"}
    moved = case.facts[2]
    assert (moved.automatic, moved.actor, moved.to) == (True, "", "end")
    assert case.facts[3].overrun_us == 0
    assert case.instance.ended_at == MONDAY + 2 * HOUR


def test_a_command_at_the_deadline_comes_before_the_deemed_move():
    """At the very deadline the person is still in time; a microsecond later the system was first."""
    case = deemed()
    case.fire("confirm", after=2 * HOUR)
    assert case.kinds == ["Started", "Moved"]
    late = deemed()
    late.fire("confirm", after=2 * HOUR + MICRO)
    assert late.rule == "closed"


def test_a_deemed_move_whose_guard_is_false_is_not_made():
    """Only a transition that is open is deemed made; the breach stays."""
    case = deemed(when="fee > 10")
    case.wait(5 * HOUR)
    assert case.kinds == ["Started", "Overdue"]
    assert case.instance.steps == ("check",)


def test_a_guard_that_cannot_be_decided_deems_nothing():
    """A guard that fails on its data opens nothing by itself either."""
    case = deemed(when='fee > "x"')
    case.wait(5 * HOUR)
    assert case.kinds == ["Started", "Overdue"]


def test_a_deemed_move_of_the_whole_procedure_finds_its_step():
    """A limit over the procedure moves whichever active step has the trigger, the parallel one included."""
    for steps in (
        (Step("a", to=(move("stop", "cancelled"), move("go", "end"))),),
        (
            fork(
                "p",
                move("done", "end"),
                move("stop", "cancelled"),
                x=(Step("x1", to=(move("f", "x2"),)), Step("x2", end="done")),
            ),
        ),
    ):
        case = Case(
            procedure(
                *steps,
                Step("cancelled", end="cancelled"),
                Step("end", end="completed"),
                limits=(TimeLimit(id="all", within="1h", on_overdue="stop"),),
            )
        )
        case.wait(2 * HOUR)
        assert case.instance.outcome == "cancelled"
        assert case.deadline("all", ended=True).state == "late"


def test_a_deemed_move_inside_a_branch_joins():
    """A branch that ends by itself joins like any other."""
    case = Case(
        procedure(
            fork(
                "p",
                move("done", "end"),
                x=(Step("x1", within="1h", on_overdue="f", to=(move("f", "x2"),)), Step("x2", end="done")),
            ),
            Step("end", end="completed"),
        )
    )
    case.wait(2 * HOUR)
    assert case.instance.outcome == "completed"
    assert case.kinds == ["Started", "Overdue", "Moved", "Settled", "Moved"]


def test_a_procedure_that_moves_by_itself_without_end_is_stopped():
    """`within: 0` and `on_overdue` in a circle raise AutomaticLoop; nothing is recorded."""
    case = Case(
        procedure(
            Step("a", within="0m", on_overdue="go", to=(move("go", "b"),)),
            Step(
                "b", within="0m", on_overdue="back", to=(move("back", "a", clock="restart"), move("x", "end"))
            ),
            Step("end", end="completed"),
        )
    )
    # continuing clocks are overdue already and deem nothing; restarted ones would go on for ever
    case.wait(MINUTE)
    assert len(case.of("Moved")) < 5
    looping = procedure(
        Step("a", within="0m", on_overdue="go", to=(move("go", "b", clock="restart"), move("x", "end"))),
        Step("b", within="0m", on_overdue="back", to=(move("back", "a", clock="restart"),)),
        Step("end", end="completed"),
    )
    poisoned = Case(looping)
    with pytest.raises(AutomaticLoop, match="moved by itself more than 100 times"):
        poisoned.wait(MINUTE)
    assert poisoned.kinds == ["Started"]


def test_moves_by_itself_at_different_instants_are_no_loop():
    """The bound holds for one instant: a patrol that moves on every minute goes on."""
    case = Case(
        procedure(
            Step("a", within="1m", on_overdue="go", to=(move("go", "b", clock="restart"), move("x", "end"))),
            Step("b", within="1m", on_overdue="back", to=(move("back", "a", clock="restart"),)),
            Step("end", end="completed"),
        )
    )
    case.wait(200 * MINUTE + MICRO)
    assert len(case.of("Moved")) == 200


def bounce(clock: str) -> Case:
    return Case(
        procedure(
            Step("work", within="4wh", to=(move("hand_in", "check"),)),
            Step("check", to=(move("back", "work", kind="rework", clock=clock), move("confirm", "end"))),
            Step("end", end="completed"),
        )
    )


@pytest.mark.parametrize(
    ("clock", "due", "visit"), [("continue", "Mon 16:00", 1), ("restart", "Tue 09:00", 2)]
)
def test_work_that_comes_back_continues_its_clock_or_starts_anew(clock, due, visit):
    """After 2 of 4wh, re-entered at 14:00: continue → 16:00, restart → next day 09:00."""
    case = bounce(clock)
    case.fire("hand_in", after=2 * HOUR)
    case.fire("back", after=3 * HOUR)
    assert case.due("work") == due
    assert case.deadline("work").visit == visit


def test_a_clock_that_continues_after_its_breach_fires_nothing_again():
    """Bouncing overdue work gains neither time nor a second breach of the same visit."""
    case = bounce("continue")
    case.fire("hand_in", after=10 * HOUR)
    case.fire("back")
    case.wait(2 * DAY)
    case.fire("hand_in")
    assert len(case.of("Overdue")) == 1
    assert [fact.visit for fact in case.of("Settled")] == [1, 1]
    over = [fact.overrun_us for fact in case.of("Settled")]
    assert over == sorted(over)
    assert case.all_deviations[0].overrun_us == over[-1]


def test_each_visit_has_its_own_ladder():
    """A restarted clock warns and breaches again, under its own visit."""
    case = bounce("restart")
    case.fire("hand_in", after=10 * HOUR)
    case.fire("back")
    case.wait(10 * DAY)
    assert [fact.visit for fact in case.of("Overdue")] == [1, 2]


def test_a_step_that_restarts_itself_settles_the_visit_it_ends():
    """Leaving and re-entering in one move ends the overdue visit: its overrun is recorded."""
    case = Case(
        procedure(
            Step("a", within="1h", to=(move("again", "a", clock="restart"), move("go", "end"))),
            Step("end", end="completed"),
        )
    )
    case.fire("again", after=3 * HOUR)
    assert [(fact.visit, fact.overrun_us) for fact in case.of("Settled")] == [(1, 2 * 3_600_000_000)]
    case.fire("go", after=2 * HOUR)
    assert [one.overrun for one in case.all_deviations] == [2 * HOUR, HOUR]


def spans() -> Case:
    return Case(
        procedure(
            *line("a", "b", "c", "d", "end"),
            limits=(
                TimeLimit(id="bd", from_="b", to="d", within="1h"),
                TimeLimit(id="bc", from_="b", to="c", within="1h"),
                TimeLimit(id="never", from_="d", to="b", within="1h"),
                TimeLimit(id="all", within="10h"),
            ),
        )
    )


def test_a_span_runs_from_entering_one_step_to_entering_another():
    """Spans start and end at the entering of their steps; the whole procedure from start to end."""
    case = spans()
    assert [one.limit for one in _open(case)] == ["all"]
    case.fire("to_b")
    assert {one.limit for one in _open(case)} == {"all", "bd", "bc"}
    case.fire("to_c")
    assert {one.limit for one in _open(case)} == {"all", "bd"}
    case.fire("to_d")
    case.fire("to_end")
    assert {d: case.deadline(d, ended=True).state for d in ("all", "bd", "bc", "never")} == {
        "all": "met", "bd": "met", "bc": "met", "never": "cancelled",
    }  # fmt: skip


def _open(case: Case):
    from svcflow.kernel.timing.deadlines import deadlines

    return deadlines(case.compiled, case.instance, to_us(case.now))


def test_a_breached_span_still_open_at_the_end_is_late_and_settled():
    """What was late when the instance ended stays late."""
    case = spans()
    case.fire("to_d", override="x")
    case.fire("to_end", after=3 * HOUR)
    assert case.deadline("never", ended=True).state == "late"
    assert [fact.limit for fact in case.of("Settled")] == ["never"]


def test_deadlines_come_soonest_first():
    """Open deadlines are sorted by their instant."""
    case = spans()
    case.fire("to_b")
    assert [one.limit for one in _open(case)] == ["bc", "bd", "all"]


def test_two_breaches_at_one_instant_come_in_the_order_of_their_clocks():
    """Facts of one instant keep the order in which the limits started."""
    case = Case(
        procedure(
            Step("a", within="1h", to=(move("go", "end"),)),
            Step("end", end="completed"),
            limits=(TimeLimit(id="z", within="1h"), TimeLimit(id="b", within="1h")),
        )
    )
    case.wait(2 * HOUR)
    assert [fact.limit for fact in case.of("Overdue")] == ["a", "z", "b"]


def test_a_row_without_target_sets_no_deadline():
    """`no_target: true` measures nothing and lists no deadline."""
    case = Case(
        procedure(
            *line("a", "end"),
            limits=(TimeLimit(id="m", match=(Row("1h", when="fee > 1"), Row(no_target=True))),),
            fields=(Field("fee", type="number", default=0),),
        )
    )
    assert _open(case) == ()
    case.wait(10 * DAY)
    assert case.kinds == ["Started"]


def matrix(**more: object) -> Case:
    limit = TimeLimit(
        id="a",
        match=(Row("2wh", when='how == "fast"'), Row("4wh", when='how == "mid"'), Row(no_target=True, when="how == 'none'"),
               Row("8wh")),
        **more,
    )  # fmt: skip
    return Case(
        procedure(
            Step("a", within=limit, to=(move("go", "end"),)),
            Step("end", end="completed"),
            fields=(Field("how", default="slow"),),
        )
    )


@pytest.mark.parametrize(
    ("mode", "due"), [("from_start", "Mon 11:00"), ("from_now", "Mon 14:30"), (None, "Mon 14:30")]
)
def test_a_change_mid_flight_counts_from_the_start_or_from_now(mode, due):
    """8wh→2wh at 11:00, started 09:00: from_start 11:00, from_now 14:30, which is a step's default."""
    case = matrix(on_change=mode)
    case.update(2 * HOUR, data={"how": "fast"})
    assert case.due("a") == due


def test_limits_that_face_the_recipient_count_from_the_start():
    """The default for a limit that faces the recipient is from_start."""
    case = matrix(recipient_facing=True)
    case.update(2 * HOUR, data={"how": "fast"})
    assert case.due("a") == "Mon 11:00"


def test_pauses_are_kept_when_the_row_changes():
    """8wh→4wh with 10:00-11:00 held → 15:30, changed while running or while held."""
    for when in ("held", "after"):
        case = matrix(on_change="from_start")
        case.hold(HOUR)
        if when == "held":
            case.update(data={"how": "mid"})
            assert case.due("a") is None
            case.resume(59 * MINUTE)
        else:
            case.resume(HOUR)
            case.update(data={"how": "mid"})
        assert case.due("a") == "Mon 15:30"


def test_from_now_while_held_counts_from_the_resumption():
    """A change from_now while everything stands still leaves the whole new limit for after the hold."""
    case = matrix(on_change="from_now")
    case.hold(HOUR)
    case.update(data={"how": "fast"})
    case.resume(59 * MINUTE)
    assert case.due("a") == "Mon 14:30"


def test_a_new_target_already_past_is_overdue_at_the_change():
    """The deadline is what the new row says; the breach occurs when the change made it one."""
    case = matrix(on_change="from_start")
    case.update(5 * HOUR, data={"how": "fast"})
    overdue = case.of("Overdue")[0]
    assert (case.when(overdue), overdue.due_us) == ("Mon 14:00", to_us(MONDAY + 2 * HOUR))


def test_a_change_to_no_target_disarms_the_limit():
    """A row without target after a change fires nothing more, and back again it does."""
    case = matrix(on_change="from_start")
    case.update(data={"how": "none"})
    assert case.instance.next_us > to_us(MONDAY + 1000 * DAY)
    case.update(data={"how": "mid"})
    assert case.due("a") == "Mon 14:30"


def test_a_breach_stays_a_breach_under_the_row_it_was_one_of():
    """After the breach a softer row changes nothing."""
    case = matrix(on_change="from_start")
    case.update(data={"how": "fast"})
    case.update(4 * HOUR, data={"how": "slow"})
    assert case.deadline("a").state == "overdue"
    case.fire("go")
    assert case.deadline("a", ended=True).state == "late"


def test_a_guard_of_a_row_that_cannot_be_decided_is_no_match():
    """A row whose guard fails on its data is passed over."""
    case = Case(
        procedure(
            Step(
                "a", within=TimeLimit(match=(Row("1h", when='fee > "x"'), Row("2h"))), to=(move("go", "end"),)
            ),
            Step("end", end="completed"),
            fields=(Field("fee", type="number", default=0),),
        )
    )
    assert case.due("a") == "Mon 11:00"


def test_rungs_that_fired_stay_fired_when_the_row_changes():
    """A warning given is not given again by another row of the same limit."""
    case = matrix(on_change="from_start", warn=(Rung("25%"), Rung("75%")))
    case.wait(3 * HOUR)
    case.update(data={"how": "mid"})
    case.wait(10 * DAY)
    assert [fact.at for fact in case.of("Warned")] == ["25%", "75%"]


def test_reading_deadlines_and_available_triggers_is_as_of_now():
    """Both see what time has brought, whether or not a tick has recorded it."""
    case = deemed()
    now_us = to_us(MONDAY + 5 * HOUR)
    assert [one.open for one in available(case.compiled, case.instance, NOBODY, to_us(MONDAY))] == [
        True,
        True,
    ]
    assert available(case.compiled, case.instance, NOBODY, now_us) == ()
    assert case.kinds == ["Started"]


def test_decide_gives_the_facts_alone():
    """`decide` is what drivers of facts need: the facts of a command, or of time."""
    case = one("1h")
    facts = decide(case.compiled, case.instance, None, to_us(MONDAY + 2 * HOUR))
    assert [fact.kind for fact in facts] == ["Overdue"]
    assert decide(case.compiled, case.instance, None, to_us(MONDAY)) == ()
    assert deviations_of([*case.facts, *facts])[0].kind == "overdue"


def test_what_occurred_a_microsecond_earlier_comes_first():
    """A breach is known a microsecond after its deadline, and still comes before what is due just then."""
    limit = TimeLimit(within="2h", warn=("50%",))
    case = Case(
        procedure(
            Step("a", within=limit, to=(move("away", "b"), move("stop", "end"))),
            Step("b", to=(move("back", "a"),)),
            Step("end", end="completed"),
            limits=(TimeLimit(id="all", within="1h", on_overdue="stop"),),
        )
    )
    case.fire("away")
    case.fire("back", after=MICRO)  # the warning of `a` is due a microsecond after the deadline of `all`
    case.wait(2 * HOUR)
    assert case.kinds[3:] == ["Overdue", "Moved", "Settled"]
    assert case.instance.ended_at == MONDAY + HOUR
