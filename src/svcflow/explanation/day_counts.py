"""Day counts: what a limit counted and passed over, day by day, up to its deadline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

import attrs

from svcflow import wording
from svcflow.explanation.lines import DAY_UNITS, LineWriter, length
from svcflow.kernel.facts import to_datetime
from svcflow.kernel.instance import NEVER, STOPPED, Stopwatch
from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.kernel.timing.due import full_reach, last_day
from svcflow.kernel.timing.pinned_targets import PinnedTarget
from svcflow.kernel.timing.stopwatch import counted
from svcflow.model.amount import Family
from svcflow.text import NO_TEXT, Text
from svcflow.wording import days, holiday, instant, interval
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import to_us

_DAY = timedelta(days=1)
_FEW = 4
"""How many open days are written one by one; of more, runs of alike days are put together."""


class DayCount:
    """Count of one limit from its start: the lines of the days that count, of those that do not, and of the deadline.

    `counted_us` is the instant up to which it has been counted, `total` what was counted until then, in microseconds or
    days as the limit counts.
    """

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer
        self.counted_us = 0
        self.total = 0
        self.is_due_written = False
        """Whether the present deadline stands in the lines; a change of it clears this."""
        self.pinned: PinnedTarget | None = None
        """The target of an earlier version that a migration kept; None where the present version's holds."""
        self.was_scheduled = False
        """Whether the scheduled instant was ever set."""

    def restart(self, start_us: int) -> None:
        """Begin a visit: nothing is counted yet."""
        self.counted_us, self.total, self.is_due_written = start_us, 0, False

    def recount(self, watch: Stopwatch, at_us: int) -> None:
        """Take as counted what the present row of a stopwatch has counted up to an instant, by its own calendar."""
        self.total = counted(self._writer.limit, watch, at_us)

    def count(self, watch: Stopwatch, until_us: int) -> None:
        """Write what a running stopwatch counted up to an instant; past the deadline nothing more is counted."""
        if watch.open_us == STOPPED or self.is_due_written:
            return
        start_us = max(self.counted_us, watch.open_us)
        end_us = min(until_us, watch.due_us)
        row = self._writer.limit.rows[watch.row]
        if not row.fixed and row.family in ("elapsed", "working", "working_days") and start_us < end_us:
            self._counted(row.family, watch, start_us, end_us)
        self.counted_us = max(end_us, start_us)
        if watch.due_us < until_us:
            self.due(watch)

    def due(self, watch: Stopwatch) -> None:
        """Write the deadline, with what it rests on where that was not counted piece by piece."""
        self.is_due_written = True
        if watch.due_us == NEVER:
            return
        self._basis(watch)
        writer = self._writer
        when = writer.instant(watch.due_us, year=True)
        due = Text(zh=f"{when.zh} 截止", en=f"{when.en}: due")
        if writer.limit.rows[watch.row].kind == "at_least":
            due = Text(zh=f"{when.zh} 起方可结束", en=f"{when.en}: may end from here on")
        if writer.limit.is_timer:
            move = writer.automatic_move
            due = Text(zh=f"{when.zh} 自动流转“{move.zh}”", en=f"moves on by itself on {when.en} ({move.en})")
        writer.at("due", watch.due_us, due)
        if writer.calendar.provisional(watch.due_us):
            covers = writer.calendar.calendar.covers
            last = covers.last if covers else None
            note = Text(
                zh=f"暂定：日历只公布到 {last}，其后按平常周推算，公布后重新计算",
                en=f"provisional: the calendar is published up to {last}; after it the ordinary week is assumed, until it is",
            )
            writer.at("provisional", watch.due_us, note)

    def _counted(self, family: Family, watch: Stopwatch, start_us: int, end_us: int) -> None:
        calendar = self._writer.calendar
        if family == "elapsed":
            self._elapsed(start_us, end_us)
            return
        if family == "working":
            entries = open_days(calendar, start_us, end_us)
        else:
            started = self._day(watch.started_us)
            entries = closings(calendar, start_us, end_us, started)
            if start_us == watch.started_us:
                self._first_day(started, watch.started_us)
        for entry in entries:
            self._counted_days(entry, family)

    def _elapsed(self, start_us: int, end_us: int) -> None:
        self.total += end_us - start_us
        start, end = self._writer.local(start_us), self._writer.local(end_us)
        amount, total, when = length(end_us - start_us), length(self.total), interval(start, end)
        words = Text(
            zh=f"{when.zh}：计 {amount.zh}，累计 {total.zh}",
            en=f"{when.en}: {amount.en} counted, {total.en} in all",
        )
        self._writer.between("counted", (start_us, end_us), (end_us - start_us, self.total), words)

    def _first_day(self, started: date, at_us: int) -> None:
        when = days(started, started)
        words = Text(zh=f"{when.zh}：起算日不计", en=f"{when.en}: the day it starts is not counted")
        self._writer.at("closed", at_us, words)

    def _counted_days(self, entry: CalendarDays, family: Family) -> None:
        if not entry.days:
            self._closed_days(entry)
            return
        is_run = entry.last != entry.first
        when = interval(entry.start, entry.end)
        if is_run or family != "working":
            when = days(entry.first, entry.last)
        name = holiday(entry.name)
        makeup = Text()
        if entry.name:
            kind = Text() if entry.other_hours else Text(zh="上班日", en=" day")
            makeup = Text(zh=f"（{name.zh}{kind.zh}）", en=f" ({name.en}{kind.en})")
        worked = entry.us if family == "working" else entry.days
        self.total += worked
        if family == "working":
            amount, total = length(worked), length(self.total)
            if is_run:
                number = wording.amount(entry.days, "wd")
                amount = Text(zh=f"{number.zh}，{amount.zh}", en=f"{number.en}, {amount.en}")
        else:
            amount, total = (wording.amount(number, DAY_UNITS[family]) for number in (worked, self.total))
        words = Text(
            zh=f"{when.zh}{makeup.zh}：计 {amount.zh}，累计 {total.zh}",
            en=f"{when.en}{makeup.en}: {amount.en} counted, {total.en} in all",
        )
        span = (to_us(entry.start), to_us(entry.end))
        self._writer.between("counted", span, (worked, self.total), words)

    def _closed_days(self, entry: CalendarDays) -> None:
        when, name = days(entry.first, entry.last), holiday(entry.name)
        why = Text(zh=f"{name.zh}放假", en=f"{name.en}, closed") if entry.name else Text("周休", "closed")
        span = (self._midnight(entry.first), self._midnight(entry.last + _DAY))
        words = Text(zh=f"{when.zh}：{why.zh}，不计", en=f"{when.en}: {why.en}, not counted")
        self._writer.between("holiday" if entry.name else "closed", span, (None, None), words)

    def _basis(self, watch: Stopwatch) -> None:
        """Write what is not counted piece by piece: calendar days and months, clock times, scheduled instants."""
        row = self._writer.limit.rows[watch.row]
        if row.family in ("calendar_days", "months") and not row.fixed:
            self._calendar_days(watch)
        elif row.kind == "by" and not self._is_kept_from_elsewhere(watch):
            self._by(watch)
        elif row.kind in ("before", "after"):
            self._scheduled(watch)

    def _is_kept_from_elsewhere(self, watch: Stopwatch) -> bool:
        """Return whether a kept deadline rests on another target than this version declares."""
        return self.pinned is not None and self.pinned.target != self._writer.limit.rows[watch.row].target

    def _calendar_days(self, watch: Stopwatch) -> None:
        limit = self._writer.limit
        row = limit.rows[watch.row]
        started, due_day = self._day(watch.started_us), self._day(watch.due_us - 1)
        last, reach = last_day(row, watch), full_reach(row, watch)
        self._first_day(started, watch.started_us)
        when, number = days(started + _DAY, last), wording.amount(reach, DAY_UNITS[row.family])
        # Had it never stood still, the same days would have ended earlier: the difference is what stops added.
        stood = (last - last_day(row, watch._replace(runs=(), open_us=watch.started_us))).days
        still, held = wording.day_count(stood), Text()
        if stood:
            held = Text(zh=f"，停计的 {still.zh}顺延", en=f", and {still.en} on which it stood still")
        words = Text(zh=f"{when.zh}：计 {number.zh}{held.zh}", en=f"{when.en}: {number.en} counted{held.en}")
        span = (self._midnight(started + _DAY), self._midnight(last + _DAY))
        self._writer.between("counted", span, (reach, reach), words)
        if due_day > last:
            self._rolled(watch, last, due_day)

    def _rolled(self, watch: Stopwatch, last: date, due_day: date) -> None:
        name = holiday(self._writer.calendar.calendar.special(last) or Text())
        why = Text(zh="逢休息日", en="is a day off")
        if name:
            why = Text(zh=f"逢{name.zh}", en=f"is {name.en}")
        off, moved = days(last, last), days(due_day, due_day)
        words = Text(
            zh=f"{off.zh}{why.zh}，顺延至 {moved.zh}下班（民法典 §203）",
            en=f"{off.en} {why.en}: moved to the closing of {moved.en} (Civil Code §203)",
        )
        self._writer.at("rolled", watch.due_us, words)

    def _by(self, watch: Stopwatch) -> None:
        target = self._writer.limit.rows[watch.row].target
        started, due_at = self._writer.local(watch.started_us), self._writer.local(watch.due_us)
        if target is None or started.date() == due_at.date():
            return
        cutoff = target.cutoff or target.time
        if self._is_day_off(started.date()):
            why = Text(
                zh="逢休息日，算下一工作日的", en="on a day off, so it counts for the next working day"
            )
        elif (
            cutoff is not None
            and (target.cutoff or not target.day)
            and started.hour * 60 + started.minute >= cutoff.minute
        ):
            why = Text(
                zh=f"已过 {cutoff}，算下一工作日的",
                en=f"after {cutoff}, so it counts for the next working day",
            )
        else:
            why = Text(zh="在受理时刻之内", en="in time for this day")
        asked, due = instant(started), days(due_at.date(), due_at.date())
        later = wording.amount(target.day, "wd") if target.day else Text()
        on = Text(zh=f"，其后 {later.zh}", en=f", and {later.en} on") if later else Text()
        words = Text(
            zh=f"{asked.zh} 提出，{why.zh}{on.zh}：{due.zh}",
            en=f"asked {asked.en}, {why.en}{on.en}: {due.en}",
        )
        self._writer.at("rolled", watch.due_us, words)

    def _scheduled(self, watch: Stopwatch) -> None:
        writer = self._writer
        row = writer.limit.rows[watch.row]
        if row.target is None or row.target.anchor is None:
            return
        name = writer.field(row.target.anchor.field)
        if watch.anchor_us == NEVER:
            gone = Text(zh="已取消", en="was cleared") if self.was_scheduled else Text("未定", "is not set")
            words = Text(
                zh=f"{name.zh}{gone.zh}；此前定下的截止不变",
                en=f"{name.en} {gone.en}; the deadline that was set before stays",
            )
            writer.at("anchored", watch.due_us, words)
            return
        if self._is_kept_from_elsewhere(watch):
            return
        low_us, high_us = sorted((watch.due_us, watch.anchor_us))
        if row.family == "working" and low_us < high_us:
            for entry in open_days(writer.calendar, low_us, high_us):
                if entry.days or entry.name:
                    self._counted_days(entry, "working")
        anchor, target = writer.local(watch.anchor_us), writer.target(row.target)
        when = instant(anchor, year=anchor.year != writer.local(watch.started_us).year)
        words = Text(
            zh=f"{name.zh}为 {when.zh}，时限为{target.zh}",
            en=f"{name.en} is at {when.en}; the limit is {target.en}",
        )
        if writer.limit.is_timer:
            words = Text(
                zh=f"{name.zh}为 {when.zh}，{target.zh}自动流转",
                en=f"{name.en} is at {when.en}; it moves on by itself {target.en}",
            )
        writer.at("anchored", watch.anchor_us, words)

    def _is_day_off(self, on: date) -> bool:
        entries = open_days(self._writer.calendar, self._midnight(on), self._midnight(on + _DAY))
        return not entries[0].days

    def _midnight(self, on: date) -> int:
        return self._writer.calendar.clock_us(on.toordinal(), 0)

    def _day(self, at_us: int) -> date:
        return date.fromordinal(self._writer.calendar.day_of(at_us))


