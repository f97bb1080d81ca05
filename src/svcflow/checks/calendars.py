"""Checks of work calendars: runs of make-up days that open more than was meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from svcflow.checks.findings import Finding, finding
from svcflow.text import Text
from svcflow.worktime import WorkCalendar

__all__ = ["calendar_findings"]

_SHOWN = 3


def calendar_findings(calendar: WorkCalendar) -> Iterator[Finding]:
    """Yield each run of make-up days that is worked by the week in part: hours were meant, not days off to be worked."""
    for place, run in enumerate(calendar.makeup_days):
        days = [date.fromordinal(day) for day in run.ordinals()]
        off = [day for day in days if not calendar.is_open_by_the_week(day)]
        if not off or len(off) == len(days):
            continue
        listed = ", ".join(map(str, off[:_SHOWN])) + (", …" if len(off) > _SHOWN else "")
        yield finding(
            "makeup-opens-days-off",
            ("makeup", place),
            Text(
                zh=f"{run.first} 至 {run.last} 这段调休上班日使周休日也开放：{listed}",
                en=f"make-up days from {run.first} to {run.last} open days off too: {listed}",
            ),
            Text(
                zh="只改时段的，逐日写在 days 中，或写成 weekly 的一季；确要上班的周休日单独写在 makeup 中",
                en="for other hours only, list each day under days, or make it a season of weekly; "
                "list days off that are worked under makeup by themselves",
            ),
        )
