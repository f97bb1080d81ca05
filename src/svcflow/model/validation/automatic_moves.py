"""Rules of the automatic move of a step: one instant, a trigger that nothing refuses when it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from svcflow.errors import Path, Problem
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.limit_locations import instant_places
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.model.step import DONE, Step, Transition
from svcflow.model.validation.limits import anchor_problems, matrix_problems
from svcflow.model.validation.references import unknown
from svcflow.text import Text


def automatic_move_problems(
    procedure: ProcedureParts, step: Step, path: Path, around: Sequence[Step]
) -> Iterator[Problem]:
    """Yield the mistakes of a step's `then`; `around` are the parallel steps around it, outermost first."""
    move, here = step.then, (*path, "then")
    if move is None:
        return
    if step.end is not None:
        yield Problem(
            here,
            Text(zh="结束环节不会再流转", en="a step with 'end' does not move on"),
            Text(zh="去掉 end 或 then", en="drop 'end' or 'then'"),
        )
        return
    if len([given for given in (move.after, move.at, move.match or None) if given is not None]) != 1:
        yield Problem(
            here,
            Text(zh="须写 after、at 之一，或 match", en="give one of after and at, or match"),
            Text(zh="例如 then: {after: 2wd, fire: close}", en="for example then: {after: 2wd, fire: close}"),
        )
    yield from matrix_problems(procedure, [row.when for row in move.match], here)
    for where, row in instant_places(step, path):
        yield from _instant(procedure, row, where, is_row=bool(move.match))
    rows = tuple(each for each in step.to if each.trigger == move.fire)
    if not rows:
        yield unknown((*here, "fire"), "流转", "trigger", move.fire, {each.trigger for each in step.to})
    else:
        yield from _fired_twice(step, move, (*here, "fire"))
        yield from _refusing(procedure, move, rows, (*here, "fire"))
        yield from _joining(move, rows, (*here, "fire"), around)


def _instant(procedure: ProcedureParts, row: MoveInstant, path: Path, *, is_row: bool) -> Iterator[Problem]:
    if is_row and (row.after is None) == (row.at is None):
        yield Problem(path, Text(zh="每行须写 after 或 at", en="each row has 'after' or 'at'"))
    if row.at is not None:
        yield from anchor_problems(procedure, row.at, (*path, "at"))
    if row.after is not None and not row.after.value:
        yield Problem(
            (*path, "after"),
            Text(zh="after 不能为零", en="'after' cannot be zero"),
            Text(zh="直接流转到下一环节", en="let the move before lead to the next step"),
        )


def _fired_twice(step: Step, move: AutomaticMove, path: Path) -> Iterator[Problem]:
    """Yield a mistake when something else fires the trigger by itself: the joining of branches, a limit that is overdue."""
    if step.parallel and move.fire == DONE:
        yield Problem(
            path,
            Text(zh="done 在各分支都结束时触发，不能定时", en="'done' is fired once all branches have ended"),
            Text(zh="另写一条流转，如 give_up", en="give the step another trigger, such as give_up"),
        )
    overdue = step.within.on_overdue if step.within is not None else None
    if move.fire in (step.on_overdue, overdue):
        yield Problem(
            path,
            Text(
                zh=f"{move.fire} 已由 on_overdue 触发",
                en=f"on_overdue fires {move.fire!r} already",
            ),
            Text(
                zh="到时不算超时的留 then，算超时的留 on_overdue",
                en="keep 'then' where nothing is overdue at that instant, on_overdue where the limit is",
            ),
        )


def _refusing(
    procedure: ProcedureParts, move: AutomaticMove, rows: Sequence[Transition], path: Path
) -> Iterator[Problem]:
    """Yield what may refuse the move when its instant has come: nobody would be there to be told."""
    for row in rows:
        if row.requires:
            yield _refused(
                path,
                Text(zh=f"{move.fire} 须附材料，届时无人提供", en=f"{move.fire!r} has 'requires'"),
            )
        rework = row.enforce.get("rework", procedure.enforce.rework)
        if row.at_most is not None and rework == "refuse":
            yield _refused(path, Text(zh=f"{move.fire} 有次数上限", en=f"{move.fire!r} has 'at_most'"))
    if rows[-1].when is not None:
        yield _refused(
            path, Text(zh=f"{move.fire} 的每行都有条件", en=f"every row of {move.fire!r} has a guard")
        )


def _joining(
    move: AutomaticMove, rows: Sequence[Transition], path: Path, around: Sequence[Step]
) -> Iterator[Problem]:
    """Yield a mistake when the move may end the last branch of a parallel step that guards may keep from being left."""
    joins = [each.id for each in _joined(rows, around) if _is_guarded(each)]
    if joins:
        listed = ", ".join(joins)
        yield _refused(
            path,
            Text(
                zh=f"{move.fire} 结束分支，而 {listed} 的 done 每行都有条件",
                en=f"{move.fire!r} ends the branch, and every row of 'done' of {listed} has a guard",
            ),
        )


def _refused(path: Path, why: Text) -> Problem:
    return Problem(
        path,
        Text(
            zh=f"自动流转到时可能被拒绝：{why.zh}",
            en=f"the automatic move may be refused when its instant comes: {why.en}",
        ),
        Text(
            zh="then 另用一个不带这些要求的流转，或加一行不带 when 的",
            en="give 'then' a trigger of its own without that, or end its rows with one that has no 'when'",
        ),
    )


def _is_guarded(step: Step) -> bool:
    done = [move for move in step.to if move.trigger == DONE]
    return bool(done) and done[-1].when is not None


def _joined(rows: Sequence[Transition], around: Sequence[Step]) -> Iterator[Step]:
    """Yield the parallel steps that may be left because these moves end the last branch, innermost first."""
    for place in range(len(around) - 1, -1, -1):
        ends = {
            inner.id for branch in around[place].parallel for inner in branch.steps if inner.end is not None
        }
        if ends.isdisjoint(move.step for move in rows):
            return
        yield around[place]
        rows = [move for move in around[place].to if move.trigger == DONE]
