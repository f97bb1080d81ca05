"""Threads share a commit: nobody returns before it, an error is its own, a failed commit is everybody's."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from svcflow.store import grouping as module
from svcflow.store.grouping import Grouping

Act = Callable[[sqlite3.Cursor], object]


class Watched:
    """A database with a group commit, the transactions that it saw, and a reader of its own."""

    def __init__(self, path: Path) -> None:
        self.writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.writer.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; CREATE TABLE parents (name PRIMARY KEY);"
            "CREATE TABLE names (name PRIMARY KEY,"
            " parent REFERENCES parents (name) DEFERRABLE INITIALLY DEFERRED);"
        )
        self.log: list[str] = []
        self.writer.set_trace_callback(self.log.append)
        self.reader = sqlite3.connect(path, check_same_thread=False)
        self.inside = 0
        self.grouping = Grouping(self.writer, self)
        self.pool = ThreadPoolExecutor(16)

    def enter(self) -> None:
        self.inside += 1

    def leave(self) -> None:
        self.inside -= 1

    def names(self) -> list[str]:
        return [name for (name,) in self.reader.execute("SELECT name FROM names ORDER BY name")]

    def part(self, act: Act) -> list[str]:
        """Do something in a part of a transaction; return what a reader sees right after it."""
        with self.grouping.part() as cursor:
            act(cursor)
        return self.names()

    def commits(self) -> int:
        return self.log.count("COMMIT")

    def group(self, *acts: Act) -> list[Future[list[str]]]:
        """Let the acts be members of one group, in this order."""
        go = Event()
        first = self.pool.submit(self.part, lambda cursor: (go.wait(10), acts[0](cursor)))
        members = [first]
        for place, act in enumerate(acts[1:], 1):
            members.append(self.pool.submit(self.part, act))
            until = time.monotonic() + 10
            while len(self.grouping._waiting) < place and time.monotonic() < until:
                time.sleep(0.001)
        go.set()
        return members

    def close(self) -> None:
        self.pool.shutdown()
        self.grouping.close()
        self.writer.close()
        self.reader.close()


def insert(name: str, parent: str | None = None) -> Act:
    return lambda cursor: cursor.execute("INSERT INTO names VALUES (?, ?)", (name, parent))


def look(cursor: sqlite3.Cursor) -> None:
    cursor.execute("SELECT count(*) FROM names").fetchall()


def fail(error: type[BaseException]) -> Act:
    def act(cursor: sqlite3.Cursor) -> None:
        cursor.execute("INSERT INTO names VALUES ('undone', NULL)")
        raise error

    return act


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(module, "LONGEST_S", 60.0)  # not how fast this machine is decides on the groups
    made = Watched(tmp_path / "names.db")
    yield made
    made.close()
    assert made.inside == 0, "who entered has left"


def test_a_thread_that_is_alone_commits_at_once(watched):
    """One part is one transaction, without a savepoint."""
    assert watched.part(insert("a")) == ["a"]
    assert watched.log == ["BEGIN IMMEDIATE", "INSERT INTO names VALUES ('a', NULL)", "COMMIT"]


def test_threads_that_come_together_share_one_commit(watched):
    """Five threads, one commit; each sees all of it as soon as it returns, nobody before."""
    members = watched.group(*map(insert, "abcde"))
    assert [one.result(10) for one in members] == [list("abcde")] * 5
    assert watched.commits() == 1


def test_an_error_undoes_its_own_part_alone(watched):
    """The first, one in the middle and the last fail: what the others did is kept."""
    for place in range(3):
        acts: list[Act] = [insert(f"{place}-{n}") for n in range(3)]
        acts[place] = fail(ZeroDivisionError)
        members = watched.group(*acts)
        errors = [one.exception(10) for one in members]
        assert [type(error) for error in errors].count(ZeroDivisionError) == 1
        assert isinstance(errors[place], ZeroDivisionError)
    assert watched.names() == ["0-1", "0-2", "1-0", "1-2", "2-0", "2-1"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_interrupt_leaves_the_group_as_it_was(watched, place):
    """A thread that is interrupted inside undoes its part; the others commit."""
    acts: list[Act] = [insert(str(n)) for n in range(3)]
    acts[place] = fail(KeyboardInterrupt)
    members = watched.group(*acts)
    errors = [one.exception(10) for one in members]
    assert [type(error) for error in errors if error] == [KeyboardInterrupt]
    assert isinstance(errors[place], KeyboardInterrupt)
    assert watched.names() == [str(n) for n in range(3) if n != place]


def test_a_failed_commit_is_the_error_of_every_member(watched):
    """The database refuses at COMMIT what one of three did: none is kept, all are told, the next goes on."""
    members = watched.group(insert("a"), insert("b", "nobody"), look, fail(ZeroDivisionError))
    assert [type(one.exception(10)) for one in members] == [sqlite3.IntegrityError] * 4
    assert watched.names() == []
    assert watched.part(insert("c")) == ["c"]


def test_an_error_of_the_database_that_undoes_all_is_everybodys(watched):
    """Some errors of a database end the whole transaction: nobody believes that theirs was kept."""

    def break_off(cursor: sqlite3.Cursor) -> None:
        cursor.execute("INSERT OR ROLLBACK INTO names VALUES ('a', NULL)")

    members = watched.group(insert("a"), break_off)
    assert [type(one.exception(10)) for one in members] == [sqlite3.IntegrityError] * 2
    assert watched.part(insert("c")) == ["c"]


def test_looking_commits_nothing(watched, tmp_path):
    """A part that changes nothing ends its transaction without a commit; the log of the file stays as long."""
    watched.part(insert("a"))
    size = (tmp_path / "names.db-wal").stat().st_size
    watched.part(look)
    assert watched.commits() == 1
    assert (tmp_path / "names.db-wal").stat().st_size == size


def test_a_group_has_at_most_so_many_members(watched, monkeypatch):
    """Seven threads, groups of three: three commits."""
    monkeypatch.setattr(module, "LARGEST", 3)
    members = watched.group(*map(insert, "abcdefg"))
    for one in members:
        one.result(10)
    assert watched.commits() == 3


def test_a_group_takes_in_parts_for_so_long(watched, monkeypatch):
    """When the time of a group is over its member commits, whoever waits."""
    monkeypatch.setattr(module, "LONGEST_S", 0.0)
    for one in watched.group(*map(insert, "abc")):
        one.result(10)
    assert watched.commits() == 3


def test_who_was_to_commit_may_not_come(watched):
    """A member waits a moment for the others, and then commits by itself."""
    watched.grouping._waiting.add(-1)  # counted as waiting, and interrupted before its turn
    assert watched.part(insert("a")) == ["a"]


def test_a_commit_that_was_interrupted_right_after_counts(watched):
    """The transaction is over and nobody was told: the next thread says so, and begins anew."""
    watched.grouping._waiting.add(-1)
    member = watched.pool.submit(watched.part, lambda cursor: (insert("a")(cursor), cursor.execute("COMMIT")))
    assert member.result(10) == ["a"]
    watched.grouping._waiting.clear()
    assert watched.part(insert("b")) == ["a", "b"]


class Interrupting:
    """The cursor of a thread that somebody interrupts right before or right after it commits, once."""

    def __init__(self, cursor: sqlite3.Cursor, place: str, kind: type[BaseException]) -> None:
        self._cursor = cursor
        self.place = place
        self._kind = kind

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> object:
        if statement != "COMMIT":
            return self._cursor.execute(statement, values)
        place, self.place = self.place, "over"
        if place == "before":
            raise self._kind
        done = self._cursor.execute(statement, values)
        if place == "after":
            raise self._kind
        return done


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("place", ["before", "after"])
def test_who_is_interrupted_while_committing_leaves_the_others_the_truth(watched, place, kind):
    """Before the commit nothing is kept, and each member is told; after it all is kept, and each of them goes on."""
    watched.grouping._cursor = Interrupting(watched.grouping._cursor, place, kind)
    errors = [one.exception(10) for one in watched.group(*map(insert, "abc"))]
    told = {sqlite3.OperationalError: 2} if place == "before" else {type(None): 2}
    assert Counter(map(type, errors)) == told | {kind: 1}
    assert watched.names() == ([] if place == "before" else ["a", "b", "c"])
    if place == "before":
        assert "the commit was interrupted" in map(str, errors)
    assert watched.part(insert("d"))[-1] == "d"


def test_a_transaction_that_cannot_begin_leaves_the_turn_to_the_next(watched):
    """Another process holds the file: the error passes through, and the next part begins."""
    watched.writer.execute("PRAGMA busy_timeout=0")
    watched.reader.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        watched.part(insert("a"))
    watched.reader.rollback()
    assert watched.part(insert("a")) == ["a"]


def test_a_part_inside_a_part_is_a_mistake(watched):
    """It would wait for itself; it is told instead, and the outer part is undone."""
    with pytest.raises(RuntimeError, match="inside"):
        watched.part(lambda _: watched.part(insert("b")))
    assert watched.part(insert("a")) == ["a"]
