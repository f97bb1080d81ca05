"""Stopwatch of one limit on one instance: start, pause, resume, end, and the rungs of its ladder.

Every function takes a stopwatch and returns a new one. A limit is met when it ends at its deadline or before.
A change leaves the deadline `NOT_COMPUTED`, because only the last of several changes needs it: see `with_due`.
"""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.errors import CalendarCoverageError
from svcflow.kernel.instance import NEVER, NOT_COMPUTED, STOPPED, Run, Stopwatch, Verdict
from svcflow.kernel.timing.compiled_limit import CompiledLimit, CompiledRow, CompiledRung, RungKind
from svcflow.kernel.timing.due import due_of, full_reach, interval_before, measure, rung_instant

# A limit is met at its deadline, so it is overdue one microsecond later.
_STRICTLY_AFTER = 1
_new = tuple.__new__


def start(
    limit: CompiledLimit, row: int, at_us: int, *, visit: int, running: bool, anchor_us: int = NEVER
) -> Stopwatch:
    """Return a new stopwatch; without `running` it stands still from the start, as in an instance that is paused."""
    due_us = NOT_COMPUTED if running else NEVER
    open_us = at_us if running else STOPPED
    return _new(Stopwatch, (
        limit.id, visit, row, at_us, at_us, anchor_us, 0, (), open_us, due_us, 0, due_us, False, "", 0,
    ))  # fmt: skip


def with_due(limit: CompiledLimit, watch: Stopwatch) -> Stopwatch:
    """Return the stopwatch with its deadline and the instant of its next rung, which changes leave `NOT_COMPUTED`."""
    row, due_us = limit.rows[watch.row], watch.due_us
    if due_us == NOT_COMPUTED:
        due_us = due_of(row, watch, watch.open_us)
    if watch.verdict:  # `end` left it open only for the line above: closed, it would have no deadline
        return _with(watch, watch.runs, STOPPED, due_us, NEVER, watch.verdict)
    if row.plain:  # the common case: nothing but the deadline itself
        left = due_us != NEVER and not watch.fired
        return _with(watch, watch.runs, watch.open_us, due_us, due_us + _STRICTLY_AFTER if left else NEVER)
    timed = _with(watch, watch.runs, watch.open_us, due_us, NEVER)
    return _with(timed, watch.runs, watch.open_us, due_us, _soonest_rung(row, timed)[1])


def resume(watch: Stopwatch, at_us: int) -> Stopwatch:
    """Return a stopped stopwatch running from `at_us`."""
    return _with(watch, watch.runs, at_us)


def pause(watch: Stopwatch, at_us: int) -> Stopwatch:
    """Return a running stopwatch stopped at `at_us`: nothing is due while it stands still."""
    # Time that was used up stays due: a hold after the deadline does not undo the breach.
    if not watch.overdue and watch.due_us > at_us:
        return _with(watch, _runs(watch, at_us), STOPPED, NEVER, NEVER)
    return _with(watch, _runs(watch, at_us), STOPPED)


def end(
    limit: CompiledLimit, watch: Stopwatch, at_us: int, *, reached: bool, deemed: bool = False
) -> Stopwatch:
    """Return the stopwatch ended, until the step is entered again; `reached` says that its goal was reached.

    An end that is recorded late and was in time annuls the breach, unless it was a move that the system deemed made.
    """
    if watch.overdue and at_us <= watch.due_us and not deemed:
        watch = _annulled(limit, watch)
    verdict, due_us, runs = _verdict(limit, watch, at_us, reached=reached), watch.due_us, _runs(watch, at_us)
    if due_us != NOT_COMPUTED:
        return _with(watch, runs, STOPPED, due_us, NEVER, verdict)
    # The deadline stays what it was, and is yet to be computed: until then the stopwatch stays open from its end on,
    # as it would have run. A run cut in two counts the same.
    open_us = watch.open_us
    if STOPPED != open_us < at_us:
        open_us = at_us
    return _with(watch, runs, open_us, NOT_COMPUTED, NOT_COMPUTED, verdict)


def _annulled(limit: CompiledLimit, watch: Stopwatch) -> Stopwatch:
    """Return the stopwatch as if its deadline had not passed; warnings and escalations stay fired."""
    rungs = limit.rows[watch.row].rungs
    breach = next(place for place, rung in enumerate(rungs) if rung.kind == "overdue")
    return watch._replace(overdue=False, fired=watch.fired & ~(1 << breach))


def _verdict(limit: CompiledLimit, watch: Stopwatch, at_us: int, *, reached: bool) -> Verdict:
    row = limit.rows[watch.row]
    if row.kind == "at_least" and reached:
        return "met" if at_us >= due(limit, watch) else "early"
    if watch.overdue or (limit.if_reached and reached and at_us > due(limit, watch)):
        return "late"
    unset = row.target is None or (row.fixed and due(limit, watch) == NEVER)
    return "met" if reached and not unset else "cancelled"


