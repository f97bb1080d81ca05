"""Effect of another value of a parameter: whether the limits that name it become tighter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from svcflow.errors import Path
from svcflow.model.diff.changes import AttributeChange
from svcflow.model.parameter import Parameter, kind_of, size
from svcflow.model.procedure import Procedure

__all__ = ["Effect", "effect_of"]

Effect = Literal["tightened", "relaxed"]
_MOST = frozenset(("within", "by", "at_most", "every", "late_after", "after", "cutoff"))
_LEAST = frozenset(("at_least", "before"))
"""Keys of what is tighter the smaller, and the larger, its quantity is: `before` counts back from an instant."""


def effect_of(change: AttributeChange, old: Procedure, new: Procedure) -> Effect | None:
    """Return what another value of a parameter does; None where that cannot be said, as of one in a guard."""
    if change.section != "parameter" or change.attribute not in ("value", "override"):
        return None
    before, after = old.parameters.get(change.name), new.parameters.get(change.name)
    if before is None or after is None:
        return None
    grown = _growth(before, after)
    directions = set(_directions(new.parameter_uses.get(change.name, ())))
    if not grown or len(directions) != 1 or None in directions:
        return None
    return "relaxed" if (grown > 0) == (directions == {"most"}) else "tightened"


def _growth(before: Parameter, after: Parameter) -> int | float:
    if kind_of(before.in_force) != kind_of(after.in_force):
        return 0
    return size(after.in_force) - size(before.in_force)


def _directions(places: Sequence[Path]) -> Iterator[Literal["most", "least"] | None]:
    for path in places:
        yield "most" if path[-1] in _MOST else "least" if path[-1] in _LEAST else None
