"""Notes on limits under a map: what no box can show of them, and the limits that are in no box."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.map_scene import Note
from svcflow.drawing.scene.rule_notes import called, fields_named, joined
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.guard_wording import guard_text
from svcflow.model.limit import Extension, Row, Rung, TimeLimit, step_of
from svcflow.model.limit_locations import limits_over
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, walk
from svcflow.model.target import Target
from svcflow.model.wording import move_instant_text, rung_text, target_text, terms_text
from svcflow.text import Text
from svcflow.wording import SEVERITIES, word

_START, _END = Text(zh="开始", en="start"), Text(zh="结束", en="end")
_ON_CHANGE: Mapping[str, Text] = {
    "from_now": Text(zh="数据变更后重新计算", en="counted anew when the data change"),
    "from_start": Text(zh="数据变更后仍从起点计算", en="counted from its start when the data change"),
}


def limit_notes(procedure: Procedure, number: Mapping[str, str]) -> Iterator[Note]:
    """Yield a note for each limit that a box does not say in full; steps are called by their numbers.

    A box says of a length of time how long it is. Every other kind, rows by cases, ladders and extensions are noted.
    """
    for limit in procedure.limits:
        yield Note(head=_scope(procedure, limit, number), body=_body(procedure, limit))
    for step in walk(procedure.steps):
        if step.then is not None and (step.then.match or step.then.calendar or step.then.source):
            yield Note(head=called(step, number), body=_automatic(procedure, step.then))
        alone = len(limits_over(procedure, step)) == 1
        for limit in step.time_limits:
            body = _body(procedure, limit)
            if not alone or not _is_plain(limit) or body != _cases(limit, procedure.fields):
                yield Note(head=_called(step, limit, number), body=body)


def _is_plain(limit: TimeLimit) -> bool:
    """Return whether a limit is a length of time and nothing else that its rows tell."""
    return len(limit.rows) == 1 and limit.rows[0].within is not None and not terms_text(limit)


def _called(step: Step, limit: TimeLimit, number: Mapping[str, str]) -> Text:
    name, at = phrases.name_of(limit.name, step.id), number.get(step.id, "")
    return Text(zh=f"{at} {name.zh or name.en}", en=f"{at} {name.en or name.zh}")


def _body(procedure: Procedure, limit: TimeLimit) -> Text:
    """Return what a limit demands, who is told, what follows, what may prolong it and what it rests on."""
    parts = [_cases(limit, procedure.fields), *_terms(procedure, limit)]
    for rungs, kind in ((limit.warn, phrases.WARNING), (limit.escalate, phrases.ESCALATION)):
        if rungs:
            points = [_rung(procedure, rung) for rung in rungs]
            zh, en = "、".join(point.zh for point in points), ", ".join(point.en for point in points)
            parts.append(Text(zh=f"{kind.zh}：{zh}", en=f"{kind.en} {en}"))
    if limit.on_overdue is not None:
        move = _trigger(procedure, limit.on_overdue)
        parts.append(Text(zh=f"{phrases.OVERDUE.zh}：{move.zh}", en=f"{phrases.OVERDUE.en}: {move.en}"))
    if limit.extension is not None:
        parts.append(_extension(procedure, limit.extension))
    if limit.source is not None:
        parts.append(_resting_on(limit.source))
    return joined(parts, "；", "; ")


def _terms(procedure: Procedure, limit: TimeLimit) -> Iterator[Text]:
    """Yield what a limit says of how it is counted and of what a breach of it is."""
    if limit.done_by is not None:
        done = _trigger(procedure, limit.done_by)
        yield Text(zh=f"以{done.zh}计", en=f"counted by {done.en}")
    if limit.calendar is not None:
        yield _on_calendar(limit.calendar)
    if limit.recipient_facing:
        yield Text(zh="向服务对象承诺", en="promised to the recipient")
    if limit.severity != "minor":
        severity = word(SEVERITIES, limit.severity)
        yield Text(zh=f"违反属{severity.zh}", en=f"a breach is {severity.en}")
    if not limit.stoppable and not step_of(limit.id)[1]:
        yield Text(zh="不停止计时", en="never stopped")
    if limit.on_change is not None:
        yield _ON_CHANGE[limit.on_change]


def _extension(procedure: Procedure, extension: Extension) -> Text:
    by, role = extension.by, _role(procedure, extension.role)
    owed = fields_named(extension.evidence, procedure)
    zh, en = "，".join(filter(None, (role.zh, owed.zh))), ", ".join(filter(None, (role.en, owed.en)))
    return Text(
        zh=f"可延长 {by.text('zh')}{zh and f'（{zh}）'}",
        en=f"may be prolonged by {by.text('en')}{en and f' ({en})'}",
    )


def _automatic(procedure: Procedure, move: AutomaticMove) -> Text:
    """Return when a step moves on by itself, by cases, on whose calendar and on what it rests."""
    name = _trigger(procedure, move.fire)
    parts = [_automatic_case(move, row, procedure.fields) for row in move.rows]
    parts += [_on_calendar(move.calendar)] if move.calendar is not None else []
    parts += [_resting_on(move.source)] if move.source is not None else []
    when = joined(parts, "；", "; ")
    return Text(zh=f"自动{name.zh}：{when.zh}", en=f"{name.en} by itself: {when.en}")


def _automatic_case(move: AutomaticMove, row: MoveInstant, fields: Mapping[str, Field]) -> Text:
    target = row.row.target
    assert target is not None  # noqa: S101  # a row has `after` or `at`
    case = Text(zh=move_instant_text(target, fields, "zh"), en=move_instant_text(target, fields, "en"))
    return _of_case(case, row.when, row.source if move.match else None, fields, alone=len(move.rows) == 1)


def _on_calendar(calendar: str) -> Text:
    return Text(zh=f"日历 {calendar}", en=f"calendar {calendar}")


def _resting_on(source: str) -> Text:
    return Text(zh=f"依据 {source}", en=f"source {source}")


def _rung(procedure: Procedure, rung: Rung) -> Text:
    at, role, action = rung_text(rung.at), _role(procedure, rung.role), rung.action or ""
    zh, en = "，".join(filter(None, (role.zh, action))), ", ".join(filter(None, (role.en, action)))
    return Text(zh=f"{at.zh}{zh and f'（{zh}）'}", en=f"{at.en}{en and f' ({en})'}")


def _role(procedure: Procedure, role: str | None) -> Text:
    if role is None:
        return Text()
    name = phrases.name_of(procedure.roles[role].name, role)
    return Text(zh=name.zh or name.en, en=name.en or name.zh)


def _scope(procedure: Procedure, limit: TimeLimit, number: Mapping[str, str]) -> Text:
    name = phrases.name_of(limit.name, limit.id)
    if limit.step is not None:
        place = number.get(limit.step, "")
        return Text(zh=f"{place} {name.zh or name.en}".strip(), en=f"{place} {name.en or name.zh}".strip())
    steps = procedure.all_steps
    last = _trigger(procedure, limit.to_trigger) if limit.to_trigger else _END
    ends = [
        called(steps[key], number) if key and key in steps else edge
        for key, edge in ((limit.from_, _START), (limit.to, last))
    ]
    zh, en = (" → ".join(end.in_(lang) for end in ends) for lang in ("zh", "en"))
    return Text(zh=f"{name.zh or name.en}（{zh}）", en=f"{name.en or name.zh} ({en})")


def _trigger(procedure: Procedure, trigger: str) -> Text:
    """Return the name of a trigger in quotes: that of its first move which has one."""
    moves = (move for step in walk(procedure.steps) for move in step.to if move.trigger == trigger)
    name = next((move.name for move in moves if move.name), Text())
    called = phrases.trigger_text(trigger, name)
    return Text(zh=f"“{called.zh or called.en}”", en=f"“{called.en or called.zh}”")


def _target(target: Target | None, fields: Mapping[str, Field]) -> Text:
    if target is None:
        return Text(zh="无时限", en="no limit")
    most = "≤ " if target.kind == "within" else ""
    return Text(
        zh=f"{most}{target_text(target, fields, 'zh')}", en=f"{most}{target_text(target, fields, 'en')}"
    )


def _cases(limit: TimeLimit, fields: Mapping[str, Field]) -> Text:
    cases = [_case(limit, row, fields) for row in limit.rows]
    terms = terms_text(limit)
    return joined([*cases, terms] if terms else cases, "；", "; ")


def _case(limit: TimeLimit, row: Row, fields: Mapping[str, Field]) -> Text:
    case = _target(row.target, fields)
    if row.calendar is not None:
        case = Text(zh=f"{case.zh}（日历 {row.calendar}）", en=f"{case.en} (calendar {row.calendar})")
    return _of_case(case, row.when, row.source if limit.match else None, fields, alone=len(limit.rows) == 1)


def _of_case(
    case: Text, when: Guard | None, source: str | None, fields: Mapping[str, Field], *, alone: bool
) -> Text:
    """Return one row of a matrix: for which instances it holds, and what it rests on."""
    if source is not None:
        case = Text(zh=f"{case.zh}（{source}）", en=f"{case.en} ({source})")
    if when is not None:
        guard = guard_text(when, fields)
        return Text(zh=f"[{guard.zh}] {case.zh}", en=f"[{guard.en}] {case.en}")
    return case if alone else Text(zh=f"其余 {case.zh}", en=f"otherwise {case.en}")
