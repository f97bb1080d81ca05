"""A deliverer that is going to be killed: its handler writes each fact it is given to its standard output.

Usage: crash_courier.py URL LEASE; the lease, in seconds, is how long the next one waits to take over.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import timedelta

from crash_writer import PROCEDURE

from svcflow import Engine
from svcflow.kernel.facts import Fact


def main() -> None:
    chance, lease = random.Random(), timedelta(seconds=float(sys.argv[2]))
    with Engine(sys.argv[1], PROCEDURE) as engine:

        @engine.on_fact(name="desk", since="start", attempts=1_000, pause=timedelta(0), lease=lease)
        def desk(fact: Fact) -> None:
            if chance.random() < 0.05:
                raise ConnectionError("no answer")
            print(fact.instance, fact.sequence, flush=True)
            time.sleep(0.001)

        print("ready", 0, flush=True)
        while True:
            if engine.deliver().count == 0:
                time.sleep(0.02)


if __name__ == "__main__":
    main()
