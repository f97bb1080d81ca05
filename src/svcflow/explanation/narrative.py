"""Narrative of one limit: each event of its timeline becomes lines of an explanation, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from svcflow.explanation.day_counts import DayCount
from svcflow.explanation.lines import DAY_UNITS, LineKind, LineWriter, length
from svcflow.explanation.timeline import LimitEvent, VersionSegment, limit_events
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import (
    Accepted,
    ChildEnded,
    ChildStarted,
    Deviated,
    Escalated,
    Explained,
    Extended,
    Fact,
    Held,
    Migrated,
    Moved,
    Overdue,
    Recomputed,
    Rejected,
    Settled,
    Started,
    Warned,
)
from svcflow.kernel.instance import NEVER, STOPPED, Stopwatch
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit
from svcflow.kernel.timing.pinned_targets import pinned_after_migration, still_pinned
from svcflow.model.parameter import Parameter
from svcflow.model.parameter_binding import named_in
from svcflow.model.target import Target
from svcflow.model.wording import rung_text
from svcflow.text import Text
from svcflow.wording import DEVIATIONS, HOLDS, OUTCOMES, amount, word

_MOVED = Text(zh="，移到开放时间", en=", moved to opening hours")
_ANNULLED = Text(
    zh="补录的完成时间在截止之前：超时予以撤销，记录保留",
    en="the end, recorded late, was in time: the breach is annulled and stays on record",
)
_ANSWERS: Mapping[type[Fact], tuple[LineKind, Text]] = {
    Explained: ("explained", Text(zh="说明偏差原因", en="the deviation was explained")),
    Accepted: (
        "accepted",
        Text(zh="认可该说明，偏差仍计", en="the explanation was accepted; the deviation still counts"),
    ),
    Rejected: ("rejected", Text(zh="不认可该说明", en="the explanation was rejected")),
}
_CLOSED = Text(zh="超时，仅在非工作时间", en="past its deadline, in closed hours only")
_AT_ONCE = Text(zh="到截止时结束", en="at its deadline")
"""Of what a move made on overdue ended: it had the whole time, and not an instant more."""
_LONG_US = 40 * 86_400_000_000
"""Long enough before a stop that the day it lies on is before any day counted."""


class Narrator:
    """Narrator of one limit: writes its lines from the first start of its stopwatch up to `at_us`."""

    def __init__(self, compiled: Compiled, limit: CompiledLimit, at_us: int) -> None:
        self.writer = LineWriter(compiled, limit)
        self.visits = 0
        self._days = DayCount(self.writer)
        self._at_us = at_us
        self._watch: Stopwatch | None = None
        """The stopwatch after the last event that was narrated."""
        self._stopped_us = 0
        """Since when it stands still; its last stop where it runs."""

    @property
    def target(self) -> tuple[Target | None, int]:
        """The last target that applied, and the version that promised it; 0 where the present one gave it."""
        pinned = self._days.pinned
        if pinned is not None:
            return pinned.target, pinned.version
        row = -1 if self._watch is None else self._watch.row
        return self.writer.limit.rows[row].target, 0

    @property
    def source(self) -> str | None:
        """The keys of the sources that the target rests on; None where an earlier version promised it."""
        if self._days.pinned is not None:
            return None
        limit = self.writer.limit.limit
        row = limit.rows[-1 if self._watch is None else self._watch.row]
        return row.source or limit.source

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that set the target, or choose its row; none where an earlier version promised it."""
        if self._days.pinned is not None:
            return ()
        row = self.writer.limit.limit.rows[-1 if self._watch is None else self._watch.row]
        declared = self.writer.compiled.procedure.parameters
        return tuple(declared[name] for name in named_in(row) if name in declared)

    def narrate(self, segments: Iterable[VersionSegment]) -> None:
        """Write everything up to the present."""
        for event in limit_events(segments, self._at_us):
            self._event(event)
            self._watch, self.writer.row = event.after, event.after.row
        if self._watch is not None and not self._watch.verdict:
            self._present(self._watch)

    def note_short_notice(self, fact: Deviated) -> None:
        """Write that the instance was asked for too late, where the limit hangs on the instant that it was for."""
        field = fact.detail["field"]
        if field not in self.writer.limit.anchors:
            return
        asked, latest = (
            self.writer.instant(fact.occurred_us, year=True),
            self.writer.instant(fact.detail["latest_us"]),
        )
        words = Text(
            zh=f"{asked.zh} 提出：最迟应在 {latest.zh}，属于预约过迟",
            en=f"{asked.en}: asked for; the latest was {latest.en}, so this is short notice",
        )
        self.writer.at("short_notice", fact.occurred_us, words)

    def _event(self, event: LimitEvent) -> None:
        before, at_us = event.before, event.fact.occurred_us
        self._days.was_scheduled = self._days.was_scheduled or event.after.anchor_us != NEVER
        if isinstance(event.fact, Migrated):
            self._count_until(event, at_us)
            self._migrated(event, event.fact)
            return
        if event.limit is not None:  # it may begin long after a migration
            self.writer.compiled, self.writer.limit = event.compiled, event.limit
        self._count_until(event, at_us)
        pinned = self._days.pinned
        if pinned is not None and before is not None and not still_pinned(pinned, before, event.after):
            self._days.pinned = None
        self._fact(event)
        self._clock_change(event)

    def _count_until(self, event: LimitEvent, at_us: int) -> None:
        """Write what the stopwatch counted up to an event; the deadline stands before the breach of it."""
        if event.before is not None and not event.before.verdict:
            # One microsecond more for a breach, which may bear the very instant of the deadline.
            is_breach = isinstance(event.fact, Overdue)
            self._days.count(event.before, max(at_us, event.before.attached_us) + is_breach)

    def _fact(self, event: LimitEvent) -> None:
        fact, before = event.fact, event.before
        if isinstance(fact, Warned | Escalated):
            _rung(self.writer, fact)
        elif isinstance(fact, Overdue):
            _breach(self.writer, fact)
        elif isinstance(fact, Settled) and fact.overrun_us < 0:
            self.writer.at("annulled", fact.occurred_us, _ANNULLED)
        elif isinstance(fact, Extended):
            self._days.is_due_written = False
            _extended(self.writer, fact)
        elif isinstance(fact, Recomputed):
            self._days.is_due_written = False
            _recomputed(self.writer, fact)
        elif isinstance(fact, Explained | Accepted | Rejected):
            _answer(self.writer, fact)
        elif isinstance(fact, ChildStarted | ChildEnded):
            _child(self.writer, fact, runs=event.after.open_us != STOPPED)
        elif before is not None and before.visit == event.after.visit:
            self._target_changed(event, before)

    def _target_changed(self, event: LimitEvent, before: Stopwatch) -> None:
        if before.row != event.after.row:
            self._row_changed(event, before)
        elif before.anchor_us != event.after.anchor_us:
            self._days.is_due_written = False
            _rescheduled(self.writer, event.fact, before, event.after)

    def _clock_change(self, event: LimitEvent) -> None:
        at_us = event.fact.occurred_us
        if event.before is not None and event.ends:
            self._ended(event.before, event.after, at_us)
        elif event.begins:
            self._started(event)
        elif event.reopens:
            self._reopened(event)
        elif event.stops:
            self._stopped_us = at_us
            _stopped(self.writer, event)
        elif event.resumes:
            self._resumed(at_us)

    def _started(self, event: LimitEvent) -> None:
        watch = event.after
        self.writer.row = watch.row
        self.visits, self._stopped_us = watch.visit, watch.started_us
        self._days.restart(watch.started_us)
        when, cause = self.writer.instant(watch.started_us, year=True), _cause(self.writer, event)
        again = Text(zh=f"第 {watch.visit} 次", en=f", visit {watch.visit}") if watch.visit > 1 else Text()
        still = Text(zh="，暂不计时", en="; the clock stands still") if watch.open_us == STOPPED else Text()
        on = self._own_calendar(watch.row)
        words = Text(
            zh=f"{when.zh} {again.zh}起算：{cause.zh}{on.zh}{still.zh}",
            en=f"{when.en}: started{again.en}, {cause.en}{on.en}{still.en}",
        )
        self.writer.at("started", watch.started_us, words)

    def _own_calendar(self, row: int) -> Text:
        """Return in words the calendar that a row of the matrix names; nothing where it counts on that of its limit."""
        if self.writer.limit.limit.rows[row].calendar is None:
            return Text()
        calendar = self.writer.limit.rows[row].calendar.calendar
        name, zone = calendar.name, calendar.timezone.key
        return Text(zh=f"，按日历“{name.zh}”（{zone}）", en=f", on the calendar {name.en!r} ({zone})")

    def _resumed(self, at_us: int) -> None:
        still_us, when = at_us - self._stopped_us, self.writer.instant(at_us)
        still, lost = length(still_us), self._lost(at_us)
        self._days.counted_us = at_us
        words = Text(
            zh=f"{when.zh} 恢复计时：停了 {still.zh}{lost.zh}，不计",
            en=f"{when.en}: resumed after {still.en}{lost.en}, not counted",
        )
        self.writer.between("resumed", (self._stopped_us, at_us), (still_us, None), words)

    def _lost(self, at_us: int) -> Text:
        """Return in words what would have counted while the stopwatch stood still."""
        calendar, family = self.writer.calendar, self.writer.family
        if family == "working":
            opened = length(calendar.between_us(self._stopped_us, at_us))
            return Text(zh=f"（其中工作时间 {opened.zh}）", en=f" ({opened.en} of it open time)")
        if family == "working_days":
            # (stop, resume] in place of [stop, resume): a closing at the very stop was counted before it.
            closed = calendar.closings_between_us(
                self._stopped_us + 1, at_us + 1, self._stopped_us - _LONG_US
            )
            number = amount(closed, DAY_UNITS[family])
            return Text(zh=f"（跨 {number.zh}的下班时刻）", en=f" (over the closing of {number.en})")
        return Text()

    def _reopened(self, event: LimitEvent) -> None:
        at_us, limit = event.fact.occurred_us, self.writer.limit.limit
        self._days.counted_us = self._stopped_us = at_us
        self._days.is_due_written = False
        when, name = self.writer.instant(at_us), self.writer.step(limit.step or limit.from_ or event.steps[0])
        words = Text(
            zh=f"{when.zh} 再次进入“{name.zh}”：接着计时，此前已计的不清零",
            en=f"{when.en}: {name.en!r} was entered again; what was counted before stays counted",
        )
        self.writer.at("resumed", at_us, words)

    def _row_changed(self, event: LimitEvent, before: Stopwatch) -> None:
        """Write that another row applies; one whose `on_change` is `from_now` is counted afresh."""
        writer, at_us, after = self.writer, event.fact.occurred_us, event.after
        rows = writer.limit.rows
        was, row = rows[before.row], rows[after.row]
        is_from_now = writer.limit.from_now and not row.fixed
        if is_from_now:
            self._days.total, self._days.counted_us = 0, at_us
        self._days.is_due_written = False
        how = Text(zh="仍从起点计算", en="still counted from its start")
        if is_from_now:
            how = Text(zh="从现在起重新计算", en="counted from now")
        elif was.calendar.calendar != row.calendar.calendar or was.family != row.family:
            writer.row = after.row
            self._days.recount(after, at_us)
        old, new = (
            Text(zh="不设时限", en="no target") if target is None else writer.target(target)
            for target in (was.target, row.target)
        )
        when, case, on = writer.instant(at_us), writer.case(after.row), self._own_calendar(after.row)
        words = Text(
            zh=f"{when.zh} {self._subject.zh}由 {old.zh} 改为 {new.zh}{case.zh}{on.zh}，{how.zh}",
            en=f"{when.en}: {self._subject.en} changed from {old.en} to {new.en}{case.en}{on.en}, {how.en}",
        )
        writer.at("changed", at_us, words)

    @property
    def _subject(self) -> Text:
        """What is narrated, in words."""
        if self.writer.limit.is_timer:
            return Text(zh="自动流转", en="the automatic move")
        return Text(zh="时限", en="the limit")

    def _migrated(self, event: LimitEvent, fact: Migrated) -> None:
        before, after = event.before, event.after
        if not after.verdict or (before is not None and not before.verdict):
            _migration(self.writer, event, fact)
        if before is not None and event.ends:
            self._ended(before, after, fact.occurred_us)
        # By the version that is left: what it promised is what the target version may have to keep.
        self._days.pinned = pinned_after_migration(
            self.writer.compiled, fact, self._days.pinned, before, after
        )
        self._follow(event, fact)

    def _follow(self, event: LimitEvent, fact: Migrated) -> None:
        """Go on as the target version declares the limit."""
        before, after, writer, days = event.before, event.after, self.writer, self._days
        if event.limit is None:
            return
        family = writer.family
        writer.compiled, writer.limit, writer.row = event.compiled, event.limit, after.row
        if after.verdict:
            return
        if before is None or writer.family != family:
            days.total = 0  # microseconds and days do not add up
        days.is_due_written, self.visits = False, after.visit
        days.counted_us = after.started_us if before is None else fact.occurred_us
        if after.open_us == STOPPED and (before is None or before.open_us != STOPPED):
            self._stopped_us = fact.occurred_us

    def _ended(self, before: Stopwatch, after: Stopwatch, at_us: int) -> None:
        if before.open_us != STOPPED and not self._days.is_due_written:
            self._days.due(before)
        when, how = self.writer.instant(at_us), _verdict(self.writer, before, after, at_us)
        self.writer.at("ended", at_us, Text(zh=f"{when.zh} 结束：{how.zh}", en=f"{when.en}: ended, {how.en}"))

    def _present(self, watch: Stopwatch) -> None:
        """Write how it stands at the end, and what is still to be counted if the stopwatch runs on."""
        writer, at_us = self.writer, self._at_us
        when, limit = writer.instant(at_us), writer.limit
        if limit.rows[watch.row].target is None:
            return
        if watch.open_us != STOPPED and watch.due_us == NEVER:
            words = Text(
                zh=f"{when.zh} 预约时间未定，尚无截止",
                en=f"{when.en}: no scheduled instant, so no deadline yet",
            )
            if limit.is_timer:
                words = Text(
                    zh=f"{when.zh} 预约时间未定，不会自动流转",
                    en=f"{when.en}: no scheduled instant, so it does not move on by itself",
                )
            writer.at("pending", at_us, words)
            return
        self._days.count(watch, at_us if watch.due_us == NEVER else max(at_us, watch.due_us + 1))
        if limit.if_reached and at_us > watch.due_us and not watch.overdue:
            words = Text(
                zh=f"截至 {when.zh}：时间已过，尚未到达，不算超时",
                en=f"as of {when.en}: the time is over; it was not reached, which is no breach",
            )
            writer.at("left", at_us, words)
            return
        left_us = stopwatch.remaining(limit, watch, at_us)
        if left_us is None:
            return
        left, own, still = length(left_us), writer.open_time, Text()
        how = Text(zh=f"尚余{own.zh}{left.zh}", en=f"{left.en}{own.en} left")
        if watch.overdue:
            how = Text(zh=f"已超{own.zh}{left.zh}", en=f"{left.en}{own.en} over") if left_us else _CLOSED
        elif watch.open_us == STOPPED:
            still = Text(
                zh="，停计中，恢复前没有截止", en="; the clock stands still and has no deadline until it runs"
            )
            if limit.is_timer:
                still = Text(
                    zh="，停计中，恢复前不会自动流转",
                    en="; the clock stands still, and it does not move on by itself until it runs",
                )
        words = Text(zh=f"截至 {when.zh}：{how.zh}{still.zh}", en=f"as of {when.en}: {how.en}{still.en}")
        writer.between("left", (at_us, None), (left_us, None), words)


