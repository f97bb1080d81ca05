"""Arithmetic of a calendar that never closes, in UTC; a day closes at its midnight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from svcflow.worktime.arithmetic import refuse_count, refuse_negative
from svcflow.worktime.instants import DAY, EPOCH_ORDINAL, MINUTE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AroundTheClock"]


class AroundTheClock:
    """Arithmetic of a calendar whose working time is elapsed time."""

    __slots__ = ()

    def add_us(self, start_us: int, amount_us: int) -> int:
        """Return the instant `amount_us` later."""
        if amount_us < 0:
            refuse_negative(amount_us)
        return start_us + amount_us

    def subtract_us(self, end_us: int, amount_us: int) -> int:
        """Return the instant `amount_us` earlier."""
        if amount_us < 0:
            refuse_negative(amount_us)
        return end_us - amount_us

    def between_us(self, start_us: int, end_us: int) -> int:
        """Return the elapsed time."""
        return end_us - start_us

    def each_between_us(self, runs: Sequence[tuple[int, int]]) -> list[int]:
        """Return the elapsed time of each interval."""
        return [end_us - start_us for start_us, end_us in runs]

    def is_open_us(self, at_us: int) -> bool:  # noqa: ARG002  # a parameter of the protocol
        """Return True: it is always open."""
        return True

    def day_of_us(self, at_us: int) -> int:
        """Return the date in UTC."""
        return at_us // DAY + EPOCH_ORDINAL

    def date_us(self, at_us: int) -> int:
        """Return the date in UTC."""
        return at_us // DAY + EPOCH_ORDINAL

    def clock_us(self, day: int, minute: int) -> int:
        """Return the instant of a time of day in UTC."""
        return (day - EPOCH_ORDINAL) * DAY + minute * MINUTE

    def rolled_us(self, day: int) -> int:
        """Return the midnight that ends a day."""
        return (day + 1 - EPOCH_ORDINAL) * DAY

    def nth_day(self, day: int, n: int) -> int:
        """Return the n-th day after a day."""
        return day + n

    def nth_closing_us(self, start_us: int, n: int) -> int:
        """Return the midnight that ends the n-th day after the day of `start_us`."""
        return (start_us // DAY + n + 1) * DAY

    def closings_between_us(self, start_us: int, end_us: int, after_day_of_us: int) -> int:
        """Count the midnights in [start_us, end_us) that end days later than the day of `after_day_of_us`."""
        return max(0, -(-end_us // DAY) - self._first_closing(start_us, after_day_of_us))

    def nth_closing_from_us(self, from_us: int, n: int, after_day_of_us: int) -> int:
        """Return the n-th midnight at or after `from_us` that ends a later day than that of `after_day_of_us`."""
        refuse_count(n)
        return (self._first_closing(from_us, after_day_of_us) + n - 1) * DAY

    def hours_us(self, day: int) -> tuple[tuple[int, int], ...]:
        """Return the whole day."""
        midnight = (day - EPOCH_ORDINAL) * DAY
        return ((midnight, midnight + DAY),)

    def add_many(self, starts: NDArray[np.int64], amounts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add to many instants at once."""
        if amounts.size:
            refuse_negative(int(amounts.min()))
        return starts + amounts

    def _first_closing(self, from_us: int, after_day_of_us: int) -> int:
        """Count in days since the epoch: midnight k ends day k - 1."""
        return max(-(-from_us // DAY), after_day_of_us // DAY + 2)
