"""Where a SQLite file can only be read questions are answered, whatever it is that keeps others from writing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from stored_play import CATALOG, CLERK, MORNING, play

from svcflow import Engine, VirtualClock
from svcflow.errors import StoreError

NOBODY = 65534
DATA = {"place": "3-1204"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")


@pytest.fixture
def path() -> Iterator[Path]:
    """A service in a folder that anybody can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    clock = VirtualClock(MORNING)
    with Engine(f"sqlite:///{folder / 's.db'}", CATALOG, clock=clock) as engine:
        play(engine, clock)
    yield folder / "s.db"
    folder.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody(act: Callable[[], str]) -> str:
    """Do something as somebody who is not root, for root may write everywhere; return what it says."""
    if os.geteuid():
        return act()
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setuid(NOBODY)
            said = act()
        except BaseException as error:  # noqa: BLE001  # told to the parent
            said = f"{type(error).__name__}: {error}"
        os.write(writes, said.encode())
        os._exit(0)
    os.close(writes)
    os.waitpid(child, 0)
    with os.fdopen(reads) as pipe:
        return pipe.read()


def protected(path: Path, folder: int, file: int) -> None:
    for one in path.parent.iterdir():
        one.chmod(file)
    path.parent.chmod(folder)


def asked(path: Path) -> Callable[[], str]:
    """Ask all kinds of questions, and give all kinds of commands."""

    def ask() -> str:
        with Engine(f"sqlite:///{path}", CATALOG, clock=VirtualClock(MORNING)) as engine:
            names = sorted(one.id for one in engine.instances())
            assert engine.verify().ok
            assert engine.worklist() != ()
            assert engine.deadlines("late") != ()
            assert engine.deviations() != ()
            assert engine.subscriptions() == ()
            for command in (
                lambda: engine.start("repair", data=DATA, actor=CLERK),
                lambda: engine.fire("late", "again", actor=CLERK),
                engine.tick,
                engine.seal,
                lambda: engine.forget("zhang", open=True),
                lambda: engine.on_fact(name="desk")(print),
            ):
                with pytest.raises(StoreError, match="can only be read; see to the permissions"):
                    command()
        return ", ".join(names)

    return ask


@pytest.mark.parametrize(
    ("folder", "file"),
    [(0o755, 0o444), (0o555, 0o666), (0o555, 0o444)],
    ids=["the file", "its folder", "both"],
)
def test_questions_are_answered_where_nothing_can_be_written(path: Path, folder: int, file: int) -> None:
    """The file, its folder or both are protected: opening does not fail, and nothing is left behind."""
    before = sorted(path.parent.iterdir())
    protected(path, folder, file)
    assert as_nobody(asked(path)) == "ended, held, late, refused"
    assert sorted(path.parent.iterdir()) == before


def test_what_stands_in_the_log_of_somebody_who_writes_is_read_too(path: Path) -> None:
    """Another user has the service open: its log is read along, also what comes after we have opened it."""
    with Engine(f"sqlite:///{path}", CATALOG, clock=VirtualClock(MORNING)) as engine:
        engine.start("repair", data=DATA, actor=CLERK, instance_id="new")
        protected(path, 0o555, 0o444)

        def counted() -> str:
            with Engine(f"sqlite:///{path}", CATALOG, clock=VirtualClock(MORNING)) as reading:
                return str(reading.count_instances())

        assert as_nobody(counted) == "5"
        path.parent.chmod(0o755)


def test_each_question_looks_at_the_file_as_it_is_now(path: Path) -> None:
    """Somebody begins to write after it was opened for questions, when it had no log yet."""
    protected(path, 0o755, 0o444)

    def counted() -> str:
        with Engine(f"sqlite:///{path}", CATALOG, clock=VirtualClock(MORNING)) as reading:
            return str(reading.count_instances())

    assert as_nobody(counted) == "4"
    path.chmod(0o644)
    with Engine(f"sqlite:///{path}", CATALOG, clock=VirtualClock(MORNING)) as engine:
        engine.start("repair", data=DATA, actor=CLERK)
    protected(path, 0o755, 0o444)
    assert as_nobody(counted) == "5"


def test_tables_of_an_earlier_version_are_named_where_they_cannot_be_brought_up(path: Path) -> None:
    """What has to be done once is said; nothing is guessed."""
    text = Path(__file__).with_name("schemas") / "1.sql"
    path.unlink()
    with closing(sqlite3.connect(path)) as file:
        file.executescript(text.read_text(encoding="utf-8"))
    protected(path, 0o555, 0o444)
    assert "has schema version 1, and can only be read; open it once" in as_nobody(asked(path))


def test_what_an_engine_has_yet_to_fill_in_does_not_keep_it_from_opening(path: Path) -> None:
    """It is left to the next engine that can write."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("INSERT INTO svcflow_meta (name, value) VALUES ('rebuild', 'instances')")
    protected(path, 0o555, 0o444)
    assert as_nobody(asked(path)) == "ended, held, late, refused"


def test_a_file_of_something_else_that_can_only_be_read_is_told(path: Path) -> None:
    """It is told as if it could be written."""
    path.unlink()
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE somebody (x)")
    protected(path, 0o555, 0o444)
    assert "is a database of something else" in as_nobody(asked(path))


def test_a_folder_that_is_not_there_is_no_file_to_read(path: Path) -> None:
    """Only a file that is there is opened for questions."""
    with pytest.raises(StoreError, match="unable to open"):
        Engine(f"sqlite:///{path.parent / 'none' / 's.db'}", CATALOG)
