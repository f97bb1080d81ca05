"""Limits made ready to run: their rows, and the rungs of their ladders in the order they are reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Literal

import attrs

from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.model.amount import Amount, Family
from svcflow.model.guard import Guard
from svcflow.model.limit import Row, Rung, TimeLimit, reason_of, step_of
from svcflow.model.target import Target, TargetKind
from svcflow.model.validation.limits import FIXED
from svcflow.worktime.calendar import WorkCalendar

RungKind = Literal["warn", "overdue", "escalate", "move"]


@attrs.frozen(eq=False)
class CompiledRung:
    """One rung of a ladder: a warning, the deadline itself, or an escalation; of a timer, the move that it makes.

    It is reached when `share` of the limit has run and then `offset` more (microseconds, days or months, as
    the limit counts). `distance` takes the offset's place where the limit does not count so: where the deadline is an
    instant of its own, in working units on a limit of another kind, and before the deadline.
    `strict` rungs fire only after their instant, since a limit is met at it.
    """

    kind: RungKind
    share: Fraction
    offset: int
    distance: Amount | None
    strict: bool
    rung: Rung | None
    ahead: bool
    """Whether it is reached before the whole limit has run, but for its offset."""
    in_opening_hours: bool = False
    """Whether it waits for the next opening where its instant falls in closed hours."""


@attrs.frozen(eq=False)
class CompiledRow:
    """One row of a limit's matrix; `target` is None when the row sets none.

    The deadline of a `fixed` row is an instant of its own, which no hold moves; the others count `reach`
    microseconds, days or months of their `family`.
    """

    guard: Guard | None
    target: Target | None
    kind: TargetKind
    family: Family
    reach: int
    fixed: bool
    rungs: tuple[CompiledRung, ...]
    ordered: bool
    """Whether the rungs are reached in the order in which they stand."""
    plain: bool
    """Whether there is no rung but the deadline."""
    untimed: int
    """The rungs that no instant reaches, as a bit set: the breach of a limit that is judged when it is reached."""
    calendar: BusinessTime


@attrs.frozen(eq=False)
class CompiledLimit:
    """One limit, or the timer of an automatic move, each row with its calendar.

    Holds and waits stop it only if it is `stoppable`.
    """

    id: str
    limit: TimeLimit
    rows: tuple[CompiledRow, ...]
    stoppable: bool
    from_now: bool
    is_wait: bool
    varies: bool
    """Whether the target depends on the data: by a matrix, or by a scheduled instant."""
    anchors: frozenset[str]
    """Fields whose change moves the deadline."""
    restarts: bool
    """Whether entering anew may start it anew: a hold's cap always, the whole procedure's limit never.

    Nor one that judges the first visit only: `visits` says more of a limit than the `clock` of one move.
    """
    to_end: bool
    """Whether it reaches its goal by the end of the instance: the whole procedure's limit, or a span to any end."""
    once: bool
    """Whether only the first visit is judged."""
    each: bool
    """Whether each visit is judged by itself."""
    is_timer: bool
    """Whether it is no limit but the timer of a step's `then`: nobody is late at its instant."""
    fires: str | None
    """Trigger that is fired when it is due: what a limit names `on_overdue`, or the automatic move of a timer."""
    if_reached: bool
    """Whether nothing is owed until its end is reached: then it is judged."""


def compile_limit(
    limit: TimeLimit,
    calendars: Callable[[str], WorkCalendar],
    usual: str,
    *,
    waits: bool,
    to_end: bool = False,
    then: str | None = None,
) -> CompiledLimit:
    """Return a limit made ready to run.

    `usual` is the calendar of rows where neither they nor the limit name one. A limit of a step that `waits` is not
    stopped by that wait; a span `to_end` lasts to any end of the procedure. With `then` it is the timer of an automatic
    move, and that the trigger it fires.
    """
    mode = limit.on_change or (
        "from_start" if limit.recipient_facing or limit.scope != "step" else "from_now"
    )
    named = [row.calendar or limit.calendar or usual for row in limit.rows]
    times = {name: BusinessTime(calendars(name)) for name in dict.fromkeys(named)}
    rows = tuple(
        _row(limit, row, times[name], is_timer=then is not None)
        for row, name in zip(limit.rows, named, strict=True)
    )
    anchors = (row.target.anchor for row in rows if row.target is not None)
    fields = frozenset(anchor.field for anchor in anchors if anchor is not None)
    return CompiledLimit(
        id=limit.id,
        limit=limit,
        rows=rows,
        stoppable=limit.stoppable and not waits,
        from_now=mode == "from_now",
        is_wait=step_of(limit.id)[1] or bool(reason_of(limit.id)),
        varies=len(rows) > 1 or bool(fields),
        anchors=fields,
        restarts=(limit.scope != "procedure" or bool(reason_of(limit.id))) and limit.visits != "first",
        to_end=to_end or limit.scope == "procedure",
        once=limit.visits == "first",
        each=limit.visits == "each",
        is_timer=then is not None,
        fires=then or limit.on_overdue,
        if_reached=limit.if_reached,
    )


