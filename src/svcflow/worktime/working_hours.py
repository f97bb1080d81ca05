"""Arithmetic of a calendar with opening hours, over tables that grow as far as a computation needs.

The tables never go past the calendar's coverage; sums and positions within one are computed in `hour_table`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from svcflow.errors import CalendarCoverageError
from svcflow.worktime.arithmetic import not_covered, refuse_count, refuse_negative
from svcflow.worktime.hour_table import CompiledDays, DaySource, HourTable
from svcflow.worktime.instants import DAY, MINUTE, boundary_us, clock_us, ordinal_at
from svcflow.worktime.rules import CalendarRules

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["WorkingHours"]

# What datetime can hold, less a year at each end so that no zone or night shift leaves it.
FIRST_DAY = date(2, 1, 1).toordinal()
LAST_DAY = date(9998, 12, 31).toordinal()
# A first guess of the year that will be asked for; any other is compiled as well when it is.
LIKELY_YEAR = date(2026, 1, 1).toordinal()


class WorkingHours:
    """Arithmetic of a calendar with hours. Threads may share it: tables are never changed, only replaced."""

    __slots__ = (
        "_days_a_week",
        "_first",
        "_last",
        "_rules",
        "_source",
        "_table",
        "_week_us",
        "_years",
        "_zone",
    )

    def __init__(self, rules: CalendarRules, zone: ZoneInfo) -> None:
        self._rules = rules
        self._zone = zone
        self._source = DaySource(zone, rules)
        covers = rules.covers
        self._first = covers.first.toordinal() if covers else FIRST_DAY
        self._last = covers.last.toordinal() if covers else LAST_DAY
        # Of the fullest week: what is still missing after as many days is asked for again.
        self._week_us = (
            max(sum(end - start for hours in week for start, end in hours) for week in rules.weeks) * MINUTE
        )
        self._days_a_week = max(sum(map(bool, week)) for week in rules.weeks)
        self._years: dict[int, CompiledDays] = {}
        start = min(max(LIKELY_YEAR, self._first), self._last)
        self._table = self._compile(*self._whole_years(start, start))

    def add_us(self, start_us: int, amount_us: int) -> int:
        """Return the earliest instant at which `amount_us` of open time has passed since `start_us`."""
        table = self._table
        if not table.first_us <= start_us < table.last_us:
            table = self._reach(table, start_us)
        if amount_us <= 0:
            refuse_negative(amount_us)
            return self._opening_us(table, start_us)
        index = bisect_right(table.starts, start_us) - 1
        end = table.ends[index]
        target = table.before[index] + min(end, start_us) - table.starts[index] + amount_us
        while target > table.total:  # days are added at the end only, so `index` and the sums before it hold
            table = self._later(table, self._days_for(target - table.total))
        after = table.after
        # left: an amount that is used up at a closing is due then, not at the next opening
        index = bisect_left(after, target, index)
        return table.ends[index] - after[index] + target

    def subtract_us(self, end_us: int, amount_us: int) -> int:
        """Return the latest instant from which `amount_us` of open time passes until `end_us`."""
        table = self._table
        if not table.first_us <= end_us < table.last_us:
            table = self._reach(table, end_us)
        if amount_us <= 0:
            refuse_negative(amount_us)
            return self._closing_us(table, end_us)
        target = table.worked_us(end_us) - amount_us
        while target < 0:
            known = table.total
            table = self._earlier(table, self._days_for(-target))
            target += table.total - known  # sums count from the first day of the table, which is earlier now
        before = table.before
        # right: what begins at an opening begins there, not at the closing before it
        index = bisect_right(before, target) - 1
        return table.starts[index] + target - before[index]

    def between_us(self, start_us: int, end_us: int) -> int:
        """Return the open time from `start_us` to `end_us`; negative when they are reversed."""
        table = self._table
        if not (table.first_us <= start_us < table.last_us and table.first_us <= end_us < table.last_us):
            table = self._reach(self._reach(table, start_us), end_us)
        starts, ends, before = table.starts, table.ends, table.before
        index = bisect_right(starts, start_us) - 1
        end = ends[index]
        until_start = before[index] + min(end, start_us) - starts[index]
        index = bisect_right(starts, end_us) - 1
        end = ends[index]
        return before[index] + min(end, end_us) - starts[index] - until_start

    def each_between_us(self, runs: Sequence[tuple[int, int]]) -> list[int]:
        """Return the open time of each of some intervals that follow one another."""
        if not runs:
            return []
        table = self._reach(self._reach(self._table, runs[0][0]), runs[-1][1])
        starts, ends, after = table.starts, table.ends, table.after
        worked_each = []
        for start_us, end_us in runs:
            first = bisect_right(starts, start_us) - 1
            last = bisect_right(starts, end_us, first) - 1
            # from closing to closing, then the part of the first interval that is missing, less that of the last
            worked = after[last] - after[first]
            if start_us < ends[first]:
                worked += ends[first] - start_us
            if end_us < ends[last]:
                worked -= ends[last] - end_us
            worked_each.append(worked)
        return worked_each

    def is_open_us(self, at_us: int) -> bool:
        """Return whether the instant lies in an open interval, which includes its opening but not its closing."""
        table = self._reach(self._table, at_us)
        return at_us < table.ends[bisect_right(table.starts, at_us) - 1]

    def day_of_us(self, at_us: int) -> int:
        """Return the day an instant belongs to: within a night shift the day it began, else the local date."""
        return self._reach(self._table, at_us).day_of_us(at_us)

    def date_us(self, at_us: int) -> int:
        """Return the local date of an instant, covered or not."""
        table = self._table
        midnights = table.midnights
        index = bisect_right(midnights, at_us)
        if 0 < index < len(midnights) and midnights[index] - midnights[index - 1] == DAY:
            return table.first + index - 1
        return ordinal_at(at_us, self._zone)  # the clock changes on this day, perhaps back over midnight

    def clock_us(self, day: int, minute: int) -> int:
        """Return the instant of a local clock time of a day, covered or not."""
        table = self._table  # once: another thread may replace it
        midnights, index = table.midnights, day - table.first
        if 0 <= index < len(midnights) - 1 and midnights[index + 1] - midnights[index] == DAY:
            return midnights[index] + minute * MINUTE
        return clock_us(self._zone, date.fromordinal(day), minute)

    def rolled_us(self, day: int) -> int:
        """Return the closing of a day, or of the next working day when it is closed."""
        table = self._with_day(day)
        # the rank counts the day itself where it is worked: one less is its own position, else that of the next
        table, index = self._seek(table, table.ranks[day - table.first] - (day in table.positions))
        return table.closings[index]

    def nth_day(self, day: int, n: int) -> int:
        """Return the n-th working day after (before, for a negative n) a day; 0 rolls a closed day forward."""
        table = self._with_day(day)
        through = table.ranks[day - table.first]
        table, index = self._seek(table, through + n - 1 if n > 0 else through - (day in table.positions) + n)
        return table.working_days[index]

    def nth_closing_us(self, start_us: int, n: int) -> int:
        """Return the closing of the n-th working day after the day of `start_us`."""
        table = self._table
        if not table.first_us <= start_us < table.last_us:
            table = self._reach(table, start_us)
        if n > 0:
            index = table.rank_us(start_us) + n - 1
            if index >= len(table.closings):
                table, index = self._seek(table, index)
            return table.closings[index]
        return self.hours_us(self.nth_day(table.day_of_us(start_us), n))[-1][1]

    def closings_between_us(self, start_us: int, end_us: int, after_day_of_us: int) -> int:
        """Count the closings in [start_us, end_us) of days later than the day of `after_day_of_us`."""
        table = self._table
        first_us, last_us = table.first_us, table.last_us
        if not (first_us <= start_us <= end_us < last_us and first_us <= after_day_of_us < last_us):
            table = self._reach(self._reach(self._reach(table, start_us), end_us), after_day_of_us)
        closings = table.closings
        first = max(bisect_left(closings, start_us), table.rank_us(after_day_of_us))
        return max(0, bisect_left(closings, end_us) - first)

    def nth_closing_from_us(self, from_us: int, n: int, after_day_of_us: int) -> int:
        """Return the n-th closing at or after `from_us` of a day later than the day of `after_day_of_us`."""
        refuse_count(n)
        table = self._table
        first_us, last_us = table.first_us, table.last_us
        if not (first_us <= from_us < last_us and first_us <= after_day_of_us < last_us):
            table = self._reach(self._reach(table, from_us), after_day_of_us)
        index = max(bisect_left(table.closings, from_us), table.rank_us(after_day_of_us)) + n - 1
        if index >= len(table.closings):
            table, index = self._seek(table, index)
        return table.closings[index]

    def hours_us(self, day: int) -> tuple[tuple[int, int], ...]:
        """Return the open intervals that belong to a day."""
        return self._with_day(day).hours_us(day)

    def add_many(self, starts: NDArray[np.int64], amounts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add to many instants at once."""
        from svcflow.worktime import numpy_batch  # noqa: PLC0415  # numpy is an optional extra

        if not starts.size:
            return starts.copy()
        refuse_negative(int(amounts.min()))
        table = self._reach(self._reach(self._table, int(starts.min())), int(starts.max()))
        reached = numpy_batch.targets(table, starts, amounts)
        while (missing := numpy_batch.missing(table, starts, amounts, reached)) > 0:
            table = self._later(table, self._days_for(missing))
        return numpy_batch.add(table, starts, amounts, reached)

    def _opening_us(self, table: HourTable, at_us: int) -> int:
        index = bisect_right(table.starts, at_us) - 1
        if at_us < table.ends[index]:
            return at_us
        while index + 1 >= len(table.starts):
            table = self._later(table, 1)
        return table.starts[index + 1]

    def _closing_us(self, table: HourTable, at_us: int) -> int:
        index = bisect_right(table.starts, at_us) - 1
        while index == 0:
            table = self._earlier(table, 1)
            index = bisect_right(table.starts, at_us) - 1
        return min(at_us, table.ends[index])

    def _seek(self, table: HourTable, index: int) -> tuple[HourTable, int]:
        """Widen the table until it holds the working day at `index`, which moves when days are put before."""
        while index >= len(table.closings):
            table = self._later(table, self._days_with(index + 1 - len(table.closings)))
        while index < 0:
            known = len(table.closings)
            table = self._earlier(table, self._days_with(-index))
            index += len(table.closings) - known
        return table, index

    def _days_for(self, amount_us: int) -> int:
        return amount_us * 7 // self._week_us + 1 if self._week_us else LAST_DAY

    def _days_with(self, working_days: int) -> int:
        return working_days * 7 // self._days_a_week + 1 if self._days_a_week else LAST_DAY

    def _reach(self, table: HourTable, at_us: int) -> HourTable:
        """Return a table that holds the instant.

        Raises:
            CalendarCoverageError: the calendar does not cover it.

        """
        if table.first_us <= at_us < table.last_us:
            return table
        day = self._day_at(at_us)
        table = self._widen(table, day, day)
        if not table.first_us <= at_us < table.last_us:
            raise self._not_covered(day)
        return table

    def _day_at(self, at_us: int) -> int:
        try:
            return ordinal_at(at_us, self._zone)
        except OverflowError:
            raise self._not_covered(LAST_DAY + 366 if at_us > 0 else 1) from None

    def _with_day(self, day: int) -> HourTable:
        table = self._table
        if table.first <= day <= table.last:
            return table
        if not self._first <= day <= self._last:
            raise self._not_covered(day)
        return self._widen(table, day, day)

    def _later(self, table: HourTable, days: int) -> HourTable:
        wanted = table.last + days
        if table.last >= self._last or (self._rules.covers is None and wanted > self._last + 366):
            raise self._not_covered(self._last + 1)
        return self._widen(table, table.since, wanted)

    def _earlier(self, table: HourTable, days: int) -> HourTable:
        wanted = table.since - days
        if table.since <= self._first or (self._rules.covers is None and wanted < self._first - 366):
            raise self._not_covered(self._first - 1)
        return self._widen(table, wanted, table.last)

    def _widen(self, table: HourTable, low: int, high: int) -> HourTable:
        """Compile whole years until the table also holds the days from `low` to `high`, within the coverage."""
        low, high = min(max(low, self._first), self._last), max(min(high, self._last), self._first)
        wider = self._compile(*self._whole_years(min(low, table.since), max(high, table.last)))
        self._table = wider
        return wider

    def _whole_years(self, low: int, high: int) -> tuple[int, int]:
        first = date(date.fromordinal(low).year, 1, 1).toordinal()
        last = date(date.fromordinal(high).year, 12, 31).toordinal()
        return max(first, self._first), min(last, self._last)

    def _compile(self, since: int, last: int) -> HourTable:
        """Join the years, with the day before them: its night shift reaches into the first morning."""
        first = max(since - 1, self._first)
        days = self._source.compile(first, since - 1)
        for year in range(date.fromordinal(since).year, date.fromordinal(last).year + 1):
            days.extend(self._year(year))
        days.midnights.append(boundary_us(self._zone, last + 1, 0))
        return HourTable(first, since, last, days, is_end=last == self._last)

    def _year(self, year: int) -> CompiledDays:
        days = self._years.get(year)
        if days is None:
            first = max(date(year, 1, 1).toordinal(), self._first)
            last = min(date(year, 12, 31).toordinal(), self._last)
            days = self._years[year] = self._source.compile(first, last)
        return days

    def _not_covered(self, day: int) -> CalendarCoverageError:
        covers = self._rules.covers
        return not_covered(
            self._rules.id, day, covers.first if covers else None, covers.last if covers else None
        )