def _cause(writer: LineWriter, event: LimitEvent) -> Text:
    """Return in words what started a visit of the limit."""
    fact, limit = event.fact, writer.limit.limit
    step = limit.step or limit.from_
    if isinstance(fact, Overdue):
        return Text(zh="上一次漏做", en="the one before was missed")
    if isinstance(fact, Moved) and fact.trigger == limit.done_by:
        return Text(zh=f"“{limit.done_by}”已办", en=f"{limit.done_by!r} was done")
    if step is not None:
        name, foreseen = writer.step(step), _foreseen(fact)
        return Text(zh=f"进入“{name.zh}”{foreseen.zh}", en=f"{name.en!r} was entered{foreseen.en}")
    if writer.limit.is_wait:
        return Text(zh="暂停开始", en="the hold began")
    foreseen = _foreseen(fact)
    return Text(zh=f"流程启动{foreseen.zh}", en=f"the procedure was started{foreseen.en}")


def _foreseen(fact: Fact) -> Text:
    """Return in words that the provider began before the need was voiced; nothing otherwise."""
    if not (isinstance(fact, Started) and fact.foreseen):
        return Text()
    return Text(zh="，提前想到，服务对象尚未提出", en=", foreseen before the need was voiced")


def _stopped(writer: LineWriter, event: LimitEvent) -> None:
    fact = event.fact
    when = writer.instant(fact.occurred_us)
    if isinstance(fact, Held):
        why = word(HOLDS, fact.reason)
        words = Text(zh=f"{when.zh} 暂停计时：{why.zh}", en=f"{when.en}: held, {why.en}; the clock stops")
        writer.at("hold", fact.occurred_us, words)
        return
    names = [writer.step(step) for step in event.steps]
    zh, en = "、".join(name.zh for name in names), ", ".join(name.en for name in names)
    words = Text(zh=f"{when.zh} 停止计时：等待环节“{zh}”", en=f"{when.en}: {en!r} waits; the clock stops")
    writer.at("waits", fact.occurred_us, words)


