"""The report of a conformance: plain-text tables in Chinese or English. It counts nothing itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from svcflow.kernel.lifecycle.deviations import KINDS
from svcflow.model.procedure import Procedure
from svcflow.text import Lang, Text
from svcflow.text_table import grid

if TYPE_CHECKING:
    from svcflow.analysis.conformance import Conformance, LimitResult, Variant

__all__ = ["RULES", "table"]

RULES: Mapping[str, Text] = {
    "closed": Text(zh="实例已结束", en="instance had ended"),
    "ambiguous": Text(zh="多个并行环节均有此流转", en="open in several branches"),
    "order": Text(zh="当前环节无路可达", en="no way from here"),
    "started": Text(zh="实例已开始", en="instance had started"),
    "calendar-coverage": Text(zh="超出日历覆盖范围", en="beyond the calendar's coverage"),
}
_UNTOLD: Mapping[str, Text] = {
    "role": Text(zh="以何岗位办理", en="in which role"),
    "not_by": Text(
        zh="由谁办理（须由他人办理，not_by）", en="by whom, where another person is asked (not_by)"
    ),
}
_STATUSES: Mapping[str, Text] = {
    "ended": Text(zh="已结束", en="ended"),
    "open": Text(zh="未结束", en="open"),
    "broken_off": Text(zh="中断", en="broken off"),
    "empty": Text(zh="无可用事件", en="empty"),
}
_WAYS = Text(zh="偏差最多的走法", en="Ways with most deviating cases")
_WAY = 3  # the column of ways, which are long and stand last
_VARIANTS = 5
_NOTHING_JUDGED = Text(
    zh="没有案例可判定，以下不说明是否符合：在对照表中对应日志的活动，或更正日志的瑕疵",
    en="nothing was judged, so nothing below says that the log conforms: map its activities, or mend its flaws",
)
_Rows = list[list[str]]


def table(found: Conformance, lang: Lang) -> str:
    """Return the tables of a conformance, those without rows left out."""
    parts = (
        f"{title.in_(lang)}\n{grid(rows, left=_WAY if title is _WAYS else 0)}"
        for title, rows in _tables(found, lang)
    )
    return "\n\n".join((_headline(found, lang), *parts)) + "\n"


def _headline(found: Conformance, lang: Lang) -> str:
    """Say first of all what the figures rest on; where nothing was judged, they say nothing."""
    share, count = found.mapped_share, f"{found.judged:,}"
    mapped = (
        "0" if share is None else f"{math.floor(share * 1_000) / 10:g}"
    )  # never rounded up to all of them
    said = Text(
        zh=f"{mapped} % 的事件已对应，判定了 {count} 个案例",
        en=f"{mapped} % of events mapped, {count} {'case' if found.judged == 1 else 'cases'} judged",
    )
    lines = [said.in_(lang)]
    if not found.judged:
        lines.append(_NOTHING_JUDGED.in_(lang))
    return "\n".join(lines)


def _tables(found: Conformance, lang: Lang) -> Iterator[tuple[Text, _Rows]]:
    yield Text(zh="概况", en="Overview"), _overview(found, lang)
    named = (
        (Text(zh="偏差（按种类）", en="Deviations by kind"), found.by_kind, _kinds()),
        (Text(zh="偏差（按环节）", en="Deviations by step"), found.by_step, _steps(found.procedure)),
        (Text(zh="偏差（按岗位）", en="Deviations by role"), found.by_role, _roles(found.procedure)),
    )
    for title, counts, names in named:
        if counts:
            yield title, [[_name(names, key, lang), str(count)] for key, count in counts.items()]
    limits = [limit for limit in found.limits if limit.judged or limit.open]
    if limits:
        yield Text(zh="时限", en="Limits"), _limits(limits, lang)
    worst = [variant for variant in found.variants[:_VARIANTS] if variant.deviating]
    if worst:
        yield _WAYS, _variants(worst, lang)
    if found.not_replayed:
        yield Text(zh="未能重演的事件", en="Events not replayed"), _not_replayed(found, lang)
    plain = (
        (Text(zh="未对应的活动", en="Unmapped activities"), found.unmapped),
        (Text(zh="按对照表忽略的活动", en="Activities ignored on purpose"), found.ignored),
        (Text(zh="非完成事件", en="Events of other lifecycles"), found.unfinished),
    )
    for title, counts in plain:
        if counts:
            yield title, [[key, str(count)] for key, count in counts.items()]
    yield from _remarks(found, lang)


def _remarks(found: Conformance, lang: Lang) -> Iterator[tuple[Text, _Rows]]:
    """Yield what is to be known of the log: its flaws, and what could not be judged by it."""
    if found.flaws:
        yield Text(zh="日志的瑕疵", en="Flaws of the log"), [[flaw.text(lang)] for flaw in found.flaws]
    untold = [[_UNTOLD[rule].in_(lang), str(count)] for rule, count in found.unjudged_rules.items() if count]
    if untold:
        yield Text(zh="未判断的流转（日志没有载明）", en="Moves not judged (the log does not tell)"), untold
    if found.unjudged:
        title = Text(
            zh="未判断的必填字段（对照表不含数据）", en="Required fields not judged (no data mapped)"
        )
        yield title, [[", ".join(found.unjudged)]]


def _overview(found: Conformance, lang: Lang) -> _Rows:
    statuses = [(_STATUSES[name], count) for name, count in found.statuses.items() if count]
    rows = [
        (Text(zh="案例", en="cases"), str(found.cases)),
        *((Text(zh=f"其中{name.zh}", en=f"of these {name.en}"), str(count)) for name, count in statuses),
        (Text(zh="事件", en="events"), str(found.events)),
        (
            Text(zh="符合的案例", en="conforming cases"),
            f"{found.conforming} ({_percent(found.conforming, found.replayed)})",
        ),
        (Text(zh="时间倒置的事件", en="events put in order of time"), str(found.reordered)),
    ]
    if found.ended_at is not None:
        last = found.ended_at.astimezone(ZoneInfo(found.zone)).isoformat(" ", "seconds")
        rows.append((Text(zh="日志止于", en="log ends at"), last))
    return [[name.in_(lang), value] for name, value in rows]


def _limits(limits: Iterable[LimitResult], lang: Lang) -> _Rows:
    head = (
        Text(zh="时限", en="limit"),
        Text(zh="判定", en="judged"),
        Text(zh="超时", en="breached"),
        Text(zh="占比", en="share"),
        Text(zh="在办", en="open"),
        Text(zh="超出中位数", en="median over"),
        Text(zh="超出 P95", en="p95 over"),
    )
    return [[text.in_(lang) for text in head], *(_limit(limit, lang) for limit in limits)]


def _limit(limit: LimitResult, lang: Lang) -> list[str]:
    median, p95 = limit.overrun(0.5), limit.overrun(0.95)
    return [
        f"{limit.name.in_(lang)} ({limit.limit})",
        str(limit.judged),
        str(limit.breached),
        _percent(limit.breached, limit.judged),
        str(limit.open),
        "—" if median is None else median.text(lang),
        "—" if p95 is None else p95.text(lang),
    ]


def _variants(variants: Iterable[Variant], lang: Lang) -> _Rows:
    head = (
        Text(zh="案例", en="cases"),
        Text(zh="有偏差", en="deviating"),
        Text(zh="偏差", en="deviations"),
        Text(zh="走法", en="way"),
    )
    rows = [[text.in_(lang) for text in head]]
    for one in variants:
        counts = (one.cases, one.deviating, one.deviations)
        rows.append([*map(str, counts), " → ".join(one.activities)])
    return rows


def _not_replayed(found: Conformance, lang: Lang) -> _Rows:
    return [
        [f"{activity} ({_name(RULES, rule, lang)})", str(count)]
        for (rule, activity), count in found.not_replayed.items()
    ]


def _kinds() -> Mapping[str, Text]:
    return {str(kind): name for kind, name in KINDS.items()}


def _steps(procedure: Procedure) -> Mapping[str, Text]:
    return {name: step.name for name, step in procedure.all_steps.items()}


def _roles(procedure: Procedure) -> Mapping[str, Text]:
    return {name: role.name for name, role in procedure.roles.items()}


def _name(names: Mapping[str, Text], key: str, lang: Lang) -> str:
    name = names.get(key)
    return name.in_(lang) if name else key or "—"


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "—"
