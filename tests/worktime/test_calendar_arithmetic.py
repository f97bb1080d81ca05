"""What callers of a calendar could get wrong: zones, closed days, far dates, threads, many at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from svcflow.errors import CalendarCoverageError, DeclarationError
from svcflow.worktime import ClosedDay, WorkCalendar, shipped_calendar
from svcflow.worktime.instants import clock_us, ordinal_at, to_us

G = shipped_calendar("cn_office")
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 3600 * 10**6
ALWAYS = {"calendar": "always", "weekly": {"mon-sun": ["00:00-24:00"]}}


def office(**changes: object) -> WorkCalendar:
    mapping = {"calendar": "office", "timezone": "Europe/Amsterdam", "weekly": {"mon-fri": ["08:30-17:00"]}}
    return WorkCalendar.from_mapping({**mapping, **changes})


def test_answers_come_in_the_calendars_own_zone() -> None:
    """Whatever zone the question was asked in."""
    due = G.add(datetime(2026, 3, 2, 1, 0, tzinfo=UTC), timedelta(hours=2))
    assert due.tzinfo is G.timezone
    assert due.isoformat() == "2026-03-02T11:00:00+08:00"


def test_a_day_of_work_is_open_from_its_opening_and_closed_at_its_closing() -> None:
    """Intervals are half-open: they hold their opening, not their closing."""
    monday = date(2026, 3, 2)
    (morning, noon), (afternoon, evening) = G.intervals(monday)
    assert G.opening(monday) == morning
    assert G.closing(monday) == evening
    assert [G.is_open(at) for at in (morning, noon, afternoon, evening)] == [True, False, True, False]
    assert G.is_open(evening - timedelta(microseconds=1))


def test_a_closed_day_has_neither_opening_nor_closing() -> None:
    """It says so instead of giving another day's."""
    sunday = date(2026, 3, 8)
    assert G.intervals(sunday) == ()
    assert not G.is_working_day(sunday)
    for ask in (G.opening, G.closing):
        with pytest.raises(ClosedDay, match="closed on 2026-03-08"):
            ask(sunday)
    assert G.nth_working_day(sunday, 0) == date(2026, 3, 9)
    assert G.nth_working_day(date(2026, 3, 9), 0) == date(2026, 3, 9)
    assert G.nth_closing_us(to_us(datetime(2026, 3, 8, 9, tzinfo=SHANGHAI)), 0) == to_us(
        G.closing(date(2026, 3, 9))
    )


def test_an_instant_is_refused_where_a_date_is_meant() -> None:
    """A datetime is a date to Python; its date in its own zone may be another day here."""
    for ask in (G.closing, G.is_working_day, G.intervals, G.day_closing_on_or_after):
        with pytest.raises(DeclarationError, match="is an instant"):
            ask(datetime(2026, 3, 2, 20, tzinfo=UTC))


def test_a_count_of_closings_begins_at_one() -> None:
    """There is no closing number 0."""
    for calendar in (G, shipped_calendar("always")):
        at = to_us(datetime(2026, 3, 2, 9, tzinfo=SHANGHAI))
        with pytest.raises(DeclarationError, match="no closing number 0"):
            calendar.nth_closing_from_us(at, 0, at)
        with pytest.raises(DeclarationError):
            calendar.calendar_days(at, -1)


def test_local_time_and_instant_convert_both_ways() -> None:
    """The kernel's `by: "17:00"` needs a day's clock."""
    at = G.clock_us(date(2026, 3, 2), 17 * 60)
    assert at == to_us(datetime(2026, 3, 2, 17, tzinfo=SHANGHAI))
    assert G.date_us(at) == date(2026, 3, 2)


def test_a_night_shift_of_the_coverages_last_day_is_covered_to_its_end() -> None:
    """It belongs to a covered day although it ends on an uncovered morning."""
    nights = office(weekly={"mon-sun": ["22:00-06:00"]}, covers={"from": "2026-01-01", "to": "2026-01-31"})
    start = datetime(2026, 2, 1, 5, tzinfo=nights.timezone)
    assert nights.add(start, timedelta(hours=1)) == datetime(2026, 2, 1, 6, tzinfo=nights.timezone)
    assert nights.day_of(start) == date(2026, 1, 31)
    with pytest.raises(CalendarCoverageError, match="2026-02-01"):
        nights.add(start, timedelta(hours=2))
    with pytest.raises(CalendarCoverageError, match="2026-02-02"):
        nights.is_open(start + timedelta(days=1))


