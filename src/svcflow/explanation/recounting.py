"""A journal told again from one limit's side: after each fact that concerns it, its clock. Words nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import transact
from svcflow.kernel.evolve import apply
from svcflow.kernel.facts import Accepted, Explained, Fact, Rejected
from svcflow.kernel.instance import STOPPED, Clock, Draft


@attrs.frozen
class Moment:
    """Hold one fact, the limit's clock before and after it, and the steps that were active after it."""

    fact: Fact
    before: Clock | None
    after: Clock
    steps: tuple[str, ...]

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


def recount(compiled: Compiled, facts: Iterable[Fact], limit: str, at_us: int) -> Iterator[Moment]:
    """Yield the moments of a limit up to `at_us`, with what time has brought though nobody recorded it yet."""
    draft, known = Draft.blank(""), [fact for fact in facts if fact.recorded_us <= at_us]
    breaches: set[int] = set()
    for fact in known:
        yield from _apply(compiled, draft, fact, limit, breaches)
    if known:
        for fact in transact(compiled, draft.freeze(), None, at_us).facts:
            yield from _apply(compiled, draft, fact, limit, breaches)


def _apply(compiled: Compiled, draft: Draft, fact: Fact, limit: str, breaches: set[int]) -> Iterator[Moment]:
    draft.id, before = fact.instance, draft.clocks.get(limit)
    apply(compiled, draft, fact)
    after = draft.clocks.get(limit)
    own = getattr(fact, "limit", "") == limit
    if own and fact.sequence in draft.deviations:
        breaches.add(fact.sequence)
    answer = isinstance(fact, Explained | Accepted | Rejected) and fact.deviation in breaches
    if after is not None and (before is not after or own or answer):
        yield Moment(fact, before, after, draft.steps)
