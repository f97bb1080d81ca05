"""A journal told again from one limit's side: after each fact that concerns it, its clock. Words nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import transact
from svcflow.kernel.facts import Accepted, Explained, Fact, Migrated, Rejected
from svcflow.kernel.instance import STOPPED, Draft, Stopwatch
from svcflow.kernel.lifecycle.version_change import MigrationTarget, VersionOf, mapped_limit
from svcflow.kernel.replay import apply_under, versions_along
from svcflow.kernel.timing.compiled_limit import CompiledLimit


@attrs.frozen
class Moment:
    """Hold one fact, the limit's clock before and after it, and the steps that were active after it.

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
    def stops(self) -> bool:
        """Whether a clock that ran stands still."""
        return self.before is not None and self.before.open_us != STOPPED and self.after.open_us == STOPPED

    @property
    def goes_on(self) -> bool:
        """Whether a clock that stood still runs."""
        return self.before is not None and self.before.open_us == STOPPED and self.after.open_us != STOPPED


@attrs.frozen
class Stretch:
    """Hold the facts recorded under one version, and what the limit is called there."""

    compiled: Compiled
    limit: str
    facts: tuple[Fact, ...]

    @property
    def declared(self) -> CompiledLimit | None:
        """The limit as this version declares it; None when it does not have it."""
        return self.compiled.limits.get(self.limit)


def stretches(version_of: VersionOf, facts: Iterable[Fact], limit: str) -> tuple[Stretch, ...]:
    """Return the journal version by version; `limit` is the name in the last version that has it.

    A migration is the first fact of the stretch it begins; there is one stretch for each version run under.
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
        Stretch(compiled, name, tuple(own)) for (compiled, own), name in zip(parts, names, strict=True)
    )


def _names(parts: Sequence[tuple[Compiled, list[Fact]]], limit: str) -> list[str]:
    """Return what a limit was called in each version: a step that was renamed took its limits along."""
    names = [limit] * len(parts)
    known = [place for place, (compiled, _) in enumerate(parts) if limit in compiled.limits]
    for place in range(known[-1] if known else 0, 0, -1):
        crossed = parts[place][1][0]
        assert isinstance(crossed, Migrated)  # noqa: S101  # it begins every stretch but the first
        older = parts[place - 1][0].limits
        came = (name for name in older if mapped_limit(crossed.steps, name) == names[place])
        names[place - 1] = next(came, names[place])
    return names


def recount(parts: Iterable[Stretch], at_us: int) -> Iterator[Moment]:
    """Yield the moments of a limit up to `at_us`, with what time has brought though nobody recorded it yet."""
    draft, was = Draft.blank(""), None
    breaches: set[int] = set()
    for part in parts:
        for fact in part.facts:
            was = was or part
            yield from _apply(draft, fact, was, part, breaches=breaches)
            was = part
    if was is not None:
        for fact in transact(was.compiled, draft.freeze(), None, at_us).facts:
            yield from _apply(draft, fact, was, was, breaches=breaches)


def _apply(draft: Draft, fact: Fact, was: Stretch, now: Stretch, *, breaches: set[int]) -> Iterator[Moment]:
    draft.id, before = fact.instance, draft.stopwatches.get(was.limit)
    target = None if was is now else MigrationTarget(now.compiled)
    apply_under(was.compiled, target, draft, fact)
    after = draft.stopwatches.get(now.limit)
    own = getattr(fact, "limit", "") == now.limit
    if own and fact.sequence in draft.deviations:
        breaches.add(fact.sequence)
    answer = isinstance(fact, Explained | Accepted | Rejected) and fact.deviation in breaches
    if after is not None and (before is not after or own or answer):
        yield Moment(fact, before, after, draft.steps, now.compiled, now.declared)
