"""Fire transitions with limits, deadlines, hash chain and journal on, against bare state machines and SQLite.

Run: python benchmarks/fire.py
Ratios are of rates measured in turn, in one process; the median of several rounds is printed.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import svcflow
from svcflow import Actor, Catalog, Engine, Procedure, VirtualClock
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition

ROUNDS, SECONDS = 5, 0.6


def ping_pong() -> Procedure:
    """Two steps with a limit each, a span and a whole-procedure limit; it never ends by itself."""
    return Procedure(
        id="ping_pong",
        calendar="cn_office",
        roles=[Role("clerk")],
        steps=[
            Step("ping", role="clerk", within="2wh", to=[Transition("go", "pong")]),
            Step(
                "pong",
                role="clerk",
                within="3wd",
                to=[Transition("back", "ping"), Transition("stop", "over")],
            ),
            Step("over", end="completed"),
        ],
        limits=[
            TimeLimit(id="span", from_="ping", to="over", within="30wd", warn=["75%"]),
            TimeLimit(id="whole", within="60wd"),
        ],
    )


def rate(action: Callable[[int], None], batch: int) -> float:
    """Return how many actions a second run, in batches until the time is up."""
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < SECONDS:
        action(batch)
        done += batch
    return done / spent


def engine_on(url: str) -> Callable[[int], None]:
    """Return an action that fires `batch` transitions on one instance after another."""
    engine = Engine(url, Catalog.of(ping_pong()), clock=VirtualClock(datetime(2026, 3, 2, 1, tzinfo=UTC)))
    clerk = Actor("clerk-1", {"clerk"})

    def fire(batch: int) -> None:
        instance = engine.start("ping_pong", actor=clerk).id
        for _ in range(batch // 2):
            engine.fire(instance, "go", actor=clerk)
            engine.fire(instance, "back", actor=clerk)

    return fire


def bare_transitions() -> Callable[[int], None]:
    from transitions import Machine

    class Model:
        state = "ping"

    model = Model()
    moves = [["go", "ping", "pong"], ["back", "pong", "ping"]]
    Machine(model, states=["ping", "pong"], transitions=moves, initial="ping", auto_transitions=False)

    def fire(batch: int) -> None:
        for _ in range(batch // 2):
            model.go()  # type: ignore[attr-defined]
            model.back()  # type: ignore[attr-defined]

    return fire


def statemachine() -> Callable[[int], None] | None:
    try:
        from statemachine import State, StateMachine
    except ImportError:
        return None

    class PingPong(StateMachine):
        ping, pong = State(initial=True), State()
        go, back = ping.to(pong), pong.to(ping)

    machine = PingPong()

    def fire(batch: int) -> None:
        for _ in range(batch // 2):
            machine.send("go")
            machine.send("back")

    return fire


def raw_sqlite(file: Path) -> Callable[[int], None]:
    """The same two rows a commit (a fact inserted, the instance changed), WAL and FULL, without any library."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE facts (instance TEXT, sequence INT, body BLOB, link BLOB, PRIMARY KEY (instance, sequence))"
    )
    connection.execute(
        "CREATE TABLE instances (id TEXT PRIMARY KEY, next_us INT, sequence INT, head BLOB, state TEXT)"
    )
    connection.execute("INSERT INTO instances VALUES ('a', 0, 0, x'00', '')")
    body, link, state, numbers = b"b" * 170, bytes(32), "s" * 700, iter(range(10**9))

    def fire(batch: int) -> None:
        for _ in range(batch):
            number = next(numbers)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO facts VALUES ('a', ?, ?, ?)", (number, body, link))
            connection.execute(
                "UPDATE instances SET next_us = ?, sequence = ?, head = ?, state = ? WHERE id = 'a'",
                (number, number, link, state),
            )
            connection.execute("COMMIT")

    return fire


def compare(
    title: str, ours: Callable[[int], None], peers: dict[str, Callable[[int], None] | None], batch: int
) -> None:
    """Print our rate, each peer's, and the median of the ratios of rounds measured in turn."""
    rates: dict[str, list[float]] = {"ours": []}
    for _ in range(ROUNDS):
        rates["ours"].append(rate(ours, batch))
        for name, peer in peers.items():
            if peer is not None:
                rates.setdefault(name, []).append(rate(peer, batch))
    print(f"{title}: {statistics.median(rates['ours']):,.0f}/s")
    for name in peers:
        if name not in rates:
            print(f"  against {name}: not installed (pip install 'svcflow[bench]')")
            continue
        ratio = statistics.median(a / b for a, b in zip(rates["ours"], rates[name], strict=True))
        print(f"  against {name} {statistics.median(rates[name]):,.0f}/s: ratio {ratio:.2f}")


def main() -> None:
    print(f"svcflow {svcflow.__version__}")
    compare(
        "fire on memory:// (4 limits, hash chain, journal)",
        engine_on("memory://"),
        {"bare transitions": bare_transitions(), "python-statemachine": statemachine()},
        2_000,
    )
    with tempfile.TemporaryDirectory() as folder:
        ours, raw = Path(folder, "ours.db"), Path(folder, "raw.db")
        compare(
            "durable fire on SQLite (WAL, FULL)",
            engine_on(f"sqlite:///{ours}"),
            {"raw sqlite3, the same two rows a commit": raw_sqlite(raw)},
            200,
        )


if __name__ == "__main__":
    main()
