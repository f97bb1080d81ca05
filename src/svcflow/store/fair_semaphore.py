"""Places for so many threads at once; whoever comes later waits in a line. It knows no connection.

A pool gives what comes back to whoever asks first, and a thread that has just given something back asks before
one that has to be woken: without a line, one of many waits until all others rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident

from svcflow.errors import StoreError
from svcflow.text import Text


class Full(Exception):
    """No place became free in `patience_s` seconds."""

    def __init__(self, patience_s: float) -> None:
        super().__init__(patience_s)
        self.patience_s = patience_s


def all_in_use(url: str, patience_s: float) -> StoreError:
    """Return the error for a connection that nobody gave back in time."""
    return StoreError(
        Text(
            zh=f"存储 {url} 的连接在 {patience_s} 秒内一直占用",
            en=f"every connection to the store {url} was in use for {patience_s} seconds",
        ),
        Text(
            zh="再试一次；看是谁锁住了其中的行，或用更少的线程",
            en="try again; see who keeps its rows locked, or use fewer threads",
        ),
    )


class Places:
    """Give places to threads, in the order in which they come. A thread that has one needs no other."""

    def __init__(self, many: int, patience_s: float) -> None:
        self._many = many
        self._patience_s = patience_s
        self._lock = Lock()
        self._inside: set[int] = set()
        self._waiting: dict[int, Lock] = {}

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have a place. Raises: Full."""
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
        if not turn.acquire(timeout=self._patience_s):
            raise Full(self._patience_s)

    def _leave(self, own: int) -> None:
        """Give up a place, or the hope of one: an interrupted thread does not know which it has."""
        with self._lock:
            self._waiting.pop(own, None)
            self._inside.discard(own)
            while self._waiting and len(self._inside) < self._many:
                first = next(iter(self._waiting))
                self._inside.add(first)
                self._waiting.pop(first).release()
