"""Effects of facts on the state of an instance.

`evolve(compiled, instance, fact)` takes every fact that `decide` records, in their order, but for `Migrated`: that
needs two versions, see `svcflow.kernel.replay` and `svcflow.kernel.lifecycle.migrated`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, NoReturn

from svcflow.errors import GuardError
from svcflow.kernel.compiled import Compiled, CompiledStep
from svcflow.kernel.facts import (
    Accepted,
    Assigned,
    CalledOff,
    ChildEnded,
    ChildRequested,
    ChildStarted,
    Deviated,
    DeviationStatus,
    Erased,
    Escalated,
    Explained,
    Extended,
    Fact,
    Held,
    Migrated,
    Moved,
    Overdue,
    ParentTold,
    Recomputed,
    Refused,
    Rejected,
    Released,
    Rescheduled,
    Resumed,
    Settled,
    Started,
    Updated,
    Warned,
)
from svcflow.kernel.instance import (
    NEVER,
    NOT_COMPUTED,
    STOPPED,
    Booking,
    Draft,
    FrozenDict,
    Instance,
    Parent,
    Stopwatch,
)
from svcflow.kernel.lifecycle import assignees, children
from svcflow.kernel.lifecycle.deviations import STATUS_AFTER, Answer
from svcflow.kernel.moves.four_eyes import performers_after
from svcflow.kernel.moves.settled_values import settled_after
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit
from svcflow.model.field import Value
from svcflow.model.limit import hold_limit
from svcflow.model.step import DONE
from svcflow.model.subprocedure import CALLED_OFF
from svcflow.worktime.instants import to_us

# ruff: noqa: FBT001, PLR0917  # the flags of private functions go by place: by keyword they cost a twentieth of a replay


def evolve(compiled: Compiled, instance: Instance | None, fact: Fact) -> Instance:
    """Return the instance after one more fact."""
    return evolve_all(compiled, instance, (fact,))


def evolve_all(compiled: Compiled, instance: Instance | None, facts: Iterable[Fact]) -> Instance:
    """Return the instance after more facts, in their order."""
    facts = tuple(facts)
    draft = Draft.blank(facts[0].instance) if instance is None else Draft.of(instance)
    apply(compiled, draft, facts)
    return draft.freeze()


def apply(compiled: Compiled, draft: Draft, facts: Iterable[Fact]) -> None:
    """Change the draft by facts, and compute what is due after the last of them."""
    for fact in facts:
        kind, at_us = type(fact), fact.occurred_us
        draft.sequence = fact.sequence
        if kind in _REVISES:
            draft.revision = fact.sequence
            draft.revised_us = at_us
        if at_us > draft.updated_us:  # noqa: PLR1730  # see compute_due
            draft.updated_us = at_us
        _APPLY[kind](compiled, draft, fact)
    compute_due(compiled, draft)


def guard_data(compiled: Compiled, draft: Draft) -> Mapping[str, Any]:
    """Return the names that guards may use: the fields, and the recipient."""
    if not compiled.uses_recipient:
        return draft.data
    return {**draft.data, "recipient": {"id": draft.recipient, "group": draft.group}}


def compute_due(compiled: Compiled, draft: Draft) -> None:
    """Compute the deadlines that changes have moved, and the next instant of all stopwatches."""
    if draft.next_us != NOT_COMPUTED:
        return
    soonest = NEVER
    for limit_id, watch in draft.stopwatches.items():
        next_us = watch.next_us
        if next_us == NOT_COMPUTED:
            draft.stopwatches[limit_id] = watch = stopwatch.with_due(compiled.limits[limit_id], watch)  # noqa: PLW2901
            next_us = watch.next_us
        if next_us < soonest:  # noqa: PLR1730  # min() costs a call each, on the hot path
            soonest = next_us
    draft.next_us = soonest


def _started(compiled: Compiled, draft: Draft, fact: Started) -> None:
    draft.procedure, draft.version = fact.procedure, fact.version
    draft.parameters = FrozenDict(fact.parameters) if fact.parameters else draft.parameters
    draft.recipient, draft.group = fact.recipient, fact.group
    draft.started_us = fact.occurred_us
    if fact.parent:
        draft.parent = Parent(fact.parent, fact.parent_step)
        draft.left_by = FrozenDict(fact.performers)
    if fact.books:
        draft.bookings = compiled.unbooked
        book(draft, fact, fact.data)
    _merge(draft, fact.data, fact.evidence, fact.occurred_us)
    _enter(compiled, draft, fact.step, fact.occurred_us, restart=False, deemed=False)
    settle_steps(compiled, draft, fact.occurred_us)


def _moved(compiled: Compiled, draft: Draft, fact: Moved) -> None:
    at_us = fact.occurred_us
    # Data first: limits that start with the step that is entered choose their rows by them.
    if fact.data or fact.evidence:
        if fact.data:
            book(draft, fact, fact.data)
        _merge(draft, fact.data, fact.evidence, at_us)
    row = compiled.triggers[fact.trigger].transitions[fact.via or fact.step][fact.row]
    if row.move.at_most is not None:
        draft.counts = FrozenDict({**draft.counts, row.key: draft.counts.get(row.key, 0) + 1})
    if compiled.excluded and fact.actor:
        among = compiled.remembered if fact.paired else compiled.excluded
        draft.left_by = performers_after(compiled, draft.left_by, fact, among)
    if compiled.settling:
        draft.settled = settled_after(compiled, draft.settled, row)
    deemed = fact.automatic and not (fact.via or fact.child) and fact.trigger != DONE
    restart = row.move.clock == "restart"
    _leave(compiled, draft, fact.step, at_us, deemed)
    # Before the step is entered: it may be the one that starts the span again, or the end.
    for limit in compiled.reached_by.get(fact.trigger, ()):
        _end(draft, limit, at_us, deemed)
    _enter(compiled, draft, fact.to, at_us, restart, deemed)
    if fact.trigger in compiled.occurrences:
        _begin_interval(compiled, draft, fact.trigger, at_us)
    if fact.data:
        _rematch(compiled, draft, at_us)
    settle_steps(compiled, draft, at_us)


def _updated(compiled: Compiled, draft: Draft, fact: Updated) -> None:
    book(draft, fact, fact.data)
    _merge(draft, fact.data, fact.evidence, fact.occurred_us)
    if fact.data:
        _rematch(compiled, draft, fact.occurred_us)


def _rescheduled(compiled: Compiled, draft: Draft, fact: Rescheduled) -> None:
    book(draft, fact, {fact.field: fact.at})
    _merge(draft, {fact.field: fact.at}, {}, fact.occurred_us)
    _rematch(compiled, draft, fact.occurred_us)


def _extended(_: Compiled, draft: Draft, fact: Extended) -> None:
    _merge(draft, {}, fact.evidence, fact.occurred_us)
    _set(draft, stopwatch.extend(draft.stopwatches[fact.limit], fact.extra))


def _recomputed(_: Compiled, draft: Draft, fact: Recomputed) -> None:
    _set(draft, stopwatch.with_new_due(draft.stopwatches[fact.limit], fact.occurred_us, fact.due_us))


def _migrated(*_: object) -> NoReturn:
    raise TypeError("a migration needs both versions: use replay() or apply_migration()")


def _held(compiled: Compiled, draft: Draft, fact: Held) -> None:
    draft.status, draft.hold = "held", fact.reason
    _merge(draft, {}, fact.evidence, fact.occurred_us)
    cap = compiled.limits.get(hold_limit(fact.reason))
    if cap is not None:
        _start(compiled, draft, cap, draft.stopwatches.get(cap.id), fact.occurred_us, anew=True)
    settle_steps(compiled, draft, fact.occurred_us)


def _resumed(compiled: Compiled, draft: Draft, fact: Resumed) -> None:
    draft.status, draft.hold = "running", ""
    cap = compiled.limits.get(hold_limit(fact.reason))
    if cap is not None:
        _end(draft, cap, fact.occurred_us, deemed=False)
    settle_steps(compiled, draft, fact.occurred_us)


def _warned(compiled: Compiled, draft: Draft, fact: Warned) -> None:
    limit, watch = compiled.limits[fact.limit], draft.stopwatches[fact.limit]
    _set(draft, stopwatch.after_rung(limit, watch, "warn", fact.at, fact.due_us))


def _escalated(compiled: Compiled, draft: Draft, fact: Escalated) -> None:
    limit, watch = compiled.limits[fact.limit], draft.stopwatches[fact.limit]
    _set(draft, stopwatch.after_rung(limit, watch, "escalate", fact.at, fact.due_us))


def _overdue(compiled: Compiled, draft: Draft, fact: Overdue) -> None:
    limit, watch = compiled.limits[fact.limit], draft.stopwatches[fact.limit]
    # A limit judged when it is reached may have begun its next visit by the very move that reached it.
    if watch.visit == fact.visit:
        _set(draft, stopwatch.after_rung(limit, watch, "overdue", "", fact.due_us))
    _deviated(compiled, draft, fact)


def _deviated(_: Compiled, draft: Draft, fact: Fact) -> None:
    _own_deviations(draft)[fact.sequence] = "open"


def _answered(_: Compiled, draft: Draft, fact: Answer) -> None:
    _own_deviations(draft)[fact.deviation] = STATUS_AFTER[type(fact)]
    if isinstance(fact, Explained):
        known = draft.explainers.get(fact.deviation, ())
        new = (name for name in (fact.actor, fact.behalf) if name and name not in known)
        draft.explainers = FrozenDict({**draft.explainers, fact.deviation: (*known, *new)})


def _own_deviations(draft: Draft) -> MutableMapping[int, DeviationStatus]:
    """Return the draft's own deviations: copied once, for there is one more at every missed occurrence."""
    if type(draft.deviations) is not dict:
        draft.deviations = {**draft.deviations}
    return draft.deviations


