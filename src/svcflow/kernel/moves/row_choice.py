"""Choice of the row of a trigger: the first whose guard holds, with the data of the command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from svcflow.errors import GuardError
from svcflow.kernel import refusals
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.evolve import guard_data
from svcflow.kernel.instance import Draft
from svcflow.kernel.moves.rules import Breach
from svcflow.kernel.refusals import Refusal
from svcflow.model.field import Value
from svcflow.model.step import DONE
from svcflow.text import Text

Data = Mapping[str, Value]
NO_DATA: Data = {}


def choose_row(
    compiled: Compiled, draft: Draft, rows: Sequence[CompiledMove], data: Data = NO_DATA
) -> tuple[CompiledMove, Breach | None]:
    """Return the first row whose guard holds, or the first row and the breach that none does.

    `data` is what comes with the command; it takes precedence over the data of the instance.
    """
    first = rows[0]
    if first.move.when is None:
        return first, None
    known = {**guard_data(compiled, draft), **data} if data else guard_data(compiled, draft)
    why: list[Text] = []
    for row in rows:
        guard = row.move.when
        try:
            if guard is None or guard.holds(known):
                return row, None
            why.append(refusals.guard_untrue(guard, data))
        except GuardError as error:
            why.append(error.message)
    return first, _guard_breach(rows, refusals.no_guard_holds(why))


def joins_after(
    compiled: Compiled, draft: Draft, move: CompiledMove, leaving: str, data: Data = NO_DATA
) -> Iterator[tuple[CompiledMove, Breach | None]]:
    """Yield the row of each `done` that the kernel fires once the move is made, inner ones first."""
    left = leaving
    while move.joins:
        places = (compiled.steps[name] for name in draft.active if name != left)
        if any(place.parent == move.joins and place.step.end is None for place in places):
            return
        left = move.joins
        move, breach = choose_row(compiled, draft, compiled.rows(left, DONE), data)
        yield move, breach


def join_refusal(
    compiled: Compiled, draft: Draft, move: CompiledMove, leaving: str, data: Data = NO_DATA
) -> Refusal | None:
    """Return the refusal of a move that would end the last branch, while a guard of `done` refuses to go on."""
    for row, breach in joins_after(compiled, draft, move, leaving, data):
        if breach is not None and row.enforce["guard"] == "refuse":
            return refusals.cannot_join(row.source, breach.refusal)
    return None


def leads_elsewhere(rows: Sequence[CompiledMove], taken: CompiledMove) -> Breach:
    """Return the breach of taking another row than the one that the data select."""
    return _guard_breach(rows, refusals.leads_elsewhere(taken.move.trigger, taken.dest))


def _guard_breach(rows: Sequence[CompiledMove], refusal: Refusal) -> Breach:
    return Breach(refusal, "guard", {"guards": [str(row.move.when or "") for row in rows]})