def test_the_night_before_a_table_begins_is_not_forgotten() -> None:
    """New Year's morning still belongs to the shift of 31 December, though years are compiled one by one."""
    nights = office(weekly={"mon-sun": ["22:00-06:00"]})
    morning = datetime(2026, 1, 1, 2, tzinfo=nights.timezone)
    assert nights.is_open(morning)
    assert nights.day_of(morning) == date(2025, 12, 31)
    assert nights.add(morning, timedelta(hours=5)) == datetime(2026, 1, 1, 23, tzinfo=nights.timezone)


def test_years_are_compiled_as_far_as_an_answer_needs() -> None:
    """Forty years on and forty back, from a calendar that has compiled one year."""
    start = datetime(2026, 3, 2, 8, 30, tzinfo=ZoneInfo("Europe/Amsterdam"))
    weeks = 52 * 40
    assert office().add(start, timedelta(hours=42.5) * weeks) == start + timedelta(
        weeks=weeks - 1, days=4, hours=8.5
    )
    assert office().subtract(start, timedelta(hours=42.5) * weeks) == start - timedelta(weeks=weeks)
    assert office().nth_working_day(start.date(), 5 * weeks) == start.date() + timedelta(weeks=weeks)
    assert office().nth_working_day(start.date(), -5 * weeks) == start.date() - timedelta(weeks=weeks)
    assert office().between(start - timedelta(weeks=weeks), start) == timedelta(hours=42.5) * weeks


def test_a_fresh_calendar_looks_as_far_back_as_it_must() -> None:
    """The last closing of a year ago, a closing some years on, an end in another year: none is compiled yet."""
    zone = ZoneInfo("Europe/Amsterdam")
    sundays = {"sun": ["09:00-12:00"]}
    new_year = datetime(2026, 1, 1, 0, 30, tzinfo=zone)
    assert office(weekly=sundays).subtract(new_year, timedelta(0)) == datetime(2025, 12, 28, 12, tzinfo=zone)
    assert office().subtract(datetime(2031, 1, 6, 9, tzinfo=zone), timedelta(hours=1)) == datetime(
        2031, 1, 3, 16, 30, tzinfo=zone
    )
    friday_us = to_us(datetime(2026, 12, 25, 9, tzinfo=zone))
    assert office().nth_closing_us(friday_us, 10) == to_us(datetime(2027, 1, 8, 17, tzinfo=zone))
    assert office().nth_closing_us(to_us(datetime(2031, 1, 3, 9, tzinfo=zone)), 1) == to_us(
        datetime(2031, 1, 6, 17, tzinfo=zone)
    )


@pytest.mark.parametrize("calendar", [office(), shipped_calendar("always")])
def test_what_no_date_can_express_is_a_coverage_error(calendar: WorkCalendar) -> None:
    """Neither an OverflowError nor an hour of compiling millennia."""
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    with pytest.raises(CalendarCoverageError, match=r"too large"):
        calendar.add(start, timedelta(days=900_000_000))
    with pytest.raises(CalendarCoverageError):
        calendar.subtract(start, timedelta(days=900_000_000))
    with pytest.raises(CalendarCoverageError):
        calendar.nth_working_day(start, 10**8)
    with pytest.raises(CalendarCoverageError):
        calendar.nth_working_day(start, -(10**8))
    with pytest.raises(CalendarCoverageError):
        calendar.months(to_us(start), 10**6)
    with pytest.raises(CalendarCoverageError):
        calendar.closing(date.max)
    assert calendar.add(start, timedelta(0)).astimezone(UTC) == start


def test_an_instant_beyond_all_dates_is_a_coverage_error() -> None:
    """The integer core names the calendar as well."""
    for at in (10**18, -(10**18)):
        with pytest.raises(CalendarCoverageError, match="office"):
            office().add_us(at, HOUR)


@pytest.mark.no_cover
def test_threads_may_share_a_calendar_while_it_compiles() -> None:
    """Tables are replaced, never changed, so every thread gets the single right answer."""
    starts = [datetime(year, 6, 3, 9, tzinfo=UTC) for year in range(1990, 2060)] * 4
    shared = office()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: shared.add(at, timedelta(hours=400)), starts))
    assert found == [office().add(at, timedelta(hours=400)) for at in starts[:70]] * 4


