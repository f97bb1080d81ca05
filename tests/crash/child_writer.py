"""Writers that are going to be killed while steps run other procedures; see crash_writer.

Usage: child_writer.py URL, which forks writers as it is told, or child_writer.py URL NUMBER TURN, which is one.
"""

from __future__ import annotations

import sys
from threading import Lock, Thread

from crash_writer import main, say

from svcflow import Actor, Catalog, Engine
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.model.subprocedure import SubProcedure

RUNS = SubProcedure("task", outcomes={"completed": "next_one", "cancelled": "next_one"})
CATALOG = Catalog.of(
    Procedure(
        id="patrol",
        steps=(
            Step("planned", within="1h", to=(Transition("send", "walking"),)),
            Step(
                "walking",
                runs=RUNS,
                to=(Transition("next_one", "planned"), Transition("call_back", "planned")),
            ),
        ),
    ),
    Procedure(
        id="task",
        steps=(
            Step("walked", within="1h", to=(Transition("report", "reported"),)),
            Step("reported", end="completed"),
        ),
    ),
)
LI = Actor("li")
THREADS = 2
CALLED_BACK = 3
"""Every so many children one is called off instead of ending by itself."""


def visit(engine: Engine, parent: str, number: int) -> None:
    """Send the parent on, and have its child end, or call it off."""
    engine.fire(parent, "send", actor=LI, command_id=f"send-{number}")
    if number % CALLED_BACK:
        engine.fire(f"{parent}.walking.{number}", "report", actor=LI, command_id="report")
    else:
        engine.fire(parent, "call_back", actor=LI, command_id=f"back-{number}")


def write(engine: Engine, parent: str, lock: Lock) -> None:
    engine.start("patrol", actor=LI, instance_id=parent, command_id="begin")
    number = 0
    while True:
        number += 1
        with lock:
            say("ask", parent, number)
        visit(engine, parent, number)
        with lock:
            say("ack", parent, number)


def work(url: str, number: int, turn: int) -> None:
    """Write with several threads until somebody kills the process, or its server."""
    lock = Lock()
    with Engine(url, CATALOG) as engine, engine.running():
        threads = [
            Thread(target=write, args=(engine, f"w{number}t{place}-{turn}", lock)) for place in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        main(work)
