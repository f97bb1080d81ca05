"""What the engine promises over every store: answers given again, one winner, nothing lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from contract_cases import CATALOG, LI, NOON, declared, engine_on
from sqlalchemy import create_engine

from svcflow import Engine, Refused, StaleRevision, VirtualClock
from svcflow.errors import FieldError, InstanceClosed, StoreError, UnknownTrigger
from svcflow.runtime.integrity.verification import Verification
from svcflow.store import open_store, schema
from waiting import PATIENCE_S

HOUR = timedelta(hours=1)


@pytest.fixture
def engine(store):
    return engine_on(store)


def test_a_start_asked_again_gives_the_instance_of_the_first(engine):
    """start with one command_id starts once, whatever happened to the instance since."""
    first = engine.start("repair", actor=LI, command_id="c-1")
    engine.fire(first.id, "accept", actor=LI)
    assert engine.start("repair", actor=LI, command_id="c-1") == first
    assert len(engine.instances()) == 1


@pytest.mark.parametrize("length", [10, 199])
def test_starts_of_different_command_ids_are_different_instances(engine, length):
    """Long command ids that differ only at their end do not fall together."""
    ids = {engine.start("repair", command_id="x" * length + end).id for end in "abc"}
    assert len(ids) == 3
    assert all(len(one) <= 80 for one in ids)
    assert engine.start("repair", command_id="x" * length + "a").id in ids


def test_a_command_asked_again_gives_its_first_answer(engine):
    """fire, hold, resume and update do nothing the second time and answer as the first time."""
    inst = engine.start("repair", actor=LI)
    for ask in (
        lambda: engine.fire(inst.id, "accept", actor=LI, command_id="c-1"),
        lambda: engine.hold(inst.id, reason="recipient", actor=LI, command_id="c-2"),
        lambda: engine.resume(inst.id, actor=LI, command_id="c-3"),
        lambda: engine.update(inst.id, data={"note": "x"}, actor=LI, command_id="c-4"),
    ):
        first = ask()
        engine.clock.advance(timedelta(minutes=1))
        count = len(engine.journal(inst.id))
        assert ask() == first
        assert len(engine.journal(inst.id)) == count
    engine.fire(inst.id, "close", actor=LI)
    assert engine.fire(inst.id, "accept", actor=LI, command_id="c-1").steps == ("working",)


def test_a_refused_command_asked_again_is_judged_anew(engine):
    """Each attempt leaves its fact; when nothing stands against it any more, it is done, once."""
    inst = engine.start("repair", actor=LI)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            engine.fire(inst.id, "close", actor=LI, command_id="c-1")
        assert (refused.value.rule, bool(refused.value.remedy)) == ("order", True)
    engine.fire(inst.id, "accept", actor=LI)
    done = engine.fire(inst.id, "close", actor=LI, command_id="c-1")
    assert engine.fire(inst.id, "close", actor=LI, command_id="c-1") == done
    kinds = [fact.kind for fact in engine.journal(inst.id)]
    assert kinds == ["Started", "Refused", "Refused", "Moved", "Moved"]
    for _ in range(2):
        with pytest.raises(InstanceClosed):
            engine.fire(inst.id, "close", actor=LI, command_id="c-2")


def test_a_corrected_command_may_carry_the_id_of_the_refused_one(engine):
    """A refusal changes nothing and is not kept under the id; what was done under it stays the answer."""
    inst = engine.start("repair", actor=LI)
    with pytest.raises(Refused):
        engine.fire(inst.id, "close", actor=LI, command_id="c-1")
    done = engine.fire(inst.id, "accept", actor=LI, command_id="c-1")
    assert done.steps == ("working",)
    for again in ("close", "accept"):
        assert engine.fire(inst.id, again, actor=LI, command_id="c-1") == done
    assert [fact.kind for fact in engine.journal(inst.id)] == ["Started", "Refused", "Moved"]


def test_a_command_that_was_done_is_answered_where_it_would_be_refused_by_now(engine):
    """A retry of what was done right before is no new attempt, though the instance has moved on by it."""
    inst = engine.start("repair", actor=LI)
    done = engine.fire(inst.id, "accept", actor=LI, command_id="c-1")
    assert engine.fire(inst.id, "accept", actor=LI, command_id="c-1") == done
    assert [fact.kind for fact in engine.journal(inst.id)] == ["Started", "Moved"]


def test_a_refusal_that_an_earlier_version_kept_under_an_id_does_not_count(url):
    """Such a row is treated as not there, and gives way to the command that is done under its id."""
    with engine_on(open_store(url)) as engine:
        inst = engine.start("repair", actor=LI)
        with pytest.raises(Refused):
            engine.fire(inst.id, "close", actor=LI)
        keep_as_before(url, inst.id, "c-1")
        done = engine.fire(inst.id, "accept", actor=LI, command_id="c-1")
        assert (done.steps, done.sequence) == (("working",), 3)
    with engine_on(open_store(url)) as engine:
        assert engine.fire(inst.id, "accept", actor=LI, command_id="c-1") == done
        assert engine.verify().ok


def keep_as_before(url: str, instance: str, command_id: str) -> None:
    """Note a refusal under a command id, as the first versions did."""
    database = create_engine(url)
    with database.begin() as connection:
        row = {"instance": instance, "command_id": command_id, "sequence": 2, "refused": 2}
        connection.execute(schema.commands.insert(), row)
    database.dispose()


def test_an_answer_given_again_needs_no_present_revision(engine):
    """A retry carries the revision of its first run: it is answered, not stale."""
    inst = engine.start("repair", actor=LI)
    ask = {"actor": LI, "command_id": "c-1", "expected_revision": inst.revision}
    first = engine.fire(inst.id, "accept", **ask)
    engine.fire(inst.id, "again", actor=LI)
    assert engine.fire(inst.id, "accept", **ask) == first


def test_a_stale_revision_changes_nothing_and_leaves_no_fact(engine):
    """Whoever saw an older revision is told so; nothing is journalled."""
    inst = engine.start("repair", actor=LI)
    engine.fire(inst.id, "accept", actor=LI)
    for ask in (
        lambda: engine.fire(inst.id, "again", actor=LI, expected_revision=inst.revision),
        lambda: engine.hold(inst.id, reason="recipient", expected_revision=inst.revision),
        lambda: engine.resume(inst.id, expected_revision=inst.revision),
        lambda: engine.update(inst.id, expected_revision=inst.revision),
    ):
        with pytest.raises(StaleRevision, match="revision 2, not 1"):
            ask()
    assert len(engine.journal(inst.id)) == 2


def test_a_warning_or_a_refusal_makes_no_revision_stale(engine):
    """What time brings and what was refused do not change what a caller decided on."""
    inst = engine.start("repair", actor=LI)
    engine.clock.advance(2 * HOUR)
    engine.tick()
    with pytest.raises(Refused):
        engine.fire(inst.id, "close", actor=LI)
    assert engine.instance(inst.id).sequence == 3
    engine.fire(inst.id, "accept", actor=LI, expected_revision=inst.revision)


def test_a_mistake_of_the_caller_leaves_no_fact(engine):
    """UnknownTrigger and FieldError leave the journal as it was, and the command_id free."""
    inst = engine.start("repair", actor=LI)
    with pytest.raises(UnknownTrigger):
        engine.fire(inst.id, "acept", actor=LI, command_id="c-1")
    with pytest.raises(FieldError):
        engine.fire(inst.id, "accept", actor=LI, data={"note": 1}, command_id="c-1")
    with pytest.raises(FieldError):
        engine.fire(inst.id, "accept", actor=LI, data={"note": "\ud800"}, command_id="c-1")
    assert len(engine.journal(inst.id)) == 1
    assert engine.fire(inst.id, "accept", actor=LI, command_id="c-1").steps == ("working",)
    assert engine.verify().ok


def test_a_taken_id_is_a_store_error(engine):
    """instance_id names an instance once; another start under it is refused."""
    engine.start("repair", instance_id="r1", command_id="c-1")
    with pytest.raises(StoreError, match="r1"):
        engine.start("repair", instance_id="r1")
    with pytest.raises(StoreError, match="r1"):
        engine.start("repair", instance_id="r1", command_id="c-2")
    assert engine.start("repair", instance_id="r1", command_id="c-1").id == "r1"


def test_exactly_one_wins_each_revision(engine):
    """8 threads fire 50 times each at the revision they saw: one winner per revision, the rest are stale."""
    inst = engine.start("repair", actor=LI)
    inst = engine.fire(inst.id, "accept", actor=LI)
    begin = threading.Barrier(8)
    won: list[tuple[int, int]] = []
    stale = Counter()

    def worker(number: int) -> None:
        begin.wait()
        for _ in range(50):
            seen = engine.instance(inst.id).revision
            try:
                now = engine.fire(inst.id, "again", actor=LI, expected_revision=seen)
                won.append((seen, now.revision))
            except StaleRevision:
                stale[number] += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(worker, range(8)))
    assert len(won) + sum(stale.values()) == 400
    assert max(Counter(seen for seen, _ in won).values()) == 1
    assert len(engine.journal(inst.id)) == 2 + len(won)
    assert engine.verify().ok


def test_threads_on_their_own_instances_lose_nothing(engine):
    """8 threads, each with an instance of its own, 25 fires each: every fact is there."""

    def worker(number: int) -> str:
        inst = engine.start("repair", actor=LI, instance_id=f"r{number}")
        engine.fire(inst.id, "accept", actor=LI)
        for _ in range(25):
            engine.fire(inst.id, "again", actor=LI)
        return inst.id

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(worker, range(8)))
    assert [len(engine.journal(name)) for name in names] == [27] * 8
    assert engine.verify() == Verification(8, 8 * 27, ())


def test_one_command_id_from_many_threads_acts_once(engine):
    """A command sent eight times at once is done once, and every sender gets the same answer."""
    inst = engine.start("repair", actor=LI)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(engine.fire, inst.id, "accept", actor=LI, command_id="c-1") for _ in range(8)]
        answers = [one.result() for one in asked]
    assert answers == [answers[0]] * 8
    assert len(engine.journal(inst.id)) == 2


def test_verification_of_a_busy_store_finds_nothing_wrong(engine):
    """Verifying while others write compares each journal with its own head, not with an older one."""
    inst = engine.start("repair", actor=LI)
    engine.fire(inst.id, "accept", actor=LI)
    stop = threading.Event()

    def write() -> None:
        for _ in range(500):
            engine.fire(inst.id, "again", actor=LI)
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        results = [engine.verify(inst.id) for _ in range(30)]
    finally:
        stop.set()
        writer.join()
    assert [one.problems for one in results if not one.ok] == []


WRITER = """
import sys
sys.path.insert(0, sys.argv[3])
from contract_cases import CATALOG, LI
from svcflow import Engine, StaleRevision
won = 0
with Engine(sys.argv[1], CATALOG) as engine:
    own = engine.start("repair", actor=LI, instance_id=f"own-{sys.argv[2]}")
    engine.fire(own.id, "accept", actor=LI)
    for _ in range(40):
        engine.fire(own.id, "again", actor=LI)
        try:
            engine.fire("shared", "again", actor=LI, expected_revision=engine.instance("shared").revision)
            won += 1
        except StaleRevision:
            pass
