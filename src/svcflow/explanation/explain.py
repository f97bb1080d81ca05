"""Explanations: how one limit's deadline came to be, line by line, for reviewers and complainants.

It recounts the journal and words what the kernel reckoned; it reckons no deadline of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import attrs

from svcflow.errors import SvcflowError
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Fact
from svcflow.kernel.lifecycle.version_change import VersionOf
from svcflow.model.target import Target
from svcflow.nearest import nearest
from svcflow.text import NO_TEXT, Lang, Text

LineKind = Literal[
    "started", "counted", "closed", "holiday", "rolled", "anchored", "hold", "waits", "resumed", "changed", "rescheduled",
    "extended", "recomputed", "migrated", "warned", "escalated", "due", "provisional", "overdue", "annulled", "ended", "left",
    "pending", "explained", "accepted", "rejected",
]  # fmt: skip


@attrs.frozen
class Line:
    """Hold one line: what happened from when to when, how much of it counted, and the running total.

    `amount` and `total` are in the limit's own clock: a length of open or elapsed time, or a number of days.
    """

    kind: LineKind
    from_at: datetime
    to_at: datetime | None
    amount: timedelta | int | None
    total: timedelta | int | None
    words: Text

    def text(self, lang: Lang = "en") -> str:
        """Return the line for people."""
        return f"{self.words.zh}\n{self.words.en}" if lang == "zh+en" else self.words.in_(lang)


@attrs.frozen
class Explanation:
    """How a deadline came to be. `target` is the last one that applied; a limit that never ran has no lines.

    `promised` is the earlier version that gave the target, where a migration kept it; 0 where the present one did.
    """

    limit: str
    name: Text
    target: Target | None
    visits: int
    lines: tuple[Line, ...]
    promised: int = 0
    demand: Text = NO_TEXT
    """The target in words, with a scheduled instant by its name."""

    def text(self, lang: Lang = "en") -> str:
        """Return the whole explanation, one line below the other."""
        return "\n".join((self.title.in_(lang), *(line.text(lang) for line in self.lines)))

    @property
    def title(self) -> Text:
        """The name of the limit and what it demands."""
        name = self.name or Text(self.limit, self.limit)
        target = self.target
        if target is None:
            return Text(zh=f"{name.in_('zh')}：不设时限", en=f"{name.in_('en')}: no target")
        of = Text()
        if self.promised:
            of = Text(zh=f"（第 {self.promised} 版）", en=f" (version {self.promised})")
        return Text(
            zh=f"{name.in_('zh')}：时限 {self.demand.zh or target.text('zh')}{of.zh}",
            en=f"{name.in_('en')}: limit {self.demand.en or target.text('en')}{of.en}",
        )


class UnknownLimit(SvcflowError, LookupError):
    """The procedure declares no such time limit."""

    code = "unknown-limit"


def explain(
    compiled: Compiled, facts: Iterable[Fact], limit: str, at_us: int, version_of: VersionOf | None = None
) -> Explanation:
    """Explain one limit of an instance as of `at_us`.

    `version_of` finds the versions of an instance that was migrated; without it there is `compiled` only.
    A limit is named as in the last version that has it.

    Raises: UnknownLimit when none has one of that id; LookupError for a version that is not to be found.
    """
    from svcflow.explanation.narrative import Telling  # noqa: PLC0415  # it makes these lines
    from svcflow.explanation.timeline import stretches  # noqa: PLC0415  # only who explains needs it

    known = [fact for fact in facts if fact.recorded_us <= at_us]
    parts = stretches(version_of or _only(compiled), known, limit)
    declared = next((part.declared for part in reversed(parts) if part.declared is not None), None)
    declared = declared or compiled.limits.get(limit)
    if declared is None:
        raise _unknown(compiled, limit)
    first = next((part for part in parts if part.declared is not None), None)
    telling = Telling(first.compiled if first else compiled, (first and first.declared) or declared, at_us)
    telling.tell(parts)
    clock = telling.clock
    promise, row = telling.promise, telling.limit.rows[clock.row if clock is not None else -1]
    target, version = (row.target, 0) if promise is None else (promise.target, promise.version)
    demand = NO_TEXT if target is None else telling.target(target)
    lines = tuple(telling.lines)
    return Explanation(limit, declared.limit.name, target, telling.visits, lines, version, demand)


def _only(compiled: Compiled) -> VersionOf:
    """Find one version; an instance that was migrated needs the others too."""

    def version_of(name: str, version: int) -> Compiled:
        if (name, version) != (compiled.procedure.id, compiled.procedure.version):
            raise LookupError(f"the journal names {name} v{version}: give version_of to find it")
        return compiled

    return version_of


def _unknown(compiled: Compiled, limit: str) -> UnknownLimit:
    name = compiled.procedure.id
    return UnknownLimit(
        Text(zh=f"服务流程 {name} 没有时限“{limit}”", en=f"procedure {name} has no limit {limit!r}"),
        nearest(limit, compiled.limits),
    )
