"""A limit whose time is used up makes its deemed move again when its clock goes on: waiting longer gains nothing."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from kernel_cases import HOUR, Case, fork, line, move, procedure
from version_cases import VersionedCase

from svcflow.kernel.facts import Moved
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import HoldRule, Procedure
from svcflow.model.step import Step

DAY = timedelta(days=1)


def desk(*, on_overdue: str | None = "up", back: str = "continue", **more: object) -> Procedure:
    """A clerk's step that goes up to the chief by itself after an hour, and may be sent back."""
    check = Step(
        "check", within="1h", on_overdue=on_overdue, to=(move("up", "chief"), move("ok", "done")), **more
    )
    chief = Step("chief", to=(move("back", "check", kind="rework", clock=back), move("end", "done")))
    return procedure(check, chief, Step("done", end="completed"))


def moves(case: Case) -> list[tuple[str, str, bool]]:
    return [(one.trigger, case.when(one), one.automatic) for one in case.facts if isinstance(one, Moved)]


def test_sent_back_with_the_time_used_up_it_goes_up_at_once():
    """The clock goes on where it stood, so what is deemed at its end is deemed at once; the breach is not counted again."""
    case = Case(desk())
    case.wait(2 * HOUR)
    case.fire("back")
    assert moves(case) == [("up", "Mon 10:00", True), ("back", "Mon 11:01", False), ("up", "Mon 11:01", True)]
    assert case.instance.steps == ("chief",)
    assert [one.kind for one in case.all_deviations] == ["overdue"]


def test_a_clock_that_restarts_has_its_time_again():
    """Sent back with `clock: restart` nothing is used up."""
    case = Case(desk(back="restart"))
    case.wait(2 * HOUR)
    case.fire("back")
    assert case.instance.steps == ("check",)
    case.wait(2 * HOUR)
    assert case.instance.steps == ("chief",)


def test_sent_back_with_time_left_it_goes_up_when_that_is_over():
    """Half the hour was used before; the rest is waited for."""
    case = Case(desk())
    case.fire("up", HOUR / 2)
    case.fire("back")
    case.wait(2 * HOUR)
    assert moves(case)[-1] == ("up", "Mon 10:01", True)


def test_a_move_recorded_late_is_followed_at_its_own_instant():
    """What is deemed happens when the step was entered, not when that was written down."""
    case = Case(desk())
    case.wait(2 * HOUR)
    entered_us = case.instance.updated_us + 60_000_000 * 70
    case.fire("back", 3 * HOUR, occurred_us=entered_us)
    assert [one.occurred_us for one in case.facts if isinstance(one, Moved)][-2:] == [entered_us, entered_us]


@pytest.mark.parametrize("held", ["", "held"])
def test_a_migration_that_adds_it_to_a_limit_already_passed_moves(held: str):
    """At the migration, or when the hold that stops the clock is over."""
    case = VersionedCase(desk(on_overdue=None), desk())
    case.wait(2 * HOUR)
    if held:
        case.hold()
    case.migrate()
    if held:
        assert case.instance.steps == ("check",)
        case.resume()
    assert moves(case) == [("up", "Mon 11:03" if held else "Mon 11:01", True)]
    assert case.instance.steps == ("chief",)


def test_a_migration_that_changes_nothing_moves_nothing():
    """A limit over the whole procedure that made its move once does not make it again."""
    whole = (TimeLimit(id="whole", within="1h", on_overdue="up"),)
    here = attrs.evolve(desk(on_overdue=None), limits=whole)
    case = VersionedCase(here, here)
    case.wait(2 * HOUR)
    case.fire("back")
    case.migrate()
    case.hold()
    case.resume()
    assert [one for one in moves(case) if one[2]] == [("up", "Mon 10:00", True)]
    assert case.instance.steps == ("check",)


