"""The SQLite store against SQLite itself: commits, group commits, fairness, timers, start-up.

Run: python benchmarks/store.py [LARGE]; with LARGE also 100,000 timers and 1,000,000 instances.
Ratios are of rates measured in turn, in one process, on one file system; the median of several rounds is printed.
"""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from queue import SimpleQueue
from threading import Barrier, Event, Thread

from sqlalchemy import create_engine
from sqlalchemy.dialects.sqlite import dialect

import svcflow
from fire import ping_pong
from svcflow import Actor, Catalog, Engine, VirtualClock
from svcflow.store import open_store, schema
from svcflow.store.sql import SqlStore
from svcflow.store.statements import Statements, Value
from svcflow.store.unit_of_work import UnitOfWork

ROUNDS, SECONDS, THREADS = 9, 0.2, 64
MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
CLERK = Actor("clerk-1", {"clerk"})
CATALOG = Catalog.of(ping_pong())
Batch = Sequence[tuple[str, Sequence[object]]]


def engine_on(file: Path) -> Engine:
    return Engine(f"sqlite:///{file}", CATALOG, clock=VirtualClock(MORNING))


def rows_of_a_move(file: Path) -> Callable[[str, int], Batch]:
    """Return what writes the rows that one `fire` writes, with their statements, taken from two real ones in turn."""
    taken = []
    with engine_on(file) as engine:
        instance = engine.start("ping_pong", actor=CLERK).id
        for trigger in ("go", "back"):
            engine.fire(instance, trigger, actor=CLERK)
            taken.append(last_rows(file))
    write = Statements.of(dialect(paramstyle="qmark"))

    def rows(name: str, sequence: int) -> Batch:
        facts, kept, work = taken[sequence % 2]
        changed = kept | {"id": name, "sequence": sequence, "before": sequence - 1}
        return (
            (write.add_fact.sql, write.add_fact.bound(facts | {"instance": name, "sequence": sequence})),
            (write.change.sql, write.change.bound(changed)),
            (write.drop_work.sql, write.drop_work.bound({"instance": name})),
            (write.add_work.sql, write.add_work.bound(work | {"instance": name})),
        )

    return rows


def last_rows(file: Path) -> list[dict[str, Value]]:
    """Return the last fact of the only instance, its record and its work."""
    with closing(sqlite3.connect(file)) as reader:
        reader.row_factory = sqlite3.Row
        return [
            dict(reader.execute(f"SELECT * FROM {table} {last}").fetchone())  # noqa: S608  # names of ours
            for table, last in (
                ("svcflow_facts", "ORDER BY position DESC"),
                ("svcflow_instances", ""),
                ("svcflow_work", ""),
            )
        ]


def raw_file(file: Path, names: Sequence[str]) -> sqlite3.Connection:
    """Make the same tables with an instance of each name; return a connection without any library."""
    made = create_engine(f"sqlite:///{file}")
    schema.metadata.create_all(made)
    made.dispose()
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    for name in names:
        connection.execute(
            "INSERT INTO svcflow_instances VALUES (?, 'ping_pong', 1, 'running', 0, 0, 1, x'00', '', NULL)",
            (name,),
        )
    return connection


