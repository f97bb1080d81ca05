"""Power cuts: the write-ahead log ends anywhere, and the store holds what was synced up to there, and no part of more.

A small run notes how long the log was when each command was acknowledged. Then a power cut is made for every
record of the log (a WAL frame: one page): the database as it was, with the log cut there, is opened anew. Each
record is cut before it and in its middle; after the cut comes nothing, garbage, or what would have followed,
with the record itself not written, or an older log. `SVCFLOW_CUT_EVERY=n` cuts every n bytes as well (1: at every byte), and
`SVCFLOW_CUT_COMMANDS=n` makes the run n commands long.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import attrs
import pytest
from crash_writer import LI, PROCEDURE

from svcflow import Engine, Fact, VirtualClock
from svcflow.kernel.instance import Instance

pytestmark = pytest.mark.long

COMMANDS = int(os.environ.get("SVCFLOW_CUT_COMMANDS", "10"))
EVERY = int(os.environ.get("SVCFLOW_CUT_EVERY", "0"))
STEP = timedelta(minutes=35)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WAL_HEADER, FRAME_HEADER = 32, 24
Journals = dict[str, tuple[Fact, ...]]


@attrs.frozen
class Acknowledged:
    """Hold what the store held when a command was acknowledged, and how long the log was then."""

    log_bytes: int
    journals: Journals


@attrs.frozen
class Recorded:
    """Hold a run: the database before it, the whole log after it, and each acknowledgement in turn.

    `first` commands had been done before; they are in the database, and the store then held `begun`.
    """

    database: bytes
    log: bytes
    acknowledged: tuple[Acknowledged, ...]
    first: int
    begun: Journals

    @property
    def frame(self) -> int:
        return FRAME_HEADER + int.from_bytes(self.log[8:12], "big")

    def synced(self, cut: int) -> int:
        """How many commands were durable when the log ended at `cut`."""
        return sum(one.log_bytes <= cut for one in self.acknowledged)

    def journals(self, count: int) -> Journals:
        """What the store held after so many commands."""
        return self.acknowledged[count - 1].journals if count else self.begun


def log_bytes(log: bytes) -> int:
    """How long a log is without what an older one has left behind it: the records that carry its salt."""
    frame, salt = FRAME_HEADER + int.from_bytes(log[8:12], "big"), log[16:24]
    records = range(WAL_HEADER, len(log), frame)
    own = [at for at in records if log[at + 8 : at + 16] == salt]
    assert own == list(records)[: len(own)]
    return WAL_HEADER + frame * len(own)


def command(engine: Engine, number: int) -> Instance:
    """Send the command of this number: starts, moves of some size, breaches, holds."""
    name, asked = f"r{number // 6}", f"c-{number}"
    match number % 6:
        case 0:
            return engine.start("patrol", actor=LI, instance_id=name, command_id=asked)
        case 2:
            return engine.hold(name, reason="recipient", actor=LI, command_id=asked)
        case 3:
            return engine.resume(name, actor=LI, command_id=asked)
        case _:
            evidence = {"photo": "x" * 2_000 * (number % 6)}  # one that needs a page, or several, of its own
            return engine.fire(name, "go_on", actor=LI, evidence=evidence, command_id=asked)


def journals_of(engine: Engine) -> Journals:
    return {one.id: engine.journal(one.id) for one in engine.instances()}


def recorded(path: Path, first: int) -> tuple[Recorded, bytes]:
    """Do `first` commands and move them into the database, then record the others; return the older log too.

    The store is not closed before its log has been read.
    """
    log = path.with_name(f"{path.name}-wal")
    clock = VirtualClock(NOON)
    with Engine(f"sqlite:///{path}", PROCEDURE, clock=clock) as engine:
        for number in range(first):
            clock.advance(STEP)
            command(engine, number)
        if first:
            checkpoint(path, "RESTART")
        database, begun = path.read_bytes(), journals_of(engine)
        older = log.read_bytes() if first else b""
        acknowledged = []
        for number in range(first, COMMANDS):
            clock.advance(STEP)
            command(engine, number)
            acknowledged.append(Acknowledged(log_bytes(log.read_bytes()), journals_of(engine)))
        assert path.read_bytes() == database, "nothing was moved out of the log meanwhile"
        return Recorded(database, log.read_bytes(), tuple(acknowledged), first, begun), older


def checkpoint(path: Path, how: str) -> None:
    """Move the log into the database."""
    base = sqlite3.connect(path)
    busy, *_ = base.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
    base.close()
    assert busy == 0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A run whose log is new."""
    found, _ = recorded(tmp_path_factory.mktemp("run") / "patrol.db", 0)
    assert len({fact.kind for one in found.journals(COMMANDS).values() for fact in one}) >= 5
    return found


def reopened(
    folder: Path, run: Recorded, database: bytes, log: bytes, count: int
) -> tuple[Journals, Journals]:
    """Put both files into a folder and open them: what is there, and what after the last and next commands again."""
    folder.mkdir()
    (folder / "patrol.db").write_bytes(database)
    (folder / "patrol.db-wal").write_bytes(log)
    done = run.first + count
    clock = VirtualClock(NOON + STEP * (done + 1))
    with Engine(f"sqlite:///{folder / 'patrol.db'}", PROCEDURE, clock=clock) as engine:
        result = engine.verify()
        assert result.ok, result.problems
        there = journals_of(engine)
        assert result.facts == sum(map(len, there.values()))
        for number in range(max(done - 1, 0), min(done + 1, COMMANDS)):
            command(engine, number)
        assert engine.verify().ok
        after = journals_of(engine)
    shutil.rmtree(folder)
    return there, after


