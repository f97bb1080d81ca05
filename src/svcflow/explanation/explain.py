"""Explanations: how one limit's deadline came to be, line by line, for reviewers and complainants.

Lines are made from the clocks that the kernel computed along the journal; no deadline is computed here.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from svcflow.errors import SvcflowError
from svcflow.explanation.lines import Line
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Deviated, Fact
from svcflow.kernel.lifecycle.migration_target import VersionOf
from svcflow.model.limit import TimeLimit, step_of_timer
from svcflow.model.source import Source, cited
from svcflow.model.target import Target
from svcflow.model.wording import terms_text
from svcflow.nearest import nearest
from svcflow.text import NO_TEXT, Lang, Text


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
    """The target in words, with a scheduled instant by its name, and how it is judged."""
    sources: tuple[Source, ...] = ()
    """What the target rests on."""
    fires: Text = NO_TEXT
    """The move that is made by itself then, where it is the timer of a step's `then`; empty for a limit."""
    parameters: tuple[Text, ...] = ()
    """The parameters that set the target, or choose it: each with its value in force, and who set that."""

    def text(self, lang: Lang = "en") -> str:
        """Return the whole explanation, one line below the other."""
        return "\n".join(
            (self.title.in_(lang), *self.rests_on(lang), *(line.text(lang) for line in self.lines))
        )

    @property
    def title(self) -> Text:
        """The name of the limit and what it demands."""
        name = self.name or Text(self.limit, self.limit)
        target = self.target
        if target is None:
            return Text(zh=f"{name.in_('zh')}：不设时限", en=f"{name.in_('en')}: no target")
        version = Text()
        if self.promised:
            version = Text(zh=f"（第 {self.promised} 版）", en=f" (version {self.promised})")
        if self.fires:
            return Text(
                zh=f"{name.in_('zh')}：{self.demand.zh}自动流转“{self.fires.zh}”{version.zh}",
                en=f"{name.in_('en')}: moves on by itself {self.demand.en} ({self.fires.en}){version.en}",
            )
        return Text(
            zh=f"{name.in_('zh')}：时限 {self.demand.zh or target.text('zh')}{version.zh}",
            en=f"{name.in_('en')}: limit {self.demand.en or target.text('en')}{version.en}",
        )

    def rests_on(self, lang: Lang = "en") -> tuple[str, ...]:
        """Return a line on each source that the target rests on, and on each parameter that sets it."""
        source, parameter = (
            Text(zh=zh, en=en).in_(lang) for zh, en in (("依据：", "source: "), ("参数：", "parameter: "))
        )
        return (
            *(f"{source}{each.text(lang)}" for each in self.sources),
            *(f"{parameter}{each.in_(lang)}" for each in self.parameters),
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
    # Every engine imports this module for `Explanation`; few explain anything.
    from svcflow.explanation.narrative import Narrator  # noqa: PLC0415
    from svcflow.explanation.timeline import version_segments  # noqa: PLC0415

    known = [fact for fact in facts if fact.recorded_us <= at_us]
    segments = version_segments(version_of or _only(compiled), known, limit)
    declaring = [(segment.compiled, segment.declared) for segment in segments if segment.declared is not None]
    if not declaring and limit in compiled.limits:
        declaring = [(compiled, compiled.limits[limit])]
    if not declaring:
        raise _unknown(compiled, limit)
    narrator = Narrator(*declaring[0], at_us)
    for fact in known:
        if isinstance(fact, Deviated) and fact.deviation == "short_notice":
            narrator.note_short_notice(fact)
    narrator.narrate(segments)
    target, version = narrator.target
    procedure = narrator.writer.compiled.procedure
    return Explanation(
        limit=limit,
        name=declaring[-1][1].limit.name,
        target=target,
        visits=narrator.visits,
        lines=tuple(narrator.writer.lines),
        promised=version,
        demand=NO_TEXT if target is None else _demand(narrator.writer.target(target), declaring[-1][1].limit),
        fires=narrator.writer.automatic_move if narrator.writer.limit.is_timer else NO_TEXT,
        parameters=tuple(each.text(procedure.sources) for each in narrator.parameters),
        sources=cited(narrator.source, procedure.sources),
    )


def _demand(target: Text, limit: TimeLimit) -> Text:
    """Return what a limit demands, and how it is judged, in words."""
    terms = NO_TEXT if step_of_timer(limit.id) else terms_text(limit)
    return Text(zh=f"{target.zh}，{terms.zh}", en=f"{target.en}, {terms.en}") if terms else target


def _only(compiled: Compiled) -> VersionOf:
    """Return a look-up that has one version; an instance that was migrated needs the others too."""

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
