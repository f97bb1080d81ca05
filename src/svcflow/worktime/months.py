"""The same date some months later. It knows no calendar: which days are open, and what is covered, others say."""

from __future__ import annotations

from calendar import monthrange
from datetime import date


def months_after(day: int, months: int) -> int:
    """Return the same date so many months later, or the last day of that month (民法典 §202).

    Days are `date.toordinal()`; past the year 9999 it is the day after the last one that there is.
    """
    start = date.fromordinal(day)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > date.max.year:
        return date.max.toordinal() + 1
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).toordinal()
