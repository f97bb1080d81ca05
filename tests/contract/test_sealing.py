"""Sealing on every store: what is written anew behind a checkpoint kept elsewhere is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract_cases import CATALOG, HOUR_US, LI, NOON, advance, engine_on, put

from svcflow import Engine, VirtualClock
from svcflow.errors import CorruptJournal, StoreError
from svcflow.journal import GENESIS, Leaf, checkpoint, link
from svcflow.journal.merkle import root_of
from svcflow.kernel import Fire
from svcflow.runtime.store import Store
from svcflow.store import seals


def test_a_seal_has_a_leaf_for_each_journal_that_grew(store: Store):
    """Only what was written since the last seal gives new leaves; nothing new gives the same tree."""
    engine = engine_on(store)
    assert (engine.seal().size, engine.seal().root) == (0, root_of([]))
    put(store, "r1")
    put(store, "r2")
    first = engine.seal()
    assert first.size == 2
    assert engine.seal() == first
    advance(store, "r2", Fire("accept", LI), engine.clock.now_us())
    second = engine.seal()
    leaves = [one.leaf for one in store.sealed()]
    assert [(leaf.instance, leaf.sequence) for leaf in leaves] == [("r1", 1), ("r2", 1), ("r2", 2)]
    assert (second.size, second.root) == (3, root_of([leaf.to_bytes() for leaf in leaves]))
    assert second.origin == first.origin


def test_every_leaf_is_the_link_of_its_entry(store: Store):
    """A leaf holds the link that the journal has at its sequence."""
    engine = engine_on(store)
    put(store, "r1")
    engine.seal()
    head = store.load("r1").head
    advance(store, "r1", Fire("accept", LI), engine.clock.now_us())
    (sealed,) = store.sealed()
    assert (sealed.place, sealed.leaf, sealed.link) == (0, Leaf("r1", 1, head), head)


def test_journals_that_went_on_verify_against_an_old_checkpoint(store: Store, tmp_path: Path):
    """What was sealed is still there, whatever came after; the file's newest checkpoint counts."""
    engine, file = engine_on(store), tmp_path / "checkpoints.jsonl"
    put(store, "r1")
    first = engine.seal(file)
    advance(store, "r1", Fire("accept", LI), engine.clock.now_us() + HOUR_US * 3)
    assert engine.verify(checkpoint=first).ok
    assert engine.verify(checkpoint=file).ok
    engine.seal(file)
    assert checkpoint.newest(file).size == 2
    assert engine.verify(checkpoint=file).ok


def test_a_file_without_a_checkpoint_is_an_error(store: Store, tmp_path: Path):
    """Who means to check against a checkpoint is told that there is none."""
    with pytest.raises(StoreError, match="seal"):
        engine_on(store).verify(checkpoint=tmp_path / "nothing")