def _child(writer: LineWriter, fact: ChildStarted | ChildEnded, *, runs: bool) -> None:
    when = writer.instant(fact.occurred_us)
    if isinstance(fact, ChildStarted):
        on = Text(zh="，计时继续", en="; the clock goes on") if runs else Text()
        zh, en = f"子流程 {fact.child} 开始{on.zh}", f"{fact.child} started{on.en}"
    else:
        how = word(OUTCOMES, fact.outcome)
        zh, en = f"子流程 {fact.child} 结束（{how.zh}）", f"{fact.child} ended ({how.en})"
    writer.at("child", fact.occurred_us, Text(zh=f"{when.zh} {zh}", en=f"{when.en}: {en}"))


def _rescheduled(writer: LineWriter, fact: Fact, before: Stopwatch, after: Stopwatch) -> None:
    target = writer.limit.rows[after.row].target
    name = writer.field(target.anchor.field) if target is not None and target.anchor is not None else Text()
    when = writer.instant(fact.occurred_us)
    old, new = (
        Text("未定", "not set") if at_us == NEVER else writer.instant(at_us)
        for at_us in (before.anchor_us, after.anchor_us)
    )
    by = Text(zh=f"{fact.actor} ", en=f" by {fact.actor}") if fact.actor else Text()
    words = Text(
        zh=f"{when.zh} {by.zh}把{name.zh}由 {old.zh} 改为 {new.zh}",
        en=f"{when.en}: {name.en} was moved from {old.en} to {new.en}{by.en}",
    )
    writer.at("rescheduled", fact.occurred_us, words)


