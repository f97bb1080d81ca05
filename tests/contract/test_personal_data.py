"""Personal data stand beside the journal and can be erased there, on every store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from contract_cases import rows_with
from stored_play import CATALOG, CHIEF, CLERK, MORNING, play

from svcflow import Engine, Recipient, Refused, VirtualClock
from svcflow.errors import CorruptJournal, PersonInUse
from svcflow.journal.chain import GENESIS, chained
from svcflow.journal.personal_data import Commitments, commitment, erased, to_bytes, verify_secrets
from svcflow.kernel.facts import Assigned, Moved, Started
from svcflow.runtime.store import ChangeSet, Store


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(MORNING)


@pytest.fixture
def engine(store: Store, clock: VirtualClock) -> Engine:
    engine = Engine(store, CATALOG, clock=clock)
    play(engine, clock)
    return engine


def test_no_person_stands_in_a_journal(engine, store):
    """Neither actors, recipients nor personal fields are in the bytes; what is nobody's own is."""
    bodies = b"".join(body for name in store.ids() for body, _ in store.rows(name))
    for personal in (b"li.wei", b"chen", b"zhang", b"139 0000", b"138 0000"):
        assert personal not in bodies
    assert b"3-1204" in bodies


def test_facts_are_read_back_with_their_persons(engine):
    """Who reads the journal through the engine sees who acted and what was given."""
    started, *_ = engine.journal("ended")
    assert (started.actor, started.recipient, started.data["contact"]) == ("li.wei", "zhang", "139 0000 0000")


def test_equal_values_are_equal_commitments_within_an_instance_only(engine, store):
    """The same person is the same commitment in one journal, and another one in the next."""
    own = {name: [fact for fact in _sealed(store, name) if fact.get("actor")] for name in ("ended", "late")}
    assert len({record["actor"] for record in own["ended"]}) == 1
    assert {r["actor"] for r in own["ended"]}.isdisjoint(r["actor"] for r in own["late"])


def _sealed(store: Store, name: str) -> list[dict]:
    import orjson

    return [orjson.loads(body) for body, _ in store.rows(name)]


def test_entries_that_name_a_person_in_the_clear_are_counted(engine, store):
    """Journals of before there were commitments keep their persons: which they are is said, and nothing else is."""
    commitments = engine.forget("zhang", open=True)
    assert (commitments.named, commitments.named_in) == (0, ())
    for name in ("old 1", "old 2"):
        plain = [
            Started(name, 1, 1, 1, "zhang", "repair", 1, "reported", recipient="zhang"),
            Moved(name, 2, 2, 2, "wang", "reported", "accept", "working", data={"place": "zhang"}),
            Assigned(name, 3, 3, 3, "wang", "working", "zhang"),
            Moved(name, 4, 4, 4, "wang", "working", "zhang", "zhang", behalf="三张"),
        ]
        kept = engine.instance("late")._replace(id=name, sequence=4)
        store.change(name, None, lambda _, n=kept, p=plain: ChangeSet(n, chained(GENESIS, p)))
    plain = engine.forget("zhang", open=True)
    assert (plain.values, plain.named, plain.named_in) == (0, 4, ("old 1", "old 2"))
    assert engine.forget("三张", open=True).named == 2
    assert engine.forget("zhan", open=True).named == 0


def test_a_person_in_open_instances_is_not_forgotten_by_mistake(engine):
    """The error names the instances that still need the person, and nothing is erased."""
    with pytest.raises(PersonInUse, match="held"):
        engine.forget("zhang")
    assert engine.instance("held").recipient == "zhang"


def test_a_forgotten_person_leaves_every_chain_in_order(engine, store):
    """Recipient, their data and their name are gone everywhere; verification finds nothing wrong."""
    forgotten = engine.forget("zhang", open=True, actor=CLERK)
    assert forgotten.instances == ("ended", "held", "late", "refused")
    assert forgotten.values == 9  # name and number in each, and a second number in one
    assert engine.verify().ok
    for name in store.ids():
        instance, journal = engine.instance(name), engine.journal(name)
        assert instance.recipient.startswith("erased-")
        assert instance.data["contact"].startswith("erased-")
        assert instance.data["place"] == "3-1204"
        assert (journal[-1].kind, journal[-1].actor) == ("Erased", "li.wei")
        assert "zhang" not in repr(journal) + repr(instance)
        assert "139 0000" not in repr(journal) + repr(instance)
    assert engine.forget("zhang").instances == ()


