"""A turnstile between processes: whoever had the file lines up again behind those that wait for it.

It is for fairness alone. SQLite's own lock protects the file, but who gets it next is chance: one process of
several may wait for seconds. The locks are on two bytes of a file beside it; the system drops those of a
process that dies. Where that file cannot be made or locked, everybody goes through.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_GATE, _TURN = 0, 1
_BOTH = frozenset((_GATE, _TURN))
LONGEST_S = 30.0
"""How long to wait in the line, at most."""

_PAUSES = {_GATE: 0.001, _TURN: 0.0001}
"""How long to sleep between two looks, in seconds: many look at the gate, one alone at the turn."""

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, place: int) -> None:
        os.lseek(file, place, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _lock_both(_: int) -> None:
        raise OSError("what was locked in one piece cannot be unlocked in two")

    def _unlock(file: int, place: int) -> None:
        os.lseek(file, place, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: int, place: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)

    def _lock_both(file: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 2, _GATE)

    def _unlock(file: int, place: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, place)


class FileLock:
    """Let one process at a time through, in a line; one thread of each process may stand in it."""

    def __init__(self, path: Path) -> None:
        self._held: set[int] = set()
        try:
            self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            self._file = None  # a medium that is not writable: the database says so itself

    @property
    def has_turn(self) -> bool:
        """Whether no other process can be in its turn now, once it was entered."""
        return _TURN in self._held

    def enter(self) -> None:
        """Wait for the turn, but not for good: a process that stands still need not stop the others."""
        if not self._take_both():
            until = time.monotonic() + LONGEST_S
            if self._take(_GATE, until):
                self._take(_TURN, until)
        self._give(_GATE)

    def leave(self) -> None:
        """Let the next one through. It can be done twice: whoever was interrupted may not know what they hold."""
        self._give(_TURN)
        self._give(_GATE)

    def close(self) -> None:
        """Give back the file."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _take_both(self) -> bool:
        """Take gate and turn at once, which is all there is to it while nobody else comes."""
        if self._file is None:
            return False
        self._held |= _BOTH
        try:
            _lock_both(self._file)
        except OSError:
            self._held -= _BOTH
            return False
        return True

    def _take(self, place: int, until: float) -> bool:
        if self._file is None:
            return False
        self._held.add(place)  # by now, lest an interrupt right after it leave it locked
        while True:
            try:
                _lock(self._file, place)
            except OSError:
                if time.monotonic() > until:
                    self._held.discard(place)
                    return False
                time.sleep(_PAUSES[place])
            else:
                return True

    def _give(self, place: int) -> None:
        if place in self._held and self._file is not None:
            try:  # noqa: SIM105  # on the hottest way
                _unlock(self._file, place)
            except OSError:  # Windows says when it was not locked after all
                pass
            self._held.discard(place)
