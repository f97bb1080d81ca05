"""Verify a SQLite store: facts a second, and how often that is the time of reading its rows and hashing their bytes.

Run: python benchmarks/verify.py [INSTANCES]
The two are measured in turn, in one process, on one file; the median of several rounds is printed.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from fire import ping_pong
from svcflow import Actor, Catalog, Engine, VirtualClock

ROUNDS, INSTANCES, MOVES = 3, 1_000, 8
MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
CLERK = Actor("clerk-1", {"clerk"})
CATALOG = Catalog.of(ping_pong())


def filled(file: Path, instances: int) -> None:
    """Make instances that go to and fro, each too late once."""
    clock = VirtualClock(MORNING)
    with Engine(f"sqlite:///{file}", CATALOG, clock=clock) as engine:
        names = [
            engine.start("ping_pong", actor=CLERK, instance_id=f"r{number}", command_id=f"s{number}").id
            for number in range(instances)
        ]
        for move in range(MOVES):
            clock.advance(timedelta(hours=3 if move == 2 else 1))
            engine.tick()
            for name in names:
                engine.fire(name, "back" if move % 2 else "go", actor=CLERK)
        engine.seal()


def read_and_hashed(file: Path) -> int:
    """Read all facts in the order of their journals and follow the chain, which is the least there is to do."""
    count, link = 0, b""
    with closing(sqlite3.connect(file)) as base:
        rows = base.execute(
            "SELECT instance, sequence, body, link FROM svcflow_facts ORDER BY instance, sequence"
        )
        for _, sequence, body, kept in rows:
            link = sha256((link if sequence > 1 else bytes(32)) + body).digest()
            assert link == kept
            count += 1
    return count


def verified(file: Path) -> int:
    with Engine(f"sqlite:///{file}", CATALOG, clock=VirtualClock(MORNING)) as engine:
        found = engine.verify()
    assert found.ok, found.problems[:1]
    return found.facts


def timed(action: Callable[[Path], int], file: Path) -> float:
    """Return the facts a second."""
    start = time.perf_counter()
    return action(file) / (time.perf_counter() - start)


def traced(file: Path) -> int:
    """Return the bytes that are in use at the peak of a verification."""
    tracemalloc.start()
    verified(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main(instances: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "service.db"
        filled(file, instances)
        pairs = [(timed(verified, file), timed(read_and_hashed, file)) for _ in range(ROUNDS)]
        peak = traced(file)
    rate = statistics.median(own for own, _ in pairs)
    bare = statistics.median(least for _, least in pairs)
    ratio = statistics.median(own / least for own, least in pairs)
    print(f"verify            {rate:>10,.0f} facts/s  {1e3 / rate:.3f} ms a fact")
    print(f"reading, hashing  {bare:>10,.0f} facts/s  ratio {ratio:.3f}")
    print(f"memory            {peak / 2**20:>10.1f} MiB at its peak, of {instances:,} instances")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else INSTANCES)
