"""Instant at which a limit is due: one rule for each kind of target, over a stopwatch and a calendar.

A deadline is the earliest instant at which the time that ran reaches the limit. A row's `reach` is that limit, in
microseconds, days or months, as its family counts.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from svcflow.errors import CalendarCoverageError
from svcflow.kernel.instance import NEVER, NOT_COMPUTED, STOPPED, Stopwatch
from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.kernel.timing.compiled_limit import CompiledRow, CompiledRung, reach_of
from svcflow.model.amount import Amount
from svcflow.model.target import Anchor, Target
from svcflow.worktime.instants import months_after

_EARLIEST_US = NOT_COMPUTED + 1


def due_of(row: CompiledRow, watch: Stopwatch, open_us: int) -> int:
    """Return the deadline of a stopwatch that runs on from `open_us`; `NEVER` without target or anchor.

    One that stands still (`open_us` is `STOPPED`) has a deadline only if it reached it before.
    """
    if row.target is None:
        return NEVER
    if not row.fixed:
        reach = full_reach(row, watch) if watch.extra else row.reach
        at_us = _instant_reached(row.calendar, row, watch, open_us, reach)
        return at_us if _EARLIEST_US < at_us < NEVER else _bounded(at_us)
    if row.kind == "by":
        return _by(row.calendar, row.target, watch.started_us)
    anchor = row.target.anchor
    assert anchor is not None  # noqa: S101  # kinds before and after have one
    return anchored_us(row.calendar, anchor, watch.anchor_us)


def full_reach(row: CompiledRow, watch: Stopwatch) -> int:
    """Return how much a stopwatch counts: the reach of its row, and what was added to it."""
    total = row.reach + watch.extra
    # Migrations recorded before `Migrated.gives_way` may keep a deadline that takes more off than another row has:
    # that row counts its own. Elapsed time and calendar days lead where they led, since old journals rest on it.
    if total < 0 and row.family in ("working", "working_days"):
        return row.reach
    return total


def last_day(row: CompiledRow, watch: Stopwatch) -> date:
    """Return the last of a limit's calendar days or months, before it rolls off a closed day."""
    return date.fromordinal(
        _calendar_days(row.calendar, row, watch, watch.open_us, full_reach(row, watch))[0]
    )


