"""Progress on a terminal: with rich when it is installed, plain otherwise; nothing where there is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Advance", "progress"]

Advance = Callable[[int, int], None]


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """Yield a function that shows how much is done of how much (0: not known)."""
    if not sys.stderr.isatty():
        yield _silent
        return
    try:
        import rich.progress  # noqa: F401  # optional; whether it is installed is all that matters here
    except ImportError:
        yield from _plain(title)
    else:
        yield from _rich(title)


def _silent(done: int, total: int) -> None:
    """Show nothing, where there is no terminal."""


def _plain(title: str) -> Iterator[Advance]:
    def advance(done: int, total: int) -> None:
        share = f"{done / total:4.0%}" if total else f"{done:,}"
        sys.stderr.write(f"\r{title} {share}")
        sys.stderr.flush()

    try:
        yield advance
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _rich(title: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None)

        yield advance
