"""How the kernel reckons at the end of what a calendar covers."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.worktime import WorkCalendar
from svcflow.worktime.instants import to_us

HOURS = {"mon-fri": ["08:30-17:30"]}


def business_time(last: date, zone: str) -> BusinessTime:
    covers = {"from": date(2026, 1, 1), "to": last}
    mapping = {"calendar": "office", "timezone": zone, "weekly": HOURS, "covers": covers}
    return BusinessTime(WorkCalendar.from_mapping(mapping))


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_an_instant_is_provisional_from_the_local_midnight_after_the_coverage(zone):
    """The last covered day belongs to the coverage to its last microsecond, by the calendar's own clock."""
    midnight_us = to_us(datetime(2027, 1, 1, tzinfo=ZoneInfo(zone)))
    office = business_time(date(2026, 12, 31), zone)
    assert not office.provisional(midnight_us - 1)
    assert office.provisional(midnight_us)
