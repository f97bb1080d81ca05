"""The kernel's side of sub-procedures: a request when a step is entered, a move when the child has ended."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from kernel_cases import HOUR, MINUTE, Case, fork, move, procedure, worker

from svcflow.errors import FieldError
from svcflow.journal import from_bytes, to_bytes
from svcflow.kernel import facts
from svcflow.kernel.commands import CallOff, RecordChildEnd, RecordChildStart, RecordParentTold
from svcflow.kernel.instance import NEVER, from_state, to_state
from svcflow.kernel.lifecycle.children import child_id
from svcflow.kernel.moves.availability import available
from svcflow.model.field import Field
from svcflow.model.step import Step
from svcflow.model.subprocedure import SubProcedure
from svcflow.worktime.instants import to_us

CAR = SubProcedure("vehicle", outcomes={"completed": "arrived", "cancelled": "no_car"})
KEPT = SubProcedure("vehicle", outcomes={"completed": "arrived"}, on_call_off="refuse")
FIRST = "i1.driving.1"


def reception(runs: SubProcedure = CAR, **driving: object) -> object:
    """Planned, driving (which runs a vehicle dispatch), received."""
    return procedure(
        Step("planned", to=(move("order", "driving"),)),
        Step(
            "driving",
            runs=runs,
            to=(
                move("arrived", "received", when=driving.pop("when", None)),
                move("no_car", "planned"),
                move("again", "driving"),
            ),
            **driving,
        ),
        Step("received", end="completed"),
        fields=(Field("ready", type="boolean"),),
    )


def driving(runs: SubProcedure = CAR, **more: object) -> Case:
    case = Case(reception(runs, **more))
    case.fire("order")
    return case


def ended(case: Case, outcome: str = "completed", child: str = FIRST, after: timedelta = MINUTE) -> None:
    at = case.now + after
    case.do(RecordChildEnd(child, outcome, to_us(at)), after)


def test_entering_the_step_requests_a_child_with_an_id_that_follows():
    """The request stands at the instant of the entry, and is due at once."""
    case = driving()
    assert case.kinds == ["Started", "Moved", "ChildRequested"]
    request, entered = case.facts[-1], case.facts[-2]
    assert (request.step, request.child, request.procedure, request.visit) == ("driving", FIRST, "vehicle", 1)
    assert request.occurred_us == entered.occurred_us == case.instance.pending_us == case.instance.next_us
    assert case.instance.revision == entered.sequence, "nobody's view has become stale"


def test_an_id_that_would_be_too_long_is_cut_and_told_apart():
    """It fits the store, and is the same each time."""
    name = child_id("x" * 80, "driving", 1)
    assert len(name) <= 80
    assert name == child_id("x" * 80, "driving", 1) != child_id("x" * 80, "driving", 2)


def test_a_started_child_is_recorded_once():
    """And nothing is due any more."""
    case = driving()
    case.do(RecordChildStart(FIRST, 3), MINUTE)
    case.do(RecordChildStart(FIRST, 3), MINUTE)
    assert [(fact.child, fact.version) for fact in case.of("ChildStarted")] == [(FIRST, 3)]
    assert case.instance.pending_us == case.instance.next_us == NEVER


def test_the_end_of_a_child_moves_its_parent_once():
    """By the trigger of its outcome, without an actor, and not as a move deemed made."""
    case = driving(within="1h")
    case.do(RecordChildStart(FIRST, 1), MINUTE)
    ended(case)
    ended(case)
    assert case.kinds[-3:] == ["ChildStarted", "ChildEnded", "Moved"]
    moved = case.facts[-1]
    assert (moved.trigger, moved.to, moved.automatic, moved.actor, moved.child) == (
        "arrived",
        "received",
        True,
        "",
        FIRST,
    )
    assert case.instance.outcome == "completed"


def test_a_child_that_ends_before_its_start_was_recorded_has_ended():
    """What comes later about its start says nothing new."""
    case = driving()
    ended(case, "cancelled")
    count = len(case.facts)
    case.do(RecordChildStart(FIRST, 1), MINUTE)
    assert len(case.facts) == count
    assert case.instance.steps == ("planned",)


def test_a_step_entered_again_runs_another_child():
    """The first one is called off; it ends without moving anything."""
    case = driving()
    case.do(RecordChildStart(FIRST, 1), MINUTE)
    case.fire("again")
    assert [fact.child for fact in case.of("ChildRequested")] == [FIRST, "i1.driving.2"]
    assert case.instance.children[FIRST].left
    ended(case, "cancelled")
    assert case.kinds[-1] == "ChildEnded"
    assert case.instance.steps == ("driving",)


def test_an_outcome_without_a_trigger_moves_nothing():
    """Somebody fires what is right; no second child is requested."""
    case = driving(SubProcedure("vehicle", outcomes={"completed": "arrived"}))
    ended(case, "cancelled")
    case.wait(HOUR)
    assert case.kinds[-1] == "ChildEnded"
    case.fire("no_car")
    assert case.instance.steps == ("planned",)
    assert case.instance.pending_us == NEVER


def test_a_guard_that_is_not_true_is_tried_again():
    """The move waits until data open it."""
    case = driving(when="ready")
    ended(case)
    assert case.instance.steps == ("driving",)
    case.update(data={"ready": True})
    assert case.instance.outcome == "completed"
    assert case.facts[-1].child == FIRST


def test_a_parent_on_hold_moves_when_it_is_resumed():
    """The end is recorded at once."""
    case = driving()
    case.hold()
    ended(case)
    assert case.kinds[-1] == "ChildEnded"
    case.resume()
    assert case.instance.outcome == "completed"


def test_an_end_that_is_told_late_counts_from_when_it_happened():
    """So a deadline that passed only because the message was late is no breach."""
    case = driving(within="1h")
    case.now += 2 * HOUR
    ended_us = to_us(case.now - 100 * MINUTE)
    case.do(RecordChildEnd(FIRST, "completed", ended_us), MINUTE)
    assert case.facts[-1].occurred_us == ended_us or case.of("Moved")[-1].occurred_us == ended_us
    assert [settled.overrun_us < 0 for settled in case.of("Settled")] == [True]


def test_an_unknown_child_is_a_mistake_that_leaves_no_fact():
    """Neither its start nor its end."""
    case = driving()
    for command in (RecordChildStart("x", 1), RecordChildEnd("x", "completed", 0)):
        with pytest.raises(FieldError, match="no child"):
            case.do(command, MINUTE)


def test_leaving_the_step_calls_the_child_off():
    """What has to be done is due from then on, until the child has ended, after the parent's own end too."""
    case = driving()
    case.do(RecordChildStart(FIRST, 1), MINUTE)
    case.fire("arrived")
    assert case.instance.status == "ended"
    assert case.instance.pending_us == to_us(case.now)
    ended(case, "cancelled")
    assert case.kinds[-1] == "ChildEnded"
    assert case.instance.pending_us == NEVER


