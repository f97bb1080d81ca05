"""Identity of the files of a SQLite database, to notice when one is deleted or replaced while it is open."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_Identity = tuple[int, ...]

_SECOND_NS = 1_000_000_000
_FINE_NS, _COARSE_NS = _SECOND_NS // 10, 3 * _SECOND_NS
"""Longer than the ticks of file systems: 10 ms where instants have fractions of a second, else up to two seconds."""


class OpenedFiles:
    """Identity of a database, its log and the log's index when they were opened.

    The log and its index stay the same files as long as the writer is open, whatever other processes do.
    """

    def __init__(self, file: Path) -> None:
        self._known = {name: _identity(name) for name in (f"{file}{end}" for end in ("", "-wal", "-shm"))}
        self._folder = str(file.parent)
        self._unchanged: _Identity | None = None

    def lost(self) -> str | None:
        """Return the path of the first file that was deleted or replaced; None while all are there.

        This runs at every commit, so one look at the folder stands for three at the files: deleting, replacing or
        renaming a file changes the folder's ctime, which nobody can set back.
        """
        folder = _status(self._folder)
        if folder is not None and folder == self._unchanged:
            return None
        for file, known in self._known.items():
            if _identity(file) != known:
                return file
        # not a ctime from just now: another change may fall into the same tick of the file system's clock
        if folder is not None and _is_settled(folder[-1]):
            self._unchanged = folder
        return None


def _is_settled(changed_ns: int) -> bool:
    tick_ns = _FINE_NS if changed_ns % _SECOND_NS else _COARSE_NS
    return changed_ns < time.time_ns() - tick_ns


def _identity(file: str) -> _Identity | None:
    try:
        status = os.stat(file)  # noqa: PTH116  # takes half the time of Path.stat, at every commit
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _status(folder: str) -> _Identity | None:
    """Return the identity of a folder and its ctime in nanoseconds; None on Windows, whose ctime is that of creation."""
    if sys.platform == "win32":
        return None
    try:
        status = os.stat(folder)  # noqa: PTH116  # see above
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns
