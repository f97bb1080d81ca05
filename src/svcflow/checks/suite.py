"""Suite of all checks; it loads networkx, so `svcflow.checks` imports it with the first call."""

from __future__ import annotations

from collections.abc import Iterable

from svcflow.checks.called_procedures import called_procedures
from svcflow.checks.completeness import completeness
from svcflow.checks.findings import Finding
from svcflow.checks.guards import guarded_rows, unsettled
from svcflow.checks.limit_sums import sums
from svcflow.checks.loops import loops
from svcflow.checks.notice import notice
from svcflow.checks.reachability import reachability
from svcflow.checks.regular_starts import regular_starts
from svcflow.checks.unused import unused
from svcflow.checks.version_pairs import version_pair
from svcflow.model.procedure import Procedure
from svcflow.worktime import WorkCalendar

__all__ = ["run"]


def run(
    procedure: Procedure,
    calendar: WorkCalendar | None,
    earlier: Procedure | None = None,
    procedures: Iterable[Procedure] = (),
) -> tuple[Finding, ...]:
    """Return every finding, errors first, then by place."""
    findings = (
        *reachability(procedure),
        *loops(procedure),
        *guarded_rows(procedure),
        *unsettled(procedure),
        *sums(procedure, calendar),
        *notice(procedure),
        *completeness(procedure),
        *regular_starts(procedure, calendar),
        *unused(procedure),
        *called_procedures(procedure, {other.id: other for other in procedures}),
        *(version_pair(earlier, procedure) if earlier is not None else ()),
    )
    return tuple(sorted(findings))
