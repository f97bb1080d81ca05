"""Effects of time: warnings, escalations, breaches, deemed moves; and the joining of branches."""

from __future__ import annotations

from collections.abc import Mapping

from svcflow.kernel.compiled import CompiledMove
from svcflow.kernel.facts import SYSTEM, Deviated, DeviationKind, Escalated, Moved, Overdue, Settled, Warned
from svcflow.kernel.instance import NEVER, STOPPED, Booking, Stopwatch
from svcflow.kernel.lifecycle.child_requests import call_off_refusal, request_children
from svcflow.kernel.moves.rules import SEVERITY, choose_row, join_refusal, joins_after
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit, CompiledRow, CompiledRung
from svcflow.kernel.transaction import Transaction
from svcflow.model.step import DONE

MAX_AUTOMATIC = 100
_Cause = tuple[str, str]
"""Actor who caused a breach, and whom they acted for."""
_NOBODY: _Cause = (SYSTEM, "")


def pass_time(transaction: Transaction, most: int = NEVER) -> bool:
    """Record every fact that time brought up to the transaction's instant, in the order of their instants.

    With `most` the transaction holds no more facts than that, or those of one instant: False means that more is
    due. A later decision goes on with it as this one would have.
    """
    if transaction.exhausted:
        _deem_exhausted(transaction)
    runs = transaction.compiled.runs
    if runs:
        _settle_children(transaction, transaction.at_us)
    draft, largest = transaction.draft, 0
    while draft.next_us <= transaction.at_us:
        count = len(transaction.facts)
        # Moves of one instant stay in one decision, because they are counted there to find loops.
        if count + largest > most and transaction.automatic_us < draft.next_us - 1:
            return False
        _record_rung(transaction, *_soonest(transaction))
        if transaction.exhausted:
            _deem_exhausted(transaction)
        if runs:
            _settle_children(transaction, draft.updated_us)
        largest = max(largest, len(transaction.facts) - count)
    return True