def due(limit: CompiledLimit, watch: Stopwatch) -> int:
    """Return the deadline, computed if it is yet to be."""
    return with_due(limit, watch).due_us if watch.due_us == NOT_COMPUTED else watch.due_us


def reopen(watch: Stopwatch, open_us: int) -> Stopwatch:
    """Return an ended stopwatch that goes on, from `open_us` if it is to run: work that bounces gains no time."""
    return _with(watch, watch.runs, open_us)


def rematch(limit: CompiledLimit, watch: Stopwatch, row: int, at_us: int, anchor_us: int) -> Stopwatch:
    """Return the stopwatch with another row or anchor: counted from its start, or from `at_us` for internal hand-overs.

    Rungs that fired stay fired, and a breach stays a breach of the row that it was recorded for.
    """
    if watch.overdue:
        return watch
    # A deadline kept from an earlier version was that of the row it was kept under: another row counts its own.
    if watch.kept and row != watch.row:
        watch = watch._replace(extra=watch.extra - watch.kept, kept=0)
    booked = limit.rows[row].fixed and watch.anchor_us == NEVER != anchor_us
    changed = watch._replace(row=row, attached_us=at_us, anchor_us=anchor_us)
    if booked:  # there was nothing to be late for before: parts of the limit count from the booking
        changed = changed._replace(started_us=at_us)
    elif limit.from_now and not limit.rows[row].fixed:
        open_us = STOPPED if watch.open_us == STOPPED else at_us
        return _with(changed._replace(started_us=at_us), (), open_us)
    return _with(changed, watch.runs, watch.open_us)


def extend(watch: Stopwatch, extra: int) -> Stopwatch:
    """Return the stopwatch with `extra` more to count, in the unit of its row."""
    return _with(watch._replace(extra=watch.extra + extra), watch.runs, watch.open_us)


def recomputed_due(limit: CompiledLimit, watch: Stopwatch) -> int:
    """Return the deadline by the calendar as it is now; that of a breach, or of a stopwatch at rest, stays as it was."""
    if watch.overdue or watch.verdict or watch.open_us == STOPPED:
        return watch.due_us
    return due_of(limit.rows[watch.row], watch, watch.open_us)


def with_new_due(watch: Stopwatch, at_us: int, due_us: int) -> Stopwatch:
    """Return the stopwatch with a deadline that was computed anew at `at_us`."""
    return watch._replace(attached_us=at_us, due_us=due_us, next_us=NOT_COMPUTED)


def after_rung(limit: CompiledLimit, watch: Stopwatch, kind: RungKind, at: str, due_us: int) -> Stopwatch:
    """Return the stopwatch after a rung fired; a missed occurrence begins the next interval.

    Which rung it was, and of which deadline, comes from the recorded fact: a calendar that was corrected since
    does not change it.
    """
    row, overdue = limit.rows[watch.row], kind == "overdue"
    if overdue and row.kind == "every":
        return start(limit, watch.row, due_us, visit=watch.visit + 1, running=True)
    name, visit, number, started, attached, anchor, extra, runs, open_us, _, bits, _, late, verdict, kept = (
        watch
    )
    bits |= 1 << _rung_place(row, bits, kind, at)
    return _new(Stopwatch, (
        name, visit, number, started, attached, anchor, extra,
        runs, open_us, due_us, bits, NOT_COMPUTED, late or overdue, verdict, kept,
    ))  # fmt: skip


def _rung_place(row: CompiledRow, fired: int, kind: RungKind, at: str) -> int:
    """Return the index of the first rung of a kind and wording not in the bit set `fired`. Raises: ValueError."""
    for place, rung in enumerate(row.rungs):
        if rung.kind == kind and not fired >> place & 1 and (rung.rung is None or rung.rung.point == at):
            return place
    raise ValueError(f"no rung {kind} {at!r} is left to fire")


