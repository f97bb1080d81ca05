"""A step that moves on by itself, at an instant or after a silence: when, how it is recorded, that nothing is overdue by it."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest
from kernel_cases import HOUR, MINUTE, OFFICE, Case, fork, move, procedure
from version_cases import VersionedCase

from svcflow.errors import AutomaticLoop
from svcflow.explanation.explain import explain
from svcflow.kernel.facts import Moved
from svcflow.kernel.instance import NEVER
from svcflow.kernel.lifecycle.work_items import work_of
from svcflow.kernel.timing.deadlines import deadlines
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step
from svcflow.text import Text
from svcflow.worktime.instants import to_us

DAY = timedelta(days=1)
UNTIL = Field("until", type="instant", name=Text("约定时间", "The agreed time"))


def at(day: int, hour: int = 9, minute: int = 0) -> str:
    return datetime(2026, 3, day, hour, minute, tzinfo=OFFICE.timezone).isoformat()


def ask(then: AutomaticMove, **more: object) -> Procedure:
    """A question that is closed by itself, or answered, or put off until an agreed time."""
    asked = Step(
        "asked",
        name=Text("已问", "Asked"),
        then=then,
        to=(
            move("close", "closed", name=Text("未答结案", "Close unanswered")),
            move("answer", "done"),
            move("again", "asked", kind="rework"),
            move("snooze", "asleep"),
        ),
        **more,
    )
    asleep = Step("asleep", then=AutomaticMove("wake", at="until - 10m"), to=(move("wake", "asked"),))
    ends = Step("closed", end="cancelled"), Step("done", end="completed")
    return procedure(asked, asleep, *ends, fields=(UNTIL, Field("urgent", type="boolean")))


SILENCE = AutomaticMove("close", after="2wd")


def moves(case: Case) -> list[tuple[str, str, bool]]:
    return [(one.trigger, case.when(one), one.timed) for one in case.facts if isinstance(one, Moved)]


def test_after_a_silence_it_moves_on_by_itself_and_nobody_is_late():
    """At the closing of the second day, recorded as the system's move, however late a scheduler comes."""
    case = Case(ask(SILENCE))
    case.wait(10 * DAY)
    assert moves(case) == [("close", "Wed 17:30", True)]
    assert case.kinds == ["Started", "Moved"]
    moved = case.facts[-1]
    assert (moved.actor, moved.automatic) == ("", True)
    assert case.deviations == []
    assert case.instance.outcome == "cancelled"


def test_it_is_no_deadline_and_no_work_is_due_by_it():
    """Neither the list of deadlines nor the worklist has it, while it runs and afterwards."""
    case = Case(ask(SILENCE))
    assert deadlines(case.compiled, case.instance, to_us(case.now), ended=True) == ()
    assert [one.due_us for one in work_of(case.compiled, case.instance)] == [NEVER]
    case.fire("answer")
    assert deadlines(case.compiled, case.instance, to_us(case.now), ended=True) == ()


def test_whoever_is_quicker_keeps_it_from_moving():
    """A step that was left does not move on."""
    case = Case(ask(SILENCE))
    case.fire("answer")
    case.wait(10 * DAY)
    assert moves(case) == [("answer", "Mon 09:01", False)]


@pytest.mark.parametrize("clock", ["continue", "restart"])
def test_every_entering_is_a_new_silence(clock):
    """Its clock starts anew, whatever the limits of the step do."""
    declared = ask(AutomaticMove("close", after="2h"))
    steps = [
        attrs.evolve(step, to=[attrs.evolve(one, clock=clock) for one in step.to]) for step in declared.steps
    ]
    case = Case(attrs.evolve(declared, steps=steps))
    case.fire("again", 90 * MINUTE)
    case.wait(DAY)
    assert moves(case) == [("again", "Mon 10:30", False), ("close", "Mon 12:30", True)]


def test_a_hold_stops_a_silence_and_no_agreed_time():
    """What counts stands still; an instant of its own comes all the same."""
    case = Case(ask(AutomaticMove("close", after="2h")))
    case.hold(HOUR)
    case.wait(5 * HOUR)
    assert moves(case) == []
    case.resume()
    case.wait(DAY)
    assert moves(case) == [("close", "Mon 16:01", True)]
    case = Case(ask(AutomaticMove("close", at="until")), data={"until": at(2, 12)})
    case.hold()
    case.wait(DAY)
    assert moves(case) == [("close", "Mon 12:00", True)]