def test_a_checkpoint_of_another_store_is_refused(store: Store, tmp_path: Path):
    """Two stores do not share a file of checkpoints, and the one does not verify against the other's."""
    put(store, "r1")
    sealed = engine_on(store).seal(tmp_path / "c")
    other = Engine("memory://", CATALOG, clock=VirtualClock(NOON))
    with pytest.raises(StoreError):
        other.seal(tmp_path / "c")
    assert not other.verify(checkpoint=sealed).ok


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A SQLite file with two instances, sealed; the checkpoints stand beside it."""
    path = tmp_path / "service.db"
    with Engine(f"sqlite:///{path}", CATALOG, clock=VirtualClock(NOON)) as engine:
        for name in ("r1", "r2"):
            engine.start("repair", actor=LI, instance_id=name)
            engine.fire(name, "accept", actor=LI)
        engine.seal(tmp_path / "checkpoints")
    return path


def forged(path: Path, *statements: str, alone: bool = False) -> list[str]:
    """Run statements on the file; return where verification finds problems with the checkpoint.

    `alone` says whether the store, with the seals that it keeps itself, shows them too.
    """
    base = sqlite3.connect(path)
    for statement in statements:
        base.execute(statement)
    base.commit()
    base.close()
    with Engine(f"sqlite:///{path}", CATALOG, clock=VirtualClock(NOON)) as engine:
        assert engine.verify().ok != alone, "what the store keeps itself does not show it"
        found = engine.verify(checkpoint=path.with_name("checkpoints")).problems
        assert all(isinstance(error, CorruptJournal) for _, error in found)
        return [name for name, _ in found]


GONE = [
    f"DELETE FROM svcflow_{where} = 'r1'"  # noqa: S608  # our own names
    for where in (
        "facts WHERE instance",
        "instances WHERE id",
        "work WHERE instance",
        "persons WHERE instance",
    )
]
UNSEALED = ("DELETE FROM svcflow_leaves", "DELETE FROM svcflow_seals")


def test_a_deleted_instance_is_found(sealed: Path):
    """An instance removed with all its rows leaves no gap in any chain, but the seal misses it."""
    assert forged(sealed, *GONE, alone=True) == ["r1"]


def test_a_deleted_instance_is_found_although_its_leaf_was_deleted_too(sealed: Path, tmp_path: Path):
    """Who deletes leaves and seals as well is found out by the checkpoint alone."""
    origin = checkpoint.newest(tmp_path / "checkpoints").origin
    assert forged(sealed, *GONE, *UNSEALED) == [origin]


def test_a_store_set_back_is_found(sealed: Path, tmp_path: Path):
    """The file put back to an older copy is all in order by itself; the checkpoint knows better."""
    older = tmp_path / "older.db"
    older.write_bytes(sealed.read_bytes())
    with Engine(f"sqlite:///{sealed}", CATALOG, clock=VirtualClock(NOON)) as engine:
        engine.fire("r1", "close", actor=LI)
        engine.seal(tmp_path / "checkpoints")
        origin = checkpoint.newest(tmp_path / "checkpoints").origin
    for log in ("-wal", "-shm"):
        sealed.with_name(f"service.db{log}").unlink(missing_ok=True)
    sealed.write_bytes(older.read_bytes())
    assert forged(sealed) == [origin]


def test_a_chain_written_anew_is_found(sealed: Path):
    """Somebody who knows the method writes a journal anew, links and record included: the seal shows it."""
    base = sqlite3.connect(sealed)
    head = GENESIS
    rows = base.execute("SELECT sequence, body FROM svcflow_facts WHERE instance = 'r2' ORDER BY sequence")
    for sequence, body in rows.fetchall():
        changed = body.replace(b'"recorded_us":1772452800', b'"recorded_us":1772452801')
        head = link(head, changed)
        base.execute(
            "UPDATE svcflow_facts SET body = ?, link = ? WHERE instance = 'r2' AND sequence = ?",
            (changed, head, sequence),
        )
    base.execute("UPDATE svcflow_instances SET head = ? WHERE id = 'r2'", (head,))
    base.commit()
    base.close()
    assert forged(sealed, alone=True) == ["r2"]


@pytest.fixture
def twice(url: str) -> Iterator[Engine]:
    """Two instances, sealed, and then moved on and sealed again."""
    with engine_on(url) as engine:
        for name in ("r1", "r2"):
            engine.start("repair", actor=LI, instance_id=name)
        engine.seal()
        for name in ("r1", "r2"):
            engine.fire(name, "accept", actor=LI)
        engine.seal()
        yield engine


def tampered(engine: Engine, *statements: str) -> None:
    with engine._store.backend.exclusive() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("position", [-1, 0, 4_611_686_018_427_387_904])
def test_no_number_in_the_store_switches_sealing_off(twice: Engine, position: int):
    """Where each journal stands is held against its last leaf; a position put anywhere hides no entry."""
    tampered(twice, f"UPDATE svcflow_seals SET position = {position}")  # noqa: S608  # a number
    if position:
        ((_, error),) = twice.verify().problems
        assert (error.table, error.column) == ("svcflow_seals", "position")
    twice.fire("r1", "again", actor=LI)
    sealed = twice.seal()
    assert sealed.size == 5
    assert twice.verify(checkpoint=sealed).ok


BACK = (
    "DELETE FROM svcflow_facts WHERE instance = 'r1' AND sequence = 2",
    "UPDATE svcflow_instances SET sequence = 1, head = (SELECT head FROM svcflow_leaves WHERE place = 0) WHERE id = 'r1'",
)
CUT = {
    "the last entry": BACK,
    "an instance": tuple(GONE),
    "a head": (
        "UPDATE svcflow_instances SET head = (SELECT head FROM svcflow_leaves WHERE place = 0) WHERE id = 'r1'",
    ),
    "a leaf": ("DELETE FROM svcflow_leaves WHERE place = 3",),
    "a seal": ("DELETE FROM svcflow_seals WHERE size = 4",),
    "all seals": ("DELETE FROM svcflow_seals",),
}


@pytest.mark.parametrize("what", CUT)
def test_sealing_stops_where_something_sealed_is_gone(twice: Engine, what: str):
    """A journal that does not go on from its last leaf, and leaves that are not as many as were sealed, are errors."""
    tampered(twice, *CUT[what])
    with pytest.raises(CorruptJournal) as raised:
        twice.seal()
    assert raised.value.table == "svcflow_leaves"
    assert raised.value.text("zh") != raised.value.text("en")
    assert not twice.verify().ok


def test_who_was_sealed_meanwhile_by_another_is_not_sealed_twice(
    twice: Engine, monkeypatch: pytest.MonkeyPatch
):
    """Two processes that seal at the same time leave one leaf for each journal that grew."""
    twice.fire("r1", "again", actor=LI)
    looked, look = [], seals.new_leaves

    def look_on(connection: object) -> seals.NewLeaves:
        found = look(connection)
        looked.append(found)
        if len(looked) == 1:  # another process is faster
            with engine_on(twice._store.url) as other:
                other.seal()
        return found

    monkeypatch.setattr(seals, "new_leaves", look_on)
    assert twice.seal().size == 5
    assert twice.verify().ok