@attrs.frozen
class CalendarDays:
    """One day, or a run of alike days: what counts of it, and the holiday, make-up day or day of other hours it is.

    `days` is 0 for closed days. `start` and `end` are where counting began and ended on it; `whole` says that all of
    its open time counts.
    """

    first: date
    last: date
    days: int
    us: int
    start: datetime
    end: datetime
    whole: bool
    name: Text = NO_TEXT
    other_hours: bool = False


def open_days(business_time: BusinessTime, start_us: int, end_us: int) -> tuple[CalendarDays, ...]:
    """Return the open time of an interval, day by day; long runs of whole days are put together."""
    entries = list(_each_day(_calendar(business_time, end_us), start_us, end_us))
    return tuple(_grouped(entries, with_open_days=sum(bool(entry.days) for entry in entries) > _FEW))


def closings(
    business_time: BusinessTime, start_us: int, end_us: int, after: date
) -> tuple[CalendarDays, ...]:
    """Return the working days later than `after` whose closing lies in (start, end], and the closed ones between."""
    calendar = _calendar(business_time, end_us)
    entries = [
        attrs.evolve(entry, whole=True)
        for entry in _each_day(calendar, start_us, end_us, every=True)
        if not entry.days or (entry.first > after and _closes(calendar, entry.first, start_us, end_us))
    ]
    return tuple(_grouped(entries, with_open_days=True))


