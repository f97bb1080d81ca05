"""The clock of one limit on one instance: when it starts, stops, goes on, and which instant comes next.

Every function takes a clock and returns a new one. A limit is met when it ends at its deadline or before.
"""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.kernel.dues import due_of, interval_before, measured, rung_instant
from svcflow.kernel.instance import NEVER, STOPPED, Clock, Verdict
from svcflow.kernel.ladder import CompiledLimit, CompiledRow, CompiledRung

_STRICTLY_AFTER = 1


def start(
    limit: CompiledLimit, row: int, at_us: int, *, visit: int, running: bool, anchor_us: int = NEVER
) -> Clock:
    """Start a clock anew; it stands still when the instance is paused."""
    clock = Clock(
        limit.id,
        visit,
        row,
        at_us,
        at_us,
        anchor_us,
        0,
        (),
        STOPPED,
        NEVER,
        0,
        NEVER,
        overdue=False,
        verdict="",
    )
    return resume(limit, clock, at_us) if running else clock


def resume(limit: CompiledLimit, clock: Clock, at_us: int) -> Clock:
    """Let a stopped clock run on from `at_us`."""
    row = limit.rows[clock.row]
    due_us = clock.due_us if clock.overdue else due_of(limit, row, clock, at_us)
    return _armed(limit, row, clock, at_us, due_us)


def pause(limit: CompiledLimit, clock: Clock, at_us: int) -> Clock:
    """Stop a running clock: nothing is due while it stands still, unless the time was used up before."""
    if not clock.overdue and clock.due_us > at_us:
        return _stopped(clock, at_us, NEVER, "")
    return _standing(limit, _stopped(clock, at_us, clock.due_us, ""))


def _standing(limit: CompiledLimit, clock: Clock) -> Clock:
    """Return a clock that stands still, with the deadline it reached before, if it did."""
    row = limit.rows[clock.row]
    due_us = clock.due_us if clock.overdue else due_of(limit, row, clock, STOPPED)
    return _armed(limit, row, clock, STOPPED, due_us)


def end(limit: CompiledLimit, clock: Clock, at_us: int, *, reached: bool, deemed: bool = False) -> Clock:
    """End a clock for good, or until the step is entered again; `reached` says that its goal was reached.

    An end recorded late that was in time annuls the breach; one that the system deemed made does not.
    """
    if clock.overdue and at_us <= clock.due_us and not deemed:
        clock = _annulled(limit, clock)
    return _stopped(clock, at_us, clock.due_us, _verdict(limit, clock, at_us, reached=reached))


def _annulled(limit: CompiledLimit, clock: Clock) -> Clock:
    """Return the clock as if its deadline had not passed; warnings and escalations are never un-fired."""
    rungs = limit.rows[clock.row].rungs
    breach = next(place for place, rung in enumerate(rungs) if rung.kind == "overdue")
    return clock._replace(overdue=False, fired=clock.fired & ~(1 << breach))


def _verdict(limit: CompiledLimit, clock: Clock, at_us: int, *, reached: bool) -> Verdict:
    row = limit.rows[clock.row]
    if row.kind == "at_least" and reached:
        return "met" if at_us >= clock.due_us else "early"
    if clock.overdue:
        return "late"
    unset = row.target is None or (row.fixed and clock.due_us == NEVER)
    return "met" if reached and not unset else "cancelled"


def reopen(limit: CompiledLimit, clock: Clock, at_us: int, *, running: bool) -> Clock:
    """Go on with a clock that had ended: bouncing work gains no time."""
    return resume(limit, clock, at_us) if running else _standing(limit, clock._replace(verdict=""))


def rematch(limit: CompiledLimit, clock: Clock, row: int, at_us: int, anchor_us: int) -> Clock:
    """Give a clock another row or anchor: counted from its start, or from now for internal hand-overs.

    Rungs that fired stay fired, and a breach stays a breach of what it was a breach of.
    """
    if clock.overdue:
        return clock
    booked = limit.rows[row].fixed and clock.anchor_us == NEVER != anchor_us
    changed = clock._replace(row=row, attached_us=at_us, anchor_us=anchor_us, due_us=NEVER)
    since_us = clock.open_us
    if booked:
        changed = changed._replace(started_us=at_us)
    elif limit.from_now and not limit.rows[row].fixed:
        changed = changed._replace(started_us=at_us, runs=())
        since_us = at_us
    return _standing(limit, changed) if clock.open_us == STOPPED else resume(limit, changed, since_us)


def extend(limit: CompiledLimit, clock: Clock, extra: int) -> Clock:
    """Add to what a clock may count."""
    longer = clock._replace(extra=clock.extra + extra)
    return _standing(limit, longer) if clock.open_us == STOPPED else resume(limit, longer, clock.open_us)


def recomputed_us(limit: CompiledLimit, clock: Clock) -> int:
    """Reckon a clock's deadline anew, with the calendar as it is now; a breach stays one of what it was."""
    if clock.overdue or clock.verdict or clock.open_us == STOPPED:
        return clock.due_us
    return due_of(limit, limit.rows[clock.row], clock, clock.open_us)