def _extended(writer: LineWriter, fact: Extended) -> None:
    extension = writer.limit.limit.extension
    assert extension is not None  # noqa: S101  # or it could not have been extended
    when, by = writer.instant(fact.occurred_us), extension.by
    was = Text(zh="无", en="never") if fact.was_us == NEVER else writer.instant(fact.was_us)
    words = Text(
        zh=f"{when.zh} 延长 {by.text('zh')}（{fact.reason}）；原截止 {was.zh}",
        en=f"{when.en}: extended by {by.text('en')} ({fact.reason}); it was due {was.en}",
    )
    writer.at("extended", fact.occurred_us, words)


def _recomputed(writer: LineWriter, fact: Recomputed) -> None:
    when, was, due = (writer.instant(us) for us in (fact.occurred_us, fact.was_us, fact.due_us))
    words = Text(
        zh=f"{when.zh} 重新计算（{fact.reason}）：原截止 {was.zh}，现截止 {due.zh}",
        en=f"{when.en}: reckoned anew ({fact.reason}); it was due {was.en} and is due {due.en}",
    )
    writer.at("recomputed", fact.occurred_us, words)


def _rung(writer: LineWriter, fact: Warned | Escalated) -> None:
    kind: LineKind = "warned" if isinstance(fact, Warned) else "escalated"
    name = Text(zh="预警", en="warning") if kind == "warned" else Text(zh="升级", en="escalation")
    when, at, to = writer.instant(fact.occurred_us), rung_text(fact.at), Text()
    moved = _MOVED if _waited(writer, fact.occurred_us) else Text()
    if fact.role:
        role = writer.compiled.procedure.roles[fact.role].name
        comma = "," if fact.at[:1] in ("-", "+") else ""
        to = Text(zh=f"，通知{role.in_('zh') or fact.role}", en=f"{comma} to {role.in_('en') or fact.role}")
    words = Text(
        zh=f"{when.zh} {name.zh}（{at.zh}{moved.zh}）{to.zh}",
        en=f"{when.en}: {name.en} {at.en}{moved.en}{to.en}",
    )
    writer.at(kind, fact.occurred_us, words)


