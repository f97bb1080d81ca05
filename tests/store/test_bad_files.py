"""Files that cannot be used are named, with what to do; nothing of them is changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from threading import Timer

import pytest
from stored_play import CATALOG, CLERK, MORNING, play

from svcflow import Engine, VirtualClock
from svcflow.errors import StoreError
from svcflow.store.sqlite.backend import _use_wal

DATA = {"place": "3-1204"}


@pytest.fixture
def path(tmp_path):
    """A service in use."""
    clock = VirtualClock(MORNING)
    with Engine(f"sqlite:///{tmp_path / 's.db'}", CATALOG, clock=clock) as engine:
        play(engine, clock)
    return tmp_path / "s.db"


def opened(path):
    return Engine(f"sqlite:///{path}", CATALOG)


def test_a_database_of_something_else_is_left_alone(tmp_path):
    """Tables that are not ours are not joined by ours."""
    with closing(sqlite3.connect(tmp_path / "f.db")) as file:
        file.execute("CREATE TABLE somebody (x)")
    before = (tmp_path / "f.db").read_bytes()
    with pytest.raises(StoreError, match=r"database of something else; choose another file"):
        opened(tmp_path / "f.db")
    assert (tmp_path / "f.db").read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    """A text file is told from a database."""
    (tmp_path / "f.db").write_text("3-1204\n" * 500)
    with pytest.raises(StoreError, match=r"not a database; it is damaged or no database"):
        opened(tmp_path / "f.db")
    assert (tmp_path / "f.db").read_text() == "3-1204\n" * 500


def test_a_missing_folder_is_told(tmp_path):
    """No folder is made."""
    with pytest.raises(StoreError, match=r"unable to open.*see that its folder exists"):
        opened(tmp_path / "none" / "s.db")
    assert not (tmp_path / "none").exists()


def test_a_file_that_may_only_be_read_answers_questions(path):
    """What is asked is answered; what would change it fails, and says why."""
    with opened(f"file:{path}?mode=ro&uri=true") as engine:
        assert engine.verify().ok
        with pytest.raises(StoreError, match=r"readonly.*see to the permissions"):
            engine.start("repair", data=DATA, actor=CLERK)
        assert len(engine.instances()) == 4


def test_a_full_disk_keeps_what_was_kept(path):
    """A command that finds no room fails and leaves nothing; with room it goes through."""
    with opened(path) as engine:
        writer = engine._store._backend._writer.driver_connection
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count={pages}")
        kept = {one.id for one in engine.instances()}

        def fill() -> None:
            for number in range(1_000):
                engine.start(
                    "repair", data=DATA, actor=CLERK, instance_id=f"n{number}", command_id=f"c{number}"
                )
                kept.add(f"n{number}")

        with pytest.raises(StoreError, match=r"full; the disk is full"):
            fill()
        assert {one.id for one in engine.instances()} == kept
        assert engine.verify().ok
        writer.execute("PRAGMA max_page_count=1000000")
        fill_on = f"n{len(kept) - 4}"
        assert engine.start("repair", data=DATA, actor=CLERK, instance_id=fill_on).id == fill_on


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_file_that_is_lost_is_told_at_once(path, replaced):
    """Whoever deletes or replaces the file of a running service: what is asked next fails, nothing goes astray."""
    engine = opened(path)
    path.rename(path.with_suffix(".old"))
    if replaced:
        path.write_bytes(path.with_suffix(".old").read_bytes())
    with pytest.raises(StoreError, match="gone or is another; restore it"):
        engine.start("repair", data=DATA, actor=CLERK)
    with pytest.raises(StoreError, match="gone or is another"):
        engine.instances()
    engine.close()


@pytest.mark.parametrize("end", ["-wal", "-shm"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_log_that_is_lost_is_told_at_once(path, end, replaced):
    """Nothing is acknowledged that stands in a log nobody will find; what was committed is written back at the end."""
    engine, log = opened(path), path.with_name(f"{path.name}{end}")
    engine.start("repair", data=DATA, actor=CLERK, instance_id="before")
    log.rename(log.with_suffix(".old"))
    if replaced:
        log.write_bytes(log.with_suffix(".old").read_bytes())
    for ask in (lambda: engine.start("repair", data=DATA, actor=CLERK), engine.tick, engine.instances):
        with pytest.raises(StoreError, match=rf"s\.db{end} of .* is gone or is another; restore it"):
            ask()
    engine.close()
    log.unlink(missing_ok=True)
    with opened(path) as engine:
        assert engine.instance("before").steps == ("reported",)
        assert engine.verify().ok


def test_a_folder_that_is_restored_under_a_running_engine_is_told_at_once(path, tmp_path):
    """The files of a backup are others than those that were opened, whatever they hold."""
    engine = opened(path)
    engine.start("repair", data=DATA, actor=CLERK, instance_id="before")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for name, held in before.items():
        (tmp_path / name).unlink()
        (tmp_path / name).write_bytes(held)
    with pytest.raises(StoreError, match="gone or is another"):
        engine.start("repair", data=DATA, actor=CLERK)
    engine.close()
    with opened(path) as engine:
        assert engine.verify().ok


def test_a_log_stays_the_same_file_while_others_come_and_go(path):
    """Another process that opens, writes, checkpoints and closes takes nothing away."""
    with opened(path) as engine:
        for number in range(3):
            with opened(path) as other:
                other.start("repair", data=DATA, actor=CLERK)
            with closing(sqlite3.connect(path)) as file:
                file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert engine.start("repair", data=DATA, actor=CLERK, instance_id=f"n{number}").sequence == 1
        assert engine.verify().ok


def test_a_file_that_another_process_makes_meanwhile_is_waited_for(tmp_path, monkeypatch):
    """Who opens a new file together with others has its log kept when they let it; not before, and not for ever."""
    with (
        closing(sqlite3.connect(tmp_path / "new.db", check_same_thread=False)) as other,
        closing(sqlite3.connect(tmp_path / "new.db")) as writer,
    ):
        other.executescript("CREATE TABLE made (x); BEGIN IMMEDIATE")
        with monkeypatch.context() as patched:
            patched.setattr("svcflow.store.sqlite.backend._BUSY_MS", 20)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                _use_wal(writer)
        done = Timer(0.05, other.rollback)
        done.start()
        _use_wal(writer)
        done.join()
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_in_use_by_another_is_told(path, monkeypatch):
    """Somebody holds the file for longer than we wait: the error says so, and later it goes."""
    monkeypatch.setattr("svcflow.store.sqlite.backend._BUSY_MS", 50)
    with opened(path) as engine, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"locked; another process holds it"):
            engine.start("repair", data=DATA, actor=CLERK)
        other.rollback()
        assert engine.start("repair", data=DATA, actor=CLERK).steps == ("reported",)
