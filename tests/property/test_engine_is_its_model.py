"""The engine does what the documents say, whatever is asked of it: a plain reference is asked the same.

The normal run takes 16,000 steps, one in ten of them on SQLite, which syncs each; `SVCFLOW_MODEL_STEPS=50000` sets
how many.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from plain_reference import ERASED, MOVES, ROLES, STEP_ROLES, Case, Office

from svcflow import Actor, Engine, Procedure, Recipient, Refused, VirtualClock
from svcflow.errors import (
    PersonInUse,
    StaleRevision,
    StoreError,
    UnknownInstance,
    UnknownTrigger,
)
from svcflow.kernel.instance import NEVER, Instance
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import HoldRule, Role
from svcflow.model.step import Step, Transition
from svcflow.store import open_store

pytestmark = pytest.mark.long

STEPS = int(os.environ.get("SVCFLOW_MODEL_STEPS", "16000"))
LENGTH = 60
SHARES = {"memory": 9, "sqlite": 1}
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PROCEDURE = Procedure(
    id="approval",
    roles=(Role("clerk"), Role("chief"), Role("guest")),
    fields=(Field("note"), Field("contact", personal=True)),
    holds=(HoldRule("third_party", at_most="91m"), HoldRule("recipient")),
    steps=(
        Step(
            "asked",
            role="clerk",
            within=TimeLimit(within="121m", warn=["50%"]),
            to=(Transition("pass_on", "approving"), Transition("withdraw", "withdrawn", role="guest")),
        ),
        Step(
            "approving",
            role="chief",
            within="61m",
            not_by="asked",
            evidence=("form",),
            to=(
                Transition("approve", "done"),
                Transition("send_back", "asked", kind="rework", at_most=1),
            ),
        ),
        Step("done", end="completed"),
        Step("withdrawn", end="withdrawn"),
    ),
    limits=(TimeLimit(id="whole", within="361m"),),
)


class Manner(NamedTuple):
    """How something is asked: by whom, under which id, and expecting a revision that is wrong by so much."""

    actor: str
    command_id: str | None = None
    off: int | None = None


PERSONS = [name for name in ROLES if name]
names = st.sampled_from(["a", "a", "a", "b", "b", "b", "c", "d"])
notes = st.sampled_from([None, "x", "甲"])
papers = st.sampled_from([(), (), ("form",)])
triggers = st.sampled_from([*MOVES, "fly"])
reasons = st.sampled_from(["recipient", "third_party", "third_party", "statutory"])
waits = st.sampled_from([timedelta(minutes=n) for n in (0, 1, 20, 45, 70)])
places = st.integers(0, 4)
manners = st.builds(
    Manner,
    st.sampled_from([*PERSONS, *PERSONS, ""]),
    st.sampled_from([None, None, None, None, None, "c-1", "c-2", "c-3", "c-4"]),
    st.sampled_from([None, None, None, None, 0, 1]),
)


def actor_of(name: str) -> Actor:
    return Actor(name, roles=ROLES[name])


def data_of(note: str | None, contact: str | None) -> dict[str, str]:
    return {key: value for key, value in (("note", note), ("contact", contact)) if value is not None}


def known(value: object) -> object:
    """What is compared of a value: of an erased one, that it was."""
    return ERASED if isinstance(value, str) and value.startswith("erased-") else value


def seen(instance: Instance) -> tuple[object, ...]:
    """What is compared of an instance."""
    (step,) = instance.steps
    data = {name: known(value) for name, value in instance.data.items()}
    return (
        instance.status, instance.outcome, step, instance.revision, instance.sequence, data, instance.hold,
    )  # fmt: skip


class EngineAndReference(RuleBasedStateMachine):
    """Ask both the same; after each command the instance, its journal, deadlines and deviations are compared."""

    kept_in = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.office = Office()
        self.clock = VirtualClock(NOON)
        self.folder = tempfile.TemporaryDirectory()

    @initialize()
    def open(self) -> None:
        url = f"sqlite:///{self.folder.name}/service.db" if self.kept_in == "sqlite" else "memory://"
        self.url = url
        self.engine = Engine(open_store(url), PROCEDURE, clock=self.clock)
        for name in ("a", "b", "c"):
            self.begin(name, "x", "y", Manner("li"))

    def teardown(self) -> None:
        self.look_around()
        self.engine.close()
        self.folder.cleanup()

    @property
    def now(self) -> int:
        return self.clock.now_us()

    def answer(self, asked: Callable[[], Instance]) -> object:
        try:
            return seen(asked())
        except Refused as refused:
            return refused.rule
        except (StoreError, StaleRevision, UnknownInstance, UnknownTrigger) as error:
            return type(error).__name__

    def same(self, name: str, expected: object, got: object) -> None:
        """Compare the answers and, if the instance is there, all that can be seen of it."""
        if isinstance(got, tuple):
            got = got[: len(expected)]
        assert got == expected
        if name in self.office.cases:
            self.compare(self.office.cases[name])

    def compare(self, case: Case) -> None:
        assert seen(self.engine.instance(case.name)) == case.seen()
        facts = self.engine.journal(case.name)
        assert [(fact.kind, fact.occurred_us) for fact in facts] == case.facts
        found = self.engine.deviations(instance=case.name)
        assert {one.sequence: (one.kind, one.limit, one.visit, one.overrun_us, one.status, one.explanation) for one in found} == {
            number: tuple(one[key] for key in ("kind", "limit", "visit", "overrun", "status", "explanation"))
            for number, one in case.deviations.items()
        }  # fmt: skip
        kept = self.engine.instance(case.name).stopwatches.values()
        dues = {
            (one.limit, one.visit, None if one.due_us == NEVER else one.due_us)
            for one in kept
            if not one.verdict
        }
        assert dues == case.deadlines()

    def ask(self, name, command, how, *given, way) -> None:
        """Ask the reference and the engine."""
        options = {"actor": actor_of(how.actor), "command_id": how.command_id}
        if how.off is not None and name in self.office.cases:
            options["expected_revision"] = self.office.cases[name].revision + how.off
        expected = self.office.ask(
            name, command, self.now, how.actor, how.command_id, *given, stale=bool(how.off)
        )
        self.same(name, expected, self.answer(partial(way, name, **options)))

    @rule(name=names, note=notes, contact=notes, how=manners)
    def start(self, name, note, contact, how):
        self.begin(name, note, contact, how)

    def begin(self, name, note, contact, how):
        expected = self.office.start(
            name, self.now, how.command_id, actor=how.actor, note=note, contact=contact
        )
        options = {"instance_id": name, "command_id": how.command_id, "actor": actor_of(how.actor)}
        served = Recipient("zhang", group="staff")
        way = partial(self.engine.start, "approval", data=data_of(note, contact), recipient=served, **options)
        self.same(name, expected, self.answer(way))

    @rule(name=names, trigger=triggers, given=papers, how=manners)
    def fire(self, name, trigger, given, how):
        self.move(name, trigger, given, how)

    def move(self, name, trigger, given, how):
        way = partial(self.engine.fire, trigger=trigger, evidence=dict.fromkeys(given, "p"))
        self.ask(name, "fire", how, trigger, given, way=way)

    @rule(name=names, by=st.sampled_from(["li", "wang"]), back=st.booleans(), after=waits, given=papers)
    def go_on(self, name, by, back, after, given):
        """After a while somebody of the role does what comes next, so that instances get somewhere.

        Who has both roles often tries both steps: that `not_by` is kept shows in a short run too.
        """
        self.clock.advance(after)
        case = self.office.cases.get(name)
        if case is not None and case.status == "held":
            self.ask(name, "resume", Manner(by), way=self.engine.resume)
        elif case is not None and case.step == "asked":
            self.move(name, "pass_on", given, Manner(by))
        elif case is not None:
            self.move(name, "send_back" if back else "approve", given, Manner("chen" if by == "li" else by))

    @rule(name=names, reason=reasons, how=manners)
    def hold(self, name, reason, how):
        self.ask(name, "stop", how, reason, way=partial(self.engine.hold, reason=reason))

    @rule(name=names, how=manners)
    def resume(self, name, how):
        self.ask(name, "resume", how, way=self.engine.resume)

    @rule(name=names, note=notes, contact=notes, given=papers, how=manners)
    def update(self, name, note, contact, given, how):
        way = partial(self.engine.update, data=data_of(note, contact), evidence=dict.fromkeys(given, "p"))
        self.ask(name, "update", how, note, contact, given, way=way)

    @rule(name=names, to=st.sampled_from([None, "", *PERSONS]), how=manners)
    def give(self, name, to, how):
        """Claim a step, have it released, or assign it to somebody."""
        if to:
            self.ask(name, "assign", how, to, way=partial(self.engine.assign, to=to))
        elif to is None and how.actor:
            self.ask(name, "claim", how, way=self.engine.claim)
        else:
            self.ask(name, "release", how, way=self.engine.release)

    @rule(place=places, verdict=st.sampled_from([None, None, "Accepted", "Rejected"]), how=manners)
    def say(self, place, verdict, how):
        """Explain one of the deviations there are, accept or reject it; now and then what is none."""
        found = [(name, number) for name, case in self.office.cases.items() for number in case.deviations]
        name, number = dict(enumerate(found)).get(place, ("a", 1))
        how = how._replace(off=None)
        if verdict is None:
            way = partial(self.engine.explain_deviation, deviation=number, reason="rain")
            self.ask(name, "explain", how, number, "rain", way=way)
        else:
            accepts = verdict == "Accepted"
            judging = self.engine.accept_deviation if accepts else self.engine.reject_deviation
            way = partial(judging, deviation=number, reason="seen")
            self.ask(name, "judge", how, number, verdict, way=way)

    @rule(person=st.sampled_from([*PERSONS, "zhang"]), open_=st.booleans())
    def forget(self, person, open_):
        expected = self.office.forget(person, self.now, open_=open_)
        try:
            got = sorted(self.engine.forget(person, open=open_).instances)
        except PersonInUse:
            got = "PersonInUse"
        assert got == expected
        for case in self.office.cases.values():
            self.compare(case)

    @precondition(lambda self: self.office.due())
    @rule(place=st.integers(0, 5))
    def wait_until_something_is_due(self, place):
        """To the very microsecond, and to the one before."""
        due = [at for at in self.office.due() if at >= self.now]
        if due:
            self.clock.advance(timedelta(microseconds=due[min(place, len(due) - 1)] - self.now))

    @rule()
    def tick(self):
        assert len(self.engine.tick()) == self.office.tick(self.now)
        for case in self.office.cases.values():
            self.compare(case)

    @rule()
    def open_anew(self):
        """What an engine knows it knows from its store."""
        if self.kept_in == "sqlite":
            self.engine.close()
            self.engine = Engine(self.url, PROCEDURE, clock=self.clock)
        else:
            self.engine = Engine(self.engine._store, PROCEDURE, clock=self.clock)
        self.look_around()

    def look_around(self):
        """What is asked over all instances at once."""
        cases = self.office.cases.values()
        open_ = [case for case in cases if case.status != "ended"]
        found = self.engine.worklist()
        assert [one.due_us for one in found] == sorted(one.due_us for one in found)
        rows = {
            (
                one.instance,
                one.step,
                one.role,
                known(one.assignee),
                None if one.due_us == NEVER else one.due_us,
            )
            for one in found
        }
        assert rows == {case.work() for case in open_}
        for name, roles in ROLES.items():
            if name:
                mine = {(one.instance, one.step) for one in self.engine.worklist(actor_of(name))}
                free = {
                    (c.name, c.step)
                    for c in open_
                    if c.assignee in ("", ERASED) and STEP_ROLES[c.step] in roles
                }
                assert mine == free | {(c.name, c.step) for c in open_ if c.assignee == name}
        assert self.engine.instance_counts("status") == self.office.counts(lambda case: case.status)
        kinds = [one["kind"] for case in cases for one in case.deviations.values()]
        assert self.engine.deviation_counts("kind") == {kind: kinds.count(kind) for kind in kinds}
        result = self.engine.verify()
        assert (result.problems, result.facts) == ((), sum(len(case.facts) for case in cases))


@pytest.mark.parametrize("kept_in", list(SHARES))
def test_the_engine_does_what_the_reference_does(kept_in):
    """Every answer, refusal, fact, deadline, deviation and count is the same, at every step."""
    machine = type("Kept", (EngineAndReference,), {"kept_in": kept_in})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=-(-STEPS * SHARES[kept_in] // sum(SHARES.values()) // LENGTH),
            stateful_step_count=LENGTH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
