"""Values on which a guard rested that was passed, and that may be changed afterwards without being asked again."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.checks.finding import Finding, finding
from svcflow.checks.places import Rows, row_groups, scopes
from svcflow.model.procedure import Procedure
from svcflow.text import Text

__all__ = ["unsettled"]


def unsettled(procedure: Procedure) -> Iterator[Finding]:
    """Yield each field that guards look at while the instance goes on, and none at its end, with the first trigger."""
    first: dict[str, Rows] = {}
    at_the_end: set[str] = set()
    for scope in scopes(procedure):
        ends = {step.id for step in scope.steps if step.end is not None and scope.parent is None}
        for rows in row_groups(scope):
            named = {name for move in rows.moves if move.when is not None for name in move.when.names}
            if all(move.step in ends for move in rows.moves):  # nothing is updated after the end
                at_the_end |= named
            else:
                first = dict.fromkeys(named & procedure.fields.keys(), rows) | first
    for name in sorted(first.keys() - at_the_end):
        yield _unsettled(first[name], name)


def _unsettled(rows: Rows, name: str) -> Finding:
    trigger, step = rows.trigger, rows.step.id
    return finding(
        "guard-not-settled",
        ("fields", name),
        Text(
            zh=f"{step} 的 {trigger} 以 {name} 为条件，通过之后仍可改动 {name}，条件不再复核",
            en=f"the guards of {trigger} at {step} rest on {name}, which may change afterwards without being asked again",
        ),
        Text(
            zh="不容改动的，在通向结束的流转上再设一次条件",
            en="where it must not change, ask for it again with a guard of the move to the end",
        ),
    )
