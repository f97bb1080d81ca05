"""A writer that is going to lose its server: it acknowledges every command on its standard output, one line each.

Usage: server_writer.py URL NUMBER ROUND
"""

from __future__ import annotations

import sys
from threading import Lock, Thread

from crash_writer import LI, PROCEDURE

from svcflow import Engine

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
