"""What comes with the library, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from svcflow.errors import UnknownCalendar
from svcflow.model.calendar_names import ALWAYS_OPEN
from svcflow.worktime import WorkCalendar, shipped_calendar, shipped_names

A_WEEK = [datetime(2026, 3, day, tzinfo=UTC) for day in range(2, 9)]


def test_four_calendars_are_shipped() -> None:
    """Their names are stable: procedures refer to them."""
    assert shipped_names() == ("always", "cn_always", "cn_office", "nl_office")


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_calendar_carries_the_name_of_its_file(name: str) -> None:
    """One object for each name, with a name in both languages, surviving a round trip through its mapping."""
    calendar = shipped_calendar(name)
    assert calendar.id == name
    assert calendar.name.zh
    assert calendar.name.en
    assert shipped_calendar(name) is calendar
    assert WorkCalendar.from_mapping(calendar.to_mapping()) == calendar


def test_an_unknown_name_is_answered_with_a_suggestion() -> None:
    """UnknownCalendar is a LookupError, in both languages."""
    with pytest.raises(UnknownCalendar, match="did you mean cn_office") as error:
        shipped_calendar("cn_ofice")
    assert "是否指：cn_office" in error.value.text("zh")
    with pytest.raises(LookupError, match="always or cn_always or cn_office"):
        shipped_calendar("../secrets")


def test_the_dutch_calendar_says_that_holidays_are_left_out() -> None:
    """Christmas is open there, and the name warns of it."""
    dutch = shipped_calendar("nl_office")
    assert "without holidays" in dutch.name.en
    assert dutch.is_working_day(date(2026, 12, 25))
    assert dutch.covers is None


def test_round_the_clock_in_china_is_elapsed_time_whose_days_end_at_local_midnight() -> None:
    """Amounts are those of `always`; days, and what people read, are local."""
    china, always = shipped_calendar("cn_always"), shipped_calendar("always")
    evening = datetime(2026, 3, 2, 17, tzinfo=UTC)  # 01:00 of the next day in China
    for hours in (0, 1, 30, 24 * 700):
        assert china.add(evening, timedelta(hours=hours)) == always.add(evening, timedelta(hours=hours))
    assert china.day_of(evening) == date(2026, 3, 3)
    assert china.closing(date(2026, 3, 3)).isoformat() == "2026-03-04T00:00:00+08:00"
    assert china.covers is None


@pytest.mark.parametrize("name", shipped_names())
def test_which_shipped_calendars_never_close_is_known_by_name(name: str) -> None:
    """Checks of sums take working time on them as elapsed time."""
    calendar = shipped_calendar(name)
    whole = all(calendar.between(day, day + timedelta(days=1)) == timedelta(days=1) for day in A_WEEK)
    assert (name in ALWAYS_OPEN) == whole


def test_the_calendar_that_never_closes_ends_its_days_at_midnight() -> None:
    """Elapsed time in UTC; counting its days needs no table."""
    always = shipped_calendar("always")
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    noon_us = int(noon.timestamp()) * 10**6
    midnight_us = noon_us + 12 * 3600 * 10**6
    day_us = 24 * 3600 * 10**6
    assert always.add(noon, timedelta(hours=30)) == datetime(2026, 3, 3, 18, tzinfo=UTC)
    assert always.closing(date(2026, 3, 2)) == datetime(2026, 3, 3, tzinfo=UTC)
    assert always.intervals(date(2026, 3, 2)) == (
        (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)),
    )
    assert always.nth_working_day(noon, 2) == date(2026, 3, 4)
    assert always.nth_closing_us(noon_us, 1) == midnight_us + day_us
    assert always.closings_between_us(midnight_us, midnight_us + 2 * day_us, noon_us) == 1
    assert always.closings_between_us(noon_us, midnight_us + 2 * day_us + 1, noon_us) == 2
    assert always.nth_closing_from_us(noon_us, 2, noon_us) == midnight_us + 2 * day_us
    assert always.nth_closing_from_us(midnight_us + day_us, 1, noon_us) == midnight_us + day_us
    assert always.calendar_days(noon_us, 1) == midnight_us + day_us
    assert always.is_open(noon)


def test_importing_calendars_loads_nothing_heavy() -> None:
    """Neither YAML nor numpy, networkx or SQLAlchemy before they are needed."""
    heavy = "{'ruamel.yaml', 'numpy', 'networkx', 'sqlalchemy'}"
    code = f"import sys, svcflow.worktime; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