def commit(connection: sqlite3.Connection, batches: Sequence[Batch]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for batch in batches:
        for statement, values in batch:
            connection.execute(statement, values)
    connection.execute("COMMIT")


def our_moves(engine: Engine) -> Callable[[], None]:
    """Return an action that moves an instance of its own once."""
    instance, triggers = engine.start("ping_pong", actor=CLERK).id, cycle(("go", "back"))
    return lambda: engine.fire(instance, next(triggers), actor=CLERK) and None


def alone(act: Callable[[], None]) -> float:
    """Return how many times a second one thread acts."""
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < SECONDS:
        act()
        done += 1
    return done / spent


def together(acts: Sequence[Callable[[], None]]) -> float:
    """Return how many times a second all threads act, each with an action of its own."""
    begin, stop, counts = Barrier(len(acts) + 1), Event(), [0] * len(acts)

    def work(place: int) -> None:
        begin.wait()
        while not stop.is_set():
            acts[place]()
            counts[place] += 1

    threads = [Thread(target=work, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    begin.wait()
    start = time.perf_counter()
    time.sleep(SECONDS * 2)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)


class RawWriter:
    """One thread that commits what others hand it, as much as has come by then; they wait for the commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._asked: SimpleQueue[tuple[Batch, Event] | None] = SimpleQueue()
        self._thread = Thread(target=self._run)
        self._thread.start()

    def write(self, batch: Batch) -> None:
        done = Event()
        self._asked.put((batch, done))
        done.wait()

    def stop(self) -> None:
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            group = [asked]
            while not self._asked.empty() and (more := self._asked.get()) is not None:
                group.append(more)
            commit(self._connection, [batch for batch, _ in group])
            for _, done in group:
                done.set()


def raw_moves(
    rows: Callable[[str, int], Batch], write: Callable[[Batch], None], name: str
) -> Callable[[], None]:
    sequences = iter(range(2, 10**9))
    return lambda: write(rows(name, next(sequences)))


def compare(title: str, ours: Callable[[], float], raw: Callable[[], float]) -> None:
    """Print our rate, the raw one, and the median of the ratios of rounds measured in turn."""
    pairs = [(ours(), raw()) for _ in range(ROUNDS)]
    first, second = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{title}: {first:,.0f}/s, raw sqlite3 {second:,.0f}/s, ratio {ratio:.2f}")


def commits(folder: Path) -> None:
    rows = rows_of_a_move(folder / "sample.db")
    raw = raw_file(folder / "raw.db", ["one", *(f"r{number}" for number in range(THREADS))])
    with engine_on(folder / "ours.db") as engine:
        one = our_moves(engine)
        raw_one = raw_moves(rows, lambda batch: commit(raw, [batch]), "one")
        compare("durable moves, one thread", lambda: alone(one), lambda: alone(raw_one))
        many = [our_moves(engine) for _ in range(THREADS)]
        writer = RawWriter(raw)
        raw_many = [raw_moves(rows, writer.write, f"r{number}") for number in range(THREADS)]
        compare(
            f"durable moves, {THREADS} threads (raw: {THREADS} threads hand rows to one that commits in groups)",
            lambda: together(many),
            lambda: together(raw_many),
        )
        writer.stop()
    raw.close()


def fill(file: Path, count: int) -> None:
    """Keep `count` instances, each due within two working hours, in one transaction."""
    from svcflow.kernel import Start, compile_procedure, transact
    from svcflow.kernel.compiled import calendars_of
    from svcflow.runtime.commands import decision_of
    from svcflow.runtime.store import LockedInstance
    from svcflow.worktime.instants import to_us

    compiled = compile_procedure(CATALOG["ping_pong"], calendars_of(CATALOG))
    store = open_store(f"sqlite:///{file}")
    assert isinstance(store, SqlStore)

    def start_all(work: UnitOfWork) -> None:
        for number in range(count):
            outcome = transact(compiled, None, Start(f"p{number}", actor=CLERK), to_us(MORNING) + number)
            change = decision_of(LockedInstance(None), outcome, None)
            assert change is not None
            work.save(LockedInstance(None), change)

    store.backend.write(start_all)  # a commit each would take minutes
    store.close()


def timers(folder: Path, count: int) -> None:
    """Print how soon the next due instant is known after reopening, and how long it takes to fire all."""
    file = folder / f"timers-{count}.db"
    fill(file, count)
    store = open_store(f"sqlite:///{file}")
    start = time.perf_counter()
    assert store.next_due_us() is not None
    asked = time.perf_counter() - start
    clock = VirtualClock(MORNING + timedelta(hours=3))
    with Engine(store, CATALOG, clock=clock) as engine:
        start = time.perf_counter()
        fired = len({fact.instance for fact in engine.tick()})
        spent = time.perf_counter() - start
        assert engine.tick() == ()
    print(
        f"{count:,} open timers: next due after reopening {asked * 1e3:.1f} ms, {fired:,} fired in {spent:.1f} s"
    )


def start_up(folder: Path, count: int) -> None:
    """Print how long an engine takes to open a store of many instances; the rows are made by SQL from one."""
    file = folder / "large.db"
    fill(file, 1)
    others = "procedure, version, status, started_us, next_us + n, sequence, head, state, secrets"
    with sqlite3.connect(file) as connection:
        connection.execute(
            "INSERT INTO svcflow_instances WITH RECURSIVE count(n) AS"  # noqa: S608  # columns of ours
            f" (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < {count})"
            f" SELECT 'q' || n, {others} FROM count, svcflow_instances"
        )
    connection.close()
    start = time.perf_counter()
    with engine_on(file) as engine:
        opened = time.perf_counter() - start
        assert engine.start("ping_pong", actor=CLERK).steps == ("ping",)
        spent = time.perf_counter() - start
    print(f"{count:,} instances: opened in {opened:.2f} s, the first command done after {spent:.2f} s")


def fairness() -> None:
    """Let processes compete for one file for some seconds; see tests/crash/test_fairness.py."""
    test = Path(__file__).parents[1] / "tests" / "crash" / "test_fairness.py"
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-n0", "-m", "", "-k", "share", str(test)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603  # our own test
    print(f"8 processes on one file: {said.splitlines()[0]}")


def main() -> None:
    large = sys.argv[1:] == ["LARGE"]
    print(f"svcflow {svcflow.__version__}, SQLite {sqlite3.sqlite_version}")
    with tempfile.TemporaryDirectory() as name:
        commits(Path(name))
        timers(Path(name), 10_000)
        start_up(Path(name), 1_000_000 if large else 100_000)
        if large:
            timers(Path(name), 100_000)
    fairness()


if __name__ == "__main__":
    main()
