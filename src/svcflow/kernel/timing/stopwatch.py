"""The clock of one limit on one instance: when it starts, stops, goes on, and which instant comes next.

Every function takes a clock and returns a new one. A limit is met when it ends at its deadline or before.
Changes leave a deadline `UNRECKONED`, for only the last of many is asked for: `reckoned` finds it out.
"""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.errors import CalendarCoverageError
from svcflow.kernel.instance import NEVER, NOT_COMPUTED, STOPPED, Run, Stopwatch, Verdict
from svcflow.kernel.timing.compiled_limit import CompiledLimit, CompiledRow, CompiledRung, RungKind
from svcflow.kernel.timing.due import due_of, full_reach, interval_before, measure, rung_instant

_STRICTLY_AFTER = 1
_new = tuple.__new__


def start(
    limit: CompiledLimit, row: int, at_us: int, *, visit: int, running: bool, anchor_us: int = NEVER
) -> Stopwatch:
    """Start a clock anew; it stands still when the instance is paused."""
    due_us = NOT_COMPUTED if running else NEVER
    open_us = at_us if running else STOPPED
    return _new(Stopwatch, (
        limit.id, visit, row, at_us, at_us, anchor_us, 0, (), open_us, due_us, 0, due_us, False, "", 0,
    ))  # fmt: skip


def with_due(limit: CompiledLimit, watch: Stopwatch) -> Stopwatch:
    """Return the clock with its deadline and the instant of its next rung, which changes leave `UNRECKONED`."""
    row, due_us = limit.rows[watch.row], watch.due_us
    if due_us == NOT_COMPUTED:
        due_us = due_of(limit, row, watch, watch.open_us)
    if watch.verdict:
        return _with(watch, watch.runs, STOPPED, due_us, NEVER, watch.verdict)
    if row.plain:  # the common case: nothing but the deadline itself
        left = due_us != NEVER and not watch.fired
        return _with(watch, watch.runs, watch.open_us, due_us, due_us + _STRICTLY_AFTER if left else NEVER)
    known = _with(watch, watch.runs, watch.open_us, due_us, NEVER)
    return _with(known, watch.runs, watch.open_us, due_us, _soonest_rung(limit, row, known)[1])


def resume(watch: Stopwatch, at_us: int) -> Stopwatch:
    """Let a stopped clock run on from `at_us`."""
    return _with(watch, watch.runs, at_us)


def pause(watch: Stopwatch, at_us: int) -> Stopwatch:
    """Stop a running clock: nothing is due while it stands still, unless the time was used up before."""
    if not watch.overdue and watch.due_us > at_us:
        return _with(watch, _runs(watch, at_us), STOPPED, NEVER, NEVER)
    return _with(watch, _runs(watch, at_us), STOPPED)


def end(
    limit: CompiledLimit, watch: Stopwatch, at_us: int, *, reached: bool, deemed: bool = False
) -> Stopwatch:
    """End a clock for good, or until the step is entered again; `reached` says that its goal was reached.

    An end recorded late that was in time annuls the breach; one that the system deemed made does not.
    The deadline stays what it was. Until it is reckoned the clock stays open from its end on, as it would
    have run: a run cut in two counts the same.
    """
    if watch.overdue and at_us <= watch.due_us and not deemed:
        watch = _annulled(limit, watch)
    verdict, due_us, runs = _verdict(limit, watch, at_us, reached=reached), watch.due_us, _runs(watch, at_us)
    if due_us != NOT_COMPUTED:
        return _with(watch, runs, STOPPED, due_us, NEVER, verdict)
    open_us = watch.open_us
    if STOPPED != open_us < at_us:
        open_us = at_us
    return _with(watch, runs, open_us, NOT_COMPUTED, NOT_COMPUTED, verdict)


def _annulled(limit: CompiledLimit, watch: Stopwatch) -> Stopwatch:
    """Return the clock as if its deadline had not passed; warnings and escalations are never un-fired."""
    rungs = limit.rows[watch.row].rungs
    breach = next(place for place, rung in enumerate(rungs) if rung.kind == "overdue")
    return watch._replace(overdue=False, fired=watch.fired & ~(1 << breach))


def _verdict(limit: CompiledLimit, watch: Stopwatch, at_us: int, *, reached: bool) -> Verdict:
    row = limit.rows[watch.row]
    if row.kind == "at_least" and reached:
        return "met" if at_us >= due(limit, watch) else "early"
    if watch.overdue:
        return "late"
    unset = row.target is None or (row.fixed and due(limit, watch) == NEVER)
    return "met" if reached and not unset else "cancelled"


