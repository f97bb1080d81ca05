"""Writers that are going to be killed: they acknowledge every command on a pipe, one line each.

Usage: crash_writer.py URL. This is the nest: it has everything imported, so that a writer is a fork and works
after some milliseconds. Each line of its standard input is `hatch NUMBER TURN`, answered by the number of the
process, or `bury`, answered by how every writer ended since.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from tempfile import TemporaryDirectory
from threading import Lock, Thread

from svcflow import Actor, Engine
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition

PROCEDURE = Procedure(
    id="patrol",
    steps=(
        Step("walking", within="1h", to=(Transition("go_on", "walking"), Transition("stop", "stopped"))),
        Step("stopped", end="completed"),
    ),
)
LI = Actor("li")
THREADS = 2


def command(engine: Engine, instance: str, number: int) -> None:
    """Send one command; every tenth is a start of another instance."""
    name = f"{instance}-{number}"
    if number % 10 == 0:
        engine.start("patrol", actor=LI, command_id=name)
    else:
        engine.fire(instance, "go_on", actor=LI, command_id=name)


def say(*words: object) -> None:
    """Write one line at once: so short a one comes out whole, whoever else writes to the pipe."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def write(engine: Engine, instance: str, lock: Lock) -> None:
    engine.start("patrol", actor=LI, instance_id=instance, command_id="begin")
    number = 0
    while True:
        number += 1
        with lock:
            say("ask", instance, number)
        command(engine, instance, number)
        with lock:
            say("ack", instance, number)


def work(url: str, number: int, turn: int) -> None:
    """Write with several threads until somebody kills the process."""
    lock = Lock()
    engine = Engine(url, PROCEDURE)
    names = [f"w{number}t{place}-{turn}" for place in range(THREADS)]
    threads = [Thread(target=write, args=(engine, name, lock)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


Work = Callable[[str, int, int], None]


def hatch(work: Work, url: str, number: int, turn: int) -> int:
    """Fork a writer; return the number of its process."""
    process = os.fork()
    if process:
        return process
    try:
        work(url, number, turn)
    except Exception:
        traceback.print_exc()
        raise
    finally:
        os._exit(1)  # it was to be killed; the nest's own code is not for it


def main(work: Work) -> None:
    with TemporaryDirectory() as folder, Engine(f"sqlite:///{folder}/warm.db", PROCEDURE) as engine:
        engine.start("patrol", actor=LI, instance_id="w")  # what is imported late is imported now
        command(engine, "w", 1)
    hatched: list[int] = []
    for line in sys.stdin:
        match line.split():
            case ["hatch", number, turn]:
                hatched.append(hatch(work, sys.argv[1], int(number), int(turn)))
                say("hatched", hatched[-1])
            case ["bury"]:
                ends = [os.waitpid(process, 0)[1] for process in hatched]
                say("buried", *(os.waitstatus_to_exitcode(end) for end in ends))
                hatched.clear()


if __name__ == "__main__":
    main(work)