def _called_off(compiled: Compiled, draft: Draft, fact: CalledOff) -> None:
    at_us = fact.occurred_us
    if draft.assignees:
        assignees.end_assignments(draft, tuple(draft.active))
    if draft.children:
        children.leave(draft, tuple(draft.active), at_us)
    draft.status, draft.outcome, draft.ended_us, draft.hold = "ended", CALLED_OFF, at_us, ""
    for limit_id, watch in draft.stopwatches.items():
        if not watch.verdict:
            _set(draft, stopwatch.end(compiled.limits[limit_id], watch, at_us, reached=False))
    children.settle_pending(draft)


def _nothing(compiled: Compiled, draft: Draft, fact: Fact) -> None:
    """Leave the draft as it is: refusals, settlements and erasures are recorded only."""


_APPLY: dict[type[Fact], Callable[[Compiled, Draft, Any], None]] = {
    Started: _started,
    Moved: _moved,
    Updated: _updated,
    Rescheduled: _rescheduled,
    Extended: _extended,
    Recomputed: _recomputed,
    Migrated: _migrated,
    Held: _held,
    Resumed: _resumed,
    Warned: _warned,
    Escalated: _escalated,
    Overdue: _overdue,
    Settled: _nothing,
    Deviated: _deviated,
    Refused: _nothing,
    Assigned: assignees.assigned,
    Released: assignees.released,
    Explained: _answered,
    Accepted: _answered,
    Rejected: _answered,
    ChildRequested: children.requested,
    ChildStarted: children.started,
    ChildEnded: children.ended,
    CalledOff: _called_off,
    ParentTold: children.told,
    Erased: _nothing,
}


