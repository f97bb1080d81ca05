"""Killed at any moment, each child was started once and its parent heard of its end once.

`SVCFLOW_CHILD_KILLS=n` kills n times.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from child_writer import CATALOG
from crash_talk import Talk
from test_kill import WRITERS, Nest
from test_server_kill import one_round

from svcflow import Engine
from svcflow.kernel.instance import NEVER
from waiting import PATIENCE_S

KILLS = int(os.environ.get("SVCFLOW_CHILD_KILLS", "50"))
ROUNDS = int(os.environ.get("SVCFLOW_SERVER_KILLS", "5"))
WRITER = Path(__file__).with_name("child_writer.py")
SPAN = 25
"""The most acknowledgements in a round: each is of several commits."""


@pytest.fixture
def nest(tmp_path: Path) -> Iterator[Nest]:
    made = Nest(f"sqlite:///{tmp_path / 'patrol.db'}", WRITER, SPAN)
    yield made
    made.process.stdin.close()
    made.process.stdout.close()
    assert made.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("kills", [4, pytest.param(KILLS, marks=pytest.mark.long)])
def test_children_start_once_and_are_heard_once_whoever_is_killed(tmp_path, nest, kills):
    """Writers on SQLite are killed again and again: the next engine finishes what they had begun."""
    chance = random.Random(7)
    children = 0
    for turn in range(-(-kills // WRITERS)):
        children += settled(f"sqlite:///{tmp_path / 'patrol.db'}", nest.one_round(turn, chance))
    assert children > kills, "the writers were at work when they were killed"


@pytest.mark.long
def test_children_start_once_and_are_heard_once_when_the_server_is_killed(mortal_server):
    """On PostgreSQL the server is killed again and again."""
    url = mortal_server.get_uri(driver="psycopg")
    chance = random.Random(7)
    children = sum(
        settled(url, one_round(mortal_server, url, turn, chance, program=WRITER, most=40))
        for turn in range(ROUNDS)
    )
    assert children > ROUNDS, "the writers were at work when the server was killed"


def settled(url: str, talk: Talk) -> int:
    """Let one engine finish what is left, and check what came of every child; return how many there are."""
    with Engine(url, CATALOG) as engine:
        engine.tick()
        assert engine.tick() == ()
        assert engine.verify().ok
        return sum(heard(engine, parent, talk.done(parent)) for parent in talk.names)


def heard(engine: Engine, parent: str, done: set[int]) -> int:
    """Check one parent against its children; return how many it has."""
    instance = engine.instance(parent)
    journal = engine.journal(parent)
    asked = [fact.child for fact in journal if fact.kind == "ChildRequested"]
    assert asked == [f"{parent}.walking.{number}" for number in range(1, len(asked) + 1)]
    assert len(asked) >= max(done, default=0)
    assert instance.pending_us == NEVER
    told = {
        kind: Counter(fact.child for fact in journal if fact.kind == kind)
        for kind in ("ChildStarted", "ChildEnded")
    }
    moved = Counter(fact.child for fact in journal if fact.kind == "Moved" and fact.child)
    for name in asked:
        child = engine.instance(name)
        kinds = Counter(fact.kind for fact in engine.journal(name))
        ended = int(child.status == "ended")
        assert kinds["Started"] == 1
        assert told["ChildStarted"][name] <= 1
        assert told["ChildEnded"][name] == kinds["ParentTold"] == ended
        # A child that was called off before its start was recorded moves nobody, and its start is not recorded.
        assert moved[name] == int(child.outcome == "completed" and not _left_first(journal, name))
        assert told["ChildStarted"][name] == 1 or kinds["CalledOff"]
    return len(asked)


def _left_first(journal, name: str) -> bool:
    """Whether the parent had left the step before it heard of the end."""
    order = [fact for fact in journal if fact.kind == "Moved" or getattr(fact, "child", "") == name]
    ended = next(place for place, fact in enumerate(order) if fact.kind == "ChildEnded")
    return order[ended - 1].kind == "Moved" and order[ended - 1].step == "walking"