def due(limit: CompiledLimit, watch: Stopwatch) -> int:
    """Return the deadline, reckoned if it is yet to be."""
    return with_due(limit, watch).due_us if watch.due_us == NOT_COMPUTED else watch.due_us


def reopen(watch: Stopwatch, open_us: int) -> Stopwatch:
    """Go on with a clock that had ended, from `open_us` if it is to run: bouncing work gains no time."""
    return _with(watch, watch.runs, open_us)


def rematch(limit: CompiledLimit, watch: Stopwatch, row: int, at_us: int, anchor_us: int) -> Stopwatch:
    """Give a clock another row or anchor: counted from its start, or from now for internal hand-overs.

    Rungs that fired stay fired, and a breach stays a breach of what it was a breach of. A deadline kept from an
    earlier version was that of the row it was kept under: another row counts what it says itself.
    """
    if watch.overdue:
        return watch
    if watch.kept and row != watch.row:
        watch = watch._replace(extra=watch.extra - watch.kept, kept=0)
    booked = limit.rows[row].fixed and watch.anchor_us == NEVER != anchor_us
    changed = watch._replace(row=row, attached_us=at_us, anchor_us=anchor_us)
    if booked:
        changed = changed._replace(started_us=at_us)
    elif limit.from_now and not limit.rows[row].fixed:
        open_us = STOPPED if watch.open_us == STOPPED else at_us
        return _with(changed._replace(started_us=at_us), (), open_us)
    return _with(changed, watch.runs, watch.open_us)


def extend(watch: Stopwatch, extra: int) -> Stopwatch:
    """Add to what a clock may count."""
    return _with(watch._replace(extra=watch.extra + extra), watch.runs, watch.open_us)


def recomputed_due(limit: CompiledLimit, watch: Stopwatch) -> int:
    """Reckon a clock's deadline anew, with the calendar as it is now; a breach stays one of what it was."""
    if watch.overdue or watch.verdict or watch.open_us == STOPPED:
        return watch.due_us
    return due_of(limit, limit.rows[watch.row], watch, watch.open_us)


def with_new_due(watch: Stopwatch, at_us: int, due_us: int) -> Stopwatch:
    """Give a clock the deadline that was reckoned anew at `at_us`."""
    return watch._replace(attached_us=at_us, due_us=due_us, next_us=NOT_COMPUTED)


def after_rung(limit: CompiledLimit, watch: Stopwatch, kind: RungKind, at: str, due_us: int) -> Stopwatch:
    """Step past a rung that fired; a missed occurrence begins the next interval.

    Which rung it was, and of which deadline, is what was recorded: a calendar that was corrected since does
    not change it.
    """
    row, overdue = limit.rows[watch.row], kind == "overdue"
    if overdue and row.kind == "every":
        return start(limit, watch.row, due_us, visit=watch.visit + 1, running=True)
    name, visit, number, begun, since, anchor, extra, runs, open_us, _, past, _, late, verdict, kept = watch
    past |= 1 << _rung_place(row, past, kind, at)
    return _new(Stopwatch, (
        name, visit, number, begun, since, anchor, extra,
        runs, open_us, due_us, past, NOT_COMPUTED, late or overdue, verdict, kept,
    ))  # fmt: skip


def _rung_place(row: CompiledRow, after_rung: int, kind: RungKind, at: str) -> int:
    """Return the place of the first rung of a kind and wording that has not fired. Raises: ValueError."""
    for place, rung in enumerate(row.rungs):
        if rung.kind == kind and not after_rung >> place & 1 and (rung.rung is None or rung.rung.at == at):
            return place
    raise ValueError(f"no rung {kind} {at!r} is left to fire")


