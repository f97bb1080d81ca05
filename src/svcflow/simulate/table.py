"""The result as plain text: columns aligned on a terminal, where a Chinese character is two cells wide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from svcflow.kernel.lifecycle.deviations import KINDS
from svcflow.simulate.measures import Breaches, Durations, PoolUse
from svcflow.simulate.result import Simulation
from svcflow.text import NO_TEXT, Lang, Text
from svcflow.text_table import grid

__all__ = ["table"]

NOTHING = "—"
Rows = list[tuple[str, ...]]

_KINDS = {str(kind): text for kind, text in KINDS.items()}
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


def table(result: Simulation, lang: Lang) -> str:
    """Return every figure of a result in aligned columns, and its assumptions below them."""
    parts = [_head(result, lang), *(grid(rows) for rows in _tables(result, lang) if len(rows) > 1)]
    parts.append("\n".join([_ASSUMPTIONS.in_(lang), *(f"- {one.in_(lang)}" for one in result.assumptions)]))
    return "\n\n".join(parts)


def _head(result: Simulation, lang: Lang) -> str:
    name = result.procedure.name.in_(lang) or result.procedure.id
    counts = Text(
        zh=f"{result.instances} 个流程实例，{result.ended} 个已结束，{result.still_open} 个未结束；种子 {result.seed}",
        en=f"{result.instances} instances, {result.ended} ended, {result.still_open} still open; seed {result.seed}",
    )
    return f"{name} · {result.scenario.id}\n{counts.in_(lang)}"


def _tables(result: Simulation, lang: Lang) -> Iterator[Rows]:
    heads = [one.in_(lang) for one in (_LIMIT, _JUDGED, _BREACHED, _RATE, _INTERVAL)]
    yield [tuple(heads), *(_breach_row(one, lang) for one in result.breaches.values())]
    yield [(_DURATION.in_(lang), _COUNT.in_(lang), "p50", "p90", "p95"), *_duration_rows(result, lang)]
    counts = result.deviations.items()
    yield [
        (_DEVIATION.in_(lang), _COUNT.in_(lang)),
        *((_KINDS.get(kind, NO_TEXT).in_(lang) or kind, str(count)) for kind, count in counts),
    ]
    heads = [one.in_(lang) for one in (_ROLE, _CAPACITY, _SERVED, _BUSY, _WAITING, _WAITING_P95)]
    yield [tuple(heads), *(_pool_row(one, lang) for one in result.pools.values())]


def _breach_row(one: Breaches, lang: Lang) -> tuple[str, ...]:
    interval = one.interval
    between = f"{_percent(interval[0])}–{_percent(interval[1])}" if interval else NOTHING
    return (one.name.in_(lang) or one.limit, str(one.judged), str(one.breached), _percent(one.rate), between)


def _duration_rows(result: Simulation, lang: Lang) -> Iterator[tuple[str, ...]]:
    if result.whole is not None:
        yield _duration_row(_WHOLE.in_(lang), result.whole, lang)
    for name, one in result.steps.items():
        yield _duration_row(result.procedure.all_steps[name].name.in_(lang) or name, one, lang)


def _duration_row(name: str, one: Durations, lang: Lang) -> tuple[str, ...]:
    spread = one.working
    return (
        name,
        str(spread.count),
        *(_length(length, lang) for length in (spread.p50, spread.p90, spread.p95)),
    )


def _pool_row(one: PoolUse, lang: Lang) -> tuple[str, ...]:
    capacity = NOTHING if one.capacity is None else str(one.capacity)
    waits = (_length(one.mean_waiting, lang), _length(one.p95_waiting, lang))
    return (one.name.in_(lang) or one.role, capacity, str(one.served), _percent(one.utilisation), *waits)


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.1%}"


def _length(length: timedelta | None, lang: Lang) -> str:
    if length is None:
        return NOTHING
    minutes = length.total_seconds() / 60
    short, long = ("分", "小时") if lang == "zh" else (" min", " h")
    return f"{minutes:.0f}{short}" if minutes < 100 else f"{minutes / 60:.1f}{long}"
