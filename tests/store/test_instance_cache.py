"""What a process remembers of the instances it changed last: PostgreSQL is not asked for them again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from stored_play import ASKED, CATALOG, CLERK, MORNING

from database_server import connected
from svcflow import Engine, Recipient, StaleRevision, VirtualClock
from svcflow.runtime.store import ChangeSet, LockedInstance
from svcflow.store.instance_cache import CAPACITY, InstanceCache


@pytest.fixture
def elsewhere(postgres_url):
    """Another process's engine on the same database."""
    with Engine(postgres_url, CATALOG, clock=VirtualClock(MORNING)) as opened:
        yield opened


@pytest.fixture
def left(engine):
    """An instance as the engine has just left it."""
    start = engine.start("repair", data=ASKED, recipient=Recipient("zhang"), actor=CLERK, instance_id="r1")
    return engine.fire(start.id, "accept", actor=CLERK)


def found_by(store):
    """Return what a change is told, each time it is asked; it keeps nothing."""
    seen = []
    store.change("r1", None, seen.append)
    return [found.instance for found in seen]


def test_an_instance_changed_here_is_not_read_to_change_it_again(engine, store, left):
    """What is decided on is what was left, not a copy of it; whoever keeps nothing has it read once more."""
    first, read = found_by(store)
    assert first is left
    assert read == left
    assert read is not left
    assert engine.fire("r1", "again", actor=CLERK).steps == ("working",)
    assert engine.verify().ok


def test_what_another_process_has_changed_is_read(engine, elsewhere, left):
    """Each goes on from where the other stopped: a revision is stale when it is, not when it was not seen."""
    for number, one in enumerate((elsewhere, engine, elsewhere, engine)):
        moved = one.fire("r1", "again", actor=CLERK, expected_revision=left.revision + number)
        assert moved.revision == left.revision + number + 1
    for one in (engine, elsewhere):
        with pytest.raises(StaleRevision):
            one.fire("r1", "again", actor=CLERK, expected_revision=left.revision)
    assert [fact.sequence for fact in engine.journal("r1")] == list(range(1, moved.sequence + 1))
    assert engine.verify().ok


@pytest.mark.usefixtures("left")
def test_a_row_written_anew_at_the_same_sequence_is_read(engine, postgres_url):
    """It is the row that counts: what stands beside the journal may be written anew without an entry."""
    with connected(postgres_url) as other:
        other.execute(
            "UPDATE svcflow_instances"
            " SET state = convert_to(replace(convert_from(state, 'UTF8'), '3-1204', '9-9'), 'UTF8')"
        )
    assert engine.fire("r1", "again", actor=CLERK).data["place"] == "9-9"


@pytest.mark.usefixtures("left")
def test_a_command_done_before_is_answered_though_its_instance_is_remembered(engine):
    """Its number stands in the way of doing it again, also when it could not be done any more."""
    first = engine.fire("r1", "close", actor=CLERK, command_id="c1")
    assert engine.fire("r1", "close", actor=CLERK, command_id="c1") == first
    assert engine.journal("r1")[-1].sequence == first.sequence


@pytest.mark.usefixtures("left")
def test_of_a_forgotten_person_nothing_is_remembered(engine, store):
    """Forgetting clears the memory of the process that does it."""
    engine.fire("r1", "close", actor=CLERK)
    engine.forget("zhang")
    assert store.backend._cache.take("r1") is None
    assert engine.verify().ok


@pytest.mark.usefixtures("left")
def test_what_a_tick_has_recorded_is_read(engine):
    """A sweep changes many at once and remembers none of them: the next change of each goes on from the sweep."""
    engine.clock.advance(timedelta(days=9))
    assert {fact.kind for fact in engine.tick()} >= {"Overdue"}
    assert engine.fire("r1", "close", actor=CLERK).status == "ended"
    assert engine.verify().ok


def test_a_process_remembers_so_many_and_each_for_one_change(left):
    """Those changed last are remembered; whoever takes one has it alone until it is put back."""
    memory = InstanceCache()
    for number in range(CAPACITY + 1):
        memory.put(LockedInstance(None), ChangeSet(left._replace(id=f"r{number}"), ()), "7")
    assert memory.take("r0") is None
    assert memory.take("r1").stamp == "7"
    assert memory.take("r1") is None
