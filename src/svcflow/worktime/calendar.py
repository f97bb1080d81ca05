"""Calendar of working time 工作日历: open hours, holidays, make-up days, and arithmetic with them.

Every answer follows from what the calendar declares; none depends on the present time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import attrs

from svcflow.errors import DeclarationError, Problem, SvcflowError
from svcflow.text import Text
from svcflow.worktime.always_open import AroundTheClock
from svcflow.worktime.arithmetic import Arithmetic, not_covered, refuse_negative
from svcflow.worktime.calendar_file import as_mapping, read_calendar
from svcflow.worktime.instants import SECOND, amount_us, months_after, to_us
from svcflow.worktime.rules import CalendarRules, Coverage, Season, SpecialDays, Week, YearDay
from svcflow.worktime.working_hours import WorkingHours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ClosedDay", "WorkCalendar", "fingerprint"]


_FINGERPRINT_LENGTH = 32
"""Hexadecimal digits of a fingerprint: 128 bits."""


class ClosedDay(SvcflowError, LookupError):
    """An opening or closing was asked for of a day on which the calendar is closed."""

    code = "closed-day"


class WorkCalendar:
    """Calendar of working time. Immutable; equal and hashed by what it declares; safe to share between threads.

    Datetimes go in aware, of any zone, and come out in the calendar's own. Intervals are half-open. Methods
    whose names end `_us` take and give integer microseconds of UTC and cost about a microsecond.

    >>> office = WorkCalendar.from_mapping(
    ...     {"calendar": "office", "timezone": "Asia/Shanghai", "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]}}
    ... )
    >>> monday = datetime(2026, 3, 2, 11, 30, tzinfo=office.timezone)
    >>> office.add(monday, timedelta(hours=1)).isoformat()
    '2026-03-02T14:00:00+08:00'
    """

    __slots__ = ("_epoch", "_hours", "_rules", "_zone")

    def __init__(self, rules: CalendarRules) -> None:
        self._rules = rules
        self._zone = ZoneInfo(rules.timezone)
        self._epoch = datetime(1970, 1, 1, tzinfo=self._zone)  # in UTC but labelled as `fromutc` wants it
        simple = rules.is_around_the_clock() and rules.timezone in {"UTC", "Etc/UTC"}
        self._hours: Arithmetic = AroundTheClock() if simple else WorkingHours(rules, self._zone)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Self:
        """Build a calendar from what a calendar file holds.

        Raises:
            DeclarationError: listing every mistake of the mapping.

        """
        return cls(read_calendar(mapping))

    def to_mapping(self) -> dict[str, object]:
        """Return a mapping from which `from_mapping` builds an equal calendar."""
        return as_mapping(self._rules)

    @property
    def id(self) -> str:
        """Return the identifier, which procedures name: `cn_office`."""
        return self._rules.id

    @property
    def name(self) -> Text:
        """Return the name people read; the identifier where none is given."""
        return self._rules.name or Text(zh=self.id, en=self.id)

    @property
    def timezone(self) -> ZoneInfo:
        """Return the zone whose local clock the hours follow."""
        return self._zone

    @property
    def covers(self) -> Coverage | None:
        """Return the first and last date the calendar speaks for; None when it is unbounded."""
        return self._rules.covers

    @property
    def arithmetic(self) -> Arithmetic:
        """Arithmetic in microseconds and day ordinals, for callers that need it often."""
        return self._hours

    @property
    def source(self) -> tuple[str, ...]:
        """Return the documents the calendar follows."""
        return self._rules.source

    def add(self, start: datetime, working: timedelta) -> datetime:
        """Return the earliest instant at which `working` open time has passed since `start`.

        Nothing to pass gives `start` itself inside hours and the next opening outside them.

        Raises:
            CalendarCoverageError: the answer lies past the coverage.
            DeclarationError: `working` is negative.
            NaiveDatetime: `start` has no time zone.

        """
        return self._local(self._hours.add_us(to_us(start), amount_us(working)))

    def subtract(self, end: datetime, working: timedelta) -> datetime:
        """Return the latest instant from which `working` open time passes until `end`; the mirror of `add`."""
        return self._local(self._hours.subtract_us(to_us(end), amount_us(working)))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the open time from `start` to `end`, negative when they are reversed."""
        seconds, micros = divmod(self._hours.between_us(to_us(start), to_us(end)), SECOND)
        return timedelta(0, seconds, micros)  # faster than to let timedelta divide

    def nth_working_day(self, start: datetime | date, n: int) -> date:
        """Return the n-th working day after the day of `start`, which is not counted (民法典 §201).

        A negative `n` counts back. 0 gives the day itself, or the next working day when it is closed.
        """
        return date.fromordinal(self._in_dates(self._hours.nth_day(self._ordinal(start), n)))

    def opening(self, day: date) -> datetime:
        """Return the first opening of a working day.

        Raises:
            ClosedDay: the calendar is closed on `day`.

        """
        return self._local(self._open_hours(day)[0][0])

    def closing(self, day: date) -> datetime:
        """Return the last closing of a working day, on the next morning after a night shift.

        Raises:
            ClosedDay: the calendar is closed on `day`.

        """
        return self._local(self._open_hours(day)[-1][1])

    def intervals(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """Return the open intervals that belong to a day; none when it is closed."""
        hours = self._hours.hours_us(_date_ordinal(day))
        return tuple((self._local(opens), self._local(closes)) for opens, closes in hours)

    def is_open(self, at: datetime) -> bool:
        """Return whether the calendar is open at an instant; at a closing it is not."""
        return self._hours.is_open_us(to_us(at))

    def is_working_day(self, day: date) -> bool:
        """Return whether any hours belong to the day."""
        return bool(self._hours.hours_us(_date_ordinal(day)))

    def special(self, day: date) -> Text | None:
        """Return the name of the holiday, make-up day or day of other hours that a day is; None for an ordinary day."""
        for run in (*self._rules.makeup, *self._rules.holidays, *self._rules.days):
            if run.first <= day <= run.last:
                return run.name
        return None

    def has_other_hours(self, day: date) -> bool:
        """Return whether a working day has hours of its own instead of those of its week: a half day 半天."""
        return any(run.first <= day <= run.last for run in self._rules.days)

    @property
    def seasons(self) -> tuple[Season, ...]:
        """Return the seasons of the year with their weeks; empty where every week is alike."""
        return self._rules.seasons

    @property
    def makeup_days(self) -> tuple[SpecialDays, ...]:
        """Return the runs of make-up days, in the order in which they are declared."""
        return self._rules.makeup

    def is_open_by_the_week(self, day: date) -> bool:
        """Return whether the week alone, without holidays and make-up days, opens a day."""
        return bool(self._rules.week_on(day.toordinal())[day.weekday()])

    def day_of(self, at: datetime) -> date:
        """Return the day an instant belongs to: within a night shift the day it began, else the local date."""
        return date.fromordinal(self._in_dates(self._hours.day_of_us(to_us(at))))

    def add_us(self, start_us: int, amount_us: int) -> int:
        """Return what `add` does, in microseconds."""
        return self._hours.add_us(start_us, amount_us)

    def subtract_us(self, end_us: int, amount_us: int) -> int:
        """Return what `subtract` does, in microseconds."""
        return self._hours.subtract_us(end_us, amount_us)

    def between_us(self, start_us: int, end_us: int) -> int:
        """Return what `between` does, in microseconds."""
        return self._hours.between_us(start_us, end_us)

    def nth_closing_us(self, start_us: int, n: int) -> int:
        """Return the closing of the n-th working day after the day of `start_us`: the due instant of `n wd`."""
        return self._hours.nth_closing_us(start_us, n)

    def closings_between_us(self, start_us: int, end_us: int, after_day_of_us: int) -> int:
        """Count the closings in [start_us, end_us) of working days later than the day of `after_day_of_us`."""
        return self._hours.closings_between_us(start_us, end_us, after_day_of_us)

    def nth_closing_from_us(self, from_us: int, n: int, after_day_of_us: int) -> int:
        """Return the n-th (from 1) closing at or after `from_us` of a day later than that of `after_day_of_us`."""
        return self._hours.nth_closing_from_us(from_us, n, after_day_of_us)

    def day_closing_on_or_after(self, day: date) -> int:
        """Return in microseconds the closing of `day`, or of the next working day when it is closed (民法典 §203)."""
        return self._hours.rolled_us(_date_ordinal(day))

    def calendar_days(self, start_us: int, n: int) -> int:
        """Return when `n` calendar days end: the start day is not counted, a closed last day rolls on."""
        refuse_negative(n)
        return self._hours.rolled_us(self._hours.day_of_us(start_us) + n)

    def months(self, start_us: int, n: int) -> int:
        """Return when `n` months end: on the same date, or at the month's end; a closed last day rolls on."""
        refuse_negative(n)
        start = self._in_dates(self._hours.day_of_us(start_us))
        return self._hours.rolled_us(self._in_dates(months_after(start, n)))

    def clock_us(self, day: date, minute: int) -> int:
        """Return the instant of a local clock time; one that the clock skips moves on by the gap, 02:30 to 03:30."""
        return self._hours.clock_us(day.toordinal(), minute)

    def day_of_us(self, at_us: int) -> date:
        """Return what `day_of` does, for an instant in microseconds."""
        return date.fromordinal(self._in_dates(self._hours.day_of_us(at_us)))

    def extended(self, by: timedelta) -> Self:
        """Return this calendar with its coverage prolonged, as if no more notices were to come."""
        covers = self._rules.covers
        if covers is None:
            return self
        last = min(covers.last + by, date.max - timedelta(days=400))
        return type(self)(attrs.evolve(self._rules, covers=attrs.evolve(covers, last=last)))

    def fingerprint(self, until: date | None = None) -> str:
        """Return a digest that is equal for the same hours on the same days; `until` leaves later days out."""
        return fingerprint(self._rules, until)

    def date_us(self, at_us: int) -> date:
        """Return the local date of an instant, whatever shift it falls in."""
        return date.fromordinal(self._hours.date_us(at_us))

    def add_many(
        self, starts: Sequence[int] | NDArray[np.int64], amounts: Sequence[int] | NDArray[np.int64] | int
    ) -> NDArray[np.int64]:
        """Return what `add_us` does, for many instants at once; one amount serves them all.

        Raises:
            MissingExtra: numpy is not installed.

        """
        from svcflow.worktime.numpy_batch import as_arrays  # noqa: PLC0415  # numpy is an optional extra

        return self._hours.add_many(*as_arrays(starts, amounts))

    def __eq__(self, other: object) -> bool:
        return self._rules == other._rules if isinstance(other, WorkCalendar) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._rules)

    def __reduce__(self) -> tuple[type[Self], tuple[CalendarRules]]:
        return type(self), (self._rules,)

    def __repr__(self) -> str:
        return f"<WorkCalendar {self.id} {self._rules.timezone}>"

    def _local(self, us: int) -> datetime:
        try:
            seconds, micros = divmod(us, SECOND)
            return self._zone.fromutc(self._epoch + timedelta(0, seconds, micros))
        except OverflowError:
            raise not_covered(self.id, date.max.toordinal() + 1, *self._span()) from None

    def _ordinal(self, start: datetime | date) -> int:
        return self._hours.day_of_us(to_us(start)) if isinstance(start, datetime) else start.toordinal()

    def _in_dates(self, ordinal: int) -> int:
        if date.min.toordinal() <= ordinal <= date.max.toordinal():
            return ordinal
        raise not_covered(self.id, ordinal, *self._span())

    def _open_hours(self, day: date) -> tuple[tuple[int, int], ...]:
        hours = self._hours.hours_us(_date_ordinal(day))
        if hours:
            return hours
        raise ClosedDay(
            Text(zh=f"日历 {self.id} 在 {day} 不开放", en=f"the calendar {self.id} is closed on {day}"),
            Text(
                zh="先用 is_working_day 判断，或用 nth_working_day(day, 0)",
                en="ask is_working_day, or take nth_working_day(day, 0)",
            ),
        )

    def _span(self) -> tuple[date, date] | tuple[()]:
        return (self.covers.first, self.covers.last) if self.covers else ()


def fingerprint(rules: CalendarRules, until: date | None = None) -> str:
    """Return 128 bits of a calendar's hours, in hexadecimal; `until` leaves later days out.

    A calendar whose coverage has been prolonged keeps its fingerprint up to the day on which it ended before.
    """
    covered = None
    if rules.covers is not None:
        last = rules.covers.last if until is None else min(rules.covers.last, until)
        covered = (rules.covers.first.isoformat(), last.isoformat())
    specials = {
        date.fromordinal(day).isoformat(): hours
        for day, hours in sorted(rules.specials().items())
        if until is None or day <= until.toordinal()
    }
    # Only what has seasons says more than its week, so that fingerprints recorded before there were any stay the same.
    weeks = _weeks_of_the_year(rules)
    seasons = [weeks] if len(weeks) > 1 else []
    content = json.dumps([rules.timezone, weeks[0][1], covered, specials, *seasons], separators=(",", ":"))
    return sha256(content.encode()).hexdigest()[:_FINGERPRINT_LENGTH]


def _weeks_of_the_year(rules: CalendarRules) -> list[tuple[YearDay, Week]]:
    """Return each week with the day of the year from which it holds, however the seasons are written."""
    new_year = (1, 1)
    if not rules.seasons:
        return [(new_year, rules.weekly)]
    weeks = [(new_year, next(season.weekly for season in rules.seasons if new_year in season))]
    for first, week in sorted((season.first, season.weekly) for season in rules.seasons):
        if week != weeks[-1][1]:
            weeks.append((first, week))
    return weeks


def _date_ordinal(day: date) -> int:
    """Return the ordinal of a date.

    Raises: DeclarationError for a datetime, whose date would silently be that of its own zone.
    """
    if isinstance(day, datetime):
        message = Text(zh=f"{day} 是时刻，这里要日期", en=f"{day} is an instant; a date is meant here")
        raise DeclarationError(
            [Problem((), message, Text(zh="请用 calendar.day_of(...)", en="use calendar.day_of(...)"))]
        )
    return day.toordinal()