def join_branches(
    transaction: Transaction, move: CompiledMove, at_us: int, by: str = SYSTEM, override: str = ""
) -> None:
    """Fire `done` of every parallel step whose last branch has ended by a move; `by` is who made that move.

    A guard of `done` that refuses was evaluated before the move; one that is only recorded is recorded here.
    """
    for row, breach in joins_after(transaction.compiled, transaction.draft, move, move.dest):
        _move_automatically(transaction, row, at_us, by)
        if breach is not None:
            step = transaction.compiled.steps[row.source].step
            transaction.record(
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


def go_on_after_children(transaction: Transaction, at_us: int) -> None:
    """Fire, for each child of an active step that has ended, the trigger of its outcome, if it is open now.

    On hold nothing moves, and a guard may keep it closed: it is tried again at every later decision.
    """
    compiled, draft = transaction.compiled, transaction.draft
    for name, child in tuple(draft.children.items()):
        called = compiled.runs.get(child.step)
        if child.left or child.state != "ended" or called is None or draft.status != "running":
            continue
        rows = compiled.rows(child.step, called.outcomes.get(child.outcome, ""))
        if rows and child.step in draft.active:
            row, breach = choose_row(compiled, draft, rows)
            if breach is None and join_refusal(compiled, draft, row, child.step) is None:
                _move_automatically(transaction, row, at_us, child=name)
                join_branches(transaction, row, at_us)


def _settle_children(transaction: Transaction, at_us: int) -> None:
    """Request the children of the steps that are active now, and go on after those that have ended."""
    if transaction.draft.children:
        go_on_after_children(transaction, at_us)
    request_children(transaction)


def _move_automatically(
    transaction: Transaction,
    row: CompiledMove,
    at_us: int,
    by: str = SYSTEM,
    *,
    timed: bool = False,
    child: str = "",
) -> None:
    transaction.count_automatic(at_us, MAX_AUTOMATIC)
    before = transaction.draft.stopwatches
    transaction.record(
        Moved,
        at_us,
        SYSTEM,
        row.source,
        row.move.trigger,
        row.dest,
        automatic=True,
        row=row.row,
        timed=timed,
        child=child,
    )
    settle_limits(transaction, before, at_us, by)


def settle_limits(transaction: Transaction, before: Mapping[str, Stopwatch], at_us: int, by: str) -> None:
    """Record by how much each overdue limit that has just ended was overrun; note exhausted ones that go on.

    `before` are the stopwatches before the change. `by` is who ended the limits: a minimum that ended early is that
    person's deviation, not that of whose command comes after time has passed.
    """
    if before is transaction.draft.stopwatches:
        return
    after = transaction.draft.stopwatches
    for limit_id, old in before.items():
        watch = after[limit_id]
        if watch is old:
            continue
        if watch.overdue and not watch.verdict and _goes_on(transaction, old, watch):
            transaction.exhausted.append((limit_id, at_us))
        if not old.verdict:
            _settle(transaction, old, watch, at_us, by)


def _settle(transaction: Transaction, old: Stopwatch, watch: Stopwatch, at_us: int, by: str) -> None:
    """Record what is to be said of a visit that has just ended: by how much it was too long, or too short."""
    limit, ended = transaction.compiled.limits[old.limit], watch
    if watch.visit != old.visit:
        ended = _replaced(transaction, limit, old, at_us)
    elif not watch.verdict:
        if limit.if_reached:
            _reached_and_on(transaction, limit, watch, at_us)
        return
    for visit, due_us in stopwatch.annulled_occurrences(limit, old, at_us):
        transaction.record(Settled, at_us, SYSTEM, limit.id, visit, due_us, at_us - due_us - 1)
    if ended.verdict == "early":
        _too_early(transaction, limit, ended, at_us, by)
    elif old.overdue:
        # Annulled by an end that was in time: the elapsed time to the first late instant, which is negative.
        over_us = stopwatch.overrun(limit, ended, at_us) if ended.overdue else at_us - ended.due_us - 1
        transaction.record(Settled, at_us, SYSTEM, limit.id, ended.visit, ended.due_us, over_us)
    elif limit.if_reached and ended.verdict == "late":
        _reached_late(transaction, limit, ended, at_us)


def _replaced(transaction: Transaction, limit: CompiledLimit, old: Stopwatch, at_us: int) -> Stopwatch:
    """Return the stopwatch of a visit that the next one has replaced: it ended in the same command."""
    # What begins anew before its end was reached leaves nothing to judge, where only that is judged.
    reached = not limit.if_reached or _is_reached(transaction, limit)
    return stopwatch.end(limit, old, at_us, reached=reached)


def _is_reached(transaction: Transaction, limit: CompiledLimit) -> bool:
    """Return whether the last move reached the end of a span."""
    moves = [fact for fact in transaction.facts if isinstance(fact, Moved)]
    return transaction.compiled.reaches(moves[-1:], limit)


def _reached_and_on(transaction: Transaction, limit: CompiledLimit, watch: Stopwatch, at_us: int) -> None:
    """Record the breach of a limit that the move which reached its end, too late, made go on in the same visit."""
    runs_on = not watch.verdict and not watch.overdue and watch.due_us < at_us
    if runs_on and _is_reached(transaction, limit):
        _reached_late(transaction, limit, watch, at_us)


def _reached_late(transaction: Transaction, limit: CompiledLimit, watch: Stopwatch, at_us: int) -> None:
    """Record the breach of a limit that is judged when its end is reached: it occurs only then."""
    _record_overdue(transaction, limit, watch, at_us, limit.limit.from_ or "")
    over_us = stopwatch.overrun(limit, watch, at_us)
    transaction.record(Settled, at_us, SYSTEM, limit.id, watch.visit, watch.due_us, over_us)


def _too_early(transaction: Transaction, limit: CompiledLimit, watch: Stopwatch, at_us: int, by: str) -> None:
    step = limit.limit.step or limit.limit.from_ or ""
    transaction.record(
        Deviated,
        at_us,
        by,
        "too_early",
        step,
        limit.limit.severity,
        role=transaction.compiled.steps[step].step.role or "" if step else "",
        limit=limit.id,
        visit=watch.visit,
        due_us=0 if watch.due_us == NEVER else watch.due_us,
        detail={} if watch.due_us == NEVER else {"short_us": stopwatch.shortfall(limit, watch, at_us)},
    )


def _soonest(transaction: Transaction) -> tuple[CompiledLimit, Stopwatch, CompiledRung]:
    """Return the stopwatch whose rung comes next, with its limit and that rung."""
    due_us = transaction.draft.next_us
    due = [
        _with_next_rung(transaction, watch)
        for watch in transaction.draft.stopwatches.values()
        if watch.next_us == due_us
    ]
    # A strict rung fires one microsecond after the instant it occurred at, so it occurred before the others.
    strict = (candidate for candidate in due if candidate[-1].strict)
    return next(strict, due[0])


def _with_next_rung(
    transaction: Transaction, watch: Stopwatch
) -> tuple[CompiledLimit, Stopwatch, CompiledRung]:
    limit = transaction.compiled.limits[watch.limit]
    return limit, watch, stopwatch.next_rung(limit, watch)


def _record_rung(
    transaction: Transaction, limit: CompiledLimit, watch: Stopwatch, rung: CompiledRung
) -> None:
    """Record the next rung of a stopwatch, at the instant it became due, and what follows from it."""
    # What a migration left due in the middle of a hold is due when the stopwatch goes on.
    at_us = max(watch.next_us - rung.strict, watch.attached_us, watch.open_us)
    declared = rung.rung
    if rung.kind == "overdue":
        _overdue(transaction, limit, watch, at_us)
        return
    if rung.kind == "move":
        _move_on(transaction, limit, at_us)
        return
    assert declared is not None  # noqa: S101  # only the deadline itself and a move are not declared as rungs
    if rung.kind == "warn":
        transaction.record(
            Warned, at_us, SYSTEM, limit.id, watch.visit, declared.point, watch.due_us, declared.role or ""
        )
    else:
        _escalate(transaction, limit, watch, rung, at_us)


def _escalate(
    transaction: Transaction, limit: CompiledLimit, watch: Stopwatch, rung: CompiledRung, at_us: int
) -> None:
    declared = rung.rung
    assert declared is not None  # noqa: S101  # only a breach has none, and _record_rung records it
    transaction.record(
        Escalated,
        at_us,
        SYSTEM,
        limit.id,
        watch.visit,
        declared.point,
        watch.due_us,
        declared.role or "",
        declared.action or "",
    )


def _move_on(transaction: Transaction, limit: CompiledLimit, at_us: int) -> None:
    """Make the automatic move of a step. Nothing refuses it: a procedure in which something could is not valid."""
    rows = transaction.compiled.rows(limit.limit.step or "", limit.fires or "")
    row, _ = choose_row(transaction.compiled, transaction.draft, rows)
    _move_automatically(transaction, row, at_us, timed=True)
    join_branches(transaction, row, at_us)


def _overdue(transaction: Transaction, limit: CompiledLimit, watch: Stopwatch, at_us: int) -> None:
    draft = transaction.draft
    step = limit.limit.step or (draft.steps[0] if draft.steps else "")
    _record_overdue(transaction, limit, watch, at_us, step)
    _deem(transaction, limit, at_us)


def _record_overdue(
    transaction: Transaction, limit: CompiledLimit, watch: Stopwatch, at_us: int, step: str
) -> None:
    kind, (actor, behalf) = _breach(transaction, limit, watch)
    transaction.record(
        Overdue,
        at_us,
        actor,
        limit.id,
        watch.visit,
        step,
        watch.due_us,
        kind,
        limit.limit.severity,
        transaction.compiled.steps[step].step.role or "" if step else "",
        behalf=behalf,
    )


def _breach(transaction: Transaction, limit: CompiledLimit, watch: Stopwatch) -> tuple[DeviationKind, _Cause]:
    """Return the kind of a breach, and who caused it: nobody, when the deadline passed while the limit ran."""
    row = limit.rows[watch.row]
    if watch.due_us < watch.attached_us:
        anchored = row.target is not None and row.target.anchor is not None
        if anchored:
            return _anchored_breach(transaction, row, watch)
        # Where only reaching the end too late is a breach, a deadline that had passed before was none yet.
        return ("overdue" if limit.if_reached else "breached_on_attach"), _NOBODY
    if row.kind == "every":
        return "missed_occurrence", _NOBODY
    return "long_wait" if limit.is_wait else "overdue", _NOBODY


def _anchored_breach(
    transaction: Transaction, row: CompiledRow, watch: Stopwatch
) -> tuple[DeviationKind, _Cause]:
    """Return the kind and cause of the breach of a deadline that had passed when its scheduled instant was set.

    A booking that was made in time breaches nothing: its limit is late as any other, for it may begin long after.
    """
    booking = _booking(transaction, row)
    if booking is None or booking.at_us >= watch.attached_us:
        moved = watch.attached_us != watch.started_us
        # Journals older than bookings tell nothing but who sends the present command.
        caused = (
            (transaction.actor, transaction.behalf) if booking is None else (booking.actor, booking.behalf)
        )
        return "infeasible_on_reschedule" if moved else "short_notice", caused
    if watch.due_us < booking.at_us:
        caused = booking.actor, booking.behalf
        return "infeasible_on_reschedule" if booking.moved else "short_notice", caused
    return "overdue" if watch.attached_us == watch.started_us else "breached_on_attach", _NOBODY


def _booking(transaction: Transaction, row: CompiledRow) -> Booking | None:
    anchor = row.target.anchor if row.target is not None else None
    return None if anchor is None else transaction.draft.bookings.get(anchor.field)


def _goes_on(transaction: Transaction, old: Stopwatch, watch: Stopwatch) -> bool:
    """Return whether a stopwatch goes on: its step was entered again, or the hold that stopped it is over."""
    limit, last = transaction.compiled.limits[watch.limit].limit, transaction.facts[-1]
    if old.verdict:
        return True
    if isinstance(last, Moved) and last.to == last.step == limit.step:
        return True
    return limit.step is not None and old.open_us == STOPPED != watch.open_us


def _deem_exhausted(transaction: Transaction) -> None:
    """Make the moves that are deemed made at once, because the time of their limits was used up before."""
    while transaction.exhausted:
        limit_id, at_us = transaction.exhausted.pop(0)
        watch = transaction.draft.stopwatches.get(limit_id)
        running = watch is not None and watch.overdue and not watch.verdict and watch.open_us != STOPPED
        if running and (limit_id, at_us) not in transaction.deemed:
            _deem(transaction, transaction.compiled.limits[limit_id], at_us)


def _deem(transaction: Transaction, limit: CompiledLimit, at_us: int) -> None:
    """Make the move that is deemed made when a limit passes (行政许可法 §32), if it is open now."""
    trigger, only = limit.fires, limit.limit.step
    if trigger is None:
        return
    transaction.deemed.add((limit.id, at_us))
    compiled, draft = transaction.compiled, transaction.draft
    # A limit over a span or the whole procedure moves the innermost active step that has its trigger.
    for name in (only,) if only else (*draft.steps, *draft.active):
        rows = compiled.rows(name, trigger)
        if not rows or name not in draft.active:
            continue
        row, breach = choose_row(compiled, draft, rows)
        if draft.children and call_off_refusal(compiled, draft, name) is not None:
            continue
        if breach is None and join_refusal(compiled, draft, row, name) is None:
            _move_automatically(transaction, row, at_us)
            join_branches(transaction, row, at_us)
            return
