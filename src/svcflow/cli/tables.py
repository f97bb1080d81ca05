"""The tables of instances, deadlines, deviations and open triggers, as several commands show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from svcflow.cli.language import Tongue
from svcflow.cli.names import Names
from svcflow.cli.replies import Replies, replies_text
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import Answer, Deviation
from svcflow.kernel.moves.availability import Available
from svcflow.kernel.timing.deadlines import Deadline
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import DEVIATIONS, LIMIT_STATES, SEVERITIES, word

__all__ = ["NamesOf", "available_table", "deadline_table", "deviation_table", "instance_table"]

_NO_REPLIES: Replies = {}
NamesOf = Callable[[str, int], Names]

_INSTANCE = Text(zh="实例", en="Instance")
_PROCEDURE = Text(zh="流程", en="Procedure")
_STATUS = Text(zh="状态", en="Status")
_STEP = Text(zh="环节", en="Step")
_STARTED = Text(zh="开始", en="Started")
_LIMIT = Text(zh="时限", en="Limit")
_DUE = Text(zh="截止", en="Due")
_LEFT = Text(zh="剩余", en="Left")
_STATE = Text(zh="计时", en="Clock")
_WHEN = Text(zh="时间", en="When")
_KIND = Text(zh="偏差", en="Deviation")
_SEVERITY = Text(zh="程度", en="Severity")
_WHERE = Text(zh="环节或时限", en="Step or limit")
_OVER = Text(zh="超出", en="Over by")
_REASON = Text(zh="说明", en="Reason")
_NUMBER = Text(zh="序号", en="No.")
_NUMBERED = Text(zh="实例与序号", en="Instance, no.")
_ALLOWED = Text(zh="规定", en="Allowed")
_CLOSED = Text(zh="仅在非工作时间", en="closed hours only")
"""What is over by nothing: no working time has passed since the deadline."""
_LAST_MET = Text(zh="末次按时", en="last one met")
_NOTHING = Text(zh="无", en="nothing")
"""What is over by nothing where the deadline moves by itself, or the clock never stands still: not an instant."""


def instance_table(
    found: Iterable[Instance],
    names_of: NamesOf,
    lang: Tongue,
    due_at: Callable[[Instance], datetime | None] | None = None,
) -> str:
    """Return the table of instances, with `due_at` each with the soonest deadline that runs."""
    rows = []
    for one in found:
        names = names_of(one.procedure, one.version)
        rows.append(
            (
                one.id,
                names.title(),
                names.status(one),
                names.steps(one.steps),
                names.when(one.started_at),
                "" if due_at is None else names.when(due_at(one)),
            )
        )
    heads = _heads(lang, _INSTANCE, _PROCEDURE, _STATUS, _STEP, _STARTED, _DUE)
    return table(heads, rows, whole=(heads[0], *heads[4:]))


def deadline_table(
    found: Iterable[Deadline], names_of: Callable[[Deadline], Names], lang: Tongue, *, whose: bool = True
) -> str:
    """Return the table of deadlines; `whose` says to name the instance, and leaves the state of the clock out."""
    rows = [_deadline(one, names_of(one), whose=whose) for one in found]
    return table(
        _heads(lang, _INSTANCE, _LIMIT, _ALLOWED, _STATE, _DUE, _LEFT),
        rows,
        right=_heads(lang, _ALLOWED, _LEFT),
    )


def deviation_table(
    found: Iterable[Deviation],
    names_of: NamesOf,
    lang: Tongue,
    replies: Replies = _NO_REPLIES,
    *,
    whose: bool = True,
) -> str:
    """Return the table of deviations; `whose` says to name the instance before the number."""
    rows = [
        _deviation(
            one,
            names_of(one.procedure, one.version),
            replies.get((one.instance, one.sequence), ()),
            whose=whose,
        )
        for one in found
    ]
    numbered = _NUMBERED if whose else _NUMBER
    heads = _heads(lang, _WHEN, numbered, _KIND, _SEVERITY, _WHERE, _OVER, _REASON)
    return table(heads, rows, right=_heads(lang, _OVER), whole=_heads(lang, _WHEN, numbered), flows=True)


def available_table(found: Iterable[Available], names: Names) -> str:
    """Return the table of triggers: what may be fired, by whom, with what; or why not."""
    lang = names.lang
    heads = _heads(
        lang,
        Text(zh="命令", en="Trigger"),
        Text(zh="名称", en="Name"),
        Text(zh="到", en="To"),
        Text(zh="岗位", en="Role"),
        Text(zh="须提供", en="Owes"),
        Text(zh="不可办理的原因", en="Closed because"),
    )
    return table(heads, [_available(one, names) for one in found], flows=True)


def _heads(lang: Tongue, *heads: Text) -> Sequence[str]:
    return [head.in_(lang) for head in heads]


def _deadline(one: Deadline, names: Names, *, whose: bool) -> tuple[str, ...]:
    left = ""
    if one.remaining is not None:
        left = names.length(one.remaining, one.limit)
        if one.state == "overdue":
            late = Text(zh=f"超 {left}", en=f"over {left}") if one.remaining else _CLOSED
            left = late.in_(names.lang)
    state = word(LIMIT_STATES, one.state).in_(names.lang)
    if one.target.kind == "every" and one.state == "met":  # of those before, some may have been missed
        state = _LAST_MET.in_(names.lang)
    return (
        one.instance if whose else "",
        names.limit(one.limit),
        _allowed(one, names),
        "" if whose else state,
        _due(one, names) or (state if whose else ""),
        left,
    )


def _allowed(one: Deadline, names: Names) -> str:
    """Word what is allowed; what another version promised names it."""
    said = names.target(one.target).replace(" of 24 h", "")
    if one.version in (0, names.procedure.version):
        return said
    return Text(zh=f"{said}（第 {one.version} 版）", en=f"{said} (v{one.version})").in_(names.lang)


def _due(one: Deadline, names: Names) -> str:
    """Write a deadline; one past what its calendar covers carries a mark."""
    return f"{names.when(one.due_at)}{' ?' if one.provisional else ''}"


def _deviation(one: Deviation, names: Names, replies: Sequence[Answer], *, whose: bool) -> tuple[str, ...]:
    return (
        names.when(one.occurred_at),
        f"{one.instance} {one.sequence}" if whose else str(one.sequence),
        DEVIATIONS[one.kind].in_(names.lang),
        word(SEVERITIES, one.severity).in_(names.lang),
        names.limit(one.limit) if one.limit else names.step(one.step),
        over(one, names),
        _why(one, names, replies),
    )


def _why(one: Deviation, names: Names, replies: Sequence[Answer]) -> str:
    """Say what was given as the reason or is missing, and who answered what since."""
    said = one.reason or ", ".join(names.field(str(name)) for name in one.detail.get("missing", ()))
    stop = "；" if names.lang == "zh" else "; "
    return stop.join(filter(None, (said, replies_text(replies, names.lang))))


def over(one: Deviation, names: Names) -> str:
    """Word by how much a limit was missed; one whose end, recorded late, was in time is marked as annulled.

    A minimum that was ended early is told by what was lacking; an occurrence that was missed has no end.
    """
    if one.annulled:
        return Text(zh="撤销：其实按时", en="annulled: in time").in_(names.lang)
    if one.kind == "too_early":
        return _lacking(one, names)
    if one.kind == "missed_occurrence":
        return ""
    if one.overrun == timedelta(0):
        return (_NOTHING if names.is_over_at_once(one.limit) else _CLOSED).in_(names.lang)
    if one.overrun is not None:
        return names.length(one.overrun, one.limit)
    return (Text(zh="尚未完成", en="still open").in_(names.lang)) if one.limit else ""


def _lacking(one: Deviation, names: Names) -> str:
    short_us = one.detail.get("short_us")
    if short_us is None:  # recorded before it was measured
        return ""
    if not short_us:
        return _CLOSED.in_(names.lang)
    length = names.length(timedelta(microseconds=short_us), one.limit)
    return Text(zh=f"差 {length}", en=f"{length} short").in_(names.lang)


def _owed(name: str, names: Names) -> str:
    """Name what a move owes, with the key it is given by."""
    said = names.field(name)
    return name if said == name or names.lang == "en" else f"{said} {name}"


def _available(one: Available, names: Names) -> tuple[str, ...]:
    procedure = names.procedure
    step = procedure.all_steps[one.step]
    role = next((m.role for m in step.to if m.trigger == one.trigger and m.role), step.role) or ""
    return (
        one.trigger,
        one.name.in_(names.lang),
        names.step(one.to),
        f"{names.role(role)} {role}" if role and names.lang == "zh" else role,
        names.joined(_owed(name, names) for name in dict.fromkeys((*one.requires, *one.evidence))),
        "" if one.open else one.why.in_(names.lang),
    )
