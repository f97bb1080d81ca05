"""Rules of a calendar, as plain immutable values: hours, closures and coverage by local date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import attrs

from svcflow.text import Text

__all__ = [
    "WEEKDAYS",
    "CalendarRules",
    "Coverage",
    "DayHours",
    "Season",
    "SpecialDays",
    "Week",
    "YearDay",
    "hours_on",
]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DayHours = tuple[tuple[int, int], ...]
"""Minutes from the local midnight of the day; an end past 1440 is on the next morning."""
Week = tuple[DayHours, ...]
"""Hours of the seven days of a week, from Monday."""
YearDay = tuple[int, int]
"""Month and day of every year."""


@attrs.frozen
class Coverage:
    """First and last local date for which a calendar speaks."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@attrs.frozen
class SpecialDays:
    """Run of days with hours of their own: none for a holiday, some for make-up days 调休 and days of other hours."""

    first: date
    last: date
    name: Text
    hours: DayHours = ()
    own_hours: bool = False

    def ordinals(self) -> range:
        """Return the days of the run."""
        return range(self.first.toordinal(), self.last.toordinal() + 1)


@attrs.frozen
class Season:
    """Part of every year with a week of its own 作息; one that ends before it begins goes on over the new year."""

    first: YearDay
    last: YearDay
    weekly: Week

    def __contains__(self, day: YearDay) -> bool:
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


@attrs.frozen
class CalendarRules:
    """Everything that a calendar file says; two calendars are equal when their rules are.

    Where there are seasons, which fill the year, each of them has a week, and `weekly` is empty.
    """

    id: str
    name: Text
    timezone: str
    weekly: Week
    covers: Coverage | None = None
    holidays: tuple[SpecialDays, ...] = ()
    makeup: tuple[SpecialDays, ...] = ()
    source: tuple[str, ...] = ()
    seasons: tuple[Season, ...] = ()
    days: tuple[SpecialDays, ...] = ()

    @property
    def weeks(self) -> tuple[Week, ...]:
        """Return the week, or that of each season."""
        return tuple(season.weekly for season in self.seasons) or (self.weekly,)

    def week_on(self, day: int) -> Week:
        """Return the week that holds on a day."""
        if not self.seasons:
            return self.weekly
        when = date.fromordinal(day)
        return next(season.weekly for season in self.seasons if (when.month, when.day) in season)

    def specials(self) -> dict[int, DayHours]:
        """Return the hours of every day that departs from the week, by ordinal."""
        hours = {day: run.hours for run in (*self.holidays, *self.days) for day in run.ordinals()}
        for run in self.makeup:
            hours |= {day: run.hours if run.own_hours else self.week_on(day)[0] for day in run.ordinals()}
        return hours

    def is_around_the_clock(self) -> bool:
        """Return whether every instant of every day is open."""
        if self.covers is not None or self.holidays or self.makeup or self.days:
            return False
        return all(hours == ((0, 1440),) for week in self.weeks for hours in week)


def hours_on(day: int, rules: CalendarRules, specials: Mapping[int, DayHours]) -> DayHours:
    """Return the hours of a day: its own where it departs from the week, else those of its weekday."""
    hours = specials.get(day)
    return rules.week_on(day)[(day - 1) % 7] if hours is None else hours  # ordinal 1 was a Monday