_REVISES = frozenset((Started, Moved, Updated, Rescheduled, Extended, Migrated, Held, Resumed, CalledOff))


def _merge(draft: Draft, data: Mapping[str, Value], evidence: Mapping[str, str], at_us: int) -> None:
    if data:
        draft.data = FrozenDict({**draft.data, **data})
    if evidence:
        draft.evidence = FrozenDict({**draft.evidence, **dict.fromkeys(evidence, at_us)})


def book(draft: Draft, fact: Fact, data: Mapping[str, Value]) -> None:
    """Record who sets scheduled instants; the same instant given again is not set anew."""
    for field in draft.bookings:
        before = draft.data.get(field)
        if data.get(field, before) != before:
            booking = Booking(fact.occurred_us, fact.actor, before is not None, fact.behalf)
            draft.bookings = FrozenDict({**draft.bookings, field: booking})


def _enter(compiled: Compiled, draft: Draft, name: str, at_us: int, restart: bool, deemed: bool) -> None:
    entered = compiled.steps[name]
    draft.active[name] = at_us
    for limit in entered.reaches:
        _end(draft, limit, at_us, deemed)
    for limit in entered.starts:
        old, anew = draft.stopwatches.get(limit.id), restart and limit.restarts
        if old is None or anew or (old.verdict and not limit.once):
            _start(compiled, draft, limit, old, at_us, anew or limit.each)
    for first in entered.branches:
        _enter(compiled, draft, first, at_us, restart, deemed)
    if entered.step.end is not None and not entered.parent:
        _close(compiled, draft, entered, at_us, deemed)