def _waited(writer: LineWriter, at_us: int) -> bool:
    """Return whether a point of a ladder stands at an opening, where those in closed hours are moved to."""
    return writer.limit.limit.in_opening_hours and writer.calendar.subtract_us(at_us - 1, 0) < at_us - 1


def _breach(writer: LineWriter, fact: Overdue) -> None:
    kind, when = DEVIATIONS[fact.deviation], writer.instant(fact.occurred_us)
    if writer.limit.if_reached:
        words = Text(
            zh=f"{when.zh} 到达时已过截止：{kind.zh}", en=f"{when.en}: reached past its deadline, {kind.en}"
        )
        writer.at("overdue", fact.occurred_us, words)
        return
    words = Text(zh=f"{when.zh} 起{kind.zh}", en=f"from {when.en}: {kind.en}")
    writer.at("overdue", fact.occurred_us, words)


def _answer(writer: LineWriter, fact: Explained | Accepted | Rejected) -> None:
    kind, answer = _ANSWERS[type(fact)]
    when = writer.instant(fact.occurred_us)
    words = Text(zh=f"{when.zh} {answer.zh}（{fact.reason}）", en=f"{when.en}: {answer.en} ({fact.reason})")
    writer.at(kind, fact.occurred_us, words)


def _verdict(writer: LineWriter, before: Stopwatch, after: Stopwatch, at_us: int) -> Text:
    """Return in words how a limit ended, with what was over, short or left in its own time."""
    limit, own = writer.limit, writer.open_time
    if limit.is_timer:
        move = writer.automatic_move
        if before.due_us <= at_us:
            return Text(zh=f"到时自动流转“{move.zh}”", en=f"it moved on by itself ({move.en})")
        return Text(zh="此前已离开，不再自动流转", en="it was left before, and did not move on by itself")
    if after.verdict == "late":
        over_us = stopwatch.overrun(limit, after, at_us)
        if not over_us:
            return _AT_ONCE if at_us <= after.due_us + 1 else _CLOSED
        over = length(over_us)
        return Text(zh=f"超时{own.zh}{over.zh}", en=f"{over.en}{own.en} late")
    if after.verdict == "early":
        short = length(stopwatch.shortfall(limit, after, at_us))
        return Text(zh=f"不足下限，差{own.zh}{short.zh}", en=f"{short.en}{own.en} short of the minimum")
    if after.verdict == "cancelled":
        return Text(zh="时限取消，不算达标", en="the limit is cancelled, which is no met limit")
    left_us, spare = None, Text()
    if before.due_us >= at_us or not before.overdue:
        left_us = stopwatch.remaining(limit, before, at_us)
    if left_us:
        left = length(max(0, left_us))
        spare = Text(zh=f"，尚余{own.zh}{left.zh}", en=f", {left.en}{own.en} to spare")
    return Text(zh=f"按时{spare.zh}", en=f"in time{spare.en}")


