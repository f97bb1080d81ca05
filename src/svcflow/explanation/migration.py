"""What a migration did to a limit, in words: its deadline kept, moved, ended or begun. It words the clocks only."""

from __future__ import annotations

from svcflow.explanation.day_counts import Tally
from svcflow.explanation.timeline import Moment
from svcflow.kernel.facts import Migrated
from svcflow.kernel.instance import NEVER, STOPPED, Stopwatch
from svcflow.text import Text
from svcflow.wording import instant


class Crossing(Tally):
    """Tell that the instance went over to another version, and follow the limit into it."""

    def crossed(self, moment: Moment, fact: Migrated) -> None:
        """Tell what became of the limit; a clock that had ended before says nothing."""
        before, after = moment.before, moment.after
        if after.verdict and (before is None or before.verdict):
            return
        when, version = instant(self.local(fact.occurred_us)), fact.to_version
        why = Text(zh=f"（{fact.reason}）", en=f" ({fact.reason})") if fact.reason else Text()
        what = Text(zh=f"改按第 {version} 版办理{why.zh}", en=f"went over to version {version}{why.en}")
        if fact.reverts:
            what = Text(
                zh=f"撤回变更，仍按第 {version} 版办理{why.zh}", en=f"taken back to version {version}{why.en}"
            )
        how = self._how_it_goes_on(moment, fact)
        self.say(
            "migrated",
            fact.occurred_us,
            Text(zh=f"{when.zh} {what.zh}，{how.zh}", en=f"{when.en}: {what.en}; {how.en}"),
        )

    def follow(self, moment: Moment, fact: Migrated) -> None:
        """Go on as the version gone over to declares the limit."""
        if moment.limit is None:
            return
        before, after = moment.before, moment.after
        family = self.family if before is not None else None
        self.compiled, self.limit, self.clock = moment.compiled, moment.limit, after
        if after.verdict:
            return
        if before is None or self.family != family:
            self.total = 0
        self.due_told, self.visits = False, after.visit
        self.told_us = after.started_us if before is None else fact.occurred_us
        if after.open_us == STOPPED and (before is None or before.open_us != STOPPED):
            self.stopped_us = fact.occurred_us

    def _how_it_goes_on(self, moment: Moment, fact: Migrated) -> Text:
        before, after = moment.before, moment.after
        if after.verdict:
            return Text(zh="该版没有此时限", en="that version does not have this limit")
        if before is None or before.verdict:
            return self._begins(after, fact)
        if before.due_us == after.due_us != NEVER:
            due = instant(self.local(after.due_us), year=True)
            return Text(zh=f"截止 {due.zh} 保留", en=f"still due {due.en}")
        if after.open_us == STOPPED:
            return self._stands_still(before, fact)
        return self._moved(before, after)

    def _begins(self, clock: Stopwatch, fact: Migrated) -> Text:
        if clock.started_us == fact.occurred_us:
            return Text(zh="此时限从现在起算", en="this limit is counted from now")
        since = instant(self.local(clock.started_us), year=True)
        return Text(zh=f"此时限自 {since.zh} 起算", en=f"this limit is counted from {since.en}")

    def _stands_still(self, before: Stopwatch, fact: Migrated) -> Text:
        if fact.due == "recompute":
            return Text(zh="按该版重新计算，停计中", en="reckoned anew by it; the clock stands still")
        if before.open_us != STOPPED:
            return Text(zh="停止计时", en="the clock stops")
        return Text(zh="停计中，剩余时间保留", en="the clock stands still, and what was left stays")

    def _moved(self, before: Stopwatch, after: Stopwatch) -> Text:
        was, now = (
            Text(zh="无截止", en="no deadline") if us == NEVER else instant(self.local(us), year=True)
            for us in (before.due_us, after.due_us)
        )
        return Text(
            zh=f"重新计算：原截止 {was.zh}，现截止 {now.zh}",
            en=f"reckoned anew: it was due {was.en} and is due {now.en}",
        )
