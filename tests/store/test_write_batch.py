"""What a SQLite store remembers of the instances that changed last is what is in the file, whoever wrote it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from stored_play import CATALOG, CLERK, MORNING

from svcflow import Engine, StaleRevision, VirtualClock
from svcflow.errors import StoreError
from svcflow.runtime.store import SWEEP_START
from svcflow.runtime.sweeps import SweepHandler
from svcflow.store.sqlite import write_batch
from svcflow.store.unit_of_work import UnitOfWork


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 's.db'}"


def opened(url: str) -> Engine:
    return Engine(url, CATALOG, clock=VirtualClock(MORNING))


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    with opened(url) as made:
        yield made


def seen(engine: Engine) -> list[str]:
    """The instances that the store of an engine remembers."""
    return list(engine._store.backend._batch._cached)


def reads(engine: Engine) -> list[str]:
    """Return a list that grows by each time the store reads an instance to change it."""
    log: list[str] = []
    driver = engine._store.backend._writer.driver_connection
    driver.set_trace_callback(
        lambda sql: log.append(sql) if sql.startswith("SELECT svcflow_instances") else None
    )
    return log


def test_what_was_changed_last_is_not_read_again(engine):
    """The second change of an instance goes on from the first one, without a question to the file."""
    engine.start("repair", actor=CLERK, instance_id="r1")
    log = reads(engine)
    engine.update("r1", data={"place": "3-1204"}, actor=CLERK)
    assert engine.update("r1", data={"place": "3-1205"}, actor=CLERK).revision == 3
    assert log == []
    assert engine.verify().ok


def test_what_another_process_changed_is_read_again(url, engine):
    """Two stores on one file take turns on one instance: each goes on from the other's change."""
    engine.start("repair", actor=CLERK, instance_id="r1")
    with opened(url) as other:
        for number in range(3):
            for one in (other, engine):
                revision = one.instance("r1").revision
                one.update("r1", data={"place": f"{number}"}, actor=CLERK, expected_revision=revision)
        with pytest.raises(StaleRevision):
            engine.update("r1", data={"place": "x"}, actor=CLERK, expected_revision=1)
    assert len(engine.journal("r1")) == 7
    assert engine.verify().ok


def test_what_a_host_changed_in_its_transaction_is_read_again(url, engine):
    """A change that came through the host's connection counts, one that it rolled back does not."""
    engine.start("repair", actor=CLERK, instance_id="r1")
    database = create_engine(url)
    for end, place in (("rollback", "lost"), ("commit", "kept")):
        with database.connect() as connection:
            engine.on(connection).update("r1", data={"place": place}, actor=CLERK)
            getattr(connection, end)()
    database.dispose()
    assert engine.update("r1", evidence={"photo": "p-1"}, actor=CLERK).data["place"] == "kept"
    assert engine.verify().ok


def test_a_change_that_was_not_kept_is_forgotten(engine, monkeypatch):
    """When writing fails nothing of the change stays in memory: the next one goes on from the file."""
    engine.start("repair", actor=CLERK, instance_id="r1")
    monkeypatch.setattr(
        write_batch.WriteBatch,
        "_write",
        lambda _: (_ for _ in ()).throw(sqlite3.OperationalError("disk I/O error")),
    )
    with pytest.raises(StoreError, match="may have been done"):
        engine.update("r1", data={"place": "lost"}, actor=CLERK)
    monkeypatch.undo()
    assert seen(engine) == []
    assert engine.update("r1", evidence={"photo": "p-1"}, actor=CLERK).data.get("place") != "lost"
    assert engine.verify().ok


def test_a_row_that_was_changed_by_hand_keeps_the_change_out(engine):
    """A record that is not as it was found is out of turn, though it was noted and is written later."""
    engine.start("repair", actor=CLERK, instance_id="r1")
    driver = engine._store.backend._writer.driver_connection
    driver.execute("UPDATE svcflow_instances SET sequence = 9")
    with pytest.raises(StoreError, match="r1"):
        engine.update("r1", data={"place": "lost"}, actor=CLERK)
    driver.execute("UPDATE svcflow_instances SET sequence = 1")
    assert len(engine.journal("r1")) == 1
    assert engine.verify().ok


def test_no_more_are_remembered_than_a_bound(engine, monkeypatch):
    """Those changed last stay; a store of a million instances takes no more memory than one of some."""
    monkeypatch.setattr(write_batch, "CAPACITY", 3)
    for number in range(6):
        engine.start("repair", actor=CLERK, instance_id=f"r{number}")
    engine.update("r4", data={"place": "3-1204"}, actor=CLERK)
    assert seen(engine) == ["r3", "r5", "r4"]


def test_a_tick_remembers_none_of_what_it_changed(engine):
    """A sweep may change any number: what is at work stays remembered, and each of the others is read when it is."""
    engine.start("repair", actor=CLERK, instance_id="r1")
    engine.clock.advance(timedelta(minutes=30))
    engine.start("repair", actor=CLERK, instance_id="r2")
    engine.clock.advance(timedelta(minutes=31))
    assert [fact.kind for fact in engine.tick()] == ["Overdue"]
    assert seen(engine) == ["r2"]
    assert engine.fire("r1", "accept", actor=CLERK).sequence == 4
    assert engine.verify().ok


def test_a_command_sees_what_a_tick_of_its_group_has_changed(engine):
    """Both are one transaction: the command goes on from what the tick has left, though nothing is committed yet."""
    engine.start("repair", actor=CLERK, instance_id="r1")
    now_us = engine.clock.now_us() + 3_600_000_001
    sweeping = SweepHandler(engine._registry.of, now_us)

    def both(work: UnitOfWork) -> int:
        work.sweep(now_us, SWEEP_START, sweeping)
        return work.find("r1", None).instance.sequence

    assert engine._store.backend.write(both) == 2
    assert engine.verify().ok


def test_commands_of_one_group_see_each_other(engine):
    """Eight threads send the same command, and eight more change one instance: done once, and one after the other."""
    engine.start("repair", actor=CLERK, instance_id="r1")

    def ask(number: int) -> int:
        named = {"command_id": "c-1"} if number % 2 else {}
        return engine.update("r1", data={"place": f"{number}"}, actor=CLERK, **named).revision

    with ThreadPoolExecutor(16) as pool:
        revisions = list(pool.map(ask, range(16)))
    assert len(set(revisions[1::2])) == 1
    assert len({*revisions}) == 9
    assert len(engine.journal("r1")) == 10
    assert engine.verify().ok