@pytest.mark.parametrize("calendar", [G, office(), shipped_calendar("always")])
def test_many_additions_at_once_give_the_same_instants(calendar: WorkCalendar) -> None:
    """Zero amounts, closings and answers some years on included."""
    random = np.random.default_rng(7)
    low, high = to_us(datetime(2024, 5, 1, tzinfo=UTC)), to_us(datetime(2025, 5, 1, tzinfo=UTC))
    starts = random.integers(low, high, 2000)
    starts[:200] = [to_us(calendar.closing(date(2024, 6, 3)))] * 200
    amounts = random.integers(0, 900 * HOUR, 2000)
    amounts[::5] = 0
    expected = [
        calendar.add_us(int(start), int(amount)) for start, amount in zip(starts, amounts, strict=True)
    ]
    assert calendar.add_many(starts, amounts).tolist() == expected
    assert calendar.add_many(starts.tolist(), HOUR).tolist() == [
        calendar.add_us(int(at), HOUR) for at in starts
    ]
    assert calendar.add_many([], []).tolist() == []


def test_many_additions_refuse_what_one_addition_refuses() -> None:
    """Negative amounts and answers past the coverage; the table grows for an opening alone, too."""
    last = to_us(datetime(2026, 12, 31, 17, 30, tzinfo=SHANGHAI))
    with pytest.raises(DeclarationError):
        G.add_many([last], [-1])
    with pytest.raises(DeclarationError):
        shipped_calendar("always").add_many([last], [-1])
    for amount in (0, 1):
        with pytest.raises(CalendarCoverageError):
            G.add_many([last - 30 * 24 * HOUR, last], amount)
    friday = to_us(datetime(2026, 12, 31, 17, 0, tzinfo=ZoneInfo("Europe/Amsterdam")))
    assert office().add_many([friday], 0).tolist() == [office().add_us(friday, 0)]


def test_without_numpy_many_additions_name_the_extra_to_install() -> None:
    """numpy is optional; everything else works without it."""
    code = """
import sys
sys.modules["numpy"] = None
from svcflow.errors import MissingExtra
from svcflow.worktime import shipped_calendar
try:
    shipped_calendar("always").add_many([0], [0])
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "svcflow[fast]" in done.stdout


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("Asia/Shanghai", date(2026, 3, 8)),
        ("America/New_York", date(2026, 3, 8)),
        ("America/New_York", date(2026, 11, 1)),
        ("America/St_Johns", date(2006, 10, 29)),  # from 00:01 back to 23:01 of the day before
        ("America/Sao_Paulo", date(2015, 10, 18)),  # midnight itself is skipped
        ("Africa/Cairo", date(2010, 10, 1)),  # from midnight back to 23:00
        ("UTC", date(2026, 3, 8)),
    ],
    ids=str,
)
def test_dates_and_clock_times_are_those_of_the_zone(zone: str, around: date) -> None:
    """Looked up in a table, they are what the zone says, on the days its clock changes too."""
    calendar, known = WorkCalendar.from_mapping({**ALWAYS, "timezone": zone}), ZoneInfo(zone)
    begin = to_us(datetime(around.year, around.month, around.day, tzinfo=known) - timedelta(days=2))
    calendar.add_us(begin, 4 * 24 * HOUR)  # so that the table holds these days
    for at_us in range(begin, begin + 4 * 24 * HOUR, HOUR // 12):
        assert calendar.date_us(at_us).toordinal() == ordinal_at(at_us, known)
    for day in (around + timedelta(n) for n in range(-2, 3)):
        for minute in range(0, 1440, 29):
            assert calendar.clock_us(day, minute) == clock_us(known, day, minute)


def test_the_time_open_in_many_intervals_is_that_of_each() -> None:
    """One question for all of them; none gives none, and an interval past the coverage is refused."""
    for calendar in (G, office(), WorkCalendar.from_mapping({**ALWAYS, "timezone": "UTC"})):
        first = to_us(datetime(2026, 3, 2, 0, 50, tzinfo=UTC))
        runs = [(first + n * 7 * HOUR, first + n * 7 * HOUR + 5 * HOUR) for n in range(30)]
        assert calendar.arithmetic.each_between_us(runs) == [calendar.between_us(*run) for run in runs]
        assert calendar.arithmetic.each_between_us([]) == []
    with pytest.raises(CalendarCoverageError):
        G.arithmetic.each_between_us([(first, first + 90_000 * HOUR)])


def test_around_the_clock_a_day_closes_at_its_midnight() -> None:
    """In UTC, where nothing is looked up."""
    calendar = WorkCalendar.from_mapping({**ALWAYS, "timezone": "UTC"})
    assert calendar.day_closing_on_or_after(date(2026, 3, 2)) == to_us(datetime(2026, 3, 3, tzinfo=UTC))
