"""Arrivals: when each instance starts, and when the run does. It knows no pool and no kernel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate

from svcflow.errors import CalendarCoverageError
from svcflow.model.amount import DAY_US
from svcflow.simulate.plan import Plan
from svcflow.simulate.streams import Streams
from svcflow.text import Text
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import to_us

__all__ = ["MARGIN_DAYS", "arrivals_of", "default_start_us"]

FIRST_CHOICE = 2026
MARGIN_DAYS = 180
"""How long after the last arrival the calendars should still speak, for instances to end."""
OPENING_MINUTE = 8 * 60 + 30


def arrivals_of(
    plan: Plan, instances: int, streams: Streams, start: datetime | None
) -> tuple[int, tuple[int, ...]]:
    """Return when the run starts, and when its instances do: the first one time between arrivals later.

    Raises: NaiveDatetime; CalendarCoverageError when no year leaves room for so many.
    """
    gaps = [plan.between(streams.of(number, "arrival")[0]) for number in range(1, instances + 1)]
    start_us = default_start_us(plan, sum(gaps)) if start is None else to_us(start)
    if plan.arrivals is None:
        return start_us, tuple(start_us + passed for passed in accumulate(gaps))
    return start_us, tuple(plan.arrivals.add_us(start_us, passed) for passed in accumulate(gaps))


def default_start_us(plan: Plan, arriving_us: int) -> int:
    """Return 08:30 on the first Monday from 4 January of the latest year, at most 2026, that leaves room.

    There is room when half a year after the last arrival every calendar of the run still speaks.
    """
    first_year = max((c.covers.first.year for c in plan.calendars() if c.covers), default=FIRST_CHOICE)
    for year in range(FIRST_CHOICE, first_year - 1, -1):
        start_us = _monday_us(plan.calendar, year)
        if _has_room(plan, start_us, arriving_us):
            return start_us
    hours = arriving_us // 3_600_000_000
    raise CalendarCoverageError(
        Text(
            zh=f"到达共需 {hours} 小时，日历的覆盖范围容不下",
            en=f"arrivals take {hours} hours, more than the calendars cover",
        ),
        Text(
            zh="减少流程实例数，或延长日历的覆盖范围",
            en="simulate fewer instances, or let the calendar cover more years",
        ),
    )


def _monday_us(calendar: WorkCalendar, year: int) -> int:
    fourth = date(year, 1, 4)
    return calendar.clock_us(fourth + timedelta(days=-fourth.weekday() % 7), OPENING_MINUTE)


def _has_room(plan: Plan, start_us: int, arriving_us: int) -> bool:
    calendars: Sequence[WorkCalendar] = [c for c in plan.calendars() if c.covers]
    try:
        last_us = (
            start_us + arriving_us if plan.arrivals is None else plan.arrivals.add_us(start_us, arriving_us)
        )
        for calendar in calendars:
            calendar.between_us(start_us, last_us + MARGIN_DAYS * DAY_US)
    except CalendarCoverageError:
        return False
    return True
