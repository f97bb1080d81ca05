"""How limits of different clocks are compared: for each clock of a limit, what the steps take at the least.

| limit in | a step's `m h d` | `wm wh` | `wd` |
| --- | --- | --- | --- |
| `m h d`, by hours | as it is | as it is (working time takes no less) | n wd: n - 1 days of 24 h |
| `m h d`, by dates | whole days of it | whole days of it | n dates; D dates last longer than D - 1 days |
| `wm wh` | 0 (it may pass while closed) | as it is | n wd: n days' opening hours |
| `wd`, by days | 0 | the days it fills, less the first | n |
| `wd`, by hours | 0 | as it is | n days' hours; N wd hold at most N + 1 days' hours |

Every figure is a least one, so that a sum over the limit is certain, whenever the instance starts. Two
clocks count as the same only on the same calendar; on a calendar always open, working time is plain time.
The hours of a working day come from the calendar where one is given; otherwise one working day counts as
8 working hours, and the finding says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import attrs

from svcflow.model.amount import DAY_US, HOUR_US, Amount
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.worktime import WorkCalendar

__all__ = ["ALWAYS", "DayHours", "Length", "Measure", "measures"]

ALWAYS = "always"
_A_LEAP_YEAR = date(2024, 1, 1)


@attrs.frozen
class DayHours:
    """Hold the hours of the shortest and of the longest working day of a calendar."""

    least_us: int = 8 * HOUR_US
    most_us: int = 8 * HOUR_US
    assumed: bool = True

    @classmethod
    def of(cls, calendar: WorkCalendar) -> DayHours:
        """Read the hours off the first year the calendar covers."""
        first = calendar.covers.first if calendar.covers else _A_LEAP_YEAR
        last = calendar.covers.last if calendar.covers else _A_LEAP_YEAR + timedelta(days=365)
        days = (first + timedelta(days=n) for n in range(min((last - first).days + 1, 366)))
        hours = [_open_us(calendar, day) for day in days if calendar.is_working_day(day)]
        return cls(min(hours), max(hours), assumed=False) if hours else cls()


@attrs.frozen
class Length:
    """Hold an amount with the calendar it runs on."""

    amount: Amount
    calendar: str

    @property
    def clock(self) -> str:
        """The clock: on a calendar always open, working time is elapsed and working days are calendar days."""
        family = self.amount.family
        if self.calendar == ALWAYS:
            return {"working": "elapsed", "working_days": "calendar_days"}.get(family, family)
        return family

    @property
    def clock_of(self) -> tuple[str, str]:
        """The clock with its calendar; elapsed time and dates are the same on every calendar."""
        return self.clock, self.calendar if self.clock.startswith("working") else ""

    def __str__(self) -> str:
        return str(self.amount)


@attrs.frozen
class Measure:
    """Measure steps against one limit: `weigh` gives the least a step takes, `most` what the limit bears.

    `bounds` says that `word` already words a total as a bound.
    """

    weigh: Callable[[Length], int]
    most: int
    word: Callable[[int], Text]
    assumes_hours: Callable[[Length], bool] = lambda _: False
    bounds: bool = False


def measures(limit: Length, hours: DayHours) -> Iterator[Measure]:
    """Yield the measures for a limit; none for a clock that limits do not run on yet."""
    match limit.clock:
        case "elapsed":
            yield Measure(_elapsed, limit.amount.us, _hours)
            yield Measure(_dates, -(-limit.amount.us // DAY_US), _more_than_days, bounds=True)
        case "calendar_days":
            yield Measure(_dates, limit.amount.count, _days)
        case "working":
            yield _working(limit, hours)
        case "working_days":
            yield _by_days(limit, hours)
            yield _by_hours(limit, hours)


def _elapsed(length: Length) -> int:
    if length.clock in ("elapsed", "working"):
        return length.amount.us
    return max(0, _count(length) - 1) * DAY_US


def _dates(length: Length) -> int:
    if length.clock in ("elapsed", "working"):
        return length.amount.us // DAY_US
    return _count(length)


def _working(limit: Length, hours: DayHours) -> Measure:
    weigh = _opening_hours(limit.calendar, hours)
    return Measure(weigh, limit.amount.us, _working_hours, _counts_days(limit.calendar))


def _by_days(limit: Length, hours: DayHours) -> Measure:
    def weigh(length: Length) -> int:
        if length.calendar != limit.calendar:
            return 0
        if length.clock == "working":
            return max(0, -(-length.amount.us // hours.most_us) - 1)
        return _count(length) if length.clock == "working_days" else 0

    def assumes(length: Length) -> bool:
        return length.clock == "working" and weigh(length) > 0

    return Measure(weigh, limit.amount.count, _working_days, assumes)


def _by_hours(limit: Length, hours: DayHours) -> Measure:
    weigh = _opening_hours(limit.calendar, hours)
    return Measure(weigh, (limit.amount.count + 1) * hours.most_us, _working_hours, lambda s: weigh(s) > 0)


def _opening_hours(calendar: str, hours: DayHours) -> Callable[[Length], int]:
    def weigh(length: Length) -> int:
        if length.calendar != calendar:
            return 0
        if length.clock == "working":
            return length.amount.us
        return length.amount.count * hours.least_us if length.clock == "working_days" else 0

    return weigh


def _counts_days(calendar: str) -> Callable[[Length], bool]:
    return lambda length: length.clock == "working_days" and length.calendar == calendar


def _count(length: Length) -> int:
    return length.amount.count if length.clock in ("working_days", "calendar_days") else 0


def _hours(total: int) -> Text:
    return Text(zh=f"{_plain(total)} 小时", en=f"{_plain(total)} h")


def _more_than_days(total: int) -> Text:
    return Text(zh=f"{total - 1} 天（每天 24 小时）以上", en=f"more than {total - 1} days of 24 h")


def _days(total: int) -> Text:
    return Text(zh=f"{total} 个自然日", en=f"{total} calendar days")


def _working_hours(total: int) -> Text:
    return Text(zh=f"{_plain(total)} 个工作小时", en=f"{_plain(total)} working hours")


def _working_days(total: int) -> Text:
    return Text(zh=f"{total} 个工作日", en=f"{total} working days")


def _open_us(calendar: WorkCalendar, day: date) -> int:
    microsecond = timedelta(microseconds=1)
    return sum((closing - opening) // microsecond for opening, closing in calendar.intervals(day))


def _plain(us: int) -> str:
    return f"{us / HOUR_US:.4g}"
