"""Notes on limits under a map: what no box can show of them, and the limits that are in no box."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.map_scene import Note
from svcflow.model.field import Field
from svcflow.model.guard_wording import guard_text
from svcflow.model.limit import Rung, TimeLimit
from svcflow.model.limit_locations import limits_over
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, walk
from svcflow.model.target import Target
from svcflow.model.wording import rung_text, target_text, terms_text
from svcflow.text import Text
from svcflow.wording import HOLDS, word


def limit_notes(procedure: Procedure, number: Mapping[str, str]) -> Iterator[Note]:
    """Yield a note for each limit that a box does not say in full; steps are called by their numbers.

    A box says of a length of time how long it is. Every other kind, rows by cases, ladders and extensions are noted.
    """
    for limit in procedure.limits:
        yield Note(head=_scope(procedure, limit, number), body=_body(procedure, limit, apart=True))
    for step in walk(procedure.steps):
        alone = len(limits_over(procedure, step)) == 1
        for limit in step.time_limits:
            body = _body(procedure, limit, apart=False)
            if not alone or not _is_plain(limit) or body != _cases(limit, procedure.fields):
                yield Note(head=_called(step, limit, number), body=body)
    for rule in procedure.holds:
        if rule.at_most is not None:
            reason = word(HOLDS, rule.reason)
            yield Note(
                head=Text(zh=f"暂停（{reason.zh}）", en=f"Hold ({reason.en})"),
                body=Text(zh=f"≤ {rule.at_most.text('zh')}", en=f"≤ {rule.at_most.text('en')}"),
            )


def _is_plain(limit: TimeLimit) -> bool:
    """Return whether a limit is a length of time and nothing else that its rows tell."""
    return len(limit.rows) == 1 and limit.rows[0].within is not None and not terms_text(limit)


def _called(step: Step, limit: TimeLimit, number: Mapping[str, str]) -> Text:
    name, at = phrases.name_of(limit.name, step.id), number.get(step.id, "")
    return Text(zh=f"{at} {name.zh or name.en}", en=f"{at} {name.en or name.zh}")


def _body(procedure: Procedure, limit: TimeLimit, *, apart: bool) -> Text:
    """Return what a limit demands, and who is told, what follows and what may prolong it.

    The move made on overdue is drawn on its line, but for a limit `apart` from the steps.
    """
    parts = [_cases(limit, procedure.fields)]
    if limit.done_by is not None:
        done = _trigger(procedure, limit.done_by)
        parts.append(Text(zh=f"以{done.zh}计", en=f"counted by {done.en}"))
    for rungs, kind in ((limit.warn, phrases.WARNING), (limit.escalate, phrases.ESCALATION)):
        if rungs:
            points = [_rung(procedure, rung) for rung in rungs]
            zh, en = "、".join(point.zh for point in points), ", ".join(point.en for point in points)
            parts.append(Text(zh=f"{kind.zh}：{zh}", en=f"{kind.en} {en}"))
    if apart and limit.on_overdue is not None:
        move = _trigger(procedure, limit.on_overdue)
        parts.append(Text(zh=f"{phrases.OVERDUE.zh}：{move.zh}", en=f"{phrases.OVERDUE.en}: {move.en}"))
    if limit.extension is not None:
        by, role = limit.extension.by, _role(procedure, limit.extension.role)
        parts.append(
            Text(
                zh=f"可延长 {by.text('zh')}{role.zh and f'（{role.zh}）'}",
                en=f"may be prolonged by {by.text('en')}{role.en and f' ({role.en})'}",
            )
        )
    return Text(zh="；".join(part.zh for part in parts), en="; ".join(part.en for part in parts))


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
    ends = []
    last = _trigger(procedure, limit.to_trigger) if limit.to_trigger else Text(zh="结束", en="end")
    for key, edge in ((limit.from_, Text(zh="开始", en="start")), (limit.to, last)):
        step = procedure.all_steps.get(key) if key else None
        if step is None:
            ends.append(edge)
        else:
            called = phrases.name_of(step.name, step.id)
            at = number.get(step.id, "")
            ends.append(
                Text(zh=f"{at} {called.zh or called.en}".strip(), en=f"{at} {called.en or called.zh}".strip())
            )
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
    zh, en = [], []
    for row in limit.rows:
        case = _target(row.target, fields)
        if row.calendar is not None:
            case = Text(zh=f"{case.zh}（日历 {row.calendar}）", en=f"{case.en} (calendar {row.calendar})")
        if row.when is not None:
            guard = guard_text(row.when, fields)
            case = Text(zh=f"[{guard.zh}] {case.zh}", en=f"[{guard.en}] {case.en}")
        elif len(limit.rows) > 1:
            case = Text(zh=f"其余 {case.zh}", en=f"otherwise {case.en}")
        zh.append(case.zh)
        en.append(case.en)
    terms = terms_text(limit)
    if terms:
        zh, en = [*zh, terms.zh], [*en, terms.en]
    return Text(zh="；".join(zh), en="; ".join(en))