def _closes(calendar: WorkCalendar, on: date, start_us: int, end_us: int) -> bool:
    return start_us < to_us(calendar.closing(on)) <= end_us


def _calendar(business_time: BusinessTime, end_us: int) -> WorkCalendar:
    return business_time.projected if business_time.provisional(end_us) else business_time.calendar


def _each_day(
    calendar: WorkCalendar, start_us: int, end_us: int, *, every: bool = False
) -> Iterator[CalendarDays]:
    """Yield the days that an interval touches; with `every` also working days none of whose time lies in it."""
    zone = calendar.timezone
    start, end = to_datetime(start_us).astimezone(zone), to_datetime(end_us).astimezone(zone)
    on = start.date() - _DAY  # whose open hours may run past midnight, into the interval
    while on <= end.date():
        yield from _one_day(calendar, on, start, end, every=every)
        on += _DAY


def _one_day(
    calendar: WorkCalendar, on: date, start: datetime, end: datetime, *, every: bool
) -> Iterator[CalendarDays]:
    hours = calendar.intervals(on) if _covered(calendar, on) else ()
    if not hours:
        if on >= start.date() and end > datetime.combine(on, datetime.min.time(), calendar.timezone):
            yield CalendarDays(on, on, 0, 0, start, end, whole=True, name=calendar.special(on) or NO_TEXT)
        return
    # Compared in microseconds of UTC: local times repeat where summer time ends.
    parts = [(max(opens, start, key=to_us), min(closes, end, key=to_us)) for opens, closes in hours]
    open_us = [to_us(closes) - to_us(opens) for opens, closes in parts if to_us(opens) < to_us(closes)]
    if open_us or every:
        worked = [part for part in parts if to_us(part[0]) < to_us(part[1])] or list(hours)
        whole = sum(open_us) == sum(to_us(closes) - to_us(opens) for opens, closes in hours)
        ends, name = (worked[0][0], worked[-1][1]), calendar.special(on) or NO_TEXT
        other = calendar.has_other_hours(on)
        yield CalendarDays(on, on, 1, sum(open_us), *ends, whole=whole, name=name, other_hours=other)


def _covered(calendar: WorkCalendar, on: date) -> bool:
    return calendar.covers is None or on in calendar.covers


def _grouped(entries: Iterable[CalendarDays], *, with_open_days: bool) -> Iterator[CalendarDays]:
    """Put neighbouring closed days together, and whole open days of more than two where asked to."""
    for key, group in groupby(entries, key=lambda entry: (entry.days, entry.whole and not entry.name)):
        run = list(group)
        if not key[0] or (key[1] and with_open_days and len(run) > 2):
            yield _joined(run)
        else:
            yield from run


def _joined(run: list[CalendarDays]) -> CalendarDays:
    names, name = dict.fromkeys(entry.name for entry in run if entry.name), NO_TEXT
    if names:
        name = Text(zh="、".join(n.zh for n in names), en=", ".join(n.in_("en") for n in names))
    return CalendarDays(
        first=run[0].first,
        last=run[-1].last,
        days=sum(entry.days for entry in run),
        us=sum(entry.us for entry in run),
        start=run[0].start,
        end=run[-1].end,
        whole=True,
        name=name,
    )
