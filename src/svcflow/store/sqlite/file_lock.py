"""Fair lock between processes: a process that had the file queues again behind those that wait for it.

It is for fairness alone. SQLite's own lock protects the file, but which process gets that next is chance: one of several
may wait for seconds. The lock is on two bytes of a file beside the database: whoever is next holds the first byte and waits
for the second. The system drops the locks of a process that dies. Where the file cannot be made or locked, nobody waits.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_NEXT, _LOCK = 0, 1
"""The bytes of the file: of whoever is next, and of whoever has the lock."""

_BOTH = frozenset((_NEXT, _LOCK))
TIMEOUT_S = 30.0
"""How long to wait for the lock, at most."""

_PAUSES_S = {_NEXT: 0.001, _LOCK: 0.0001}
"""How long to sleep between two attempts: many processes try the first byte, one alone the second."""

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, byte: int) -> None:
        os.lseek(file, byte, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _lock_both(_: int) -> None:
        raise OSError("what was locked in one piece cannot be unlocked in two")

    def _unlock(file: int, byte: int) -> None:
        os.lseek(file, byte, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: int, byte: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)

    def _lock_both(file: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 2, _NEXT)

    def _unlock(file: int, byte: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, byte)


class FileLock:
    """First-come-first-served lock between processes; one thread of each process may use it at a time."""

    def __init__(self, path: Path) -> None:
        self._held: set[int] = set()
        # POSIX drops all locks of a process on a file as soon as it closes any descriptor of it: nobody else may open it
        try:
            self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            self._file = None  # a folder that is not writable: SQLite reports that itself

    @property
    def locked(self) -> bool:
        """Whether this process holds the lock."""
        return _LOCK in self._held

    def acquire(self) -> None:
        """Wait for the lock, and go on without it after `TIMEOUT_S`: a process that hangs need not stop the others."""
        if not self._take_both():
            until = time.monotonic() + TIMEOUT_S
            if self._take(_NEXT, until):
                self._take(_LOCK, until)
        self._give(_NEXT)  # now another process may be next

    def release(self) -> None:
        """Give the lock back. Calling it twice does no harm: an interrupted thread may not know what it holds."""
        self._give(_LOCK)
        self._give(_NEXT)

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _take_both(self) -> bool:
        """Lock both bytes in one call, which is all that is needed while no other process comes."""
        if self._file is None:
            return False
        self._held |= _BOTH  # before the call: after an interrupt between the two they have to be given back
        try:
            _lock_both(self._file)
        except OSError:
            self._held -= _BOTH
            return False
        return True

    def _take(self, byte: int, until: float) -> bool:
        if self._file is None:
            return False
        self._held.add(byte)  # before the call: see `_take_both`
        while True:
            try:
                _lock(self._file, byte)
            except OSError:
                if time.monotonic() > until:
                    self._held.discard(byte)
                    return False
                time.sleep(_PAUSES_S[byte])
            else:
                return True

    def _give(self, byte: int) -> None:
        if byte in self._held and self._file is not None:
            try:  # noqa: SIM105  # on the hottest way
                _unlock(self._file, byte)
            except OSError:  # Windows raises when it was not locked after all
                pass
            self._held.discard(byte)
