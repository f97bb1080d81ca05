"""The numbered edge cases of the time-limit design that are arithmetic of a calendar alone.

G is the shipped `cn_office`: 08:30-12:00 and 13:30-17:30 with the State Council's arrangement of 2026.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from svcflow.errors import CalendarCoverageError, DeclarationError, NaiveDatetime
from svcflow.worktime import WorkCalendar, shipped_calendar
from svcflow.worktime.instants import from_us, to_us

G = shipped_calendar("cn_office")
SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """Read `03-02 09:00` as of 2026, or a full date."""
    return datetime.fromisoformat(text if text.count("-") == 2 else f"2026-{text}").replace(tzinfo=zone)


def hours(amount: float) -> timedelta:
    return timedelta(hours=amount)


def closing(start: str, n: int) -> datetime:
    return from_us(G.nth_closing_us(to_us(at(start)), n), SHANGHAI)


@pytest.mark.parametrize(
    ("case", "start", "amount", "due"),
    [
        (1, "03-02 09:00", 2, "03-02 11:00"),
        (2, "03-02 07:00", 2, "03-02 10:30"),
        (3, "03-02 12:30", 1, "03-02 14:30"),
        (4, "03-06 18:00", 1, "03-09 09:30"),
        (5, "03-06 17:30", 1, "03-09 09:30"),
        (6, "03-02 08:30", 1, "03-02 09:30"),
        (7, "03-02 13:30", 4, "03-02 17:30"),
        (8, "03-02 08:30", 3.5, "03-02 12:00"),
        (9, "03-02 11:30", 1, "03-02 14:00"),
        (11, "03-02 09:00", 0, "03-02 09:00"),
        (11, "03-06 20:00", 0, "03-09 08:30"),
        (11, "03-02 12:00", 0, "03-02 13:30"),
        (12, "02-28 09:00", 10, "03-02 11:30"),
        (13, "02-14 16:30", 4, "02-24 11:30"),
        (14, "10-01 10:00", 1, "10-08 09:30"),
        (15, "10-09 17:00", 1, "10-10 09:00"),
        (45, "03-02 16:30", 0.8 * 4, "03-03 10:42"),
    ],
)
def test_open_time_is_added_to_the_earliest_instant(case: int, start: str, amount: float, due: str) -> None:
    """Cases 1-9, 11-15, 45: a limit of working hours ends at the earliest instant that reaches it."""
    assert G.add(at(start), hours(amount)) == at(due), f"case {case}"


def test_one_microsecond_past_the_deadline_is_late() -> None:
    """Case 10: no rounding hides the last microsecond; the deadline itself has used exactly the limit."""
    start, due = at("03-02 09:00"), at("03-02 11:00")
    assert G.between(start, due) == hours(2)
    assert G.between(start, due + timedelta(microseconds=1)) == hours(2) + timedelta(microseconds=1)
    assert G.add(start, hours(2) + timedelta(microseconds=1)) == due + timedelta(microseconds=1)


def test_a_negative_limit_is_a_mistake_of_the_declaration() -> None:
    """Case 11: neither addition nor subtraction runs backwards on the quiet."""
    for calendar in (G, shipped_calendar("always")):
        with pytest.raises(DeclarationError, match="cannot be negative"):
            calendar.add(at("03-02 09:00"), hours(-1))
        with pytest.raises(DeclarationError, match="cannot be negative"):
            calendar.subtract(at("03-02 09:00"), hours(-1))


@pytest.mark.parametrize(
    ("case", "start", "n", "due"),
    [
        (16, "03-06 09:00", 3, "03-11 17:30"),
        (16, "03-06 23:00", 3, "03-11 17:30"),
        (17, "03-07 10:00", 1, "03-09 17:30"),
        (18, "02-27 10:00", 1, "02-28 17:30"),
        (19, "02-13 10:00", 5, "02-27 17:30"),
        (19, "09-30 10:00", 5, "10-13 17:30"),
    ],
)
def test_a_limit_in_working_days_ends_at_closing_time(case: int, start: str, n: int, due: str) -> None:
    """Cases 16-19: the start day is not counted, make-up days are (民法典 §201, §203)."""
    assert closing(start, n) == at(due), f"case {case}"
    assert G.closing(G.nth_working_day(at(start), n)) == at(due)


def test_calendar_days_roll_only_from_a_closed_day() -> None:
    """Cases 20 and 21: 10-03 is a holiday and rolls to 10-08; Saturday 02-14 is a make-up day and stays."""
    assert from_us(G.calendar_days(to_us(at("09-18 10:00")), 15), SHANGHAI) == at("10-08 17:30")
    assert from_us(G.calendar_days(to_us(at("01-15 10:00")), 30), SHANGHAI) == at("02-14 17:30")


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        ("2026-01-31 10:00", 1, "2026-02-28 17:30"),
        ("2024-01-31 10:00", 1, "2024-02-29 17:30"),
        ("2024-02-29 10:00", 12, "2025-02-28 17:30"),
        ("2025-12-15 10:00", 1, "2026-01-15 17:30"),
    ],
)
def test_months_end_on_the_same_date_or_at_month_end(start: str, n: int, due: str) -> None:
    """Case 22: a month that lacks the date ends on its last day."""
    assert from_us(G.months(to_us(at(start)), n), SHANGHAI) == at(due)


def paused(start: str, limit: float, *pauses: tuple[str, str]) -> datetime:
    """Run a limit with pauses the way a clock does: what is left goes on when work resumes."""
    left, running_from = hours(limit), at(start)
    for pause, resume in pauses:
        left -= G.between(running_from, at(pause))
        running_from = at(resume)
    return G.add(running_from, left)


@pytest.mark.parametrize(
    ("case", "start", "limit", "pauses", "due"),
    [
        (23, "03-02 09:00", 4, [("03-02 10:00", "03-02 15:00")], "03-03 09:00"),
        (24, "04-03 16:00", 3, [("04-03 17:00", "04-07 09:30")], "04-07 11:30"),
        (25, "03-02 16:00", 4, [("03-02 18:00", "03-03 08:00")], "03-03 11:00"),
        (
            26,
            "03-02 09:00",
            4,
            [("03-02 10:00", "03-02 11:00"), ("03-02 14:00", "03-02 16:00")],
            "03-02 17:30",
        ),
        (27, "03-02 09:00", 4, [("03-02 11:00", "03-02 20:00")], "03-03 10:30"),
    ],
)
def test_a_pause_takes_out_exactly_the_open_time_it_covers(
    case: int, start: str, limit: float, pauses: list[tuple[str, str]], due: str
) -> None:
    """Cases 23-27: between and add compose; a pause outside hours changes nothing."""
    assert paused(start, limit, *pauses) == at(due), f"case {case}"
    if case == 25:
        assert paused(start, limit) == at(due)


@pytest.mark.parametrize(
    ("hold", "resume", "due"),
    [("03-03 16:00", "03-05 09:00", "03-11 17:30"), ("03-03 10:00", "03-03 16:00", "03-09 17:30")],
)
def test_a_working_day_counts_when_the_clock_runs_at_its_closing(hold: str, resume: str, due: str) -> None:
    """Case 30: 5wd from Monday 03-02; days whose closing falls in the hold do not count."""
    start = to_us(at("03-02 10:00"))
    counted = G.closings_between_us(start, to_us(at(hold)), start)
    ends = G.nth_closing_from_us(to_us(at(resume)), 5 - counted, start)
    assert from_us(ends, SHANGHAI) == at(due)


def test_time_before_an_anchor_is_the_latest_instant() -> None:
    """Cases 31 and 32: subtraction mirrors addition over nights and holidays."""
    always = shipped_calendar("always")
    assert always.subtract(at("03-02 14:00"), hours(0.5)) == at("03-02 13:30")
    assert always.subtract(at("03-02 08:30"), hours(0.5)) == at("03-02 08:00")
    assert G.subtract(at("03-02 08:30"), hours(0.5)) == at("02-28 17:00"), "02-28 is a make-up Saturday"
    assert G.subtract(at("03-09 08:30"), hours(0.5)) == at("03-06 17:00")
    assert G.subtract(at("03-09 09:30"), hours(2)) == at("03-06 16:30")
    assert G.subtract(at("02-24 10:00"), hours(4)) == at("02-14 15:00")


def test_a_whole_morning_before_noon_begins_at_opening_not_at_the_last_closing() -> None:
    """The mirror of case 8: the latest instant, not the closing of the evening before."""
    assert G.subtract(at("03-10 12:00"), hours(3.5)) == at("03-10 08:30")


def test_nothing_before_an_anchor_outside_hours_is_the_last_closing() -> None:
    """The mirror of case 11."""
    assert G.subtract(at("03-10 09:00"), hours(0)) == at("03-10 09:00")
    assert G.subtract(at("03-10 17:30"), hours(0)) == at("03-10 17:30")
    assert G.subtract(at("03-08 09:00"), hours(0)) == at("03-06 17:30")


def test_working_days_are_counted_back() -> None:
    """Case 33: 1wd before Tuesday 02-24 is the make-up Saturday 02-14; 3wd before 10-10 is 09-30."""
    assert G.nth_working_day(date(2026, 2, 24), -1) == date(2026, 2, 14)
    assert G.nth_working_day(date(2026, 10, 10), -3) == date(2026, 9, 30)


@pytest.mark.parametrize(
    ("asked", "due"),
    [("03-06 15:00", "03-06 17:00"), ("03-06 15:01", "03-09 17:00"), ("03-07 10:00", "03-09 17:00")],
)
def test_a_request_after_the_cutoff_counts_as_the_next_working_days(asked: str, due: str) -> None:
    """Case 38: by 17:00 with a cutoff at 15:00, from the day's clock and the next working day."""
    cutoff = G.clock_us(G.day_of(at(asked)), 15 * 60)
    in_time = G.is_working_day(G.day_of(at(asked))) and to_us(at(asked)) <= cutoff
    day = G.nth_working_day(at(asked), 0 if in_time else 1)
    assert from_us(G.clock_us(day, 17 * 60), SHANGHAI) == at(due)


