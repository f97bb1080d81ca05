"""Clocks of an engine: the system's, or a virtual one. The kernel reads none; it is given the instant."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from svcflow.bounds import refuse_length
from svcflow.kernel.facts import to_datetime
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import given_us


class Clock(Protocol):
    """Source of the present instant, in microseconds of UTC since 1970."""

    def now_us(self) -> int:
        """Return the present instant."""
        ...


class SystemClock:
    """Clock of the machine."""

    def now_us(self) -> int:
        """Return the present instant."""
        return time.time_ns() // 1_000


class VirtualClock:
    """Clock that stands still until it is moved; for tests, demonstrations and simulations.

    Pass it to `Engine(clock=…)`. It never goes backwards, nor out of the bounds of instants (1900 to 2199).

    >>> clock = VirtualClock(datetime(2026, 3, 2, 1, 0, tzinfo=UTC))
    >>> clock.advance(timedelta(hours=2)).isoformat()
    '2026-03-02T03:00:00+00:00'
    """

    def __init__(self, start: datetime = datetime(2026, 1, 5, tzinfo=UTC)) -> None:
        self._now_us = given_us("start", start)
        self._watchers: tuple[Callable[[], None], ...] = ()

    def now_us(self) -> int:
        """Return the present instant."""
        return self._now_us

    @property
    def now(self) -> datetime:
        """The present instant, in UTC."""
        return to_datetime(self._now_us)

    def advance(self, by: timedelta) -> datetime:
        """Move forward by a length of time. Raises: FieldError, a ValueError, when it is negative."""
        refuse_length("by", by)
        return self.move_to(self.now + by)

    def advance_working(self, by: timedelta, calendar: WorkCalendar) -> datetime:
        """Move forward by open time of a calendar."""
        return self.move_to(calendar.add(self.now, by))

    def move_to(self, at: datetime) -> datetime:
        """Move forward to an instant. Raises: ValueError when it lies in the past."""
        at_us = given_us("at", at)
        if at_us < self._now_us:
            raise ValueError(
                f"a virtual clock does not go back from {self.now.isoformat()} to {at.isoformat()}"
            )
        self._now_us = at_us
        for wake in self._watchers:
            wake()
        return self.now

    def watch(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each move, in the thread that moves, until `unwatch`."""
        self._watchers = (*self._watchers, wake)

    def unwatch(self, wake: Callable[[], None]) -> None:
        """Stop calling `wake`."""
        self._watchers = tuple(watcher for watcher in self._watchers if watcher != wake)
