"""Deadlines of an instance at an instant, one for each limit that runs. Computed, never stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal, NamedTuple

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import transact
from svcflow.kernel.facts import to_datetime
from svcflow.kernel.instance import NEVER, STOPPED, Instance, Stopwatch
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit
from svcflow.kernel.timing.pinned_targets import PinnedTargets, still_pinned
from svcflow.model.limit import Severity
from svcflow.model.target import Target
from svcflow.text import Text

DeadlineState = Literal[
    "pending", "running", "paused", "overdue", "reached", "lapsed", "met", "late", "early", "cancelled"
]

_NONE_PINNED: PinnedTargets = {}


class Deadline(NamedTuple):
    """Deadline of one limit on one instance; a named tuple, because every query makes all of them.

    `target` is what procedure `version` declares: a migration that kept the deadline leaves both as they were.
    `remaining` is counted as the limit counts (open hours for working limits), negative once overdue; a paused
    limit has `remaining` and no `due_at`; one whose scheduled instant is missing is `pending` and has
    neither. `reached` is a minimum that has run, `lapsed` a limit whose time is over and whose end was not reached, which
    owes nothing until it is. A `provisional` deadline lies past what its calendar covers.
    """

    instance: str
    limit: str
    name: Text
    step: str
    visit: int
    target: Target
    severity: Severity
    state: DeadlineState
    due_at: datetime | None
    remaining: timedelta | None
    provisional: bool
    version: int = 0


def deadlines(
    compiled: Compiled,
    instance: Instance,
    at_us: int,
    *,
    ended: bool = False,
    pinned: PinnedTargets = _NONE_PINNED,
) -> tuple[Deadline, ...]:
    """Return the deadlines as they are at `at_us`, soonest first; with `ended`, those of ended limits too.

    `pinned` are the targets of earlier versions that still apply, for an instance that was migrated.
    """
    present = transact(compiled, instance, None, at_us).instance
    watches = [watch for watch in present.stopwatches.values() if ended or not watch.verdict]
    watches.sort(key=_SOONEST)
    made: list[Deadline] = []
    for watch in watches:
        limit = compiled.limits.get(watch.limit)  # some are of an earlier version only
        if limit is not None and not limit.is_timer:  # an automatic move is no deadline
            earlier, version = pinned.get(watch.limit), compiled.procedure.version
            target = limit.rows[watch.row].target
            if earlier is not None and still_pinned(earlier, instance.stopwatches[watch.limit], watch):
                target, version = earlier.target, earlier.version
            if target is not None:
                made.append(_deadline(limit, present.id, watch, target, version, at_us))
    return tuple(made)


_SOONEST = attrgetter("due_us", "limit")


def _deadline(  # noqa: PLR0917  # one for each part
    limit: CompiledLimit, instance: str, watch: Stopwatch, target: Target, version: int, at_us: int
) -> Deadline:
    declared, due_us = limit.limit, watch.due_us
    left_us = None if watch.verdict else stopwatch.remaining(limit, watch, at_us)
    return Deadline(
        instance,
        limit.id,
        declared.name,
        declared.step or "",
        watch.visit,
        target,
        declared.severity,
        _state(limit, watch, at_us),
        None if due_us == NEVER else to_datetime(due_us),
        None if left_us is None else timedelta(0, 0, left_us),
        due_us != NEVER and limit.rows[watch.row].calendar.provisional(due_us),
        version,
    )


def _state(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> DeadlineState:
    if watch.verdict:
        return watch.verdict
    if watch.overdue:
        return "overdue"
    if limit.if_reached and at_us > watch.due_us:
        return "lapsed"
    if watch.open_us == STOPPED:
        return "paused"
    if watch.due_us == NEVER:
        return "pending"
    reached = limit.rows[watch.row].kind == "at_least" and at_us >= watch.due_us
    return "reached" if reached else "running"
