"""Killed in the middle of a delivery, again and again: no fact is lost, and each instance's come in order."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from crash_writer import PROCEDURE

from svcflow import Engine
from waiting import PATIENCE_S, until

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("SVCFLOW_KILLS", "24"))
ROUNDS = max(KILLS // 4, 1)
COURIER = Path(__file__).with_name("crash_courier.py")
INSTANCES = 5
FACTS = 20  # of each instance and round

Place = tuple[str, int]


def couriers(url: str, count: int, lease_s: float) -> list[subprocess.Popen[str]]:
    """Start processes that deliver the same subscription, and wait until they are at it."""
    command = [sys.executable, "-W", "error", str(COURIER), url, str(lease_s)]
    found = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(count)
    ]
    assert [one.stdout.readline() for one in found] == ["ready 0\n"] * count
    return found


def killed(processes: list[subprocess.Popen[str]], after: int = 0) -> list[list[Place]]:
    """Kill them when each has been given so many facts, and return what each was given."""
    before = [[one.stdout.readline() for _ in range(after)] for one in processes]
    for one in processes:
        one.send_signal(signal.SIGKILL)
    said = [own + one.stdout.readlines() for own, one in zip(before, processes, strict=True)]
    for one in processes:
        one.stdout.close()
        one.wait(PATIENCE_S)
    assert [one.returncode for one in processes] == [-signal.SIGKILL] * len(processes)
    lines = [[line.split() for line in lines if line.endswith("\n")] for lines in said]
    return [[(name, int(sequence)) for name, sequence in own] for own in lines]


def assert_in_order(given: list[Place], before: set[Place]) -> None:
    """Fail when a fact was given before an earlier one of its instance had been."""
    known = set(before)
    for name, sequence in given:
        assert sequence == 1 or (name, sequence - 1) in known, f"{name}/{sequence} came too early"
        known.add((name, sequence))


def test_no_fact_is_lost_by_kill_9_and_the_order_stays(tmp_path):
    """A deliverer is killed at a random moment of each round; what the next ones deliver goes on without a gap."""
    url = f"sqlite:///{tmp_path / 'patrol.db'}"
    chance = random.Random(11)
    given: set[Place] = set()
    doubles = 0
    with Engine(url, PROCEDURE) as engine:
        names = [engine.start("patrol", instance_id=f"p{number}").id for number in range(INSTANCES)]
        for _ in range(ROUNDS):
            record(engine, names)
            (own,) = killed(couriers(url, 1, 0.3), after=chance.randint(1, 60))
            assert_in_order(own, given)
            doubles += len(given.intersection(own))
            given |= set(own)
        every = {(name, fact.sequence) for name in names for fact in engine.journal(name)}
        assert given, "the deliverers were at work when they were killed"
        assert given <= every
        given |= set(drain(engine, given))
        assert given == every
        assert [(one.lag, one.waiting, one.dead) for one in engine.subscriptions()] == [(0, 0, 0)]
    print(f"{ROUNDS} kills, {len(every)} facts, {doubles} delivered twice")


def test_two_processes_share_a_subscription_and_one_takes_over_from_the_other(tmp_path):
    """While both live no fact is given twice; when one is killed the other goes on."""
    url = f"sqlite:///{tmp_path / 'patrol.db'}"
    with Engine(url, PROCEDURE) as engine:
        names = [engine.start("patrol", instance_id=f"p{number}").id for number in range(INSTANCES)]
        record(engine, names)
        first, second = couriers(url, 2, 5.0)
        wait_for(engine, lag=0)
        (given,) = killed([first])
        record(engine, names)
        wait_for(engine, lag=0)
        (other,) = killed([second])
        every = sorted((name, fact.sequence) for name in names for fact in engine.journal(name))
    assert sorted(given + other) == every


def record(engine: Engine, names: list[str]) -> None:
    for _ in range(FACTS):
        for name in names:
            engine.fire(name, "go_on")


def wait_for(engine: Engine, lag: int) -> None:
    """Wait until no more is behind; what was given last has been said and noted then."""
    until(
        lambda: all(one.lag <= lag and not one.waiting for one in engine.subscriptions()), "it is delivered"
    )


def drain(engine: Engine, before: set[Place]) -> list[Place]:
    """Deliver the rest in this process, in order too."""
    given: list[Place] = []
    engine.on_fact(name="desk")(lambda fact: given.append((fact.instance, fact.sequence)))

    def nothing_left() -> bool:
        engine.redeliver("desk")
        engine.deliver()
        return not any(one.lag or one.waiting for one in engine.subscriptions())

    until(nothing_left, "the rest is delivered")
    assert_in_order(given, before)
    return given
