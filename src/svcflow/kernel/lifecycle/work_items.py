"""Work items of an instance: one for each active step."""

from __future__ import annotations

from typing import NamedTuple

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.instance import NEVER, Instance
from svcflow.kernel.timing.stopwatch import is_never_owed


class Work(NamedTuple):
    """Active step that somebody has to do.

    `assignee` is empty while nobody has it; `due_us` is the soonest deadline that runs for it, else `NEVER`.
    """

    step: str
    role: str
    assignee: str
    entered_us: int
    due_us: int


def work_of(compiled: Compiled, instance: Instance) -> tuple[Work, ...]:
    """Return the work of an instance; none once it has ended."""
    if instance.status == "ended":
        return ()
    return tuple([_work(compiled, instance, step) for step in instance.steps])


def soonest_due_us(compiled: Compiled, instance: Instance, step: str | None = None) -> int:
    """Return the soonest deadline that runs, `NEVER` without one; with `step`, of those that run for that step.

    A minimum (`at_least`) is no deadline: from its instant on the step may end, and nothing is late. Nor is the
    instant of an automatic move, at which nobody has to have done anything, nor that of a limit that is judged only
    when its end is reached: until then nothing is owed.
    """
    due_us = NEVER
    for watch in instance.stopwatches.values():
        if watch.due_us < due_us and not watch.verdict:
            limit = compiled.limits.get(watch.limit)
            if limit is None:  # of an earlier version only
                continue
            if limit.is_timer:
                continue
            over = limit.limit.step
            concerns = over is None or over == step or step is None
            if concerns and not is_never_owed(limit, limit.rows[watch.row]):
                due_us = watch.due_us
    return due_us


def changed_work(compiled: Compiled, before: Instance | None, after: Instance) -> tuple[Work, ...] | None:
    """Return the work of an instance after a change; None when it has not changed, as after a warning.

    `compiled` is the version after the change. Work under another version is returned whatever it was.
    """
    if before is None or before.active != after.active or before.status != after.status:
        return work_of(compiled, after)
    if before.stopwatches is after.stopwatches and before.assignees == after.assignees:
        return None
    work = work_of(compiled, after)
    return None if before.version == after.version and work == work_of(compiled, before) else work


def _work(compiled: Compiled, instance: Instance, step: str) -> Work:
    role, assignee = compiled.steps[step].step.role or "", instance.assignees.get(step, "")
    return Work(step, role, assignee, instance.active[step], soonest_due_us(compiled, instance, step))
