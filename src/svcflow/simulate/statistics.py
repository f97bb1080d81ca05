"""Statistics of a run, from its journals and final instances."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

import attrs

from svcflow.kernel.compiled import Compiled, CompiledStep
from svcflow.kernel.facts import Deviated, Fact, Moved, Overdue, Started
from svcflow.kernel.instance import Instance, Stopwatch
from svcflow.kernel.timing.stopwatch import met_when_replaced
from svcflow.model.limit import reason_of
from svcflow.simulate.resources import RolePool, SimulatedCase
from svcflow.text import Text
from svcflow.worktime.calendar import WorkCalendar

__all__ = [
    "Breaches",
    "Durations",
    "PoolUse",
    "Spread",
    "breaches_of",
    "deviations_by_kind",
    "durations_of",
    "pool_use",
    "replaced_met",
    "step_times",
    "wilson",
]

Z95 = 1.959963984540054
Times = Mapping[str, Sequence[tuple[int, int]]]


@attrs.frozen
class Breaches:
    """How often one limit was breached: of `judged` instances, those that reached its goal or passed it.

    A minimum is breached by ending too early, a recurrence by missing an occurrence. Instances are counted, not
    visits; one that breached the limit on any visit counts once.
    """

    limit: str
    name: Text
    judged: int
    breached: int

    @property
    def rate(self) -> float | None:
        """The share that was breached; None when none was judged."""
        return self.breached / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval of the share.

        It takes instances as independent of each other; where they queue for one pool it is too narrow.
        """
        return wilson(self.breached, self.judged) if self.judged else None


@attrs.frozen
class Spread:
    """Spread of lengths of time; percentiles are observed values (nearest rank)."""

    count: int
    mean: timedelta
    p50: timedelta
    p90: timedelta
    p95: timedelta

    @classmethod
    def of(cls, lengths_us: Iterable[int]) -> Spread | None:
        """Return the spread of lengths in microseconds; None when there are none."""
        ordered = sorted(lengths_us)
        if not ordered:
            return None
        mean, *ranks = sum(ordered) // len(ordered), *(_rank(ordered, share) for share in (50, 90, 95))
        return cls(len(ordered), *(timedelta(microseconds=us) for us in (mean, *ranks)))


@attrs.frozen
class Durations:
    """How long something took, in elapsed time and in open hours of the procedure's calendar."""

    elapsed: Spread
    working: Spread


@attrs.frozen
class PoolUse:
    """How busy one pool was while instances arrived, and how long work waited for it, in its open time.

    Without a capacity nobody waits, and a utilisation would mean nothing; it is None then.
    """

    role: str
    name: Text
    capacity: int | None
    calendar: str
    served: int
    utilisation: float | None
    mean_waiting: timedelta | None
    p95_waiting: timedelta | None


def wilson(breached: int, judged: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927)."""
    share, z2 = breached / judged, Z95 * Z95
    middle = share + z2 / (2 * judged)
    half = Z95 * math.sqrt(share * (1 - share) / judged + z2 / (4 * judged * judged))
    scale = 1 + z2 / judged
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def breaches_of(compiled: Compiled, cases: Iterable[SimulatedCase]) -> Mapping[str, Breaches]:
    """Return for every limit in how many instances it was judged, and in how many breached.

    A limit that still ran at the end of the run is not judged, unless it was met or breached on an earlier visit.
    """
    judged: Counter[str] = Counter()
    breached: Counter[str] = Counter()
    for case in cases:
        over = {fact.limit for fact in case.facts if isinstance(fact, Overdue | Deviated) and fact.limit}
        met = {watch.limit for watch in case.instance.stopwatches.values() if _is_met(compiled, watch)}
        breached.update(over)
        judged.update(over | met | case.met)
    return {
        name: Breaches(name, limit.limit.name, judged[name], breached[name])
        for name, limit in compiled.limits.items()
        if not reason_of(name) and not limit.is_timer  # no hold is simulated
    }


def replaced_met(
    compiled: Compiled, before: Instance, after: Instance, facts: Sequence[Fact]
) -> Iterator[str]:
    """Yield the limits met on a visit that one command, of these facts, has replaced by the next visit.

    `stopwatch.met_when_replaced` holds the rule.
    """
    for name, old in before.stopwatches.items():
        if after.stopwatches[name].visit != old.visit:
            limit = compiled.limits[name]
            met = met_when_replaced(limit, old, reached=compiled.reaches(facts, limit))
            if _is_met(compiled, old._replace(verdict="met") if met else old):
                yield name


def deviations_by_kind(facts: Iterable[Fact]) -> Mapping[str, int]:
    """Return the number of deviations of each kind, the most frequent first."""
    counts = Counter(str(fact.deviation) for fact in facts if isinstance(fact, Overdue | Deviated))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def step_times(compiled: Compiled, journals: Iterable[Sequence[Fact]]) -> Times:
    """Return when each visit of each step began and ended; visits that had not ended are left out."""
    times: dict[str, list[tuple[int, int]]] = {name: [] for name in compiled.steps}
    for facts in journals:
        entered: dict[str, int] = {}
        for fact in facts:
            if isinstance(fact, Moved) and fact.step in entered:
                times[fact.step].append((entered.pop(fact.step), fact.occurred_us))
            if isinstance(fact, Moved | Started):
                target = fact.to if isinstance(fact, Moved) else fact.step
                entered.update(
                    (name, fact.occurred_us) for name in _entered(compiled, compiled.steps[target])
                )
    return {name: spans for name, spans in times.items() if spans}


def durations_of(spans: Sequence[tuple[int, int]], calendar: WorkCalendar) -> Durations | None:
    """Return the spreads of spans of time; None when there are none."""
    elapsed = Spread.of(end - start for start, end in spans)
    working = Spread.of(calendar.between_us(start, end) for start, end in spans)
    return None if elapsed is None or working is None else Durations(elapsed, working)


def pool_use(pool: RolePool, name: Text, start_us: int) -> PoolUse:
    """Return the use of one pool in a run that began at `start_us`."""
    spread = Spread.of(pool.waits_us)
    # Until the last arrival: after it queues only empty, which would make a pool look less busy than it is.
    open_us = pool.calendar.between_us(start_us, pool.until_us) * (pool.capacity or 0)
    return PoolUse(
        role=pool.role,
        name=name,
        capacity=pool.capacity,
        calendar=pool.calendar.id,
        served=pool.served,
        utilisation=pool.busy_us / open_us if open_us else None,
        mean_waiting=spread.mean if spread else None,
        p95_waiting=spread.p95 if spread else None,
    )


def _rank(ordered: Sequence[int], percent: int) -> int:
    """Return a percentile by the nearest rank, which is always a value that was measured."""
    return ordered[-(-percent * len(ordered) // 100) - 1]


def _is_met(compiled: Compiled, watch: Stopwatch) -> bool:
    # A row without a target is met by whatever happens: it tells nothing of the limit.
    has_target = compiled.limits[watch.limit].rows[watch.row].target is not None
    return has_target and watch.verdict == "met"


def _entered(compiled: Compiled, place: CompiledStep) -> Iterator[str]:
    yield place.step.id
    for first in place.branches:
        yield from _entered(compiled, compiled.steps[first])
