"""Killed at any moment, processes that begin what begins by itself lose no occurrence and begin none twice.

`SVCFLOW_START_KILLS=n` kills n times on SQLite, `SVCFLOW_SERVER_KILLS=n` a server of PostgreSQL.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crash_starter import PEOPLE, engine_at

from database_server import kill
from svcflow import Engine
from svcflow.kernel.facts import Deviated, Started
from waiting import PATIENCE_S

KILLS = int(os.environ.get("SVCFLOW_START_KILLS", "50"))
SERVER_KILLS = int(os.environ.get("SVCFLOW_SERVER_KILLS", "5"))
PROCESSES = 3
STARTER = Path(__file__).with_name("crash_starter.py")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY, MORNING, APART = timedelta(days=1), timedelta(hours=9), timedelta(minutes=2)
"""Processes that are more than a lease apart take what others have begun for left behind, and begin it too."""
WHO = (*PEOPLE, "")


class Nest:
    """Have processes forked that tick, kill them, and hear what they said until then."""

    def __init__(self, url: str) -> None:
        command_line = [sys.executable, "-W", "error", str(STARTER), url]
        self.process = subprocess.Popen(
            command_line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.said: list[list[str]] = []

    def told(self, order: str, answer: str) -> list[str]:
        """Give an order and return its answer; what the processes say meanwhile is kept."""
        self.process.stdin.write(f"{order}\n")
        while (words := self.next_line())[0] != answer:
            pass
        return words[1:]

    def next_line(self) -> list[str]:
        line = self.process.stdout.readline()
        assert line, "the nest has died"
        self.said.append(line.split())
        return self.said[-1]

    def one_round(self, at: datetime, chance: random.Random) -> None:
        """Let processes tick at once, and kill each at a moment of its own."""
        self.said.clear()
        processes = [
            int(self.told(f"hatch {(at + place * APART).isoformat()}", "hatched")[0])
            for place in range(PROCESSES)
        ]
        chance.shuffle(processes)
        while processes:
            for _ in range(chance.randint(0, len(PEOPLE))):
                if all(["over", str(process)] in self.said for process in processes):
                    break  # those that are left have nothing more to say
                self.next_line()
            time.sleep(chance.uniform(0, 0.003))
            os.kill(processes.pop(), signal.SIGKILL)
        assert self.told("bury", "buried") == [str(-signal.SIGKILL)] * PROCESSES

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(PATIENCE_S) == 0


@pytest.fixture
def nest(tmp_path: Path) -> Iterator[Nest]:
    made = Nest(f"sqlite:///{tmp_path / 'visits.db'}")
    yield made
    made.close()


@pytest.mark.parametrize("kills", [3, pytest.param(KILLS, marks=pytest.mark.long)])
def test_no_occurrence_is_lost_or_begun_twice_by_kill_9(tmp_path, nest, kills):
    """Each day begins once for everybody, or is recorded as lost where nobody was left to begin it."""
    url, chance = f"sqlite:///{tmp_path / 'visits.db'}", random.Random(7)
    with engine_at(url, MONDAY) as engine:
        engine.tick()
    days = -(-kills // PROCESSES)
    left = 0
    for day in range(days):
        nest.one_round(MONDAY + day * DAY + MORNING, chance)
        if chance.random() < 0.7 or day == days - 1:  # else what the killed left lies until the next day
            with engine_at(url, MONDAY + day * DAY + MORNING + timedelta(hours=3)) as engine:
                left += len(engine.tick()) > 0
    with engine_at(url, MONDAY + days * DAY) as engine:
        begun, missed = check(engine, days)
    assert left, "processes were killed before they had begun everything"
    print(f"{kills} kills, {begun} begun, {missed} recorded as lost, {left} days completed by a survivor")


def check(engine: Engine, days: int) -> tuple[int, int]:
    """Check that each day is there once for everybody, as an instance or as a loss; return how many of each."""
    assert engine.verify().ok
    begun: Counter[tuple[str, str]] = Counter()
    missed: Counter[tuple[str, str]] = Counter()
    for instance in engine.instances(limit=100_000):
        for fact in engine.journal(instance.id):
            if isinstance(fact, Started):
                begun[fact.occurrence[:10], fact.recipient] += 1
            elif isinstance(fact, Deviated):
                missed[fact.detail["occurrence"][:10], instance.recipient] += 1
    expected = {(f"{MONDAY + day * DAY:%Y-%m-%d}", person) for day in range(days) for person in WHO}
    assert begun + missed == Counter(expected), "none twice, none lost"
    positions = engine._store.starts()
    assert [(one.pending, one.tried, one.salt) for one in positions] == [("", "", "")] * 2
    return begun.total(), missed.total()


@pytest.mark.long
def test_no_occurrence_is_lost_or_begun_twice_when_the_server_is_killed(mortal_server):
    """Two processes lose their server in the middle of it, day after day."""
    url, chance = mortal_server.get_uri(driver="psycopg"), random.Random(7)
    with engine_at(url, MONDAY) as engine:
        engine.tick()
    left = 0
    for day in range(SERVER_KILLS):
        at = MONDAY + day * DAY + MORNING
        processes = [
            subprocess.Popen(
                [sys.executable, str(STARTER), url, (at + place * APART).isoformat()],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for place in range(2)
        ]
        for _ in range(chance.randint(2, len(PEOPLE))):
            processes[0].stdout.readline()
        time.sleep(chance.uniform(0, 0.01))
        kill(mortal_server)
        for process in processes:
            process.stdout.close()
            process.wait(PATIENCE_S)
        mortal_server.ensure_postgres_running()
        with engine_at(url, at + timedelta(hours=3)) as engine:
            left += len(engine.tick()) > 0
    with engine_at(url, MONDAY + SERVER_KILLS * DAY) as engine:
        begun, missed = check(engine, SERVER_KILLS)
    assert left, "the server was killed before everything had begun"
    assert not missed
    print(f"{SERVER_KILLS} kills, {begun} begun, {left} days completed by a survivor")
