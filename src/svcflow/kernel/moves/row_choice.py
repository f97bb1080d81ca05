"""The row of a trigger that is taken: the first whose guard holds of the data, those of the command included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from svcflow.errors import GuardError
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.evolve import guard_data
from svcflow.kernel.instance import Draft
from svcflow.kernel.moves.rules import Breach
from svcflow.kernel.refusals import Refusal
from svcflow.model.field import Value
from svcflow.model.guard import Guard
from svcflow.model.step import DONE
from svcflow.text import Text, cut

Data = Mapping[str, Value]
NO_DATA: Data = {}


def choose_row(
    compiled: Compiled, draft: Draft, rows: Sequence[CompiledMove], data: Data = NO_DATA
) -> tuple[CompiledMove, Breach | None]:
    """Return the first row whose guard holds, or the first row and the breach that none does.

    `data` is what comes with the command, as it is kept; it counts before what stands on record.
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
            why.append(_untrue(guard, data))
        except GuardError as error:
            why.append(error.message)
    message = Text(zh="；".join(w.zh for w in why), en="; ".join(w.en for w in why))
    return first, _breach(rows, message)


def joins_after(
    compiled: Compiled, draft: Draft, move: CompiledMove, leaving: str, data: Data = NO_DATA
) -> Iterator[tuple[CompiledMove, Breach | None]]:
    """Yield the row of each `done` that the kernel fires by itself once the move is made, inner ones first."""
    left = leaving
    while move.joins:
        places = (compiled.steps[name] for name in draft.active if name != left)
        if any(place.parent == move.joins and place.step.end is None for place in places):
            return
        left = move.joins
        move, breach = choose_row(compiled, draft, compiled.rows(left, DONE), data)
        yield move, breach


def unjoinable(
    compiled: Compiled, draft: Draft, move: CompiledMove, leaving: str, data: Data = NO_DATA
) -> Refusal | None:
    """Return why a move is not made: it would end the last branch, and a guard of `done` refuses to go on."""
    for row, breach in joins_after(compiled, draft, move, leaving, data):
        if breach is not None and row.enforce["guard"] == "refuse":
            why = breach.message
            message = Text(
                zh=f"此后“{row.source}”的各分支汇合，而其 done 不通：{why.zh}",
                en=f"the branches of {row.source!r} would join then, and its 'done' is closed: {why.en}",
            )
            return Refusal("guard", message, breach.remedy, row.source)
    return None


def _untrue(guard: Guard, data: Data) -> Text:
    """Word that a guard is not true, with the values it judged that came with the command."""
    came = ", ".join(f"{name} = {cut(repr(data[name]))}" for name in sorted(guard.names & data.keys()))
    if not came:
        return Text(zh=f"“{guard}”不成立", en=f"{guard.text!r} is not true")
    return Text(
        zh=f"“{guard}”不成立（随此次流转给出 {came}）",
        en=f"{guard.text!r} is not true (this move gives {came})",
    )


def led_elsewhere(rows: Sequence[CompiledMove], taken: CompiledMove) -> Breach:
    """Return the breach of going by another row than the one that the data lead by."""
    trigger, step = taken.move.trigger, taken.dest
    message = Text(
        zh=f"按现有数据，“{trigger}”通向“{step}”", en=f"with these data {trigger!r} leads to {step!r}"
    )
    return _breach(rows, message)


def _breach(rows: Sequence[CompiledMove], message: Text) -> Breach:
    remedy = Text(
        zh="更正或补填数据，可随此次流转提交：`data`；或说明理由后越过：`override`",
        en="correct or give the data, with the move itself: `data`; or give a reason to go round it: `override`",
    )
    return Breach("guard", "guard", message, remedy, {"guards": [str(row.move.when or "") for row in rows]})