def test_an_erased_actor_is_still_the_same_person(engine):
    """Entries of one forgotten actor in one instance still show the same label, those of others another."""
    engine.forget("li.wei", open=True)
    actors = [fact.actor for fact in engine.journal("held") if fact.actor]
    assert actors[0].startswith("erased-")
    assert actors == [actors[0], actors[0], "chen"]
    assert engine.verify().ok
    assert engine.deviations(instance="refused")[0].actor == ""


def test_an_instance_goes_on_after_somebody_was_forgotten(engine, clock):
    """An open instance is worked on with the same deadlines, and the same person may act again."""
    before = engine.deadlines("late")
    engine.forget("li.wei", open=True)
    assert engine.deadlines("late") == before
    clock.advance(timedelta(minutes=1))
    assert engine.fire("late", "close", actor=CLERK).status == "ended"
    assert engine.journal("late")[-2].actor == "li.wei"
    assert engine.verify().ok


def test_answers_are_given_again_after_somebody_was_forgotten(engine):
    """A repeated command still gets its first answer; it knows no more than the rest."""
    engine.forget("zhang", open=True)
    again = engine.fire("late", "accept", actor=CLERK, command_id="accept-late")
    assert (again.steps, again.recipient[:7]) == (("working",), "erased-")
    with pytest.raises(Refused):
        engine.fire("refused", "accept", actor=CHIEF, command_id="not-mine")


def test_data_of_nobody_served_belong_to_who_wrote_them(store, clock):
    """Without a recipient a personal field is erased with the actor who gave it."""
    engine = Engine(store, CATALOG, clock=clock)
    engine.start("repair", data={"contact": "137"}, actor=CHIEF, instance_id="r1")
    engine.forget("chen", open=True)
    assert engine.instance("r1").data["contact"].startswith("erased-")


def test_a_person_kept_falsely_is_found(store, clock, monkeypatch):
    """Somebody else's name put beside a journal does not fit what the journal is committed to."""
    engine = Engine(store, CATALOG, clock=clock)
    engine.start("repair", recipient=Recipient("zhang"), actor=CLERK, instance_id="r1")
    false = {token: one._replace(value='"wang"') for token, one in store.secrets("r1").items()}
    for kept in (false, {}):
        with monkeypatch.context() as patched:
            rows_with(patched, store, secrets=to_bytes(kept))
            ((name, error),) = engine.verify().problems
        assert (name, isinstance(error, CorruptJournal), error.column) == ("r1", True, "secrets")


def test_nothing_of_a_forgotten_person_is_left_in_the_file(tmp_path: Path, clock):
    """Neither in tables, nor in free space of the file, nor in its log."""
    path = tmp_path / "service.db"
    with Engine(f"sqlite:///{path}", CATALOG, clock=clock) as engine:
        play(engine, clock)
        files = [path, path.with_name("service.db-wal")]
        assert any(b"zhang" in file.read_bytes() for file in files)
        engine.forget("zhang", open=True)
        for file in files:
            assert b"zhang" not in file.read_bytes()
            assert b"139 0000" not in file.read_bytes()


def test_a_text_that_looks_like_a_commitment_is_a_text(store, clock):
    """Data of fields that are nobody's own are read back as they were given, whatever they look like."""
    look = commitment(b"salt", "li", '"x"')
    engine = Engine(store, CATALOG, clock=clock)
    engine.start("repair", data={"place": look}, actor=CLERK, instance_id="r1")
    assert engine.journal("r1")[0].data["place"] == look
    assert engine.verify().ok


def test_a_false_secret_is_told_from_an_erased_one():
    """An erased value is in order, one that does not fit its commitment is not."""
    commitments = Commitments({}, frozenset(), "")
    record = {"kind": "Moved", "actor": "li"}
    commitments.commit(record)
    (token,) = commitments.added
    assert record["actor"] == token
    verify_secrets("r1", {token: None})
    verify_secrets("r1", commitments.added)
    with pytest.raises(CorruptJournal, match="r1"):
        verify_secrets("r1", {token: commitments.added[token]._replace(value='"wang"')})
    Commitments({token: None}).reveal(record)
    assert record["actor"] == erased(token)
