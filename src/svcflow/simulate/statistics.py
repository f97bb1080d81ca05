"""Measures: what the facts of a run come to. It reads journals and final instances; it decides nothing."""

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
from svcflow.simulate.resources import Case, RolePool
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
    """Hold how often one limit was breached: of `judged` instances, those that reached its goal or passed it.

    A minimum is breached by ending too early, a recurrence by missing an occurrence. Instances are counted, not visits; one that breached the limit on any visit counts once.
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
    """Hold the spread of lengths of time; percentiles are observed values (nearest rank)."""

    count: int
    mean: timedelta
    p50: timedelta
    p90: timedelta
    p95: timedelta

    @classmethod
    def of(cls, lengths_us: Iterable[int]) -> Spread | None:
        """Measure lengths in microseconds; None when there are none."""
        ordered = sorted(lengths_us)
        if not ordered:
            return None
        mean, *ranks = sum(ordered) // len(ordered), *(_rank(ordered, share) for share in (50, 90, 95))
        return cls(len(ordered), *(timedelta(microseconds=us) for us in (mean, *ranks)))


@attrs.frozen
class Durations:
    """Hold how long something took, in elapsed time and in open hours of the procedure's calendar."""

    elapsed: Spread
    working: Spread


@attrs.frozen
class PoolUse:
    """Hold how busy one pool was while instances arrived, and how long work waited for it, in its open time.

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


def breaches_of(compiled: Compiled, cases: Iterable[Case]) -> Mapping[str, Breaches]:
    """Count for every limit the instances in which it was judged, and in which breached."""
    judged: Counter[str] = Counter()
    breached: Counter[str] = Counter()
    for case in cases:
        over = {fact.limit for fact in case.facts if isinstance(fact, Overdue | Deviated) and fact.limit}
        met = {clock.limit for clock in case.instance.stopwatches.values() if _is_met(compiled, clock)}
        breached.update(over)
        judged.update(over | met | case.met)
    return {
        name: Breaches(name, limit.limit.name, judged[name], breached[name])
        for name, limit in compiled.limits.items()
        if not reason_of(name)  # no hold is simulated
    }


def replaced_met(compiled: Compiled, before: Instance, after: Instance) -> Iterator[str]:
    """Yield the limits met on a visit that one command has replaced by the next visit.

    `clocks.met_when_replaced` says which.
    """
    for name, old in before.stopwatches.items():
        if after.stopwatches[name].visit != old.visit:
            met = met_when_replaced(compiled.limits[name], old)
            if _is_met(compiled, old._replace(verdict="met") if met else old):
                yield name


def deviations_by_kind(facts: Iterable[Fact]) -> Mapping[str, int]:
    """Count the deviations of each kind, the most frequent first."""
    found = Counter(str(fact.deviation) for fact in facts if isinstance(fact, Overdue | Deviated))
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


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
    """Measure spans of time; None when there are none."""
    elapsed = Spread.of(end - start for start, end in spans)
    working = Spread.of(calendar.between_us(start, end) for start, end in spans)
    return None if elapsed is None or working is None else Durations(elapsed, working)


def pool_use(pool: RolePool, name: Text, start_us: int) -> PoolUse:
    """Measure one pool over a run that began at `start_us`; after the last arrival it only empties."""
    spread = Spread.of(pool.waits_us)
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
    return ordered[-(-percent * len(ordered) // 100) - 1]


def _is_met(compiled: Compiled, clock: Stopwatch) -> bool:
    had_target = compiled.limits[clock.limit].rows[clock.row].target is not None
    return had_target and clock.verdict == "met"


def _entered(compiled: Compiled, place: CompiledStep) -> Iterator[str]:
    yield place.step.id
    for first in place.branches:
        yield from _entered(compiled, compiled.steps[first])
