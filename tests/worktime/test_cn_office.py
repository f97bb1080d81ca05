"""The shipped Chinese office calendar against two independent collections of the same notices."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest

from svcflow.worktime import shipped_calendar

OFFICE = shipped_calendar("cn_office")
YEARS = range(2008, 2027)

# Days off and make-up days each year's notice names (changes of 2015, 2019 and 2020 applied), counted by
# the notice: New Year 2019 has two days of 2018, New Year 2023 one of 2022, that of 2012 a make-up day of 2011.
DAYS_OFF = dict(
    zip(YEARS, [27, 27, 29, 29, 27, 29, 22, 26, 24, 24, 23, 24, 30, 31, 31, 27, 28, 28, 33], strict=True)
)
MAKEUP_DAYS = dict(zip(YEARS, [5, 6, 8, 5, 7, 12, 5, 5, 6, 5, 6, 7, 6, 7, 7, 7, 8, 5, 6], strict=True))
OF_THE_NEXT_YEARS_NOTICE = {
    date(2011, 12, 31), date(2018, 12, 29), date(2018, 12, 30), date(2018, 12, 31), date(2022, 12, 31),
}  # fmt: skip


def days(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(number) for number in range((date(year + 1, 1, 1) - first).days)]


def listed(runs: object, year: int) -> set[date]:
    """Return the days a year's notice lists, wherever they fall."""
    found = set()
    for run in runs:
        for ordinal in run.ordinals():
            day = date.fromordinal(ordinal)
            if day.year + (day in OF_THE_NEXT_YEARS_NOTICE) == year:
                found.add(day)
    return found


@pytest.mark.parametrize("year", YEARS)
def test_every_day_agrees_with_chinesecalendar(year: int) -> None:
    """No day of 19 years differs; there is no known disagreement."""
    differing = [day for day in days(year) if OFFICE.is_working_day(day) != chinese_calendar.is_workday(day)]
    assert differing == []


@pytest.mark.parametrize("year", YEARS)
def test_every_day_agrees_with_holidays(year: int) -> None:
    """No day of 19 years differs; there is no known disagreement."""
    china = holidays.country_holidays("CN", years=[year, year + 1])
    differing = [day for day in days(year) if OFFICE.is_working_day(day) != china.is_working_day(day)]
    assert differing == []


@pytest.mark.parametrize("year", YEARS)
def test_each_notice_is_carried_with_as_many_days_as_it_names(year: int) -> None:
    """Only days a notice names are listed as holidays, so each can be checked against its text."""
    assert len(listed(OFFICE._rules.holidays, year)) == DAYS_OFF[year]
    assert len(listed(OFFICE._rules.makeup, year)) == MAKEUP_DAYS[year]


def test_make_up_days_are_weekend_days() -> None:
    """A make-up day on a weekday would be a slip of the pen."""
    makeup = [date.fromordinal(day) for run in OFFICE._rules.makeup for day in run.ordinals()]
    assert len(makeup) == len(set(makeup)) == 123
    assert {day.weekday() for day in makeup} == {5, 6}


def test_the_changes_made_within_a_year_are_applied() -> None:
    """2015-09-03 to 05, Labour Day 2019 and the Spring Festival of 2020 as finally arranged."""
    closed = [
        date(2015, 9, 3),
        date(2015, 9, 4),
        date(2019, 5, 2),
        date(2019, 5, 3),
        date(2020, 1, 31),
        date(2020, 2, 1),
    ]
    opened = [date(2015, 9, 6), date(2019, 4, 28), date(2019, 5, 5), date(2020, 2, 3), date(2020, 1, 19)]
    assert not any(map(OFFICE.is_working_day, closed))
    assert all(map(OFFICE.is_working_day, opened))


def test_every_year_names_its_notice() -> None:
    """19 yearly notices and the three that changed one, each with its number."""
    assert len(OFFICE.source) == 22
    for year in YEARS:
        assert any(
            f"关于{year}年部分节假日安排的通知（国办发明电〔{year - 1}〕" in notice
            for notice in OFFICE.source
        )
