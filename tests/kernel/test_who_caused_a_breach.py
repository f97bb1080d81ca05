"""A breach is put down to who caused it, never to who happens to ask next, nor to whom they act for then."""

from __future__ import annotations

import attrs
import pytest
from kernel_cases import CALENDARS, HOUR, MINUTE, MONDAY, Case, fork, line, move, procedure
from version_cases import VersionedCase

from svcflow.kernel import Actor, Fire, Start, compile_procedure, transact
from svcflow.kernel.facts import Deviated, Moved, Overdue
from svcflow.kernel.instance import NEVER
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step
from svcflow.worktime.instants import to_us

LI, WANG = Actor("li", ("clerk",)), Actor("wang", ("clerk",))
WANG_FOR_SUN = Actor("wang", ("clerk",), "sun")
MEETING = (Field("meeting", type="instant"), Field("note"))
AT_TEN = {"meeting": "2026-03-02T10:00:00+08:00"}

asked = line("asked", "work", "end")


def later(before: str | None, **more: object) -> Procedure:
    """A meeting that is asked for in a first step, and has to be prepared in the second."""
    limit = TimeLimit(before=before) if before else None
    first, work, end = asked
    return procedure(first, attrs.evolve(work, within=limit), end, fields=MEETING, **more)


def breaches(case: Case) -> list[tuple[str, str, str]]:
    return [(one.deviation, one.actor, one.behalf) for one in case.facts if isinstance(one, Overdue)]


@pytest.mark.parametrize("ticked", ["ticked", ""])
def test_a_minimum_that_a_deemed_move_ends_early_is_of_nobody(ticked: str):
    """Who asks next, hours later, did not end it: a tick in between changes nothing."""
    desk = Step("desk", within="1h", on_overdue="pass", to=(move("pass", "shown"),))
    shown = Step("shown", to=(move("end", "end"),))
    notice = TimeLimit(id="notice", from_="desk", to="shown", at_least="8h")
    case = Case(procedure(desk, shown, Step("end", end="completed"), limits=(notice,)))
    if ticked:
        case.wait(2 * HOUR)
    case.update(2 * HOUR, actor=LI)
    early = [one for one in case.facts if isinstance(one, Deviated)]
    assert [(one.deviation, one.actor) for one in early] == [("too_early", "")]


def test_who_ends_a_minimum_early_is_on_record_also_when_branches_join():
    """The end of the last branch that follows from their own move is theirs."""
    whole = fork("both", move("done", "end"), x=line("x", "x_end"), y=line("y", "y_end"))
    notice = TimeLimit(id="notice", at_least="8h")
    case = Case(procedure(whole, Step("end", end="completed"), limits=(notice,)))
    case.fire("to_x_end", actor=LI)
    case.fire("to_y_end", actor=WANG_FOR_SUN)
    assert [(one.actor, one.behalf) for one in case.of("Deviated")] == [("wang", "sun")]


def test_short_notice_is_not_of_whom_the_booker_acts_for_another_time():
    """Booked for oneself, passed on for somebody else: only who booked is named; and the other way round."""
    own = Case(later("meeting - 2h"), data=AT_TEN, actor=WANG)
    own.fire("to_work", MINUTE, actor=WANG_FOR_SUN)
    assert breaches(own) == [("short_notice", "wang", "")]
    for_sun = Case(later("meeting - 2h"), data=AT_TEN, actor=WANG_FOR_SUN)
    for_sun.fire("to_work", MINUTE, actor=LI)
    assert breaches(for_sun) == [("short_notice", "wang", "sun")]


def test_who_booked_is_known_to_a_later_version_that_first_hangs_a_limit_on_it():
    """Booked in time under a version without the limit it is overdue, and too late it is of who booked."""
    in_time = VersionedCase(later(None), later("meeting - 30m"), data=AT_TEN, actor=LI)
    in_time.migrate(actor=WANG)
    in_time.fire("to_work", 2 * HOUR, actor=WANG)
    assert breaches(in_time) == [("overdue", "", "")]
    short = VersionedCase(later(None), later("meeting - 2h"), data=AT_TEN, actor=LI)
    short.migrate(actor=WANG)
    short.fire("to_work", MINUTE, actor=WANG)
    assert breaches(short) == [("short_notice", "li", "")]


def test_who_migrates_has_booked_what_they_give_with_it():
    """A scheduled instant that is new comes with the migration, or later."""
    plain = attrs.evolve(later(None), fields=())
    with_it = VersionedCase(plain, later("meeting - 2h"))
    with_it.migrate(actor=WANG, data=AT_TEN)
    with_it.fire("to_work", MINUTE, actor=LI)
    afterwards = VersionedCase(plain, later("meeting - 2h"))
    afterwards.migrate(actor=LI)
    afterwards.update(actor=WANG, data=AT_TEN)
    afterwards.fire("to_work", MINUTE, actor=LI)
    assert breaches(with_it) == breaches(afterwards) == [("short_notice", "wang", "")]


def test_what_moved_before_a_command_leaves_its_own_deemed_move_open():
    """A move that was deemed at the same instant, and left to the decision of the command, counts before it."""
    desk = Step("desk", within=TimeLimit(before="meeting - 2h"), on_overdue="up", to=(move("up", "chief"),))
    chief = Step("chief", to=(move("back", "desk", kind="rework"), move("end", "end")))
    declared = procedure(desk, chief, Step("end", end="completed"), fields=MEETING)
    compiled, at_us = compile_procedure(declared, CALENDARS.__getitem__), to_us(MONDAY)

    def moves(most: int) -> list[tuple[str, bool]]:
        first = transact(compiled, None, Start("i1", AT_TEN, actor=LI), at_us, most)
        second = transact(compiled, first.instance, Fire("back", LI), at_us)
        facts = (*first.facts, *second.facts)
        return [(one.trigger, one.automatic) for one in facts if isinstance(one, Moved)]

    assert moves(NEVER) == moves(0) == [("up", True), ("back", False), ("up", True)]
