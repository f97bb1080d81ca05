"""Random calendars against an oracle that walks through time minute by minute.

The oracle shares no code with the library: it knows open minutes, not intervals, sums or bisection.
"""

from __future__ import annotations

import calendar as gregorian
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from svcflow.worktime import WorkCalendar

MINUTE = 60_000_000
DAYS = 24
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Each window holds a change of the clock (of half an hour on Lord Howe, over midnight in Havana, of a whole
# day in Apia), or crosses a new year, or is plain.
WINDOWS = (
    ("UTC", date(2026, 5, 1)),
    ("Asia/Shanghai", date(2025, 12, 20)),
    ("America/New_York", date(2026, 2, 26)),
    ("America/New_York", date(2026, 10, 21)),
    ("Europe/Amsterdam", date(2026, 3, 18)),
    ("Australia/Lord_Howe", date(2026, 3, 26)),
    ("Australia/Lord_Howe", date(2026, 9, 24)),
    ("America/Havana", date(2026, 2, 26)),
    ("Pacific/Apia", date(2011, 12, 20)),
)


@cache
def minutes_of(zone: str, first: date) -> tuple[int, list[datetime], list[datetime]]:
    """Return the first minute of the window, each minute's local clock, and the latest reading up to it."""
    begins = int(datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone)).timestamp()) // 60
    clock = [
        datetime.fromtimestamp((begins + n) * 60, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        for n in range(DAYS * 1440)
    ]
    latest: list[datetime] = []
    for reading in clock:
        latest.append(max(reading, latest[-1]) if latest else reading)
    return begins, clock, latest


class Oracle:
    """Answer by counting minutes within the window."""

    def __init__(self, zone: str, first: date, hours_of: dict[date, list[tuple[int, int]]]) -> None:
        self.begins, self.clock, latest = minutes_of(zone, first)
        self.owner: list[date | None] = [None] * len(self.clock)
        # Where the wall clock first shows each hour and minute, found by walking along once.
        marks = sorted({(day, m) for day, hours in hours_of.items() for pair in hours for m in pair})
        walls = sorted({self.wall(day, m) for day, m in marks})
        reached: dict[datetime, int] = {}
        position = 0
        for wall in walls:
            while position < len(latest) and latest[position] < wall:
                position += 1
            reached[wall] = position
        for day, hours in hours_of.items():
            for start, end in hours:
                for n in range(reached[self.wall(day, start)], reached[self.wall(day, end)]):
                    self.owner[n] = day

    @staticmethod
    def wall(day: date, minute: int) -> datetime:
        return datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 - a clock's face

    def add(self, n: int, amount: int) -> int | None:
        while n < len(self.owner):
            if self.owner[n] is not None:
                if amount == 0:
                    return n
                amount -= 1
                if amount == 0:
                    return n + 1
            n += 1
        return None

    def subtract(self, n: int, amount: int) -> int | None:
        if amount == 0 and self.owner[n] is not None:
            return n
        while n > 0:
            if self.owner[n - 1] is not None:
                if amount == 0:
                    return n
                amount -= 1
                if amount == 0:
                    return n - 1
            n -= 1
        return None

    def between(self, start: int, end: int) -> int:
        return sum(owner is not None for owner in self.owner[start:end])

    def day_of(self, n: int) -> date:
        return self.owner[n] or self.clock[n].date()

    def closings(self) -> list[tuple[date, int]]:
        """Return each working day with the minute at which it closes."""
        last: dict[date, int] = {}
        for n, owner in enumerate(self.owner):
            if owner is not None:
                last[owner] = n + 1
        return sorted(last.items())


def write(pair: tuple[int, int]) -> str:
    start, end = pair[0], pair[1] if pair[1] <= 1440 else pair[1] - 1440
    return f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"


@st.composite
def day_hours(draw: st.DrawFn, *, night: bool, least: int) -> list[tuple[int, int]]:
    """Draw up to three intervals: within the date, or from 08:00 up to 08:00 of the next morning."""
    low, high = (480, 1919) if night else (0, 1440)  # 08:00-08:00 is no interval
    count = draw(st.integers(least, 3))
    marks = sorted(
        draw(st.lists(st.integers(low, high), min_size=2 * count, max_size=2 * count, unique=True))
    )
    pairs = list(zip(marks[::2], marks[1::2], strict=True))
    return [pair for pair in pairs if pair[0] < 1440]


def written_week(weekly: list[list[tuple[int, int]]]) -> dict[str, list[str]]:
    return {NAMES[n]: [write(pair) for pair in hours] for n, hours in enumerate(weekly)}


@st.composite
def seasons(
    draw: st.DrawFn, first: date, *, night: bool
) -> list[tuple[tuple[int, int], list[list[tuple[int, int]]]]]:
    """Draw up to three days of the year on which another week begins, near a window; often none."""
    near = [first + timedelta(n) for n in range(-40, DAYS + 40)]
    days = {(day.month, day.day) for day in draw(st.lists(st.sampled_from(near), max_size=3))}
    return [(day, [draw(day_hours(night=night, least=0)) for _ in range(7)]) for day in sorted(days)]


@st.composite
def calendars(draw: st.DrawFn) -> tuple[WorkCalendar, Oracle]:
    zone, first = draw(st.sampled_from(WINDOWS))
    night = draw(st.booleans())
    weekly = [draw(day_hours(night=night, least=1))]
    weekly += [draw(day_hours(night=night, least=0)) for _ in range(6)]
    assume(weekly[0])
    window = [first + timedelta(n) for n in range(-1, DAYS + 1)]
    changes = draw(seasons(first, night=night))
    assume(not changes or any(hours for _, week in changes for hours in week))

    def usual(day: date) -> list[list[tuple[int, int]]]:
        """The week that holds on a day: that of the last change before it in the year, or else of the year's last."""
        past = [week for change, week in changes if change <= (day.month, day.day)]
        return (past or [week for _, week in changes])[-1] if changes else weekly

    chosen = draw(st.lists(st.sampled_from(window), max_size=8, unique=True))
    cut, end = sorted((draw(st.integers(0, len(chosen))), draw(st.integers(0, len(chosen)))))
    closed, made_up = chosen[:cut], chosen[cut:end]
    other = [day for day in chosen[end:] if usual(day)[day.weekday()]]
    own = {
        day: draw(day_hours(night=night, least=1))
        for day in (*made_up, *other)
        if day in other or draw(st.booleans())
    }
    assume(all(own.values()))
    assume(all(usual(day)[0] for day in made_up if day not in own))
    mapping: dict[str, object] = {
        "calendar": "random",
        "timezone": zone,
        "weekly": written_week(weekly),
    }
    if changes:
        ends = [date(2024, *change) - timedelta(1) for change, _ in changes[1:] + changes[:1]]
        mapping["weekly"] = [
            {"from": f"{month:02}-{day:02}", "to": f"{end:%m-%d}", **written_week(week)}
            for ((month, day), week), end in zip(changes, ends, strict=True)
        ]
    if chosen or draw(st.booleans()):
        mapping["covers"] = {"from": date(first.year - 1, 1, 1), "to": date(first.year + 2, 6, 30)}
        mapping["holidays"] = [{"date": day, "name": "x"} for day in closed]
        mapping["makeup"] = [
            {"date": day, **({"hours": [write(pair) for pair in own[day]]} if day in own else {})}
            for day in made_up
        ]
        mapping["days"] = [{"date": day, "hours": [write(pair) for pair in own[day]]} for day in other]
    hours_of = {}
    for day in window:
        week = usual(day)
        hours_of[day] = [] if day in closed else own.get(day, week[0 if day in made_up else day.weekday()])
    return WorkCalendar.from_mapping(mapping), Oracle(zone, first, hours_of)


# Two days in, so that the night before the window and answers next to its edges stay inside it.
INSIDE = st.integers(2 * 1440, (DAYS - 3) * 1440)


@settings(max_examples=150, deadline=None)
@given(calendars(), INSIDE, INSIDE, st.integers(0, 6000))
def test_hours_are_counted_as_a_minute_by_minute_walk_counts_them(
    pair: tuple[WorkCalendar, Oracle], start: int, end: int, amount: int
) -> None:
    """add, subtract, between and is_open agree with the walk, over nights, holidays and changes of the clock."""
    calendar, oracle = pair
    start_us, end_us = (oracle.begins + start) * MINUTE, (oracle.begins + end) * MINUTE
    due, since = oracle.add(start, amount), oracle.subtract(start, amount)
    if due is not None:
        assert calendar.add_us(start_us, amount * MINUTE) == (oracle.begins + due) * MINUTE
        assert calendar.add_many([start_us], amount * MINUTE).tolist() == [(oracle.begins + due) * MINUTE]
    if since is not None and since > 1440:
        assert calendar.subtract_us(start_us, amount * MINUTE) == (oracle.begins + since) * MINUTE
    if start <= end:
        assert calendar.between_us(start_us, end_us) == oracle.between(start, end) * MINUTE
        assert calendar.between_us(end_us, start_us) == -oracle.between(start, end) * MINUTE
    here = datetime.fromtimestamp((oracle.begins + start) * 60, UTC)
    assert calendar.is_open(here) == (oracle.owner[start] is not None)
    assert calendar.day_of(here) == oracle.day_of(start)


@settings(max_examples=150, deadline=None)
@given(calendars(), INSIDE, INSIDE, INSIDE, st.integers(1, 6))
def test_days_are_counted_as_a_minute_by_minute_walk_counts_them(
    pair: tuple[WorkCalendar, Oracle], start: int, end: int, after: int, n: int
) -> None:
    """Working days, closings and rolling agree with the walk."""
    calendar, oracle = pair
    closings = oracle.closings()
    start_us, end_us, after_us = ((oracle.begins + at) * MINUTE for at in (start, end, after))
    own, excluded = oracle.day_of(start), oracle.day_of(after)
    following = [(day, at) for day, at in closings if day > own]
    if len(following) > n:
        assert calendar.nth_closing_us(start_us, n) == (oracle.begins + following[n - 1][1]) * MINUTE
        assert calendar.nth_working_day(own, n) == following[n - 1][0]
    preceding = [day for day, _ in closings if day < own]
    if len(preceding) > n:
        assert calendar.nth_working_day(own, -n) == preceding[-n]
    counted = [at for day, at in closings if start <= at < end and day > excluded]
    assert calendar.closings_between_us(start_us, end_us, after_us) == len(counted)
    left = [at for day, at in closings if at >= start and day > excluded]
    if len(left) > n:
        assert calendar.nth_closing_from_us(start_us, n, after_us) == (oracle.begins + left[n - 1]) * MINUTE
    rolled = [at for day, at in closings if day >= own + timedelta(n)]
    if len(rolled) > 1 and start + (n + 1) * 1440 < DAYS * 1440:
        assert calendar.calendar_days(start_us, n) == (oracle.begins + rolled[0]) * MINUTE
        assert calendar.day_closing_on_or_after(own + timedelta(n)) == (oracle.begins + rolled[0]) * MINUTE


INSTANTS = st.integers(
    1_735_689_600_000_000, 1_790_000_000_000_000
)  # 2025 and most of 2026, to the microsecond
AMOUNTS = st.integers(1, 40 * 3600 * 1_000_000)
NIGHTS = WorkCalendar.from_mapping(
    {
        "calendar": "nights",
        "timezone": "America/New_York",
        "weekly": {"mon-fri": ["22:00-06:00"], "sat": ["09:00-12:00"]},
    }
)
SPLIT = WorkCalendar.from_mapping(
    {"calendar": "split", "timezone": "Asia/Shanghai", "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]}}
)


@pytest.mark.parametrize("calendar", [NIGHTS, SPLIT])
@settings(max_examples=200, deadline=None)
@given(st.tuples(INSTANTS, INSTANTS, INSTANTS), AMOUNTS, AMOUNTS)
def test_the_laws_of_working_time_hold_to_the_microsecond(
    calendar: WorkCalendar, instants: tuple[int, int, int], x: int, y: int
) -> None:
    """Addition gives exactly what was asked, earliest; subtraction is its mirror; lengths add up."""
    a, b, c = instants
    due = calendar.add_us(a, x)
    assert calendar.between_us(a, due) == x
    assert calendar.between_us(a, due - 1) < x
    since = calendar.subtract_us(a, x)
    assert calendar.between_us(since, a) == x
    assert calendar.between_us(since + 1, a) < x
    assert calendar.subtract_us(due, x) >= a
    assert calendar.add_us(since, x) <= a
    assert calendar.add_us(calendar.add_us(a, x), y) == calendar.add_us(a, x + y)
    assert calendar.between_us(a, b) + calendar.between_us(b, c) == calendar.between_us(a, c)
    if a <= b:
        assert due <= calendar.add_us(b, x)
    assert (due <= calendar.add_us(a, y)) == (x <= y)


@settings(max_examples=100, deadline=None)
@given(INSTANTS, st.integers(0, 40))
def test_months_end_on_the_same_date_or_the_last(start_us: int, n: int) -> None:
    """Against the calendar on the wall: same date, else month-end, else the next weekday."""
    start = datetime.fromtimestamp(start_us // 10**6, UTC).astimezone(SPLIT.timezone).date()
    year, month = start.year + (start.month - 1 + n) // 12, (start.month - 1 + n) % 12 + 1
    due = date(
        year, month, min(start.day, max(filter(None, gregorian.Calendar().itermonthdays(year, month))))
    )
    while due.weekday() > 4:
        due += timedelta(1)
    expected = datetime(due.year, due.month, due.day, 17, 30, tzinfo=SPLIT.timezone)
    assert SPLIT.months(start_us, n) == int(expected.timestamp()) * 10**6
