"""Occurrences of regular starts: held against a calendar that is walked day by day, and cases known by heart."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcflow.kernel.timing.occurrences import Occurrences
from svcflow.model.regular_start import CLOSED_DAYS, WEEKDAYS, RegularStart
from svcflow.worktime import WorkCalendar, shipped_calendar
from svcflow.worktime.instants import from_us, to_us

FIRST, LAST = date(2025, 12, 1), date(2026, 4, 30)
DAY = timedelta(days=1)


WIDE = (date(2024, 1, 1), date(2028, 12, 31))


def calendar_with(closed: set[date], covers: tuple[date, date] = WIDE) -> WorkCalendar:
    return WorkCalendar.from_mapping(
        {
            "calendar": "office",
            "timezone": "Asia/Shanghai",
            "weekly": {"mon-fri": ["08:30-17:30"]},
            "holidays": [
                {"date": day.isoformat(), "name": "closed"} for day in sorted(closed) if day <= covers[1]
            ],
            "covers": {"from": covers[0].isoformat(), "to": covers[1].isoformat()},
        }
    )


def is_open(day: date, closed: set[date]) -> bool:
    return day.weekday() < 5 and day not in closed


def is_declared(start: RegularStart, day: date, closed: set[date]) -> bool:
    """Say whether a day is one of the rhythm, by counting days one by one."""
    amount, first = start.every.count, start.from_
    if first is not None and day < first:
        return False
    if start.every.family == "working_days":
        if not is_open(day, closed):
            return False
        counted = (
            0 if first is None else sum(is_open(first + n * DAY, closed) for n in range((day - first).days))
        )
        return counted % amount == 0
    if start.every.family == "calendar_days":
        since = first or next(
            FIRST + n * DAY
            for n in range(7)
            if start.on is None or WEEKDAYS[(FIRST + n * DAY).weekday()] == start.on
        )
        return (day - since).days % amount == 0
    months = day.year * 12 + day.month - (first.year * 12 + first.month if first else 1)
    wanted = min(start.day or (first.day if first else 1), monthrange(day.year, day.month)[1])
    return months % amount == 0 and day.day == wanted


def moved(start: RegularStart, day: date, closed: set[date]) -> date | None:
    if is_open(day, closed) or start.closed_day == "skip":
        return day if is_open(day, closed) else None
    step = DAY if start.closed_day == "next" else -DAY
    while not is_open(day, closed):
        day += step
    return day


def walked(start: RegularStart, closed: set[date], first: date, last: date) -> list[tuple[date, date]]:
    """The occurrences due on days of a span: declared and due day, the last declared one where several fall on one."""
    due: dict[date, date] = {}
    day = FIRST - 40 * DAY
    while day <= last + 40 * DAY:
        if is_declared(start, day, closed):
            on = moved(start, day, closed)
            if on is not None and first <= on <= last:
                due[on] = day
        day += DAY
    return sorted((day, on) for on, day in due.items())


dates = st.dates(FIRST, LAST)
rhythms = st.one_of(
    st.fixed_dictionaries({"every": st.just("1wd")}),
    st.fixed_dictionaries({"every": st.sampled_from(["2wd", "5wd", "30wd"]), "from_": dates}),
    st.fixed_dictionaries({"every": st.sampled_from(["1cd", "1mo", "3mo"]), "closed_day": st.sampled_from(CLOSED_DAYS)}),
    st.fixed_dictionaries({"every": st.just("7cd"), "on": st.sampled_from(WEEKDAYS), "closed_day": st.sampled_from(CLOSED_DAYS)}),
    st.fixed_dictionaries({"every": st.just("1mo"), "day": st.integers(1, 31), "closed_day": st.sampled_from(CLOSED_DAYS)}),
    st.fixed_dictionaries({"every": st.sampled_from(["3cd", "14cd", "1mo", "5mo", "1y"]), "from_": dates, "closed_day": st.sampled_from(CLOSED_DAYS)}),
)  # fmt: skip


@given(rhythms, st.sets(dates, max_size=40), dates, dates)
def test_occurrences_are_those_found_by_walking_the_calendar(keys, closed, one, other):
    """Whatever the rhythm, the closed days and the window."""
    start = RegularStart(at="08:30", **keys)
    first, last = sorted((one, other))
    calendar = calendar_with(closed)
    zone = calendar.timezone
    found = Occurrences(start, calendar).between(
        to_us(datetime(first.year, first.month, first.day, tzinfo=zone)),
        to_us(datetime(last.year, last.month, last.day, 23, 59, tzinfo=zone)),
    )
    got = [(date.fromisoformat(one.name[:10]), from_us(one.due_us, zone).date()) for one in found]
    assert got == walked(start, closed, first, last)
    assert all(
        one.name.endswith("T08:30") and f"{from_us(one.due_us, zone):%H:%M}" == "08:30" for one in found
    )


@given(rhythms, st.sets(dates, max_size=40), dates, dates, dates)
def test_a_window_cut_in_two_has_the_same_occurrences(keys, closed, one, other, third):
    """So that none is due twice or never, whenever a process looks."""
    start = RegularStart(at="08:30", **keys)
    occurrences = Occurrences(start, calendar_with(closed))
    first, cut, last = (
        to_us(datetime(day.year, day.month, day.day, tzinfo=UTC)) for day in sorted((one, other, third))
    )
    assert occurrences.between(first, last) == [
        *occurrences.between(first, cut - 1),
        *occurrences.between(cut, last),
    ]


@given(rhythms, st.sets(dates, max_size=40), dates)
def test_past_the_coverage_nothing_is_known_and_before_it_all_is(keys, closed, last):
    """What a calendar that ends knows is what an endless one knows, up to some day; later ones are not made up."""
    start = RegularStart(at="08:30", **keys)
    window = to_us(datetime(2025, 12, 1, tzinfo=UTC)), to_us(datetime(2026, 6, 30, tzinfo=UTC))
    endless = Occurrences(start, calendar_with(closed))
    ending = Occurrences(start, calendar_with(closed, (date(2025, 1, 1), last)))
    known, all_of_them = ending.between(*window), endless.between(*window)
    assert [one.due_us for one in known] == [one.due_us for one in all_of_them][: len(known)]
    zone = endless.calendar.timezone
    assert all(from_us(one.due_us, zone).date() <= last for one in known)
    missing = [one for one in all_of_them[len(known) :] if date.fromisoformat(one.name[:10]) <= last]
    assert all(from_us(one.due_us, zone).date() > last for one in missing)
    assert ending.unknown_from(window[1]) == last + DAY


@pytest.mark.parametrize(
    ("keys", "after", "name", "due"),
    [
        ({"every": "3mo"}, "2026-09-30T09:00+08:00", "2026-10-01T08:30", "2026-10-08T08:30+08:00"),
        ({"every": "1cd"}, "2026-09-30T09:00+08:00", "2026-10-08T08:30", "2026-10-08T08:30+08:00"),
        ({"every": "7cd", "on": "sat", "closed_day": "previous"}, "2026-10-08T00:00+08:00", "2026-10-10T08:30", "2026-10-10T08:30+08:00"),
        ({"every": "1y", "from_": date(2024, 2, 29)}, "2026-01-01T00:00+08:00", "2026-02-28T08:30", "2026-02-28T08:30+08:00"),
        ({"every": "2y", "from_": date(2020, 5, 6)}, "2025-01-01T00:00+08:00", "2026-05-06T08:30", "2026-05-06T08:30+08:00"),
    ],
)  # fmt: skip
def test_occurrences_over_holidays_and_make_up_days(keys, after, name, due):
    """On the calendar of offices in China: National Day is a week, and a Saturday is worked for it."""
    occurrence = Occurrences(RegularStart(at="08:30", **keys), shipped_calendar("cn_office")).next_from(
        to_us(datetime.fromisoformat(after))
    )
    assert occurrence is not None
    assert occurrence.name == name
    assert occurrence.due_us == to_us(datetime.fromisoformat(due))


def test_a_time_of_day_that_the_clock_skips_or_repeats_is_due_once():
    """In spring 02:30 comes as 03:30; in autumn the first of both 02:30 counts."""
    nights = Occurrences(
        RegularStart(every="1cd", at="02:30"),
        WorkCalendar.from_mapping(
            {"calendar": "nights", "timezone": "Europe/Amsterdam", "weekly": {"mon-sun": ["00:00-24:00"]}}
        ),
    )
    for first, expected in (("2026-03-29", "03:30+02:00"), ("2026-10-25", "02:30+02:00")):
        day = datetime.fromisoformat(f"{first}T00:00+00:00")
        (due,) = nights.between(to_us(day), to_us(day + timedelta(hours=12)))
        assert (
            from_us(due.due_us, nights.calendar.timezone).isoformat()
            == f"{first}T{expected.replace('+', ':00+')}"
        )


def test_before_the_first_day_nothing_is_due():
    """The first day is the first occurrence, if it is open."""
    start = RegularStart(every="1mo", at="08:30", from_=date(2026, 3, 4))
    occurrences = Occurrences(start, calendar_with(set()))
    assert (
        occurrences.between(to_us(datetime(2026, 1, 1, tzinfo=UTC)), to_us(datetime(2026, 2, 1, tzinfo=UTC)))
        == []
    )
    (first,) = occurrences.between(
        to_us(datetime(2026, 3, 1, tzinfo=UTC)), to_us(datetime(2026, 4, 1, tzinfo=UTC))
    )
    assert first.name == "2026-03-04T08:30"


def test_an_occurrence_that_a_correction_takes_away_is_not_due_any_more():
    """Its name stays: it is due on another day, or not at all."""
    day = date(2026, 3, 4)
    kept = Occurrences(RegularStart(every="1cd", at="08:30", closed_day="skip"), calendar_with({day}))
    assert kept.due_us("2026-03-04T08:30") is None
    assert kept.declared_us("2026-03-04T08:30") == to_us(datetime(2026, 3, 4, 0, 30, tzinfo=UTC))
    known = Occurrences(RegularStart(every="1cd", at="08:30"), calendar_with(set(), (FIRST, LAST)))
    assert known.due_us("2026-06-01T08:30") is None
    assert known.next_from(to_us(datetime(2026, 5, 1, tzinfo=UTC))) is None