def night_shifts(zone: str, days: str) -> WorkCalendar:
    return WorkCalendar.from_mapping(
        {"calendar": "nights", "timezone": zone, "weekly": {days: ["22:00-06:00"]}}
    )


def test_a_shift_over_midnight_belongs_to_its_start_day() -> None:
    """Case 39: Friday's shift ends on Saturday morning and is still Friday's."""
    nights = night_shifts("Asia/Shanghai", "mon-fri")
    assert nights.add(at("03-06 23:00"), hours(8)) == at("03-09 23:00")
    assert nights.add(at("03-07 02:00"), hours(1)) == at("03-07 03:00")
    assert nights.day_of(at("03-07 02:00")) == date(2026, 3, 6)
    assert nights.day_of(at("03-07 06:00")) == date(2026, 3, 7)
    assert nights.closing(date(2026, 3, 6)) == at("03-07 06:00")
    assert nights.nth_working_day(at("03-07 02:00"), 1) == date(2026, 3, 9)


def test_a_shift_over_a_change_of_the_clock_has_the_hours_really_worked() -> None:
    """Case 40: New York, 7 hours on 2026-03-07 and 9 hours on 10-31."""
    nights = night_shifts("America/New_York", "mon-sun")
    spring, autumn = at("03-07 22:00", NEW_YORK), at("10-31 22:00", NEW_YORK)
    assert nights.between(spring, nights.closing(date(2026, 3, 7))) == hours(7)
    assert nights.add(spring, hours(6)) == at("03-08 05:00", NEW_YORK)
    assert nights.between(autumn, nights.closing(date(2026, 10, 31))) == hours(9)
    assert nights.add(autumn, hours(6)) == at("11-01 03:00", NEW_YORK)


