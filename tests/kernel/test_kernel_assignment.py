"""Who has a step: claimed, assigned, released, and whom that keeps from firing."""

from __future__ import annotations

import re

import pytest
from kernel_cases import MINUTE, NOBODY, Case, Step, fork, move, procedure, worker

from svcflow.errors import FieldError
from svcflow.kernel import Actor
from svcflow.kernel.commands import Assign, Claim, Command, Release
from svcflow.kernel.facts import Assigned, Refused, Released
from svcflow.kernel.moves.availability import Available, available
from svcflow.model.step import Enforce
from svcflow.worktime.instants import to_us

LI, WANG = worker("li", "clerk"), worker("wang", "clerk")
CHEF, GUEST = worker("chef", "chief"), worker("guest")


def desk(**enforce: str) -> Case:
    """A clerk's step with a way back and a way out for the chief, and a check by another person."""
    return Case(
        procedure(
            Step(
                "work",
                role="clerk",
                to=(
                    move("finish", "check"),
                    move("again", "work", kind="rework"),
                    move("stop", "end", role="chief"),
                ),
            ),
            Step("check", role="clerk", not_by="work", to=(move("confirm", "end"), move("back", "work"))),
            Step("end", end="completed"),
            enforce=Enforce(**enforce),
        )
    )


def twins() -> Case:
    """Two branches, each a clerk's step."""
    return Case(
        procedure(
            fork(
                "both",
                move("done", "end"),
                move("skip", "end", role="chief", kind="exception"),
                x=(Step("x1", role="clerk", to=(move("go_x", "x2"),)), Step("x2", end="done")),
                y=(Step("y1", role="clerk", to=(move("go_y", "y2"),)), Step("y2", end="done")),
            ),
            Step("end", end="completed"),
        )
    )


def ask(case: Case, command: Command) -> str:
    """The rule that refuses a command; empty when none does."""
    case.do(command, MINUTE)
    return case.rule


def seen(case: Case, actor: Actor) -> dict[str, Available]:
    return {one.trigger: one for one in available(case.compiled, case.instance, actor, to_us(case.now))}


def test_a_claim_gives_the_step_to_whoever_claims_it():
    """A claim is an `Assigned` whose `to` is the actor; the instance says who has the step."""
    case = desk()
    assert case.instance.assignees == {}
    assert ask(case, Claim(actor=LI)) == ""
    fact = case.facts[-1]
    assert isinstance(fact, Assigned)
    assert (fact.step, fact.to, fact.actor, fact.claimed) == ("work", "li", "li", True)
    assert case.instance.assignees == {"work": "li"}


def test_only_somebody_with_the_steps_role_claims_it():
    """The role rule refuses others, whatever `enforce` says of moves: a claim departs from nothing."""
    for way in ("refuse", "record"):
        case = desk(role=way)
        assert ask(case, Claim(actor=CHEF)) == "role"
        assert ask(case, Claim(actor=GUEST)) == "role"
        assert case.instance.assignees == {}


def test_a_step_without_a_role_is_anybodys_to_claim():
    """Where no role is declared, none is asked for."""
    case = Case(procedure(Step("a", to=(move("go", "end"),)), Step("end", end="completed")))
    assert ask(case, Claim(actor=GUEST)) == ""


def test_a_claimed_step_is_not_claimed_by_another():
    """Who comes second is refused by the rule `assigned`; claiming again what one has is harmless."""
    case = desk()
    ask(case, Claim(actor=LI))
    assert ask(case, Claim(actor=WANG)) == "assigned"
    assert ask(case, Claim(actor=LI)) == ""
    assert case.instance.assignees == {"work": "li"}


def test_only_the_assignee_fires():
    """Others with the role are refused by the rule `assigned`, and told what would help."""
    case = desk()
    ask(case, Claim(actor=LI))
    case.fire("finish", actor=WANG)
    assert case.rule == "assigned"
    assert case.facts[-1].step == "work"
    assert "release" in case.outcome.remedy.en
    assert "释放" in case.outcome.remedy.zh
    case.fire("finish", actor=LI)
    assert case.instance.steps == ("check",)


