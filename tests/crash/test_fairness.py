"""Processes that write to one SQLite file take turns, and one that dies in its turn holds nobody up."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from crash_writer import PROCEDURE

from svcflow import Engine
from svcflow.store.sqlite.file_lock import FileLock
from waiting import PATIENCE_S

PROCESSES, SECONDS = 8, float(os.environ.get("SVCFLOW_FAIR_SECONDS", "5"))
WRITER = Path(__file__).with_name("fair_writer.py")


def writers(url: str, count: int, seconds: float) -> list[subprocess.Popen[str]]:
    """Start processes and wait until all of them are ready to write."""
    command = [sys.executable, "-W", "error", str(WRITER), url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen([*command, str(n), str(seconds)], **pipes) for n in range(count)]
    assert [one.stdout.readline() for one in running] == ["ready\n"] * count
    return running


@pytest.mark.long
def test_eight_processes_get_their_share(tmp_path):
    """While the others write a tenth of all nobody waits, and the one that wrote least wrote a fifth of the most."""
    url = f"sqlite:///{tmp_path / 'patrol.db'}"
    running = writers(url, PROCESSES, SECONDS)
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=SECONDS + PATIENCE_S)[0].split() for one in running]
    counts, waits = [int(count) for count, _ in said], [float(wait) for _, wait in said]
    print(
        f"{sum(counts) / SECONDS:,.0f}/s, least {min(counts)}, most {max(counts)}, longest {max(waits):.3f} s"
    )
    assert min(counts) / max(counts) > 0.2
    assert longest_wait(tmp_path / "patrol.db") < sum(counts) / 10
    with Engine(url, PROCEDURE) as engine:
        assert engine.verify().ok
        assert [len(engine.journal(f"w{n}")) for n in range(PROCESSES)] == [count + 1 for count in counts]


def longest_wait(path: Path) -> int:
    """Return how many commands of others came between two of one writer, at most, while all of them wrote."""
    with closing(sqlite3.connect(path)) as file:
        turns = [name for (name,) in file.execute("SELECT instance FROM svcflow_facts ORDER BY position")]
    places: dict[str, list[int]] = {}
    for place, name in enumerate(turns):
        places.setdefault(name, []).append(place)
    begun, ended = max(own[1] for own in places.values()), min(own[-1] for own in places.values())
    return max(
        later - place
        for own in places.values()
        for place, later in pairwise([begun, *(one for one in own if begun < one < ended), ended])
    )


HOLDER = """
import sys, time
from pathlib import Path
from svcflow.store.sqlite.file_lock import FileLock
FileLock(Path(sys.argv[1])).acquire()
print("in", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that has its turn and does not end it."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "f-lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout.readline() == "in\n"
        yield running
        running.kill()


def test_a_turn_ends_with_its_process(holder, tmp_path):
    """Killed in its turn, a process leaves the file to the next one at once."""
    lock = FileLock(tmp_path / "f-lock")
    holder.send_signal(signal.SIGKILL)
    lock.acquire()
    assert lock.locked
    lock.release()
    lock.close()


def test_a_process_that_stands_still_stops_nobody_for_good(holder, tmp_path, monkeypatch):
    """After a while one goes through without a turn: SQLite's own lock says whether the file is free."""
    monkeypatch.setattr("svcflow.store.sqlite.file_lock.TIMEOUT_S", 0.2)
    lock = FileLock(tmp_path / "f-lock")
    lock.acquire()
    assert not lock.locked
    lock.release()
    lock.close()


def test_where_no_lock_can_be_made_everybody_goes_through(tmp_path):
    """A medium that is not writable is no matter of the lock."""
    lock = FileLock(tmp_path / "missing" / "f-lock")
    lock.acquire()
    assert not lock.locked
    lock.release()
    lock.close()
