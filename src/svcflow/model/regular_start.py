"""Regular start: an instance that is to begin at every occurrence of a rhythm, at a local time of day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, get_args

import attrs

from svcflow.bounds import count
from svcflow.model.amount import Amount, named_amount
from svcflow.model.field import Value
from svcflow.model.target import ClockTime, named_clock_time

ClosedDay = Literal["next", "previous", "skip"]
CLOSED_DAYS: tuple[ClosedDay, ...] = get_args(ClosedDay)
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
RHYTHM_UNITS = ("wd", "cd", "mo", "y")
WEEK = 7
MONTHS_A_YEAR = 12
LAST_OF_MONTH = 31


@attrs.frozen(kw_only=True)
class RegularStart:
    """Start of an instance at every occurrence of a rhythm, at a local time of day.

    `every` is a number of working days, calendar days, months or years. Occurrences are counted from the date
    `from_`; without it weeks by their weekday `on`, months and years from January on their day `day` (31 is the last).
    One that falls on a closed day of the calendar moves as `closed_day` says. With `for_`, an instance begins for each
    recipient that the function of this name yields, with the data it yields.
    """

    id: str = "regular"
    every: Amount = attrs.field(converter=named_amount)
    on: Weekday | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.in_(WEEKDAYS))
    )
    day: int | None = attrs.field(default=None, validator=count())
    at: ClockTime = attrs.field(converter=named_clock_time)
    from_: date | None = None
    calendar: str | None = None
    closed_day: ClosedDay = attrs.field(default="next", validator=attrs.validators.in_(CLOSED_DAYS))
    for_: str | None = None
    actor: str = ""
    data: Mapping[str, Value] = attrs.field(factory=dict)

    @property
    def weeks(self) -> int:
        """How many weeks lie between two occurrences; 0 for a rhythm that is not one of weeks."""
        if self.every.family != "calendar_days" or self.every.count % WEEK:
            return 0
        return self.every.count // WEEK

    @property
    def weekday(self) -> int | None:
        """The weekday on which it falls, from 0 for Monday; None where the rhythm is not one of weeks."""
        if not self.weeks:
            return None
        if self.on is not None:
            return WEEKDAYS.index(self.on)
        return None if self.from_ is None else self.from_.weekday()

    @property
    def day_of_month(self) -> int:
        """The day of the month on which a rhythm of months falls."""
        return self.day or (1 if self.from_ is None else self.from_.day)