def annulled_occurrences(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> Iterator[tuple[int, int]]:
    """Yield visit and deadline of the occurrences recorded as missed that one at `at_us`, recorded late, makes up for."""
    row, visit, due_us = limit.rows[watch.row], watch.visit - 1, watch.started_us
    while row.kind == "every" and visit and due_us >= at_us:
        yield visit, due_us
        visit, due_us = visit - 1, interval_before(row.calendar, row, due_us)


def met_when_replaced(limit: CompiledLimit, watch: Stopwatch, *, reached: bool) -> bool:
    """Return whether a limit was met on a visit whose stopwatch the next visit replaced.

    The limit of a step ends with the step, so a stopwatch that seems to run was met in the very command that entered
    the step again; so was the interval of a recurrence. A span that begins anew was neither met nor breached, unless
    the command `reached` its end before.
    """
    step, recurs = limit.limit.scope == "step", limit.rows[watch.row].kind == "every"
    return watch.verdict == "met" or (not watch.verdict and (step or recurs or reached))


def next_rung(limit: CompiledLimit, watch: Stopwatch) -> CompiledRung:
    """Return the rung that is reached at `next_us`."""
    row = limit.rows[watch.row]
    return row.rungs[_soonest_rung(row, watch)[0]]


def worked(limit: CompiledLimit, watch: Stopwatch, until_us: int, since_us: int | None = None) -> int:
    """Return the microseconds that ran up to `until_us`, in open hours where the limit counts working time or days."""
    total = 0
    row = limit.rows[watch.row]
    runs = watch.runs if watch.open_us == STOPPED else (*watch.runs, (watch.open_us, until_us))
    for first, last in runs:
        begin = first if since_us is None else max(first, since_us)
        if begin < last:
            total += measure(row, begin, last)
    return total


def counted(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> int:
    """Return what a stopwatch has counted up to an instant: microseconds, or closings where its row counts working days."""
    row = limit.rows[watch.row]
    if row.family != "working_days":
        return worked(limit, watch, at_us)
    return sum(
        row.calendar.closings_between_us(first + 1, last + 1, watch.started_us)
        for first, last in _runs(watch, at_us)
    )


def overrun(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> int:
    """Return by how much the deadline was missed, in microseconds as the limit counts."""
    return worked(limit, watch, at_us, since_us=watch.due_us)


def shortfall(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> int:
    """Return how much of a minimum had not run when it ended early, in microseconds as the limit counts."""
    return measure(limit.rows[watch.row], at_us, max(at_us, watch.due_us))


def remaining(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> int | None:
    """Return how much time is left, negative once overdue, in microseconds as the limit counts.

    For limits in days this is the time until the deadline as it would be if the stopwatch ran on. None while
    the scheduled instant is missing, and where that deadline lies beyond what the calendar can be projected to.
    """
    row, open_us, due_us = limit.rows[watch.row], watch.open_us, watch.due_us
    if watch.overdue:
        return -overrun(limit, watch, at_us)
    if open_us == STOPPED and row.family in ("elapsed", "working") and not row.fixed:
        left = full_reach(row, watch) - worked(limit, watch, at_us)
        return max(0, left) if is_never_owed(limit, row) else left
    try:
        if open_us == STOPPED:
            due_us = due(limit, resume(watch, at_us))
        if due_us == NEVER:
            return None
        left = measure(row, max(at_us, open_us), due_us)
    except CalendarCoverageError:  # a question is answered all the same: that it is not known
        return None
    return max(0, left) if is_never_owed(limit, row) else left


def is_never_owed(limit: CompiledLimit, row: CompiledRow) -> bool:
    """Return whether nothing is late at the instant a limit gives: that of a minimum, or of a limit judged when reached."""
    return row.kind == "at_least" or limit.if_reached


def _runs(watch: Stopwatch, at_us: int) -> tuple[Run, ...]:
    """Return the runs of a stopwatch that stops at `at_us`, the one that is still open included."""
    open_us = watch.open_us
    if STOPPED != open_us < at_us:  # a late end may lie before a missed occurrence
        return (*watch.runs, (open_us, at_us))
    return watch.runs


def _with(  # noqa: PLR0917  # what changes, in the order of the fields
    watch: Stopwatch,
    runs: tuple[Run, ...],
    open_us: int,
    due_us: int = NOT_COMPUTED,
    next_us: int = NOT_COMPUTED,
    verdict: Verdict = "",
) -> Stopwatch:
    """Return the stopwatch with these fields; unpacking it is three times as fast as `_replace`, on the hot path."""
    limit, visit, row, started, attached, anchor, extra, _, _, old_due_us, bits, _, late, _, kept = watch
    if late:  # a breach is recorded: its deadline never changes again
        due_us = old_due_us
    return _new(Stopwatch, (
        limit, visit, row, started, attached, anchor, extra,
        runs, open_us, due_us, bits, next_us, late, verdict, kept,
    ))  # fmt: skip


def _soonest_rung(row: CompiledRow, watch: Stopwatch) -> tuple[int, int]:
    """Return the index and instant of the next rung, (-1, NEVER) when none is left."""
    best, past = (-1, NEVER), watch.fired | row.untimed
    if watch.due_us == NEVER:
        return best
    for place, rung in enumerate(row.rungs):
        if not past >> place & 1:
            at_us = rung_instant(row, rung, watch)
            if at_us != NEVER:
                at_us += _STRICTLY_AFTER if rung.strict else 0
            if best[0] < 0 or at_us < best[1]:
                best = (place, at_us)
            # Rungs before a scheduled instant are reached as their instants fall, not in their order.
            if row.ordered:
                break
    return best