def test_skipped_and_repeated_local_times_are_instants_like_any_other() -> None:
    """Case 41: 02:30 in the gap is 03:30; the first 01:30 plus one hour is the second, then 02:30."""
    open_always = WorkCalendar.from_mapping(
        {"calendar": "ny", "timezone": "America/New_York", "weekly": {"mon-sun": "00:00-24:00"}}
    )
    shown = open_always.add(at("03-08 02:30", NEW_YORK), hours(0))
    assert (shown.hour, shown.minute) == (3, 30)
    assert open_always.clock_us(date(2026, 3, 8), 150) == to_us(at("03-08 03:30", NEW_YORK))
    first = at("11-01 01:30", NEW_YORK)
    second = open_always.add(first, hours(1))
    assert (second.hour, second.minute, second.fold) == (1, 30, 1)
    last = open_always.add(second, hours(1))
    assert (last.hour, last.minute) == (2, 30)


def test_elapsed_time_over_a_gap_is_not_wall_clock_time() -> None:
    """Case 42: 24 h from 12:00 before the gap ends at 13:00; `aware + timedelta` would say 12:00."""
    noon = at("03-07 12:00", NEW_YORK)
    due = shipped_calendar("always").add(noon, hours(24))
    assert due.astimezone(NEW_YORK) == at("03-08 13:00", NEW_YORK)
    assert (noon + hours(24)).hour == 12


