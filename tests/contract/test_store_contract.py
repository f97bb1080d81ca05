"""What every store promises, method by method."""

from __future__ import annotations

import threading

import pytest
from contract_cases import COMPILED, HOUR_US, LI, NOON_US, advance, due, found, put, started

from svcflow.errors import StoreError
from svcflow.journal import chained, verified
from svcflow.kernel import Fire, deviations_of, transact
from svcflow.runtime.filters import DeviationQuery, InstanceQuery
from svcflow.runtime.store import (
    SWEEP_BATCH,
    SWEEP_START,
    ChangeSet,
    CompletedCommand,
    LockedInstance,
    SweepPosition,
)
from svcflow.runtime.sweeps import SweepHandler
from waiting import PATIENCE_S


def test_what_was_kept_is_loaded_equal(store):
    """load and a change find the instance and the last link; of an unknown id there is nothing."""
    put(store, "r1")
    change = started("r2")
    store.change("r2", None, lambda _: change)
    assert store.load("r2") == (change.instance, change.entries[-1].link)
    assert store.load("r3") is None
    seen = found(store, "r2")
    assert (seen.instance, seen.journal.head) == (change.instance, change.entries[-1].link)
    assert found(store, "r3") == LockedInstance(None)


def test_facts_and_rows_come_in_order(store):
    """facts are equal to those written; rows are their bytes and links, and verify."""
    put(store, "r1")
    outcome = advance(store, "r1", Fire("accept", LI), NOON_US + HOUR_US * 2)
    facts = store.facts("r1")
    assert [fact.sequence for fact in facts] == list(range(1, outcome.instance.sequence + 1))
    assert facts[1:] == list(outcome.facts)
    rows, head = store.rows("r1"), store.load("r1").head
    assert list(verified("r1", rows, head, store.secrets("r1"))) == facts
    assert store.facts("r1", 2) == facts[:2]
    assert store.facts("r2") == []
    assert list(store.rows("r2")) == []


def test_persons_stand_beside_the_journal(store):
    """The rows hold commitments; what they stand for is kept as secrets, and read back into the facts."""
    put(store, "r1")
    advance(store, "r1", Fire("accept", LI), NOON_US)
    assert all(b'"li"' not in body for body, _ in store.rows("r1"))
    (secret,) = store.secrets("r1").values()
    assert (secret.person, secret.value) == ("li", '"li"')
    assert store.facts("r1")[-1].actor == "li"
    assert found(store, "r1").journal.secrets == store.secrets("r1")
    assert store.secrets("r2") == {}


def test_an_answer_is_kept_with_its_command(store):
    """A change finds what its command came to before, for its own instance only; a refused one came to nothing."""
    put(store, "r1")
    put(store, "r2")
    done = advance(store, "r1", Fire("accept", LI), NOON_US, "c-1")
    denied = advance(store, "r1", Fire("accept", LI), NOON_US, "c-2")
    assert found(store, "r1", "c-1").completed == CompletedCommand(done.instance.sequence)
    assert denied.refused is not None
    assert found(store, "r1", "c-2").completed is None
    assert found(store, "r1", "c-3").completed is None
    assert found(store, "r2", "c-1").completed is None
    assert found(store, "r1").completed is None


def test_an_error_inside_leaves_nothing(store):
    """A change whose question ends in an error keeps neither entries, instance, answer nor timers."""
    put(store, "r1")
    before = store.load("r1"), store.next_due_us()

    def fail(_: LockedInstance) -> ChangeSet | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.change("r2", "c-1", fail)
    assert store.load("r2") is None
    assert store.facts("r2") == []
    assert list(store.ids()) == ["r1"]
    assert (store.load("r1"), store.next_due_us()) == before
    put(store, "r2")
    assert store.load("r2").instance == started("r2").instance


def test_an_instance_is_created_once(store):
    """A second first entry of one id is a StoreError, and the first instance stays."""
    put(store, "r1")
    before = store.load("r1")
    with pytest.raises(StoreError):
        put(store, "r1", NOON_US + 1)
    assert store.load("r1") == before
    assert len(store.facts("r1")) == 1


