"""Tables of instances, deadlines, deviations and triggers, and the line of one instance, as several commands show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from svcflow.cli.engine import Answers
from svcflow.cli.json import answer_command
from svcflow.cli.language import Tongue
from svcflow.cli.names import NamesOf, ProcedureNames, names_in, versions_of
from svcflow.cli.output import paragraphs
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.assignees import assignee_of
from svcflow.kernel.lifecycle.deviations import STATUS_AFTER, Answer, Deviation
from svcflow.kernel.moves.availability import Available
from svcflow.kernel.timing.coming_moves import ComingMove
from svcflow.kernel.timing.deadlines import Deadline
from svcflow.runtime.engine import Engine
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import DEVIATION_STATUSES, DEVIATIONS, LIMIT_STATES, SEVERITIES, word

__all__ = [
    "actor_text",
    "available_table",
    "coming_move_table",
    "deadline_table",
    "deviation_table",
    "instance_line",
    "instance_table",
    "new_deviations_text",
    "over",
]

_NO_ANSWERS: Answers = {}

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
_MOVE = Text(zh="流转", en="Move")
_TIMER = Text(zh="explain 用名", en="Name for explain")
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
_RECORDED = Text(zh="此次记录的偏差", en="Deviations recorded by this command")
_NEXT = {
    "explain": Text(zh="说明原因：", en="say why it came about: "),
    "accept": Text(zh="再由另一人认可或不认可：", en="then somebody else accepts or rejects it: "),
}
_NOTHING = Text(zh="无", en="nothing")
"""What is over by nothing where the deadline moves by itself, or the clock never stands still: not an instant."""


def instance_table(
    instances: Iterable[Instance],
    names_of: NamesOf,
    lang: Tongue,
    due_at: Callable[[Instance], datetime | None] | None = None,
) -> str:
    """Return the table of instances; `due_at` returns the soonest deadline that runs for one."""
    rows = []
    for instance in instances:
        names = names_of(instance.procedure, instance.version)
        rows.append(
            (
                instance.id,
                names.title(),
                names.status(instance),
                names.steps(instance.steps),
                names.when(instance.started_at),
                "" if due_at is None else names.when(due_at(instance)),
            )
        )
    heads = _heads(lang, _INSTANCE, _PROCEDURE, _STATUS, _STEP, _STARTED, _DUE)
    return table(heads, rows, whole=(heads[0], *heads[4:]))


def deadline_table(
    deadlines: Iterable[Deadline],
    names_of: Callable[[Deadline], ProcedureNames],
    lang: Tongue,
    *,
    whose: bool = True,
) -> str:
    """Return the table of deadlines: with `whose` each with its instance, without each with the state of its clock."""
    rows = [_deadline(deadline, names_of(deadline), whose=whose) for deadline in deadlines]
    return table(
        _heads(lang, _INSTANCE, _LIMIT, _ALLOWED, _STATE, _DUE, _LEFT),
        rows,
        right=_heads(lang, _ALLOWED, _LEFT),
    )


def coming_move_table(moves: Iterable[ComingMove], names: ProcedureNames) -> str:
    """Return the table of the automatic moves of one instance that are to come."""
    rows = [
        (
            names.step(move.step),
            names.trigger(move.trigger, move.step),
            names.when(move.at) or "—",
            move.timer,
        )
        for move in moves
    ]
    return table(_heads(names.lang, _STEP, _MOVE, _WHEN, _TIMER), rows)


def deviation_table(
    deviations: Iterable[Deviation],
    names_of: NamesOf,
    lang: Tongue,
    answers: Answers = _NO_ANSWERS,
    *,
    whose: bool = True,
) -> str:
    """Return the table of deviations with their answers; with `whose` the instance stands before the number."""
    rows = [
        _deviation(
            deviation,
            names_of(deviation.procedure, deviation.version),
            answers.get((deviation.instance, deviation.sequence), ()),
            whose=whose,
        )
        for deviation in deviations
    ]
    numbered = _NUMBERED if whose else _NUMBER
    heads = _heads(lang, _WHEN, numbered, _KIND, _SEVERITY, _WHERE, _OVER, _REASON)
    return table(heads, rows, right=_heads(lang, _OVER), whole=_heads(lang, _WHEN, numbered), flows=True)


def available_table(available: Iterable[Available], names: ProcedureNames) -> str:
    """Return the table of triggers: where each leads, by whom and with what it is fired, or why it is closed."""
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
    return table(heads, [_available(trigger, names) for trigger in available], flows=True)


def new_deviations_text(engine: Engine, deviations: Sequence[Deviation], lang: Tongue) -> str:
    """Return the deviations that a command recorded and the commands that answer to the first; nothing without any."""
    if not deviations:
        return ""
    grid = deviation_table(deviations, names_in(engine, versions_of(deviations), lang), lang, whose=False)
    hints = "\n".join(
        f"  → {what.in_(lang)}{answer_command(verb, deviations[0]).in_(lang)}" for verb, what in _NEXT.items()
    )
    return paragraphs((f"{_RECORDED.in_(lang)}\n{grid}", hints))


def instance_line(instance: Instance, names: ProcedureNames, now_us: int) -> str:
    """Return one line: id, procedure, status, steps and their assignees, revision."""
    reason = names.reason(instance.hold) if instance.hold else ""
    hold = Text(zh=f"（{reason}）", en=f" ({reason})").in_(names.lang) if reason else ""
    steps = names.joined(
        _assigned(step, assignee_of(instance, step, now_us), names) for step in instance.steps
    )
    head = f"{instance.id}  {names.title()}  {names.status(instance)}{hold}"
    zh = f"{head}：{steps}（修订号 {instance.revision}）"
    return Text(zh=zh, en=f"{head}: {steps} (revision {instance.revision})").in_(names.lang)


def actor_text(fact: Fact, lang: Tongue) -> str:
    """Return who acted, and for whom."""
    if not fact.behalf:
        return fact.actor
    return Text(zh=f"{fact.actor} 代 {fact.behalf}", en=f"{fact.actor} for {fact.behalf}").in_(lang)


def _assigned(step: str, assignee: str, names: ProcedureNames) -> str:
    """Return the name of a step, with its assignee if there is one."""
    name = names.step(step)
    if not assignee:
        return name
    return Text(zh=f"{name}（{assignee} 办理）", en=f"{name} (with {assignee})").in_(names.lang)


def _answer(answer: Answer, lang: Tongue) -> str:
    """Return who answered what to a deviation: `explained by li: the lift stood still`."""
    status, actor = word(DEVIATION_STATUSES, STATUS_AFTER[type(answer)]).in_(lang), actor_text(answer, lang)
    return Text(zh=f"{status}（{actor}）：{answer.reason}", en=f"{status} by {actor}: {answer.reason}").in_(
        lang
    )


def _heads(lang: Tongue, *heads: Text) -> Sequence[str]:
    return [head.in_(lang) for head in heads]


def _deadline(deadline: Deadline, names: ProcedureNames, *, whose: bool) -> tuple[str, ...]:
    left = ""
    if deadline.remaining is not None:
        left = names.length(deadline.remaining, deadline.limit)
        if deadline.state == "overdue":
            late = Text(zh=f"超 {left}", en=f"over {left}") if deadline.remaining else _CLOSED
            left = late.in_(names.lang)
    state = word(LIMIT_STATES, deadline.state).in_(names.lang)
    if (
        deadline.target.kind == "every" and deadline.state == "met"
    ):  # of those before, some may have been missed
        state = _LAST_MET.in_(names.lang)
    return (
        deadline.instance if whose else "",
        names.limit(deadline.limit),
        _allowed(deadline, names),
        "" if whose else state,
        _due(deadline, names) or (state if whose else ""),
        left,
    )


def _allowed(deadline: Deadline, names: ProcedureNames) -> str:
    """Return the wording of what is allowed, with the version where another one promised it."""
    allowed = names.target(deadline.target).replace(" of 24 h", "")
    if deadline.version in (0, names.procedure.version):
        return allowed
    return Text(zh=f"{allowed}（第 {deadline.version} 版）", en=f"{allowed} (v{deadline.version})").in_(
        names.lang
    )


def _due(deadline: Deadline, names: ProcedureNames) -> str:
    """Return when a deadline falls; one past what its calendar covers carries a mark."""
    return f"{names.when(deadline.due_at)}{' ?' if deadline.provisional else ''}"


def _deviation(
    deviation: Deviation, names: ProcedureNames, answers: Sequence[Answer], *, whose: bool
) -> tuple[str, ...]:
    return (
        names.when(deviation.occurred_at),
        f"{deviation.instance} {deviation.sequence}" if whose else str(deviation.sequence),
        DEVIATIONS[deviation.kind].in_(names.lang),
        word(SEVERITIES, deviation.severity).in_(names.lang),
        names.limit(deviation.limit) if deviation.limit else names.step(deviation.step),
        over(deviation, names),
        _why(deviation, names, answers),
    )


def _why(deviation: Deviation, names: ProcedureNames, answers: Sequence[Answer]) -> str:
    """Return the reason that was given, what is missing, or when it was to begin; then the answers."""
    reason = deviation.reason or ", ".join(
        names.field(str(name))
        for name in (*deviation.detail.get("missing", ()), *deviation.detail.get("fields", ()))
    )
    if deviation.kind == "missed_start":
        reason = names.when(deviation.due_at)
    stop = "；" if names.lang == "zh" else "; "
    return stop.join(filter(None, (reason, *(_answer(answer, names.lang) for answer in answers))))


def over(deviation: Deviation, names: ProcedureNames) -> str:
    """Return by how much a limit was missed; annulled where its end, recorded late, was in time.

    Of a minimum that ended early it is what was lacking, of a missed occurrence nothing.
    """
    if deviation.annulled:
        return Text(zh="撤销：其实按时", en="annulled: in time").in_(names.lang)
    if deviation.kind == "too_early":
        return _lacking(deviation, names)
    if deviation.kind == "missed_occurrence":
        return ""
    if deviation.overrun == timedelta(0):
        return (_NOTHING if names.is_over_at_once(deviation.limit) else _CLOSED).in_(names.lang)
    if deviation.overrun is not None:
        return names.length(deviation.overrun, deviation.limit)
    return (Text(zh="尚未完成", en="still open").in_(names.lang)) if deviation.limit else ""


def _lacking(deviation: Deviation, names: ProcedureNames) -> str:
    short_us = deviation.detail.get("short_us")
    if short_us is None:  # recorded before it was measured
        return ""
    if not short_us:
        return _CLOSED.in_(names.lang)
    length = names.length(timedelta(microseconds=short_us), deviation.limit)
    return Text(zh=f"差 {length}", en=f"{length} short").in_(names.lang)


def _owed(name: str, names: ProcedureNames) -> str:
    """Return the name of a field or evidence that a move owes, with its key."""
    title = names.field(name)
    return name if title == name or names.lang == "en" else f"{title} {name}"


def _available(available: Available, names: ProcedureNames) -> tuple[str, ...]:
    procedure = names.procedure
    step = procedure.all_steps[available.step]
    role = next((m.role for m in step.to if m.trigger == available.trigger and m.role), step.role) or ""
    return (
        available.trigger,
        available.name.in_(names.lang),
        names.step(available.to),
        f"{names.role(role)} {role}" if role and names.lang == "zh" else role,
        names.joined(
            _owed(name, names) for name in dict.fromkeys((*available.requires, *available.evidence))
        ),
        "" if available.open else available.why.in_(names.lang),
    )
