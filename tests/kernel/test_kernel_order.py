"""Going round the declared order: refused, overridden with a reason, or recorded step by step."""

from __future__ import annotations

import pytest
from kernel_cases import Case, Step, fork, line, move, procedure, worker

from svcflow.kernel.facts import Moved
from svcflow.model.field import Field
from svcflow.model.step import Enforce

STRAIGHT = procedure(*line("a", "b", "c", "d", "end"))


def test_a_trigger_that_is_not_open_is_refused_and_says_what_is():
    """The refusal names where the instance is and what is open there."""
    case = Case(STRAIGHT)
    case.fire("to_c")
    assert case.rule == "order"
    assert "step a" in case.facts[-1].en
    assert "to_b" in case.outcome.remedy.en


def test_a_step_there_is_not_is_what_the_refusal_speaks_of():
    """The trigger is open where the instance is, so that to say it is not would lead astray."""
    case = Case(STRAIGHT)
    case.fire("to_b", step="bb")
    assert case.rule == "order"
    assert case.facts[-1].en == "the instance is not in step 'bb'"
    assert case.outcome.remedy.en == "name one with `step`: a"


def test_an_override_records_each_skipped_step_by_itself():
    """Jumping from a to the exit of c skips b and c: one deviation each, with the reason; a was done."""
    case = Case(STRAIGHT)
    case.fire("to_d", override="urgent", actor=worker("li"))
    assert case.instance.steps == ("d",)
    assert case.deviations == [("skipped_step", "b"), ("skipped_step", "c")]
    assert {one.reason for one in case.all_deviations} == {"urgent"}
    moved = case.of("Moved")[0]
    assert (moved.step, moved.via, moved.to, moved.override) == ("a", "c", "d", "urgent")


def test_an_empty_reason_overrides_nothing():
    """An override needs a reason."""
    case = Case(STRAIGHT)
    case.fire("to_d", override="")
    assert case.rule == "order"


def test_going_back_against_the_order_is_out_of_order():
    """Where no way leads ahead to the trigger's step, the deviation is out_of_order, at the step left."""
    case = Case(STRAIGHT)
    case.fire("to_b")
    case.fire("to_c")
    case.fire("to_b", override="again")
    assert case.instance.steps == ("b",)
    assert case.deviations == [("out_of_order", "c")]


def test_rework_is_no_way_ahead():
    """A way over rework transitions is none: what can be reached only by rework is out of order."""
    case = Case(
        procedure(
            Step("a", to=(move("go", "b"),)),
            Step("b", to=(move("back", "a", kind="rework"), move("finish", "end"))),
            Step("end", end="completed"),
        )
    )
    case.fire("go")
    case.fire("go", override="twice")
    assert case.deviations == [("out_of_order", "b")]


def test_the_normal_way_counts_before_the_exception():
    """Skipped steps are those of the normal way, even where an exception is shorter."""
    case = Case(
        procedure(
            Step("a", to=(move("short", "d", kind="exception"), move("next", "b"))),
            Step("b", to=(move("to_c", "c"),)),
            Step("c", to=(move("to_d", "d"),)),
            Step("d", to=(move("finish", "end"),)),
            Step("end", end="completed"),
        )
    )
    case.fire("finish", override="urgent")
    assert [step for _, step in case.deviations] == ["b", "c", "d"]


def test_an_exception_is_a_way_where_there_is_no_other():
    """A step behind an exception is skipped, not out of order."""
    case = Case(
        procedure(
            Step("a", to=(move("odd", "b", kind="exception"), move("go", "end"))),
            Step("b", to=(move("back", "end"),)),
            Step("end", end="completed"),
        )
    )
    case.fire("back", override="odd")
    assert case.deviations == [("skipped_step", "b")]


def test_the_nearest_source_of_a_trigger_is_meant():
    """A trigger declared at several steps ahead means the nearest of them."""
    case = Case(
        procedure(
            Step("a", to=(move("to_b", "b"),)),
            Step("b", to=(move("stop", "cancelled"), move("to_c", "c"))),
            Step("c", to=(move("stop", "end"),)),
            Step("cancelled", end="cancelled"),
            Step("end", end="completed"),
        )
    )
    case.fire("stop", override="enough")
    assert case.instance.outcome == "cancelled"
    assert case.deviations == [("skipped_step", "b")]


def test_a_named_step_is_the_one_meant():
    """`step=` chooses among the sources of a trigger, also when going round the order."""
    steps = (
        Step("a", to=(move("to_b", "b"), move("stop", "cancelled"))),
        Step("b", to=(move("stop", "end"),)),
        Step("cancelled", end="cancelled"),
        Step("end", end="completed"),
    )
    case = Case(procedure(*steps))
    case.fire("stop", step="b")
    assert case.rule == "order"
    case.fire("stop", step="b", override="as agreed")
    assert case.instance.outcome == "completed"
    assert case.deviations == [("skipped_step", "b")]


