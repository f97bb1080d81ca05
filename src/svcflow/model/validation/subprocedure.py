"""Rules of `runs` inside one procedure: its fields and triggers exist, and the step can run another procedure.

What must hold between the two procedures stands in `svcflow.model.called_procedures`.
"""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.errors import Path, Problem
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.model.step import DONE, Step, walk
from svcflow.model.validation.references import identifier, unknown
from svcflow.text import Text


def subprocedure_problems(procedure: ProcedureParts, step: Step, path: Path) -> Iterator[Problem]:
    """Yield every mistake of a step's `runs`, which stands at `path`."""
    if step.then is not None:
        yield from _kept(step, path)
    called = step.runs
    if called is None:
        return
    yield from identifier(called.procedure, (*path, "procedure"))
    if called.procedure == procedure.id:
        yield Problem(
            (*path, "procedure"),
            Text(zh="流程不能办理自身", en="a procedure cannot run itself"),
            Text(zh="写另一流程", en="name another procedure"),
        )
    if step.end is not None or step.parallel:
        yield Problem(
            path,
            Text(
                zh="结束环节与并行环节不能办理另一流程",
                en="a step with 'end' or 'parallel' runs no procedure",
            ),
            Text(
                zh="写在普通环节上；几个子流程并行，各写在一个分支的环节上",
                en="give it to a plain step; several run side by side in steps of branches",
            ),
        )
    for field, own in called.data.items():
        yield from identifier(field, (*path, "data", field))
        if own not in procedure.fields:
            yield unknown((*path, "data", field), "字段", "field", own, procedure.fields)
    triggers = dict.fromkeys(move.trigger for move in step.to if not (step.parallel and move.trigger == DONE))
    for outcome, trigger in called.outcomes.items():
        if trigger not in triggers:
            yield unknown((*path, "outcomes", outcome), "流转", "trigger", trigger, triggers)


def _kept(step: Step, path: Path) -> Iterator[Problem]:
    """Yield a mistake for a step that moves on by itself and may not be left while what runs in it has not ended."""
    kept = [each.id for each in walk((step,)) if each.runs is not None and each.runs.on_call_off == "refuse"]
    if kept:
        listed = ", ".join(kept)
        yield Problem(
            (*path[:-1], "then"),
            Text(
                zh=f"自动流转到时可能被拒绝：{listed} 的子流程未结束不得离开",
                en=f"the automatic move may be refused when its instant comes: what {listed} runs may not be called off",
            ),
            Text(zh="去掉 then，或写 on_call_off: cancel", en="drop 'then', or write on_call_off: cancel"),
        )
