"""FairSemaphore for so many threads at once; whoever comes later waits in a line. It knows no connection.

A pool gives what comes back to whoever asks first, and a thread that has just given something back asks before
one that has to be woken: without a line, one of many waits until all others rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident


class SemaphoreTimeout(Exception):
    """No place became free in `timeout_s` seconds."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout_s)
        self.timeout_s = timeout_s


class FairSemaphore:
    """Give places to threads, in the order in which they come. A thread that has one needs no other."""

    def __init__(self, many: int, timeout_s: float) -> None:
        self._many = many
        self._timeout_s = timeout_s
        self._lock = Lock()
        self._inside: set[int] = set()
        self._waiting: dict[int, Lock] = {}

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have a place. Raises: SemaphoreTimeout."""
        own = get_ident()
        if own in self._inside:
            yield
            return
        try:
            self._enter(own)
            yield
        finally:
            self._leave(own)

    def _enter(self, own: int) -> None:
        with self._lock:
            if len(self._inside) < self._many:
                self._inside.add(own)
                return
            turn = self._waiting[own] = Lock()
            turn.acquire()
        if not turn.acquire(timeout=self._timeout_s):
            raise SemaphoreTimeout(self._timeout_s)

    def _leave(self, own: int) -> None:
        """Give up a place, or the hope of one: an interrupted thread does not know which it has."""
        with self._lock:
            self._waiting.pop(own, None)
            self._inside.discard(own)
            while self._waiting and len(self._inside) < self._many:
                first = next(iter(self._waiting))
                self._inside.add(first)
                self._waiting.pop(first).release()
