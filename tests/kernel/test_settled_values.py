"""A value that a move has settled stays as it is until a rework leads back before that move."""

from __future__ import annotations

import orjson
import pytest
from kernel_cases import MINUTE, Case, fork, move, procedure, worker
from version_cases import VersionedCase

from svcflow.kernel.commands import Reschedule
from svcflow.kernel.instance import from_state, to_state
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.step import Enforce, Step

LI = worker("li")
AMOUNT = Field("amount", type="number", settled_by="submit")
NOTE = Field("note")


def payment(*, fields: tuple[Field, ...] = (AMOUNT, NOTE), **enforce: str) -> Procedure:
    """A draft that is submitted, reviewed and paid, with ways back from both."""
    return procedure(
        Step("draft", to=(move("submit", "review"),)),
        Step("review", to=(move("approve", "paying"), move("back", "draft", kind="rework"))),
        Step(
            "paying",
            to=(
                move("pay", "end"),
                move("look_again", "review", kind="rework"),
                move("start_over", "draft", kind="rework"),
                move("next_round", "draft"),
            ),
        ),
        Step("end", end="completed"),
        fields=fields,
        enforce=Enforce(**enforce),
    )


def submitted(**enforce: str) -> Case:
    case = Case(payment(**enforce))
    case.update(data={"amount": 40})
    case.fire("submit", data={"amount": 50})
    assert case.rule == ""
    assert case.instance.settled == ("amount",)
    return case


def test_from_the_move_on_a_change_is_refused_whatever_brings_it():
    """By an update or with a move; the refusal names the field and the move, in both languages."""
    case = submitted()
    case.update(data={"amount": 60})
    assert case.rule == "settled"
    assert case.facts[-1].en == "amount may not change after submit"
    assert case.facts[-1].zh == "amount 已由“submit”确定，不能再改"
    case.fire("approve", data={"amount": 60})
    assert case.rule == "settled"
    assert case.instance.data["amount"] == 50


def test_the_same_value_and_other_fields_may_come_again():
    """A form that sends what stands there changes nothing."""
    case = submitted()
    case.update(data={"amount": 50, "note": "x"})
    assert case.rule == ""
    case.fire("approve", data={"amount": 50})
    assert case.instance.steps == ("paying",)


def test_emptying_and_filling_in_later_are_changes():
    """What stood empty at the move was settled as empty."""
    case = submitted()
    case.update(data={"amount": None})
    assert case.rule == "settled"
    case = Case(payment())
    case.fire("submit")
    case.update(data={"amount": 1})
    assert case.rule == "settled"


def test_on_record_a_change_is_a_deviation_that_names_the_fields():
    """With `enforce: {settled: record}` it goes through, by an update as with a move."""
    case = submitted(settled="record")
    case.update(data={"amount": 60, "note": "x"}, actor=LI)
    assert case.deviations == [("settled_value_changed", "review")]
    (deviated,) = case.of("Deviated")
    assert (deviated.detail, deviated.actor, deviated.severity) == ({"fields": ["amount"]}, "li", "major")
    case.fire("approve", data={"amount": 70})
    assert case.deviations[1:] == [("settled_value_changed", "review")]
    assert case.instance.data["amount"] == 70


def test_a_transition_may_say_otherwise():
    """Its own `enforce` decides of what comes with it."""
    declared = procedure(
        Step("draft", to=(move("submit", "review"),)),
        Step("review", to=(move("approve", "end", enforce={"settled": "record"}),)),
        Step("end", end="completed"),
        fields=(AMOUNT,),
    )
    case = Case(declared)
    case.fire("submit")
    case.fire("approve", data={"amount": 2})
    assert case.deviations == [("settled_value_changed", "review")]


def test_rework_that_leads_back_before_the_move_opens_the_value():
    """It may bring the new value itself; the next submission settles it again."""
    case = submitted()
    case.fire("back", data={"amount": 55})
    assert (case.rule, case.instance.settled) == ("", ())
    case.update(data={"amount": 60})
    assert case.rule == ""
    case.fire("submit")
    case.update(data={"amount": 61})
    assert case.rule == "settled"