def _leave(compiled: Compiled, draft: Draft, name: str, at_us: int, deemed: bool) -> None:
    left = compiled.steps[name]
    draft.active.pop(name, None)
    if draft.assignees:
        assignees.end_assignments(draft, (name,))
    if draft.children:
        children.leave(draft, (name,), at_us)
    for limit in left.stops:
        _end(draft, limit, at_us, deemed)
    if left.branches:
        for step in [step for step in draft.active if compiled.steps[step].parent == name]:
            _leave(compiled, draft, step, at_us, deemed)


def _close(compiled: Compiled, draft: Draft, last: CompiledStep, at_us: int, deemed: bool) -> None:
    draft.status, draft.outcome, draft.ended_us, draft.hold = "ended", last.step.end or "", at_us, ""
    for limit_id, watch in draft.stopwatches.items():
        if not watch.verdict:
            limit = compiled.limits[limit_id]
            # Only limits that run to any end reach their goal by it; any other is cancelled.
            _set(draft, stopwatch.end(limit, watch, at_us, reached=limit.to_end, deemed=deemed))
    if draft.parent is not None:
        children.settle_pending(draft)


def _start(
    compiled: Compiled, draft: Draft, limit: CompiledLimit, old: Stopwatch | None, at_us: int, anew: bool
) -> None:
    """Start the stopwatch of a limit, or go on with one that had ended."""
    row, anchor_us = 0, NEVER
    if limit.varies:  # guards are evaluated only where the target depends on data
        row = match_row(limit, guard_data(compiled, draft))
        anchor_us = anchor_us_of(limit, row, draft.data)
    running = not (draft.paused and _stoppable(limit, row))
    if old is None or anew:
        visit = 1 if old is None else old.visit + 1
        _set(draft, stopwatch.start(limit, row, at_us, visit=visit, running=running, anchor_us=anchor_us))
    else:
        watch = stopwatch.reopen(old, at_us if running else STOPPED)
        if limit.varies and (row, anchor_us) != (old.row, old.anchor_us):
            watch = stopwatch.rematch(limit, watch, row, at_us, anchor_us)
        _set(draft, watch)


def _stoppable(limit: CompiledLimit, row: int) -> bool:
    return limit.stoppable and not limit.rows[row].fixed


