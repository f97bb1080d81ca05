"""Processes that are going to be killed while they begin what is to begin by itself.

Usage: crash_starter.py URL INSTANT ticks once at an instant. crash_starter.py URL is the nest, which has everything
imported: each line of its standard input is `hatch INSTANT`, answered by the number of the process, or `bury`, answered
by how every process ended since. A process says `ask OCCURRENCE PERSON` before it begins an instance for somebody, so
that the one before is there then, and `over PROCESS` when it has ticked.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import datetime

from svcflow import Engine, Recipient, VirtualClock
from svcflow.model.procedure import Procedure
from svcflow.model.regular_start import RegularStart
from svcflow.model.step import Step, Transition

PEOPLE = tuple(f"person-{number}" for number in range(12))
PROCEDURE = Procedure(
    id="visit",
    starts=(
        RegularStart(id="patrol", every="1cd", at="08:00"),
        RegularStart(id="home", every="1cd", at="08:30", for_="residents"),
    ),
    steps=(
        Step("planned", within="1h", to=(Transition("visit", "visited"),)),
        Step("visited", end="completed"),
    ),
)


def say(*words: object) -> None:
    """Write one line at once: so short a one comes out whole, whoever else writes to the pipe."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def engine_at(url: str, at: datetime, *, speaking: bool = False) -> Engine:
    """An engine over the store at an instant, which knows for whom instances begin."""
    engine = Engine(url, PROCEDURE, clock=VirtualClock(at))

    def residents(due_at: datetime) -> Iterator[tuple[Recipient, Mapping[str, str]]]:
        for person in PEOPLE:
            if speaking:
                say("ask", f"{due_at:%Y-%m-%d}", person)
            yield Recipient(person, "retirees"), {}

    engine.recipients()(residents)
    return engine


def tick(url: str, at: str) -> None:
    engine_at(url, datetime.fromisoformat(at), speaking=True).tick()
    say("over", os.getpid())


def hatch(url: str, at: str) -> int:
    """Fork a process that ticks and waits to be killed; return its number."""
    process = os.fork()
    if process:
        return process
    try:
        tick(url, at)
        signal.pause()
    except Exception:
        traceback.print_exc()
        raise
    finally:
        os._exit(1)  # it was to be killed; the nest's own code is not for it


def main(url: str) -> None:
    with Engine("memory://", PROCEDURE) as engine:
        engine.tick()  # what is imported late is imported now
    hatched: list[int] = []
    for line in sys.stdin:
        match line.split():
            case ["hatch", at]:
                hatched.append(hatch(url, at))
                say("hatched", hatched[-1])
            case ["bury"]:
                ends = [os.waitpid(process, 0)[1] for process in hatched]
                say("buried", *(os.waitstatus_to_exitcode(end) for end in ends))
                hatched.clear()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        tick(sys.argv[1], sys.argv[2])
    else:
        main(sys.argv[1])