def failed(run: Recorded, folder: Path, cuts: Iterable[tuple[str, int, bytes]]) -> list[str]:
    """Return the cuts (a name, where, what follows) after which something is missing or too much."""
    wrong = []
    for kind, cut, tail in cuts:
        synced = run.synced(cut)
        there, after = reopened(folder / "cut", run, run.database, run.log[:cut] + tail, synced)
        if there != run.journals(synced):
            wrong.append(f"{kind} at {cut}: {synced} commands were durable, others are there")
        if after != run.journals(min(synced + 1, len(run.acknowledged))):
            wrong.append(f"{kind} at {cut}: the last command was done twice, or the next one not once")
    return wrong


def boundaries(run: Recorded) -> range:
    return range(WAL_HEADER, log_bytes(run.log) + 1, run.frame)


def test_the_run_is_worth_cutting(run):
    """Commands of one record and of many, all in one log that was never emptied."""
    ends = [0, *(one.log_bytes for one in run.acknowledged)]
    frames = [(end - start) // run.frame for start, end in pairwise(ends)]
    assert min(frames) >= 1
    assert max(frames) >= min(frames) + 2
    assert ends[-1] == len(run.log)
    assert (len(run.log) - WAL_HEADER) % run.frame == 0


def test_a_log_cut_at_any_record_gives_what_was_synced(run, tmp_path):
    """Before each record, and with nothing of the log at all: exactly the commands whose records are all there."""
    cuts = [0, *boundaries(run)]
    assert len(cuts) > 5 * COMMANDS
    assert failed(run, tmp_path, (("clean", cut, b"") for cut in cuts)) == []


def test_a_log_cut_within_any_record_gives_what_was_synced(run, tmp_path):
    """Half a record is none, and half a header of the log is no log."""
    cuts = [WAL_HEADER // 2, *(cut + run.frame // 2 for cut in boundaries(run)[:-1])]
    if EVERY:
        cuts += range(1, len(run.log), EVERY)
    assert failed(run, tmp_path, (("torn", cut, b"") for cut in cuts)) == []


def test_garbage_after_the_cut_is_not_taken_for_records(run, tmp_path):
    """Up to three pages of anything may stand where the log was being written."""
    chance = random.Random(11)
    cuts = ((cut, chance.randrange(1, 3 * run.frame)) for cut in boundaries(run))
    assert failed(run, tmp_path, (("garbage", cut, chance.randbytes(size)) for cut, size in cuts)) == []


def test_a_record_that_was_skipped_ends_the_log(run, tmp_path):
    """A disk may write later pages first: a record that is still empty hides all that follow it."""
    empty = bytes(run.frame)
    cuts = boundaries(run)[:-1]
    later = (("skipped", cut, empty + run.log[cut + run.frame :]) for cut in cuts)
    assert failed(run, tmp_path, later) == []


def test_a_record_with_a_wrong_bit_ends_the_log(run, tmp_path):
    """One bit anywhere in a record: it and all that follow are left out, none is read wrongly."""
    chance = random.Random(12)

    def cuts() -> Iterator[tuple[str, int, bytes]]:
        for cut in boundaries(run)[:-1]:
            tail = bytearray(run.log[cut:])
            tail[chance.randrange(8, run.frame)] ^= 1 << chance.randrange(8)
            yield "flipped", cut, bytes(tail)

    assert failed(run, tmp_path, cuts()) == []


def test_what_an_older_log_left_behind_the_cut_is_not_taken_for_records(tmp_path):
    """A log that was moved into the database is written over: after the cut stand whole records of before."""
    run, older = recorded(tmp_path / "patrol.db", COMMANDS // 2)
    assert run.log[16:24] != older[16:24], "the log has begun anew"
    assert len(older) > WAL_HEADER + 5 * run.frame
    cuts = [0, WAL_HEADER // 2, *boundaries(run), *(cut + run.frame // 2 for cut in boundaries(run)[:-1:4])]
    assert failed(run, tmp_path, (("older", cut, older[cut:]) for cut in cuts)) == []


def test_a_power_cut_while_the_log_is_moved_into_the_database_loses_nothing(run, tmp_path):
    """Any of the pages may have been written already, some in part: the log still holds them all."""
    moved = tmp_path / "moved.db"
    moved.write_bytes(run.database)
    moved.with_name("moved.db-wal").write_bytes(run.log)
    checkpoint(moved, "TRUNCATE")
    page = run.frame - FRAME_HEADER
    new = moved.read_bytes()
    old = run.database.ljust(len(new), b"\0")
    chance = random.Random(13)

    def written(at: int) -> bytes:
        """A page as it was, as it is to be, or the beginning of the one with the end of the other."""
        sectors = chance.choice((0, page // 512, chance.randrange(page // 512)))
        return new[at : at + sectors * 512] + old[at + sectors * 512 : at + page]

    for _ in range(20):
        mixed = b"".join(written(at) for at in range(0, len(new), page))
        there, after = reopened(tmp_path / "mixed", run, mixed, run.log, COMMANDS)
        assert there == after == run.journals(COMMANDS)
