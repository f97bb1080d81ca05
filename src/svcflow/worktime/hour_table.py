"""Open hours of a run of days, compiled into arrays for bisection."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from svcflow.worktime.instants import DAY, MINUTE, boundary_us, midnights_us
from svcflow.worktime.rules import CalendarRules, hours_on

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CompiledDays", "DaySource", "HourTable"]


class DaySource:
    """Source of compiled days: the hours of local days as instants."""

    __slots__ = ("_rules", "_span", "specials", "zone")

    def __init__(self, zone: ZoneInfo, rules: CalendarRules) -> None:
        self.zone = zone
        self._rules = rules
        self.specials = rules.specials()
        days = (*(hours for week in rules.weeks for hours in week), *self.specials.values())
        longest = max((end for hours in days for _, end in hours), default=0)
        self._span = 1 + (longest > 1440)  # midnights that the hours of a day may reach over

    def compile(self, first: int, last: int) -> CompiledDays:
        """Compile the days from `first` to `last`, both included."""
        compiled = CompiledDays()
        midnights = midnights_us(self.zone, first, last + 1 + self._span)
        for index, day in enumerate(range(first, last + 1)):
            compiled.midnights.append(midnights[index])
            # No change of the clock until the last shift of the day has ended: plain arithmetic will do.
            steady = midnights[index + self._span] - midnights[index] == self._span * DAY
            for start, end in hours_on(day, self._rules, self.specials):
                if steady:
                    opens, closes = midnights[index] + start * MINUTE, midnights[index] + end * MINUTE
                else:
                    opens, closes = boundary_us(self.zone, day, start), boundary_us(self.zone, day, end)
                if opens < closes:  # hours that the clock skips have no length
                    compiled.starts.append(opens)
                    compiled.ends.append(closes)
                    compiled.owners.append(day)
        return compiled


class CompiledDays:
    """Compiled days before they are joined: opening, closing and day of each interval; midnights."""

    __slots__ = ("ends", "midnights", "owners", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.owners: list[int] = []
        self.midnights: list[int] = []

    def extend(self, later: CompiledDays) -> None:
        """Append the days that follow."""
        self.starts += later.starts
        self.ends += later.ends
        self.owners += later.owners
        self.midnights += later.midnights


class HourTable:
    """Sums and positions of open time for instants in [first_us, last_us).

    Interval 0 is a sentinel of no length before everything else, so that `bisect_right(starts, t) - 1`
    always names an interval; `before[i]` and `after[i]` are the time worked when interval i opens and closes.
    `ranks[k]` counts the working days up to and including day k of the table. The days run from `first` to
    `last`; `since` is the first of them a caller asked for (the day before it lends its night shift), and a
    midnight beyond `last` closes the list.
    """

    __slots__ = (
        "after", "arrays", "before", "closings", "ends", "first", "first_us", "interval_ranks", "last",
        "last_us", "midnights", "positions", "ranks", "since", "starts", "total", "working_days",
    )  # fmt: skip

    def __init__(self, first: int, since: int, last: int, days: CompiledDays, *, is_end: bool) -> None:
        self.first, self.since, self.last = first, since, last
        self.first_us, self.last_us = days.midnights[since - first], days.midnights[-1]
        if is_end:  # the last shift may run past the last midnight, and both may be named as ends
            self.last_us = max([self.last_us, *days.ends[-1:]]) + 1
        floor = min([days.midnights[0], *days.starts[:1]])
        self.starts = [floor, *days.starts]
        self.ends = [floor, *days.ends]
        # sums of lengths, so that an instant and the time worked until it are found by bisection
        self.after = list(accumulate(end - start for start, end in zip(self.starts, self.ends, strict=True)))
        self.before = [0, *self.after[:-1]]
        self.total = self.after[-1]
        self.midnights = days.midnights
        self._index_days(days)
        self.arrays: tuple[NDArray[np.int64], ...] | None = None

    def _index_days(self, days: CompiledDays) -> None:
        closing_of = dict(zip(days.owners, days.ends, strict=True))  # the last interval of a day wins
        self.working_days = list(closing_of)
        self.closings = list(closing_of.values())
        self.positions = {day: index for index, day in enumerate(self.working_days)}
        # one more rank than days: the midnight that closes the list is looked up too
        count = len(self.midnights)
        self.ranks = list(accumulate(self.first + k in closing_of for k in range(count)))
        self.interval_ranks = [0, *(self.positions[day] + 1 for day in days.owners)]

    def rank_us(self, at_us: int) -> int:
        """Count the working days up to and including the shift day of an instant."""
        index = bisect_right(self.starts, at_us) - 1
        if at_us < self.ends[index]:
            return self.interval_ranks[index]
        return self.ranks[bisect_right(self.midnights, at_us) - 1]

    def day_of_us(self, at_us: int) -> int:
        """Return the shift day of an instant: within a night shift the day it began, else the local date."""
        index = bisect_right(self.starts, at_us) - 1
        if at_us < self.ends[index]:
            return self.working_days[self.interval_ranks[index] - 1]
        return self.first + bisect_right(self.midnights, at_us) - 1

    def worked_us(self, at_us: int) -> int:
        """Return the time worked from the beginning of the table to an instant."""
        index = bisect_right(self.starts, at_us) - 1
        end = self.ends[index]
        return self.before[index] + min(end, at_us) - self.starts[index]

    def hours_us(self, day: int) -> tuple[tuple[int, int], ...]:
        """Return the intervals that belong to a day."""
        position = self.positions.get(day)
        if position is None:
            return ()
        index, rank = bisect_right(self.ends, self.closings[position]) - 1, position + 1
        intervals: list[tuple[int, int]] = []
        while self.interval_ranks[index] == rank:  # the sentinel has rank 0 and ends the walk
            intervals.append((self.starts[index], self.ends[index]))
            index -= 1
        return tuple(reversed(intervals))
