"""Threads share a commit: nobody returns before it, an error is its own, whatever had to be undone is done again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event, get_ident

import pytest

from svcflow.store.sqlite import group_commit as module
from svcflow.store.sqlite.group_commit import GroupCommit
from waiting import PATIENCE_S, until

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
        self.added = 0
        self.left: list[str] = []
        self.cursor = self.writer.cursor()
        self.group_commit = GroupCommit(self.cursor, self, self)
        self.pool = ThreadPoolExecutor(16)

    def acquire(self) -> None:
        self.inside = 1

    def release(self) -> None:
        self.inside = 0

    def begin(self) -> None:
        assert self.left == [], "what was left was written or forgotten"

    def flush(self) -> None:
        left, self.left = self.left, []
        self.cursor.executemany("INSERT INTO names VALUES (?, NULL)", [(name,) for name in left])

    def discard(self) -> None:
        self.left = []

    def names(self) -> list[str]:
        return [name for (name,) in self.reader.execute("SELECT name FROM names ORDER BY name")]

    def request(self, act: Act) -> list[str]:
        """Do something in a transaction; return what a reader sees right after it."""
        self.group_commit.run(lambda: act(self.cursor))
        return self.names()

    def commits(self) -> int:
        return self.log.count("COMMIT")

    def group(self, *acts: Act) -> list[Future[list[str]]]:
        """Let the acts be members of one group, in this order."""
        go, begun = Event(), Event()
        first = self.pool.submit(
            self.request, lambda cursor: (begun.set(), go.wait(PATIENCE_S), acts[0](cursor))
        )
        begun.wait(PATIENCE_S)
        members = [first]
        for place, act in enumerate(acts[1:], 1):
            members.append(self.pool.submit(self.request, act))
            self.wait_for(place)
        go.set()
        return members

    def wait_for(self, others: int) -> None:
        """Wait until so many are queued."""
        until(lambda: len(self.group_commit._queue) >= others, f"{others} are queued")

    def note(self, name: str) -> Act:
        """Leave a name to be written at the end."""

        def act(_: object) -> None:
            self.added += 1
            self.left.append(name)

        return act

    def close(self) -> None:
        self.pool.shutdown()
        self.group_commit.close(self.writer.close)
        self.reader.close()


def insert(name: str, parent: str | None = None) -> Act:
    return lambda cursor: cursor.execute("INSERT INTO names VALUES (?, ?)", (name, parent))


def _raise(error: Exception) -> None:
    raise error


def look(cursor: sqlite3.Cursor) -> None:
    cursor.execute("SELECT count(*) FROM names").fetchall()


def fail(error: type[BaseException], *, written: bool = True) -> Act:
    def act(cursor: sqlite3.Cursor) -> None:
        if written:
            cursor.execute("INSERT INTO names VALUES ('undone', NULL)")
        raise error

    return act


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(module, "MAX_GROUP_S", 60.0)  # not how fast this machine is decides on the groups
    made = Watched(tmp_path / "names.db")
    yield made
    made.close()
    assert made.inside == 0, "who entered has left"


def test_a_thread_that_is_alone_commits_at_once(watched):
    """One request is one transaction, without a savepoint."""
    assert watched.request(insert("a")) == ["a"]
    assert watched.log == ["BEGIN IMMEDIATE", "INSERT INTO names VALUES ('a', NULL)", "COMMIT"]


def test_threads_that_come_together_share_one_commit(watched):
    """Five threads, one commit; each sees all of it as soon as it returns, nobody before."""
    members = watched.group(*map(insert, "abcde"))
    assert [one.result(10) for one in members] == [list("abcde")] * 5
    assert watched.commits() == 1


def test_one_thread_runs_the_requests_of_all(watched):
    """Whoever comes first does the others' work too; each gets the result of its own."""
    ran: list[int] = []
    members = watched.group(*[lambda _: ran.append(get_ident())] * 4)
    for one in members:
        one.result(10)
    assert len(ran) == 4
    assert len(set(ran)) == 1


def test_what_requests_leave_is_written_at_the_end_before_the_commit(watched):
    """Rows of several requests become one statement."""
    members = watched.group(*map(watched.note, "abc"))
    assert [one.result(10) for one in members] == [list("abc")] * 3
    assert (watched.log[0], watched.log[-1], watched.commits()) == ("BEGIN IMMEDIATE", "COMMIT", 1)


@pytest.mark.parametrize("written", [True, False], ids=["after a write", "before any"])
def test_an_error_undoes_its_own_request_alone(watched, written):
    """The first, one in the middle and the last fail: what the others did is kept, once."""
    for place in range(3):
        acts: list[Act] = [insert(f"{place}-{n}") for n in range(3)]
        acts[place] = fail(ZeroDivisionError, written=written)
        errors = [one.exception(10) for one in watched.group(*acts)]
        assert [type(error) for error in errors].count(ZeroDivisionError) == 1
        assert isinstance(errors[place], ZeroDivisionError)
    assert watched.names() == ["0-1", "0-2", "1-0", "1-2", "2-0", "2-1"]