def test_entries_go_on_from_the_last_one(store):
    """Entries that do not continue the journal are a StoreError: no gap, nothing twice, nothing before the start."""
    put(store, "r1")
    kept = store.load("r1")
    first = transact(COMPILED["repair"], kept.instance, Fire("accept", LI), NOON_US)
    second = transact(COMPILED["repair"], first.instance, Fire("again", LI), NOON_US)
    gap = ChangeSet(second.instance, chained(kept.head, second.facts))
    orphan = started("r2")
    later = transact(COMPILED["repair"], orphan.instance, Fire("accept", LI), NOON_US)
    headless = ChangeSet(later.instance, chained(orphan.entries[-1].link, later.facts))
    for name, wrong in (("r1", gap), ("r2", headless)):
        with pytest.raises(StoreError):
            store.change(name, None, lambda _, wrong=wrong: wrong)
    assert store.load("r1") == kept
    assert store.load("r2") is None
    assert len(store.facts("r1")) == 1


def test_one_command_id_is_kept_once(store):
    """A second answer under one command id is a StoreError and leaves nothing."""
    put(store, "r1")
    advance(store, "r1", Fire("accept", LI), NOON_US, "c-1")
    with pytest.raises(StoreError):
        advance(store, "r1", Fire("again", LI), NOON_US, "c-1")
    assert found(store, "r1", "c-1").instance.sequence == 2
    assert len(store.facts("r1")) == 2


def test_instances_are_found_by_procedure_and_status_newest_first(store):
    """instances filters, sorts by start and then id, and stops at its limit."""
    for place, name in enumerate(("r1", "r2", "r3")):
        put(store, name, NOON_US + place)
    put(store, "m1", NOON_US + 1, "moving")
    advance(store, "r2", Fire("accept", LI), NOON_US)
    advance(store, "r2", Fire("close", LI), NOON_US)

    def ids(*query: object) -> list[str]:
        return [one.id for one in store.instances(InstanceQuery(*query))]

    assert ids() == ["r3", "m1", "r2", "r1"]
    assert ids("repair") == ["r3", "r2", "r1"]
    assert ids("repair", "ended") == ["r2"]
    assert ids(None, "running") == ["r3", "m1", "r1"]
    assert ids("repair", None, 2) == ["r3", "r2"]
    assert ids("gardening") == []
    assert sorted(store.ids()) == ["m1", "r1", "r2", "r3"]


def test_due_instances_come_soonest_first(store):
    """A sweep looks at what is due up to an instant, that instant included, from a place on; ended ones never."""
    for name, at in (("r3", 2), ("r1", 0), ("r2", 1), ("r0", 1)):
        put(store, name, NOON_US + at)
    put(store, "ended")
    advance(store, "ended", Fire("accept", LI), NOON_US)
    advance(store, "ended", Fire("close", LI), NOON_US)
    due_us = NOON_US + HOUR_US + 1
    assert store.next_due_us() == due_us
    assert due(store, due_us - 1) == []
    assert due(store, due_us) == ["r1"]
    assert due(store, due_us + 1) == ["r1", "r0", "r2"]
    assert due(store, due_us + 9) == ["r1", "r0", "r2", "r3"]
    assert due(store, due_us + 9, SweepPosition(due_us + 1, "r0")) == ["r2", "r3"]
    assert due(store, due_us + 9, SweepPosition(due_us + 1, "r9")) == ["r3"]


def test_a_sweep_says_how_far_it_came(store):
    """The place is that of the last instance looked at, so that the next sweep goes on behind it; None at the end."""
    put(store, "r1")
    put(store, "r2", NOON_US + 1)
    due_us = NOON_US + HOUR_US + 1
    assert store.sweep(due_us + 9, SWEEP_START, lambda _: None) == SweepPosition(due_us + 1, "r2")
    assert store.sweep(due_us + 9, SweepPosition(due_us + 1, "r2"), lambda _: None) is None


def test_a_sweep_keeps_what_is_decided_and_looks_at_one_batch(store):
    """More than one batch of due instances takes several sweeps, and each instance changes once."""
    for number in range(SWEEP_BATCH + 5):
        put(store, f"r{number:04}", NOON_US + number % 7)
    now_us, place, taken = NOON_US + HOUR_US + 100, SWEEP_START, []
    sweeping = SweepHandler(lambda instance: COMPILED[instance.procedure], now_us)
    while place is not None:
        before = len(sweeping.facts)
        place = store.sweep(now_us, place, sweeping)
        taken.append(len(sweeping.facts) - before)
    assert taken == [SWEEP_BATCH, 5, 0]
    assert [fact.kind for fact in sweeping.recorded()] == ["Overdue"] * (SWEEP_BATCH + 5)
    assert all(len(store.facts(name)) == 2 for name in store.ids())
    assert due(store, now_us) == []


