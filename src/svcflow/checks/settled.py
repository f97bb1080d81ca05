"""Values on which a guard rested that was passed, and that may be changed afterwards without being asked again."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.checks.finding import Finding, finding
from svcflow.checks.places import Rows, row_groups, scopes
from svcflow.model.procedure import Procedure
from svcflow.text import Text

__all__ = ["unsettled"]


def unsettled(procedure: Procedure) -> Iterator[Finding]:
    """Yield each field that a guard looks at before the instance goes on, with the first such trigger."""
    seen: set[str] = set()
    for scope in scopes(procedure):
        over = {step.id for step in scope.steps if step.end is not None and scope.parent is None}
        for rows in row_groups(scope):
            if all(move.step in over for move in rows.moves):
                continue  # nothing is updated after the end
            named = {name for move in rows.moves if move.when is not None for name in move.when.names}
            for name in sorted(named & procedure.fields.keys() - seen):
                seen.add(name)
                yield _unsettled(rows, name)


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
            zh="在后面的环节再设一次条件，或另存一份当时的值供核对",
            en="ask for it again with a guard of a later step, or keep the value of then in a field of its own",
        ),
    )
