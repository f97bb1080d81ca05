"""Seasons of a calendar, and single days of other hours: what a file may say, and how its mistakes are told."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcflow.checks import check_calendar
from svcflow.errors import DeclarationError
from svcflow.worktime import WorkCalendar, shipped_calendar, shipped_names

SUMMER = {"from": "05-01", "to": "09-30", "mon-fri": ["08:00-12:00", "14:30-17:30"]}
WINTER = {"from": "10-01", "to": "04-30", "mon-fri": ["08:30-12:00", "13:30-17:30"]}
OFFICE: dict[str, object] = {
    "calendar": "office",
    "timezone": "Asia/Shanghai",
    "weekly": [SUMMER, WINTER],
    "covers": {"from": date(2024, 1, 1), "to": date(2026, 12, 31)},
}
DAY = timedelta(days=1)


def office(**changes: object) -> WorkCalendar:
    return WorkCalendar.from_mapping({**OFFICE, **changes})


def clock(calendar: WorkCalendar, day: date) -> list[str]:
    return [f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in calendar.intervals(day)]


def test_a_day_has_the_hours_of_its_season() -> None:
    """Both ends of a season belong to it, the end of February in a leap year included."""
    calendar = office()
    assert clock(calendar, date(2026, 4, 30)) == WINTER["mon-fri"]
    assert clock(calendar, date(2026, 5, 1)) == SUMMER["mon-fri"]
    assert clock(calendar, date(2026, 9, 30)) == SUMMER["mon-fri"]
    assert clock(calendar, date(2026, 10, 1)) == WINTER["mon-fri"]
    assert clock(calendar, date(2024, 2, 29)) == WINTER["mon-fri"]
    assert clock(calendar, date(2026, 1, 1)) == WINTER["mon-fri"]


def test_working_time_runs_on_over_a_change_of_season() -> None:
    """Three hours left of the winter's last afternoon, the rest on the summer's first morning."""
    calendar = office()
    start = datetime(2026, 4, 30, 14, 30, tzinfo=calendar.timezone)
    assert calendar.add(start, timedelta(hours=5)) == datetime(2026, 5, 1, 10, tzinfo=calendar.timezone)
    assert calendar.between(start, start + timedelta(days=2)) == timedelta(hours=10)


def test_a_make_up_day_has_its_seasons_monday() -> None:
    """A run over a change of season has both."""
    weekend = {"date": "2026-05-02", "to": "2026-05-03"}
    assert clock(office(makeup=[weekend]), date(2026, 5, 3)) == SUMMER["mon-fri"]
    across = office(makeup=[{"date": "2025-09-27"}, {"date": "2025-10-04"}])
    assert clock(across, date(2025, 9, 27)) == SUMMER["mon-fri"]
    assert clock(across, date(2025, 10, 4)) == WINTER["mon-fri"]


def test_a_half_day_is_a_working_day_of_other_hours() -> None:
    """It is named as such, and is neither a holiday nor a make-up day."""
    calendar = office(days=[{"date": "2026-02-13", "name": "半天", "hours": ["08:30-12:00"]}])
    half = date(2026, 2, 13)
    assert clock(calendar, half) == ["08:30-12:00"]
    assert calendar.has_other_hours(half)
    assert not calendar.has_other_hours(half + 3 * DAY)
    assert calendar.special(half) is not None
    assert calendar.nth_working_day(half - DAY, 1) == half


@pytest.mark.parametrize(
    "mapping",
    [
        OFFICE,
        {**OFFICE, "weekly": [{"from": "07-01", "to": "06-30", "mon": ["09:00-10:00"]}]},
        {
            **OFFICE,
            "weekly": [SUMMER, {"from": "10-01", "to": "12-31"}, {"from": "01-01", "to": "04-30", "sat": []}],
            "days": [{"date": "2026-05-04", "hours": ["09:00-12:00"], "name": {"zh": "半天", "en": "Half"}}],
        },
    ],
)
def test_it_is_read_back_as_it_was_written(mapping: dict[str, object]) -> None:
    """Seasons keep their order; one without hours is closed."""
    calendar = WorkCalendar.from_mapping(mapping)
    assert WorkCalendar.from_mapping(calendar.to_mapping()) == calendar


def test_a_list_of_one_week_is_that_week() -> None:
    """How the same hours are said matters to no fingerprint; another season's hours do."""
    plain = WorkCalendar.from_mapping({**OFFICE, "weekly": {"mon-fri": SUMMER["mon-fri"]}})
    for first, last in (("01-01", "12-31"), ("05-01", "04-30")):
        assert office(weekly=[{**SUMMER, "from": first, "to": last}]).fingerprint() == plain.fingerprint()
    halves = [{**SUMMER, "to": "12-31"}, {**SUMMER, "from": "01-01", "to": "04-30"}]
    assert office(weekly=halves).fingerprint() == plain.fingerprint()
    assert office(weekly=[WINTER, SUMMER]).fingerprint() == office().fingerprint()
    later = [{**SUMMER, "from": "05-02"}, {**WINTER, "to": "05-01"}]
    half = [{"date": "2026-02-13", "hours": ["08:30-12:00"]}]
    prints = {office(**changes).fingerprint() for changes in ({}, {"weekly": later}, {"days": half})}
    assert len(prints | {plain.fingerprint()}) == 4


