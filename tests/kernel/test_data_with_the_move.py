"""Guards are asked with the data of the command; what must come with a move comes with it; blank is nothing."""

from __future__ import annotations

import pytest
from kernel_cases import HOUR, MINUTE, Case, Step, fork, line, move, procedure, worker

from svcflow.errors import FieldError
from svcflow.kernel import Actor, Fire
from svcflow.kernel.commands import Assign, Extend, Recompute, Reschedule, Start, Update
from svcflow.kernel.moves.availability import Available, available
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Row, TimeLimit
from svcflow.model.procedure import HoldRule
from svcflow.model.step import Enforce
from svcflow.text import is_blank
from svcflow.worktime.instants import to_us

AMOUNT = Field("amount", type="number", default=0)
BLANKS = ("", " ", "\t\n", "\u3000", "\u200b\ufeff", "\u00a0\u2060", "\u3164")
LI = worker("li", "clerk", "chief")


def offers(case: Case, actor: Actor = LI, **data: object) -> dict[str, Available]:
    found = available(case.compiled, case.instance, actor, to_us(case.now), data)
    return {one.trigger: one for one in found}


def asking(**enforce: str) -> Case:
    """A request over 1,000 goes to the chief, any other one is done."""
    return Case(
        procedure(
            Step(
                "ask",
                to=(
                    move("submit", "chief_ok", when="amount > 1000", requires=("amount", "plan")),
                    move("submit", "fin", requires=("amount",)),
                ),
            ),
            Step("chief_ok", to=(move("approve", "fin"),)),
            Step("fin", end="completed"),
            fields=(AMOUNT,),
            enforce=Enforce(**enforce),
        )
    )


def test_the_row_is_chosen_by_the_data_of_the_move():
    """What a form sends decides which way it goes."""
    case = asking()
    case.fire("submit", data={"amount": 5000, "plan": "p"})
    assert case.instance.steps == ("chief_ok",)
    case = asking()
    case.update(data={"amount": 5000})
    case.fire("submit", data={"amount": 50})
    assert case.instance.outcome == "completed"


def test_what_only_another_row_requires_is_refused_by_name():
    """A value that is no field comes with the row that requires it; with another one it is a mistake of the caller."""
    case = asking()
    with pytest.raises(FieldError, match="with these data 'submit' leads to 'fin', and takes no plan"):
        case.fire("submit", data={"amount": 50, "plan": "p"})
    with pytest.raises(FieldError, match="no field 'plann'"):
        case.fire("submit", data={"amount": 5000, "plann": "p"})


def test_available_judges_with_the_data_that_are_to_come():
    """A form can ask beforehand where its data would lead and what that asks for; nothing changes."""
    case = asking()
    assert (offers(case)["submit"].to, offers(case)["submit"].requires) == ("fin", ("amount",))
    told = offers(case, amount=5000)["submit"]
    assert (told.to, told.requires, told.open) == ("chief_ok", ("amount", "plan"), True)
    assert case.instance.data["amount"] == 0
    with pytest.raises(FieldError):
        offers(case, amount="much")


def test_a_way_round_the_order_is_chosen_by_the_data_of_the_move_too():
    """An override takes the row that the data lead by, as the open trigger would."""
    rows = (move("go", "b", when="amount > 10"), move("go", "c"))
    steps = (
        Step("first", to=(move("on", "a"),)),
        Step("a", to=rows),
        *line("b", "end"),
        Step("c", end="done"),
    )
    case = Case(procedure(*steps, fields=(AMOUNT,)))
    case.fire("go", data={"amount": 11}, override="seen")
    assert case.instance.steps == ("b",)
    assert [kind for kind, _ in case.deviations] == ["skipped_step"]


def entering(**enforce: str) -> Case:
    """A parallel step that only requests over 10 enter."""
    inside = {"x": line("x1", "x2"), "y": line("y1", "y2")}
    return Case(
        procedure(
            Step("first", to=(move("split", "both", when="amount > 10"), move("split", "end"))),
            fork("both", move("done", "end"), **inside),
            Step("end", end="completed"),
            fields=(AMOUNT,),
            enforce=Enforce(order="record", **enforce),
        )
    )


