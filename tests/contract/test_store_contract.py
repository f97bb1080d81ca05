"""What every store promises, method by method."""

from __future__ import annotations

import threading

import pytest
from contract_cases import COMPILED, HOUR_US, LI, NOON_US, put, started

from svcflow.errors import StoreError
from svcflow.journal import Entry, chained, verified
from svcflow.kernel import Fire, Instance, deviations_of, transact
from svcflow.runtime.store import Answer, DeviationQuery, InstanceQuery, Store


def advance(store: Store, name: str, command: Fire | None, at_us: int, command_id: str | None = None):
    with store.transaction() as work:
        kept = work.load(name)
        outcome = transact(COMPILED[kept.instance.procedure], kept.instance, command, at_us)
        refused = outcome.refused.sequence if outcome.refused else 0
        work.append(
            outcome.instance, chained(kept.head, outcome.facts), command_id=command_id, refused=refused
        )
    return outcome


def test_what_was_kept_is_loaded_equal(store):
    """load gives the instance and the last link; of an unknown id it gives None."""
    instance, entries = started("r1")
    with store.transaction() as work:
        work.append(instance, entries, command_id=None, refused=0)
    assert store.load("r1") == (instance, entries[-1].link)
    assert store.load("r2") is None
    with store.transaction() as work:
        assert work.load("r1") == (instance, entries[-1].link)
        assert work.load("r2") is None


def test_facts_and_rows_come_in_order(store):
    """facts are equal to those written; rows are their bytes and links, and verify."""
    put(store, "r1")
    outcome = advance(store, "r1", Fire("accept", LI), NOON_US + HOUR_US * 2)
    facts = store.facts("r1")
    assert [fact.sequence for fact in facts] == list(range(1, outcome.instance.sequence + 1))
    assert facts[1:] == list(outcome.facts)
    assert list(verified("r1", store.rows("r1"), store.load("r1").head)) == facts
    assert store.facts("r2") == []
    assert list(store.rows("r2")) == []
    with store.transaction() as work:
        assert work.facts("r1") == facts
        assert work.facts("r1", 2) == facts[:2]


def test_an_answer_is_kept_with_its_command(store):
    """answer tells what a command came to, for its own instance only."""
    put(store, "r1")
    put(store, "r2")
    done = advance(store, "r1", Fire("accept", LI), NOON_US, "c-1")
    denied = advance(store, "r1", Fire("accept", LI), NOON_US, "c-2")
    with store.transaction() as work:
        assert work.answer("r1", "c-1") == Answer(done.instance.sequence, 0)
        assert work.answer("r1", "c-2") == Answer(denied.instance.sequence, denied.refused.sequence)
        assert work.answer("r1", "c-3") is None
        assert work.answer("r2", "c-1") is None


def test_an_error_inside_leaves_nothing(store):
    """A transaction left by an error keeps neither entries, instance, answer nor timers."""
    put(store, "r1")
    before = store.load("r1"), store.next_due_us()
    instance, entries = started("r2", NOON_US - HOUR_US)
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(store, instance, entries)
    assert store.load("r2") is None
    assert store.facts("r2") == []
    assert list(store.ids()) == ["r1"]
    assert (store.load("r1"), store.next_due_us()) == before
    with store.transaction() as work:
        assert work.answer("r2", "c-1") is None
        work.append(instance, entries, command_id="c-1", refused=0)
    assert store.load("r2").instance == instance


def _write_and_fail(store: Store, instance: Instance, entries: tuple[Entry, ...]) -> None:
    with store.transaction() as work:
        work.append(instance, entries, command_id="c-1", refused=0)
        raise ZeroDivisionError


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
    gap = second.instance, chained(kept.head, second.facts)
    orphan, entries = started("r2")
    later = transact(COMPILED["repair"], orphan, Fire("accept", LI), NOON_US)
    for instance, wrong in (gap, (later.instance, chained(entries[-1].link, later.facts))):
        with pytest.raises(StoreError), store.transaction() as work:
            work.append(instance, wrong, command_id=None, refused=0)
    assert store.load("r1") == kept
    assert store.load("r2") is None
    assert len(store.facts("r1")) == 1


def test_one_command_id_is_kept_once(store):
    """A second answer under one command id is a StoreError and leaves nothing."""
    put(store, "r1")
    advance(store, "r1", Fire("accept", LI), NOON_US, "c-1")
    with pytest.raises(StoreError):
        advance(store, "r1", Fire("again", LI), NOON_US, "c-1")
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
    """due gives what is due up to an instant, that instant included, at most so many; ended ones never."""
    for name, at in (("r3", 2), ("r1", 0), ("r2", 1), ("r0", 1)):
        put(store, name, NOON_US + at)
    put(store, "ended")
    advance(store, "ended", Fire("accept", LI), NOON_US)
    advance(store, "ended", Fire("close", LI), NOON_US)
    due_us = NOON_US + HOUR_US + 1
    assert store.next_due_us() == due_us
    assert list(store.due(due_us - 1, 10)) == []
    assert list(store.due(due_us, 10)) == ["r1"]
    assert list(store.due(due_us + 1, 10)) == ["r1", "r0", "r2"]
    assert list(store.due(due_us + 9, 10)) == ["r1", "r0", "r2", "r3"]
    assert list(store.due(due_us + 9, 2)) == ["r1", "r0"]


def test_nothing_is_due_in_an_empty_store(store):
    """An empty store has nothing due, nothing kept and no deviation."""
    assert store.next_due_us() is None
    assert list(store.due(NOON_US, 10)) == []
    assert list(store.ids()) == []
    assert list(store.instances(InstanceQuery())) == []
    assert list(store.deviations(DeviationQuery())) == []


def test_nothing_is_due_when_all_has_ended(store):
    """What has ended arms no timer."""
    put(store, "r1")
    advance(store, "r1", Fire("accept", LI), NOON_US)
    advance(store, "r1", Fire("close", LI), NOON_US)
    assert store.next_due_us() is None
    assert list(store.due(2**62, 10)) == []


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

    def write() -> None:
        with store.transaction() as work:
            instance, entries = started("r2")
            work.append(instance, entries, command_id=None, refused=0)
            inside.set()
            assert seen.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    assert inside.wait(10)
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
    writer.join(10)
    assert not writer.is_alive()
    assert next(names) == "r2"
