"""What time brings by itself: warnings, escalations, breaches, deemed moves, joined branches."""

from __future__ import annotations

from collections.abc import Mapping

from svcflow.kernel.compiled import CompiledMove
from svcflow.kernel.facts import SYSTEM, Deviated, DeviationKind, Escalated, Moved, Overdue, Settled, Warned
from svcflow.kernel.instance import NEVER, STOPPED, Booking, Stopwatch
from svcflow.kernel.moves.row_choice import choose_row, joins_after, unjoinable
from svcflow.kernel.moves.rules import SEVERITY
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit, CompiledRow, CompiledRung
from svcflow.kernel.transaction import Ledger
from svcflow.model.step import DONE

MAX_AUTOMATIC = 100
_Cause = tuple[str, str]
"""Who caused a breach, and for whom they acted."""
_NOBODY: _Cause = (SYSTEM, "")


def pass_time(ledger: Ledger, most: int = NEVER) -> bool:
    """Record every time-driven fact that became due up to the ledger's instant, in the order of their instants.

    With `most` the ledger holds no more facts than that, or those of one instant: False says that the rest is
    still due. A later decision goes on with it as this one would have.
    """
    if ledger.used_up:
        _deem_used_up(ledger)
    draft, largest = ledger.draft, 0
    while draft.next_us <= ledger.at_us:
        count = len(ledger.facts)
        # moves of one instant stay together: they are counted together, so that a loop is noticed
        if count + largest > most and ledger.automatic_us < draft.next_us - 1:
            return False
        _reach(ledger, *_soonest(ledger))
        if ledger.used_up:
            _deem_used_up(ledger)
        largest = max(largest, len(ledger.facts) - count)
    return True


def join(ledger: Ledger, move: CompiledMove, at_us: int, by: str = SYSTEM, override: str = "") -> None:
    """Fire `done` of every parallel step whose last branch has ended by a move that was made; `by` is who made it.

    Whether a guard of `done` may refuse that was asked before the move; what goes on without one is recorded.
    """
    for row, breach in joins_after(ledger.compiled, ledger.draft, move, move.dest):
        _move_by_itself(ledger, row, at_us, by)
        if breach is not None:
            step = ledger.compiled.steps[row.source].step
            ledger.record(
                Deviated,
                at_us,
                by,
                breach.deviation,
                step.id,
                SEVERITY[breach.deviation],
                DONE,
                step.role or "",
                override,
                breach.detail,
            )


def _move_by_itself(ledger: Ledger, row: CompiledMove, at_us: int, by: str = SYSTEM) -> None:
    ledger.count_automatic(at_us, MAX_AUTOMATIC)
    before = ledger.draft.stopwatches
    ledger.record(Moved, at_us, SYSTEM, row.source, row.move.trigger, row.dest, automatic=True, row=row.row)
    settle(ledger, before, at_us, by)


def settle(ledger: Ledger, before: Mapping[str, Stopwatch], at_us: int, by: str) -> None:
    """Record by how much each overdue limit that has just ended was overrun; note those that go on used up.

    `by` is who ended them: a minimum ended early is put down to them, not to who asks when time has gone by.
    """
    if before is ledger.draft.stopwatches:
        return
    after = ledger.draft.stopwatches
    for limit_id, old in before.items():
        watch = after[limit_id]
        if watch is old:
            continue
        if watch.overdue and not watch.verdict and _goes_on(ledger, old, watch):
            ledger.used_up.append((limit_id, at_us))
        if old.verdict or not (watch.verdict or watch.visit != old.visit):
            continue
        limit = ledger.compiled.limits[limit_id]
        for visit, due_us in stopwatch.not_missed(limit, old, at_us):
            ledger.record(Settled, at_us, SYSTEM, limit_id, visit, due_us, at_us - due_us - 1)
        ended = watch if watch.visit == old.visit else stopwatch.end(limit, old, at_us, reached=True)
        if ended.verdict == "early":
            _too_early(ledger, limit, ended, at_us, by)
        elif old.overdue:
            over_us = stopwatch.overrun(limit, ended, at_us) if ended.overdue else at_us - ended.due_us - 1
            ledger.record(Settled, at_us, SYSTEM, limit_id, ended.visit, ended.due_us, over_us)


def _too_early(ledger: Ledger, limit: CompiledLimit, watch: Stopwatch, at_us: int, by: str) -> None:
    step = limit.limit.step or limit.limit.from_ or ""
    ledger.record(
        Deviated,
        at_us,
        by,
        "too_early",
        step,
        limit.limit.severity,
        role=ledger.compiled.steps[step].step.role or "" if step else "",
        limit=limit.id,
        visit=watch.visit,
        due_us=0 if watch.due_us == NEVER else watch.due_us,
        detail={} if watch.due_us == NEVER else {"short_us": stopwatch.lacking(limit, watch, at_us)},
    )


def _soonest(ledger: Ledger) -> tuple[CompiledLimit, Stopwatch, CompiledRung]:
    """Return the clock whose rung comes next; a strict one occurs before others that fire at the same instant."""
    due_us = ledger.draft.next_us
    due = [_present(ledger, watch) for watch in ledger.draft.stopwatches.values() if watch.next_us == due_us]
    strict = (one for one in due if one[-1].strict)
    return next(strict, due[0])


def _present(ledger: Ledger, watch: Stopwatch) -> tuple[CompiledLimit, Stopwatch, CompiledRung]:
    limit = ledger.compiled.limits[watch.limit]
    return limit, watch, stopwatch.present_rung(limit, watch)