@pytest.mark.parametrize("way", ["refuse", "record"])
def test_the_rule_refuses_however_roles_are_enforced(way):
    """`enforce` has no say over assignments."""
    case = desk(role=way)
    ask(case, Claim(actor=LI))
    case.fire("finish", actor=WANG)
    assert case.rule == "assigned"


def test_a_move_of_another_role_is_no_part_of_what_was_assigned():
    """Who may stop the work by a role of their own may do so whoever has claimed it."""
    case = desk()
    ask(case, Claim(actor=LI))
    case.fire("stop", actor=CHEF)
    assert case.instance.status == "ended"


def test_going_round_the_order_does_not_take_a_step_from_its_assignee():
    """An override leaves the assigned step too, so it is asked like any other move."""
    case = Case(
        procedure(
            Step("work", role="clerk", to=(move("finish", "file"),)),
            Step("file", role="clerk", to=(move("close", "end"),)),
            Step("end", end="completed"),
        )
    )
    ask(case, Claim(actor=LI))
    case.fire("close", actor=WANG, override="in a hurry")
    assert case.rule == "assigned"
    case.fire("close", actor=LI, override="in a hurry")
    assert case.instance.status == "ended"


def test_entering_a_parallel_step_from_outside_does_not_take_a_step_from_its_assignee():
    """A trigger inside a parallel step that nobody entered leaves the step before it: the rule holds there too."""
    case = Case(
        procedure(
            Step("a", role="clerk", to=(move("split", "both"),)),
            fork(
                "both",
                move("done", "end"),
                x=(Step("x1", role="clerk", to=(move("go_x", "x2"),)), Step("x2", end="done")),
                y=(Step("y1", role="clerk", to=(move("go_y", "y2"),)), Step("y2", end="done")),
            ),
            Step("end", end="completed"),
        )
    )
    ask(case, Claim(actor=LI))
    case.fire("go_x", actor=WANG, override="in a hurry")
    assert (case.rule, case.instance.steps) == ("assigned", ("a",))
    case.fire("go_x", actor=LI, override="in a hurry")
    assert case.rule == ""


def test_leaving_a_step_ends_its_assignment():
    """Who comes back to a step finds it nobody's, also when it is entered again at once."""
    case = desk()
    ask(case, Claim(actor=LI))
    case.fire("again", actor=LI)
    assert (case.instance.steps, case.instance.assignees) == (("work",), {})
    ask(case, Claim(actor=LI))
    case.fire("finish", actor=LI)
    assert case.instance.assignees == {}


def test_leaving_a_parallel_step_ends_the_assignments_inside_it():
    """What is left with its branches is nobody's any more."""
    case = twins()
    ask(case, Claim("x1", LI))
    case.fire("skip", actor=CHEF)
    assert (case.instance.status, case.instance.assignees) == ("ended", {})


def test_an_assignment_names_who_is_to_act_and_takes_the_step_from_who_had_it():
    """`Assign` gives a step away, also one that somebody has, and keeps the reason."""
    case = desk()
    ask(case, Claim(actor=LI))
    assert ask(case, Assign(None, "wang", CHEF, "li is ill")) == ""
    fact = case.facts[-1]
    assert isinstance(fact, Assigned)
    assert (fact.to, fact.actor, fact.reason, fact.claimed) == ("wang", "chef", "li is ill", False)
    case.fire("finish", actor=LI)
    assert case.rule == "assigned"
    case.fire("finish", actor=WANG)
    assert case.rule == ""


def test_an_assignee_without_the_role_is_refused_when_they_fire():
    """The kernel does not know the roles of whom a step is given to; the role rule is asked when they act."""
    case = desk()
    ask(case, Assign(None, "guest", CHEF))
    case.fire("finish", actor=GUEST)
    assert case.rule == "role"


