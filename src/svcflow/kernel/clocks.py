"""The arithmetic of one limit's clock: when it starts, stops, goes on, and which instant comes next.

Every function takes a clock and returns a new one. A deadline is the earliest instant at which the time
that ran reaches the limit; it is met when the limit ends at that instant or before.
"""

from __future__ import annotations

from fractions import Fraction

from svcflow.kernel.instance import NEVER, STOPPED, Clock, Verdict
from svcflow.kernel.ladder import CompiledLimit, CompiledRow, CompiledRung

_STRICTLY_AFTER = 1


def start(limit: CompiledLimit, row: int, at_us: int, *, visit: int, running: bool) -> Clock:
    """Start a clock anew; it stands still when the instance is paused."""
    clock = Clock(limit.id, visit, row, at_us, (), STOPPED, NEVER, 0, NEVER, overdue=False, verdict="")
    return resume(limit, clock, at_us) if running else clock


def resume(limit: CompiledLimit, clock: Clock, at_us: int) -> Clock:
    """Let a stopped clock run on from `at_us`."""
    due_us = clock.due_us
    row = limit.rows[clock.row]
    if not clock.overdue and row.reach is not None:
        due_us = _reached(limit, row, clock, at_us, row.reach)
    return _armed(limit, row, clock, at_us, due_us, clock.rung, clock.overdue)


def pause(clock: Clock, at_us: int) -> Clock:
    """Stop a running clock: nothing is due while it stands still, but a breach stays a breach."""
    return _stopped(clock, at_us, clock.due_us if clock.overdue else NEVER, "")


def end(clock: Clock, at_us: int, *, reached: bool) -> Clock:
    """End a clock for good, or until the step is entered again; `reached` says that its goal was reached."""
    verdict: Verdict = "late" if clock.overdue else "met" if reached else "cancelled"
    return _stopped(clock, at_us, clock.due_us, verdict)


def reopen(limit: CompiledLimit, clock: Clock, at_us: int, *, running: bool) -> Clock:
    """Go on with a clock that had ended: bouncing work gains no time."""
    if running:
        return resume(limit, clock, at_us)
    return clock._replace(verdict="", due_us=clock.due_us if clock.overdue else NEVER)


def rematch(limit: CompiledLimit, clock: Clock, row: int, at_us: int) -> Clock:
    """Give a clock another row of the matrix: counted from its start, or from now for internal hand-overs.

    Rungs that fired stay fired, and a breach stays a breach under the row it was a breach of.
    """
    if clock.overdue:
        return clock
    if limit.from_now:
        changed = clock._replace(row=row, started_us=at_us, runs=())
        since_us = at_us
    else:
        changed = clock._replace(row=row)
        since_us = clock.open_us
    return changed if clock.open_us == STOPPED else resume(limit, changed._replace(due_us=NEVER), since_us)


def fired(limit: CompiledLimit, clock: Clock) -> Clock:
    """Step to the next rung after the present one has fired."""
    row = limit.rows[clock.row]
    overdue = clock.overdue or row.rungs[clock.rung].kind == "overdue"
    return _armed(limit, row, clock, clock.open_us, clock.due_us, clock.rung + 1, overdue)


def present_rung(limit: CompiledLimit, clock: Clock) -> CompiledRung:
    """Return the rung that `next_us` stands for."""
    return limit.rows[clock.row].rungs[clock.rung]


def worked(limit: CompiledLimit, clock: Clock, until_us: int, since_us: int | None = None) -> int:
    """Return the microseconds that ran, in open hours unless the limit counts elapsed time."""
    elapsed = limit.rows[clock.row].family == "elapsed"
    total = 0
    runs = clock.runs if clock.open_us == STOPPED else (*clock.runs, (clock.open_us, until_us))
    for first, last in runs:
        begin = first if since_us is None else max(first, since_us)
        if begin < last:
            total += last - begin if elapsed else limit.calendar.between_us(begin, last)
    return total


def overrun(limit: CompiledLimit, clock: Clock, at_us: int) -> int:
    """Return by how much the deadline was missed, in the limit's own clock."""
    return worked(limit, clock, at_us, since_us=clock.due_us)


def remaining(limit: CompiledLimit, clock: Clock, at_us: int) -> int:
    """Return how much time is left, negative once overdue, in microseconds of the limit's own clock.

    For working-day limits this is the open time until the deadline as it would be if the clock ran on.
    """
    row = limit.rows[clock.row]
    if clock.overdue:
        return -overrun(limit, clock, at_us)
    if row.family != "working_days":
        return (row.reach or 0) - worked(limit, clock, at_us)
    due_us = clock.due_us if clock.open_us != STOPPED else resume(limit, clock, at_us).due_us
    return limit.calendar.between_us(at_us, due_us)


def _stopped(clock: Clock, at_us: int, due_us: int, verdict: Verdict) -> Clock:
    name, visit, row, started_us, runs, open_us, _, rung, _, overdue, _ = clock
    if open_us not in (STOPPED, at_us):
        runs = (*runs, (open_us, at_us))
    return Clock(name, visit, row, started_us, runs, STOPPED, due_us, rung, NEVER, overdue, verdict)


def _armed(  # noqa: PLR0917  # the parts of one clock, on the hottest way there is
    limit: CompiledLimit,
    row: CompiledRow,
    clock: Clock,
    open_us: int,
    due_us: int,
    rung: int,
    overdue: bool,  # noqa: FBT001
) -> Clock:
    """Return the clock running since `open_us`, with the instant of its rung."""
    next_us = NEVER
    if rung < len(row.rungs):
        at = row.rungs[rung]
        next_us = _instant(limit, row, at, clock, open_us, due_us) + (_STRICTLY_AFTER if at.strict else 0)
    return Clock(*clock[:5], open_us, due_us, rung, next_us, overdue, "")


def _instant(  # noqa: PLR0917  # see _armed
    limit: CompiledLimit, row: CompiledRow, rung: CompiledRung, clock: Clock, open_us: int, due_us: int
) -> int:
    if rung.share is not None:
        return _part(limit, clock, open_us, rung.share, due_us)
    if rung.reach == row.reach:
        return due_us
    return _reached(limit, row, clock, open_us, rung.reach)


def _reached(limit: CompiledLimit, row: CompiledRow, clock: Clock, open_us: int, reach: int) -> int:
    """Return the earliest instant at which the clock, running on from `open_us`, has counted `reach`."""
    calendar, done = limit.calendar, 0
    if row.family == "elapsed":
        for first, last in clock.runs:
            done += last - first
        return open_us + max(0, reach - done)
    if row.family == "working":
        for first, last in clock.runs:
            done += calendar.between_us(first, last)
        return calendar.add_us(open_us, max(0, reach - done))
    for first, last in clock.runs:
        done += calendar.closings_between_us(first, last, clock.started_us)
    if done >= reach:
        return calendar.add_us(open_us, 0)
    return calendar.nth_closing_from_us(open_us, reach - done, clock.started_us)


def _part(limit: CompiledLimit, clock: Clock, open_us: int, share: Fraction, due_us: int) -> int:
    """Return when `share` of the open time between start and deadline has run."""
    calendar = limit.calendar
    done = sum(calendar.between_us(first, last) for first, last in clock.runs)
    total = done + calendar.between_us(open_us, due_us)
    return calendar.add_us(open_us, max(0, -(-share.numerator * total // share.denominator) - done))
