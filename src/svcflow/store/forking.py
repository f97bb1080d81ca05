"""Forks: how often this process was forked off since it began. It knows no store.

What was opened before a fork is the parent's alone: two processes on one connection of SQLite lose each other's
locks, and on one of a server each other's answers.
"""

from __future__ import annotations

import os
from typing import NoReturn

from svcflow.errors import StoreError
from svcflow.text import Text

_forks: list[None] = []


def forks() -> int:
    """Return how often."""
    return len(_forks)


def refuse_forked(url: str) -> NoReturn:
    """Raise StoreError: what is asked was opened in another process."""
    raise StoreError(
        Text(
            zh=f"存储 {url} 是在 fork 之前由父进程打开的",
            en=f"the store {url} was opened before this process was forked",
        ),
        Text(zh="在子进程中重新打开", en="open it anew in the child"),
    )


if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=lambda: _forks.append(None))