def test_a_child_that_may_not_be_called_off_keeps_its_parent():
    """No trigger leaves the step, nor does a limit; the end of the child does."""
    case = driving(KEPT, within="1h", on_overdue="no_car")
    case.do(RecordChildStart(FIRST, 1), MINUTE)
    case.fire("no_car", override="because", actor=worker("li"))
    assert case.rule == "subprocedure"
    offered = available(case.compiled, case.instance, None, to_us(case.now))
    assert {one.rule for one in offered} == {"subprocedure"}
    case.wait(2 * HOUR)
    assert "Overdue" in case.kinds
    assert case.instance.steps == ("driving",)
    ended(case)
    assert case.instance.outcome == "completed"


def test_a_parallel_step_is_kept_by_a_child_inside_it():
    """Leaving it goes round the child, and is refused too."""
    inside = (Step("driving", runs=KEPT, to=(move("arrived", "in"),)), Step("in", end="done"))
    other = (Step("cooking", to=(move("cooked", "served"),)), Step("served", end="done"))
    case = Case(
        procedure(
            fork("all", move("done", "end"), move("give_up", "end"), car=inside, meal=other),
            Step("end", end="completed"),
        )
    )
    case.fire("give_up")
    assert case.rule == "subprocedure"
    case.fire("cooked")
    ended(case)
    assert case.instance.outcome == "completed", "the end of the child joins the branches"


