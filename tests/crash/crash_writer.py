"""A writer that is going to be killed: it acknowledges every command on its standard output, one line each.

Usage: crash_writer.py URL NUMBER ROUND [RETRY]; RETRY is a command id to send again first.
"""

from __future__ import annotations

import sys
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


def command(engine: Engine, instance: str, number: int, turn: int) -> str:
    """Send one command; every tenth is a start of another instance. Return its id."""
    name = f"{instance}-{turn}-{number}"
    if number % 10 == 0:
        engine.start("patrol", actor=LI, command_id=name)
    else:
        engine.fire(instance, "go_on", actor=LI, command_id=name)
    return name


def write(engine: Engine, instance: str, turn: int, lock: Lock) -> None:
    engine.start("patrol", actor=LI, instance_id=instance, command_id="begin")
    number = 0
    while True:
        number += 1
        with lock:
            print("ask", instance, turn, number, flush=True)
        command(engine, instance, number, turn)
        with lock:
            print("ack", instance, turn, number, flush=True)


def main() -> None:
    url, number, turn = sys.argv[1], sys.argv[2], int(sys.argv[3])
    lock = Lock()
    engine = Engine(url, PROCEDURE)
    threads = [
        Thread(target=write, args=(engine, f"w{number}t{place}", turn, lock)) for place in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
