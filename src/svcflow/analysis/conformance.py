"""Conformance of a foreign log to a procedure, as values, as tables and as plain data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

import attrs

from svcflow.analysis.event_log import Flaw
from svcflow.analysis.replay import Missed
from svcflow.kernel.facts import DeviationKind, to_datetime
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.model.amount import DAY_US, HOUR_US, MINUTE_US, Amount
from svcflow.model.procedure import Procedure
from svcflow.text import Lang, Text
from svcflow.text_table import grid
from svcflow.wording import CASE_STATUSES, DEVIATIONS

__all__ = ["RULES", "CaseResult", "Conformance", "LimitResult", "Variant", "readable", "table"]

Status = Literal["ended", "open", "broken_off", "empty"]
Counts = Mapping[str, int]


RULES: Mapping[str, Text] = {
    "closed": Text(zh="实例已结束", en="instance had ended"),
    "ambiguous": Text(zh="多个并行环节均有此流转", en="open in several branches"),
    "order": Text(zh="当前环节无路可达", en="no way from here"),
    "started": Text(zh="实例已开始", en="instance had started"),
    "calendar-coverage": Text(zh="超出日历覆盖范围", en="beyond the calendar's coverage"),
}
_NOT_IN_LOG: Mapping[str, Text] = {
    "role": Text(zh="以何岗位办理", en="in which role"),
    "not_by": Text(
        zh="由谁办理（须由他人办理，not_by）", en="by whom, where another person is asked (not_by)"
    ),
}
_WAYS = Text(zh="偏差最多的走法", en="Ways with most deviating cases")
_WAY = 3  # the column of ways, which are long and stand last
_VARIANTS = 5
_NOTHING_JUDGED = Text(
    zh="没有案例可判定，以下不说明是否符合：在对照表中对应日志的活动，或更正日志的瑕疵",
    en="nothing was judged, so nothing below says that the log conforms: map its activities, or mend its flaws",
)
_Rows = list[list[str]]


@attrs.frozen
class CaseResult:
    """Result of one case.

    An `open` case had not ended at the log's end; one `broken_off` left what a calendar covers; an `empty` one
    has no event that means anything to the procedure. `missed` are the events that could not be replayed.
    `unjudged` counts the moves of which the log does not tell what a rule asks: `role`, and by whom (`not_by`).
    """

    case: str
    activities: tuple[str, ...]
    status: Status
    outcome: str = ""
    deviations: tuple[Deviation, ...] = ()
    missed: tuple[Missed, ...] = ()
    unjudged: Counts = attrs.field(factory=dict)

    @property
    def judged(self) -> bool:
        """Whether anything of the case was replayed, and so checked against the procedure."""
        return self.status != "empty" and len(self.missed) < len(self.activities)

    @property
    def conforms(self) -> bool:
        """Whether the case kept every rule and limit, so far if it is open."""
        return not self.deviations and not self.missed and self.status in ("ended", "open")


@attrs.frozen
class Variant:
    """Sequence of activities, with the results of its cases."""

    activities: tuple[str, ...]
    cases: int
    deviating: int
    deviations: int


@attrs.frozen(kw_only=True)
class LimitResult:
    """How one limit was kept, counted over its visits.

    A visit is judged when it was met or breached; `open` ones still ran within their limit at the log's end,
    `cancelled` ones ended for another reason. `overruns_us` are those of breached visits that have ended,
    rising, in the limit's own time: open hours for working limits.
    """

    limit: str
    name: Text
    working: bool
    met: int
    breached: int
    open: int
    cancelled: int
    overruns_us: tuple[int, ...]

    @property
    def judged(self) -> int:
        """How many visits were met or breached."""
        return self.met + self.breached

    @property
    def share(self) -> float | None:
        """The share of judged visits that were breached; None when none was judged."""
        return self.breached / self.judged if self.judged else None

    def overrun(self, share: float) -> Amount | None:
        """Return the overrun that `share` of the ended breaches do not exceed (nearest rank)."""
        if not self.overruns_us:
            return None
        rank = max(1, math.ceil(share * len(self.overruns_us)))
        return readable(self.overruns_us[rank - 1], working=self.working)


@attrs.frozen(kw_only=True, slots=False)
class Conformance:
    """Result of checking a log against a procedure; `ended_us` is the log's last instant, up to which limits were judged.

    `events` are all of the log; those that are `unmapped`, `ignored` or `unfinished` (of another lifecycle than
    `complete`) mean nothing to the procedure. `unjudged` names required fields: a mapping gives no data.
    """

    procedure: Procedure
    mapping: str
    results: tuple[CaseResult, ...]
    limits: tuple[LimitResult, ...]
    events: int
    ended_us: int | None
    reordered: int
    unmapped: Counts
    ignored: Counts
    unfinished: Counts
    unjudged: tuple[str, ...]
    flaws: tuple[Flaw, ...]
    zone: str = "UTC"
    """Of the mapping: the zone in which tables write instants."""

    @property
    def cases(self) -> int:
        """How many cases the log holds."""
        return len(self.results)

    @property
    def ended_at(self) -> datetime | None:
        """The log's last instant; None for a log without events."""
        return None if self.ended_us is None else to_datetime(self.ended_us)

    @cached_property
    def statuses(self) -> Counts:
        """Cases by status, each of the four present."""
        return {
            **dict.fromkeys(("ended", "open", "broken_off", "empty"), 0),
            **_counted(r.status for r in self.results),
        }

    @property
    def replayed(self) -> int:
        """How many cases had something to replay."""
        return self.cases - self.statuses["empty"]

    @property
    def mapped(self) -> int:
        """How many events of the log mean something to the procedure."""
        return self.events - sum(
            sum(counts.values()) for counts in (self.unmapped, self.ignored, self.unfinished)
        )

    @property
    def mapped_share(self) -> float | None:
        """Their share of all events that could be read; None for a log without any."""
        return self.mapped / self.events if self.events else None

    @cached_property
    def judged(self) -> int:
        """How many cases were checked against the procedure: those of which anything was replayed."""
        return sum(result.judged for result in self.results)

    @cached_property
    def outcomes(self) -> Counts:
        """Ended cases by outcome."""
        return _counted(result.outcome for result in self.results if result.status == "ended")

    @cached_property
    def conforming(self) -> int:
        """How many cases kept every rule and limit; open ones so far."""
        return sum(result.conforms for result in self.results)

    @property
    def deviations(self) -> Iterator[Deviation]:
        """Every deviation, case by case; `sequence` is 0, since a foreign case keeps no journal."""
        return (deviation for result in self.results for deviation in result.deviations)

    @cached_property
    def by_kind(self) -> Counts:
        """Deviations by kind."""
        return _counted(deviation.kind for deviation in self.deviations)

    @cached_property
    def by_step(self) -> Counts:
        """Deviations by step."""
        return _counted(deviation.step for deviation in self.deviations)

    @cached_property
    def by_role(self) -> Counts:
        """Deviations by the role that is responsible for the step; empty where the step has none."""
        return _counted(deviation.role for deviation in self.deviations)

    @cached_property
    def not_replayed(self) -> Mapping[Missed, int]:
        """Events that the kernel refused, by rule and activity."""
        counts = Counter(missed for result in self.results for missed in result.missed)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @cached_property
    def unjudged_rules(self) -> Counts:
        """Moves of which the log does not tell in which role (`role`) or by whom (`not_by`) they were made."""
        totals: Counter[str] = Counter({"role": 0, "not_by": 0})
        for result in self.results:
            totals.update(result.unjudged)
        return dict(totals)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Sequences of activities, those with most deviating cases first."""
        groups: dict[tuple[str, ...], list[CaseResult]] = {}
        for result in self.results:
            if result.status != "empty":
                groups.setdefault(result.activities, []).append(result)
        made = (_variant(activities, results) for activities, results in groups.items())
        return tuple(
            sorted(made, key=lambda variant: (-variant.deviating, -variant.cases, variant.activities))
        )

    def cases_with(self, kind: DeviationKind) -> Iterator[CaseResult]:
        """Yield the cases that deviate in this way."""
        return (
            result
            for result in self.results
            if any(deviation.kind == kind for deviation in result.deviations)
        )

    def table(self, lang: Lang = "en") -> str:
        """Return plain-text tables, aligned on a terminal also where names are Chinese."""
        return table(self, lang)

    def to_json(self) -> dict[str, object]:
        """Return plain data with keys that stay: counts, limits, the 20 worst variants, deviating cases.

        Instants are ISO 8601 in UTC; overruns are given in microseconds of the limit's own time.
        """
        return {
            "procedure": self.procedure.id,
            "version": self.procedure.version,
            "mapping": self.mapping,
            "log_ended_at": _iso(self.ended_us),
            "events": self.events,
            "mapped": self.mapped,
            "mapped_share": self.mapped_share,
            "cases": self.cases,
            "judged": self.judged,
            "statuses": dict(self.statuses),
            "outcomes": dict(self.outcomes),
            "conforming": self.conforming,
            "deviations": {
                "kind": dict(self.by_kind),
                "step": dict(self.by_step),
                "role": dict(self.by_role),
            },
            "limits": [_limit_json(limit) for limit in self.limits],
            "variants": [
                attrs.asdict(variant) | {"activities": list(variant.activities)}
                for variant in self.variants[:20]
            ],
            "unmapped": dict(self.unmapped),
            "ignored": dict(self.ignored),
            "unfinished": dict(self.unfinished),
            "not_replayed": [
                {"rule": rule, "activity": activity, "events": count}
                for (rule, activity), count in self.not_replayed.items()
            ],
            "reordered": self.reordered,
            "unjudged": list(self.unjudged),
            "unjudged_rules": dict(self.unjudged_rules),
            "flaws": [attrs.asdict(flaw) for flaw in self.flaws],
            "deviating": [_case_json(r) for r in self.results if r.status != "empty" and not r.conforms],
        }


def readable(us: int, *, working: bool) -> Amount:
    """Return a length of time rounded to an amount that people read: minutes, hours from one hour, days from two days.

    >>> readable(5_400_000_000, working=True).text("en")
    '1.5 working hours'

    Open hours make no days: how many days they fill depends on the calendar.
    """
    if us < HOUR_US:
        return Amount(round(us / MINUTE_US), "wm" if working else "m")
    if working or us < 2 * DAY_US:
        return Amount(_tenths(us, HOUR_US), "wh" if working else "h")
    return Amount(_tenths(us, DAY_US), "d")


def _tenths(us: int, unit_us: int) -> Decimal:
    return Decimal(round(us * 10 / unit_us)) / 10


def _counted(names: Iterator[str]) -> Counts:
    counts = Counter(names)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _variant(activities: tuple[str, ...], results: Sequence[CaseResult]) -> Variant:
    deviating = sum(not result.conforms for result in results)
    return Variant(activities, len(results), deviating, sum(len(result.deviations) for result in results))


def _iso(us: int | None) -> str | None:
    return None if us is None else to_datetime(us).isoformat()


def _limit_json(limit: LimitResult) -> dict[str, object]:
    median, p95 = limit.overrun(0.5), limit.overrun(0.95)
    return {
        "limit": limit.limit,
        "judged": limit.judged,
        "met": limit.met,
        "breached": limit.breached,
        "share": limit.share,
        "open": limit.open,
        "cancelled": limit.cancelled,
        "overruns": len(limit.overruns_us),
        "overrun_median": None if median is None else str(median),
        "overrun_p95": None if p95 is None else str(p95),
    }


def _case_json(result: CaseResult) -> dict[str, object]:
    return {
        "case": result.case,
        "status": result.status,
        "outcome": result.outcome,
        "deviations": [_deviation_json(deviation) for deviation in result.deviations],
        "not_replayed": [{"rule": rule, "activity": activity} for rule, activity in result.missed],
    }


def _deviation_json(deviation: Deviation) -> dict[str, object]:
    return {
        "kind": deviation.kind,
        "severity": deviation.severity,
        "step": deviation.step,
        "role": deviation.role,
        "actor": deviation.actor,
        "occurred_at": _iso(deviation.occurred_us),
        "trigger": deviation.trigger,
        "limit": deviation.limit,
        "visit": deviation.visit,
        "due_at": _iso(deviation.due_us),
        "overrun_us": deviation.overrun_us,
        "detail": dict(deviation.detail),
    }


def table(conformance: Conformance, lang: Lang) -> str:
    """Return the tables of a conformance, those without rows left out."""
    parts = (
        f"{title.in_(lang)}\n{grid(rows, left=_WAY if title is _WAYS else 0)}"
        for title, rows in _tables(conformance, lang)
    )
    return "\n\n".join((_headline(conformance, lang), *parts)) + "\n"


def _headline(conformance: Conformance, lang: Lang) -> str:
    """Return what the figures rest on; where nothing was judged, that they show nothing."""
    share, count = conformance.mapped_share, f"{conformance.judged:,}"
    # Rounded down: 99.96 % of the events are not all of them.
    mapped = "0" if share is None else f"{math.floor(share * 1_000) / 10:g}"
    basis = Text(
        zh=f"{mapped} % 的事件已对应，判定了 {count} 个案例",
        en=f"{mapped} % of events mapped, {count} {'case' if conformance.judged == 1 else 'cases'} judged",
    )
    lines = [basis.in_(lang)]
    if not conformance.judged:
        lines.append(_NOTHING_JUDGED.in_(lang))
    return "\n".join(lines)


def _tables(conformance: Conformance, lang: Lang) -> Iterator[tuple[Text, _Rows]]:
    yield Text(zh="概况", en="Overview"), _overview(conformance, lang)
    named = (
        (Text(zh="偏差（按种类）", en="Deviations by kind"), conformance.by_kind, DEVIATIONS),
        (
            Text(zh="偏差（按环节）", en="Deviations by step"),
            conformance.by_step,
            _steps(conformance.procedure),
        ),
        (
            Text(zh="偏差（按岗位）", en="Deviations by role"),
            conformance.by_role,
            _roles(conformance.procedure),
        ),
    )
    for title, counts, names in named:
        if counts:
            yield title, [[_name(names, key, lang), str(count)] for key, count in counts.items()]
    limits = [limit for limit in conformance.limits if limit.judged or limit.open]
    if limits:
        yield Text(zh="时限", en="Limits"), _limits(limits, lang)
    worst = [variant for variant in conformance.variants[:_VARIANTS] if variant.deviating]
    if worst:
        yield _WAYS, _variants(worst, lang)
    if conformance.not_replayed:
        yield Text(zh="未能重演的事件", en="Events not replayed"), _not_replayed(conformance, lang)
    plain = (
        (Text(zh="未对应的活动", en="Unmapped activities"), conformance.unmapped),
        (Text(zh="按对照表忽略的活动", en="Activities ignored on purpose"), conformance.ignored),
        (Text(zh="非完成事件", en="Events of other lifecycles"), conformance.unfinished),
    )
    for title, counts in plain:
        if counts:
            yield title, [[key, str(count)] for key, count in counts.items()]
    yield from _remarks(conformance, lang)


def _remarks(conformance: Conformance, lang: Lang) -> Iterator[tuple[Text, _Rows]]:
    """Yield the flaws of the log, and what could not be judged by it."""
    if conformance.flaws:
        yield Text(zh="日志的瑕疵", en="Flaws of the log"), [[flaw.text(lang)] for flaw in conformance.flaws]
    not_in_log = [
        [_NOT_IN_LOG[rule].in_(lang), str(count)]
        for rule, count in conformance.unjudged_rules.items()
        if count
    ]
    if not_in_log:
        yield (
            Text(zh="未判断的流转（日志没有载明）", en="Moves not judged (the log does not tell)"),
            not_in_log,
        )
    if conformance.unjudged:
        title = Text(
            zh="未判断的必填字段（对照表不含数据）", en="Required fields not judged (no data mapped)"
        )
        yield title, [[", ".join(conformance.unjudged)]]


def _overview(conformance: Conformance, lang: Lang) -> _Rows:
    statuses = [(CASE_STATUSES[name], count) for name, count in conformance.statuses.items() if count]
    rows = [
        (Text(zh="案例", en="cases"), str(conformance.cases)),
        *((Text(zh=f"其中{name.zh}", en=f"of these {name.en}"), str(count)) for name, count in statuses),
        (Text(zh="事件", en="events"), str(conformance.events)),
        (
            Text(zh="符合的案例", en="conforming cases"),
            f"{conformance.conforming} ({_percent(conformance.conforming, conformance.replayed)})",
        ),
        (Text(zh="时间倒置的事件", en="events put in order of time"), str(conformance.reordered)),
    ]
    if conformance.ended_at is not None:
        last = conformance.ended_at.astimezone(ZoneInfo(conformance.zone)).isoformat(" ", "seconds")
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
    for variant in variants:
        counts = (variant.cases, variant.deviating, variant.deviations)
        rows.append([*map(str, counts), " → ".join(variant.activities)])
    return rows


def _not_replayed(conformance: Conformance, lang: Lang) -> _Rows:
    return [
        [f"{activity} ({_name(RULES, rule, lang)})", str(count)]
        for (rule, activity), count in conformance.not_replayed.items()
    ]


def _steps(procedure: Procedure) -> Mapping[str, Text]:
    return {name: step.name for name, step in procedure.all_steps.items()}


def _roles(procedure: Procedure) -> Mapping[str, Text]:
    return {name: role.name for name, role in procedure.roles.items()}


def _name(names: Mapping[str, Text], key: str, lang: Lang) -> str:
    name = names.get(key)
    return name.in_(lang) if name else key or "—"


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "—"
