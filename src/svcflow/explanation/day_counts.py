"""The tally of one limit: what its clock counted day by day, what it passed over, and the deadline it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from svcflow import wording
from svcflow.explanation.calendar_days import Entry, closings, open_days
from svcflow.explanation.explain import Line, LineKind
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import (
    to_datetime,
)
from svcflow.kernel.instance import NEVER, STOPPED, Stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit
from svcflow.kernel.timing.due import full_reach, last_day
from svcflow.kernel.timing.pinned_targets import PinnedTarget
from svcflow.model.amount import Family
from svcflow.model.target import Target
from svcflow.model.wording import target_text
from svcflow.text import Text
from svcflow.wording import days, holiday, instant, interval
from svcflow.worktime.instants import to_us

_DAY = timedelta(days=1)
UNITS: Mapping[Family, str] = {"working_days": "wd", "calendar_days": "cd", "months": "mo"}


class Tally:
    """Write the lines of one limit that are reckoning; `clock` is its clock after the last moment told."""

    def __init__(self, compiled: Compiled, limit: CompiledLimit, at_us: int) -> None:
        self.compiled, self.limit, self.at_us = compiled, limit, at_us
        self.lines: list[Line] = []
        self.clock: Stopwatch | None = None
        self.visits = 0
        self.told_us = 0
        self.total = 0
        self.stopped_us = 0
        self.due_told = False
        self.promise: PinnedTarget | None = None
        self.anchored = False
        """Whether the scheduled instant was ever set."""

    def count(self, clock: Stopwatch, until_us: int) -> None:
        """Tell what a running clock counted up to an instant; past the deadline nothing more is counted."""
        if clock.open_us == STOPPED or self.due_told:
            return
        start_us = max(self.told_us, clock.open_us)
        end_us = min(until_us, clock.due_us)
        row = self.limit.rows[clock.row]
        if not row.fixed and row.family in ("elapsed", "working", "working_days") and start_us < end_us:
            self._counted(row.family, clock, start_us, end_us)
        self.told_us = max(end_us, start_us)
        if clock.due_us < until_us:
            self.due(clock)

    def _counted(self, family: Family, clock: Stopwatch, start_us: int, end_us: int) -> None:
        reckoner = self.limit.calendar
        if family == "elapsed":
            self._elapsed(start_us, end_us)
            return
        if family == "working":
            entries = open_days(reckoner, start_us, end_us)
        else:
            started = self._day(clock.started_us)
            entries = closings(reckoner, start_us, end_us, started)
            if start_us == clock.started_us:
                self._first_day(started, clock.started_us)
        for entry in entries:
            self._entry(entry, family)

    def _elapsed(self, start_us: int, end_us: int) -> None:
        self.total += end_us - start_us
        start, end = self.local(start_us), self.local(end_us)
        amount, total, when = _length(end_us - start_us), _length(self.total), interval(start, end)
        self.add(
            "counted",
            (start_us, end_us),
            (end_us - start_us, self.total),
            Text(
                zh=f"{when.zh}：计 {amount.zh}，累计 {total.zh}",
                en=f"{when.en}: {amount.en} counted, {total.en} in all",
            ),
        )

    def _first_day(self, started: date, at_us: int) -> None:
        when = days(started, started)
        self.say(
            "closed",
            at_us,
            Text(zh=f"{when.zh}：起算日不计", en=f"{when.en}: the day it starts is not counted"),
        )

    def _entry(self, entry: Entry, family: Family) -> None:
        if not entry.days:
            self._closed(entry)
            return
        many = entry.last != entry.first
        when = (
            days(entry.first, entry.last) if many or family != "working" else interval(entry.start, entry.end)
        )
        name = holiday(entry.name)
        makeup = Text(zh=f"（{name.zh}上班日）", en=f" ({name.en} day)") if entry.name else Text()
        if family == "working":
            self.total += entry.us
            amount, total = _length(entry.us), _length(self.total)
            if many:
                number = wording.amount(entry.days, "wd")
                amount = Text(zh=f"{number.zh}，{amount.zh}", en=f"{number.en}, {amount.en}")
        else:
            self.total += entry.days
            amount, total = (wording.amount(number, UNITS[family]) for number in (entry.days, self.total))
        worked = entry.us if family == "working" else entry.days
        self.add(
            "counted",
            (to_us(entry.start), to_us(entry.end)),
            (worked, self.total),
            Text(
                zh=f"{when.zh}{makeup.zh}：计 {amount.zh}，累计 {total.zh}",
                en=f"{when.en}{makeup.en}: {amount.en} counted, {total.en} in all",
            ),
        )

    def _closed(self, entry: Entry) -> None:
        when, name = days(entry.first, entry.last), holiday(entry.name)
        what = Text(zh=f"{name.zh}放假", en=f"{name.en}, closed") if entry.name else Text("周休", "closed")
        begin_us, end_us = self._midnight(entry.first), self._midnight(entry.last + timedelta(days=1))
        words = Text(zh=f"{when.zh}：{what.zh}，不计", en=f"{when.en}: {what.en}, not counted")
        self.add("holiday" if entry.name else "closed", (begin_us, end_us), (None, None), words)

    def _midnight(self, on: date) -> int:
        return self.limit.calendar.clock_us(on.toordinal(), 0)

    def _day(self, at_us: int) -> date:
        return date.fromordinal(self.limit.calendar.day_of(at_us))

    def due(self, clock: Stopwatch) -> None:
        self.due_told = True
        if clock.due_us == NEVER:
            return
        self._how(clock)
        when = instant(self.local(clock.due_us), year=True)
        due = Text(zh=f"{when.zh} 截止", en=f"{when.en}: due")
        if self.limit.rows[clock.row].kind == "at_least":
            due = Text(zh=f"{when.zh} 起方可结束", en=f"{when.en}: may end from here on")
        self.say("due", clock.due_us, due)
        if self.limit.calendar.provisional(clock.due_us):
            covers = self.limit.calendar.calendar.covers
            last = covers.last if covers else None
            self.say(
                "provisional",
                clock.due_us,
                Text(
                    zh=f"暂定：日历只公布到 {last}，其后按平常周推算，公布后重新计算",
                    en=f"provisional: the calendar is published up to {last}; after it the ordinary week is assumed, until it is",
                ),
            )

    def _how(self, clock: Stopwatch) -> None:
        """Tell what is not counted piece by piece: calendar days and months, clock times, scheduled instants."""
        row = self.limit.rows[clock.row]
        if row.family in ("calendar_days", "months") and not row.fixed:
            self._calendar_days(clock)
        elif row.kind == "by" and not self._set_otherwise(clock):
            self._by(clock)
        elif row.kind in ("before", "after"):
            self._anchored(clock)

    def _set_otherwise(self, clock: Stopwatch) -> bool:
        """Say whether a kept deadline came to be otherwise than this version would have set it."""
        return self.promise is not None and self.promise.target != self.limit.rows[clock.row].target

    def _calendar_days(self, clock: Stopwatch) -> None:
        reckoner, row = self.limit.calendar, self.limit.rows[clock.row]
        started, due_day = self._day(clock.started_us), self._day(clock.due_us - 1)
        last = last_day(self.limit, row, clock)
        self._first_day(started, clock.started_us)
        when, number = (
            days(started + timedelta(days=1), last),
            wording.amount(full_reach(row, clock), UNITS[row.family]),
        )
        stood = (last - last_day(self.limit, row, clock._replace(runs=(), open_us=clock.started_us))).days
        still = wording.day_count(stood)
        held = (
            Text(zh=f"，停计的 {still.zh}顺延", en=f", and {still.en} on which it stood still")
            if stood
            else Text()
        )
        begin_us, end_us = (
            self._midnight(started + timedelta(days=1)),
            self._midnight(last + timedelta(days=1)),
        )
        words = Text(zh=f"{when.zh}：计 {number.zh}{held.zh}", en=f"{when.en}: {number.en} counted{held.en}")
        reach = full_reach(row, clock)
        self.add("counted", (begin_us, end_us), (reach, reach), words)
        if due_day > last:
            name = holiday(reckoner.calendar.special(last) or Text())
            what = (
                Text(zh=f"逢{name.zh}", en=f"is {name.en}")
                if name
                else Text(zh="逢休息日", en="is a day off")
            )
            one, other = days(last, last), days(due_day, due_day)
            self.say(
                "rolled",
                clock.due_us,
                Text(
                    zh=f"{one.zh}{what.zh}，顺延至 {other.zh}下班（民法典 §203）",
                    en=f"{one.en} {what.en}: moved to the closing of {other.en} (Civil Code §203)",
                ),
            )

    def _by(self, clock: Stopwatch) -> None:
        target = self.limit.rows[clock.row].target
        started, due_at = self.local(clock.started_us), self.local(clock.due_us)
        if target is None or started.date() == due_at.date():
            return
        one, other, cutoff = (
            instant(started),
            days(due_at.date(), due_at.date()),
            target.cutoff or target.time,
        )
        if not open_days(
            self.limit.calendar, self._midnight(started.date()), self._midnight(started.date() + _DAY)
        )[0].days:
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
        later = wording.amount(target.day, "wd") if target.day else Text()
        on = Text(zh=f"，其后 {later.zh}", en=f", and {later.en} on") if later else Text()
        words = Text(
            zh=f"{one.zh} 提出，{why.zh}{on.zh}：{other.zh}",
            en=f"asked {one.en}, {why.en}{on.en}: {other.en}",
        )
        self.say("rolled", clock.due_us, words)

    def _anchored(self, clock: Stopwatch) -> None:
        target = self.limit.rows[clock.row].target
        if target is None or target.anchor is None:
            return
        name = self.field(target.anchor.field)
        if clock.anchor_us == NEVER:
            was = Text(zh="已取消", en="was cleared") if self.anchored else Text(zh="未定", en="is not set")
            self.say(
                "anchored",
                clock.due_us,
                Text(
                    zh=f"{name.zh}{was.zh}；此前定下的截止不变",
                    en=f"{name.en} {was.en}; the deadline that was set before stays",
                ),
            )
            return
        if self._set_otherwise(clock):
            return
        low, high = sorted((clock.due_us, clock.anchor_us))
        if self.limit.rows[clock.row].family == "working" and low < high:
            for entry in open_days(self.limit.calendar, low, high):
                if entry.days or entry.name:
                    self._entry(entry, "working")
        anchor = self.local(clock.anchor_us)
        when = instant(anchor, year=anchor.year != self.local(clock.started_us).year)
        self.say(
            "anchored",
            clock.anchor_us,
            Text(
                zh=f"{name.zh}为 {when.zh}，时限为{self.target(target).zh}",
                en=f"{name.en} is at {when.en}; the limit is {self.target(target).en}",
            ),
        )

    @property
    def family(self) -> Family:
        return self.limit.rows[self.clock.row if self.clock is not None else 0].family

    @property
    def own(self) -> Text:
        open_time = self.family in ("working", "working_days")
        return Text(zh="工作时间 ", en=" of open time") if open_time else Text(zh=" ")

    def local(self, us: int) -> datetime:
        return to_datetime(us).astimezone(self.limit.calendar.calendar.timezone)

    def step(self, step: str) -> Text:
        return _both(self.compiled.procedure.all_steps[step].name, step)

    def field(self, field: str) -> Text:
        return _both(self.compiled.procedure.fields[field].name, field)

    def target(self, target: Target) -> Text:
        fields = self.compiled.procedure.fields
        return Text(zh=target_text(target, fields, "zh"), en=target_text(target, fields, "en"))

    def say(self, kind: LineKind, at_us: int, words: Text) -> None:
        self.add(kind, (at_us, None), (None, None), words)

    def add(
        self,
        kind: LineKind,
        stretch: tuple[int, int | None],
        counted: tuple[int | None, int | None],
        words: Text,
    ) -> None:
        start_us, end_us = stretch
        end_at = None if end_us is None else self.local(end_us)
        in_days = self.family in UNITS and kind == "counted"
        shown = [n if n is None or in_days else timedelta(microseconds=n) for n in counted]
        self.lines.append(Line(kind, self.local(start_us), end_at, shown[0], shown[1], words))


def _both(name: Text, fallback: str) -> Text:
    return Text(zh=name.in_("zh") or fallback, en=name.in_("en") or fallback)


def _length(us: int) -> Text:
    return wording.duration(timedelta(microseconds=us), "exact")
