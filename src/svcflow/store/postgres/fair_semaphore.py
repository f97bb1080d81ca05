"""Semaphore for threads that serves them in the order in which they came.

A pool gives a free connection to whoever asks first, and a thread that has just given one back asks before one
that has yet to be woken: without a queue, one of many threads waits until all others rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident


class SemaphoreTimeout(Exception):
    """No slot became free within `timeout_s` seconds."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout_s)
        self.timeout_s = timeout_s


class FairSemaphore:
    """First-come-first-served semaphore with `slots` slots. A thread that holds one may enter again."""

    def __init__(self, slots: int, timeout_s: float) -> None:
        self._slots = slots
        self._timeout_s = timeout_s
        self._lock = Lock()
        self._holders: set[int] = set()
        self._waiting: dict[int, Lock] = {}

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Occupy a slot inside the block. Raises: SemaphoreTimeout."""
        thread = get_ident()
        if thread in self._holders:
            yield
            return
        try:
            self._acquire(thread)
            yield
        finally:
            self._release(thread)

    def _acquire(self, thread: int) -> None:
        with self._lock:
            if len(self._holders) < self._slots:
                self._holders.add(thread)
                return
            turn = self._waiting[thread] = Lock()
            turn.acquire()
        # outside of `_lock`, which whoever gives a slot back needs
        if not turn.acquire(timeout=self._timeout_s):
            raise SemaphoreTimeout(self._timeout_s)

    def _release(self, thread: int) -> None:
        """Give back a slot, or leave the queue: an interrupted thread does not know which of the two it is in."""
        with self._lock:
            self._waiting.pop(thread, None)
            self._holders.discard(thread)
            while self._waiting and len(self._holders) < self._slots:
                first = next(iter(self._waiting))
                # it holds the slot before it runs, so that no thread that comes meanwhile takes it
                self._holders.add(first)
                self._waiting.pop(first).release()