def test_a_named_step_without_the_trigger_refuses():
    """A step that has no such trigger cannot be meant, whatever the reason."""
    case = Case(STRAIGHT)
    case.fire("to_b", step="c", override="x")
    assert case.rule == "order"


def test_a_guard_on_the_detour_is_a_breach_of_its_own():
    """Going round order and guard records both."""
    case = Case(
        procedure(
            Step("a", to=(move("to_b", "b"),)),
            Step("b", to=(move("go", "end", when="1 > 2"),)),
            Step("end", end="completed"),
        )
    )
    case.fire("go", override="x")
    assert case.deviations == [("skipped_step", "b"), ("guard", "a")]


def preparing(**enforce: str) -> Case:
    """a → preparing (room: r1 r2 r3 | tea: t1 t2, t1 holding another parallel step) → ready → end."""
    inner = fork(
        "tea",
        move("done", "tea_done"),
        cups=(Step("cups1", to=(move("wash", "cups2"),)), Step("cups2", end="done")),
        water=(Step("water1", to=(move("boil", "water2"),)), Step("water2", end="done")),
    )
    return Case(
        procedure(
            Step("a", to=(move("book", "b"),)),
            Step("b", to=(move("begin", "preparing"),)),
            fork(
                "preparing",
                move("done", "ready"),
                move("cancel", "cancelled", kind="exception"),
                room=(
                    Step("r1", to=(move("clean", "r2"),)),
                    Step("r2", to=(move("check", "r_done"),)),
                    Step("r_done", end="done"),
                ),
                tea=(Step("t1", to=(move("serve", "tea"),)), inner, Step("tea_done", end="done")),
            ),
            Step("ready", to=(move("close", "end"),)),
            Step("cancelled", end="cancelled"),
            Step("end", end="completed"),
            enforce=Enforce(**enforce),
        )
    )


def test_branches_start_together_and_done_joins_them():
    """Entering a parallel step enters each branch; when all have ended the system fires `done` by itself."""
    case = preparing()
    case.fire("book")
    case.fire("begin")
    assert case.instance.steps == ("r1", "t1")
    for trigger in ("clean", "check", "serve", "wash"):
        case.fire(trigger)
    assert case.instance.steps == ("water1",)
    case.fire("boil", actor=worker("li"))
    assert case.instance.steps == ("ready",)
    joins = [fact for fact in case.of("Moved") if fact.automatic]
    assert [(fact.step, fact.trigger, fact.to, fact.actor) for fact in joins] == [
        ("tea", "done", "tea_done", ""),
        ("preparing", "done", "ready", ""),
    ]
    assert len({fact.occurred_us for fact in case.facts[-3:]}) == 1


def test_a_parallel_step_may_be_left_by_another_exit():
    """An exit of the parallel step itself leaves every branch, nested ones too."""
    case = preparing()
    for trigger in ("book", "begin", "serve", "cancel"):
        case.fire(trigger)
    assert case.instance.outcome == "cancelled"
    assert case.instance.active.keys() == {"cancelled"}
    assert not case.deviations


def test_done_is_not_fired_by_hand():
    """While branches are open `done` is refused; overridden, it skips the steps they stand in."""
    case = preparing()
    for trigger in ("book", "begin", "clean", "check", "serve"):
        case.fire(trigger)
    case.fire("done", step="preparing")
    assert case.rule == "order"
    case.fire("done", step="preparing", override="the meeting begins")
    assert case.instance.steps == ("ready",)
    assert case.deviations == [("skipped_step", "cups1"), ("skipped_step", "water1")]


def test_one_trigger_in_two_branches_needs_a_step():
    """A trigger open in several steps is refused as ambiguous, and the steps are named."""
    case = Case(
        procedure(
            fork(
                "p",
                move("done", "end"),
                x=(Step("x1", to=(move("finish", "x2"),)), Step("x2", end="done")),
                y=(Step("y1", to=(move("finish", "y2"),)), Step("y2", end="done")),
            ),
            Step("end", end="completed"),
        )
    )
    case.fire("finish")
    assert case.rule == "ambiguous"
    assert "x1, y1" in case.facts[-1].en
    case.fire("finish", step="y1")
    assert case.instance.steps == ("x1",)
    case.fire("finish")
    assert case.instance.status == "ended"


