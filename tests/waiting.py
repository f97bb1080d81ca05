"""Waiting for what happens elsewhere, in a thread, a process or a server: for the event, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from svcflow.runtime.ticker import Ticker

PATIENCE_S = 300.0
"""After so long a process or a lock hangs. No test that passes comes near it, however busy the machine is."""

_WOKEN_S = 45.0
"""After so long nobody was woken: a ticker wakes by itself after 60 s, which is not to be taken for it."""


def until(told: Callable[[], object], what: str = "it happens") -> None:
    """Wait until something is told; fail with `what` was waited for when it never is."""
    end = time.monotonic() + _WOKEN_S
    while not told():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.005)


def until_asleep(ticker: Ticker) -> None:
    """Wait until the thread of a ticker sleeps: from here on only a notice or its instant wakes it."""
    until(lambda: ticker._changed._waiters, "the ticker sleeps")  # type: ignore[attr-defined]  # of the standard library
