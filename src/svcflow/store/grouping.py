"""Group commit: threads that write to one database at the same time share one commit. Knows no tables.

A thread has its turn, does its part inside the open transaction, and leaves the commit to the next one when
others wait; the last of them commits for all. Nobody's part is over before its commit is durable. There is
no thread of its own and no pause: a thread that is alone commits at once.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from threading import Lock, get_ident
from typing import Protocol

LARGEST = 256
"""How many parts one commit holds, at most."""

LONGEST_S = 0.02
"""How long a group takes in parts: other processes wait meanwhile."""

_PATIENCE_S = 0.05
"""After that long a member looks whether whoever was to commit has been interrupted."""


class Gate(Protocol):
    """Keep other processes out from `enter` to `leave`."""

    def enter(self) -> None: ...
    def leave(self) -> None: ...


class Group:
    """The parts that one commit holds; `failure` is why it failed.

    Nobody gets `undone` before the group is at its end; then each member hands it to the next.
    """

    __slots__ = ("began", "done", "failure", "parts", "undone")

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.parts = 0
        self.done = False
        self.failure: Exception | None = None
        self.undone = Lock()
        self.undone.acquire()

    def end(self) -> None:
        """Let every member go on."""
        if not self.done:
            self.done = True
            self.undone.release()

    def wait(self, longest_s: float) -> bool:
        """Wait for the end; return whether it has come."""
        if not self.done and self.undone.acquire(timeout=longest_s):
            self.undone.release()
        return self.done


class Grouping:
    """Let threads take turns on one connection, whose transactions nobody else begins or ends."""

    def __init__(self, connection: sqlite3.Connection, gate: Gate) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._gate = gate
        self._turn = Lock()
        self._waiting: set[int] = set()
        self._inside = 0
        self._open: Group | None = None

    @contextmanager
    def part(self) -> Iterator[sqlite3.Cursor]:
        """Do something in a transaction; it is durable when this is left without an error.

        An error inside undoes this part alone. Raises: sqlite3.Error, to every member of a group whose commit
        fails.
        """
        group: Group | None = None
        me = get_ident()
        if self._inside == me:
            raise RuntimeError("a store was asked to change something from inside another change")
        try:
            self._waiting.add(me)
            with self._turn:
                self._waiting.discard(me)
                self._inside = me
                try:
                    group = self._joined()
                    changes = self._connection.total_changes
                    if group.parts:
                        self._cursor.execute("SAVEPOINT part")
                    yield self._cursor
                    if group.parts:
                        self._cursor.execute("RELEASE part")
                    group.parts += self._connection.total_changes != changes
                except BaseException as error:
                    if group is not None:
                        self._undo(group, error)
                    raise
                finally:
                    self._inside = 0
                    if self._open is not None and not self._left_to_others(self._open):
                        self._end(self._open)
        except Exception:
            # what was seen inside may be what others wrote: the error holds only when that was kept
            if group is not None:
                self._wait(group)
            raise
        finally:
            self._waiting.discard(me)
        self._wait(group)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep everybody else out, threads and processes, for what another connection does."""
        with self._turn:
            if self._open is not None:
                self._end(self._open)
            self._gate.enter()
            try:
                yield
            finally:
                self._gate.leave()

    def close(self) -> None:
        """Commit what is open."""
        with self._turn:
            if self._open is not None:
                self._end(self._open)

    def _joined(self) -> Group:
        """Return the open group, or a new one in a transaction of its own."""
        if self._open is not None and not self._connection.in_transaction:
            self._end(self._open)  # whoever ended its transaction was interrupted
        if self._open is None:
            self._gate.enter()
            try:
                self._cursor.execute("BEGIN IMMEDIATE")
                self._open = Group()
            finally:
                if self._open is None:
                    self._connection.rollback()
                    self._gate.leave()
        return self._open

    def _undo(self, group: Group, error: BaseException) -> None:
        """Undo one part and leave those before it as they are, as far as the database lets us."""
        try:
            if group.parts and self._connection.in_transaction:
                self._cursor.execute("ROLLBACK TO part")
                self._cursor.execute("RELEASE part")
        except sqlite3.Error as failure:
            group.failure = failure
            self._connection.rollback()
        if not self._connection.in_transaction and isinstance(error, sqlite3.Error):
            group.failure = error  # some errors of a database undo the whole transaction

    def _left_to_others(self, group: Group) -> bool:
        """Tell whether somebody comes who will commit: a group grows while others wait, up to its bounds."""
        return bool(
            self._waiting
            and 0 < group.parts < LARGEST
            and time.monotonic() - group.began < LONGEST_S
            and self._connection.in_transaction
        )

    def _end(self, group: Group) -> None:
        """Commit, or end a transaction in which nothing was kept. Ended twice, the second time does nothing."""
        try:
            if self._connection.in_transaction:
                self._cursor.execute("COMMIT" if group.parts else "ROLLBACK")
        except Exception as error:  # noqa: BLE001  # it is every member's, and each of them raises it
            group.failure = error
        except BaseException:
            if self._connection.in_transaction:  # it came before the commit; when it came after, all is kept
                group.failure = sqlite3.OperationalError("the commit was interrupted")
            raise
        finally:
            if group.failure is not None:
                self._connection.rollback()
            self._open = None
            self._gate.leave()
            group.end()

    def _wait(self, group: Group) -> None:
        while not group.wait(_PATIENCE_S):
            with self._turn:
                if self._open is group:
                    self._end(group)
        if group.failure is not None:
            raise copy(group.failure) from group.failure