def annulled_occurrences(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> Iterator[tuple[int, int]]:
    """Yield visit and deadline of the occurrences recorded as missed that one at `at_us`, recorded late, was in time for."""
    row, visit, due_us = limit.rows[watch.row], watch.visit - 1, watch.started_us
    while row.kind == "every" and visit and due_us >= at_us:
        yield visit, due_us
        visit, due_us = visit - 1, interval_before(limit.calendar, row, due_us)


def met_when_replaced(limit: CompiledLimit, watch: Stopwatch) -> bool:
    """Say whether a clock was met that its limit's next visit replaced.

    A step's clock ends with the step, so one that seems to run was met in the very command that entered the step
    again; so was the interval of a recurrence. A span that begins anew was neither met nor breached.
    """
    step, recurs = limit.limit.scope == "step", limit.rows[watch.row].kind == "every"
    return watch.verdict == "met" or (not watch.verdict and (step or recurs))


def next_rung(limit: CompiledLimit, watch: Stopwatch) -> CompiledRung:
    """Return the rung that `next_us` stands for."""
    row = limit.rows[watch.row]
    return row.rungs[_soonest_rung(limit, row, watch)[0]]


def worked(limit: CompiledLimit, watch: Stopwatch, until_us: int, since_us: int | None = None) -> int:
    """Return the microseconds that ran, in open hours where the limit counts working time or days."""
    total = 0
    row = limit.rows[watch.row]
    runs = watch.runs if watch.open_us == STOPPED else (*watch.runs, (watch.open_us, until_us))
    for first, last in runs:
        begin = first if since_us is None else max(first, since_us)
        if begin < last:
            total += measure(limit, row, begin, last)
    return total


def overrun(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> int:
    """Return by how much the deadline was missed, in the limit's own clock."""
    return worked(limit, watch, at_us, since_us=watch.due_us)


def shortfall(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> int:
    """Return how much of a minimum had not run when it was ended early, in the limit's own clock."""
    return measure(limit, limit.rows[watch.row], at_us, max(at_us, watch.due_us))


def remaining(limit: CompiledLimit, watch: Stopwatch, at_us: int) -> int | None:
    """Return how much time is left, negative once overdue, in microseconds of the limit's own clock.

    For limits in days this is the time until the deadline as it would be if the clock ran on. None while
    the scheduled instant is missing, and where that deadline lies beyond what the calendar can be projected to.
    """
    row, open_us, due_us = limit.rows[watch.row], watch.open_us, watch.due_us
    if watch.overdue:
        return -overrun(limit, watch, at_us)
    if open_us == STOPPED and row.family in ("elapsed", "working") and not row.fixed:
        left = full_reach(row, watch) - worked(limit, watch, at_us)
        return max(0, left) if row.kind == "at_least" else left
    try:
        if open_us == STOPPED:
            due_us = due(limit, resume(watch, at_us))
        if due_us == NEVER:
            return None
        left = measure(limit, row, max(at_us, open_us), due_us)
    except CalendarCoverageError:  # a question is answered all the same: that it is not known
        return None
    return max(0, left) if row.kind == "at_least" else left


def _runs(watch: Stopwatch, at_us: int) -> tuple[Run, ...]:
    """Return the runs of a clock that stops, if it ran until then."""
    open_us = watch.open_us
    if STOPPED != open_us < at_us:  # a late end may lie before a missed occurrence
        return (*watch.runs, (open_us, at_us))
    return watch.runs


def _with(  # noqa: PLR0917  # what changes, in the order of the clock's fields
    watch: Stopwatch,
    runs: tuple[Run, ...],
    open_us: int,
    due_us: int = NOT_COMPUTED,
    next_us: int = NOT_COMPUTED,
    verdict: Verdict = "",
) -> Stopwatch:
    """Return the clock with what changes; a breach stays one of what it was.

    Taking the clock apart is three times as fast as `_replace`, on the hottest way.
    """
    limit, visit, row, begun, since, anchor, extra, _, _, was_us, after_rung, _, late, _, kept = watch
    if late:
        due_us = was_us
    return _new(Stopwatch, (
        limit, visit, row, begun, since, anchor, extra,
        runs, open_us, due_us, after_rung, next_us, late, verdict, kept,
    ))  # fmt: skip


def _soonest_rung(limit: CompiledLimit, row: CompiledRow, watch: Stopwatch) -> tuple[int, int]:
    """Return the place and instant of the next rung, (-1, NEVER) when none is left.

    Rungs of counted limits are reached in their order; those of a scheduled instant as their instants fall.
    """
    best = (-1, NEVER)
    if watch.due_us == NEVER:
        return best
    for place, rung in enumerate(row.rungs):
        if not watch.fired >> place & 1:
            at_us = rung_instant(limit, row, rung, watch)
            if at_us != NEVER:
                at_us += _STRICTLY_AFTER if rung.strict else 0
            if best[0] < 0 or at_us < best[1]:
                best = (place, at_us)
            if row.ordered:
                break
    return best