@pytest.mark.parametrize(
    ("changes", "path", "says", "remedy"),
    [
        (
            {"weekly": [SUMMER, {**WINTER, "from": "10-08"}]},
            ("weekly", 0, "to"),
            "no season holds on 10-01…10-07",
            "write to: 10-07",
        ),
        (
            {"weekly": [SUMMER, {**WINTER, "to": "02-28"}]},
            ("weekly", 1, "to"),
            "no season holds on 02-29…04-30",
            "write to: 04-30",
        ),
        ({"weekly": [SUMMER, {**WINTER, "to": "04-29"}]}, ("weekly", 1, "to"), "on 04-30", "write to: 04-30"),
        (
            {"weekly": [SUMMER, {**WINTER, "from": "09-15"}]},
            ("weekly", 1),
            "overlaps entry 1 on 09-15…09-30",
            "in the entry from 05-01, write to: 09-14",
        ),
        (
            {"weekly": [{**WINTER, "from": "01-01", "to": "12-31"}, SUMMER]},
            ("weekly", 1),
            "overlaps entry 1 on 05-01…09-30",
            "divide the entry of 01-01…12-31 into 01-01…04-30 and 10-01…12-31",
        ),
        (
            {"weekly": [{**SUMMER, "from": "01-01", "to": "12-31"}] * 2},
            ("weekly", 1),
            "overlaps entry 1 on 01-01…12-31",
            "keep one of them",
        ),
        ({"weekly": [SUMMER, "winter"]}, ("weekly", 1), "is no season", "write each season as {from: 05-01"),
        (
            {"weekly": [{**SUMMER, "from": "5月1日", "to": "04-30"}]},
            ("weekly", 0, "from"),
            "is no month and day",
            "write 05-01",
        ),
        (
            {"weekly": [{**SUMMER, "from": date(2026, 5, 1)}, WINTER]},
            ("weekly", 0, "from"),
            "is no month and day",
            "write 05-01",
        ),
        (
            {"weekly": [{**SUMMER, "to": "02-30"}, WINTER]},
            ("weekly", 0, "to"),
            "is no month and day",
            "write it as 05-01",
        ),
        (
            {"weekly": [{**SUMMER, "monday": []}, WINTER]},
            ("weekly", 0, "monday"),
            "does not name days of the week",
            "use mon tue",
        ),
        (
            {"weekly": [{**SUMMER, "mon-fri": ["8-12"]}, WINTER]},
            ("weekly", 0, "mon-fri", 0),
            "is not an interval",
            "08:00-12:00",
        ),
        (
            {"weekly": [{**SUMMER, "mon-fri": ["22:00-09:00"]}, WINTER]},
            ("weekly", 0),
            "last night overlaps 08:30-12:00",
            "move one of them",
        ),
        (
            {"weekly": [SUMMER, {**WINTER, "mon-fri": ["05:00-08:00", "22:00-06:00"]}]},
            ("weekly", 1),
            "22:00-06:00 overlaps 05:00-08:00",
            "move one of them",
        ),
        (
            {"days": [{"date": "2026-02-14", "hours": ["08:30-12:00"]}]},
            ("days", 0),
            "the week closes 2026-02-14",
            "under makeup",
        ),
        (
            {"days": [{"date": "2026-02-13", "hours": []}]},
            ("days", 0, "hours"),
            "no open interval",
            "under holidays",
        ),
        ({"days": [{"date": "2026-02-13"}]}, ("days", 0), "has no hours", "write hours"),
        (
            {"days": [{"date": "2026-02-13", "to": "2026-02-16", "hours": ["08:30-12:00"]}]},
            ("days", 0, "to"),
            "is a single day",
            "an entry for each day",
        ),
        (
            {
                "days": [{"date": "2026-02-13", "hours": ["08:30-12:00"]}],
                "holidays": [{"date": "2026-02-13"}],
            },
            ("days", 0),
            "both a holiday and a day of other hours",
            "leave it out of holidays",
        ),
        (
            {"days": [{"date": "2026-02-13", "hours": ["08:30-12:00"]}] * 2},
            ("days", 1),
            "is listed twice as a day of other hours",
            "keep it in one place",
        ),
        (
            {"days": [{"date": "2027-02-12", "hours": ["08:30-12:00"]}]},
            ("days", 0),
            "is outside the coverage",
            "widen covers",
        ),
        (
            {"days": [{"date": "2026-02-12", "hours": ["22:00-09:00"]}]},
            ("days", 0),
            "of a neighbouring day",
            "change the hours",
        ),
        (
            {"days": [{"date": "2026-02-13", "hours": ["08:30-12:00"]}], "covers": None},
            ("covers",),
            "must say what it covers",
            "write covers",
        ),
        ({"weekly": [{**SUMMER, "to": "04-30", "mon-fri": []}]}, ("weekly",), "no open interval", "open at"),
    ],
)
def test_a_mistake_names_its_place_and_what_to_write(
    changes: dict[str, object], path: object, says: str, remedy: str
) -> None:
    """Nothing silently means other hours."""
    with pytest.raises(DeclarationError) as error:
        office(**changes)
    (found,) = error.value.problems
    assert found.path == path
    assert says in found.message.en
    assert remedy in found.remedy.en
    assert found.remedy.zh
    assert found.message.zh != found.message.en