print(won)
"""


@pytest.mark.long
def test_four_processes_share_one_store(url):
    """4 processes on one store: own instances complete, the shared one has one winner per revision."""
    with Engine(url, CATALOG) as engine:
        engine.start("repair", actor=LI, instance_id="shared")
        engine.fire("shared", "accept", actor=LI)
        command = [sys.executable, "-W", "error", "-c", WRITER, url]
        here = str(Path(__file__).parent)
        running = [
            subprocess.Popen([*command, str(n), here], stdout=subprocess.PIPE, text=True) for n in range(4)
        ]
        outputs = [process.communicate(timeout=PATIENCE_S)[0] for process in running]
        won = [int(output) for output in outputs]
        assert [process.returncode for process in running] == [0] * 4
        assert len(engine.journal("shared")) == 2 + sum(won)
        assert [len(engine.journal(f"own-{n}")) for n in range(4)] == [42] * 4
        assert engine.verify().ok


OPENER = """
import sys
from svcflow.store import open_store
store = open_store(sys.argv[1])
print(len(list(store.ids())))
store.close()
"""


@pytest.mark.long
def test_processes_may_create_one_store_at_the_same_time(url):
    """Six processes that open a store that is not there yet all succeed: its tables are made once."""
    command = [sys.executable, "-W", "error", "-c", OPENER, url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert [process.communicate(timeout=PATIENCE_S)[0].strip() for process in running] == ["0"] * 6


def test_a_store_keeps_everything_for_the_next_engine(url):
    """Closed and opened again, instances, journals, deviations and timers are as they were."""
    clock = VirtualClock(NOON)
    with Engine(url, CATALOG, clock=clock) as engine:
        inst = engine.start("repair", actor=LI, command_id="c-1")
        clock.advance(2 * HOUR)
        engine.tick()
        before = engine.journal(inst.id), engine.instance(inst.id), engine.deviations()
    with Engine(url, declared(), clock=clock) as engine:
        assert (engine.journal(inst.id), engine.instance(inst.id), engine.deviations()) == before
        assert engine.start("repair", actor=LI, command_id="c-1").id == inst.id
        assert engine.tick() == ()
        assert engine.fire(inst.id, "accept", actor=LI).steps == ("working",)


def test_a_tick_tells_every_fact_once_also_after_a_hold_that_was_over_at_once(store):
    """What a tick returns is what it recorded: an instance that became due again at the same instant is due once."""
    clock = VirtualClock(NOON)
    engine = engine_on(store, clock)
    engine.start("repair", actor=LI, instance_id="r1")
    assert engine.tick() == ()  # the store has seen when it is due, and sees the same instant again below
    engine.hold("r1", reason="recipient", actor=LI)
    engine.resume("r1", actor=LI)
    clock.advance(timedelta(hours=2))
    assert [(fact.kind, fact.sequence) for fact in engine.tick()] == [("Overdue", 4)]
    assert engine.tick() == ()


def test_an_instance_cannot_be_changed_under_the_engine(engine):
    """Data that a caller writes into what it was given is refused; the next command decides by what is kept."""
    inst = engine.start("repair", data={"note": "3-1204"}, actor=LI)
    for kept in (inst, engine.instance(inst.id)):
        with pytest.raises(TypeError):
            kept.data["note"] = "elsewhere"
    assert engine.fire(inst.id, "accept", actor=LI).data["note"] == "3-1204"