def reach_of(amount: Amount) -> int:
    """Return an amount as its family counts: microseconds, days or months."""
    return amount.us if amount.family in ("elapsed", "working") else amount.count


def _row(limit: TimeLimit, row: Row, calendar: BusinessTime, *, is_timer: bool) -> CompiledRow:
    target = row.target
    if target is None:
        return CompiledRow(
            row.when,
            None,
            "within",
            "elapsed",
            0,
            fixed=False,
            rungs=(),
            ordered=True,
            plain=False,
            untimed=0,
            calendar=calendar,
        )
    fixed = target.kind in FIXED
    amount = target.anchor.amount if target.anchor is not None else target.amount
    # In the order in which they are reached: of two at one instant the strict one fires later.
    rungs = sorted(_rungs(limit, target), key=lambda rung: (rung.share, rung.offset, rung.strict))
    if is_timer:  # its move is made at the instant itself, before whatever else comes at it
        rungs = [CompiledRung("move", Fraction(1), 0, None, strict=False, rung=None, ahead=False)]
    if target.kind == "every":  # a missed occurrence begins the next interval: nothing comes after it
        rungs.sort(key=lambda rung: rung.kind == "overdue")
    return CompiledRow(
        row.when,
        target,
        target.kind,
        amount.family if amount is not None else "elapsed",
        reach_of(amount) if amount is not None else 0,
        fixed,
        tuple(rungs),
        # Which of a share above 100 % and an offset after the deadline comes first, only the calendar tells.
        ordered=not fixed
        and all(rung.share <= 1 and rung.distance is None and not rung.in_opening_hours for rung in rungs),
        plain=[rung.kind for rung in rungs] == ["overdue"] and not limit.if_reached,
        untimed=sum(
            1 << place for place, rung in enumerate(rungs) if limit.if_reached and rung.kind == "overdue"
        ),
        calendar=calendar,
    )


def _rungs(limit: TimeLimit, target: Target) -> Iterator[CompiledRung]:
    waits = limit.in_opening_hours
    for rung in limit.warn:
        yield _rung("warn", rung, target, waits=waits)
    if target.kind != "at_least":
        yield CompiledRung("overdue", Fraction(1), 0, None, strict=True, rung=None, ahead=False)
    for rung in limit.escalate:
        yield _rung("escalate", rung, target, waits=waits)


def _rung(kind: RungKind, rung: Rung, target: Target, *, waits: bool) -> CompiledRung:
    amount = rung.after or rung.ahead
    if amount is None:
        share = Fraction(rung.share or 0)
        return CompiledRung(
            kind,
            share,
            0,
            None,
            strict=share >= 1 and _at_deadline(share, target),
            rung=rung,
            ahead=share < 1,
            in_opening_hours=waits,
        )
    offset = reach_of(amount) if rung.after is not None else -reach_of(amount)
    counts = target.amount is not None and offset >= 0 and amount.family == target.amount.family
    distance = amount.plain if target.kind in FIXED or (offset and not counts) else None
    return CompiledRung(
        kind,
        Fraction(1),
        offset,
        distance,
        strict=not offset,
        rung=rung,
        ahead=False,
        in_opening_hours=waits,
    )


def _at_deadline(share: Fraction, target: Target) -> bool:
    """Return whether a share of 100 % or more falls on the deadline itself, as any share of nothing does."""
    return share == 1 or (target.amount is not None and not reach_of(target.amount))
