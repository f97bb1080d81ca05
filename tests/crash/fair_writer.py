"""A writer that competes with others for one file: prints how often it wrote and how long it waited at most.

Usage: fair_writer.py URL NUMBER SECONDS. It begins when told to on its standard input.
"""

from __future__ import annotations

import sys
import time

from crash_writer import LI, PROCEDURE

from svcflow import Engine


def main() -> None:
    url, number, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    longest, count = 0.0, 0
    with Engine(url, PROCEDURE) as engine:
        instance = engine.start("patrol", actor=LI, instance_id=f"w{number}").id
        print("ready", flush=True)
        sys.stdin.readline()
        until = time.monotonic() + seconds
        while (began := time.monotonic()) < until:
            engine.fire(instance, "go_on", actor=LI)
            longest, count = max(longest, time.monotonic() - began), count + 1
    print(count, longest, flush=True)


if __name__ == "__main__":
    main()
