"""Checks over a declared procedure: what runs but looks unwise, unreachable, unkept or incomplete.

The procedure is only read. What cannot run at all is refused when the procedure is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcflow.checks.findings import CODES, Code, Finding, FindingSeverity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from svcflow.model.procedure import Procedure
    from svcflow.worktime import WorkCalendar

__all__ = ["CODES", "Code", "Finding", "FindingSeverity", "check", "check_calendar"]


def check(
    procedure: Procedure,
    *,
    calendar: WorkCalendar | None = None,
    earlier: Procedure | None = None,
    procedures: Iterable[Procedure] = (),
) -> tuple[Finding, ...]:
    """Return every finding about the procedure, errors first, then by place.

    `earlier` is the version before it, where there is one: what it recorded is compared with what this one says.
    `calendar` gives the hours of a working day where limits in working hours and in working days are
    compared; without it a working day counts as 8 working hours, and the finding says so. `procedures` are the newest
    versions of those that its steps run, such as a whole catalog.
    """
    from svcflow.checks.suite import run  # noqa: PLC0415  # networkx takes 140 ms to load

    return run(procedure, calendar, earlier, procedures)


def check_calendar(calendar: WorkCalendar) -> tuple[Finding, ...]:
    """Return every finding about a work calendar, by place."""
    from svcflow.checks.calendars import calendar_findings  # noqa: PLC0415  # it loads the arithmetic of calendars

    return tuple(calendar_findings(calendar))
