"""Whatever moment a PostgreSQL server is killed at: acknowledged commands are there when it runs again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import attrs
from crash_writer import PROCEDURE
from server_writer import command

from database_server import kill
from svcflow import Engine

PROCESSES = 2  # of two threads each
WRITER = Path(__file__).with_name("server_writer.py")
Command = tuple[str, int, int]
ROUNDS = int(os.environ.get("SVCFLOW_SERVER_KILLS", "5"))


@attrs.frozen
class Talk:
    """Hold what the writers of one round asked, and what was acknowledged to them."""

    asked: set[Command]
    acknowledged: set[Command]


def one_round(server, url: str, turn: int, chance: random.Random) -> Talk:
    """Let the writers run, kill the server at a random moment, and read what they had said until it failed them."""
    command_line = [sys.executable, "-W", "error", str(WRITER), url]
    writers = [
        subprocess.Popen(
            [*command_line, str(n), str(turn)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for n in range(PROCESSES)
    ]
    first = [writer.stdout.readline() for writer in writers]  # everyone is at work
    time.sleep(chance.uniform(0.1, 0.6))
    kill(server)
    said = [line for writer in writers for line in writer.stdout.readlines()]
    for writer in writers:
        writer.stdout.close()
        writer.wait(30)
    server.ensure_postgres_running()
    return heard(first + said)


def heard(lines: list[str]) -> Talk:
    """Read the whole lines; the last one of a killed process may be cut."""
    whole = [line.split() for line in lines if line.endswith("\n")]
    said = [(word, (name, int(turn), int(number))) for word, name, turn, number in whole]
    return Talk(
        {what for word, what in said if word == "ask"}, {what for word, what in said if word == "ack"}
    )


def names(engine: Engine) -> dict[str, int]:
    """Every instance with the number of its moves."""
    return {
        one.id: sum(fact.kind == "Moved" for fact in engine.journal(one.id))
        for one in engine.instances(limit=1_000_000)
    }


def test_no_acknowledged_command_is_lost_or_doubled_when_the_server_is_killed(mortal_server):
    """Four writers lose their server again and again: acknowledged is durable, unacknowledged whole or absent."""
    url = mortal_server.get_uri(driver="psycopg")
    chance = random.Random(7)
    moves: dict[str, int] = {}
    acknowledged, durable = 0, 0
    for turn in range(ROUNDS):
        talk = one_round(mortal_server, url, turn, chance)
        acknowledged += len(talk.acknowledged)
        with Engine(url, PROCEDURE) as engine:
            durable += checked(engine, talk, moves)
            moves = names(engine)
    assert acknowledged > ROUNDS * PROCESSES, "the writers were at work when the server was killed"
    print(f"{ROUNDS} kills, {acknowledged} acknowledged, {durable} durable without acknowledgement")


def checked(engine: Engine, talk: Talk, moves: dict[str, int]) -> int:
    """Hold what is kept against what was said, and retry; return how much had been durable without our knowing."""
    assert engine.verify().ok
    kept, durable = names(engine), 0
    for name in sorted({name for name, *_ in talk.asked}):
        asked = {what for what in talk.asked if what[0] == name}
        done = {what for what in talk.acknowledged if what[0] == name}
        open_ = asked - done
        assert len(open_) <= 1, "a writer asks one thing at a time"
        durable += _check(engine, kept[name] - moves.get(name, 0), name, done, open_)
    assert engine.verify().ok
    return durable


def _check(engine: Engine, there: int, name: str, done: set[Command], open_: set[Command]) -> int:
    """Check the `there` moves of one writer's instance, and retry; return 1 when what was open had been durable."""
    fired = sum(number % 10 != 0 for *_, number in done)
    extra = sum(number % 10 != 0 for *_, number in open_)
    assert fired <= there <= fired + extra
    ids = {one.id for one in engine.instances(limit=1_000_000)}
    assert all(f"patrol-{n}-{turn}-{number}" in ids for n, turn, number in done if number % 10 == 0)
    count = len(engine.journal(name))
    for what in [*sorted(done)[-3:], *open_]:
        command(engine, what[0], what[2], what[1])
    again = len(engine.journal(name)) - count
    assert again == fired + extra - there, "asked again, each was done exactly once"
    return int(extra > 0 and there == fired + extra)
