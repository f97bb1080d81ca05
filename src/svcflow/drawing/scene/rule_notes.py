"""Notes on the rules that no box shows: what steps and moves ask for, holds, what a breach does, whom it serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from svcflow.drawing.scene.map_scene import Note
from svcflow.drawing.scene.phrases import REGULAR_START, RUNS, STARTS, WAITS, name_of, seen, trigger_text
from svcflow.model.guard_wording import guard_text, value_text
from svcflow.model.procedure import GROUPS, HoldRule, Procedure
from svcflow.model.regular_start import RegularStart
from svcflow.model.start_rule import StartRule
from svcflow.model.step import Step, Transition, walk
from svcflow.model.subprocedure import OF_PARENT, SubProcedure
from svcflow.model.wording import notice_text, regular_start_text
from svcflow.text import Text
from svcflow.wording import ENFORCEMENTS, HOLDS, OUTCOMES, RULES, word
from svcflow.wording import GROUPS as GROUP_NAMES


def rule_notes(procedure: Procedure, number: Mapping[str, str]) -> Iterator[Note]:
    """Yield who asks for it, when it begins by itself, what each step and its moves ask for, then what holds for the whole procedure."""
    asking = [] if procedure.start is None else list(_of_start_rule(procedure, procedure.start))
    if procedure.start is not None and asking:
        yield Note(head=seen(procedure.start.name) or STARTS, body=joined(asking, "；", "; "))
    for start in procedure.starts:
        yield Note(
            head=REGULAR_START,
            body=joined([regular_start_text(start), *_of_start(procedure, start)], "，", ", "),
        )
    for step in walk(procedure.steps):
        if step.runs is not None:
            yield _subprocedure(step, step.runs, number)
        parts = [*_of_step(procedure, step, number), *_of_moves(procedure, step)]
        if parts:
            yield Note(head=called(step, number), body=joined(parts, "；", "; "))
        if step.qualified is not None:
            yield Note(head=called(step, number), body=_certificate(procedure, step.qualified))
    for rule in procedure.holds:
        yield Note(head=_hold_head(rule), body=_hold(procedure, rule))
    yield from _of_procedure(procedure)


def _of_start_rule(procedure: Procedure, rule: StartRule) -> Iterator[Text]:
    """Yield who asks, with what, how early, by which source, and whether it may be foreseen."""
    if rule.role is not None:
        role = name_of(procedure.roles[rule.role].name, rule.role)
        yield Text(zh=f"由{role.zh or role.en}提出", en=f"by {role.en or role.zh}")
    if rule.requires:
        asked = fields_named(rule.requires, procedure)
        yield Text(zh=f"须附 {asked.zh}", en=f"with {asked.en}")
    if rule.before is not None:
        yield notice_text(rule, procedure.fields)
    if rule.calendar is not None:
        yield Text(zh=f"日历 {rule.calendar}", en=f"calendar {rule.calendar}")
    if rule.source is not None:
        yield Text(zh=f"依据 {rule.source}", en=f"source {rule.source}")
    if rule.foreseen:
        yield Text(zh="可提前想到", en="may be foreseen")


def called(step: Step, number: Mapping[str, str]) -> Text:
    """Return how a step is called in a note: its number and its name."""
    name, at = name_of(step.name, step.id), number.get(step.id, "")
    return Text(zh=f"{at} {name.zh or name.en}".strip(), en=f"{at} {name.en or name.zh}".strip())


def joined(parts: Iterable[Text], zh: str, en: str) -> Text:
    """Return texts as one, with what stands between them in each language."""
    parts = list(parts)
    return Text(
        zh=zh.join(part.zh or part.en for part in parts), en=en.join(part.en or part.zh for part in parts)
    )


def fields_named(ids: Iterable[str], procedure: Procedure) -> Text:
    """Return a list of fields and evidence by their names."""
    fields = procedure.fields
    return joined(
        (name_of(fields[name].name, name) if name in fields else Text(en=name) for name in ids), "、", ", "
    )


def _certificate(procedure: Procedure, certificate: str) -> Text:
    """Return which certificate a step asks for."""
    held = name_of(procedure.certificates[certificate].name, certificate)
    return Text(zh=f"须持证：{held.zh or held.en}", en=f"certificate needed: {held.en or held.zh}")


def _subprocedure(step: Step, runs: SubProcedure, number: Mapping[str, str]) -> Note:
    """Return the note of what a step runs: the procedure, what its ends fire, and whether it may be called off."""
    name, at = name_of(step.name, step.id), number.get(step.id, "")
    names = {move.trigger: trigger_text(move.trigger, move.name) for move in step.to}
    given = ", ".join(f"{field} ← {own}" for field, own in runs.data.items())
    zh, en = ([runs.procedure, given] if given else [runs.procedure] for _ in range(2))
    for outcome, trigger in runs.outcomes.items():
        how, then = word(OUTCOMES, outcome), names[trigger]
        zh.append(f"{how.zh} → {then.in_('zh')}")
        en.append(f"{how.en} → {then.in_('en')}")
    if step.waits is not None:
        zh.append(WAITS.zh)
        en.append(WAITS.en)
    if runs.on_call_off == "refuse":
        zh.append("未结束不得离开")
        en.append("it may not be left before")
    return Note(
        head=Text(zh=f"{at} {name.in_('zh')} {RUNS}", en=f"{at} {name.in_('en')} {RUNS}"),
        body=Text(zh="；".join(zh), en="; ".join(en)),
    )


def _of_start(procedure: Procedure, start: RegularStart) -> Iterator[Text]:
    if start.calendar is not None:
        yield Text(zh=f"日历 {start.calendar}", en=f"calendar {start.calendar}")
    if start.actor:
        yield Text(zh=f"由 {start.actor} 启动", en=f"begun by {start.actor}")
    for name, value in start.data.items():
        field = procedure.fields[name]
        called, given = name_of(field.name, name), value_text(field, value)
        yield Text(zh=f"{called.zh or called.en}为“{given.zh}”", en=f"{called.en or called.zh} is {given.en}")


def _of_step(procedure: Procedure, step: Step, number: Mapping[str, str]) -> Iterator[Text]:
    if procedure.roles and step.role is None and step.to and not step.parallel:
        yield Text(zh="任何岗位均可办理", en="by anybody")
    if step.waits:
        reason = word(HOLDS, step.waits)
        yield Text(zh=f"等待：{reason.zh}", en=reason.en)
    if step.evidence:
        owed = fields_named(step.evidence, procedure)
        yield Text(zh=f"凭证 {owed.zh}", en=f"evidence {owed.en}")
    if step.not_by:
        others = joined((_other(procedure, name, number) for name in step.not_by), "、", ", ")
        yield Text(zh=f"不得由办理 {others.zh} 者办理", en=f"by somebody else than {others.en}")


def _other(procedure: Procedure, name: str, number: Mapping[str, str]) -> Text:
    """Return what an excluded step is called; one of the parent is on another map, and goes by its id."""
    if name.startswith(OF_PARENT):
        own = name.removeprefix(OF_PARENT)
        return Text(zh=f"上级流程的 {own}", en=f"{own} of the parent")
    return called(procedure.all_steps[name], number)


def _of_moves(procedure: Procedure, step: Step) -> Iterator[Text]:
    for move in step.to:
        asked = list(_of_move(procedure, step, move))
        if asked:
            name = trigger_text(move.trigger, move.name)
            words = joined(asked, "，", ", ")
            yield Text(zh=f"{name.zh or name.en}：{words.zh}", en=f"{name.en or name.zh}: {words.en}")


def _of_move(procedure: Procedure, step: Step, move: Transition) -> Iterator[Text]:
    if move.otherwise is not None:
        rule = move.otherwise.name
        yield Text(
            zh=f"条件都不符时拒绝：{rule.in_('zh')}",
            en=f"refused where no condition is met: {rule.in_('en')}",
        )
    if move.when is not None and not _is_on_line(step, move):
        words = guard_text(move.when, procedure.fields)
        yield Text(zh=f"限{words.zh}", en=f"if {words.en}")
    if move.role:
        role = name_of(procedure.roles[move.role].name, move.role)
        yield Text(zh=f"由{role.zh or role.en}办理", en=f"by {role.en or role.zh}")
    if move.requires:
        asked = fields_named(move.requires, procedure)
        yield Text(zh=f"须附 {asked.zh}", en=f"with {asked.en}")
    if move.at_most is not None:
        yield Text(zh=f"至多 {move.at_most} 次", en=f"at most {move.at_most} times")
    if move.clock == "restart":
        yield Text(zh="重新计时", en="clocks start anew")
    yield from _ways(move.enforce.items())


def _is_on_line(step: Step, move: Transition) -> bool:
    """Return whether the guard of a move stands at its line: one of several moves that share it may have none."""
    return all(other.when for other in step.to if (other.step, other.kind) == (move.step, move.kind))


def _ways(rules: Iterable[tuple[str, str]]) -> Iterator[Text]:
    for rule, way in rules:
        about, done = word(RULES, rule), word(ENFORCEMENTS, way)
        yield Text(zh=f"违反{about.zh}则{done.zh}", en=f"a breach of {about.en} is {done.en}")


def _hold_head(rule: HoldRule) -> Text:
    reason = word(HOLDS, rule.reason)
    return Text(zh=f"暂停（{reason.zh}）", en=f"Hold, {reason.en}")


def _hold(procedure: Procedure, rule: HoldRule) -> Text:
    parts = []
    if rule.at_most is not None:
        parts.append(Text(zh=f"≤ {rule.at_most.text('zh')}", en=f"≤ {rule.at_most.text('en')}"))
    if rule.evidence:
        owed = fields_named(rule.evidence, procedure)
        parts.append(Text(zh=f"凭证 {owed.zh}", en=f"evidence {owed.en}"))
    return joined(parts or [Text(zh="不限时长", en="without a limit")], "，", ", ")


def _ends(procedure: Procedure) -> Iterator[Note]:
    """Yield which end has which outcome."""
    outcomes: dict[str, list[Text]] = {}
    for step in procedure.steps:
        if step.end is not None:
            outcomes.setdefault(step.end, []).append(called(step, {}))
    parts = []
    for outcome, steps in outcomes.items():
        ends, words = joined(steps, "、", ", "), word(OUTCOMES, outcome)
        parts.append(Text(zh=f"{words.zh}：{ends.zh}", en=f"{words.en}: {ends.en}"))
    if parts:
        yield Note(head=Text(zh="结果", en="Outcomes"), body=joined(parts, "；", "; "))


def _of_procedure(procedure: Procedure) -> Iterator[Note]:
    yield from _ends(procedure)
    rules = attrs.asdict(procedure.enforce)
    usual = attrs.asdict(type(procedure.enforce)())
    other = list(_ways((rule, way) for rule, way in rules.items() if way != usual[rule]))
    if other:
        yield Note(head=Text(zh="违规处理", en="Breaches"), body=joined(other, "，", ", "))
    if procedure.late_after is not None:
        amount = procedure.late_after
        yield Note(
            head=Text(zh="补录", en="Recorded later"),
            body=Text(
                zh=f"晚于发生 {amount.text('zh')} 以上记偏差", en=f"a deviation from {amount.text('en')} on"
            ),
        )
    if tuple(procedure.recipients) != GROUPS:
        groups = [word(GROUP_NAMES, group) for group in procedure.recipients]
        yield Note(
            head=Text(zh="服务对象", en="For"),
            body=joined(groups or [Text(zh="未指明", en="nobody named")], "、", ", "),
        )
    acting = {step.role for step in walk(procedure.steps)}
    further = [name_of(role.name, role.id) for role in procedure.roles.values() if role.id not in acting]
    if further:
        yield Note(head=Text(zh="其他岗位", en="Further roles"), body=joined(further, "、", ", "))
    asked = {step.qualified for step in walk(procedure.steps)}
    unasked = [
        name_of(each.name, each.id) for each in procedure.certificates.values() if each.id not in asked
    ]
    if unasked:
        yield Note(head=Text(zh="其他证书", en="Further certificates"), body=joined(unasked, "、", ", "))
    if procedure.calendar != type(procedure).__attrs_attrs__.calendar.default:
        yield Note(
            head=Text(zh="日历", en="Calendar"), body=Text(zh=procedure.calendar, en=procedure.calendar)
        )
