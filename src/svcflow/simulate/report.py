"""Result of a simulation: its figures, the assumptions they rest on, and its journals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import attrs

from svcflow.kernel.facts import Fact
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Scenario
from svcflow.simulate.statistics import Breaches, Durations, PoolUse, Spread
from svcflow.text import Lang, Text
from svcflow.text_table import grid
from svcflow.wording import DEVIATIONS, duration, word

__all__ = ["Simulation", "table"]


NOTHING = "—"
Rows = list[tuple[str, ...]]
_LIMIT = Text(zh="时限", en="Limit")
_JUDGED = Text(zh="已判定", en="judged")
_BREACHED = Text(zh="违反", en="breached")
_RATE = Text(zh="违反率", en="rate")
_INTERVAL = Text(zh="95% 置信区间", en="95 % interval")
_DURATION = Text(zh="用时（工作时间）", en="Time (working)")
_COUNT = Text(zh="次数", en="count")
_WHOLE = Text(zh="全程", en="whole")
_DEVIATION = Text(zh="偏差", en="Deviation")
_ROLE = Text(zh="岗位", en="Role")
_CAPACITY = Text(zh="人数", en="people")
_SERVED = Text(zh="办理", en="served")
_BUSY = Text(zh="负荷", en="busy")
_WAITING = Text(zh="平均等待", en="mean wait")
_WAITING_P95 = Text(zh="等待 p95", en="wait p95")
_ASSUMPTIONS = Text(zh="假设：", en="Assumptions:")


@attrs.frozen(kw_only=True, eq=False)
class Simulation:
    """Result of a simulation.

    `breaches` is by limit, `deviations` by kind, `steps` by step, `pools` by role; `whole` is the time of
    instances that ended, None when none did. `finished_at` is the instant of the last event.
    """

    procedure: Procedure
    scenario: Scenario
    seed: int
    instances: int
    ended: int
    started_at: datetime
    finished_at: datetime
    events: int
    breaches: Mapping[str, Breaches]
    deviations: Mapping[str, int]
    whole: Durations | None
    steps: Mapping[str, Durations]
    pools: Mapping[str, PoolUse]
    assumptions: tuple[Text, ...]
    _journals: Mapping[str, tuple[Fact, ...]] = attrs.field(repr=False)

    @property
    def still_open(self) -> int:
        """How many instances had not ended when nothing more could happen."""
        return self.instances - self.ended

    def journals(self) -> Mapping[str, tuple[Fact, ...]]:
        """Return the facts of every instance by its id, as production would have recorded them."""
        return self._journals

    def table(self, lang: Lang = "en") -> str:
        """Return the result as plain text for a terminal."""
        return table(self, lang)

    def to_json(self) -> str:
        """Return the figures as JSON: times in seconds, instants in ISO 8601; the journals are not in it."""
        return json.dumps(self._figures(), ensure_ascii=False)

    def _figures(self) -> dict[str, object]:
        return {
            "procedure": self.procedure.id,
            "version": self.procedure.version,
            "scenario": self.scenario.id,
            "seed": self.seed,
            "instances": self.instances,
            "ended": self.ended,
            "still_open": self.still_open,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "breaches": {name: _breaches(breaches) for name, breaches in self.breaches.items()},
            "deviations": dict(self.deviations),
            "whole": _durations(self.whole),
            "steps": {name: _durations(durations) for name, durations in self.steps.items()},
            "pools": {role: _pool(use) for role, use in self.pools.items()},
            "assumptions": [{"zh": text.zh, "en": text.en} for text in self.assumptions],
        }


def _breaches(breaches: Breaches) -> dict[str, object]:
    return {
        "judged": breaches.judged,
        "breached": breaches.breached,
        "rate": breaches.rate,
        "interval": breaches.interval,
    }


def _durations(durations: Durations | None) -> dict[str, object] | None:
    if durations is None:
        return None
    return {"elapsed": _spread(durations.elapsed), "working": _spread(durations.working)}


def _spread(spread: Spread) -> dict[str, object]:
    return {
        "count": spread.count,
        "mean": _seconds(spread.mean),
        "p50": _seconds(spread.p50),
        "p90": _seconds(spread.p90),
        "p95": _seconds(spread.p95),
    }


def _pool(use: PoolUse) -> dict[str, object]:
    return {
        "capacity": use.capacity,
        "calendar": use.calendar,
        "served": use.served,
        "utilisation": use.utilisation,
        "mean_waiting": _seconds(use.mean_waiting),
        "p95_waiting": _seconds(use.p95_waiting),
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def table(result: Simulation, lang: Lang) -> str:
    """Return every figure of a result in aligned columns, and its assumptions below them."""
    parts = [_head(result, lang), *(grid(rows) for rows in _tables(result, lang) if len(rows) > 1)]
    listed = (f"- {assumption.in_(lang)}" for assumption in result.assumptions)
    parts.append("\n".join((_ASSUMPTIONS.in_(lang), *listed)))
    return "\n\n".join(parts)


def _head(result: Simulation, lang: Lang) -> str:
    name = result.procedure.name.in_(lang) or result.procedure.id
    counts = Text(
        zh=f"{result.instances} 个流程实例，{result.ended} 个已结束，{result.still_open} 个未结束；种子 {result.seed}",
        en=f"{result.instances} instances, {result.ended} ended, {result.still_open} still open; seed {result.seed}",
    )
    return f"{name} · {result.scenario.id}\n{counts.in_(lang)}"


def _tables(result: Simulation, lang: Lang) -> Iterator[Rows]:
    heads = [head.in_(lang) for head in (_LIMIT, _JUDGED, _BREACHED, _RATE, _INTERVAL)]
    yield [tuple(heads), *(_breach_row(breaches, lang) for breaches in result.breaches.values())]
    yield [(_DURATION.in_(lang), _COUNT.in_(lang), "p50", "p90", "p95"), *_duration_rows(result, lang)]
    counts = result.deviations.items()
    yield [
        (_DEVIATION.in_(lang), _COUNT.in_(lang)),
        *((word(DEVIATIONS, kind).in_(lang), str(count)) for kind, count in counts),
    ]
    heads = [head.in_(lang) for head in (_ROLE, _CAPACITY, _SERVED, _BUSY, _WAITING, _WAITING_P95)]
    yield [tuple(heads), *(_pool_row(use, lang) for use in result.pools.values())]


def _breach_row(breaches: Breaches, lang: Lang) -> tuple[str, ...]:
    interval = breaches.interval
    between = f"{_percent(interval[0])}–{_percent(interval[1])}" if interval else NOTHING
    return (
        breaches.name.in_(lang) or breaches.limit,
        str(breaches.judged),
        str(breaches.breached),
        _percent(breaches.rate),
        between,
    )


def _duration_rows(result: Simulation, lang: Lang) -> Iterator[tuple[str, ...]]:
    if result.whole is not None:
        yield _duration_row(_WHOLE.in_(lang), result.whole, lang)
    for name, durations in result.steps.items():
        yield _duration_row(result.procedure.all_steps[name].name.in_(lang) or name, durations, lang)


def _duration_row(name: str, durations: Durations, lang: Lang) -> tuple[str, ...]:
    spread = durations.working
    return (
        name,
        str(spread.count),
        *(_length(length, lang) for length in (spread.p50, spread.p90, spread.p95)),
    )


def _pool_row(use: PoolUse, lang: Lang) -> tuple[str, ...]:
    capacity = NOTHING if use.capacity is None else str(use.capacity)
    waits = (_length(use.mean_waiting, lang), _length(use.p95_waiting, lang))
    return (use.name.in_(lang) or use.role, capacity, str(use.served), _percent(use.utilisation), *waits)


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.1%}"


def _length(length: timedelta | None, lang: Lang) -> str:
    return NOTHING if length is None else duration(length, "figure").in_(lang)