@pytest.mark.parametrize("who", [LI, CHEF], ids=["the assignee", "another"])
def test_a_released_step_is_open_to_its_role_again(who):
    """The assignee gives a step back, or whoever assigns takes it back."""
    case = desk()
    ask(case, Claim(actor=LI))
    assert ask(case, Release(actor=who, reason="ill")) == ""
    fact = case.facts[-1]
    assert isinstance(fact, Released)
    assert (fact.step, fact.actor, fact.reason) == ("work", who.id, "ill")
    assert case.instance.assignees == {}
    case.fire("finish", actor=WANG)
    assert case.rule == ""


def test_what_nobody_has_is_not_released():
    """There is nothing to give back."""
    case = desk()
    assert ask(case, Release(actor=LI)) == "not_assigned"


def test_whom_not_by_bars_neither_claims_nor_is_assigned_nor_fires():
    """Who did the work gets the check in no way."""
    case = desk()
    case.fire("finish", actor=LI)
    assert ask(case, Claim(actor=LI)) == "role"
    assert ask(case, Assign(None, "li", CHEF)) == "role"
    case.fire("confirm", actor=LI)
    assert case.rule == "role"
    assert case.instance.assignees == {}
    assert ask(case, Assign(None, "wang", CHEF)) == ""
    case.fire("confirm", actor=WANG)
    assert case.instance.status == "ended"


def test_several_active_steps_are_told_apart_by_name():
    """Without a name the one active step is meant; of several one has to be named."""
    case = twins()
    assert ask(case, Claim(actor=LI)) == "ambiguous"
    assert ask(case, Claim("x1", LI)) == ""
    assert ask(case, Claim("y1", WANG)) == ""
    assert ask(case, Assign(None, "wang", CHEF)) == "ambiguous"
    assert ask(case, Release(actor=LI)) == "ambiguous"
    assert case.instance.assignees == {"x1": "li", "y1": "wang"}
    case.fire("go_y", actor=LI)
    assert case.rule == "assigned"
    case.fire("go_x", actor=LI)
    assert case.instance.assignees == {"y1": "wang"}


@pytest.mark.parametrize("step", ["check", "end", "nowhere"])
def test_a_step_that_is_not_active_is_not_given_to_anybody(step):
    """Claim, assignment and release are about the present; they say where the instance is."""
    case = desk()
    for command in (Claim(step, LI), Assign(step, "li", CHEF), Release(step, LI)):
        assert ask(case, command) == "order"
        assert "work" in case.outcome.remedy.en


def test_the_end_of_a_branch_is_nobodys():
    """A branch that waits for the others has nothing to do, and nothing to claim."""
    case = twins()
    case.fire("go_x", actor=LI)
    assert ask(case, Claim("x2", LI)) == "order"
    assert ask(case, Claim(actor=LI)) == ""
    assert case.instance.assignees == {"y1": "li"}


def test_a_parallel_step_itself_may_be_assigned():
    """Its own exits are then the assignee's; the steps inside are not touched."""
    case = Case(
        procedure(
            fork(
                "both",
                move("done", "end"),
                move("stop", "end", kind="exception"),
                x=(Step("x1", role="clerk", to=(move("go_x", "x2"),)), Step("x2", end="done")),
                y=(Step("y1", role="clerk", to=(move("go_y", "y2"),)), Step("y2", end="done")),
            ),
            Step("end", end="completed"),
        )
    )
    assert ask(case, Assign("both", "chef", GUEST)) == ""
    case.fire("stop", actor=LI)
    assert case.rule == "assigned"
    case.fire("go_x", actor=LI)
    case.fire("go_y", actor=LI)
    assert case.instance.status == "ended"