year_days = st.dates(date(2024, 1, 1), date(2024, 12, 31))


@given(st.lists(st.tuples(year_days, year_days), min_size=1, max_size=4))
def test_seasons_are_taken_just_when_each_day_of_the_year_has_one(spans: list[tuple[date, date]]) -> None:
    """Counted day by day: neither none nor two."""
    seasons = [{"from": f"{a:%m-%d}", "to": f"{b:%m-%d}", "mon-sun": ["09:00-10:00"]} for a, b in spans]
    held = [0] * 366
    for first, last in spans:
        day = first
        held[day.timetuple().tm_yday - 1] += 1
        while day != last:
            day = date(2024, 1, 1) if day == date(2024, 12, 31) else day + DAY
            held[day.timetuple().tm_yday - 1] += 1
    if set(held) == {1}:
        office(weekly=seasons)
        return
    with pytest.raises(DeclarationError) as error:
        office(weekly=seasons)
    assert all(problem.remedy.en for problem in error.value.problems)


def test_a_run_of_make_up_days_that_opens_a_weekend_is_found() -> None:
    """Two weeks of other hours were meant; a weekend that is worked is no mistake."""
    (found,) = check_calendar(
        office(makeup=[{"date": "2026-02-09", "to": "2026-02-20", "hours": ["09:00-12:00"]}])
    )
    assert (found.code, found.path) == ("makeup-opens-days-off", ("makeup", 0))
    assert "2026-02-14, 2026-02-15" in found.message.en
    assert "under days" in found.remedy.en
    assert not check_calendar(office(makeup=[{"date": "2026-02-14", "to": "2026-02-15"}]))
    assert not check_calendar(
        office(makeup=[{"date": "2026-02-16", "to": "2026-02-20", "hours": ["09:00-12:00"]}])
    )


@pytest.mark.parametrize("name", shipped_names())
def test_the_shipped_calendars_have_no_findings(name: str) -> None:
    """Each make-up day in them is a day off that is worked."""
    assert not check_calendar(shipped_calendar(name))
