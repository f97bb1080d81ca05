"""A deadline kept over a migration was promised under one row: another row counts what it says itself."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from kernel_cases import HOUR, MINUTE, move, procedure
from version_cases import VersionedCase

from svcflow.kernel import replay
from svcflow.kernel.commands import Extend
from svcflow.kernel.facts import Migrated
from svcflow.kernel.instance import Stopwatch, from_state, to_state
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Row, Rung, TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step

DAY = timedelta(days=1)
UNITS = ["h", "wh", "wd", "cd", "mo"]
FIELDS = (Field("urgent", type="boolean", default=False),)
URGENT = {"urgent": True}


def desk(limit: TimeLimit | str) -> Procedure:
    """A step `asked`, left by `go` and come back to by `back`."""
    asked = Step("asked", within=limit, to=(move("go", "passed"),))
    passed = Step("passed", to=(move("back", "asked", kind="rework"), move("end", "done")))
    return procedure(asked, passed, Step("done", end="completed"), fields=FIELDS)


def matrix(urgent: str, otherwise: str, **more: object) -> Procedure:
    more = {"on_change": "from_start", **more}
    return desk(TimeLimit(match=[Row(urgent, "urgent"), Row(otherwise)], **more))


def same_due(case: VersionedCase, other: VersionedCase) -> None:
    one, two = case.clock("asked"), other.clock("asked")
    assert (one.due_us, one.overdue, one.extra) == (two.due_us, two.overdue, two.extra)
    assert case.deadline("asked").remaining == other.deadline("asked").remaining


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kept", [2, 6, 12])
@pytest.mark.parametrize("mode", ["from_start", "from_now"])
@pytest.mark.parametrize("held", ["", "before", "during", "after"])
def test_another_row_counts_what_it_says(unit: str, kept: int, mode: str, held: str):
    """Whether the kept deadline was earlier or later, the new row is due as if it had applied under this version."""
    into = matrix(f"1{unit}", f"8{unit}", on_change=mode)
    case, other = VersionedCase(desk(f"{kept}{unit}"), into), VersionedCase(into)
    for one in (case, other):
        if held in ("before", "during"):
            one.hold(MINUTE)
        if held == "before":
            one.resume(MINUTE)
    promised = case.instance.stopwatches["asked"].due_us
    case.migrate()
    other.wait(MINUTE)
    assert case.clock("asked").due_us == promised
    for one in (case, other):
        one.update(data=URGENT)
        if held == "during":
            one.resume(MINUTE)
        if held == "after":
            one.hold(MINUTE)
            one.resume(MINUTE)
    same_due(case, other)
    assert case.all_deviations == other.all_deviations == ()
    case.wait(100 * DAY)
    assert [(one.kind, one.limit) for one in case.all_deviations] == [("overdue", "asked")]


def test_warnings_follow_the_row():
    """What is to be warned of is the row's own share, not one of less than nothing."""
    into = matrix("4wh", "8wh", warn=[Rung("50%")])
    case = VersionedCase(desk("2wh"), into)
    case.migrate()
    case.update(data=URGENT)
    case.wait(3 * HOUR)
    assert [case.when(fact) for fact in case.of("Warned")] == ["Mon 11:00"]


def test_a_row_that_changes_between_two_visits_counts_what_it_says():
    """A limit that had ended keeps its deadline over the migration, and gives way when it is entered anew."""
    into = matrix("3h", "8h")
    case = VersionedCase(desk("2h"), into)
    case.fire("go", 30 * MINUTE)
    case.migrate()
    case.fire("back", data=URGENT)
    assert case.clock("asked").extra == 0
    assert case.deadline("asked").remaining == 3 * HOUR - 30 * MINUTE


def test_kept_again_and_again_it_still_gives_way():
    """Every migration keeps the same instant; the row of the last version counts its own."""
    case = VersionedCase(desk("2h"), matrix("1h", "8h"), matrix("5h", "9h"))
    case.migrate(2)
    case.migrate(3)
    assert case.due("asked") == "Mon 11:00"
    case.update(data=URGENT)
    assert case.due("asked") == "Mon 14:00"


def test_an_extension_is_not_given_up():
    """What was granted is added to whatever row applies; it is not granted a second time."""
    extension = Extension(by="2h")
    first, into = (
        desk(TimeLimit(within="6h", extension=extension)),
        matrix("4h", "8h", extension=extension),
    )
    case = VersionedCase(first, into)
    case.do(Extend("asked", "more to do"), MINUTE)
    case.migrate()
    assert (case.due("asked"), case.clock("asked").extra) == ("Mon 17:00", 0)
    assert case.do(Extend("asked", "more to do"), MINUTE).refused.rule == "extension"
    case.update(data=URGENT)
    assert case.due("asked") == "Mon 15:00"


def test_a_limit_that_comes_back_shorter_is_due_when_it_was():
    """Dropped by one version and declared anew by the next, it counts to the deadline it had, also after a hold."""
    bare = procedure(*(attrs.evolve(step, within=None) for step in desk("2h").steps), fields=FIELDS)
    case = VersionedCase(desk("2h"), matrix("1h", "8h"), bare, desk("1wh"))
    for version in (2, 3, 4):
        case.migrate(version)
    assert case.due("asked") == "Mon 11:00"
    case.hold(0 * MINUTE)
    case.resume(HOUR)
    assert case.due("asked") == "Mon 12:00"


@pytest.mark.parametrize("unit", ["wh", "wd"])
def test_where_an_older_journal_had_no_answer_the_row_counts_its_own(unit: str):
    """Working time less than nothing raised an error: no journal holds what it led to."""
    case = VersionedCase(desk(f"2{unit}"), matrix(f"1{unit}", f"8{unit}"))
    case.migrate()
    old = _as_recorded_before(case)
    old.update(data=URGENT)
    other = VersionedCase(matrix(f"1{unit}", f"8{unit}"))
    other.update(2 * MINUTE, data=URGENT)
    assert old.clock("asked").due_us == other.clock("asked").due_us


def test_an_older_journal_leads_where_it_led():
    """A migration that does not say so keeps adding to every row, as it did when it was recorded."""
    case = VersionedCase(desk("6h"), matrix("4h", "8h"))
    case.migrate()
    old = _as_recorded_before(case)
    old.update(data=URGENT)
    assert old.due("asked") == "Mon 11:00"


def test_a_state_kept_before_the_field_was_there_is_read():
    """Its clocks gave nothing way."""
    case = VersionedCase(desk("2h"))
    state = to_state(case.instance)
    place = next(
        n for n, part in enumerate(state) if isinstance(part, list) and part and part[0][:1] == ("asked",)
    )
    state[place] = [row[: Stopwatch._fields.index("kept")] for row in state[place]]
    assert from_state(state) == case.instance


def _as_recorded_before(case: VersionedCase) -> VersionedCase:
    """Return the case as a journal of the time before `gives_way` leaves it."""
    case.facts = [
        attrs.evolve(fact, gives_way=False) if isinstance(fact, Migrated) else fact for fact in case.facts
    ]
    case.instance = replay(case.version_of, case.facts)
    return case
