"""Rules of a calendar, as plain immutable values: hours, closures and coverage by local date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import attrs

from svcflow.text import Text

__all__ = ["WEEKDAYS", "CalendarRules", "Coverage", "DayHours", "SpecialDays", "hours_on"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DayHours = tuple[tuple[int, int], ...]
"""Minutes from the local midnight of the day; an end past 1440 is on the next morning."""


@attrs.frozen
class Coverage:
    """First and last local date for which a calendar speaks."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@attrs.frozen
class SpecialDays:
    """Run of days with hours of their own: none for a holiday, some for make-up days 调休."""

    first: date
    last: date
    name: Text
    hours: DayHours = ()
    own_hours: bool = False

    def ordinals(self) -> range:
        """Return the days of the run."""
        return range(self.first.toordinal(), self.last.toordinal() + 1)


@attrs.frozen
class CalendarRules:
    """Everything that a calendar file says; two calendars are equal when their rules are."""

    id: str
    name: Text
    timezone: str
    weekly: tuple[DayHours, ...]
    covers: Coverage | None = None
    holidays: tuple[SpecialDays, ...] = ()
    makeup: tuple[SpecialDays, ...] = ()
    source: tuple[str, ...] = ()

    def specials(self) -> dict[int, DayHours]:
        """Return the hours of every day that departs from the week, by ordinal."""
        return {day: run.hours for run in (*self.holidays, *self.makeup) for day in run.ordinals()}

    def is_around_the_clock(self) -> bool:
        """Return whether every instant of every day is open."""
        whole_week = all(hours == ((0, 1440),) for hours in self.weekly)
        return whole_week and self.covers is None and not self.holidays and not self.makeup


def hours_on(day: int, weekly: Sequence[DayHours], specials: Mapping[int, DayHours]) -> DayHours:
    """Return the hours of a day: its own where it departs from the week, else those of its weekday."""
    hours = specials.get(day)
    return weekly[(day - 1) % 7] if hours is None else hours  # ordinal 1 was a Monday
