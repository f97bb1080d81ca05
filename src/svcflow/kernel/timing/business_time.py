"""Business time of a calendar: exact inside its coverage, projected beyond it.

China publishes a year's arrangement late in the year before. Until then a deadline that reaches past the
coverage is computed with the ordinary week and called provisional; it is recomputed once the year is published.
Days are `date.toordinal()`, instants are microseconds of UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from math import inf

from svcflow.errors import CalendarCoverageError
from svcflow.worktime.calendar import WorkCalendar

_HORIZON = timedelta(days=3_660)


class BusinessTime:
    """Arithmetic of a calendar that goes on past its coverage as if the ordinary week went on.

    Inside the coverage the projected calendar gives the same answers, so that what lies across the end of the coverage
    is computed by it as a whole.
    """

    def __init__(self, calendar: WorkCalendar) -> None:
        self.calendar = calendar
        self._hours = calendar.arithmetic
        # Without a declared coverage a calendar never ends.
        last = None if calendar.covers is None else calendar.covers.last
        self._past_us = inf if last is None else self.clock_us(last.toordinal() + 1, 0)

    @cached_property
    def projected(self) -> WorkCalendar:
        """Calendar whose ordinary week goes on for ten years past its coverage."""
        return self.calendar.extended(_HORIZON)

    def provisional(self, at_us: int) -> bool:
        """Return whether an instant lies past what the calendar covers."""
        return at_us >= self._past_us

    def add_us(self, start_us: int, amount_us: int) -> int:
        """Return the earliest instant by which `amount_us` of open time has passed."""
        # Tried, not asked beforehand: where the result lies is known only when it is computed, and it rarely fails.
        try:
            return self._hours.add_us(start_us, amount_us)
        except CalendarCoverageError:
            return self.projected.add_us(start_us, amount_us)

    def subtract_us(self, end_us: int, amount_us: int) -> int:
        """Return the latest instant from which `amount_us` of open time remains."""
        try:
            return self._hours.subtract_us(end_us, amount_us)
        except CalendarCoverageError:
            return self.projected.subtract_us(end_us, amount_us)

    def last_opening_us(self, at_us: int, since_us: int) -> int:
        """Return the opening of the open time that ended last before a closed instant; `since_us` if that was before it."""
        while at_us > since_us:
            try:
                closed_us = self.subtract_us(at_us, 0) - 1
            except CalendarCoverageError:  # nothing is known of hours before
                return since_us
            at_us = next(
                opens
                for opens, closes in self.hours_us(self.day_of(closed_us))
                if opens <= closed_us < closes
            )
            if (
                self.subtract_us(at_us - 1, 0) < at_us - 1
            ):  # no open time touches it, as that before midnight may
                return max(at_us, since_us)
        return since_us

    def hours_us(self, day: int) -> tuple[tuple[int, int], ...]:
        """Return the open intervals that belong to a day."""
        try:
            return self._hours.hours_us(day)
        except CalendarCoverageError:
            return self.projected.arithmetic.hours_us(day)

    def between_us(self, start_us: int, end_us: int) -> int:
        """Return the open time between two instants."""
        try:
            return self._hours.between_us(start_us, end_us)
        except CalendarCoverageError:
            return self.projected.between_us(start_us, end_us)

    def each_between_us(self, runs: Sequence[tuple[int, int]]) -> list[int]:
        """Return the open time of each of some intervals that follow one another."""
        try:
            return self._hours.each_between_us(runs)
        except CalendarCoverageError:
            return self.projected.arithmetic.each_between_us(runs)

    def closings_between_us(self, start_us: int, end_us: int, after_day_of_us: int) -> int:
        """Return how many closings lie in [start_us, end_us), of working days after the day of `after_day_of_us`."""
        try:
            return self._hours.closings_between_us(start_us, end_us, after_day_of_us)
        except CalendarCoverageError:
            return self.projected.closings_between_us(start_us, end_us, after_day_of_us)

    def nth_closing_from_us(self, from_us: int, n: int, after_day_of_us: int) -> int:
        """Return the n-th closing at or after an instant, of working days after the day of `after_day_of_us`."""
        try:
            return self._hours.nth_closing_from_us(from_us, n, after_day_of_us)
        except CalendarCoverageError:
            return self.projected.nth_closing_from_us(from_us, n, after_day_of_us)

    def rolled_us(self, day: int) -> int:
        """Return the closing of a day, or of the next working day when it is closed."""
        try:
            return self._hours.rolled_us(day)
        except CalendarCoverageError:
            return self.projected.arithmetic.rolled_us(day)

    def nth_working_day(self, day: int, n: int) -> int:
        """Return the n-th working day after (before, when negative) a day; 0 rolls a closed day forward."""
        try:
            return self._hours.nth_day(day, n)
        except CalendarCoverageError:
            return self.projected.arithmetic.nth_day(day, n)

    def day_of(self, at_us: int) -> int:
        """Return the day an instant belongs to: that of its shift, which may have begun the day before, else its local date."""
        try:
            return self._hours.day_of_us(at_us)
        except CalendarCoverageError:
            return self.projected.arithmetic.day_of_us(at_us)

    def date_of(self, at_us: int) -> int:
        """Return the local date of an instant."""
        return self._hours.date_us(at_us)

    def clock_us(self, day: int, minute: int) -> int:
        """Return the instant of a local time of day."""
        return self._hours.clock_us(day, minute)
