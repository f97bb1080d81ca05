"""The telling of one limit: each moment of its clock becomes the lines of an explanation, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from svcflow.explanation.day_counts import UNITS
from svcflow.explanation.explain import LineKind
from svcflow.explanation.migration import Crossing
from svcflow.explanation.timeline import Moment, Stretch, recount
from svcflow.kernel.facts import (
    Accepted,
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
    Warned,
)
from svcflow.kernel.instance import NEVER, STOPPED, Stopwatch
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.pinned_targets import pinned_after_migration, still_pinned
from svcflow.model.wording import rung_text
from svcflow.text import Text
from svcflow.wording import DEVIATIONS, HOLDS, amount, duration, instant, word

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


class Telling(Crossing):
    """Tell one limit; `lines` grows as moments are told."""

    def tell(self, parts: Iterable[Stretch]) -> None:
        """Tell everything up to the present."""
        for moment in recount(parts, self.at_us):
            self._moment(moment)
            self.clock = moment.after
        clock = self.clock
        if clock is not None and not clock.verdict:
            self._present(clock)

    def _moment(self, moment: Moment) -> None:
        before, after, at_us = moment.before, moment.after, moment.fact.occurred_us
        self.anchored = self.anchored or after.anchor_us != NEVER
        if moment.limit is not None and not isinstance(moment.fact, Migrated):
            self.compiled, self.limit = moment.compiled, moment.limit  # it may begin long after a migration
        if before is not None and not before.verdict:
            breach = isinstance(moment.fact, Overdue)
            self.count(before, max(at_us, before.attached_us) + breach)
        if isinstance(moment.fact, Migrated):
            self.crossed(moment, moment.fact)
            if before is not None and after.verdict and not before.verdict:
                self._ended(before, after, at_us)
            self.promise = pinned_after_migration(self.compiled, moment.fact, self.promise, before, after)
            self.follow(moment, moment.fact)
            return
        if self.promise is not None and before is not None and not still_pinned(self.promise, before, after):
            self.promise = None
        self._fact(moment)
        self._clock(moment, at_us)

    def _clock(self, moment: Moment, at_us: int) -> None:
        before, after = moment.before, moment.after
        if before is not None and after.verdict and not before.verdict:
            self._ended(before, after, at_us)
        elif moment.begins:
            self._started(moment)
        elif before is not None and before.verdict and not after.verdict:
            self._again(moment, at_us)
        elif moment.stops:
            self._stops(moment, at_us)
        elif moment.goes_on:
            self._goes_on(at_us)

    def _fact(self, moment: Moment) -> None:
        fact, before = moment.fact, moment.before
        if isinstance(fact, Warned | Escalated):
            self._rung(fact)
        elif isinstance(fact, Overdue):
            self._breach(fact)
        elif isinstance(fact, Settled) and fact.overrun_us < 0:
            self.say("annulled", fact.occurred_us, _ANNULLED)
        elif isinstance(fact, Extended):
            self._extended(fact)
        elif isinstance(fact, Recomputed):
            self._recomputed(fact)
        elif isinstance(fact, Explained | Accepted | Rejected):
            self._answered(fact)
        elif before is not None and self._is_changed(before, moment.after):
            self._changed(moment, before)

    def _started(self, moment: Moment) -> None:
        clock = moment.after
        self.visits, self.told_us, self.total, self.due_told = clock.visit, clock.started_us, 0, False
        when = instant(self.local(clock.started_us), year=True)
        scope = self.limit.limit
        step = scope.step or scope.from_
        fact = moment.fact
        if isinstance(fact, Overdue):
            what = Text(zh="上一次漏做", en="the one before was missed")
        elif isinstance(fact, Moved) and fact.trigger == scope.done_by:
            what = Text(zh=f"“{scope.done_by}”已办", en=f"{scope.done_by!r} was done")
        elif step is not None:
            name = self.step(step)
            what = Text(zh=f"进入“{name.zh}”", en=f"{name.en!r} was entered")
        elif self.limit.is_wait:
            what = Text(zh="暂停开始", en="the hold began")
        else:
            what = Text(zh="流程启动", en="the procedure was started")
        again = Text(zh=f"第 {clock.visit} 次", en=f", visit {clock.visit}") if clock.visit > 1 else Text()
        still = Text(zh="，暂不计时", en="; the clock stands still") if clock.open_us == STOPPED else Text()
        self.stopped_us = clock.started_us
        self.say(
            "started",
            clock.started_us,
            Text(
                zh=f"{when.zh} {again.zh}起算：{what.zh}{still.zh}",
                en=f"{when.en}: started{again.en}, {what.en}{still.en}",
            ),
        )

    def _stops(self, moment: Moment, at_us: int) -> None:
        when, fact = instant(self.local(at_us)), moment.fact
        self.stopped_us = at_us
        if isinstance(fact, Held):
            why = word(HOLDS, fact.reason)
            words = Text(zh=f"{when.zh} 暂停计时：{why.zh}", en=f"{when.en}: held, {why.en}; the clock stops")
            self.say("hold", at_us, words)
            return
        names = [self.step(step) for step in moment.steps]
        zh, en = "、".join(n.zh for n in names), ", ".join(n.en for n in names)
        self.say(
            "waits",
            at_us,
            Text(zh=f"{when.zh} 停止计时：等待环节“{zh}”", en=f"{when.en}: {en!r} waits; the clock stops"),
        )

    def _goes_on(self, at_us: int) -> None:
        still_us, when = at_us - self.stopped_us, instant(self.local(at_us))
        still, lost = _length(still_us), self._lost(at_us)
        self.told_us = at_us
        self.add(
            "resumed",
            (self.stopped_us, at_us),
            (still_us, None),
            Text(
                zh=f"{when.zh} 恢复计时：停了 {still.zh}{lost.zh}，不计",
                en=f"{when.en}: resumed after {still.en}{lost.en}, not counted",
            ),
        )

    def _lost(self, at_us: int) -> Text:
        """Word what would have counted while the clock stood still."""
        calendar, family = self.limit.calendar, self.family
        if family == "working":
            opened = _length(calendar.between_us(self.stopped_us, at_us))
            return Text(zh=f"（其中工作时间 {opened.zh}）", en=f" ({opened.en} of it open time)")
        if family == "working_days":
            closed = calendar.closings_between_us(self.stopped_us + 1, at_us + 1, self.stopped_us - _LONG_US)
            number = amount(closed, UNITS[family])
            return Text(zh=f"（跨 {number.zh}的下班时刻）", en=f" (over the closing of {number.en})")
        return Text()

    def _again(self, moment: Moment, at_us: int) -> None:
        when = instant(self.local(at_us))
        self.told_us = self.stopped_us = at_us
        self.due_told = False
        name = self.step(self.limit.limit.step or self.limit.limit.from_ or moment.steps[0])
        self.say(
            "resumed",
            at_us,
            Text(
                zh=f"{when.zh} 再次进入“{name.zh}”：接着计时，此前已计的不清零",
                en=f"{when.en}: {name.en!r} was entered again; what was counted before stays counted",
            ),
        )

    def _is_changed(self, before: Stopwatch, after: Stopwatch) -> bool:
        return before.visit == after.visit and (before.row, before.anchor_us) != (after.row, after.anchor_us)

    def _changed(self, moment: Moment, before: Stopwatch) -> None:
        at_us, after = moment.fact.occurred_us, moment.after
        when = instant(self.local(at_us))
        if before.row == after.row:
            self._moved_anchor(moment.fact, before, after)
            return
        old, new = (self.limit.rows[clock.row].target for clock in (before, after))
        zh = [self.target(target).zh if target else "不设时限" for target in (old, new)]
        en = [self.target(target).en if target else "no target" for target in (old, new)]
        now = self.limit.from_now and not self.limit.rows[after.row].fixed
        if now:
            self.total, self.told_us = 0, at_us
        how = (
            Text(zh="从现在起重新计算", en="counted from now")
            if now
            else Text(zh="仍从起点计算", en="still counted from its start")
        )
        self.due_told = False
        self.say(
            "changed",
            at_us,
            Text(
                zh=f"{when.zh} 时限由 {zh[0]} 改为 {zh[1]}，{how.zh}",
                en=f"{when.en}: the limit changed from {en[0]} to {en[1]}, {how.en}",
            ),
        )

    def _moved_anchor(self, fact: Fact, before: Stopwatch, after: Stopwatch) -> None:
        target = self.limit.rows[after.row].target
        name = self.field(target.anchor.field) if target is not None and target.anchor is not None else Text()
        when = instant(self.local(fact.occurred_us))
        shown = [
            Text("未定", "not set") if at_us == NEVER else instant(self.local(at_us))
            for at_us in (before.anchor_us, after.anchor_us)
        ]
        self.due_told = False
        self.say(
            "rescheduled",
            fact.occurred_us,
            Text(
                zh=f"{when.zh} {self._by_whom(fact).zh}把{name.zh}由 {shown[0].zh} 改为 {shown[1].zh}",
                en=f"{when.en}: {name.en} was moved from {shown[0].en} to {shown[1].en}{self._by_whom(fact).en}",
            ),
        )

    def _by_whom(self, fact: Fact) -> Text:
        return Text(zh=f"{fact.actor} ", en=f" by {fact.actor}") if fact.actor else Text()

    def _extended(self, fact: Extended) -> None:
        by = self.limit.limit.extension
        assert by is not None  # noqa: S101  # or it could not have been extended
        when = instant(self.local(fact.occurred_us))
        was = Text(zh="无", en="never") if fact.was_us == NEVER else instant(self.local(fact.was_us))
        self.due_told = False
        self.say(
            "extended",
            fact.occurred_us,
            Text(
                zh=f"{when.zh} 延长 {by.by.text('zh')}（{fact.reason}）；原截止 {was.zh}",
                en=f"{when.en}: extended by {by.by.text('en')} ({fact.reason}); it was due {was.en}",
            ),
        )

    def _recomputed(self, fact: Recomputed) -> None:
        when, was, now = (instant(self.local(us)) for us in (fact.occurred_us, fact.was_us, fact.due_us))
        self.due_told = False
        self.say(
            "recomputed",
            fact.occurred_us,
            Text(
                zh=f"{when.zh} 重新计算（{fact.reason}）：原截止 {was.zh}，现截止 {now.zh}",
                en=f"{when.en}: reckoned anew ({fact.reason}); it was due {was.en} and is due {now.en}",
            ),
        )

    def _rung(self, fact: Warned | Escalated) -> None:
        when, kind = (
            instant(self.local(fact.occurred_us)),
            "warned" if isinstance(fact, Warned) else "escalated",
        )
        role = self.compiled.procedure.roles[fact.role].name if fact.role else Text()
        zh, en = ("预警", "warning") if kind == "warned" else ("升级", "escalation")
        by = ", to" if fact.at[:1] in ("-", "+") else " to"
        to = (
            Text(zh=f"，通知{role.in_('zh') or fact.role}", en=f"{by} {role.in_('en') or fact.role}")
            if fact.role
            else Text()
        )
        at = rung_text(fact.at)
        words = Text(zh=f"{when.zh} {zh}（{at.zh}）{to.zh}", en=f"{when.en}: {en} {at.en}{to.en}")
        self.say("warned" if kind == "warned" else "escalated", fact.occurred_us, words)

    def _breach(self, fact: Overdue) -> None:
        kind, when = DEVIATIONS[fact.deviation], instant(self.local(fact.occurred_us))
        self.say(
            "overdue", fact.occurred_us, Text(zh=f"{when.zh} 起{kind.zh}", en=f"from {when.en}: {kind.en}")
        )

    def _answered(self, fact: Explained | Accepted | Rejected) -> None:
        kind, words = _ANSWERS[type(fact)]
        when = instant(self.local(fact.occurred_us))
        text = Text(zh=f"{when.zh} {words.zh}（{fact.reason}）", en=f"{when.en}: {words.en} ({fact.reason})")
        self.say(kind, fact.occurred_us, text)

    def _ended(self, before: Stopwatch, after: Stopwatch, at_us: int) -> None:
        if before.open_us != STOPPED and not self.due_told:
            self.due(before)
        when = instant(self.local(at_us))
        own = self.own
        if after.verdict == "late":
            over_us = stopwatch.overrun(self.limit, after, at_us)
            over = _length(over_us)
            how = Text(zh=f"超时{own.zh}{over.zh}", en=f"{over.en}{own.en} late")
            if not over_us:
                how = _AT_ONCE if at_us <= after.due_us + 1 else _CLOSED
        elif after.verdict == "early":
            short = _length(stopwatch.shortfall(self.limit, after, at_us))
            how = Text(zh=f"不足下限，差{own.zh}{short.zh}", en=f"{short.en}{own.en} short of the minimum")
        elif after.verdict == "cancelled":
            how = Text(zh="时限取消，不算达标", en="the limit is cancelled, which is no met limit")
        else:
            left_us = (
                stopwatch.remaining(self.limit, before, at_us)
                if before.due_us >= at_us or not before.overdue
                else None
            )
            left = _length(max(0, left_us)) if left_us else None
            spare = (
                Text(zh=f"，尚余{own.zh}{left.zh}", en=f", {left.en}{own.en} to spare") if left else Text()
            )
            how = Text(zh=f"按时{spare.zh}", en=f"in time{spare.en}")
        self.say("ended", at_us, Text(zh=f"{when.zh} 结束：{how.zh}", en=f"{when.en}: ended, {how.en}"))

    def _present(self, clock: Stopwatch) -> None:
        """Tell how it stands now, and what is still to be counted if the clock runs on."""
        now = instant(self.local(self.at_us))
        if self.limit.rows[clock.row].target is None:
            return
        if clock.open_us != STOPPED and clock.due_us == NEVER:
            words = Text(
                zh=f"{now.zh} 预约时间未定，尚无截止",
                en=f"{now.en}: no scheduled instant, so no deadline yet",
            )
            self.say("pending", self.at_us, words)
            return
        self.count(clock, max(self.at_us, clock.due_us + 1) if clock.due_us != NEVER else self.at_us)
        left_us = stopwatch.remaining(self.limit, clock, self.at_us)
        if left_us is None:
            return
        left = _length(left_us)
        own = self.own
        how = Text(zh=f"尚余{own.zh}{left.zh}", en=f"{left.en}{own.en} left")
        if clock.overdue:
            how = Text(zh=f"已超{own.zh}{left.zh}", en=f"{left.en}{own.en} over") if left_us else _CLOSED
        still = (
            Text(
                zh="，停计中，恢复前没有截止", en="; the clock stands still and has no deadline until it runs"
            )
            if clock.open_us == STOPPED and not clock.overdue
            else Text()
        )
        self.add(
            "left",
            (self.at_us, None),
            (left_us, None),
            Text(zh=f"截至 {now.zh}：{how.zh}{still.zh}", en=f"as of {now.en}: {how.en}{still.en}"),
        )


def _length(us: int) -> Text:
    return duration(timedelta(microseconds=us), "exact")
