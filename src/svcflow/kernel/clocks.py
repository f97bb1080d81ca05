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
    row = limit.rows[clock.row]
    opened = Clock(*clock[:5], at_us, clock.due_us, *clock[7:])
    due_us = clock.due_us if clock.overdue else _due(limit, row, opened)
    return _armed(limit, row, opened, due_us)


def pause(clock: Clock, at_us: int) -> Clock:
    """Stop a running clock: nothing is due while it stands still, but a breach stays a breach."""
    runs = clock.runs if at_us == clock.open_us else (*clock.runs, (clock.open_us, at_us))
    due_us = clock.due_us if clock.overdue else NEVER
    return Clock(*clock[:4], runs, STOPPED, due_us, clock.rung, NEVER, clock.overdue, clock.verdict)


def end(clock: Clock, at_us: int, *, reached: bool) -> Clock:
    """End a clock for good, or until the step is entered again; `reached` says that its goal was reached."""
    stopped = clock if clock.open_us == STOPPED else pause(clock, at_us)
    verdict: Verdict = "late" if clock.overdue else "met" if reached else "cancelled"
    return Clock(*stopped[:6], clock.due_us, stopped.rung, NEVER, stopped.overdue, verdict)


def reopen(limit: CompiledLimit, clock: Clock, at_us: int, *, running: bool) -> Clock:
    """Go on with a clock that had ended: bouncing work gains no time."""
    open_again = Clock(*clock[:10], verdict="")
    return resume(limit, open_again, at_us) if running else open_again


def rematch(limit: CompiledLimit, clock: Clock, row: int, at_us: int) -> Clock:
    """Give a clock another row of the matrix: counted from its start, or from now for internal hand-overs.

    Rungs that fired stay fired, and a breach stays a breach under the row it was a breach of.
    """
    if clock.overdue:
        return clock
    running = clock.open_us != STOPPED
    if limit.from_now:
        anew = start(limit, row, at_us, visit=clock.visit, running=False)
    else:
        anew = clock._replace(row=row)
    kept = Clock(*anew[:7], clock.rung, *anew[8:])
    return resume(limit, kept, kept.open_us if kept.open_us != STOPPED else at_us) if running else kept


def fired(limit: CompiledLimit, clock: Clock) -> Clock:
    """Step to the next rung after the present one has fired."""
    row = limit.rows[clock.row]
    overdue = clock.overdue or row.rungs[clock.rung].kind == "overdue"
    stepped = Clock(*clock[:7], clock.rung + 1, clock.next_us, overdue, clock.verdict)
    return _armed(limit, row, stepped, clock.due_us)


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


def _armed(limit: CompiledLimit, row: CompiledRow, clock: Clock, due_us: int) -> Clock:
    next_us = NEVER
    if clock.rung < len(row.rungs):
        rung = row.rungs[clock.rung]
        next_us = _instant(limit, row, rung, clock, due_us) + (_STRICTLY_AFTER if rung.strict else 0)
    return Clock(*clock[:6], due_us, clock.rung, next_us, clock.overdue, clock.verdict)


def _due(limit: CompiledLimit, row: CompiledRow, clock: Clock) -> int:
    return NEVER if row.reach is None else _reached(limit, row, clock, row.reach)


def _instant(limit: CompiledLimit, row: CompiledRow, rung: CompiledRung, clock: Clock, due_us: int) -> int:
    if rung.kind == "overdue" or (rung.reach == row.reach and rung.share is None):
        return due_us
    if rung.share is not None:
        return _part(limit, clock, rung.share, due_us)
    return _reached(limit, row, clock, rung.reach)


def _reached(limit: CompiledLimit, row: CompiledRow, clock: Clock, reach: int) -> int:
    """Return the earliest instant at which the clock, running on, has counted `reach`."""
    if row.family == "elapsed":
        return clock.open_us + max(0, reach - sum(last - first for first, last in clock.runs))
    calendar = limit.calendar
    if row.family == "working":
        done = 0
        for first, last in clock.runs:
            done += calendar.between_us(first, last)
        return calendar.add_us(clock.open_us, max(0, reach - done))
    days = 0
    for first, last in clock.runs:
        days += calendar.closings_between_us(first, last, clock.started_us)
    if days >= reach:
        return calendar.add_us(clock.open_us, 0)
    return calendar.nth_closing_from_us(clock.open_us, reach - days, clock.started_us)


def _part(limit: CompiledLimit, clock: Clock, share: Fraction, due_us: int) -> int:
    """Return when `share` of the open time between start and deadline has run."""
    calendar = limit.calendar
    done = sum(calendar.between_us(first, last) for first, last in clock.runs)
    total = done + calendar.between_us(clock.open_us, due_us)
    return calendar.add_us(clock.open_us, max(0, -(-share.numerator * total // share.denominator) - done))