def test_nothing_is_due_in_an_empty_store(store):
    """An empty store has nothing due, nothing kept and no deviation."""
    assert store.next_due_us() is None
    assert due(store, NOON_US) == []
    assert list(store.ids()) == []
    assert list(store.instances(InstanceQuery())) == []
    assert list(store.deviations(DeviationQuery())) == []


def test_nothing_is_due_when_all_has_ended(store):
    """What has ended arms no timer."""
    put(store, "r1")
    advance(store, "r1", Fire("accept", LI), NOON_US)
    advance(store, "r1", Fire("close", LI), NOON_US)
    assert store.next_due_us() is None
    assert due(store, 2**62) == []


@pytest.fixture
def departed(store):
    """Three instances with five deviations: late in reported, late in working, skipped steps."""
    put(store, "r1")
    put(store, "r2", NOON_US + HOUR_US)
    put(store, "m1", NOON_US, "moving")
    advance(store, "r1", Fire("accept", LI), NOON_US + 2 * HOUR_US)
    advance(store, "r1", Fire("close", LI), NOON_US + 5 * HOUR_US)
    advance(store, "r2", Fire("close", LI, override="urgent"), NOON_US + HOUR_US + 1)
    advance(store, "m1", None, NOON_US + 90 * 60_000_000)
    return store


def test_deviations_are_those_of_the_journals_in_the_order_of_their_instants(departed):
    """The store's deviations are what the facts say, overruns filled in when the limit has ended."""
    found = departed.deviations(DeviationQuery())
    expected = [one for name in departed.ids() for one in deviations_of(departed.facts(name))]
    assert list(found) == sorted(expected, key=lambda one: (one.occurred_us, one.instance, one.sequence))
    overruns = {(one.instance, one.limit): one.overrun_us for one in found if one.limit}
    assert overruns == {("r1", "reported"): HOUR_US, ("r1", "working"): HOUR_US, ("m1", "reported"): None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"instance": "r1"}, ["r1", "r1"]),
        ({"instance": "r9"}, []),
        ({"procedure": "moving"}, ["m1"]),
        ({"kind": "overdue"}, ["m1", "r1", "r1"]),
        ({"kind": "skipped_step"}, ["r2"]),
        ({"step": "working"}, ["r2", "r1"]),
        ({"role": "chief"}, ["r2", "r1"]),
        ({"since_us": NOON_US + HOUR_US + 1}, ["r2", "r1"]),
        ({"until_us": NOON_US + HOUR_US + 1}, ["m1", "r1"]),
        ({"since_us": NOON_US + HOUR_US, "until_us": NOON_US + HOUR_US}, []),
        ({"kind": "overdue", "step": "reported", "role": "clerk", "procedure": "repair"}, ["r1"]),
    ],
)
def test_deviations_are_found_by_each_filter(departed, query, expected):
    """Each filter narrows the answer; `since` is included, `until` is not."""
    assert [one.instance for one in departed.deviations(DeviationQuery(**query))] == expected


def test_reading_goes_on_while_somebody_writes(store):
    """A reader sees the last kept state while a transaction is open, and the new one after."""
    put(store, "r1")
    before = store.load("r1")
    inside, seen = threading.Event(), threading.Event()

    def slowly(_: LockedInstance) -> ChangeSet:
        inside.set()
        assert seen.wait(PATIENCE_S)
        return started("r2")

    writer = threading.Thread(target=store.change, args=("r2", None, slowly))
    writer.start()
    assert inside.wait(PATIENCE_S)
    assert store.load("r1") == before
    assert store.load("r2") is None
    seen.set()
    writer.join()
    assert store.load("r2") is not None


def test_naming_every_instance_keeps_nobody_from_writing(store):
    """ids may be read slowly: others write meanwhile."""
    put(store, "r1")
    put(store, "r2")
    names = store.ids()
    next(names)
    writer = threading.Thread(target=put, args=(store, "r3"), daemon=True)
    writer.start()
    writer.join(PATIENCE_S)
    assert not writer.is_alive()
    assert next(names) == "r2"