def test_a_note_that_cannot_be_written_is_the_error_of_its_request_alone(watched):
    """The same name twice: one is kept and the other is told, and the third has nothing to do with it."""
    errors = [one.exception(10) for one in watched.group(*map(watched.note, "aba"))]
    assert [type(error) for error in errors] == [type(None), type(None), sqlite3.IntegrityError]
    assert watched.names() == ["a", "b"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_interrupt_leaves_the_others_as_they_were(watched, place):
    """The thread that is at it is interrupted, whosever request it is in: the others' requests are done by the next."""
    acts: list[Act] = [insert(str(n)) for n in range(3)]
    plain, hits = acts[place], iter([KeyboardInterrupt])

    def interrupted(cursor: sqlite3.Cursor) -> None:
        plain(cursor)
        for error in hits:
            raise error

    acts[place] = interrupted
    errors = [one.exception(10) for one in watched.group(*acts)]
    assert [type(error) for error in errors] == [KeyboardInterrupt, type(None), type(None)]
    assert watched.names() == ["1", "2"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize(("place", "kept"), [("before", "bc"), ("after", "abc")])
def test_an_interrupt_at_the_commit_is_of_whoever_committed(watched, kind, place, kept):
    """Before it the others' requests are done again by the next; after it they are done, and are not done again."""
    real = watched.cursor

    class Cursor:
        rang = False

        def execute(self, statement: str) -> None:
            rings, self.rang = statement == "COMMIT" and not self.rang, self.rang or statement == "COMMIT"
            if rings and place == "before":
                raise kind
            real.execute(statement)
            if rings:
                raise kind

    watched.group_commit._cursor = Cursor()
    errors = [one.exception(10) for one in watched.group(*map(insert, "abc"))]
    assert [type(error) for error in errors] == [kind, type(None), type(None)]
    assert watched.names() == list(kept)


class Rings:
    """Interrupts whoever calls one method of something, once, right after it was done."""

    def __init__(self, real: object, name: str, asked: str = "") -> None:
        self._real, self._name, self._asked, self._rang = real, name, asked, False

    def __getattr__(self, name: str) -> object:
        found = getattr(self._real, name)
        return partial(self._ringing, found) if name == self._name else found

    def _ringing(self, found: Callable[..., object], *asked: object, **named: object) -> object:
        answer = found(*asked, **named)
        if not self._rang and (not self._asked or self._asked in asked):
            self._rang = True
            raise KeyboardInterrupt
        return answer


@pytest.mark.parametrize(
    ("part", "method", "asked"),
    [
        ("_leader_lock", "acquire", ""),
        ("_process_lock", "acquire", ""),
        ("_cursor", "execute", "BEGIN IMMEDIATE"),
        ("_pending", "begin", ""),
        ("_pending", "flush", ""),
        ("_process_lock", "release", ""),
        ("_pending", "discard", ""),
        ("_leader_lock", "release", ""),
    ],
)
def test_an_interrupt_at_any_moment_keeps_nothing_from_the_others(watched, monkeypatch, part, method, asked):
    """Nothing stays locked, open or noted; what the others ask afterwards is done, and done once."""
    group_commit = watched.group_commit
    act = fail(ZeroDivisionError) if method == "discard" else insert("interrupted")
    with monkeypatch.context() as patched:
        patched.setattr(group_commit, part, Rings(getattr(group_commit, part), method, asked))
        with pytest.raises(KeyboardInterrupt):
            watched.request(act)
    assert (watched.inside, watched.left, watched.writer.in_transaction) == (0, [], False)
    assert "a" in watched.pool.submit(watched.request, insert("a")).result(10)


def test_who_is_interrupted_in_the_queue_is_passed_over(watched):
    """A request whose thread does not wait any more, and that nobody has begun, is not done."""
    go, begun = Event(), Event()
    first = watched.pool.submit(watched.request, lambda _: (begun.set(), go.wait(PATIENCE_S)))
    begun.wait(PATIENCE_S)
    waiting = watched.pool.submit(watched.request, insert("withdrawn"))
    watched.wait_for(1)
    watched.group_commit._queue[0].done = True  # as an interrupt of its thread leaves it
    go.set()
    assert first.result(10) == []
    waiting.result(10)
    assert watched.names() == []


def test_a_failed_commit_is_the_error_of_whom_it_is_due_to(watched):
    """The database refuses at COMMIT what one of three did: the others are committed without it."""
    members = watched.group(insert("a"), insert("b", "nobody"), look, insert("c"))
    assert [type(one.exception(10)) for one in members] == [
        type(None),
        sqlite3.IntegrityError,
        type(None),
        type(None),
    ]
    assert watched.names() == ["a", "c"]


def test_a_commit_of_which_nobody_knows_is_the_error_of_every_member(watched):
    """An error after the commit, when the transaction is over: each is told, and nothing is done again."""
    real = watched.cursor

    class Cursor:
        def execute(self, statement: str) -> None:
            real.execute(statement)
            if statement == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")

    watched.group_commit._cursor = Cursor()
    errors = [one.exception(10) for one in watched.group(*map(insert, "abc"))]
    assert [str(error) for error in errors] == ["disk I/O error"] * 3
    assert len({id(error) for error in errors}) == 3
    assert watched.names() == ["a", "b", "c"]


def test_an_error_of_the_database_that_undoes_all_lets_the_others_begin_again(watched):
    """Some errors of a database end the whole transaction: nobody believes that theirs was kept."""

    def break_off(cursor: sqlite3.Cursor) -> None:
        cursor.execute("INSERT OR ROLLBACK INTO names VALUES ('a', NULL)")

    members = watched.group(insert("a"), break_off, insert("b"))
    assert [type(one.exception(10)) for one in members] == [type(None), sqlite3.IntegrityError, type(None)]
    assert watched.names() == ["a", "b"]


def test_looking_commits_nothing(watched, tmp_path):
    """A request that changes nothing ends its transaction without a commit; the log of the file stays as long."""
    watched.request(insert("a"))
    size = (tmp_path / "names.db-wal").stat().st_size
    watched.request(look)
    assert watched.commits() == 1
    assert (tmp_path / "names.db-wal").stat().st_size == size


def test_a_group_has_at_most_so_many_members(watched, monkeypatch):
    """Seven threads, groups of three: three commits."""
    monkeypatch.setattr(module, "MAX_GROUP", 3)
    members = watched.group(*map(insert, "abcdefg"))
    for one in members:
        one.result(10)
    assert watched.commits() == 3


def test_a_group_takes_in_requests_for_so_long(watched, monkeypatch):
    """When the time of a group is over it is committed, whoever waits."""
    monkeypatch.setattr(module, "MAX_GROUP_S", 0.0)
    for one in watched.group(*map(insert, "abc")):
        one.result(10)
    assert watched.commits() == 3


def test_who_was_to_lead_may_not_come(watched):
    """A thread was interrupted with a group in its hands: the next one lets its members go, or runs their requests."""
    stray = module._Request(lambda: insert("a")(watched.cursor))
    watched.group_commit._group.append(stray)
    watched.group_commit._is_clean = False
    assert watched.request(insert("b")) == ["a", "b"]
    assert stray.done


def test_upkeep_has_the_database_for_itself(watched):
    """What asks meanwhile waits, and is done after it."""
    with watched.group_commit.exclusive():
        waiting = watched.pool.submit(watched.request, insert("a"))
        watched.wait_for(1)
        assert watched.names() == []
    assert waiting.result(10) == ["a"]


def test_a_transaction_that_cannot_begin_leaves_the_turn_to_the_next(watched):
    """Another process holds the file: the error passes through, and the next request begins."""
    watched.writer.execute("PRAGMA busy_timeout=0")
    watched.reader.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        watched.request(insert("a"))
    watched.reader.rollback()
    assert watched.request(insert("b")) == ["b"]


def test_all_who_waited_for_a_transaction_are_told_that_it_cannot_begin(watched, monkeypatch):
    """Three wait while another process holds the file: nobody waits for it anew when the first one has given up."""
    errors = iter([sqlite3.OperationalError("database is locked")])
    with watched.group_commit.exclusive():
        waiting = [watched.pool.submit(watched.request, insert(name)) for name in "abc"]
        watched.wait_for(3)
        monkeypatch.setattr(watched, "begin", lambda: next(map(_raise, errors), None))
    assert [str(one.exception(10)) for one in waiting] == ["database is locked"] * 3
    assert watched.request(insert("d")) == ["d"]


def test_who_waits_while_it_is_closed_is_told(watched):
    """What is queued when the connection ends is an error, and nobody waits for good."""
    ending, closed = Event(), Event()

    def end() -> None:
        ending.set()
        watched.wait_for(1)
        closed.set()

    closing = watched.pool.submit(watched.group_commit.close, end)
    ending.wait(PATIENCE_S)
    waiting = watched.pool.submit(watched.request, insert("a"))
    closing.result(10)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        waiting.result(10)
    assert watched.names() == []


@pytest.mark.parametrize("inner", ["run", "exclusive", "close"])
def test_a_request_inside_a_request_is_a_mistake(watched, inner):
    """It would wait for itself; it is told instead, and the outer request is undone."""

    def ask(_: object) -> None:
        if inner == "exclusive":
            with watched.group_commit.exclusive():
                pass
        getattr(watched.group_commit, inner)(lambda: None)

    with pytest.raises(RuntimeError, match="inside"):
        watched.request(ask)
    assert watched.request(insert("a")) == ["a"]
