"""Group commit: threads that write to one database at the same time share one commit.

A thread that finds no leader becomes the leader: in one transaction it runs its own request and those that other
threads hand in meanwhile, commits, and wakes them. No request is done before its commit is durable. There is no
background thread and no pause: a thread that is alone commits at once. One thread runs all requests of a group, because
to switch threads between statements costs more than the statements do.
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

MAX_GROUP = 256
"""How many requests one commit holds, at most."""

MAX_GROUP_S = 0.02
"""How long a group takes requests in: other processes wait meanwhile."""

_POLL_S = 0.05
"""How long a thread waits before it looks whether the leader that was to run its request has been interrupted."""

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class ProcessLock(Protocol):
    """Lock that keeps other processes out. `release` may be called twice, and by a thread that did not get it."""

    def acquire(self) -> None: ...
    def release(self) -> None: ...


class PendingWrites(Protocol):
    """Rows that requests leave to be written at the end of their transaction; `added` counts all that ever were."""

    added: int

    def begin(self) -> None:
        """Prepare for a transaction that has begun."""
        ...

    def flush(self) -> None:
        """Write what is pending: the commit comes next."""
        ...

    def discard(self) -> None:
        """Drop what is pending, and what was cached: the transaction was rolled back."""
        ...


class _Request:
    """Call that one thread wants made in a transaction, and its outcome; `alone` asks for a transaction of its own."""

    __slots__ = ("alone", "arguments", "done", "error", "function", "result", "signal")

    def __init__(self, function: Callable[..., object], arguments: tuple[object, ...] = ()) -> None:
        self.function = function
        self.arguments = arguments
        self.alone = False
        self.done = False
        self.error: Exception | None = None
        self.result: object = None
        self.signal: SimpleQueue[None] = SimpleQueue()

    def run(self) -> None:
        self.error = None
        try:
            self.result = self.function(*self.arguments)
        except Exception as error:  # noqa: BLE001  # raised in the thread whose request it is
            self.error = error

    def finish(self) -> None:
        self.done = True
        self.signal.put(None)

    def wait(self) -> None:
        try:
            self.signal.get(timeout=_POLL_S)
        except Empty:
            return


class GroupCommit:
    """Transactions that threads share on one connection, which nobody else begins or ends.

    Locks are taken in one order: the leader's lock, the lock between processes, the database's.

    A thread can be interrupted (Ctrl-C) between any two calls. `_clean_up` undoes what it left half done, on its way out
    or when the next leader begins; the statements below stand in the order that makes this possible.
    """

    def __init__(self, cursor: sqlite3.Cursor, process_lock: ProcessLock, pending: PendingWrites) -> None:
        self._connection = cursor.connection
        self._cursor = cursor
        self._process_lock = process_lock
        self._pending = pending
        self._leader_lock = RLock()  # of an RLock only the thread that has it can give it back
        self._leader = 0  # the thread that has the lock, or 0
        self._queue: deque[_Request] = deque()
        self._group: list[_Request] = []
        self._is_clean = True  # no transaction was left half done
        self._is_ended = False  # the transaction was committed, or rolled back because nothing was written
        self._is_final = False  # no request of the group is to be run again
        self._closed = False

    def run(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Call a function in a transaction, in this thread or in the leader's; its writes are durable on return.

        An error undoes the writes of this call alone. When it undoes the whole transaction, each call of the group is
        made again in a transaction of its own. An interrupted caller does not know whether its writes were kept.

        Raises: what the function raises; sqlite3.Error when its transaction cannot begin, or be committed;
        RuntimeError inside another call.
        """
        self._refuse_nested()
        request = _Request(function, arguments)
        try:
            self._queue.append(request)
            while not request.done:
                if not self._has_led(request):
                    request.wait()
        except BaseException:
            request.done = True  # whoever meets it in the queue passes it over
            self._has_led(request)  # cleans up what was interrupted
            raise
        if request.error is not None:
            try:
                raise request.error
            finally:
                request.error = None  # or it would hold this frame, which holds the request
        return cast("T", request.result)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep all other threads and processes out inside the block, for what another connection writes."""
        self._refuse_nested()
        with self._leader_lock:
            try:
                self._leader = get_ident()
                self._clean_up()
                self._process_lock.acquire()
                yield
            finally:
                self._leader = 0
                self._process_lock.release()
        self._wake_next()

    def close(self, end: Callable[[], None]) -> None:
        """Close the connection by `end` when no transaction is open. What is still queued raises sqlite3.ProgrammingError."""
        self._refuse_nested()
        with self._leader_lock:
            self._closed = True
            end()
        self._wake_next()

    def _refuse_nested(self) -> None:
        if self._leader == get_ident():  # it would wait for itself
            raise RuntimeError("a store was asked to change something from inside another change")

    def _has_led(self, request: _Request) -> bool:
        """Return whether this thread was the leader, and has run its request if it was still to be run."""
        thread = get_ident()
        locked: bool | None = None  # not known when an interrupt comes before the assignment
        try:
            locked = self._leader_lock.acquire(blocking=False)
            if locked:
                self._leader = thread
                self._clean_up()
                if not request.done:
                    self._run_group()
        finally:
            if locked is not False:
                if self._leader == thread:
                    self._leader = 0
                try:  # noqa: SIM105  # one call more, and an interrupt could keep the lock for good
                    self._leader_lock.release()
                except RuntimeError:  # the interrupt came before it had the lock
                    pass
                self._wake_next()
        return locked

    def _wake_next(self) -> None:
        """Wake the thread that has waited longest, which becomes the leader if there is none."""
        if self._queue:
            try:  # noqa: SIM105  # on the hottest way
                self._queue[0].signal.put(None)
            except IndexError:  # a leader has taken it meanwhile
                pass

    def _run_group(self) -> None:
        """Make one transaction for what is queued. Raises: sqlite3.Error when the connection is closed."""
        if self._closed:
            raise sqlite3.ProgrammingError("the store is closed")
        waiting = len(self._queue)
        self._is_clean = self._is_ended = self._is_final = False
        try:
            self._process_lock.acquire()
            # IMMEDIATE takes the write lock now. A plain BEGIN would take it at the first write, and when another
            # process has written since the first read, that fails at once, however long the busy timeout is.
            self._cursor.execute("BEGIN IMMEDIATE")
            self._pending.begin()  # behind the lock: only now can no other process change what is cached
        except Exception as error:  # noqa: BLE001  # raised in the threads that it kept waiting
            self._fail_waiting(waiting, error)
        else:
            self._transact()
        finally:
            self._clean_up()

    def _fail_waiting(self, waiting: int, error: Exception) -> None:
        """Fail those who waited for a transaction that cannot begin, so that each need not wait as long again."""
        self._connection.rollback()
        self._is_final = True
        for _ in range(waiting):
            request = self._queue[0]
            request.error = copy(error)
            self._group.append(request)
            self._queue.popleft()

    def _transact(self) -> None:
        """Run a group of requests in the transaction, and end it."""
        connection, pending = self._connection, self._pending
        began = connection.total_changes
        try:
            for request in self._arriving():
                before = pending.added, connection.total_changes
                request.run()
                wrote = before != (pending.added, connection.total_changes)
                if request.error is not None and (wrote or not connection.in_transaction):
                    # without a savepoint its writes cannot be told from those before it: all are undone, and each
                    # request is run again alone
                    return
            pending.flush()
            self._is_final = True  # before COMMIT: once it is sent, nothing may be run a second time
            # a transaction that wrote nothing needs no commit, and no sync of the disk
            self._cursor.execute("ROLLBACK" if connection.total_changes == began else "COMMIT")
            self._is_ended = True
        except Exception as error:  # noqa: BLE001  # raised in their threads when the group is released
            for request in self._group:
                request.error = request.error or copy(error)

    def _clean_up(self) -> None:
        """Undo a transaction that was not ended, and release its group. Calling it twice does no harm."""
        if self._is_clean:
            return
        if not self._is_ended:
            # A COMMIT that failed with the transaction still open was not carried out: its requests can be run again.
            # With no transaction open nobody knows, and each of them gets the error.
            self._is_final = self._is_final and not self._connection.in_transaction
            self._pending.discard()
            self._connection.rollback()
        self._process_lock.release()  # after the transaction: whoever is next would find the database locked
        self._release_group()
        self._is_clean = True

    def _release_group(self) -> None:
        """Finish the requests whose transaction was ended, and queue the others again, each to be run alone."""
        is_over = self._is_final or (len(self._group) == 1 and self._group[0].error is not None)
        while self._group:
            request = self._group[-1]
            if is_over:
                request.finish()
            elif not request.done:
                request.alone = True
                self._queue.appendleft(request)
            # removed last, here and in `_arriving`: an interrupt in between leaves a request in both places, never in none
            self._group.pop()

    def _arriving(self) -> Iterator[_Request]:
        """Take requests from the queue into the group, up to its bounds."""
        until = time.monotonic() + MAX_GROUP_S
        while self._queue:
            request = self._queue[0]
            if self._group and (request.alone or len(self._group) == MAX_GROUP or time.monotonic() > until):
                return
            if not request.done:
                self._group.append(request)
            self._queue.popleft()
            if not request.done:
                yield request
            if request.alone:
                return