def test_a_guard_that_was_not_true_at_the_deadline_is_asked_again_after_a_hold():
    """The clock goes on, its time is used up, and the way is open now."""
    check = Step(
        "check", within="1h", on_overdue="up", to=(move("up", "chief", when="ready"), move("ok", "done"))
    )
    case = Case(
        procedure(check, *line("chief", "done"), fields=[Field("ready", type="boolean", default=False)])
    )
    case.wait(2 * HOUR)
    case.hold()
    case.update(data={"ready": True})
    assert case.instance.steps == ("check",)
    case.resume()
    assert case.instance.steps == ("chief",)


def test_the_cap_of_a_wait_that_is_entered_again_ends_it_at_once():
    """A wait that was as long as it may be does not begin anew."""
    waits = Step("waits", waits="recipient", at_most="1h", on_overdue="lapse", to=(move("lapse", "desk"),))
    desk_step = Step("desk", to=(move("ask", "waits", kind="rework"), move("end", "done")))
    case = Case(procedure(waits, desk_step, Step("done", end="completed")))
    case.wait(2 * HOUR)
    case.fire("ask")
    assert case.instance.steps == ("desk",)


def test_a_span_that_begins_again_with_its_time_used_up_moves_at_once():
    """So does one over several steps, once its first is entered again."""
    span = (TimeLimit(id="span", from_="check", to="chief", within="1h", on_overdue="up"),)
    case = Case(attrs.evolve(desk(on_overdue=None), limits=span))
    case.wait(2 * HOUR)
    case.fire("back")
    assert case.instance.steps == ("chief",)


def test_a_step_that_leads_to_itself_is_entered_again():
    """Also then its clock goes on with nothing left."""
    check = Step(
        "check",
        within="1h",
        on_overdue="up",
        to=(move("up", "chief", when="ready"), move("again", "check", kind="rework")),
    )
    case = Case(
        procedure(check, *line("chief", "done"), fields=[Field("ready", type="boolean", default=False)])
    )
    case.wait(2 * HOUR)
    case.fire("again", data={"ready": True})
    assert case.instance.steps == ("chief",)


def test_a_branch_that_ends_at_once_joins():
    """A parallel step whose limit is used up is over as soon as it is entered again."""
    fork_step = attrs.evolve(
        fork(
            "both",
            move("done", "after"),
            move("stop", "after"),
            left=line("l", "l_end"),
            right=line("r", "r_end"),
        ),
        within="1h",
        on_overdue="stop",
    )
    after = Step("after", to=(move("back", "both", kind="rework"), move("end", "z")))
    case = Case(procedure(fork_step, after, Step("z", end="completed")))
    case.wait(2 * HOUR)
    assert case.instance.steps == ("after",)
    case.fire("back")
    assert case.instance.steps == ("after",)


def test_two_limits_that_send_it_to_and_fro_stop():
    """Both used up, each moves once; the instance stands where a person has to look at it."""
    one = Step("one", within="1h", on_overdue="to_two", to=(move("to_two", "two"), move("end", "done")))
    two = Step(
        "two",
        within="1h",
        on_overdue="to_one",
        to=(move("to_one", "one", kind="rework"), move("out", "three")),
    )
    three = Step("three", to=(move("again", "one", kind="rework"),))
    case = Case(procedure(one, two, three, Step("done", end="completed")))
    case.wait(DAY)
    assert [name for name, _, _ in moves(case)] == ["to_two", "to_one", "to_two"]
    assert case.instance.steps == ("two",)
    case.fire("out")
    case.fire("again")
    assert [name for name, _, _ in moves(case)][3:] == ["out", "again", "to_two", "to_one"]
    assert case.instance.steps == ("one",)


def test_the_cap_of_a_hold_is_no_such_limit():
    """A hold that is too long is recorded and moves nothing."""
    case = Case(attrs.evolve(desk(), holds=(HoldRule("third_party", at_most="1h"),)))
    case.hold()
    case.resume(2 * HOUR)
    case.hold()
    assert [one.kind for one in case.all_deviations] == ["long_wait"]
    assert case.instance.steps == ("check",)
