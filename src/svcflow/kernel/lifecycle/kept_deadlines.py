"""Deadlines that a migration keeps: what their stopwatches have to count, and the rungs that fired.

Two declarations of one limit are compared, `old` of the source version and `new` of the target version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from svcflow.kernel.instance import NEVER, STOPPED, Run, Stopwatch
from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.kernel.timing.compiled_limit import CompiledLimit, CompiledRow, CompiledRung
from svcflow.kernel.timing.due import due_of, measure

_Key = tuple[object, ...]


def extra_to_keep(old: CompiledLimit, row: CompiledRow, watch: Stopwatch) -> int:
    """Return what a stopwatch must count beyond `row`, one of the target version, for its deadline to stay where `old` put it.

    Where both count alike it is the difference, exact to the microsecond, also while the stopwatch stands still.
    Otherwise it is what the new limit will have counted by the deadline, and 0 when there is none.
    """
    was = old.rows[watch.row]
    if row.fixed or row.target is None:
        return 0
    if _alike(was, row):
        return watch.extra + was.reach - row.reach
    return extra_by_count(row, watch)


def extra_by_count(row: CompiledRow, watch: Stopwatch) -> int:
    """Return what a stopwatch must count beyond `row` for the deadline it has, whatever that was counted in."""
    if watch.due_us == NEVER:
        return 0
    extra = _count_until_due(row, watch) - row.reach
    if row.family in ("elapsed", "working"):
        return extra
    # Days and months are rounded up: a hold later on may put the deadline off, but never brings it forward.
    short = due_of(row, watch._replace(extra=extra), watch.open_us) < watch.due_us
    return extra + short


def kept_part(old: CompiledLimit, row: CompiledRow, watch: Stopwatch, extra: int) -> int:
    """Return which part of `extra` keeps the deadline; the rest is an extension, carried over where both count alike."""
    granted = watch.extra - watch.kept if _alike(old.rows[watch.row], row) else 0
    return extra - granted


def fired_rungs(old: CompiledRow, new: CompiledRow, fired: int, *, overdue: bool) -> int:
    """Return the bits of the rungs of a new ladder that have fired: those that fired in the old one.

    A rung is the same if it stands at the same point; one that the old ladder has twice counts twice.
    """
    done = Counter(_key(rung) for place, rung in enumerate(old.rungs) if fired >> place & 1)
    bits = 0
    for place, rung in enumerate(new.rungs):
        # After the deadline there is nothing to warn of any more.
        if done[_key(rung)] > 0 or (overdue and rung.kind != "escalate"):
            done[_key(rung)] -= 1
            bits |= 1 << place
    return bits


def _alike(was: CompiledRow, row: CompiledRow) -> bool:
    """Return whether two rows count the same unit on the same calendar."""
    counted = was.target is not None and row.target is not None and not was.fixed and not row.fixed
    return counted and was.family == row.family and was.calendar.calendar is row.calendar.calendar


def _key(rung: CompiledRung) -> _Key:
    return (rung.kind, rung.share, rung.offset, rung.distance)


def _count_until_due(row: CompiledRow, watch: Stopwatch) -> int:
    """Return what a row of the limit will have counted, or had counted, by the deadline the stopwatch has."""
    calendar, due_us = row.calendar, watch.due_us
    all_runs = watch.runs if watch.open_us == STOPPED else (*watch.runs, (watch.open_us, due_us))
    runs = tuple((first, min(last, due_us)) for first, last in all_runs if first < due_us)
    if row.family in ("elapsed", "working"):
        return sum(measure(row, first, last) for first, last in runs)
    if row.family == "working_days":
        # As `due` counts them: a closing at which a run begins is not its own, one at which it ends is.
        return sum(
            calendar.closings_between_us(first + 1, last + 1, watch.started_us) for first, last in runs
        )
    # A deadline at midnight is the end of the day before.
    first_day, last_day = calendar.day_of(watch.started_us), calendar.day_of(watch.due_us - 1)
    last_day -= sum(_days_stopped(calendar, watch.started_us, runs))
    if row.family == "calendar_days":
        return max(0, last_day - first_day)
    return _months(date.fromordinal(first_day), date.fromordinal(last_day))


def _days_stopped(calendar: BusinessTime, started_us: int, runs: tuple[Run, ...]) -> Iterator[int]:
    """Yield how many days ended while the stopwatch stood still, pause by pause."""
    since_us = started_us
    for first, last in runs:
        yield calendar.date_of(first) - calendar.date_of(since_us)
        since_us = last


def _months(first: date, last: date) -> int:
    # The last month is whole from the same date on: from 01-31 to 02-28 there is none yet.
    whole = (last.year - first.year) * 12 + last.month - first.month
    return max(0, whole - (last.day < first.day))
