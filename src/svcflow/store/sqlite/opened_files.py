"""The files of a store on SQLite, as they were opened: whether they still are those that others find."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_Identity = tuple[int, ...]

_SECOND_NS = 1_000_000_000
_FINE_NS, _COARSE_NS = _SECOND_NS // 10, 3 * _SECOND_NS
"""Longer than the ticks of file systems: 10 ms where an instant has a fraction of a second, else up to two seconds."""


class OpenedFiles:
    """Remember which files a database, its log and its index were when they were opened.

    The log and its index stay the same files as long as the writer is open, whatever other processes do.
    """

    def __init__(self, file: Path) -> None:
        self._known = {name: _identity(name) for name in (f"{file}{end}" for end in ("", "-wal", "-shm"))}
        self._folder = str(file.parent)
        self._unchanged: _Identity | None = None

    def lost(self) -> str | None:
        """Return the first file that was deleted or replaced; None while all are there.

        This is asked at every commit, so one look at the folder does for three at the files: what is deleted,
        replaced or renamed in it changes its status, and nobody can set that back. A status from just now is not
        relied upon, because another change may fall into the same tick of the file system's clock.
        """
        folder = _status(self._folder)
        if folder is not None and folder == self._unchanged:
            return None
        for file, known in self._known.items():
            if _identity(file) != known:
                return file
        if folder is not None and _is_settled(folder[-1]):
            self._unchanged = folder
        return None


def _is_settled(changed_ns: int) -> bool:
    tick_ns = _FINE_NS if changed_ns % _SECOND_NS else _COARSE_NS
    return changed_ns < time.time_ns() - tick_ns


def _identity(file: str) -> _Identity | None:
    try:
        found = os.stat(file)  # noqa: PTH116  # half the price, at every commit
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _status(folder: str) -> _Identity | None:
    """Return which folder it is, and when its status changed; Windows does not tell."""
    if sys.platform == "win32":
        return None
    try:
        found = os.stat(folder)  # noqa: PTH116  # see above
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns
