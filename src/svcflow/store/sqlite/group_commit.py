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
from contextlib import contextmanager
from copy import copy
from queue import Empty, SimpleQueue
from threading import RLock, get_ident
from typing import Protocol, TypeVar, TypeVarTuple, cast

LARGEST = 256
"""How many parts one commit holds, at most."""

LONGEST_S = 0.02
"""How long a group takes in parts: other processes wait meanwhile."""

_PATIENCE_S = 0.05
"""After that long a thread looks whether whoever was to run its part has been interrupted."""

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class ProcessLock(Protocol):
    """Keep other processes out from `enter` to `leave`."""

    def enter(self) -> None: ...
    def leave(self) -> None: ...


class PendingWrites(Protocol):
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


class _Request:
    """What one thread wants done, and what came of it; `alone` says that it wants a transaction of its own."""

    __slots__ = ("act", "alone", "arguments", "error", "over", "result", "signal")

    def __init__(self, act: Callable[..., object], arguments: tuple[object, ...] = ()) -> None:
        self.act = act
        self.arguments = arguments
        self.alone = False
        self.over = False
        self.error: Exception | None = None
        self.result: object = None
        self.signal: SimpleQueue[None] = SimpleQueue()

    def run(self) -> None:
        self.error = None
        try:
            self.result = self.act(*self.arguments)
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


class GroupCommit:
    """Let threads share transactions on one connection, which nobody else begins or ends.

    A thread can be interrupted between any two calls. What it had in hand is put in order on its way out, or
    by whoever has the turn next.
    """

    def __init__(self, cursor: sqlite3.Cursor, gate: ProcessLock, notes: PendingWrites) -> None:
        self._connection = cursor.connection
        self._cursor = cursor
        self._gate = gate
        self._notes = notes
        self._turn = RLock()  # only the thread that has it can give it back
        self._leader = 0
        self._waiting: deque[_Request] = deque()
        self._group: list[_Request] = []
        self._in_order = True
        self._whole = False
        self._final = False
        self._closed = False

    def run(self, act: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Do something in a transaction, in this thread or in another; it is durable when this returns.

        An error undoes this part alone. When an error undoes the whole transaction each part of the group
        is run again in one of its own. An interrupted caller does not know whether its part was kept.

        Raises: what `act` raises; sqlite3.Error when its transaction cannot begin, or be committed.
        """
        self._refuse_inside()
        part = _Request(act, arguments)
        try:
            self._waiting.append(part)
            while not part.over:
                if not self._has_led(part):
                    part.wait()
        except BaseException:
            part.over = True  # for whoever meets it in the line
            self._has_led(part)  # puts in order what was interrupted
            raise
        if part.error is not None:
            try:
                raise part.error
            finally:
                part.error = None  # or it would hold this frame, which holds the part
        return cast("T", part.result)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep everybody else out, threads and processes, for what another connection does."""
        self._refuse_inside()
        with self._turn:
            try:
                self._leader = get_ident()
                self._tidy()
                self._gate.enter()
                yield
            finally:
                self._leader = 0
                self._gate.leave()
        self._call_next()

    def close(self, end: Callable[[], None]) -> None:
        """End the connection when nobody is at it; whoever still waits is told."""
        self._refuse_inside()
        with self._turn:
            self._closed = True
            end()
        self._call_next()

    def _refuse_inside(self) -> None:
        if self._leader == get_ident():
            raise RuntimeError("a store was asked to change something from inside another change")

    def _has_led(self, part: _Request) -> bool:
        """Run a part, with what others hand in, unless another thread is at it and will."""
        own = get_ident()
        taken: bool | None = None  # not known while it can be interrupted
        try:
            taken = self._turn.acquire(blocking=False)
            if taken:
                self._leader = own
                self._tidy()
                if not part.over:
                    self._lead()
        finally:
            if taken is not False:
                if self._leader == own:
                    self._leader = 0
                try:  # noqa: SIM105  # one call more, and the turn could be kept for good by an interrupt
                    self._turn.release()
                except RuntimeError:  # it was interrupted before it had the turn
                    pass
                self._call_next()
        return taken

    def _call_next(self) -> None:
        """Wake whoever has waited longest: it may be that nobody is at it now."""
        if self._waiting:
            try:  # noqa: SIM105  # on the hottest way
                self._waiting[0].signal.put(None)
            except IndexError:  # it has been taken by now
                pass

    def _lead(self) -> None:
        """Make one transaction. Raises: sqlite3.Error when the connection is closed."""
        if self._closed:
            raise sqlite3.ProgrammingError("the store is closed")
        waiting = len(self._waiting)
        self._in_order = self._whole = self._final = False
        try:
            self._gate.enter()
            self._cursor.execute("BEGIN IMMEDIATE")
            self._notes.begin()
        except Exception as error:  # noqa: BLE001  # told to whom it kept waiting
            self._refuse(waiting, error)
        else:
            self._transact()
        finally:
            self._tidy()

    def _refuse(self, waiting: int, error: Exception) -> None:
        """Tell those who waited for it that a transaction cannot begin: they need not wait for it one by one."""
        self._connection.rollback()
        self._final = True
        for _ in range(waiting):
            part = self._waiting[0]
            part.error = copy(error)
            self._group.append(part)
            self._waiting.popleft()

    def _transact(self) -> None:
        """Run a group of parts in the transaction; one in which nothing was written leaves no trace."""
        connection, notes = self._connection, self._notes
        began = connection.total_changes
        try:
            for part in self._arriving():
                before = notes.taken, connection.total_changes
                part.run()
                written = before != (notes.taken, connection.total_changes)
                if part.error is not None and (written or not connection.in_transaction):
                    return  # what came before the error cannot be told from what is to be undone
            notes.write()
            self._final = True
            self._cursor.execute("ROLLBACK" if connection.total_changes == began else "COMMIT")
            self._whole = True
        except Exception as error:  # noqa: BLE001  # theirs to whom it is told when the group is let go
            for part in self._group:
                part.error = part.error or copy(error)

    def _tidy(self) -> None:
        """Undo a transaction that was not ended as a whole, and let its group go. It can be done twice."""
        if self._in_order:
            return
        if not self._whole:
            self._final = self._final and not self._connection.in_transaction
            self._notes.forget()
            self._connection.rollback()
        self._gate.leave()
        self._let_go()
        self._in_order = True

    def _let_go(self) -> None:
        """End the parts whose transaction was, and line the others up again for one of their own each."""
        over = self._final or (len(self._group) == 1 and self._group[0].error is not None)
        while self._group:
            part = self._group[-1]
            if over:
                part.end()
            elif not part.over:
                part.alone = True
                self._waiting.appendleft(part)
            self._group.pop()

    def _arriving(self) -> Iterator[_Request]:
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
