"""All checks over one procedure. Loads networkx, so `svcflow.checks` imports it when it is first asked."""

from __future__ import annotations

from svcflow.checks.completeness import completeness
from svcflow.checks.finding import Finding
from svcflow.checks.loops import loops
from svcflow.checks.rows import guarded_rows
from svcflow.checks.settled import unsettled
from svcflow.checks.structure import structure
from svcflow.checks.sums import sums
from svcflow.checks.unused import unused
from svcflow.checks.version_pairs import version_pair
from svcflow.model.procedure import Procedure
from svcflow.worktime import WorkCalendar

__all__ = ["run"]


def run(
    procedure: Procedure, calendar: WorkCalendar | None, earlier: Procedure | None = None
) -> tuple[Finding, ...]:
    """Return every finding, errors first, then by place."""
    found = (
        *structure(procedure),
        *loops(procedure),
        *guarded_rows(procedure),
        *unsettled(procedure),
        *sums(procedure, calendar),
        *completeness(procedure),
        *unused(procedure),
        *(version_pair(earlier, procedure) if earlier is not None else ()),
    )
    return tuple(sorted(found))