def test_rework_that_does_not_lead_so_far_leaves_it_settled():
    """Back to the review is still behind the submission, and so is another round that is no rework."""
    case = submitted()
    case.fire("approve")
    case.fire("look_again", data={"amount": 60})
    assert case.rule == "settled"
    case.fire("look_again")
    case.update(data={"amount": 60})
    assert case.rule == "settled"
    case.fire("approve")
    case.fire("next_round")
    case.update(data={"amount": 60})
    assert case.rule == "settled"
    case.fire("submit")
    case.fire("approve")
    case.fire("start_over")
    case.update(data={"amount": 60})
    assert case.rule == ""


def test_a_move_that_is_deemed_made_settles_too():
    """Silence counts as the move in every respect."""
    declared = procedure(
        Step("draft", within="2h", on_overdue="submit", to=(move("submit", "review"),)),
        Step("review", to=(move("approve", "end"),)),
        Step("end", end="completed"),
        fields=(AMOUNT,),
    )
    case = Case(declared)
    case.wait(200 * MINUTE)
    case.update(data={"amount": 1})
    assert (case.instance.steps, case.rule) == (("review",), "settled")


def test_in_a_branch_the_value_is_settled_for_all():
    """The other branch changes it no more; rework to the parallel step, or before it, opens it."""
    declared = procedure(
        Step("draft", to=(move("go", "both"),)),
        fork(
            "both",
            move("done", "filed"),
            one=(Step("price", to=(move("fix", "priced"),)), Step("priced", end="done")),
            two=(Step("look", to=(move("seen", "looked"),)), Step("looked", end="done")),
        ),
        Step("filed", to=(move("close", "end"), move("again", "both", kind="rework"))),
        Step("end", end="completed"),
        fields=(Field("amount", type="number", settled_by="fix"),),
    )
    case = Case(declared)
    case.fire("go")
    case.fire("fix")
    case.fire("seen", data={"amount": 1})
    assert case.rule == "settled"
    case.fire("seen")
    case.fire("again")
    case.update(data={"amount": 1})
    assert case.rule == ""


@pytest.mark.parametrize("way", ["refuse", "record"])
def test_a_scheduled_instant_that_is_settled_is_not_rescheduled(way):
    """Nor is it cleared; on record, it is a deviation."""
    visit = Field("visit", type="instant", settled_by="submit", default="2026-03-05T09:00:00+08:00")
    case = Case(payment(fields=(visit,), settled=way))
    case.fire("submit")
    case.do(Reschedule("visit", "2026-03-05T09:00:00+08:00"), MINUTE)
    assert (case.rule, case.deviations) == ("", [])
    case.do(Reschedule("visit", "2026-03-06T09:00:00+08:00"), MINUTE)
    assert case.rule == ("settled" if way == "refuse" else "")
    assert case.deviations == ([] if way == "refuse" else [("settled_value_changed", "review")])


def test_a_log_of_another_system_is_never_refused():
    """What happened is on record."""
    case = Case(payment(), enforce="record")
    case.fire("submit")
    case.update(data={"amount": 2})
    assert case.deviations == [("settled_value_changed", "review")]


def test_a_migration_neither_changes_a_settled_value_nor_opens_it():
    """A version that does not settle it leaves it free; the one after that settles it as before."""
    free = payment(fields=(Field("amount", type="number"), NOTE))
    case = VersionedCase(payment(), free, payment())
    case.fire("submit", data={"amount": 50})
    case.migrate(2, data={"amount": 60})
    assert case.rule == "settled"
    case.migrate(2)
    case.update(data={"amount": 60})
    assert case.rule == ""
    case.migrate(3)
    case.update(data={"amount": 70})
    assert case.rule == "settled"


def test_a_migration_that_changes_a_settled_value_is_on_record_where_changes_are():
    """The deviation comes with the migration."""
    case = VersionedCase(payment(settled="record"), payment())
    case.fire("submit", data={"amount": 50})
    case.migrate(2, data={"amount": 60})
    assert case.deviations == [("settled_value_changed", "review")]
    assert case.instance.data["amount"] == 60


def test_what_is_settled_survives_storing():
    """A state written before there was such a thing is read as one in which nothing is settled."""
    case = submitted()
    state = orjson.loads(orjson.dumps(to_state(case.instance)))
    assert from_state(state) == case.instance
    place = case.instance._fields.index("settled")
    assert from_state(state[:place]).settled == ()
