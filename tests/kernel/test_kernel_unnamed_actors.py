"""Who has no name passes no rule that asks who acts, wherever it is asked; where nobody is asked, nobody is needed."""

from __future__ import annotations

import pytest
from kernel_cases import MINUTE, NOBODY, Case, fork, move, procedure, worker

from svcflow.errors import FieldError
from svcflow.kernel import Actor
from svcflow.kernel.commands import Accept, Assign, Claim, Explain, Extend, is_named
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.kernel.moves.availability import available
from svcflow.model.limit import Extension, TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Enforce, Step
from svcflow.worktime.instants import to_us

BLANKS = [
    "",
    " ",
    "\t\n",
    "\u200b",
    "\u2060\ufeff",
    "\x00\x1b",
    "\u3000",
    "\u202e",
    "\u3164",
    "\u2800",
    "\u0301\ufe0f",
    "\U0001d159",
]
ALL = ("clerk", "chief")
LI, CHEN = worker("li", *ALL), worker("chen", *ALL)
blank = pytest.mark.parametrize("name", BLANKS, ids=ascii)


def four_eyes(roles: tuple[str | None, ...] = ("clerk", "chief"), **enforce: str) -> Procedure:
    return procedure(
        Step("work", role=roles[0], to=(move("hand_in", "check"),)),
        Step("check", role=roles[1], not_by="work", to=(move("confirm", "end"),)),
        Step("end", end="completed"),
        enforce=Enforce(**enforce),
    )


@blank
def test_a_name_is_something_that_can_be_seen(name):
    """Blanks, fillers, marks without a letter and controls alone name nobody; any letter or sign among them does."""
    assert not is_named(name)
    assert is_named(f"{name}李{name}")
    assert all(map(is_named, ("7", "@", "e\u0301", "erased-1")))


@blank
@pytest.mark.parametrize("roles", [ALL, None], ids=["roles", "unknown"])
def test_who_has_no_name_passes_no_role_rule(name, roles):
    """Whatever roles stand beside the blank: neither the move nor a claim is theirs, and availability says so."""
    case = Case(four_eyes())
    who = Actor(name, roles)
    case.fire("hand_in", actor=who)
    assert (case.rule, case.instance.steps) == ("role", ("work",))
    assert "not said who acts" in case.facts[-1].en
    assert "没有指明" in case.facts[-1].zh
    assert "name who acts" in case.outcome.remedy.en
    found = available(case.compiled, case.instance, who, to_us(case.now))
    assert [(one.open, one.rule) for one in found] == [(False, "role")]
    for command in (Claim(actor=who), Assign(None, name, LI)):
        with pytest.raises(FieldError, match="name a person"):
            case.do(command, MINUTE)


@blank
@pytest.mark.parametrize("place", ["before", "after", "both"])
def test_four_eyes_are_two_names(name, place):
    """Where no role is asked, another person still is: neither who does the one step nor who does the other is nobody."""
    case = Case(four_eyes((None, None)))
    case.fire("hand_in", actor=Actor(name) if place != "after" else LI)
    if place != "after":
        assert (case.rule, case.instance.steps) == ("role", ("work",))
        assert "another person than who does 'work'" in case.facts[-1].en
        return
    case.fire("confirm", actor=Actor(name, ALL))
    assert (case.rule, case.instance.steps) == ("role", ("check",))
    assert "'check' is for another person than who did 'work'" in case.facts[-1].en
    case.fire("confirm", actor=CHEN)
    assert case.instance.status == "ended"


def test_what_is_recorded_instead_of_refused_is_recorded_of_nobody_too():
    """With `enforce: {role: record}` each pass of a nameless actor is a deviation."""
    case = Case(four_eyes(role="record"))
    case.fire("hand_in", actor=Actor("", ALL))
    case.fire("confirm", actor=Actor(" ", ALL))
    assert case.deviations == [("wrong_role", "work")] * 2 + [("wrong_role", "check")] * 2
    assert {fact.role for fact in case.of("Moved")} == {""}


def test_where_nobody_is_asked_nobody_is_needed():
    """A start, and moves of steps without a role that nobody else has to check, take no actor."""
    case = Case(procedure(Step("a", to=(move("go", "b"),)), Step("b", end="completed")), actor=NOBODY)
    case.hold(actor=NOBODY)
    case.resume()
    case.update(actor=NOBODY)
    case.fire("go", actor=NOBODY)
    assert case.instance.status == "ended"


@blank
def test_who_has_no_name_neither_judges_nor_extends_nor_acts_for_anybody(name):
    """Answers, extensions and delegations ask who it is as well."""
    limit = TimeLimit(within="1h", extension=Extension("1h", role="chief"))
    case = Case(procedure(Step("a", within=limit, to=(move("go", "b"),)), Step("b", end="completed")))
    case.do(Extend("a", "rain", Actor(name, ALL)), MINUTE)
    assert case.rule == "extension"
    case.wait(120 * MINUTE)
    number = case.of("Overdue")[0].sequence
    case.do(Explain(number, "rain", LI), MINUTE)
    case.do(Accept(number, "seen", Actor(name, ALL)), MINUTE)
    assert case.rule == "same_person"
    for giver, taker in ((name, "li"), ("li", name)):
        with pytest.raises(FieldError, match="have to be named"):
            Delegation("d", giver, taker, ["clerk"], [], 0, 1)
    if name:
        for one, other in ((name, "li"), ("li", name)):
            with pytest.raises(FieldError, match="another person"):
                Actor(one, ALL, other)


@blank
def test_an_override_needs_a_name_where_a_name_is_asked(name):
    """Neither the step that is left, nor the parallel one that is entered, nor a premature `done` lets nobody through."""
    inner = (Step("look", role="clerk", to=(move("seen", "looked"),)), Step("looked", end="done"))
    declared = procedure(
        Step("work", role="clerk", to=(move("split", "both"),)),
        fork("both", move("done", "last"), one=inner),
        Step("last", to=(move("close", "end"),)),
        Step("end", end="completed"),
    )
    who = Actor(name, ALL)
    for begin in ((), ("split",)):
        case = Case(declared)
        for trigger in begin:
            case.fire(trigger, actor=LI)
        before = case.instance.steps
        for trigger in ("close", "seen", "done"):
            case.fire(trigger, actor=who, override="urgent")
            assert (case.rule, case.instance.steps) == ("role", before)


@pytest.mark.parametrize("actor", [Actor("", None), Actor("", ALL), Actor("li", None)], ids=repr)
def test_what_a_replayed_log_does_not_tell_is_held_against_nobody(actor):
    """Its rules are all on record, and what is unknown breaks none of them."""
    case = Case(four_eyes(), enforce="record")
    case.fire("hand_in", actor=actor)
    case.fire("confirm", actor=Actor("", None))
    assert (case.instance.status, case.deviations) == ("ended", [])


@pytest.mark.parametrize(
    ("wrote", "says"),
    [("clark", "did you mean clerk?"), ("Chief", "did you mean chief?"), ("gardener", "role clerk do it")],
)
def test_a_misspelt_role_is_spelt(wrote, says):
    """A refusal for the role asks whether another was meant, in both languages; a role of elsewhere is no misspelling."""
    case = Case(four_eyes())
    for command in ("fire", "claim"):
        case.fire("hand_in", actor=worker("li", wrote)) if command == "fire" else case.do(
            Claim(actor=worker("li", wrote)), MINUTE
        )
        assert case.rule == "role"
        assert says in case.outcome.remedy.en
        assert case.outcome.remedy.zh