def test_an_overrun_is_measured_in_the_limits_own_clock() -> None:
    """Case 46: Friday 17:00 to Monday 09:00 is 60 working minutes and 64 hours."""
    due, ended = at("03-06 17:00"), at("03-09 09:00")
    assert G.between(due, ended) == timedelta(minutes=60)
    assert shipped_calendar("always").between(due, ended) == hours(64)
    assert G.between(ended, due) == -timedelta(minutes=60)


@pytest.mark.parametrize(
    ("start", "amount"), [("2026-12-31 17:00", 1), ("2026-12-31 17:30", 0), ("2027-01-04 09:00", 1)]
)
def test_past_the_coverage_is_an_error_that_names_calendar_day_and_remedy(start: str, amount: float) -> None:
    """Case 48: nothing is guessed about a year that is not published."""
    with pytest.raises(CalendarCoverageError, match=r"cn_office .*2027-01-0\d.*widen its covers") as error:
        G.add(at(start), hours(amount))
    assert "放宽 covers" in error.value.text("zh")


def test_before_the_coverage_is_an_error_too() -> None:
    """Case 48, backwards."""
    with pytest.raises(CalendarCoverageError, match="2007-12-31"):
        G.subtract(at("2008-01-02 09:00"), hours(1))
    with pytest.raises(CalendarCoverageError, match="2007-12-31"):
        G.between(at("2007-12-31 09:00"), at("2008-01-02 09:00"))
    with pytest.raises(CalendarCoverageError):
        G.nth_working_day(date(2008, 1, 2), -1)
    with pytest.raises(CalendarCoverageError):
        G.nth_working_day(date(2026, 12, 31), 1)
    with pytest.raises(CalendarCoverageError):
        G.months(to_us(at("12-15 09:00")), 1)


def test_the_very_end_of_the_coverage_can_still_be_named() -> None:
    """Case 48: what is known up to the last midnight is answered."""
    assert G.add(at("2026-12-31 16:30"), hours(1)) == at("2026-12-31 17:30")
    assert G.between(at("2026-12-31 16:30"), at("2027-01-01 00:00")) == hours(1)
    assert G.between(at("2008-01-01 00:00"), at("2008-01-02 09:30")) == hours(1)


@pytest.mark.parametrize("calendar", [G, shipped_calendar("always")])
def test_a_naive_datetime_is_refused(calendar: WorkCalendar) -> None:
    """Case 48: no zone is assumed."""
    naive, aware = datetime(2026, 3, 2, 9), datetime(2026, 3, 2, 9, tzinfo=UTC)  # noqa: DTZ001 - the point
    for ask in (
        lambda: calendar.add(naive, hours(1)),
        lambda: calendar.subtract(naive, hours(1)),
        lambda: calendar.between(aware, naive),
        lambda: calendar.is_open(naive),
        lambda: calendar.day_of(naive),
        lambda: calendar.nth_working_day(naive, 1),
    ):
        with pytest.raises(NaiveDatetime, match="no time zone"):
            ask()
