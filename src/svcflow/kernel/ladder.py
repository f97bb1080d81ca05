"""A limit made ready to run: its rows, and for each row the rungs in the order in which they are reached."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

import attrs

from svcflow.model.amount import Amount, Family
from svcflow.model.guard import Guard
from svcflow.model.limit import Row, Rung, TimeLimit
from svcflow.worktime.calendar import WorkCalendar

RungKind = Literal["warn", "overdue", "escalate"]


@attrs.frozen(eq=False)
class CompiledRung:
    """Hold one point of a ladder.

    `reach` is the progress of the limit's own clock at which it is reached (microseconds, or days for
    working-day limits); `share` is set for a part of a working-day limit, which is a part of the working
    time between start and deadline. `strict` rungs fire only after their instant: a limit is met at it.
    """

    kind: RungKind
    reach: int
    share: Fraction | None
    strict: bool
    rung: Rung | None


@attrs.frozen(eq=False)
class CompiledRow:
    """Hold one row of a limit's matrix; `reach` is None when the row sets no target."""

    guard: Guard | None
    family: Family
    reach: int | None
    rungs: tuple[CompiledRung, ...]
    amount: Amount | None


@attrs.frozen(eq=False)
class CompiledLimit:
    """Hold one limit with its calendar; `stoppable` says whether holds and waits stop its clock."""

    id: str
    limit: TimeLimit
    calendar: WorkCalendar
    rows: tuple[CompiledRow, ...]
    stoppable: bool
    from_now: bool
    is_wait: bool


def compile_limit(limit: TimeLimit, calendar: WorkCalendar, *, waits: bool) -> CompiledLimit:
    """Make a limit ready to run; the limits of a step that waits are not stopped by that wait."""
    mode = limit.on_change or (
        "from_start" if limit.recipient_facing or limit.scope != "step" else "from_now"
    )
    return CompiledLimit(
        id=limit.id,
        limit=limit,
        calendar=calendar,
        rows=tuple(_row(limit, row) for row in limit.rows),
        stoppable=limit.stoppable and not waits,
        from_now=mode == "from_now",
        is_wait=limit.id.endswith(".wait") or limit.id.startswith("hold."),
    )


def _row(limit: TimeLimit, row: Row) -> CompiledRow:
    if row.within is None:
        return CompiledRow(row.when, "elapsed", None, (), None)
    rungs = sorted(_rungs(limit, row.within), key=lambda rung: (rung.reach, rung.share or 1, rung.strict))
    return CompiledRow(row.when, row.within.family, _reach(row.within), tuple(rungs), row.within)


def _reach(amount: Amount) -> int:
    return amount.us if amount.family in ("elapsed", "working") else amount.count


def _rungs(limit: TimeLimit, within: Amount) -> Iterator[CompiledRung]:
    due = _reach(within)
    for rung in limit.warn:
        yield _rung("warn", rung, within)
    yield CompiledRung("overdue", due, None, strict=True, rung=None)
    for rung in limit.escalate:
        yield _rung("escalate", rung, within)


def _rung(kind: RungKind, rung: Rung, within: Amount) -> CompiledRung:
    due, share = _reach(within), rung.share
    if rung.after is not None:
        later = _reach(rung.after)
        return CompiledRung(kind, due + later, None, strict=not later, rung=rung)
    assert share is not None  # noqa: S101  # a rung is a share or a time after
    if within.family == "working_days" and share < 1:
        return CompiledRung(kind, due, Fraction(share), strict=False, rung=rung)
    reach = math.ceil(Fraction(share) * due)
    return CompiledRung(kind, reach, None, strict=share >= 1 and reach == due, rung=rung)