def test_the_wait_of_the_step_itself_does_not_stop_it():
    """It is by waiting that silence is measured; the step needs no longest wait."""
    case = Case(ask(SILENCE, waits="recipient"))
    case.wait(10 * DAY)
    assert moves(case) == [("close", "Wed 17:30", True)]


def test_it_wakes_at_the_agreed_time_which_may_be_moved():
    """An anchor before or after a field; setting the field later sets the instant, changing it moves it."""
    case = Case(ask(SILENCE))
    case.fire("snooze")
    case.wait(HOUR)
    assert case.instance.steps == ("asleep",)
    case.update(data={"until": at(4)})
    case.update(data={"until": at(3)})
    case.wait(DAY)
    assert moves(case)[1:] == [("wake", "Tue 08:50", True)]


def test_an_instant_that_is_past_fires_at_once():
    """On entering, and when it is set while the step waits for it."""
    case = Case(ask(SILENCE), data={"until": at(2, 8)})
    case.fire("snooze")
    assert moves(case) == [("snooze", "Mon 09:01", False), ("wake", "Mon 09:01", True)]
    case = Case(ask(SILENCE))
    case.fire("snooze")
    case.update(data={"until": at(2, 8)})
    assert moves(case)[-1] == ("wake", "Mon 09:02", True)


def test_rows_choose_by_the_data():
    """The first row whose guard is true, counted since the step was entered also when data change the row."""
    rows = (MoveInstant("3h", when="urgent"), MoveInstant("2wd"))
    case = Case(ask(AutomaticMove("close", match=rows)))
    case.update(HOUR, data={"urgent": True})
    case.wait(DAY)
    assert moves(case) == [("close", "Mon 12:00", True)]


def test_at_one_instant_it_comes_before_the_breach_of_a_limit():
    """A limit of the same length is met: the step was left as the limit was due."""
    case = Case(ask(SILENCE, within="2wd"))
    case.wait(10 * DAY)
    assert case.kinds == ["Started", "Moved"]
    assert case.deadline("asked", ended=True).state == "met"


def test_a_limit_that_is_shorter_is_overdue_as_any():
    """The automatic move neither hides nor adds a breach."""
    case = Case(ask(SILENCE, within="1wd"))
    case.wait(10 * DAY)
    assert case.kinds == ["Started", "Overdue", "Moved", "Settled"]
    assert case.deviations == [("overdue", "asked")]


def test_it_ends_a_branch_and_joins():
    """`done` follows when it ends the last branch."""
    left = Step("left", then=AutomaticMove("enough", after="1h"), to=(move("enough", "l_end"),))
    right = Step("right", to=(move("finish", "r_end"),))
    both = fork(
        "both",
        move("done", "end"),
        left=(left, Step("l_end", end="done")),
        right=(right, Step("r_end", end="done")),
    )
    case = Case(procedure(both, Step("end", end="completed")))
    case.fire("finish")
    case.wait(DAY)
    assert moves(case) == [
        ("finish", "Mon 09:01", False),
        ("enough", "Mon 10:00", True),
        ("done", "Mon 10:00", False),
    ]
    assert case.instance.status == "ended"


def test_a_parallel_step_moves_on_though_its_branches_run():
    """The branches are left, as by any other trigger of the step."""
    inner = Step("inner", within="1wd", to=(move("finish", "in_end"),))
    both = fork("both", move("done", "end"), move("give_up", "end"), only=(inner, Step("in_end", end="done")))
    case = Case(
        procedure(attrs.evolve(both, then=AutomaticMove("give_up", after="1h")), Step("end", end="completed"))
    )
    case.wait(DAY)
    assert moves(case) == [("give_up", "Mon 10:00", True)]
    assert case.instance.status == "ended"