def test_a_claim_says_who_claims_and_an_assignment_to_whom():
    """Nobody can have a step: that is a mistake of the caller and leaves no fact."""
    case = desk()
    for command in (Claim(actor=NOBODY), Claim(actor=Actor("", roles=None)), Assign(None, "", CHEF)):
        with pytest.raises(FieldError, match="name a person"):
            ask(case, command)
    assert case.kinds == ["Started"]


def test_a_held_instance_may_be_claimed_assigned_and_released():
    """Who has the work is settled while the clocks stand still too."""
    case = desk()
    case.hold()
    assert [ask(case, c) for c in (Claim(actor=LI), Assign(None, "wang", CHEF), Release(actor=WANG))] == [
        ""
    ] * 3


def test_nothing_is_claimed_of_what_has_ended():
    """After the end nobody has anything."""
    case = desk()
    case.fire("stop", actor=CHEF)
    for command in (Claim(actor=LI), Assign(None, "li", CHEF), Release(actor=LI)):
        assert ask(case, command) == "closed"


def test_whose_roles_are_unknown_has_none_to_act_with():
    """Neither a role rule nor somebody else's claim is passed by an actor whose roles were not looked up."""
    case = desk()
    stranger = Actor("stranger", roles=None)
    assert ask(case, Claim(actor=stranger)) == "role"
    case.fire("finish", actor=stranger)
    assert case.rule == "role"
    ask(case, Claim(actor=LI))
    for trigger in ("finish", "stop"):
        case.fire(trigger, actor=stranger)
        assert case.rule == "role"


def test_who_has_a_step_does_not_make_a_view_stale():
    """`revision` stays: what a caller decided upon has not changed, and work done before may be noted later."""
    case = desk()
    before = case.instance.revision, case.instance.revised_us
    for command in (Claim(actor=LI), Assign(None, "wang", CHEF), Release(actor=WANG)):
        ask(case, command)
    assert (case.instance.revision, case.instance.revised_us) == before
    ask(case, Claim(actor=LI))
    case.fire("finish", actor=LI, occurred_us=to_us(case.now - 2 * MINUTE))
    assert case.rule == ""


def test_available_says_that_a_step_is_assigned_to_another():
    """Closed triggers give the rule and why; the assignee and moves of other roles are not concerned."""
    case = desk()
    ask(case, Claim(actor=LI))
    others = seen(case, WANG)
    assert {name: (one.open, one.rule) for name, one in others.items()} == {
        "finish": (False, "assigned"), "again": (False, "assigned"), "stop": (False, "role"),
    }  # fmt: skip
    assert "somebody else" in others["finish"].why.en
    assert "他人" in others["finish"].why.zh
    assert seen(case, LI)["finish"].open
    assert seen(case, CHEF)["stop"].open
    assert not any(one.open for one in seen(case, Actor("stranger", roles=None)).values())


def test_a_missing_role_is_told_before_an_assignment():
    """Who could not act in any case is told so, in firing as in availability."""
    case = desk()
    ask(case, Claim(actor=LI))
    case.fire("finish", actor=CHEF)
    assert (case.rule, seen(case, CHEF)["finish"].rule) == ("role", "role")


def test_no_refusal_names_a_person():
    """Personal data stand in fields of their own, which can be erased, and never in a text."""
    case = desk()
    case.fire("finish", actor=CHEF)
    case.fire("finish", actor=Actor("guest", ["chief"]))
    ask(case, Claim(actor=CHEF))
    ask(case, Claim(actor=LI))
    ask(case, Claim(actor=WANG))
    case.fire("finish", actor=WANG)
    case.fire("finish", actor=LI)
    ask(case, Assign(None, "li", WANG))
    case.fire("confirm", actor=LI)
    refused = [fact for fact in case.facts if isinstance(fact, Refused)]
    assert len(refused) == 7
    for fact in refused:
        assert not re.search(r"\b(li|wang|chef|guest)\b", f"{fact.zh} {fact.en}", re.ASCII), fact
