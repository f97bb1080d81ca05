"""A journal in memory is written when somebody asks for it, and is then what it would have been if written at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from svcflow import Actor, Catalog, Engine, Procedure, VirtualClock
from svcflow.errors import FieldError
from svcflow.journal.canonical import to_bytes
from svcflow.journal.chain import verified
from svcflow.journal.personal_data import Commitments
from svcflow.model.field import Field
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition
from svcflow.store.memory.store import MemoryStore

LI, WANG = Actor("li", {"clerk"}), Actor("wang", {"clerk"})


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def engine(store: MemoryStore) -> Engine:
    rounds = Procedure(
        id="rounds",
        fields=[Field("fee", type="number"), Field("phone", type="text", personal=True)],
        roles=[Role("clerk")],
        steps=[
            Step("ping", role="clerk", within="2h", to=[Transition("go", "pong")]),
            Step("pong", role="clerk", to=[Transition("back", "ping"), Transition("stop", "over")]),
            Step("over", end="completed"),
        ],
    )
    engine = Engine(store, Catalog.of(rounds), clock=VirtualClock())
    engine.start("rounds", instance_id="r1", actor=LI)
    return engine


def unwritten(store: MemoryStore) -> int:
    journal = store._journals["r1"]
    return len(journal.facts) - len(journal._entries)


def test_moves_are_written_when_the_journal_is_asked_for(engine, store):
    """Three moves cost no bytes and no links; whoever reads the journal finds all of them, chained and committed to."""
    for trigger, actor in (("go", LI), ("back", WANG), ("go", LI)):
        engine.fire("r1", trigger, actor=actor)
    assert unwritten(store) == 3
    kept, secrets = store.load("r1"), store.secrets("r1")
    assert unwritten(store) == 0
    facts = list(verified("r1", store.rows("r1"), kept.head, secrets))
    assert facts == list(engine.journal("r1"))
    assert {one.person for one in secrets.values() if one} == {"li", "wang"}
    at_once = [to_bytes(fact, Commitments(secrets)) for fact in facts]
    assert [body for body, _ in store.rows("r1")] == at_once
    assert engine.verify().ok


def test_what_time_and_callers_bring_is_written_at_once(engine, store):
    """A breach comes with a tick, which hands its facts out; data are in the journal before anybody can change them."""
    engine.fire("r1", "go", actor=LI)
    engine.clock.advance(timedelta(hours=3))
    engine.fire("r1", "back", actor=LI, data={"fee": 3, "phone": "139"})
    assert unwritten(store) == 0
    engine.fire("r1", "go", actor=LI)
    assert unwritten(store) == 1
    engine.fire("r1", "back", actor=LI)
    engine.clock.advance(timedelta(hours=3))
    assert engine.tick()
    assert unwritten(store) == 0
    assert engine.verify().ok


def test_what_has_no_form_in_json_is_refused_before_anything_is_kept(engine, store):
    """A number that only looks like one cannot be written later either: the move is refused, and the next one goes on."""

    class Fee(float):
        """No number of JSON's."""

    engine.fire("r1", "go", actor=LI)
    with pytest.raises(FieldError):
        engine.fire("r1", "back", actor=LI, data={"fee": Fee(3)})
    engine.fire("r1", "back", actor=LI)
    assert [fact.sequence for fact in engine.journal("r1")] == [1, 2, 3]
    assert engine.verify().ok


def test_the_evidence_that_a_caller_fills_in_afterwards_is_not_in_the_journal(engine):
    """The caller's own mapping may be changed as soon as the command is over."""
    evidence: dict[str, str] = {}
    engine.fire("r1", "go", actor=LI, evidence=evidence)
    evidence["photo"] = "p1"
    assert engine.journal("r1")[-1].evidence == {}


def test_work_is_that_of_the_instance_as_it_is(engine):
    """Work is told when it is asked for: after moves, after somebody took it, and when there is none left."""
    engine.fire("r1", "go", actor=LI)
    engine.fire("r1", "back", actor=LI)
    assert [(one.step, one.assignee) for one in engine.worklist()] == [("ping", "")]
    engine.claim("r1", actor=WANG)
    assert [(one.step, one.assignee) for one in engine.worklist()] == [("ping", "wang")]
    engine.fire("r1", "go", actor=WANG)
    assert [(one.step, one.assignee) for one in engine.worklist()] == [("pong", "")]
    engine.fire("r1", "stop", actor=LI)
    assert list(engine.worklist()) == []
    assert engine.verify().ok


def test_a_person_is_erased_from_moves_that_were_not_written_yet(engine, store):
    """To forget somebody the journal is written first; then neither facts nor secrets know them."""
    engine.fire("r1", "go", actor=WANG)
    assert engine.forget("wang", open=True).values == 1
    assert "wang" not in str(engine.journal("r1"))
    assert "wang" not in {one.person for one in store.secrets("r1").values() if one}
    assert engine.verify().ok
