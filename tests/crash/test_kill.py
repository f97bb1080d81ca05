"""Killed at any moment, a SQLite store holds every acknowledged command, verifies, and may be asked again.

`SVCFLOW_KILLS=n` kills n times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_talk import Talk, talk_of
from crash_writer import PROCEDURE, command

from svcflow import Engine
from waiting import PATIENCE_S

KILLS = int(os.environ.get("SVCFLOW_KILLS", "200"))
WRITERS = 4  # processes of two threads each
SPAN, BREATH_S = 200, 0.005
"""The most acknowledgements in a round, until one of them is killed; and how long after the last one at most."""
WRITER = Path(__file__).with_name("crash_writer.py")


class Nest:
    """Have writers forked, kill them, and hear what they said until then."""

    def __init__(self, url: str, writer: Path = WRITER, span: int = SPAN) -> None:
        command_line = [sys.executable, "-W", "error", str(writer), url]
        self.span = span
        self.process = subprocess.Popen(
            command_line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.said: list[str] = []

    def told(self, order: str, answer: str) -> list[str]:
        """Give an order and return its answer; what writers say meanwhile is kept."""
        self.process.stdin.write(f"{order}\n")
        return self.heard(answer)

    def heard(self, word: str) -> list[str]:
        """Return the rest of the next line that begins with a word."""
        for line in self.process.stdout:
            self.said.append(line)
            first, *rest = line.split()
            if first == word:
                return rest
        raise AssertionError("the nest has died")

    def one_round(self, turn: int, chance: random.Random) -> Talk:
        """Let writers work and kill each at a moment of its own: the others go on, the last leaves nobody."""
        self.said.clear()
        writers = [int(self.told(f"hatch {n} {turn}", "hatched")[0]) for n in range(WRITERS)]
        heard = 0  # the others work, or wait for their turn, or open the file
        for moment, writer in sorted((chance.randint(2, self.span), writer) for writer in writers):
            for _ in range(heard, moment):
                self.heard("ack")
            heard = moment
            time.sleep(chance.uniform(0, BREATH_S))
            os.kill(writer, signal.SIGKILL)
        assert self.told("bury", "buried") == [str(-signal.SIGKILL)] * WRITERS
        return talk_of(self.said)


@pytest.fixture
def nest(tmp_path: Path) -> Iterator[Nest]:
    made = Nest(f"sqlite:///{tmp_path / 'patrol.db'}")
    yield made
    made.process.stdin.close()
    made.process.stdout.close()
    assert made.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("kills", [8, pytest.param(KILLS, marks=pytest.mark.long)])
def test_no_acknowledged_command_is_lost_or_doubled_by_kill_9(tmp_path, nest, kills):
    """Writers are killed again and again: acknowledged is durable, unacknowledged is whole or absent."""
    url = f"sqlite:///{tmp_path / 'patrol.db'}"
    chance = random.Random(7)
    acknowledged, durable = 0, 0
    started: set[str] = set()
    for turn in range(-(-kills // WRITERS)):
        talk = nest.one_round(turn, chance)
        acknowledged += len(talk.acknowledged)
        with Engine(url, PROCEDURE) as engine:
            for name in talk.names:
                durable += _check(engine, name, talk.done(name), talk.left_open(name))
        started |= {f"patrol-{name}-{number}" for name, number in talk.asked if number % 10 == 0}
    with Engine(url, PROCEDURE) as engine:
        assert engine.verify().ok
        ids = {one.id for one in engine.instances()}
        assert {one for one in ids if one.startswith("patrol-")} == started, "nobody asked for any other"
    assert acknowledged > kills, "the writers were at work when they were killed"
    print(f"{kills} kills, {acknowledged} acknowledged, {durable} durable without acknowledgement")


def _check(engine: Engine, name: str, done: set[int], open_: set[int]) -> int:
    """Check what is there of one writer's work, and retry; return 1 when what was open had been durable."""
    assert engine.verify(name).ok
    there = {one.removeprefix("patrol-") for one in _ids(engine) if one.startswith(f"patrol-{name}-")}
    started = {f"{name}-{number}" for number in done | open_ if number % 10 == 0}
    assert {f"{name}-{number}" for number in done if number % 10 == 0} <= there <= started
    before, fired = _moves(engine, name), sum(number % 10 != 0 for number in done)
    asked = sum(number % 10 != 0 for number in done | open_)
    assert fired <= before <= asked
    for number in [*sorted(done)[-3:], *open_]:
        command(engine, name, number)
    assert _moves(engine, name) == asked, "asked again, each was done exactly once"
    return int(bool(open_) and before == asked and there == started)


def _ids(engine: Engine) -> list[str]:
    return [one.id for one in engine.instances(limit=1_000)]


def _moves(engine: Engine, name: str) -> int:
    return sum(fact.kind == "Moved" for fact in engine.journal(name))
