"""Calendars imported from the PyPI package `holidays`: what is published comes over, what is guessed is refused."""

from __future__ import annotations

import sys
from datetime import date, timedelta

import pytest

from svcflow.errors import CalendarCoverageError, DeclarationError, MissingExtra, UnknownCalendar
from svcflow.worktime import WorkCalendar, shipped_calendar
from svcflow.worktime.importing import import_calendar

HOURS = {"mon-fri": ("08:30-12:00", "13:30-17:30")}


def test_china_comes_over_as_the_shipped_calendar_has_it() -> None:
    """In 2024-2026 every day has the same hours, make-up Saturdays among them."""
    mapping = import_calendar("CN", [2026, 2024, 2025], timezone="Asia/Shanghai", weekly=HOURS)
    found, shipped = WorkCalendar.from_mapping(mapping), shipped_calendar("cn_office")
    days = [date(2024, 1, 1) + timedelta(number) for number in range(366 + 365 + 365)]
    assert days[-1] == date(2026, 12, 31)
    assert [day for day in days if found.intervals(day) != shipped.intervals(day)] == []
    assert sum(map(found.is_working_day, days)) == sum(map(shipped.is_working_day, days))


def test_the_calendar_covers_the_years_asked_for_and_names_its_source() -> None:
    """Past the last year nothing is promised; the file says where its days come from."""
    mapping = import_calendar("DE", [2026, 2025], timezone="Europe/Berlin", subdivision="BY")
    found = WorkCalendar.from_mapping(mapping)
    assert (found.id, str(found.timezone)) == ("de_by", "Europe/Berlin")
    assert found.covers is not None
    assert date(2025, 1, 1) in found.covers
    assert date(2026, 12, 31) in found.covers
    assert date(2027, 1, 1) not in found.covers
    assert date(2024, 12, 31) not in found.covers
    assert str(mapping["source"]).startswith("PyPI holidays ")
    assert str(mapping["source"]).endswith("DE-BY")


def test_a_part_of_a_country_has_its_own_holidays() -> None:
    """Epiphany is a holiday in Bavaria and a working day in Hamburg; a name may be given."""
    calendars = [
        WorkCalendar.from_mapping(
            import_calendar(
                "DE", [2026], timezone="Europe/Berlin", subdivision=part, name=f"office_{part.lower()}"
            )
        )
        for part in ("BY", "HH")
    ]
    assert [one.is_working_day(date(2026, 1, 6)) for one in calendars] == [False, True]
    assert [one.id for one in calendars] == ["office_by", "office_hh"]


@pytest.mark.parametrize(
    ("country", "year", "why"),
    [
        ("CN", 2027, "CN for 2027 is not published yet"),
        ("ID", 2027, "of ID 2027 are only estimated"),
        ("DE", 1980, "no data on DE for 1980"),
    ],
)
def test_a_year_that_is_only_guessed_is_refused(country: str, year: int, why: str) -> None:
    """An arrangement not published, dates that are estimated, a year without data: none becomes a calendar."""
    with pytest.raises(CalendarCoverageError, match=why) as caught:
        import_calendar(country, [year], timezone="UTC")
    assert str(year) in caught.value.message.zh
    assert caught.value.remedy


def test_one_guessed_year_among_published_ones_refuses_all() -> None:
    """A calendar with a guess in it is not half imported."""
    with pytest.raises(CalendarCoverageError, match="2027"):
        import_calendar("CN", [2026, 2027], timezone="Asia/Shanghai")


@pytest.mark.parametrize(("country", "subdivision"), [("XX", None), ("DE", "QQ")])
def test_a_country_or_part_that_is_not_known_is_refused(country: str, subdivision: str | None) -> None:
    """The error says what was not known and how it is written."""
    with pytest.raises(UnknownCalendar, match=subdivision or country) as caught:
        import_calendar(country, [2026], timezone="UTC", subdivision=subdivision)
    assert "ISO 3166" in caught.value.remedy.en


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `holidays` cannot be imported the error says what to install."""
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(MissingExtra, match="calendars"):
        import_calendar("DE", [2026], timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "hours", "path"),
    [
        ("Europe/Berlin", {"mon-fri": ["9-5"]}, "weekly"),
        ("Europe/Berlin", {"mon-fri": ["09:00-13:00", "12:00-17:00"]}, "weekly"),
        ("Europe/Berlinn", HOURS, "timezone"),
    ],
)
def test_wrong_hours_and_zones_are_declaration_errors(
    zone: str, hours: dict[str, list[str]], path: str
) -> None:
    """What is imported is checked as a calendar file is, with the place of the mistake."""
    with pytest.raises(DeclarationError) as caught:
        import_calendar("DE", [2026], timezone=zone, weekly=hours)
    assert path in {problem.path[0] for problem in caught.value.problems}


@pytest.mark.parametrize("years", [[], [2024, 2026]])
def test_years_that_do_not_follow_each_other_are_refused(years):
    """A gap would be covered as a year without holidays."""
    with pytest.raises(DeclarationError, match="follow each other"):
        import_calendar("DE", years, timezone="Europe/Berlin")
