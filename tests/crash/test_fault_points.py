"""At every place on the way of a command, whatever goes wrong: all of it is kept or nothing, and a retry is safe."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fault_writer import DISK, FAULTS, LI, PLACES, PROCEDURE, go_on, moves

from svcflow import Engine
from waiting import PATIENCE_S

pytestmark = pytest.mark.long

WRITER = Path(__file__).with_name("fault_writer.py")
PAIRS = [(fault, place) for fault in FAULTS for place in PLACES]
SMALL_DISK = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-e", "-c"]
ON_IT = f'mount -t tmpfs -o size={DISK} none "$1"; disk=$1; shift; "$@"; cp "$disk"/patrol.db* "$disk"/..'
"""A file system in memory that only this process sees; what is on it at the end is copied out."""


def first_answer(fault: str, place: str) -> str:
    """What the caller is told: a fault that comes too late for the command does not hinder it."""
    if fault == "exception":
        return "FaultError"
    too_late = ("before commit", "after commit") if fault == "database full" else ("after commit",)
    return "done" if place in too_late else "StoreError"


def made(folder: Path, fault: str, place: str) -> subprocess.CompletedProcess[str]:
    """Run the writer; the file is in the folder afterwards."""
    writer = [sys.executable, "-W", "error", str(WRITER)]
    if fault == "disk full":
        disk = folder / "disk"
        disk.mkdir()
        command = [*SMALL_DISK, ON_IT, "sh", str(disk), *writer, str(disk / "patrol.db"), fault, place]
    else:
        command = [*writer, str(folder / "patrol.db"), fault, place]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.fixture(scope="module")
def a_disk_can_be_made(tmp_path_factory: pytest.TempPathFactory) -> bool:
    if shutil.which("unshare") is None:
        return False
    trial = [*SMALL_DISK, 'mount -t tmpfs none "$1"', "sh", str(tmp_path_factory.mktemp("disk"))]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(("fault", "place"), PAIRS, ids=[f"{fault} {place}" for fault, place in PAIRS])
def test_a_fault_leaves_all_or_nothing_and_a_retry_gives_exactly_one(
    fault, place, tmp_path, a_disk_can_be_made
):
    """The caller is told, the same store goes on when the fault is gone, and reopened it is whole."""
    if fault == "disk full" and not a_disk_can_be_made:
        pytest.skip("no file system of its own can be made here (user namespaces)")
    done = made(tmp_path, fault, place)
    there = int(place == "after commit" or first_answer(fault, place) == "done")
    with Engine(f"sqlite:///{tmp_path / 'patrol.db'}", PROCEDURE) as engine:
        if fault == "kill":
            assert (done.returncode, done.stdout) == (-signal.SIGKILL, "armed\n"), done.stderr
            assert moves(engine) == there
        else:
            assert (done.returncode, done.stderr) == (0, "")
            assert_told(json.loads(done.stdout.splitlines()[1]), fault, place, there)
        assert go_on(engine) == "done"
        assert moves(engine) == 1
        engine.fire("r1", "stop", actor=LI, command_id="c-2")
        assert engine.verify().ok


def assert_told(said: dict[str, object], fault: str, place: str, there: int) -> None:
    """Check what the writer saw itself: at once, while the fault lasted, and after it."""
    lasts = fault != "exception" and not there
    assert said == {
        "reached": True,
        "first": first_answer(fault, place),
        "moves after it": there,
        "still": "StoreError" if lasts else "done",
        "moves before mending": int(not lasts),
        "mended": "done",
        "moves at last": 1,
        "synchronous": 2,
        "journal": "wal",
    }
