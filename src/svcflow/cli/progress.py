"""Progress on a terminal: with rich when it is installed, plain otherwise; nothing where no terminal listens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Advance", "progress"]

Advance = Callable[[int, int], None]


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """Give a function to be told how much is done of how much (0: not known)."""
    if not sys.stderr.isatty():
        yield _silent
        return
    try:
        import rich.progress  # noqa: F401  # optional; only asked whether it is there
    except ImportError:
        yield from _plain(what)
    else:
        yield from _rich(what)


def _silent(done: int, total: int) -> None:
    """Say nothing: nobody looks."""


def _plain(what: str) -> Iterator[Advance]:
    def advance(done: int, total: int) -> None:
        share = f"{done / total:4.0%}" if total else f"{done:,}"
        sys.stderr.write(f"\r{what} {share}")
        sys.stderr.flush()

    try:
        yield advance
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _rich(what: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None)

        yield advance
