"""What a calendar file may say, and how its mistakes are told."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta

import pytest

from svcflow.errors import DeclarationError, Problem
from svcflow.text import Text
from svcflow.worktime import Coverage, WorkCalendar

OFFICE = {
    "calendar": "office",
    "name": {"zh": "办公", "en": "Office"},
    "timezone": "Asia/Shanghai",
    "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]},
    "covers": {"from": date(2026, 1, 1), "to": date(2026, 12, 31)},
    "holidays": [{"date": date(2026, 2, 15), "to": date(2026, 2, 23), "name": "春节"}],
    "makeup": [
        {"date": date(2026, 2, 14), "name": "春节调休"},
        {"date": "2026-02-28", "hours": ["09:00-12:00"]},
    ],
    "source": "国务院办公厅关于2026年部分节假日安排的通知",
}


def problems(**changes: object) -> tuple[Problem, ...]:
    """Return what is wrong with the office once changed; `...` takes a key away."""
    mapping = {key: value for key, value in {**OFFICE, **changes}.items() if value is not ...}
    with pytest.raises(DeclarationError) as error:
        WorkCalendar.from_mapping(mapping)
    for problem in error.value.problems:
        assert problem.message.zh, problem
        assert problem.message.en, problem
        assert problem.remedy, problem
    return error.value.problems


def test_a_calendar_shows_what_it_declares() -> None:
    """Identifier, name, zone, coverage and source are plain attributes."""
    office = WorkCalendar.from_mapping(OFFICE)
    assert office.id == "office"
    assert office.name == Text(zh="办公", en="Office")
    assert office.timezone.key == "Asia/Shanghai"
    assert office.covers == Coverage(date(2026, 1, 1), date(2026, 12, 31))
    assert office.source == ("国务院办公厅关于2026年部分节假日安排的通知",)
    assert repr(office) == "<WorkCalendar office Asia/Shanghai>"


def test_dates_may_arrive_as_text() -> None:
    """A mapping written in Python and one read from YAML give equal calendars."""
    texts = {
        **OFFICE,
        "covers": {"from": "2026-01-01", "to": "2026-12-31"},
        "holidays": [{"date": "2026-02-15", "to": "2026-02-23", "name": "春节"}],
    }
    assert WorkCalendar.from_mapping(texts) == WorkCalendar.from_mapping(OFFICE)


def test_calendars_are_equal_by_content_and_survive_pickling() -> None:
    """Equality and hash follow the declaration, not the object or what it has compiled."""
    office, twin = WorkCalendar.from_mapping(OFFICE), WorkCalendar.from_mapping(OFFICE)
    zone = office.timezone
    due = office.add(datetime(2026, 2, 14, 16, 30, tzinfo=zone), timedelta(hours=4))
    copy = pickle.loads(pickle.dumps(office))  # noqa: S301 - our own bytes
    assert office == twin == copy
    assert len({office, twin, copy}) == 1
    assert copy.add(datetime(2026, 2, 14, 16, 30, tzinfo=zone), timedelta(hours=4)) == due
    assert office != WorkCalendar.from_mapping({**OFFICE, "holidays": []})
    assert office != "office"


def test_a_calendar_writes_a_mapping_that_reads_back_equal() -> None:
    """Hours of make-up days, night shifts and names included."""
    nights = {
        "calendar": "n",
        "timezone": "UTC",
        "weekly": {"sat-mon": ["22:00-06:00"], "wed": "18:00-24:00"},
    }
    for mapping in (OFFICE, nights):
        calendar = WorkCalendar.from_mapping(mapping)
        assert WorkCalendar.from_mapping(calendar.to_mapping()) == calendar


def test_a_calendar_cannot_be_changed() -> None:
    """Deadlines were computed with it; whoever wants another calendar builds one."""
    office = WorkCalendar.from_mapping(OFFICE)
    with pytest.raises(AttributeError):
        office.timezone = "UTC"


@pytest.mark.parametrize(
    ("key", "open_days"),
    [
        ("mon", {0}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("mon,wed", {0, 2}),
        ("sat-mon", {5, 6, 0}),
        ("Tue, fri-sat", {1, 4, 5}),
    ],
)
def test_days_of_the_week_are_named_singly_in_lists_and_in_ranges(key: str, open_days: set[int]) -> None:
    """A range may run over the weekend."""
    calendar = WorkCalendar.from_mapping(
        {"calendar": "c", "timezone": "UTC", "weekly": {key: ["09:00-10:00"]}}
    )
    week = [date(2026, 3, 2) + timedelta(day) for day in range(7)]
    assert {day.weekday() for day in week if calendar.is_working_day(day)} == open_days


def test_make_up_days_have_mondays_hours_unless_given_their_own() -> None:
    """02-14 is as long as a Monday; 02-28 has the morning it was given."""
    office = WorkCalendar.from_mapping(OFFICE)
    assert len(office.intervals(date(2026, 2, 14))) == 2
    assert [opens.hour for opens, _ in office.intervals(date(2026, 2, 28))] == [9]
    assert office.closing(date(2026, 2, 28)).hour == 12


def test_every_mistake_is_told_at_once() -> None:
    """One error lists them all, each with its place."""
    found = problems(
        timezone="Asia/Peking_",
        weekly={"mon-fry": ["08:30-12:00"], "tue": ["8.30-12", "25:00-26:00"]},
        covers={"from": "2026-13-01", "to": "2026-12-31"},
        holydays=[],
        holidays=[{"date": "2026-02-23", "to": "2026-02-15"}],
    )
    assert {problem.path for problem in found} == {
        ("timezone",),
        ("weekly", "mon-fry"),
        ("weekly", "tue", 0),
        ("weekly", "tue", 1),
        ("covers", "from"),
        ("holydays",),
        ("holidays", 0),
    }


def test_an_unknown_key_is_answered_with_a_suggestion() -> None:
    """At every depth."""
    (top,) = problems(holydays=[])
    assert top.remedy.en == "did you mean holidays?"
    (inner,) = problems(holidays=[{"date": "2026-02-15", "nmae": "春节"}])
    assert inner.path == ("holidays", 0, "nmae")
    assert "name" in inner.remedy.zh
    (hours,) = problems(holidays=[{"date": "2026-02-15", "hours": ["09:00-10:00"]}])
    assert hours.path == ("holidays", 0, "hours")
    (far,) = problems(xyzzy=1)
    assert "weekly" in far.remedy.en


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"calendar": "Main Office"}, ("calendar",), "not a calendar id"),
        ({"calendar": ...}, ("calendar",), "not a calendar id"),
        ({"name": 7}, ("name",), "a name is a text"),
        ({"name": {"zh": 7}}, ("name",), "a name is a text"),
        ({"source": [1, 2]}, ("source",), "a source is"),
        ({"timezone": ...}, ("timezone",), "no time zone None"),
        ({"timezone": "Asia"}, ("timezone",), "no time zone 'Asia'"),
        ({"timezone": "../etc"}, ("timezone",), "no time zone"),
        ({"weekly": ...}, ("weekly",), "are missing"),
        ({"weekly": {"mon": 5}}, ("weekly", "mon"), "not an interval"),
        ({"weekly": {"mon": ["08:00-08:00"]}}, ("weekly", "mon", 0), "not an interval"),
        ({"weekly": {"mon": ["24:00-06:00"]}}, ("weekly", "mon", 0), "not an interval"),
        ({"weekly": {"mon": ["08:00-09:60"]}}, ("weekly", "mon", 0), "not an interval"),
        (
            {"weekly": {"mon": ["08:00-12:00", "11:59-13:00"]}},
            ("weekly", "mon"),
            "08:00-12:00 and 11:59-13:00 overlap",
        ),
        ({"weekly": {"mon-wed": ["09:00-10:00"], "tue": []}}, ("weekly", "tue"), "twice"),
        (
            {"weekly": {"mon": ["22:00-06:00"], "tue": ["05:00-08:00"]}},
            ("weekly",),
            "22:00-06:00 overlaps 05:00-08:00",
        ),
        ({"weekly": {"sun": ["22:00-06:00"], "mon": ["05:00-08:00"]}}, ("weekly",), "overlaps"),
        ({"weekly": {"mon-fri": []}, "makeup": []}, ("weekly",), "no open interval"),
        ({"covers": "2026"}, ("covers",), "two ends"),
        ({"covers": {"from": "2026-12-31", "to": "2026-01-01"}}, ("covers",), "before it begins"),
        ({"covers": ...}, ("covers",), "must say what it covers"),
        ({"holidays": "2026-01-01"}, ("holidays",), "is a list"),
        ({"holidays": ["2026-01-01"]}, ("holidays", 0), "not an entry"),
        ({"holidays": [{"name": "春节"}]}, ("holidays", 0, "date"), "None is not a date"),
        ({"holidays": [{"date": datetime(2026, 1, 1)}]}, ("holidays", 0, "date"), "not a date"),  # noqa: DTZ001
        (
            {"holidays": [{"date": "2026-12-30", "to": "2027-01-02"}]},
            ("holidays", 0),
            "2027-01-02 is outside",
        ),
        ({"makeup": [{"date": "2025-12-31"}]}, ("makeup", 0), "2025-12-31 is outside"),
        ({"makeup": [{"date": "2026-02-15"}]}, ("makeup", 0), "both a holiday and a make-up day"),
        ({"makeup": [{"date": "2026-02-14"}, {"date": "2026-02-14"}]}, ("makeup", 1), "listed twice"),
        ({"makeup": [{"date": "2026-02-14", "hours": []}]}, ("makeup", 0, "hours"), "no open interval"),
        ({"weekly": {"tue": ["09:00-10:00"]}}, ("makeup", 0), "Monday is closed"),
        ({"source": {"a": 1}}, ("source",), "a source is"),
        (
            {
                "weekly": {"mon-fri": ["22:00-06:00"]},
                "makeup": [{"date": "2026-03-07", "hours": ["05:00-09:00"]}],
            },
            ("makeup", 0),
            "of a neighbouring day",
        ),
        (
            {"holidays": [{"date": "2026-01-01", "to": "2026-12-31"}], "makeup": []},
            ("weekly",),
            "no open interval",
        ),
    ],
)
def test_each_mistake_names_its_place_and_what_to_write(
    changes: dict[str, object], path: object, says: str
) -> None:
    """Case 47 and its neighbours: never a calendar that silently means something else."""
    (found,) = problems(**changes)
    assert found.path == path
    assert says in found.message.en


def test_touching_intervals_are_one_stretch_of_time() -> None:
    """08:00-12:00 and 12:00-16:00 do not overlap, and noon is open."""
    calendar = WorkCalendar.from_mapping(
        {"calendar": "c", "timezone": "UTC", "weekly": {"mon-sun": ["12:00-16:00", "08:00-12:00"]}}
    )
    noon = datetime(2026, 3, 2, 12, tzinfo=calendar.timezone)
    assert calendar.is_open(noon)
    assert calendar.add(noon - timedelta(hours=1), timedelta(hours=1)) == noon