def test_the_way_into_a_parallel_step_is_judged_by_the_data_of_the_move():
    """Something done inside a parallel step that nobody entered enters it, as far as its guard is true."""
    case = entering()
    case.fire("to_x2", data={"amount": 5})
    assert case.rule == "guard"
    assert case.instance.steps == ("first",)
    case.fire("to_x2", data={"amount": 11})
    assert "both" in case.instance.active
    assert {kind for kind, _ in case.deviations} == {"skipped_step"}


def test_a_parallel_step_entered_against_its_guard_is_on_record():
    """On record the way in is taken all the same, with one deviation that names the guards."""
    case = entering(guard="record")
    case.fire("to_x2", data={"amount": 5})
    assert [kind for kind, _ in case.deviations].count("guard") == 1


def joining(*done: object, inner: tuple[Step, ...] = (), **enforce: str) -> Case:
    """Two branches whose joining is guarded."""
    x = (Step("x1", within="1h", on_overdue="fx", to=(move("fx", "x2"),)), Step("x2", end="done"))
    y = (Step("y1", to=(move("fy", "y2"),)), Step("y2", end="done"))
    return Case(
        procedure(
            fork("both", *done, x=x, y=inner or y),
            Step("paid", to=(move("close", "end"),)),
            Step("free", to=(move("close", "end"),)),
            Step("end", end="completed"),
            fields=(AMOUNT,),
            enforce=Enforce(**enforce),
        )
    )


PAID = move("done", "paid", when="amount > 5")


def test_the_move_that_would_join_branches_against_the_guard_of_done_is_refused():
    """Nobody is there to be refused `done`; who ends the last branch is, with what to correct."""
    case = joining(PAID)
    case.fire("fx")
    assert offers(case)["fy"].rule == "guard"
    case.fire("fy", data={"amount": 3})
    assert case.rule == "guard"
    assert (
        "'done' is closed: the condition 'amount > 5' is not met (this move gives amount = 3)"
        in case.facts[-1].en
    )
    assert case.instance.steps == ("y1",)
    assert offers(case, amount=6)["fy"].open
    case.fire("fy", data={"amount": 6})
    assert case.instance.steps == ("paid",)
    assert case.deviations == []


def test_a_guard_of_done_that_is_on_record_or_overridden_leaves_a_deviation():
    """The first row is taken, and one deviation `guard` names the parallel step, who joined it and why."""
    on_record, overridden = joining(PAID, guard="record"), joining(PAID)
    on_record.fire("fx")
    on_record.fire("fy", actor=LI)
    overridden.fire("fx")
    overridden.fire("fy", actor=LI, override="paid in cash")
    for case, reason in ((on_record, ""), (overridden, "paid in cash")):
        assert case.instance.steps == ("paid",)
        (deviated,) = case.of("Deviated")
        assert (deviated.deviation, deviated.step, deviated.trigger) == ("guard", "both", "done")
        assert (deviated.actor, deviated.reason) == ("li", reason)
        assert deviated.detail == {"guards": ["amount > 5"]}


def test_rows_of_done_with_a_last_one_always_go_on():
    """Several rows are a choice: the first whose guard is true of the data with the last move is taken."""
    for amount, where in ((6, "paid"), (5, "free")):
        case = joining(PAID, move("done", "free"))
        case.fire("fx")
        case.fire("fy", data={"amount": amount})
        assert case.instance.steps == (where,)


def test_a_guard_of_done_that_cannot_be_decided_is_not_true():
    """An emptied field opens nothing, and the refusal says that it is empty."""
    case = joining(PAID)
    case.fire("fx")
    case.update(data={"amount": None})
    case.fire("fy")
    assert case.rule == "guard"
    assert "amount is empty" in case.facts[-1].en


