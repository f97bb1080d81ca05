"""Arrivals: when each instance starts, and when the run does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate

from svcflow.bounds import LAST_US
from svcflow.errors import CalendarCoverageError
from svcflow.model.amount import DAY_US
from svcflow.simulate.plan import SimulationPlan
from svcflow.simulate.sampling import Streams
from svcflow.text import Text
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import given_us

__all__ = ["MARGIN_DAYS", "arrivals_from", "gaps_of", "starts_of"]

FIRST_CHOICE = 2026
MARGIN_DAYS = 180
"""How long after the last arrival the calendars should still cover, so that instances can end."""
OPENING_MINUTE = 8 * 60 + 30


def gaps_of(plan: SimulationPlan, instances: int, streams: Streams) -> tuple[int, ...]:
    """Return the drawn times between arrivals; the first is that from the start of the run to the first arrival."""
    return tuple(plan.between(streams.of(number, "arrival")[0]) for number in range(1, instances + 1))


def arrivals_from(plan: SimulationPlan, start_us: int, gaps: Sequence[int]) -> tuple[int, ...]:
    """Return the instants at which instances start. Raises: CalendarCoverageError."""
    if plan.arrivals is None:
        return tuple(start_us + passed for passed in accumulate(gaps))
    return tuple(plan.arrivals.add_us(start_us, passed) for passed in accumulate(gaps))


def starts_of(plan: SimulationPlan, gaps: Sequence[int], start: datetime | None) -> tuple[int, ...]:
    """Return when the run may start: at `start`, or at instants to try in turn until one leaves it room.

    Tried are 08:30 on the first Monday from 4 January, in the latest year, at most 2026, in which every calendar
    still covers half a year after the last arrival, then one, three, seven … such years before it.

    Raises: NaiveDatetime, FieldError; CalendarCoverageError when there is no such year.
    """
    if start is not None:
        return (given_us("start", start),)
    first_year = max((c.covers.first.year for c in plan.calendars() if c.covers), default=FIRST_CHOICE)
    mondays = (_monday_us(plan.calendar, year) for year in range(FIRST_CHOICE, first_year - 1, -1))
    fitting = [start_us for start_us in mondays if _has_room(plan, start_us, sum(gaps))]
    if not fitting:
        raise _arrivals_too_long(sum(gaps))
    return tuple(fitting[place] for place in (0, 1, 3, 7, 15) if place < len(fitting))


def _monday_us(calendar: WorkCalendar, year: int) -> int:
    fourth = date(year, 1, 4)
    return calendar.clock_us(fourth + timedelta(days=-fourth.weekday() % 7), OPENING_MINUTE)


def _has_room(plan: SimulationPlan, start_us: int, arriving_us: int) -> bool:
    calendars: Sequence[WorkCalendar] = [c for c in plan.calendars() if c.covers]
    try:
        last_us = (
            start_us + arriving_us if plan.arrivals is None else plan.arrivals.add_us(start_us, arriving_us)
        )
        if last_us + MARGIN_DAYS * DAY_US > LAST_US:
            return False
        for calendar in calendars:
            calendar.between_us(start_us, last_us + MARGIN_DAYS * DAY_US)
    except CalendarCoverageError:
        return False
    return True


def _arrivals_too_long(arriving_us: int) -> CalendarCoverageError:
    hours = arriving_us // 3_600_000_000
    return CalendarCoverageError(
        Text(
            zh=f"到达共需 {hours} 小时，日历的覆盖范围容不下",
            en=f"arrivals take {hours} hours, more than the calendars cover",
        ),
        Text(
            zh="减少流程实例数，或延长日历的覆盖范围",
            en="simulate fewer instances, or let the calendar cover more years",
        ),
    )