def rung_instant(row: CompiledRow, rung: CompiledRung, watch: Stopwatch) -> int:
    """Return the instant at which a running stopwatch reaches a rung of its ladder."""
    if rung.distance is not None:
        at_us = _at_distance(row, rung, rung.distance, watch)
    elif not rung.offset and (rung.share == 1 or (rung.ahead and watch.open_us == STOPPED)):
        at_us = watch.due_us
    elif row.fixed or (rung.ahead and row.family not in ("elapsed", "working")):
        at_us = _share_instant(row, watch, rung.share)
    else:
        total = full_reach(row, watch) if watch.extra else row.reach
        # Rounded up: 150 % of 3 days is reached with the fifth day.
        reach = -(-rung.share.numerator * total // rung.share.denominator) + rung.offset
        at_us = _instant_reached(row.calendar, row, watch, watch.open_us, reach)
    if rung.in_opening_hours and at_us < NEVER:
        at_us = _opened(row, rung, watch, at_us)
    return at_us if _EARLIEST_US < at_us < NEVER else _bounded(at_us)


def _at_distance(row: CompiledRow, rung: CompiledRung, distance: Amount, watch: Stopwatch) -> int:
    """Return the instant a distance from the deadline; `NEVER` when the stopwatch stands still short of it."""
    calendar, due_us = row.calendar, watch.due_us
    if row.fixed:
        return _shifted(calendar, due_us, distance, 1 if rung.offset > 0 else -1)
    # A deadline at a closing, or at midnight, belongs to the day that ends there: so a microsecond before it.
    if rung.offset < 0:
        try:
            if distance.family == "working":
                return calendar.subtract_us(due_us, distance.us)
            return calendar.rolled_us(calendar.nth_working_day(calendar.day_of(due_us - 1), rung.offset))
        except CalendarCoverageError:  # before what the calendar covers: it was there from the start
            return watch.started_us
    # Past the deadline it counts only while the stopwatch runs, as the limit does.
    runs = tuple((max(first, due_us), last) for first, last in watch.runs if last > due_us)
    open_us = STOPPED if watch.open_us == STOPPED else max(watch.open_us, due_us)
    since = watch._replace(started_us=due_us - 1, runs=runs)
    count = _worked if distance.family == "working" else _working_days
    return count(calendar, since, open_us, rung.offset)


def _opened(row: CompiledRow, rung: CompiledRung, watch: Stopwatch, at_us: int) -> int:
    """Return the instant of a rung in opening hours: its own, or the next opening.

    What comes before its deadline stays before it, and a warning at it too: at the last opening there was.
    """
    calendar, due_us = row.calendar, watch.due_us
    opens_us = calendar.add_us(at_us, 0)
    if opens_us <= max(at_us, due_us):
        return opens_us
    if at_us < due_us or (at_us == due_us and rung.kind == "warn"):
        return calendar.last_opening_us(at_us, max(watch.attached_us, watch.open_us))
    return at_us if row.kind == "every" else opens_us  # a missed occurrence begins the next interval at once


def _bounded(at_us: int) -> int:
    """Return an instant that a store can hold; only declarations older than the bounds on amounts lead to others."""
    return min(max(at_us, _EARLIEST_US), NEVER)


def interval_before(calendar: BusinessTime, row: CompiledRow, due_us: int) -> int:
    """Return the deadline one interval of a recurrence before another, if nothing stopped it in between.

    `STOPPED` for calendar days and months.
    """
    if row.family in ("calendar_days", "months"):  # their ends roll off closed days: that has no inverse
        return STOPPED
    if row.family == "elapsed":
        return due_us - row.reach
    if row.family == "working":
        # `subtract_us` returns the latest instant, a deadline is the earliest: two back and one forward gives that.
        started_us = calendar.subtract_us(due_us, 2 * row.reach)
        return calendar.add_us(started_us, row.reach)
    return calendar.rolled_us(calendar.nth_working_day(calendar.day_of(due_us - 1), -row.reach))


def measure(row: CompiledRow, start_us: int, end_us: int) -> int:
    """Return the time between two instants as the limit measures it: open hours, or elapsed."""
    if row.family in ("working", "working_days"):
        return row.calendar.between_us(start_us, end_us)
    return end_us - start_us


def _instant_reached(
    calendar: BusinessTime, row: CompiledRow, watch: Stopwatch, open_us: int, reach: int
) -> int:
    """Return the earliest instant at which the stopwatch, running on from `open_us`, has counted `reach`.

    That instant may lie in a run that is over; `NEVER` when the stopwatch stands still short of it.
    """
    if row.family == "elapsed":
        return _elapsed(watch, open_us, reach)
    if row.family == "working":
        return _worked(calendar, watch, open_us, reach)
    if row.family == "working_days":
        return _working_days(calendar, watch, open_us, reach)
    return _calendar_days(calendar, row, watch, open_us, reach)[1]


def _elapsed(watch: Stopwatch, open_us: int, reach: int) -> int:
    for first, last in watch.runs:
        if last - first >= reach:
            return first + reach
        reach -= last - first
    return NEVER if open_us == STOPPED else open_us + reach


def _worked(calendar: BusinessTime, watch: Stopwatch, open_us: int, reach: int) -> int:
    for (first, last), done in zip(watch.runs, calendar.each_between_us(watch.runs), strict=True):
        # A limit of nothing is due at the next open instant, which a run in closed hours does not contain.
        if done >= reach and (reach or calendar.add_us(first, 0) <= last):
            return calendar.add_us(first, reach)
        reach -= done
    return NEVER if open_us == STOPPED else calendar.add_us(open_us, reach)


def _working_days(calendar: BusinessTime, watch: Stopwatch, open_us: int, days: int) -> int:
    """Return the closing of the last day: the start day is not counted (民法典 §201, §203).

    A day counts if the stopwatch runs up to its closing.
    """
    if not days:
        return _worked(calendar, watch, open_us, 0)
    # One microsecond later at both ends: a hold that begins at a closing takes no day away, and one that ends there
    # gives none.
    for first, last in watch.runs:
        done = calendar.closings_between_us(first + 1, last + 1, watch.started_us)
        if done >= days:
            return calendar.nth_closing_from_us(first + 1, days, watch.started_us)
        days -= done
    return NEVER if open_us == STOPPED else calendar.nth_closing_from_us(open_us + 1, days, watch.started_us)


def _calendar_days(
    calendar: BusinessTime, row: CompiledRow, watch: Stopwatch, open_us: int, reach: int
) -> tuple[int, int]:
    """Return the last day, later by the days at whose end the stopwatch stood still, and the closing it rolls to."""
    day = calendar.day_of(watch.started_us)
    day = day + reach if row.family == "calendar_days" else months_after(day, reach)
    since_us = watch.started_us
    for first, last in watch.runs if open_us == STOPPED else (*watch.runs, (open_us, NEVER)):
        if first != since_us:
            day += calendar.date_of(first) - calendar.date_of(since_us)
        # Never before the run: a last day that passed in a pause is due when the stopwatch runs on.
        due_us = max(first, calendar.rolled_us(day))
        if due_us <= last:
            return day, due_us
        since_us = last
    return day, NEVER


def _by(calendar: BusinessTime, target: Target, started_us: int) -> int:
    """Return a local time of day; after the cutoff, or on a closed day, that of the next working day."""
    assert target.time is not None  # noqa: S101  # kind `by` has one
    day = calendar.date_of(started_us)
    first = calendar.nth_working_day(day, 0)
    # Without a cutoff, a request after the time of day is late for this day only if the time is this day's.
    cutoff = target.cutoff or (target.time if not target.day else None)
    if first == day and cutoff is not None and started_us > calendar.clock_us(day, cutoff.minute):
        first = calendar.nth_working_day(day, 1)
    last = calendar.nth_working_day(first, target.day) if target.day else first
    return calendar.clock_us(last, target.time.minute)


def anchored_us(calendar: BusinessTime, anchor: Anchor, scheduled_us: int) -> int:
    """Return the instant that lies before or after a scheduled one; `NEVER` where nothing is scheduled."""
    if scheduled_us == NEVER or anchor.amount is None:
        return _bounded(scheduled_us)
    return _bounded(_shifted(calendar, scheduled_us, anchor.amount, anchor.sign))


def _shifted(calendar: BusinessTime, at_us: int, amount: Amount, sign: int) -> int:
    """Return the instant an amount after another, or before it when `sign` is -1; working days end at closing."""
    if amount.family == "elapsed":
        return at_us + sign * amount.us
    if amount.family == "working":
        return calendar.add_us(at_us, amount.us) if sign > 0 else calendar.subtract_us(at_us, amount.us)
    return calendar.rolled_us(calendar.nth_working_day(calendar.day_of(at_us), sign * reach_of(amount)))


def _share_instant(row: CompiledRow, watch: Stopwatch, share: Fraction) -> int:
    """Return when `share` of the time between start and deadline has run, as the limit measures it."""
    open_hours = row.family in ("working", "working_days")
    open_us = watch.open_us
    # A deadline that was reached before the stopwatch ran on leaves nothing ahead.
    runs = (*watch.runs, (open_us, max(open_us, watch.due_us)))
    *past, ahead = row.calendar.each_between_us(runs) if open_hours else [end - at for at, end in runs]
    done = sum(past)
    left = max(0, -(-share.numerator * (done + ahead) // share.denominator) - done)
    at_us = row.calendar.add_us(open_us, left) if open_hours else open_us + left
    return min(at_us, watch.due_us) if share <= 1 else at_us
