"""The fingerprint of a calendar: what it says of hours and days, and nothing else."""

from __future__ import annotations

from datetime import date

import pytest

from svcflow.worktime import WorkCalendar, shipped_calendar

OFFICE = {
    "calendar": "office",
    "timezone": "Asia/Shanghai",
    "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]},
    "covers": {"from": "2025-01-01", "to": "2026-12-31"},
    "holidays": [{"date": "2026-10-01", "to": "2026-10-07", "name": "国庆节"}],
    "makeup": [{"date": "2026-10-10", "name": "调休"}],
}
NEXT = {"date": "2027-01-01", "name": "元旦"}
LAST = date(2026, 12, 31)


def calendar(**changed: object) -> WorkCalendar:
    return WorkCalendar.from_mapping({**OFFICE, **changed})


def test_it_stays_the_same_in_every_version_of_the_library():
    """Journals keep it: another value for the same calendar would be read as a correction."""
    assert calendar().fingerprint() == "e29dcb531dfff5ad14d29bb7873f47ac"
    assert shipped_calendar("always").fingerprint() == "01f4b36debab038465e85367790ce094"


@pytest.mark.parametrize(
    "changed",
    [
        {"calendar": "other", "name": "Office", "source": "the notice of 2026"},
        {
            "holidays": [
                {"date": "2026-10-01", "to": "2026-10-04"},
                {"date": "2026-10-05", "to": "2026-10-07"},
            ]
        },
        {"weekly": {"mon,tue,wed,thu,fri": ["08:30-12:00", "13:30-17:30"]}},
    ],
    ids=["names", "days told otherwise", "week told otherwise"],
)
def test_how_it_is_said_does_not_matter(changed):
    """Names, sources, and the way in which the same days are written."""
    assert calendar(**changed).fingerprint() == calendar().fingerprint()


@pytest.mark.parametrize(
    "changed",
    [
        {"timezone": "Asia/Tokyo"},
        {"weekly": {"mon-fri": ["08:30-12:00", "13:30-17:00"]}},
        {"holidays": [{"date": "2026-10-01", "to": "2026-10-06"}]},
        {"makeup": []},
        {"makeup": [{"date": "2026-10-10", "hours": ["09:00-12:00"]}]},
        {"covers": {"from": "2026-01-01", "to": "2026-12-31"}},
    ],
    ids=["zone", "hours", "a holiday less", "no make-up day", "its hours", "coverage"],
)
def test_what_it_says_matters(changed):
    """Whatever may move a deadline gives another fingerprint, up to the same day too."""
    assert calendar(**changed).fingerprint() != calendar().fingerprint()
    assert calendar(**changed).fingerprint(LAST) != calendar().fingerprint(LAST)


def test_a_year_more_changes_nothing_of_the_years_before():
    """A calendar that was prolonged says the same up to the day it ended on; one cut short does not."""
    holidays = [*OFFICE["holidays"], NEXT]
    longer = calendar(covers={"from": "2025-01-01", "to": "2027-12-31"}, holidays=holidays)
    assert longer.fingerprint() != calendar().fingerprint()
    assert longer.fingerprint(LAST) == calendar().fingerprint()
    shorter = calendar(covers={"from": "2025-01-01", "to": "2026-11-30"})
    assert shorter.fingerprint(LAST) != calendar().fingerprint()
