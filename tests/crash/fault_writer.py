"""A writer to which one fault happens at one place; it says on its standard output what came of it, as JSON.

Usage: fault_writer.py FILE FAULT PLACE. The fault is brought in below the store, in the driver: by the text of
the statement that it is about to run, or has just run. The store's own code is the product's.
"""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from svcflow import Actor, Engine, Procedure
from svcflow.model.field import Field
from svcflow.model.step import Step, Transition

LI = Actor("li")
PLACES = ("before append", "after append", "before commit", "after commit")
FAULTS = ("exception", "kill", "database full", "disk full", "I/O error")
NOTES = dict.fromkeys("abcde", "x" * 10_000)
"""They need pages of their own, in the journal and in the record of the instance."""
DISK = 4 * 2**20
"""How many bytes a disk may have that is going to be filled."""
PROCEDURE = Procedure(
    id="patrol",
    fields=tuple(Field(name) for name in NOTES),
    steps=(
        Step("walking", within="1h", to=(Transition("go_on", "walking"), Transition("stop", "stopped"))),
        Step("stopped", end="completed"),
    ),
)


class FaultError(Exception):
    """Something of which neither the driver nor the store knows anything."""


class Wire:
    """Wait for a place on the way of one command, and bring the fault about there, once."""

    def __init__(self, file: Path, fault: str, place: str) -> None:
        self.file = file
        self.ballast = file.with_name("ballast")
        self.fault = fault
        self.place = place
        self.armed = False
        self.appended = False
        self.connection: sqlite3.Connection | None = None

    def run(self, connection: sqlite3.Connection, statement: str, way: Callable[[], object]) -> object:
        """Run a statement, with what happens before and after it."""
        point = (
            "append" if re.match(r"\s*INSERT\s+INTO\s+svcflow_facts\b", statement, re.IGNORECASE) else None
        )
        if self.appended and re.match(r"\s*(COMMIT|END)\b", statement, re.IGNORECASE):
            point = "commit"
        if not self.armed or point is None:
            return way()
        self.appended = True
        self._reach(f"before {point}", connection)
        done = way()
        self._reach(f"after {point}", connection)
        return done

    def _reach(self, place: str, connection: sqlite3.Connection) -> None:
        if not self.armed or place != self.place:
            return
        self.armed, self.connection = False, connection
        match self.fault:
            case "exception":
                raise FaultError
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "database full":  # it may not grow by a page
                pages = ask(connection, "PRAGMA page_count")
                ask(connection, f"PRAGMA max_page_count = {pages}")
            case "disk full":
                fill(self.ballast)
            case "I/O error":  # no file may grow beyond the middle of the log's next record
                ask(connection, "PRAGMA cache_size = 1")  # changed pages go to the log at once
                limit_files(self.file.with_name(f"{self.file.name}-wal").stat().st_size + 2_000)

    def mend(self) -> None:
        """Take the fault away again."""
        self.ballast.unlink(missing_ok=True)
        limit_files(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
        if self.connection is not None:
            ask(self.connection, "PRAGMA max_page_count = 1073741823")


def ask(connection: sqlite3.Connection, statement: str) -> object:
    """Run a statement past the wire; return the first thing it answers, if anything."""
    row = sqlite3.Cursor(connection).execute(statement).fetchone()
    return None if row is None else row[0]


def fill(ballast: Path) -> None:
    """Fill the file system to its last byte; it must be one that was made for this."""
    system = os.statvfs(ballast.parent)
    assert system.f_blocks * system.f_frsize <= DISK, "this file system holds other things"
    with ballast.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4_096))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017  # this is what we are waiting for


def limit_files(size: int) -> None:
    """Let no file of this process grow beyond a size; writing on fails, it does not kill."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def lay(wire: Wire) -> None:
    """Let every connection that is made from now on go over the wire."""
    connect = sqlite3.dbapi2.connect

    class Cursor(sqlite3.Cursor):
        def execute(self, statement: str, *values: object) -> object:
            return wire.run(
                self.connection, statement, lambda: super(Cursor, self).execute(statement, *values)
            )

        def executemany(self, statement: str, *values: object) -> object:
            way = lambda: super(Cursor, self).executemany(statement, *values)  # noqa: E731  # what runs, not when
            return wire.run(self.connection, statement, way)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: type[sqlite3.Cursor] = Cursor) -> sqlite3.Cursor:
            return super().cursor(factory)

        def commit(self) -> None:
            wire.run(self, "COMMIT", super().commit)

    sqlite3.connect = sqlite3.dbapi2.connect = lambda *args, **named: connect(
        *args, **{"factory": Connection} | named
    )


def go_on(engine: Engine) -> str:
    """Send the command, always the same one; return what came of it."""
    try:
        engine.fire("r1", "go_on", actor=LI, data=NOTES, command_id="c-1")
    except Exception as error:  # noqa: BLE001  # told to the test
        return type(error).__name__
    return "done"


def moves(engine: Engine) -> int:
    """How often the instance moved; every journal and record must be whole."""
    assert engine.verify().ok
    return sum(fact.kind == "Moved" for fact in engine.journal("r1"))


def main() -> None:
    file, fault, place = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    wire = Wire(file, fault, place)
    lay(wire)
    with Engine(f"sqlite:///{file}", PROCEDURE) as engine:
        engine.start("patrol", actor=LI, instance_id="r1")
        wire.armed = True
        print("armed", flush=True)
        said = {"first": go_on(engine), "moves after it": moves(engine), "reached": not wire.armed}
        said["still"] = go_on(engine)
        wire.mend()
        said |= {
            "moves before mending": moves(engine),
            "mended": go_on(engine),
            "moves at last": moves(engine),
        }
        if wire.connection is not None:
            said["synchronous"] = ask(wire.connection, "PRAGMA synchronous")
            said["journal"] = ask(wire.connection, "PRAGMA journal_mode")
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