def recompute(limit: CompiledLimit, clock: Clock, at_us: int, due_us: int) -> Clock:
    """Give a clock the deadline that was reckoned anew at `at_us`."""
    attached = clock._replace(attached_us=at_us)
    return _armed(limit, limit.rows[clock.row], attached, clock.open_us, due_us)


def fired(limit: CompiledLimit, clock: Clock) -> Clock:
    """Step to the next rung after the present one has fired; a missed occurrence begins the next interval."""
    row = limit.rows[clock.row]
    place, _ = _next(limit, row, clock)
    overdue = row.rungs[place].kind == "overdue"
    if overdue and row.kind == "every":
        return start(limit, clock.row, clock.due_us, visit=clock.visit + 1, running=True)
    stepped = clock._replace(fired=clock.fired | 1 << place, overdue=clock.overdue or overdue)
    return _armed(limit, row, stepped, clock.open_us, clock.due_us)


def not_missed(limit: CompiledLimit, clock: Clock, at_us: int) -> Iterator[tuple[int, int]]:
    """Yield visit and deadline of the occurrences recorded as missed that one at `at_us`, recorded late, was in time for."""
    row, visit, due_us = limit.rows[clock.row], clock.visit - 1, clock.started_us
    while row.kind == "every" and visit and due_us >= at_us:
        yield visit, due_us
        visit, due_us = visit - 1, interval_before(limit.calendar, row, due_us)


def present_rung(limit: CompiledLimit, clock: Clock) -> CompiledRung:
    """Return the rung that `next_us` stands for."""
    row = limit.rows[clock.row]
    return row.rungs[_next(limit, row, clock)[0]]


def worked(limit: CompiledLimit, clock: Clock, until_us: int, since_us: int | None = None) -> int:
    """Return the microseconds that ran, in open hours where the limit counts working time or days."""
    total = 0
    row = limit.rows[clock.row]
    runs = clock.runs if clock.open_us == STOPPED else (*clock.runs, (clock.open_us, until_us))
    for first, last in runs:
        begin = first if since_us is None else max(first, since_us)
        if begin < last:
            total += measured(limit, row, begin, last)
    return total


def overrun(limit: CompiledLimit, clock: Clock, at_us: int) -> int:
    """Return by how much the deadline was missed, in the limit's own clock."""
    return worked(limit, clock, at_us, since_us=clock.due_us)


def remaining(limit: CompiledLimit, clock: Clock, at_us: int) -> int | None:
    """Return how much time is left, negative once overdue, in microseconds of the limit's own clock.

    For limits in days this is the time until the deadline as it would be if the clock ran on. None while
    the scheduled instant is missing.
    """
    row = limit.rows[clock.row]
    if clock.overdue:
        return -overrun(limit, clock, at_us)
    if row.family in ("elapsed", "working") and not row.fixed:
        left = row.reach + clock.extra - worked(limit, clock, at_us)
        return max(0, left) if row.kind == "at_least" else left
    due_us = clock.due_us if clock.open_us != STOPPED else resume(limit, clock, at_us).due_us
    if due_us == NEVER:
        return None
    return (
        max(0, measured(limit, row, at_us, due_us))
        if row.kind == "at_least"
        else measured(limit, row, at_us, due_us)
    )


def _stopped(clock: Clock, at_us: int, due_us: int, verdict: Verdict) -> Clock:
    runs, open_us = clock.runs, clock.open_us
    if open_us != STOPPED and open_us < at_us:  # an end recorded late may lie before a missed occurrence
        runs = (*runs, (open_us, at_us))
    return Clock(*clock[:7], runs, STOPPED, due_us, clock.fired, NEVER, clock.overdue, verdict)


def _armed(limit: CompiledLimit, row: CompiledRow, clock: Clock, open_us: int, due_us: int) -> Clock:
    """Return the clock running since `open_us`, with the instant of its next rung."""
    if row.plain:  # the common case, on the hottest way: nothing but the deadline itself
        left = due_us != NEVER and not clock.fired
        return Clock(
            *clock[:8], open_us, due_us, clock.fired, due_us + 1 if left else NEVER, clock.overdue, ""
        )
    running = Clock(*clock[:8], open_us, due_us, clock.fired, NEVER, clock.overdue, "")
    place, next_us = _next(limit, row, running)
    return running if place < 0 else Clock(*running[:11], next_us, clock.overdue, "")


def _next(limit: CompiledLimit, row: CompiledRow, clock: Clock) -> tuple[int, int]:
    """Return the place and instant of the next rung, (-1, NEVER) when none is left.

    Rungs of counted limits are reached in their order; those of a scheduled instant as their instants fall.
    """
    best = (-1, NEVER)
    if clock.due_us == NEVER:
        return best
    for place, rung in enumerate(row.rungs):
        if not clock.fired >> place & 1:
            at_us = rung_instant(limit, row, rung, clock)
            if at_us != NEVER:
                at_us += _STRICTLY_AFTER if rung.strict else 0
            if best[0] < 0 or at_us < best[1]:
                best = (place, at_us)
            if row.ordered:
                break
    return best
