"""Nobody passes for somebody, and no person does both steps of a pair: random procedures, persons and commands.

A plain reference remembers who left which step and who fired from elsewhere, and asks the questions anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from procedures import BEGIN_US, CALENDARS, MINUTE_US

from svcflow.errors import FieldError
from svcflow.kernel import Actor, Command, Compiled, Fire, Instance, Start, compile_procedure, transact
from svcflow.kernel.commands import Assign, Claim, Recall, Release, is_named
from svcflow.kernel.facts import Moved
from svcflow.kernel.instance import from_state, to_state
from svcflow.kernel.moves.availability import available
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Branch, Enforce, Step, Transition

ROLES = ("clerk", "chief")
NAMES = ("li", "wang", "chen")
BLANKS = ("", " ", "\u200b", "\x07")
ACTOR_RULES = ("role", "assigned")
Pass = tuple[str, frozenset[str]]
"""A step and the persons of one move that did it."""


@st.composite
def procedures(draw: st.DrawFn) -> Procedure:
    """A line of steps with ways back, one of them now and then parallel; roles and pairs at random."""
    names = [f"s{place}" for place in range(draw(st.integers(2, 4)))]
    role = st.sampled_from([None, *ROLES])
    forked = draw(st.sampled_from([None, *names[1:]]))
    steps = []
    for place, name in enumerate(names):
        after = names[place + 1] if place + 1 < len(names) else "end"
        others = st.sampled_from([other for other in names if other != name])
        not_by = draw(st.lists(others, max_size=2, unique=True))
        back = Transition(f"back_{name}", names[0], kind="rework", role=draw(role))
        if name == forked:
            inner = draw(st.sampled_from([None, f"{name}y", f"{name}y", *names]))
            parallel = (
                Branch("x", (Step(f"{name}x", role=draw(role), not_by=inner if inner != name else None,
                                  to=(Transition(f"go_{name}x", f"{name}xe"),)), Step(f"{name}xe", end="x"))),
                Branch("y", (Step(f"{name}y", role=draw(role), to=(Transition(f"go_{name}y", f"{name}ye"),)),
                             Step(f"{name}ye", end="y"))),
            )  # fmt: skip
            steps.append(Step(name, parallel=parallel, not_by=not_by, to=(Transition("done", after), back)))
        else:
            move = Transition(f"go_{name}", after, role=draw(role))
            steps.append(Step(name, role=draw(role), not_by=not_by, to=(move, back)))
    order = draw(st.sampled_from(["refuse", "record"]))
    return Procedure(
        id="random", calendar="office", roles=[Role(name) for name in ROLES], enforce=Enforce(order=order),
        steps=(*steps, Step("end", end="completed")),
    )  # fmt: skip


roles = st.sampled_from([(), ("clerk",), ("chief",), ROLES, ROLES, None])
nameless = st.builds(Actor, st.sampled_from(BLANKS), roles)
deputies = st.builds(
    lambda pair, roles, end: Actor(pair[0], roles, pair[1], ends=dict.fromkeys(roles, end)),
    st.permutations(NAMES),
    st.sampled_from([("chief",), ROLES]),
    st.integers(BEGIN_US, BEGIN_US + 30 * MINUTE_US),
)
actors = st.one_of(st.builds(Actor, st.sampled_from(NAMES), roles), deputies, deputies, nameless)


@st.composite
def commands(draw: st.DrawFn, compiled: Compiled, instance: Instance) -> Command:
    actor, step = draw(actors), draw(st.sampled_from(tuple(instance.active)))
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return Claim(step, actor)
    if kind == 1:
        return Assign(step, draw(st.sampled_from(NAMES)), actor)
    if kind == 2:
        return draw(st.sampled_from([Release(step, actor), Recall("li", "wang", frozenset(ROLES))]))
    here = compiled.steps[step].triggers or tuple(compiled.triggers)
    trigger = draw(st.sampled_from(here if kind < 7 else tuple(compiled.triggers)))
    return Fire(trigger, actor, override=draw(st.sampled_from([None, "hurry"])))


def persons(actor: Actor) -> frozenset[str]:
    return frozenset(name for name in (actor.id, actor.behalf) if name)


def around(compiled: Compiled, *steps: str) -> Iterator[str]:
    for step in steps:
        yield step
        yield from compiled.around(step)


class Reference:
    """Who did which step, as the pages say it: by leaving it, or by firing its trigger from elsewhere."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.did: dict[str, frozenset[str]] = {}

    def take(self, moved: Moved, actor: Actor) -> None:
        """Take in one move that somebody made, and see that it was theirs to make."""
        direct = dict.fromkeys((moved.step, moved.via) if moved.via else (moved.step,))
        who = persons(actor)
        for step in direct:
            for one in around(self.compiled, step):
                for not_by in self.compiled.steps[one].step.not_by:
                    assert is_named(actor.id)
                    assert not who & self.did.get(not_by, frozenset()), (one, not_by)
                    others = set(around(self.compiled, *(other for other in direct if other != step)))
                    assert not_by not in others, (one, not_by)
        for one in around(self.compiled, *direct):
            for pair in self.compiled.pairs.get(one, ()):
                assert not who & self.did.get(pair, frozenset()), (one, pair)
        for step in direct:
            for one in around(self.compiled, step):
                before = self.did.get(one, frozenset()) if self.compiled.steps[one].branches else frozenset()
                self.did[one] = before | who

    def judge_role(self, moved: Moved, actor: Actor) -> None:
        """See that who made a declared move had its role, under a name."""
        row = self.compiled.rows(moved.via or moved.step, moved.trigger)[moved.row]
        if row.role and not moved.automatic:
            assert is_named(actor.id)
            assert row.role in (actor.roles or ())


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_no_person_does_both_steps_of_a_pair_and_nobody_passes_for_somebody(data):
    """Where roles are refused, whatever the order, the overrides, the deputies and the claims; as availability says."""
    run(data, 14)