def test_done_takes_the_first_row_whose_guard_holds():
    """The rows of `done` are chosen by their guards."""

    def joined(fee: int) -> str:
        case = Case(
            procedure(
                fork(
                    "p",
                    move("done", "dear", when="fee > 100"),
                    move("done", "cheap"),
                    x=(Step("x1", to=(move("finish", "x2"),)), Step("x2", end="done")),
                ),
                Step("dear", end="completed"),
                Step("cheap", end="completed"),
                fields=(Field("fee", type="number"),),
            ),
            data={"fee": fee},
        )
        case.fire("finish")
        return case.facts[-1].to

    assert (joined(101), joined(100)) == ("dear", "cheap")


def test_a_detour_stays_within_its_branch():
    """Skipping inside one branch leaves the other where it is."""
    case = preparing()
    case.fire("book")
    case.fire("begin")
    case.fire("check", override="was clean")
    assert case.deviations == [("skipped_step", "r2")]
    assert case.instance.steps == ("t1",)


def test_leaving_the_parallel_step_for_a_later_trigger_skips_to_it():
    """A trigger after the parallel step leaves it whole."""
    case = preparing()
    case.fire("book")
    case.fire("begin")
    case.fire("close", override="done elsewhere")
    assert case.instance.status == "ended"
    assert case.deviations == [("skipped_step", "ready")]


@pytest.mark.parametrize("how", ["record", "override"])
def test_a_trigger_inside_a_parallel_step_not_entered_enters_it_first(how):
    """What a branch did is recorded there: the parallel step is entered, and what was passed over recorded."""
    case = preparing(**({"order": "record"} if how == "record" else {}))
    case.fire("clean", actor=worker("li"), override="urgent" if how == "override" else None)
    assert case.rule == ""
    assert case.instance.steps == ("t1", "r2")
    assert case.deviations == [("skipped_step", "b"), ("skipped_step", "preparing")]
    entered, moved = case.of("Moved")
    assert isinstance(entered, Moved)
    assert (entered.step, entered.trigger, entered.to, entered.via) == ("a", "begin", "preparing", "b")
    assert (entered.automatic, entered.actor) == (True, "li")
    assert (moved.step, moved.trigger, moved.to, moved.actor) == ("r1", "clean", "r2", "li")


def test_nested_parallel_steps_are_entered_one_after_the_other():
    """A trigger two levels down enters both levels and then skips within the branch."""
    case = preparing(order="record")
    case.fire("boil")
    assert case.instance.steps == ("r1", "cups1")
    assert [step for _, step in case.deviations] == ["b", "preparing", "tea"]


def test_a_refusal_inside_undoes_the_entering():
    """When another rule refuses, nothing of the entering stays: one `Refused`, the instance as it was."""
    case = Case(
        procedure(
            Step("a", to=(move("begin", "p"),)),
            fork(
                "p",
                move("done", "end"),
                x=(Step("x1", to=(move("finish", "x2", role="clerk"),)), Step("x2", end="done")),
            ),
            Step("end", end="completed"),
            enforce=Enforce(order="record"),
        )
    )
    before = case.instance
    case.fire("finish", actor=worker("li", "chief"))
    assert case.rule == "role"
    assert case.kinds == ["Started", "Refused"]
    assert (case.instance.steps, case.instance.stopwatches) == (before.steps, before.stopwatches)
    case.fire("finish", actor=worker("li", "clerk"))
    assert case.instance.status == "ended"


def test_on_refuse_a_trigger_inside_a_parallel_step_not_entered_is_refused():
    """Without override or record the order rule refuses, as everywhere."""
    case = preparing()
    case.fire("clean")
    assert case.rule == "order"
    assert case.kinds == ["Started", "Refused"]


def test_a_parallel_step_left_for_good_is_entered_again_out_of_order():
    """Coming back into a parallel step that no way leads to is recorded as out of order."""
    case = preparing(order="record")
    for trigger in ("book", "begin", "clean", "check", "serve", "wash", "boil"):
        case.fire(trigger)
    case.fire("clean")
    assert case.instance.steps == ("t1", "r2")
    assert case.deviations == [("out_of_order", "ready")]


def test_a_parallel_step_nothing_leads_to_cannot_be_entered():
    """The first step, once left, has no declared way in: the trigger stays refused."""
    case = Case(
        procedure(
            fork(
                "p",
                move("done", "b"),
                x=(Step("x1", to=(move("finish", "x2"),)), Step("x2", end="done")),
            ),
            Step("b", to=(move("close", "end"),)),
            Step("end", end="completed"),
            enforce=Enforce(order="record"),
        )
    )
    case.fire("finish")
    case.fire("finish")
    assert case.rule == "order"