def test_a_move_on_overdue_is_not_made_where_it_would_join_against_the_guard():
    """The breach is recorded, the instance stays where somebody can see to it, and goes on once it is in order."""
    case = joining(PAID)
    case.fire("fy")
    case.wait(2 * HOUR)
    assert case.kinds[-1] == "Overdue"
    assert "x1" in case.instance.steps
    case.fire("fx", data={"amount": 6})
    assert case.instance.steps == ("paid",)
    ready = joining(PAID)
    ready.fire("fy", data={"amount": 6})
    ready.wait(2 * HOUR)
    assert ready.instance.steps == ("paid",)


def test_a_move_on_overdue_goes_by_the_data_of_the_command_before_it():
    """None of its guards true, it is not made; true of what a command brought, it is."""
    for amount, where in ((5, "a"), (11, "b")):
        steps = (
            Step(
                "a",
                within="1h",
                on_overdue="lapse",
                to=(move("lapse", "b", when="amount > 10"), move("stay", "a")),
            ),
            *line("b", "end"),
        )
        case = Case(procedure(*steps, fields=(AMOUNT,)))
        case.fire("stay", data={"amount": amount})
        case.wait(3 * HOUR)
        assert case.instance.steps == (where,)
        assert [kind for kind, _ in case.deviations] == ["overdue"]


def test_guards_of_nested_joins_are_all_asked_before_the_move():
    """The last move of an inner branch may join the outer one too: its guard refuses the whole of it."""
    deep = fork("deep", move("done", "y2"), p=line("p1", "p2"), q=line("q1", "q2"))
    case = joining(PAID, inner=(deep, Step("y2", end="done")))
    for trigger in ("fx", "to_p2"):
        case.fire(trigger)
    before = case.instance
    case.fire("to_q2")
    assert case.rule == "guard"
    assert case.instance.active == before.active
    case.fire("to_q2", data={"amount": 6})
    assert case.instance.steps == ("paid",)
    assert [fact.trigger for fact in case.of("Moved")[-3:]] == ["to_q2", "done", "done"]


def test_a_limit_that_begins_with_the_move_takes_its_row_by_the_data_of_the_move():
    """What a start or a move brings decides the row of the limits it starts."""
    limit = TimeLimit(match=(Row(within="1h", when="amount > 10"), Row(within="2h")))
    steps = (
        Step("a", within=limit, to=(move("go", "b"),)),
        Step("b", within=limit, to=(move("out", "end"),)),
    )
    declared = procedure(*steps, Step("end", end="completed"), fields=(AMOUNT,))
    case = Case(declared, data={"amount": 11})
    assert case.instance.stopwatches["a"].row == 0
    case.fire("go", data={"amount": 3})
    assert case.instance.stopwatches["b"].row == 1


@pytest.mark.parametrize("blank", BLANKS)
def test_blank_text_is_nothing(blank):
    """Spaces of any width and characters without a shape meet no requirement and are no reason."""
    assert is_blank(blank)
    case = asking()
    case.fire("submit", data={"amount": 5000, "plan": blank})
    assert case.rule == "requires"
    case.fire("submit", data={"amount": 5000}, evidence={"plan": blank})
    assert case.rule == "requires"
    case.fire("approve", override=blank)
    assert case.rule == "order"


@pytest.mark.parametrize("blank", BLANKS)
def test_blank_evidence_is_none(blank):
    """A step, a hold and an extension owe their evidence as long as only blank text came."""
    limit = TimeLimit(within="5h", extension=Extension("1h", evidence=("notice",)))
    steps = (
        Step("a", within=limit, evidence=("photo",), to=(move("go", "end"),)),
        Step("end", end="completed"),
    )
    hold = HoldRule("third_party", evidence=("letter",))
    case = Case(procedure(*steps, holds=(hold,), enforce=Enforce(evidence="refuse")))
    case.update(evidence={"photo": blank})
    assert case.instance.evidence == {}
    case.fire("go", evidence={"photo": blank})
    assert case.rule == "evidence"
    case.hold(evidence={"letter": blank})
    assert case.rule == "evidence"
    case.do(Extend("a", "late", evidence={"notice": blank}), MINUTE)
    assert case.rule == "extension"


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_reason_is_no_reason(blank):
    """Where a reason has to be given it is asked for; where it may be given, nothing is kept."""
    case = asking()
    for command in (Extend("a", blank), Recompute(blank)):
        with pytest.raises(FieldError, match="no reason is given"):
            case.do(command, MINUTE)
    case.do(Assign(None, "li", reason=blank), MINUTE)
    assert case.facts[-1].reason == ""