@pytest.mark.long
@given(st.data())
@settings(deadline=None, max_examples=1000)
def test_no_person_does_both_steps_of_a_pair_in_many_procedures(data):
    """The same, for longer."""
    run(data, 25)


def run(data: st.DataObject, most: int) -> None:
    compiled = compile_procedure(data.draw(procedures()), CALENDARS.__getitem__)
    instance = transact(compiled, None, Start("i1"), BEGIN_US).instance
    reference = Reference(compiled)
    for number in range(data.draw(st.integers(1, most))):
        if instance.status == "ended":
            break
        at_us = BEGIN_US + number * 3 * MINUTE_US
        command = data.draw(commands(compiled, instance))
        offers = {(one.step, one.trigger): one for one in available(compiled, instance, command.actor, at_us)}
        try:
            outcome = transact(compiled, instance, command, at_us)
        except FieldError:
            assert isinstance(command, Claim)
            assert not is_named(command.actor.id)
            continue
        for fact in outcome.facts:
            if isinstance(fact, Moved) and (fact.via or not fact.automatic):
                reference.take(fact, command.actor)
                reference.judge_role(fact, command.actor)
        if isinstance(command, Fire) and command.override is None:
            agree(outcome.refused.rule if outcome.refused else "", command, offers, outcome.facts)
        if isinstance(command, Claim) and outcome.refused is None:
            assert is_named(command.actor.id)
        instance = outcome.instance
        assert from_state(to_state(instance)) == instance


def agree(rule: str, command: Fire, offers: dict, facts: tuple) -> None:
    """See that what is said to be open is not refused for who acts, and what is said to be closed is."""
    open_here = [one for (_, trigger), one in offers.items() if trigger == command.trigger]
    if len(open_here) != 1:
        return
    (offer,) = open_here
    assert (rule in ACTOR_RULES) is (offer.rule in ACTOR_RULES), (rule, offer.rule)
    assert offer.open is (rule == "")


def test_the_reference_notices_what_it_is_for():
    """A move that one person may not make fails the reference."""
    steps = (
        Step("s0", to=(Transition("go_s0", "s1"),)),
        Step("s1", not_by="s0", to=(Transition("go_s1", "end"),)),
        Step("end", end="completed"),
    )
    compiled = compile_procedure(Procedure(id="p", calendar="office", steps=steps), CALENDARS.__getitem__)
    for moves, actor in (
        ((Moved("i", 2, 0, 0, "li", "s0", "go_s1", "end", via="s1"),), Actor("li")),
        (
            (Moved("i", 2, 0, 0, "li", "s0", "go_s0", "s1"), Moved("i", 3, 0, 0, "li", "s1", "go_s1", "end")),
            Actor("li"),
        ),
        ((Moved("i", 2, 0, 0, "", "s1", "go_s1", "end"),), Actor("")),
    ):
        reference = Reference(compiled)
        for move in moves[:-1]:
            reference.take(move, actor)
        with pytest.raises(AssertionError):
            reference.take(moves[-1], actor)
