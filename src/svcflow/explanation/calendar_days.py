"""What a stretch of time holds by a calendar: the days that count, and the closed ones in between, with their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

import attrs

from svcflow.kernel.facts import to_datetime
from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.text import NO_TEXT, Text
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import to_us

_DAY = timedelta(days=1)
_FEW = 4


@attrs.frozen
class Entry:
    """Hold one day, or a run of alike days: what counts of it, and the holiday or make-up day it is.

    `days` is 0 for closed days. `start` and `end` are where counting began and ended on it.
    """

    first: date
    last: date
    days: int
    us: int
    start: datetime
    end: datetime
    whole: bool
    name: Text = NO_TEXT


def open_days(reckoner: BusinessTime, start_us: int, end_us: int) -> tuple[Entry, ...]:
    """Return the open time of a stretch, day by day; long runs of whole days are put together."""
    found = list(_days(_calendar(reckoner, end_us), start_us, end_us))
    return tuple(_together(found, summarise=sum(bool(entry.days) for entry in found) > _FEW))


def closings(reckoner: BusinessTime, start_us: int, end_us: int, after: date) -> tuple[Entry, ...]:
    """Return the working days later than `after` whose closing lies in (start, end], and the closed ones between."""
    calendar = _calendar(reckoner, end_us)
    counted = [
        attrs.evolve(entry, whole=True)
        for entry in _days(calendar, start_us, end_us, every=True)
        if not entry.days or (entry.first > after and _closes(calendar, entry.first, start_us, end_us))
    ]
    return tuple(_together(counted, summarise=True))


def _closes(calendar: WorkCalendar, on: date, start_us: int, end_us: int) -> bool:
    return start_us < to_us(calendar.closing(on)) <= end_us


def _calendar(reckoner: BusinessTime, end_us: int) -> WorkCalendar:
    return reckoner.projected if reckoner.provisional(end_us) else reckoner.calendar


def _days(calendar: WorkCalendar, start_us: int, end_us: int, *, every: bool = False) -> Iterator[Entry]:
    zone = calendar.timezone
    start, end = to_datetime(start_us).astimezone(zone), to_datetime(end_us).astimezone(zone)
    on = start.date() - _DAY
    while on <= end.date():
        yield from _day(calendar, on, start, end, every=every)
        on += _DAY


def _day(calendar: WorkCalendar, on: date, start: datetime, end: datetime, *, every: bool) -> Iterator[Entry]:
    hours = calendar.intervals(on) if _covered(calendar, on) else ()
    if not hours:
        if on >= start.date() and end > datetime.combine(on, datetime.min.time(), calendar.timezone):
            yield Entry(on, on, 0, 0, start, end, whole=True, name=calendar.special(on) or NO_TEXT)
        return
    parts = [(max(opens, start, key=to_us), min(closes, end, key=to_us)) for opens, closes in hours]
    open_us = [to_us(closes) - to_us(opens) for opens, closes in parts if to_us(opens) < to_us(closes)]
    if open_us or every:
        worked = [part for part in parts if to_us(part[0]) < to_us(part[1])] or list(hours)
        whole = sum(open_us) == sum(to_us(closes) - to_us(opens) for opens, closes in hours)
        name = calendar.special(on) or NO_TEXT
        yield Entry(on, on, 1, sum(open_us), worked[0][0], worked[-1][1], whole=whole, name=name)


def _covered(calendar: WorkCalendar, on: date) -> bool:
    return calendar.covers is None or on in calendar.covers


def _together(entries: Iterable[Entry], *, summarise: bool) -> Iterator[Entry]:
    """Put closed days together, and whole days too if there are many."""
    for key, group in groupby(entries, key=lambda entry: (entry.days, entry.whole and not entry.name)):
        run = list(group)
        if not key[0] or (key[1] and summarise and len(run) > 2):
            yield _joined(run)
        else:
            yield from run


def _joined(run: list[Entry]) -> Entry:
    names = dict.fromkeys(entry.name for entry in run if entry.name)
    return Entry(
        run[0].first,
        run[-1].last,
        sum(entry.days for entry in run),
        sum(entry.us for entry in run),
        run[0].start,
        run[-1].end,
        whole=True,
        name=Text(zh="、".join(n.zh for n in names), en=", ".join(n.in_("en") for n in names))
        if names
        else NO_TEXT,
    )
