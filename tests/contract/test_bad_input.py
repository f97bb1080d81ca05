"""What comes in and does not fit is refused before anything is kept, on every store."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from contract_cases import LI, NOON, declared, engine_on

from svcflow import Catalog, Engine, VirtualClock
from svcflow.errors import ChangedProcedure, FieldError, UnknownProcedure


@pytest.mark.parametrize(
    ("ask", "size"),
    [
        (lambda engine, much: engine.fire("r1", "accept", actor=LI, data={"note": much}), 1_011),
        (lambda engine, much: engine.fire("r1", "accept", actor=LI, evidence={"photo": much}), 1_012),
        (lambda engine, much: engine.fire("r1", "close", actor=LI, override=much), 1_002),
        (lambda engine, much: engine.hold("r1", reason=much, actor=LI), 1_002),
        (lambda engine, much: engine.update("r1", actor=LI, data={"note": much}), 1_011),
        (lambda engine, much: engine.start("repair", actor=LI, data={"note": much}), 1_011),
    ],
    ids=["fire data", "fire evidence", "override", "hold", "update", "start"],
)
def test_a_payload_over_the_limit_is_refused(store, ask, size):
    """The error names size and limit; no fact is left, and the limit itself goes through."""
    engine = Engine(store, declared(), clock=VirtualClock(NOON), payload_limit=1_000)
    engine.start("repair", actor=LI, instance_id="r1")
    with pytest.raises(FieldError, match=rf"brings {size} bytes of data; the limit is 1000; keep"):
        ask(engine, "x" * 1_000)
    assert len(engine.journal("r1")) == 1
    assert len(engine.instances()) == 1
    engine.update("r1", actor=LI, data={"note": "x" * (1_000 - len('{"note":""}'))})


def test_a_payload_may_be_64_kib_by_default(store):
    """Ten fields of 6,000 characters are fine, twelve are not."""
    engine = engine_on(store)
    engine.start("repair", actor=LI, instance_id="r1")
    evidence = {f"page-{number:02}": "x" * 6_000 for number in range(12)}
    with pytest.raises(FieldError, match="the limit is 65536"):
        engine.fire("r1", "accept", actor=LI, evidence=evidence)
    assert engine.fire("r1", "accept", actor=LI, evidence=dict(list(evidence.items())[:10])).revision == 2


def test_other_content_under_the_same_version_is_refused(store):
    """Who starts, moves or ticks with it is told both digests and what to do; the journal can still be read."""
    engine_on(store).start("repair", actor=LI, instance_id="r1")
    changed = attrs.evolve(declared(), calendar="nl_office")
    engine = Engine(store, changed, clock=VirtualClock(NOON + timedelta(days=1)))
    for ask in (
        lambda: engine.start("repair", actor=LI),
        lambda: engine.fire("r1", "accept", actor=LI),
        engine.tick,
    ):
        with pytest.raises(
            ChangedProcedure, match=r"repair v1 says.*\([0-9a-f]{12}\).*\([0-9a-f]{12}\).*raise"
        ):
            ask()
    assert [type(error) for _, error in engine.verify().problems] == [ChangedProcedure]
    assert [fact.kind for fact in engine.journal("r1")] == ["Started"]
    assert engine.instances() == (engine.instance("r1"),)


def test_a_raised_version_goes_on_beside_the_old_one(store):
    """Instances keep the version they were started under; new ones get the new."""
    engine_on(store).start("repair", actor=LI, instance_id="r1")
    both = Catalog.of(declared(), attrs.evolve(declared(), version=2, calendar="nl_office"))
    engine = Engine(store, both, clock=VirtualClock(NOON))
    assert engine.fire("r1", "accept", actor=LI).version == 1
    assert engine.start("repair", actor=LI).version == 2


def test_two_engines_that_differ_meet_at_the_first_start(store):
    """Both were open before anything was started: the second to start is refused, and so is its move."""
    one, other = engine_on(store), Engine(store, attrs.evolve(declared(), calendar="nl_office"))
    one.start("repair", actor=LI, instance_id="r1")
    for ask in (lambda: other.start("repair"), lambda: other.fire("r1", "accept", actor=LI)):
        with pytest.raises(ChangedProcedure):
            ask()


def test_a_version_that_the_catalog_lacks_is_named(store):
    """An instance of an older version needs that version; the error says which there are."""
    engine_on(store).start("repair", actor=LI, instance_id="r1")
    engine = Engine(store, attrs.evolve(declared(), version=2), clock=VirtualClock(NOON))
    with pytest.raises(UnknownProcedure, match=r"no version 1; there are: 2"):
        engine.fire("r1", "accept", actor=LI)
    assert len(engine.journal("r1")) == 1


def test_a_clock_set_back_does_not_turn_a_journal_back(store):
    """What is recorded after the clock was set back bears the instant of the fact before it."""
    engine_on(store).start("repair", actor=LI, instance_id="r1")
    early = engine_on(store, VirtualClock(NOON - timedelta(hours=3)))
    early.fire("r1", "accept", actor=LI)
    early.tick()
    assert [fact.occurred_at for fact in early.journal("r1")] == [NOON, NOON]
    assert early.verify().ok
