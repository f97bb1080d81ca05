"""Occurrences of a regular start: the declared days, those to which closed days move them, and their instants.

Nothing is projected past the coverage of the calendar: what lies there is not known until a year is published.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from svcflow.bounds import FIRST_DAY, LAST_DAY
from svcflow.errors import CalendarCoverageError
from svcflow.model.regular_start import MONTHS_A_YEAR, RegularStart
from svcflow.worktime.calendar import WorkCalendar

_WINDOWS = (40, 400, 4_000, 40_000)
"""Days in which the next occurrence is looked for, the likely ones first."""
_MONDAY = 1
"""Ordinal 1 was a Monday."""


class Occurrence(NamedTuple):
    """Occurrence of a regular start: its declared local date and time, and the instant at which it is due.

    The name stays when a correction of the calendar moves the instant.
    """

    name: str
    due_us: int


class Occurrences:
    """Occurrences of one regular start on its calendar. Those that closed days move to one day are one: the last."""

    def __init__(self, start: RegularStart, calendar: WorkCalendar) -> None:
        self.start = start
        self.calendar = calendar
        covers = calendar.covers
        self._first = FIRST_DAY.toordinal() if covers is None else covers.first.toordinal()
        self._last = LAST_DAY.toordinal() if covers is None else covers.last.toordinal()
        if start.from_ is not None:
            self._first = max(self._first, start.from_.toordinal())

    def between(self, after_us: int, until_us: int) -> list[Occurrence]:
        """Return the occurrences due from `after_us` up to `until_us`, both included, as far as they are known."""
        due: list[Occurrence] = []
        for day in self._days(*self._window(after_us, until_us)):
            try:
                due_us = self._due_us(day)
            except CalendarCoverageError:  # it is moved past the coverage, and so is whatever comes after it
                break
            if due_us is None or not after_us <= due_us <= until_us:
                continue
            if due and due[-1].due_us == due_us:
                due.pop()
            due.append(Occurrence(self._name(day), due_us))
        return due

    def next_from(self, after_us: int) -> Occurrence | None:
        """Return the first occurrence due at `after_us` or later; None where none is known."""
        day_us = 86_400_000_000
        for days in _WINDOWS:
            found = self.between(after_us, after_us + days * day_us)
            if found:
                return found[0]
        return None

    def due_us(self, name: str) -> int | None:
        """Return when the occurrence of a name is due; None where the calendar does not know it or skips it."""
        try:
            return self._due_us(date.fromisoformat(name[:10]).toordinal())
        except CalendarCoverageError:
            return None

    def declared_us(self, name: str) -> int:
        """Return the instant of the declared date and time of a name, whatever the calendar says of that day."""
        hour, minute = int(name[11:13]), int(name[14:16])
        return self.calendar.clock_us(date.fromisoformat(name[:10]), hour * 60 + minute)

    def unknown_from(self, until_us: int) -> date | None:
        """Return the first day up to an instant of which the calendar does not speak; None when there is none."""
        covers = self.calendar.covers
        if covers is None or self.calendar.date_us(until_us) <= covers.last:
            return None
        return covers.last + timedelta(days=1)

    def _window(self, after_us: int, until_us: int) -> tuple[int, int]:
        """Return the first and the last declared day whose occurrence may be due between two instants."""
        first, last = (self.calendar.date_us(at_us).toordinal() for at_us in (after_us, until_us))
        if self.start.every.family != "working_days":
            if self.start.closed_day == "next":  # from the day after the working day before
                first = self._nth_day(first, -1, otherwise=self._first - 1) + 1
            elif self.start.closed_day == "previous":  # up to the day before the next working day
                last = self._nth_day(last, 1, otherwise=self._last + 1) - 1
        return max(first, self._first), min(last, self._last)

    def _nth_day(self, day: int, n: int, *, otherwise: int) -> int:
        try:
            return self.calendar.arithmetic.nth_day(day, n)
        except CalendarCoverageError:
            return otherwise

    def _days(self, first: int, last: int) -> Iterator[int]:
        """Yield the declared days of a window, rising."""
        family = self.start.every.family
        if first > last:
            return iter(())
        if family == "months":
            return self._months(first, last)
        return self._working_days(first, last) if family == "working_days" else self._every_few(first, last)

    def _every_few(self, first: int, last: int) -> Iterator[int]:
        step = self.start.every.count
        if self.start.from_ is not None:
            base = self.start.from_.toordinal()
        else:
            base = _MONDAY + (self.start.weekday or 0)
        yield from range(first + (base - first) % step, last + 1, step)

    def _months(self, first: int, last: int) -> Iterator[int]:
        step, begin = self.start.every.count, date.fromordinal(first)
        base = 0 if self.start.from_ is None else _month_number(self.start.from_)
        month = _month_number(begin)
        month += (base - month) % step
        while (day := _day_of_month(month, self.start.day_of_month)) <= last:
            if day >= first:
                yield day
            month += step

    def _working_days(self, first: int, last: int) -> Iterator[int]:
        nth_day, step = self.calendar.arithmetic.nth_day, self.start.every.count
        try:
            if self.start.from_ is None or step == 1:
                day = nth_day(first, 0)
            else:
                day = self._counted(nth_day(self.start.from_.toordinal(), 0), first)
            while day <= last:
                yield day
                day = nth_day(day, step)
        except CalendarCoverageError:
            return

    def _counted(self, base: int, first: int) -> int:
        """Return the first of every so many working days after `base` that is not before `first`."""
        nth_day, step = self.calendar.arithmetic.nth_day, self.start.every.count
        low, high = 0, max(0, first - base) // step + 1  # no more working days than days
        while low < high:
            middle = (low + high) // 2
            if self._nth_day(base, middle * step, otherwise=self._last + 1) >= first:
                high = middle
            else:
                low = middle + 1
        return nth_day(base, low * step)

    def _due_us(self, day: int) -> int | None:
        """Return when the occurrence of a declared day is due; None where it falls away."""
        hours, closed_day = self.calendar.arithmetic, self.start.closed_day
        moved = day
        if not hours.hours_us(day):
            if closed_day == "skip":
                return None
            moved = hours.nth_day(day, 0 if closed_day == "next" else -1)
        return self.calendar.clock_us(date.fromordinal(moved), self.start.at.minute)

    def _name(self, day: int) -> str:
        return f"{date.fromordinal(day).isoformat()}T{self.start.at}"


def _month_number(day: date) -> int:
    return day.year * MONTHS_A_YEAR + day.month - 1


def _day_of_month(number: int, day: int) -> int:
    """Return the ordinal of a day of a month, or of its last day where it is shorter."""
    year, month = divmod(number, MONTHS_A_YEAR)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1])).toordinal()
