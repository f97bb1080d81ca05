"""Values that a move settles (`settled_by`): which fields they are, and from where a rework opens them again."""

from __future__ import annotations

from collections.abc import Mapping

from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.instance import Draft
from svcflow.model.field import Value


def settled_after(compiled: Compiled, settled: tuple[str, ...], row: CompiledMove) -> tuple[str, ...]:
    """Return the fields that are settled after one more move."""
    kept = tuple(name for name in settled if not reopens(compiled, row, name))
    new = compiled.settling.get(row.move.trigger, ())
    return (*kept, *(name for name in new if name not in kept))


def reopens(compiled: Compiled, row: CompiledMove, field: str) -> bool:
    """Return whether a move is a rework that leads back before the one that settles a field."""
    return row.move.kind == "rework" and row.dest in compiled.unsettled.get(field, ())


def changed_values(compiled: Compiled, draft: Draft, data: Mapping[str, Value]) -> list[str]:
    """Return the settled fields that data would change; the same value given again changes nothing.

    What an earlier version settled, and the present one does not, is free.
    """
    return [
        name
        for name in draft.settled
        if name in compiled.unsettled and name in data and data[name] != draft.data.get(name)
    ]


def changed_by_move(
    compiled: Compiled, draft: Draft, data: Mapping[str, Value], row: CompiledMove
) -> list[str]:
    """Return the settled fields that the data of a move would change, but for those that the move itself opens again."""
    return [name for name in changed_values(compiled, draft, data) if not reopens(compiled, row, name)]
