"""Group commit: threads that write to one database at the same time share one commit. Knows no tables.

Whoever finds nobody at it runs, in one transaction, its own part and those that others hand in meanwhile,
commits, and lets them go. Nobody's part is over before its commit is durable. There is no thread of its own
and no pause: a thread that is alone commits at once. One thread runs the parts of all, because to change
threads between statements costs more than the statements do.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from queue import Empty, SimpleQueue
from threading import Lock, get_ident
from typing import Protocol, TypeVar, cast

LARGEST = 256
"""How many parts one commit holds, at most."""

LONGEST_S = 0.02
"""How long a group takes in parts: other processes wait meanwhile."""

_PATIENCE_S = 0.05
"""After that long a thread looks whether whoever was to run its part has been interrupted."""

T = TypeVar("T")


class Gate(Protocol):
    """Keep other processes out from `enter` to `leave`."""

    def enter(self) -> None: ...
    def leave(self) -> None: ...


class Notes(Protocol):
    """What parts leave to be written at the end of their transaction; `taken` is how much that ever was."""

    taken: int

    def begin(self) -> None:
        """Be told that a transaction has begun."""
        ...

    def write(self) -> None:
        """Write what was left: the commit comes next."""
        ...

    def forget(self) -> None:
        """Forget what was left, and what was seen: the transaction was undone."""
        ...


class _Part:
    """What one thread wants done, and what came of it; `alone` says that it wants a transaction of its own."""

    __slots__ = ("act", "alone", "error", "over", "result", "signal")

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act
        self.alone = False
        self.over = False
        self.error: Exception | None = None
        self.result: object = None
        self.signal: SimpleQueue[None] = SimpleQueue()

    def run(self) -> None:
        self.error = None
        try:
            self.result = self.act()
        except Exception as error:  # noqa: BLE001  # raised in the thread whose part it is
            self.error = error

    def end(self) -> None:
        self.over = True
        self.signal.put(None)

    def wait(self) -> None:
        try:
            self.signal.get(timeout=_PATIENCE_S)
        except Empty:
            return


class Grouping:
    """Let threads share transactions on one connection, which nobody else begins or ends."""

    def __init__(self, cursor: sqlite3.Cursor, gate: Gate, notes: Notes) -> None:
        self._connection = cursor.connection
        self._cursor = cursor
        self._gate = gate
        self._notes = notes
        self._turn = Lock()
        self._waiting: deque[_Part] = deque()
        self._group: list[_Part] = []
        self._committing = False
        self._leader = 0

    def run(self, act: Callable[[], T]) -> T:
        """Do something in a transaction, in this thread or in another; it is durable when this returns.

        An error undoes this part alone. When an error undoes the whole transaction each part of the group
        is run again in one of its own. An interrupted caller does not know whether its part was kept.

        Raises: what `act` raises; sqlite3.Error when its transaction cannot begin, or be committed.
        """
        if self._leader == get_ident():
            raise RuntimeError("a store was asked to change something from inside another change")
        part = _Part(act)
        self._waiting.append(part)
        try:
            self._see_to(part)
        finally:
            part.over = True  # also for whoever meets it in the line when this thread was interrupted
        if part.error is not None:
            try:
                raise part.error
            finally:
                part.error = None  # or it would hold this frame, which holds the part
        return cast("T", part.result)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep everybody else out, threads and processes, for what another connection does."""
        with self._turn:
            self._gate.enter()
            try:
                yield
            finally:
                self._gate.leave()
        self._call_next()

    def close(self) -> None:
        """Wait for whoever is at it."""
        with self._turn:
            return

    def _see_to(self, part: _Part) -> None:
        """Run a part, with what others hand in, unless another thread is at it and will."""
        while not part.over:
            if not self._turn.acquire(blocking=False):
                part.wait()
                continue
            try:
                if not part.over:
                    self._lead()
            finally:
                self._turn.release()
                self._call_next()

    def _call_next(self) -> None:
        """Wake whoever has waited longest: it may be that nobody is at it now."""
        if self._waiting:
            with suppress(IndexError):  # it may have been taken by now
                self._waiting[0].signal.put(None)

    def _lead(self) -> None:
        """Make one transaction. Raises: what keeps it from beginning."""
        self._let_go()  # whoever led before may have been interrupted
        self._gate.enter()
        try:
            self._leader = get_ident()
            self._transact()
        finally:
            self._leader = 0
            self._gate.leave()
            self._let_go()

    def _transact(self) -> None:
        """Run a group of parts in one transaction; one in which nothing was written leaves no trace."""
        self._connection.rollback()
        self._committing = False
        self._cursor.execute("BEGIN IMMEDIATE")
        before = self._connection.total_changes
        done = False
        try:
            self._notes.begin()
            if self._fill():
                self._committing = True
                self._cursor.execute("ROLLBACK" if self._connection.total_changes == before else "COMMIT")
                done = True
        except Exception as error:  # noqa: BLE001  # theirs to whom it is told when the group is let go
            for part in self._group:
                part.error = part.error or copy(error)
        finally:
            if not done:
                self._notes.forget()
                self._committing = self._committing and not self._connection.in_transaction
                self._connection.rollback()

    def _fill(self) -> bool:
        """Run what is handed in; False when an error came after something had been written."""
        for part in self._arriving():
            before = self._notes.taken, self._connection.total_changes
            part.run()
            after = self._notes.taken, self._connection.total_changes
            if part.error is not None and (before != after or not self._connection.in_transaction):
                return False
        self._notes.write()
        return True

    def _arriving(self) -> Iterator[_Part]:
        """Take parts from the line into the group, up to its bounds."""
        until = time.monotonic() + LONGEST_S
        while self._waiting:
            part = self._waiting[0]
            if self._group and (part.alone or len(self._group) == LARGEST or time.monotonic() > until):
                return
            if not part.over:
                self._group.append(part)
            self._waiting.popleft()
            if not part.over:
                yield part
            if part.alone:
                return

    def _let_go(self) -> None:
        """End the parts whose transaction was, and line the others up again for one of their own each."""
        over = self._committing and not self._connection.in_transaction
        over = over or (len(self._group) == 1 and self._group[0].error is not None)
        while self._group:
            part = self._group[-1]
            if over:
                part.end()
            else:
                part.alone = True
                self._waiting.appendleft(part)
            self._group.pop()