def child_case(**more: object) -> Case:
    two = Step("doing", within="1h", to=(move("do", "end"),), not_by="parent.planned")
    return Case(procedure(two, Step("end", end="completed")), parent="r1", parent_step="driving", **more)


def test_a_child_owes_its_parent_the_end():
    """Until that is recorded it is due; once."""
    case = child_case()
    assert (case.instance.parent.id, case.instance.parent.step) == ("r1", "driving")
    assert case.instance.pending_us == NEVER
    case.fire("do", actor=worker("li"))
    assert case.instance.pending_us == to_us(case.now) == case.instance.next_us
    case.do(RecordParentTold(), MINUTE)
    case.do(RecordParentTold(), MINUTE)
    assert case.kinds.count("ParentTold") == 1
    assert case.instance.next_us == NEVER


def test_a_child_is_called_off_once():
    """Its limits end with it, an overdue one with its overrun; whoever comes later is told that it has ended."""
    case = child_case()
    case.wait(2 * HOUR)
    case.do(CallOff(), MINUTE)
    case.do(CallOff(), MINUTE)
    assert (case.instance.status, case.instance.outcome) == ("ended", "cancelled")
    assert [fact.overrun_us for fact in case.of("Settled")] == [(HOUR + MINUTE) // timedelta(microseconds=1)]
    assert case.kinds.count("CalledOff") == 1
    case.fire("do", actor=worker("li"))
    assert case.rule == "closed"


def test_who_did_a_step_of_the_parent_may_not_do_one_of_the_child():
    """The start carries them; in another instance of the procedure, started by itself, nobody is barred."""
    case = child_case(performers={"parent.planned": ("li",)})
    case.fire("do", actor=worker("li"))
    assert case.rule == "role"
    assert "planned of the parent" in case.outcome.refused.en
    case.fire("do", actor=worker("wang"))
    assert case.instance.outcome == "completed"
    alone = child_case()
    alone.fire("do", actor=worker("li"))
    assert alone.instance.outcome == "completed"


def test_a_child_called_off_before_it_began_uses_up_its_id():
    """It needs no data, and ends as it starts."""
    given = Field("seats", type="number", required=True)
    two = Step("doing", to=(move("do", "end"),))
    case = Case(
        procedure(two, Step("end", end="completed"), fields=(given,)),
        parent="r1",
        parent_step="s",
        called_off=True,
    )
    assert case.kinds == ["Started", "CalledOff"]
    assert case.instance.outcome == "cancelled"


def test_what_is_new_survives_its_stored_form():
    """State and facts, of parent and child, read back to what was written."""
    case = driving()
    case.do(RecordChildStart(FIRST, 1), MINUTE)
    ended(case, "cancelled")
    for one in (case, child_case(performers={"parent.planned": ("li", "wang")})):
        assert from_state(orjson.loads(orjson.dumps(to_state(one.instance)))) == one.instance
        assert [from_bytes(to_bytes(fact)) for fact in one.facts] == one.facts


def test_what_no_relative_needs_is_not_written():
    """The bytes of other instances are those of before."""
    fact = facts.Started("i", 1, 0, 0, "", "p", 1, "s")
    assert b"parent" not in to_bytes(fact)
    assert b"performers" not in to_bytes(fact)


def test_a_log_of_another_system_requests_no_child():
    """There every step is judged by itself."""
    case = Case(reception(), enforce="record")
    case.fire("order")
    assert case.kinds == ["Started", "Moved"]
