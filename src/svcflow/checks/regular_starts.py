"""Regular starts that begin at another time than was meant, or of which it is not known when they begin."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.checks.findings import Finding, finding
from svcflow.errors import Path
from svcflow.model.procedure import Procedure
from svcflow.model.regular_start import RegularStart
from svcflow.text import Text
from svcflow.worktime import WorkCalendar

__all__ = ["regular_starts"]

_IN_UTC = "always"
"""The calendar that is open round the clock in UTC."""


def regular_starts(procedure: Procedure, calendar: WorkCalendar | None) -> Iterator[Finding]:
    """Yield regular starts whose time of day is UTC, and those whose first day the calendar does not cover."""
    for place, start in enumerate(procedure.starts):
        name = start.calendar or procedure.calendar
        if name == _IN_UTC:
            yield _in_utc(start, ("starts", place, "at"))
        elif calendar is not None and calendar.id == name:
            yield from _uncovered(start, calendar, ("starts", place, "from"))


def _in_utc(start: RegularStart, path: Path) -> Finding:
    return finding(
        "start-in-utc",
        path,
        Text(
            zh=f"日历 {_IN_UTC} 的时刻是世界协调时：{start.at} 在北京是八小时之后",
            en=f"on the calendar '{_IN_UTC}' {start.at} is a time of UTC, eight hours later in Beijing",
        ),
        Text(
            zh="写 calendar: cn_office 或 cn_always",
            en="give it a calendar with your time zone, such as cn_office or cn_always",
        ),
    )


def _uncovered(start: RegularStart, calendar: WorkCalendar, path: Path) -> Iterator[Finding]:
    covers = calendar.covers
    if covers is not None and start.from_ is not None and start.from_ not in covers:
        span = f"{covers.first} – {covers.last}"
        yield finding(
            "start-not-covered",
            path,
            Text(
                zh=f"日历 {calendar.id} 只到 {span}，不含首日 {start.from_}：何时启动不可知",
                en=f"the calendar '{calendar.id}' covers {span} and not the first day {start.from_}: when it begins "
                "is not known",
            ),
            Text(
                zh="补上日历中那一年的安排，或改 from", en="add that year to the calendar, or change 'from'"
            ),
        )
