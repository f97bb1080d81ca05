"""Whatever moment a PostgreSQL server is killed at: acknowledged commands are there when it runs again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from crash_talk import Talk, talk_of
from crash_writer import PROCEDURE, command

from database_server import kill
from svcflow import Engine
from waiting import PATIENCE_S

pytestmark = pytest.mark.long

PROCESSES = 2  # of two threads each
WRITER = Path(__file__).with_name("server_writer.py")
ROUNDS = int(os.environ.get("SVCFLOW_SERVER_KILLS", "5"))


def one_round(
    server, url: str, turn: int, chance: random.Random, *, program: Path = WRITER, most: int = 200
) -> Talk:
    """Let the writers run, kill the server at a random moment, and read what they had said until it failed them."""
    command_line = [sys.executable, "-W", "error", str(program), url]
    writers = [
        subprocess.Popen(
            [*command_line, str(n), str(turn)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for n in range(PROCESSES)
    ]
    first = [writer.stdout.readline() for writer in writers for _ in range(chance.randint(4, most))]
    time.sleep(chance.uniform(0, 0.02))
    kill(server)
    said = [line for writer in writers for line in writer.stdout.readlines()]
    for writer in writers:
        writer.stdout.close()
        writer.wait(PATIENCE_S)
    server.ensure_postgres_running()
    return talk_of(first + said)


def test_no_acknowledged_command_is_lost_or_doubled_when_the_server_is_killed(mortal_server):
    """Four writers lose their server again and again: acknowledged is durable, unacknowledged whole or absent."""
    url = mortal_server.get_uri(driver="psycopg")
    chance = random.Random(7)
    acknowledged, durable = 0, 0
    for turn in range(ROUNDS):
        talk = one_round(mortal_server, url, turn, chance)
        acknowledged += len(talk.acknowledged)
        with Engine(url, PROCEDURE) as engine:
            assert engine.verify().ok
            durable += sum(_check(engine, name, talk.done(name), talk.left_open(name)) for name in talk.names)
            assert engine.verify().ok
    assert acknowledged > ROUNDS * PROCESSES, "the writers were at work when the server was killed"
    print(f"{ROUNDS} kills, {acknowledged} acknowledged, {durable} durable without acknowledgement")


def _check(engine: Engine, name: str, done: set[int], open_: set[int]) -> int:
    """Check what is there of one writer's work, and retry; return 1 when what was open had been durable."""
    fired = sum(number % 10 != 0 for number in done)
    extra = sum(number % 10 != 0 for number in open_)
    there = _moves(engine, name)
    assert fired <= there <= fired + extra
    for number in done:
        if number % 10 == 0:
            assert engine.instance(f"patrol-{name}-{number}").status == "running"
    for number in [*sorted(done)[-3:], *open_]:
        command(engine, name, number)
    assert _moves(engine, name) == fired + extra, "asked again, each was done exactly once"
    return int(extra > 0 and there == fired + extra)


def _moves(engine: Engine, name: str) -> int:
    return sum(fact.kind == "Moved" for fact in engine.journal(name))