def _reach(ledger: Ledger, limit: CompiledLimit, watch: Stopwatch, rung: CompiledRung) -> None:
    """Record the next rung of a clock, at the instant it became due, and what follows from it."""
    # what a migration left due in the middle of a hold is due when the clock goes on
    at_us = max(watch.next_us - rung.strict, watch.attached_us, watch.open_us)
    declared = rung.rung
    if rung.kind == "overdue":
        _overdue(ledger, limit, watch, at_us)
        return
    assert declared is not None  # noqa: S101  # only the deadline itself is not declared as a rung
    if rung.kind == "warn":
        ledger.record(
            Warned, at_us, SYSTEM, limit.id, watch.visit, declared.at, watch.due_us, declared.role or ""
        )
    else:
        _escalate(ledger, limit, watch, rung, at_us)


def _escalate(ledger: Ledger, limit: CompiledLimit, watch: Stopwatch, rung: CompiledRung, at_us: int) -> None:
    declared = rung.rung
    assert declared is not None  # noqa: S101  # see _reach
    ledger.record(
        Escalated,
        at_us,
        SYSTEM,
        limit.id,
        watch.visit,
        declared.at,
        watch.due_us,
        declared.role or "",
        declared.action or "",
    )


def _overdue(ledger: Ledger, limit: CompiledLimit, watch: Stopwatch, at_us: int) -> None:
    draft = ledger.draft
    step = limit.limit.step or (draft.steps[0] if draft.steps else "")
    kind, (actor, behalf) = _breach(ledger, limit, watch)
    ledger.record(
        Overdue,
        at_us,
        actor,
        limit.id,
        watch.visit,
        step,
        watch.due_us,
        kind,
        limit.limit.severity,
        ledger.compiled.steps[step].step.role or "" if step else "",
        behalf=behalf,
    )
    _deem(ledger, limit, at_us)


def _breach(ledger: Ledger, limit: CompiledLimit, watch: Stopwatch) -> tuple[DeviationKind, _Cause]:
    """Return what kind of breach it is, and who caused it: nobody, when the deadline passed while the limit ran."""
    row = limit.rows[watch.row]
    if watch.due_us < watch.attached_us:
        anchored = row.target is not None and row.target.anchor is not None
        return _too_short(ledger, row, watch) if anchored else ("breached_on_attach", _NOBODY)
    if row.kind == "every":
        return "missed_occurrence", _NOBODY
    return "long_wait" if limit.is_wait else "overdue", _NOBODY


def _too_short(ledger: Ledger, row: CompiledRow, watch: Stopwatch) -> tuple[DeviationKind, _Cause]:
    """Judge a deadline before a scheduled instant that had passed when it was set: by when that was asked for, and who.

    Asked for in time, it is late as any other; a limit may begin long after what it hangs on was booked.
    """
    booking = _booking(ledger, row)
    if booking is None or booking.at_us >= watch.attached_us:
        moved = watch.attached_us != watch.started_us
        # of journals older than bookings nothing is known but who asks
        caused = (ledger.actor, ledger.behalf) if booking is None else (booking.actor, booking.behalf)
        return "infeasible_on_reschedule" if moved else "short_notice", caused
    if watch.due_us < booking.at_us:
        caused = booking.actor, booking.behalf
        return "infeasible_on_reschedule" if booking.moved else "short_notice", caused
    return "overdue" if watch.attached_us == watch.started_us else "breached_on_attach", _NOBODY


def _booking(ledger: Ledger, row: CompiledRow) -> Booking | None:
    anchor = row.target.anchor if row.target is not None else None
    return None if anchor is None else ledger.draft.bookings.get(anchor.field)


def _goes_on(ledger: Ledger, old: Stopwatch, watch: Stopwatch) -> bool:
    """Say whether a clock goes on: its step was entered again, or the hold that stopped it is over."""
    limit, last = ledger.compiled.limits[watch.limit].limit, ledger.facts[-1]
    if old.verdict:
        return True
    if isinstance(last, Moved) and last.to == last.step == limit.step:
        return True
    return limit.step is not None and old.open_us == STOPPED != watch.open_us


def _deem_used_up(ledger: Ledger) -> None:
    """Make the moves that are deemed made at once, because what their limits allow was used up before."""
    while ledger.used_up:
        limit_id, at_us = ledger.used_up.pop(0)
        watch = ledger.draft.stopwatches.get(limit_id)
        running = watch is not None and watch.overdue and not watch.verdict and watch.open_us != STOPPED
        if running and (limit_id, at_us) not in ledger.deemed:
            _deem(ledger, ledger.compiled.limits[limit_id], at_us)


def _deem(ledger: Ledger, limit: CompiledLimit, at_us: int) -> None:
    """Make the move that is deemed made when a limit passes (行政许可法 §32), if it is open now."""
    trigger, only = limit.limit.on_overdue, limit.limit.step
    if trigger is None:
        return
    ledger.deemed.add((limit.id, at_us))
    compiled, draft = ledger.compiled, ledger.draft
    for name in (only,) if only else (*draft.steps, *draft.active):
        rows = compiled.rows(name, trigger)
        if not rows or name not in draft.active:
            continue
        row, breach = choose_row(compiled, draft, rows)
        if breach is None and unjoinable(compiled, draft, row, name) is None:
            _move_by_itself(ledger, row, at_us)
            join(ledger, row, at_us)
            return
