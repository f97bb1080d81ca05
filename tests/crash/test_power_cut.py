"""Power cuts: the write-ahead log ends anywhere, and the store holds what was synced up to there, and no part of more.

A small run notes how long the log was when each command was acknowledged. Then a power cut is made for every
record of the log (a WAL frame: one page): the database as it was, with the log cut there, is opened anew. Each
record is cut before it and in its middle; after the cut comes nothing, garbage, or what would have followed,
with the record itself not written. `SVCFLOW_CUT_EVERY=n` cuts every n bytes as well (1: at every byte), and
`SVCFLOW_CUT_COMMANDS=n` makes the run n commands long.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import attrs
import pytest
from crash_writer import LI, PROCEDURE

from svcflow import Engine, Fact, VirtualClock
from svcflow.kernel.instance import Instance

COMMANDS = int(os.environ.get("SVCFLOW_CUT_COMMANDS", "12"))
EVERY = int(os.environ.get("SVCFLOW_CUT_EVERY", "0"))
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
    """Hold a run: the database before it, the whole log after it, and each acknowledgement in turn."""

    database: bytes
    log: bytes
    acknowledged: tuple[Acknowledged, ...]

    @property
    def frame(self) -> int:
        return FRAME_HEADER + int.from_bytes(self.log[8:12], "big")

    def synced(self, cut: int) -> int:
        """How many commands were durable when the log ended at `cut`."""
        return sum(one.log_bytes <= cut for one in self.acknowledged)

    def journals(self, count: int) -> Journals:
        """What the store held after so many commands."""
        return self.acknowledged[count - 1].journals if count else {}


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


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Record the run on a store that is never closed before its log has been read."""
    path = tmp_path_factory.mktemp("run") / "patrol.db"
    log = path.with_name("patrol.db-wal")
    clock = VirtualClock(NOON)
    with Engine(f"sqlite:///{path}", PROCEDURE, clock=clock) as engine:
        database, acknowledged = path.read_bytes(), []
        for number in range(COMMANDS):
            clock.advance(timedelta(minutes=35))
            command(engine, number)
            acknowledged.append(Acknowledged(log.stat().st_size, journals_of(engine)))
        recorded = Recorded(database, log.read_bytes(), tuple(acknowledged))
        assert path.read_bytes() == database, "nothing was moved out of the log meanwhile"
    assert len({fact.kind for one in recorded.acknowledged[-1].journals.values() for fact in one}) >= 5
    return recorded


def reopened(folder: Path, database: bytes, log: bytes, count: int) -> tuple[Journals, Journals]:
    """Put both files into a folder and open them: what is there, and what after the last and next commands again."""
    folder.mkdir()
    (folder / "patrol.db").write_bytes(database)
    (folder / "patrol.db-wal").write_bytes(log)
    clock = VirtualClock(NOON + timedelta(minutes=35) * (count + 1))
    with Engine(f"sqlite:///{folder / 'patrol.db'}", PROCEDURE, clock=clock) as engine:
        result = engine.verify()
        assert result.ok, result.problems
        there = journals_of(engine)
        assert result.facts == sum(map(len, there.values()))
        for number in range(max(count - 1, 0), min(count + 1, COMMANDS)):
            command(engine, number)
        assert engine.verify().ok
        after = journals_of(engine)
    shutil.rmtree(folder)
    return there, after


def failed(run: Recorded, folder: Path, cuts: Iterator[tuple[str, int, bytes]]) -> tuple[list[str], int]:
    """Return the cuts (a name, where, what follows) after which something is missing or too much, and their number."""
    wrong, count = [], 0
    for kind, cut, tail in cuts:
        count += 1
        synced = run.synced(cut)
        there, after = reopened(folder / "cut", run.database, run.log[:cut] + tail, synced)
        if there != run.journals(synced):
            wrong.append(f"{kind} at {cut}: {synced} commands were durable, others are there")
        if after != run.journals(min(synced + 1, COMMANDS)):
            wrong.append(f"{kind} at {cut}: the last command was done twice, or the next one not once")
    return wrong, count


def boundaries(run: Recorded) -> range:
    return range(WAL_HEADER, len(run.log) + 1, run.frame)


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
    wrong, count = failed(run, tmp_path, (("clean", cut, b"") for cut in cuts))
    assert wrong == []
    assert count == len(cuts) > COMMANDS


def test_a_log_cut_within_any_record_gives_what_was_synced(run, tmp_path):
    """Half a record is none, and half a header of the log is no log."""
    cuts = [WAL_HEADER // 2, *(cut + run.frame // 2 for cut in boundaries(run)[:-1])]
    if EVERY:
        cuts += range(1, len(run.log), EVERY)
    wrong, _ = failed(run, tmp_path, (("torn", cut, b"") for cut in cuts))
    assert wrong == []


def test_garbage_after_the_cut_is_not_taken_for_records(run, tmp_path):
    """Up to three pages of anything may stand where the log was being written."""
    chance = random.Random(11)
    cuts = ((cut, chance.randrange(1, 3 * run.frame)) for cut in boundaries(run))
    wrong, _ = failed(run, tmp_path, (("garbage", cut, chance.randbytes(size)) for cut, size in cuts))
    assert wrong == []


def test_a_record_that_was_skipped_ends_the_log(run, tmp_path):
    """A disk may write later pages first: a record that is still empty hides all that follow it."""
    empty = bytes(run.frame)
    cuts = boundaries(run)[:-1]
    wrong, _ = failed(run, tmp_path, (("skipped", cut, empty + run.log[cut + run.frame :]) for cut in cuts))
    assert wrong == []


def test_a_record_with_a_wrong_bit_ends_the_log(run, tmp_path):
    """One bit anywhere in a record: it and all that follow are left out, none is read wrongly."""
    chance = random.Random(12)

    def cuts() -> Iterator[tuple[str, int, bytes]]:
        for cut in boundaries(run)[:-1]:
            tail = bytearray(run.log[cut:])
            tail[chance.randrange(8, run.frame)] ^= 1 << chance.randrange(8)
            yield "flipped", cut, bytes(tail)

    wrong, _ = failed(run, tmp_path, cuts())
    assert wrong == []


def test_a_power_cut_while_the_log_is_moved_into_the_database_loses_nothing(run, tmp_path):
    """Any of the pages may have been written already, some in part: the log still holds them all."""
    moved = tmp_path / "moved.db"
    moved.write_bytes(run.database)
    moved.with_name("moved.db-wal").write_bytes(run.log)
    base = sqlite3.connect(moved)
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
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
        there, after = reopened(tmp_path / "mixed", mixed, run.log, COMMANDS)
        assert there == after == run.journals(COMMANDS)