def test_steps_that_send_each_other_on_at_one_instant_are_stopped():
    """Two agreed times that are past would circle for ever: the kernel counts, as it does for moves made on overdue."""
    steps = (
        Step("a", then=AutomaticMove("go", at="until"), to=(move("go", "b"),)),
        Step("b", then=AutomaticMove("back", at="until"), to=(move("back", "a"), move("end", "end"))),
        Step("end", end="completed"),
    )
    with pytest.raises(AutomaticLoop):
        Case(procedure(*steps, fields=(UNTIL,)), data={"until": at(1)})


def test_a_migration_keeps_it_or_counts_it_anew():
    """As a deadline: kept as promised, or by the new version; one that is new starts with the migration."""
    old, new = ask(SILENCE), ask(AutomaticMove("close", after="1wd"))
    kept = VersionedCase(old, new)
    kept.migrate(2, HOUR, due="keep")
    kept.wait(10 * DAY)
    assert moves(kept) == [("close", "Wed 17:30", True)]
    anew = VersionedCase(old, new)
    anew.migrate(2, HOUR, due="recompute")
    anew.wait(10 * DAY)
    assert moves(anew) == [("close", "Tue 17:30", True)]
    without = attrs.evolve(
        old, steps=[attrs.evolve(step, then=None) if step.id == "asked" else step for step in old.steps]
    )
    fresh = VersionedCase(without, old)
    fresh.migrate(2, DAY)
    fresh.wait(10 * DAY)
    assert moves(fresh) == [("close", "Thu 17:30", True)]
    dropped = VersionedCase(old, without)
    dropped.migrate(2, DAY)
    dropped.wait(10 * DAY)
    assert moves(dropped) == []


def test_it_goes_with_a_step_that_was_renamed():
    """The timer is named after its step, as a limit is."""
    old = ask(SILENCE)
    renamed = [
        attrs.evolve(
            step,
            id="put" if step.id == "asked" else step.id,
            to=[attrs.evolve(one, step="put" if one.step == "asked" else one.step) for one in step.to],
        )
        for step in old.steps
    ]
    case = VersionedCase(old, attrs.evolve(old, steps=renamed))
    case.migrate(2, HOUR, steps={"asked": "put"})
    case.wait(10 * DAY)
    assert moves(case) == [("close", "Wed 17:30", True)]


def told(case: Case, limit: str, lang: str) -> list[str]:
    return explain(case.compiled, case.facts, limit, to_us(case.now)).text(lang).splitlines()


def test_it_is_explained_with_its_days():
    """When it comes and how that was counted, in both languages; then that it came, or that the step was left."""
    case = Case(ask(SILENCE))
    case.wait(HOUR)
    assert told(case, "asked.then", "en") == [
        "Asked: moves on by itself after 2 working days (Close unanswered)",
        "Mon 2026-03-02 09:00: started, 'Asked' was entered",
        "Mon 03-02: the day it starts is not counted",
        "Tue 03-03: 1 working day counted, 1 working day in all",
        "Wed 03-04: 1 working day counted, 2 working days in all",
        "moves on by itself on Wed 2026-03-04 17:30 (Close unanswered)",
        "as of Mon 03-02 10:00: 21 h of open time left",
    ]
    assert told(case, "asked.then", "zh")[0] == "已问：满 2个工作日自动流转“未答结案”"
    assert told(case, "asked.then", "zh")[5] == "2026-03-04 周三 17:30 自动流转“未答结案”"
    case.wait(10 * DAY)
    assert (
        told(case, "asked.then", "en")[-1]
        == "Wed 03-04 17:30: ended, it moved on by itself (Close unanswered)"
    )
    left = Case(ask(SILENCE))
    left.fire("answer")
    assert told(left, "asked.then", "en")[-1].endswith("it was left before, and did not move on by itself")


def test_an_agreed_time_is_explained_set_or_not():
    """By the name of its field; without an instant it says that nothing moves."""
    case = Case(ask(SILENCE))
    case.fire("snooze")
    assert told(case, "asleep.then", "zh")[-1].endswith("预约时间未定，不会自动流转")
    assert told(case, "asleep.then", "en")[-1].endswith(
        "no scheduled instant, so it does not move on by itself"
    )
    case.update(data={"until": at(3)})
    assert "moves on by itself on Tue 2026-03-03 08:50 (wake)" in told(case, "asleep.then", "en")
    assert told(case, "asleep.then", "zh")[0] == "asleep.then：约定时间前 10分钟自动流转“wake”"
