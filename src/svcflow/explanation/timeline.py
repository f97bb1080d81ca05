"""Timeline of one limit: the facts that concern it, each with its stopwatch before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import transact
from svcflow.kernel.facts import Accepted, ChildEnded, ChildStarted, Explained, Fact, Migrated, Rejected
from svcflow.kernel.instance import STOPPED, Draft, Stopwatch
from svcflow.kernel.lifecycle.migration_target import MigrationTarget, VersionOf, mapped_limit
from svcflow.kernel.replay import apply_under, versions_along
from svcflow.kernel.timing.compiled_limit import CompiledLimit


@attrs.frozen
class LimitEvent:
    """One fact, the limit's stopwatch before and after it, and the steps that were active after it.

    `compiled` is the version that holds after the fact, `limit` the limit as it declares it, None when it does
    not have it.
    """

    fact: Fact
    before: Stopwatch | None
    after: Stopwatch
    steps: tuple[str, ...]
    compiled: Compiled
    limit: CompiledLimit | None

    @property
    def begins(self) -> bool:
        """Whether a visit began."""
        return self.before is None or self.before.visit != self.after.visit

    @property
    def ends(self) -> bool:
        """Whether the limit ended."""
        return self.before is not None and not self.before.verdict and bool(self.after.verdict)

    @property
    def reopens(self) -> bool:
        """Whether a limit that had ended goes on, in the same visit."""
        return self.before is not None and bool(self.before.verdict) and not self.after.verdict

    @property
    def stops(self) -> bool:
        """Whether a stopwatch that ran stands still."""
        return self.before is not None and self.before.open_us != STOPPED and self.after.open_us == STOPPED

    @property
    def resumes(self) -> bool:
        """Whether a stopwatch that stood still runs."""
        return self.before is not None and self.before.open_us == STOPPED and self.after.open_us != STOPPED


@attrs.frozen
class VersionSegment:
    """The facts recorded under one version, and the name of the limit there."""

    compiled: Compiled
    limit: str
    facts: tuple[Fact, ...]

    @property
    def declared(self) -> CompiledLimit | None:
        """The limit as this version declares it; None when it does not have it."""
        return self.compiled.limits.get(self.limit)


def version_segments(version_of: VersionOf, facts: Iterable[Fact], limit: str) -> tuple[VersionSegment, ...]:
    """Return the journal version by version; `limit` is the name in the last version that has it.

    A migration is the first fact of the segment it begins; there is one segment for each version run under.
    """
    parts: list[tuple[Compiled, list[Fact]]] = []
    for compiled, target, fact in versions_along(version_of, facts):
        if target is not None:
            parts.append((target.compiled, []))
        elif not parts:
            parts.append((compiled, []))
        parts[-1][1].append(fact)
    names = _names(parts, limit)
    return tuple(
        VersionSegment(compiled, name, tuple(own)) for (compiled, own), name in zip(parts, names, strict=True)
    )


def _names(parts: Sequence[tuple[Compiled, list[Fact]]], limit: str) -> list[str]:
    """Return the name of a limit in each version: a step that was renamed took its limits along."""
    names = [limit] * len(parts)
    known = [place for place, (compiled, _) in enumerate(parts) if limit in compiled.limits]
    # The name is known in the last version that has the limit: follow it back, migration by migration.
    for place in range(known[-1] if known else 0, 0, -1):
        migration = parts[place][1][0]
        assert isinstance(migration, Migrated)  # noqa: S101  # it begins every segment but the first
        older = parts[place - 1][0].limits
        sources = (name for name in older if mapped_limit(migration.steps, name) == names[place])
        names[place - 1] = next(sources, names[place])
    return names


def limit_events(segments: Iterable[VersionSegment], at_us: int) -> Iterator[LimitEvent]:
    """Yield the events of a limit up to `at_us`, with those that are due by then though nobody recorded them yet."""
    draft, previous = Draft.blank(""), None
    breaches: set[int] = set()
    for segment in segments:
        for fact in segment.facts:
            previous = previous or segment
            yield from _apply(draft, fact, previous, segment, breaches=breaches)
            previous = segment
    if previous is not None:
        for fact in transact(previous.compiled, draft.freeze(), None, at_us).facts:
            yield from _apply(draft, fact, previous, previous, breaches=breaches)


def _apply(
    draft: Draft, fact: Fact, previous: VersionSegment, segment: VersionSegment, *, breaches: set[int]
) -> Iterator[LimitEvent]:
    """Apply a fact to `draft`, and yield an event when it concerns the limit.

    `breaches` collects the numbers of the limit's deviations, so that answers to them are known as such.
    """
    draft.id, before = fact.instance, draft.stopwatches.get(previous.limit)
    target = None if previous is segment else MigrationTarget(segment.compiled)
    apply_under(previous.compiled, target, draft, fact)
    after = draft.stopwatches.get(segment.limit)
    names_it = getattr(fact, "limit", "") == segment.limit
    if names_it and fact.sequence in draft.deviations:
        breaches.add(fact.sequence)
    answers = isinstance(fact, Explained | Accepted | Rejected) and fact.deviation in breaches
    is_child = isinstance(fact, ChildStarted | ChildEnded) and after is not None and not after.verdict
    if after is not None and (before is not after or names_it or answers or is_child):
        yield LimitEvent(fact, before, after, draft.steps, segment.compiled, segment.declared)