@pytest.mark.parametrize("blank", [*BLANKS, None])
def test_a_required_field_is_never_emptied(blank):
    """No start, update or move leaves a required field empty; who does not name it leaves it as it is."""
    place = Field("place", required=True)
    declared = procedure(*line("a", "end"), fields=(place, Field("memo")))
    for command in (Update(data={"place": blank}), Fire("to_end", data={"place": blank})):
        case = Case(declared, data={"place": "hall"})
        with pytest.raises(FieldError, match="place is required and cannot be left empty"):
            case.do(command, MINUTE)
        case.update(data={"memo": blank})
        assert case.instance.data == {"place": "hall", "memo": blank}
    with pytest.raises(FieldError):
        Case(declared, data={"place": blank})
    with pytest.raises(FieldError, match="required fields are missing: place"):
        Case(procedure(*line("a", "end"), fields=(Field("place", required=True, default=blank),)))


def test_only_a_reschedule_clears_a_required_instant():
    """A meeting without a day is said to have none by the command that is about days."""
    when = Field("when", type="instant", required=True)
    case = Case(procedure(*line("a", "end"), fields=(when,)), data={"when": "2026-03-09T09:00:00+08:00"})
    case.do(Reschedule("when", None), MINUTE)
    assert case.instance.data["when"] is None


def test_evidence_that_a_move_requires_comes_with_it_and_what_a_step_owes_since_it_was_entered():
    """Evidence attached in the step meets what the step owes, and not what the move requires."""
    steps = (
        Step("a", evidence=("photo",), to=(move("go", "end", requires=("signature",)),)),
        Step("end", end="completed"),
    )
    case = Case(procedure(*steps, enforce=Enforce(evidence="refuse")))
    case.update(evidence={"photo": "p1", "signature": "s1"})
    case.fire("go")
    assert case.rule == "requires"
    case.fire("go", evidence={"signature": "s1"})
    assert case.instance.status == "ended"


def test_a_refusal_lists_exactly_what_is_available_to_the_actor():
    """Neither the trigger it refuses, nor one that is closed to this actor, nor `done` of a parallel step."""
    x = (
        Step("x1", role="clerk", to=(move("fx", "x2"), move("veto", "x2", role="chief"))),
        Step("x2", end="done"),
    )
    y = (Step("y1", to=(move("fy", "y2"), move("never", "y2", when="amount > 5"))), Step("y2", end="done"))
    both = fork("both", move("done", "end"), move("cancel", "end", role="chief"), x=x, y=y)
    case = Case(procedure(both, Step("end", end="completed"), fields=(AMOUNT,)))
    for actor in (worker("c", "clerk"), worker("d", "chief"), worker("e")):
        case.fire("done", actor=actor)
        assert case.rule == "order"
        listed = case.outcome.remedy.en.removeprefix("open are: ").split(";")[0].split(", ")
        assert listed == sorted(one.trigger for one in offers(case, actor).values() if one.open)
        case.fire("fx", actor=actor, step="y1")
        assert case.rule == "order"
        assert case.outcome.remedy.en.startswith("open are: fy;")


def test_what_says_something_is_kept_as_it_was_given():
    """Evidence and reasons are neither trimmed nor otherwise changed."""
    fired = Fire("go", evidence={"photo": " p1 ", "none": "\u3000"}, override=" because ")
    assert (fired.evidence, fired.override) == ({"photo": " p1 "}, " because ")
    assert Start("i", evidence={"a": ""}).evidence == {}
