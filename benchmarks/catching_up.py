"""Catch up on what nobody saw to: time per fact at 1,000, 10,000 and 100,000 missed occurrences and deemed moves.

Run: python benchmarks/catching_up.py [SIZE …]
Each size is done on a store of its own, the kernel without any; the rate is in facts per second of CPU time. The last
column is the rate of the largest size over that of the smallest: constant time per fact would be 1.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from svcflow import Catalog, Engine, Procedure, VirtualClock
from svcflow.kernel import Start, compile_procedure, transact
from svcflow.kernel.compiled import calendars_of
from svcflow.model.limit import TimeLimit
from svcflow.model.step import Step, Transition
from svcflow.worktime.instants import to_us

SIZES = (1_000, 10_000, 100_000)
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def recurrence() -> Procedure:
    """Return a procedure that misses an occurrence every minute: one fact each."""
    return Procedure(
        id="every",
        steps=(
            Step("open", to=(Transition("tea", "open"), Transition("close", "closed"))),
            Step("closed", end="done"),
        ),
        limits=(TimeLimit(id="tea", step="open", every="1m", done_by="tea"),),
    )


def loop() -> Procedure:
    """Return a procedure that goes round by itself every minute, with a warning: four facts each."""
    round_ = TimeLimit(within="1m", on_overdue="again", warn=["50%"])
    again = Transition("again", "open", clock="restart")
    return Procedure(
        id="loop",
        steps=(
            Step("open", within=round_, to=(again, Transition("close", "closed"))),
            Step("closed", end="done"),
        ),
    )


def kernel(procedure: Procedure, minutes: int) -> tuple[int, float]:
    """Return how many facts a single decision records, and the seconds it takes."""
    compiled = compile_procedure(procedure, calendars_of(Catalog.of(procedure)))
    instance = transact(compiled, None, Start("i1"), to_us(BEGIN)).instance
    begun = time.process_time()
    facts = transact(compiled, instance, None, to_us(BEGIN + minutes * MINUTE)).facts
    return len(facts), time.process_time() - begun


def engine(url: str, procedure: Procedure, minutes: int) -> tuple[int, float]:
    """Return how many facts a tick records, and the seconds it takes."""
    clock = VirtualClock(BEGIN)
    with Engine(url, procedure, clock=clock) as service:
        service.start(procedure.id, instance_id="i1")
        clock.advance(minutes * MINUTE)
        begun = time.process_time()
        return len(service.tick()), time.process_time() - begun


def measured(name: str, catch_up: Callable[[int], tuple[int, float]], sizes: tuple[int, ...]) -> None:
    """Print the rates of all sizes."""
    rates = []
    for size in sizes:
        count, seconds = catch_up(size)
        rates.append(count / seconds)
    shown = "".join(f"{rate:>12,.0f}/s" for rate in rates)
    print(f"{name:<34}{shown}{rates[-1] / rates[0]:>10.2f}", flush=True)


def main() -> None:
    """Print a row for each procedure, in the kernel and on the embedded stores."""
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    print(f"{'':<34}{''.join(f'{size:>14,}' for size in sizes)}{'ratio':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for procedure in (recurrence(), loop()):
            measured(f"{procedure.id}: kernel", lambda size, one=procedure: kernel(one, size), sizes)
            measured(
                f"{procedure.id}: memory", lambda size, one=procedure: engine("memory://", one, size), sizes
            )
            measured(
                f"{procedure.id}: SQLite",
                lambda size, one=procedure: engine(
                    f"sqlite:///{Path(folder) / f'{one.id}{size}.db'}", one, size
                ),
                sizes,
            )


if __name__ == "__main__":
    main()