def _migration(writer: LineWriter, event: LimitEvent, fact: Migrated) -> None:
    """Write that the instance was migrated, with what became of the limit."""
    when, version = writer.instant(fact.occurred_us), fact.to_version
    why = Text(zh=f"（{fact.reason}）", en=f" ({fact.reason})") if fact.reason else Text()
    what = Text(zh=f"改按第 {version} 版办理{why.zh}", en=f"went over to version {version}{why.en}")
    if fact.reverts:
        what = Text(
            zh=f"撤回变更，仍按第 {version} 版办理{why.zh}", en=f"taken back to version {version}{why.en}"
        )
    how = _after_migration(writer, event, fact)
    words = Text(zh=f"{when.zh} {what.zh}，{how.zh}", en=f"{when.en}: {what.en}; {how.en}")
    writer.at("migrated", fact.occurred_us, words)


def _after_migration(writer: LineWriter, event: LimitEvent, fact: Migrated) -> Text:
    """Return in words what became of a limit: its deadline kept or moved, its stopwatch stopped, ended or begun."""
    before, after = event.before, event.after
    if after.verdict:
        return Text(zh="该版没有此时限", en="that version does not have this limit")
    if before is None or before.verdict:
        if after.started_us == fact.occurred_us:
            return Text(zh="此时限从现在起算", en="this limit is counted from now")
        since = writer.instant(after.started_us, year=True)
        return Text(zh=f"此时限自 {since.zh} 起算", en=f"this limit is counted from {since.en}")
    if before.due_us == after.due_us != NEVER:
        due = writer.instant(after.due_us, year=True)
        return Text(zh=f"截止 {due.zh} 保留", en=f"still due {due.en}")
    if after.open_us == STOPPED:
        return _still_after_migration(before, fact)
    was, due = (
        Text(zh="无截止", en="no deadline") if us == NEVER else writer.instant(us, year=True)
        for us in (before.due_us, after.due_us)
    )
    return Text(
        zh=f"重新计算：原截止 {was.zh}，现截止 {due.zh}",
        en=f"reckoned anew: it was due {was.en} and is due {due.en}",
    )


def _still_after_migration(before: Stopwatch, fact: Migrated) -> Text:
    if fact.due == "recompute":
        return Text(zh="按该版重新计算，停计中", en="reckoned anew by it; the clock stands still")
    if before.open_us != STOPPED:
        return Text(zh="停止计时", en="the clock stops")
    return Text(zh="停计中，剩余时间保留", en="the clock stands still, and what was left stays")