def anchor_us_of(limit: CompiledLimit, row: int, data: Mapping[str, Value]) -> int:
    """Return the scheduled instant that a row refers to, `NEVER` while it is missing."""
    target = limit.rows[row].target
    if target is None or target.anchor is None:
        return NEVER
    written = data.get(target.anchor.field)
    return NEVER if written is None else to_us(datetime.fromisoformat(str(written)))


def _end(draft: Draft, limit: CompiledLimit, at_us: int, deemed: bool) -> None:
    """End the stopwatch of a limit whose goal was reached, if it has not ended."""
    watch = draft.stopwatches.get(limit.id)
    if watch is not None and not watch.verdict:
        _set(draft, stopwatch.end(limit, watch, at_us, reached=True, deemed=deemed))


def _begin_interval(compiled: Compiled, draft: Draft, trigger: str, at_us: int) -> None:
    """Begin the next interval of the recurrences of which this trigger is an occurrence."""
    for limit_id in compiled.occurrences[trigger]:
        watch = draft.stopwatches.get(limit_id)
        if watch is not None and not watch.verdict:
            limit = compiled.limits[limit_id]
            running = watch.open_us != STOPPED
            _set(draft, stopwatch.start(limit, watch.row, at_us, visit=watch.visit + 1, running=running))


def _set(draft: Draft, watch: Stopwatch) -> None:
    """Store a changed stopwatch; the mapping is copied once, since it was given to others when last computed."""
    if draft.next_us != NOT_COMPUTED:
        draft.stopwatches = dict(draft.stopwatches)
        draft.next_us = NOT_COMPUTED
    draft.stopwatches[watch.limit] = watch


def match_row(limit: CompiledLimit, data: Mapping[str, Any]) -> int:
    """Return the index of the first row whose guard is true; one that cannot be evaluated is not."""
    for place, row in enumerate(limit.rows):
        try:
            if row.guard is None or row.guard.holds(data):
                return place
        except GuardError:
            continue
    raise AssertionError(limit.id)  # the default row is mandatory


def _rematch(compiled: Compiled, draft: Draft, at_us: int) -> None:
    data = guard_data(compiled, draft)
    for limit_id in compiled.rematch:
        watch = draft.stopwatches.get(limit_id)
        if watch is not None and not watch.verdict:
            limit = compiled.limits[limit_id]
            row = match_row(limit, data)
            anchor_us = anchor_us_of(limit, row, draft.data)
            if row != watch.row or anchor_us != watch.anchor_us:
                _set(
                    draft,
                    run_or_stop(draft, limit, stopwatch.rematch(limit, watch, row, at_us, anchor_us), at_us),
                )


def run_or_stop(draft: Draft, limit: CompiledLimit, watch: Stopwatch, at_us: int) -> Stopwatch:
    """Return the stopwatch stopped or running, as the draft says: its new row may be stoppable where the old was not."""
    stop = draft.paused and _stoppable(limit, watch.row)
    if stop == (watch.open_us == STOPPED):
        return watch
    return stopwatch.pause(watch, at_us) if stop else stopwatch.resume(watch, at_us)


def settle_steps(compiled: Compiled, draft: Draft, at_us: int) -> None:
    """Set the steps of the draft by its active ones, and pause or resume its stopwatches."""
    draft.steps, waits = compiled.position(tuple(draft.active))
    stop = waits or draft.status == "held"
    if stop != draft.paused and draft.status != "ended":
        _pause(compiled, draft, at_us, stop=stop)


def _pause(compiled: Compiled, draft: Draft, at_us: int, *, stop: bool) -> None:
    draft.paused = stop
    for limit_id, watch in draft.stopwatches.items():
        if watch.verdict or (watch.open_us == STOPPED) == stop:
            continue
        if _stoppable(compiled.limits[limit_id], watch.row):
            _set(draft, stopwatch.pause(watch, at_us) if stop else stopwatch.resume(watch, at_us))
