"""Refusals: for each rule that refuses a command, why in words, and the remedy.

No wording names a person: refusals are kept in the journal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches

import attrs

from svcflow.errors import Refused
from svcflow.kernel.commands import Actor, is_named
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import to_datetime
from svcflow.model.field import Field, Value
from svcflow.model.guard import Guard
from svcflow.model.guard_wording import guard_text
from svcflow.model.procedure import Procedure
from svcflow.model.start_rule import StartRule
from svcflow.model.subprocedure import OF_PARENT
from svcflow.model.wording import fields_listed, notice_text
from svcflow.nearest import nearest
from svcflow.text import LONGEST_NAME, NO_TEXT, Text, cut
from svcflow.wording import HOLDS, OUTCOMES, instant, word

_CORRECT_DATA = Text(
    zh="更正或补填数据，可随此次流转提交：`data`；或说明理由后越过：`override`",
    en="correct or give the data, with the move itself: `data`; or give a reason to go round it: `override`",
)
_QUALIFIED = Text(
    zh="由持有效证书的人办理；或在名册中补记", en="let a holder do it; or bring the register up to date"
)
_COMPARED_ROLES = 20
"""How many roles of an actor are compared with the declared ones to find a misspelt one: each takes time."""
OTHER_LEVEL = Text(zh="不在同一层", en="is not at the same place of nesting")
PARALLEL_OTHERWISE = Text(zh="一个并行，一个不并行", en="is not parallel alike")
END_OTHERWISE = Text(zh="一个是终点，一个不是", en="is not an end alike")
LET_GIVER_DELEGATE = Text(zh="由委托人本人委托", en="let the giver delegate it")
ACT_AS_ONESELF = Text(zh="以本人身份办理", en="act as oneself")


@attrs.frozen
class Refusal:
    """Rule that refuses a command, the reason, the remedy, and the step that it is about."""

    rule: str
    message: Text
    remedy: Text = NO_TEXT
    step: str = ""


def wanted(keyword: str, names: Iterable[str]) -> Text:
    """Return the remedy for values that are missing: the keyword of the command that carries them."""
    listed = ", ".join(f'`{keyword}["{name}"]`' for name in names)
    return Text(zh=f"用 {listed} 给出", en=f"give it with {listed}")


def started() -> Refusal:
    """Refuse to start an instance again."""
    return Refusal(
        "started",
        Text(zh="该流程实例已存在", en="the instance exists already"),
        Text(zh="换一个 id", en="choose another id"),
    )


def ended(outcome: str) -> Refusal:
    """Refuse a command to an instance that has ended."""
    how = word(OUTCOMES, outcome)
    return Refusal(
        "closed",
        Text(zh=f"该流程实例已结束（{how.zh}）", en=f"the instance has ended ({how.en})"),
        Text(zh="如需重办，另起一个实例", en="start a new instance instead"),
    )


def held() -> Refusal:
    """Refuse to move an instance that is on hold."""
    return Refusal(
        "held",
        Text(zh="流程实例在暂停中", en="the instance is held"),
        Text(zh="先恢复", en="resume it first"),
    )


def already_held(reason: str) -> Refusal:
    """Refuse to hold an instance that is on hold."""
    why = word(HOLDS, reason)
    return Refusal(
        "held",
        Text(zh=f"已在暂停中（{why.zh}）", en=f"the instance is already held ({why.en})"),
        Text(zh="先恢复", en="resume it first"),
    )


def not_held() -> Refusal:
    """Refuse to resume an instance that runs."""
    return Refusal(
        "not_held",
        Text(zh="没有在暂停中", en="the instance is not held"),
        Text(zh="无须恢复", en="it runs"),
    )


def unknown_hold_reason(reason: str, known: Sequence[str]) -> Refusal:
    """Refuse a hold for a reason that is not in the closed list."""
    return Refusal(
        "hold_reason",
        Text(
            zh=f"不能以“{cut(word(HOLDS, reason).zh)}”为由暂停",
            en=f"{cut(reason)!r} is no reason to hold",
        ),
        nearest(reason, known),
    )


def hold_without_evidence(absent: Sequence[str]) -> Refusal:
    """Refuse a hold without the evidence that its reason asks for."""
    listed = ", ".join(absent)
    return Refusal(
        "evidence",
        Text(zh=f"暂停须附凭证 {listed}", en=f"a hold for this reason owes evidence: {listed}"),
        wanted("evidence", absent),
    )


def several_sources(trigger: str, steps: Iterable[str]) -> Refusal:
    """Refuse a trigger that leaves several active steps."""
    listed = ", ".join(steps)
    return Refusal(
        "ambiguous",
        Text(
            zh=f"“{trigger}”在多个并行环节中都有：{listed}",
            en=f"{trigger!r} is open in several steps: {listed}",
        ),
        Text(zh="用 `step` 指明", en="name one with `step`"),
    )


def not_in_step(step: str, active: Iterable[str]) -> Refusal:
    """Refuse a trigger of a step that is not active."""
    listed = ", ".join(active)
    return Refusal(
        "order",
        Text(zh=f"流程实例不在环节“{cut(step)}”", en=f"the instance is not in step {cut(step)!r}"),
        Text(zh=f"用 `step` 指明，当前环节：{listed}", en=f"name one with `step`: {listed}"),
    )


def not_open(trigger: str, steps: Sequence[str], open_triggers: Iterable[str]) -> Refusal:
    """Refuse a trigger that is not open in these steps; `open_triggers` are those that are open to the actor."""
    names = ", ".join(open_triggers)
    return Refusal(
        "order",
        Text(
            zh=f"当前环节 {'、'.join(steps)} 没有流转“{trigger}”",
            en=f"{trigger!r} is not open in step {', '.join(steps)}",
        ),
        Text(
            zh=f"{f'可用：{names}' if names else '此人在此没有可办理的流转'}；或说明理由后越过：`override`",
            en=f"{f'open are: {names}' if names else 'nothing is open to this actor there'}; "
            "or give a reason to go round the order: `override`",
        ),
    )


def out_of_order() -> Refusal:
    """Return the refusal of a breach of the order that is only recorded, which needs no wording."""
    return Refusal("order", NO_TEXT)


def impossible_instant(when: str, earliest: str, latest: str) -> Refusal:
    """Refuse a move said to have happened before the last change, or in the future."""
    return Refusal(
        "occurred_at",
        Text(
            zh=f"{when} 不可能：须在上一步 {earliest} 与现在 {latest} 之间",
            en=f"it cannot have happened at {when}: the last change was at {earliest}, now is {latest}",
        ),
        Text(zh="更正 `occurred_at`", en="correct `occurred_at`"),
    )


def no_guard_holds(why: Sequence[Text], rule: Text = NO_TEXT) -> Refusal:
    """Refuse a trigger of which no row has a true guard; `why` says it of each, `rule` which rule they state."""
    message = Text(zh="；".join(text.zh for text in why), en="; ".join(text.en for text in why))
    if rule:
        message = Text(zh=f"{rule.in_('zh')}：{message.zh}", en=f"{rule.in_('en')}: {message.en}")
    return Refusal("guard", message, _CORRECT_DATA)


def guard_untrue(guard: Guard, fields: Mapping[str, Field], data: Mapping[str, Value]) -> Text:
    """Return the words for a guard that is not true, with the values of the command that it was evaluated with."""
    words = guard_text(guard, fields)
    came = ", ".join(f"{name} = {cut(repr(data[name]))}" for name in sorted(guard.names & data.keys()))
    if not came:
        return Text(zh=f"条件“{words.zh}”不成立", en=f"the condition '{words.en}' is not met")
    return Text(
        zh=f"条件“{words.zh}”不成立（随此次流转给出 {came}）",
        en=f"the condition '{words.en}' is not met (this move gives {came})",
    )


def leads_elsewhere(trigger: str, step: str) -> Refusal:
    """Refuse a trigger that leads to another step by the data."""
    message = Text(
        zh=f"按现有数据，“{trigger}”通向“{step}”", en=f"with these data {trigger!r} leads to {step!r}"
    )
    return Refusal("guard", message, _CORRECT_DATA)


def cannot_join(step: str, done: Refusal) -> Refusal:
    """Refuse the move that would end the last branch of a parallel step whose `done` a guard refuses."""
    why = done.message
    message = Text(
        zh=f"此后“{step}”的各分支汇合，而其 done 不通：{why.zh}",
        en=f"the branches of {step!r} would join then, and its 'done' is closed: {why.en}",
    )
    return Refusal("guard", message, done.remedy, step)


def wrong_role(compiled: Compiled, what: Text, role: str, actor: Actor, step: str = "") -> Refusal:
    """Refuse an actor without a role; `what` is what the role is for."""
    name = compiled.procedure.roles[role].name
    if not is_named(actor.id):
        message = Text(
            zh=f"“{what.zh}”须由{name.in_('zh') or role}办理，而没有指明由谁办理",
            en=f"{what.en!r} is for the {name.in_('en') or role} ({role}); it is not said who acts",
        )
    else:
        has = cut(", ".join(sorted(actor.roles or ())), 2 * LONGEST_NAME) or "—"
        message = Text(
            zh=f"“{what.zh}”须由{name.in_('zh') or role}办理，办理人的岗位是 {has}",
            en=f"{what.en!r} is for the {name.in_('en') or role} ({role}); the actor has: {has}",
        )
    return Refusal("role", message, _in_role(compiled, role, actor), step)


def _in_role(compiled: Compiled, role: str, actor: Actor) -> Text:
    """Return the remedy for a missing role, by its id: the message names it as people do. One misspelt is spelt."""
    known = compiled.procedure.roles
    if not is_named(actor.id):
        return Text(zh="指明由谁办理（`actor`）", en="name who acts (`actor`)")
    for own in sorted(actor.roles or ())[:_COMPARED_ROLES]:
        near = () if own in known else get_close_matches(own, known, 1)
        if near:
            return Text(
                zh=f"没有岗位“{own}”，是否指 {near[0]}？（`actor`）",
                en=f"there is no role {own!r}; did you mean {near[0]}? (`actor`)",
            )
    return Text(zh=f"由岗位 {role} 的人办理（`actor`）", en=f"let somebody in role {role} do it (`actor`)")


def wrong_role_for_step(compiled: Compiled, step: str, role: str, actor: Actor) -> Refusal:
    """Refuse to let an actor without the role of a step have it."""
    return wrong_role(compiled, _step_title(compiled, step), role, actor, step)


def same_person(compiled: Compiled, step: str, other: str, *, erased: bool) -> Refusal:
    """Refuse a step to who did the `other`, which it excludes; `erased` says that who did that was erased."""
    done, wanted_step = _step_title(compiled, other), _step_title(compiled, step)
    if erased:
        message = Text(
            zh=f"办理“{done.zh}”的人已被抹去，无从证明要办“{wanted_step.zh}”的是另一人",
            en=f"who did {done.en!r} was erased, so nobody who would do {wanted_step.en!r} "
            "is known to be another person",
        )
        remedy = Text(
            zh="变更到没有此项回避的版本", en="migrate to a version that does not ask for another person"
        )
    else:
        message = Text(
            zh=f"办理“{done.zh}”的人不能再办“{wanted_step.zh}”",
            en=f"who did {done.en!r} may not do {wanted_step.en!r}",
        )
        remedy = Text(zh="换一人办理", en="let another person do it")
    return Refusal("role", message, remedy)


def unnamed_actor(compiled: Compiled, step: str) -> Refusal:
    """Refuse an actor without a name who would do a step of which it has to be known who did it."""
    name, not_by = _step_title(compiled, step), compiled.steps[step].step.not_by
    if not_by:
        others = [_step_title(compiled, other) for other in not_by]
        listed_zh = "、".join(f"“{other.zh}”" for other in others)
        listed_en = " or ".join(repr(other.en) for other in others)
        zh = f"“{name.zh}”须由办理{listed_zh}以外的人办理，而没有指明由谁办理"
        en = f"{name.en!r} is for another person than who did {listed_en}; it is not said who acts"
    else:
        zh = f"“{name.zh}”之后须由他人办理，而没有指明由谁办理"
        en = f"another person than who does {name.en!r} has to go on; it is not said who acts"
    return Refusal(
        "role", Text(zh=zh, en=en), Text(zh="指明由谁办理（`actor`）", en="name who acts (`actor`)")
    )


def assigned_to_another(compiled: Compiled, step: str) -> Refusal:
    """Refuse a step that is assigned to somebody else."""
    name = _step_title(compiled, step)
    return Refusal(
        "assigned",
        Text(zh=f"“{name.zh}”已分派给他人", en=f"{name.en!r} is assigned to somebody else"),
        Text(zh="先释放，或改派", en="have it released, or assign it anew"),
        step,
    )


def _step_title(compiled: Compiled, step: str) -> Text:
    """Return a step's name in each language, its id where it has none."""
    if step.startswith(OF_PARENT):
        own = step.removeprefix(OF_PARENT)
        return Text(zh=f"上级流程的 {own}", en=f"{own} of the parent")
    name = compiled.steps[step].step.name
    return Text(zh=name.in_("zh") or step, en=name.in_("en") or step)


def over_bound(trigger: str, bound: int, times: int) -> Refusal:
    """Refuse a move that was made as often as it may."""
    message = Text(
        zh=f"“{trigger}”最多 {bound} 次，已有 {times} 次",
        en=f"{trigger!r} may happen {bound} times and did {times} times",
    )
    return Refusal("rework", message)


def never_held(compiled: Compiled, step: str, certificate: str) -> Refusal:
    """Refuse a step to who does not hold the certificate that it asks for, and never did."""
    title, name = _step_title(compiled, step), _certificate_title(compiled, certificate)
    message = Text(
        zh=f"办理“{title.zh}”须持有{name.zh}，名册中办理人没有此证",
        en=f"{title.en!r} is for who holds {name.en}; by the register the person never held it",
    )
    return Refusal("qualification", message, _QUALIFIED)


def expired(compiled: Compiled, step: str, certificate: str, until_us: int) -> Refusal:
    """Refuse a step to who does not hold the certificate any more."""
    title, name = _step_title(compiled, step), _certificate_title(compiled, certificate)
    until = to_datetime(until_us).astimezone(compiled.calendar.timezone).isoformat(timespec="minutes")
    message = Text(
        zh=f"办理“{title.zh}”须持有{name.zh}，办理人的证书已于 {until} 到期",
        en=f"{title.en!r} is for who holds {name.en}; that of the person ended at {until}",
    )
    return Refusal("qualification", message, _QUALIFIED)


def unnamed_holder(compiled: Compiled, step: str, certificate: str) -> Refusal:
    """Refuse a step that asks for a certificate to an actor without a name."""
    title, name = _step_title(compiled, step), _certificate_title(compiled, certificate)
    message = Text(
        zh=f"办理“{title.zh}”须持有{name.zh}，而没有指明由谁办理",
        en=f"{title.en!r} is for who holds {name.en}; it is not said who acts",
    )
    return Refusal("qualification", message, Text(zh="指明由谁办理（`actor`）", en="name who acts (`actor`)"))


def no_register(compiled: Compiled, step: str, certificate: str) -> Refusal:
    """Refuse a step that asks for a certificate where no register says who holds it."""
    title, name = _step_title(compiled, step), _certificate_title(compiled, certificate)
    message = Text(
        zh=f"办理“{title.zh}”须持有{name.zh}，而没有可查的持证名册",
        en=f"{title.en!r} is for who holds {name.en}, and there is no register to say who does",
    )
    remedy = Text(
        zh="给出名册：`Engine(…, qualifications=…)`",
        en="give one: `Engine(…, qualifications=…)`",
    )
    return Refusal("qualification", message, remedy)


def _certificate_title(compiled: Compiled, certificate: str) -> Text:
    name = compiled.procedure.certificates[certificate].name
    return Text(zh=f"“{name.in_('zh') or certificate}”", en=repr(name.in_("en") or certificate))


def settled_values(compiled: Compiled, names: list[str]) -> Refusal:
    """Refuse to change values that a move has settled."""
    fields = compiled.procedure.fields
    listed, triggers = fields_listed(names, fields), sorted({fields[name].settled_by or "" for name in names})
    message = Text(
        zh=f"{listed.zh} 已由“{'、'.join(triggers)}”确定，不能再改",
        en=f"{listed.en} may not change after {', '.join(triggers)}",
    )
    remedy = Text(
        zh="不提交改动；确须改动的，先退回到该流转之前",
        en="leave the change out; where it has to be made, send the work back to before that move first",
    )
    return Refusal("settled", message, remedy)


def missing_data(what: Text, absent: list[str], fields: Mapping[str, Field]) -> Refusal:
    """Refuse a move, or a start, without what it requires; `what` names it."""
    listed = fields_listed(absent, fields)
    message = Text(zh=f"“{what.zh}”须提供 {listed.zh}", en=f"{what.en!r} requires {listed.en}")
    carriers = [_carrier(name, is_field=name in fields) for name in absent]
    remedy = Text(
        zh=f"用 {'、'.join(text.zh for text in carriers)} 给出",
        en=f"give it with {', '.join(text.en for text in carriers)}",
    )
    return Refusal("requires", message, remedy)


def _carrier(name: str, *, is_field: bool) -> Text:
    """Return how a required value is given: a field as data, anything else as data or as evidence."""
    data, evidence = f'`data["{name}"]`', f'`evidence["{name}"]`'
    if is_field:
        return Text(zh=data, en=data)
    return Text(zh=f"{data} 或 {evidence}", en=f"{data} or {evidence}")


def missing_evidence(step: str, absent: Sequence[str]) -> Refusal:
    """Refuse to leave a step without the evidence it owes."""
    listed = ", ".join(absent)
    message = Text(zh=f"离开“{step}”须附凭证 {listed}", en=f"leaving {step!r} owes evidence: {listed}")
    return Refusal("evidence", message, wanted("evidence", absent))


def not_assigned(compiled: Compiled, step: str) -> Refusal:
    """Refuse to release a step that nobody has."""
    name = _step_title(compiled, step)
    return Refusal(
        "not_assigned",
        Text(zh=f"“{name.zh}”没有分派给谁", en=f"{name.en!r} is assigned to nobody"),
        Text(zh="无须释放", en="there is nothing to release"),
        step,
    )


def several_steps(steps: Sequence[str]) -> Refusal:
    """Refuse a command about the one active step when there are several."""
    return Refusal(
        "ambiguous",
        Text(zh=f"同时有多个环节：{'、'.join(steps)}", en=f"several steps are active: {', '.join(steps)}"),
        Text(zh="用 `step` 指明", en="name one with `step`"),
    )


def step_not_active(step: str, active: Iterable[str]) -> Refusal:
    """Refuse to assign a step that is not active."""
    listed = ", ".join(active)
    return Refusal(
        "order",
        Text(zh=f"流程实例不在环节“{cut(step)}”", en=f"the instance is not in step {cut(step)!r}"),
        Text(zh=f"当前环节：{listed}", en=f"it is in: {listed}"),
    )


def no_deviation(sequence: int) -> Refusal:
    """Refuse an answer to a fact that records no deviation."""
    return Refusal(
        "deviation",
        Text(zh=f"第 {sequence} 条留痕不是偏差", en=f"entry {sequence} of the journal is no deviation"),
        Text(zh="以 `deviation` 给出偏差的序号", en="give the number of a deviation as `deviation`"),
    )


def unexplained() -> Refusal:
    """Refuse to accept or reject what nobody has explained."""
    return Refusal(
        "unexplained",
        Text(zh="该偏差尚无说明", en="nobody has explained this deviation"),
        Text(zh="先说明原因", en="explain it first"),
    )


def explained_by_same_person() -> Refusal:
    """Refuse a judgement by who explained the deviation, or by nobody with a name."""
    return Refusal(
        "same_person",
        Text(zh="说明与认定不能是同一人", en="who explained a deviation may not accept or reject it"),
        Text(zh="由另一位具名人员认定", en="let another person judge it, by name"),
    )


def unknown_limit(procedure: str, limit: str, known: Collection[str]) -> Refusal:
    """Refuse to extend a limit that the procedure does not have."""
    return _extension(
        f"服务流程 {procedure} 没有时限“{cut(limit)}”",
        f"procedure {procedure} has no limit {cut(limit)!r}",
        nearest(limit, known),
    )


def no_extension(limit: str) -> Refusal:
    """Refuse to extend a limit that declares no extension."""
    return _extension(f"时限 {limit} 不可延长", f"limit {limit!r} has no extension")


def limit_not_running(limit: str) -> Refusal:
    """Refuse to extend a limit that does not run."""
    return _extension(f"时限 {limit} 没有在计时", f"limit {limit!r} is not running")


def limit_overdue(limit: str) -> Refusal:
    """Refuse to extend a limit after its deadline."""
    return _extension(f"时限 {limit} 已超时", f"limit {limit!r} is overdue; it had to be asked before")


def limit_without_target(limit: str) -> Refusal:
    """Refuse to extend a limit whose present row sets no target."""
    return _extension(
        f"时限 {limit} 目前不设时限", f"limit {limit!r} has no target now: nothing can be extended"
    )


def already_extended(limit: str) -> Refusal:
    """Refuse to extend a limit twice, or one that keeps the deadline of an earlier version."""
    return _extension(
        f"时限 {limit} 已延长过一次，或按前一版本的截止保留",
        f"limit {limit!r} was extended once already, or keeps the deadline of an earlier version",
    )


def extension_for_role(compiled: Compiled, role: str) -> Refusal:
    """Refuse an extension that another role grants."""
    name = compiled.procedure.roles[role].name
    return _extension(
        f"延长须由{name.in_('zh')}批准", f"an extension is for the {name.in_('en')} ({role}) to grant"
    )


def extension_without_evidence(absent: Sequence[str]) -> Refusal:
    """Refuse an extension without the evidence it owes."""
    listed = ", ".join(absent)
    return _extension(
        f"延长须附凭证 {listed}", f"an extension owes evidence: {listed}", wanted("evidence", absent)
    )


def _extension(zh: str, en: str, remedy: Text = NO_TEXT) -> Refusal:
    return Refusal("extension", Text(zh=zh, en=en), remedy)


def same_version(version: int) -> Refusal:
    """Refuse a migration to the version that an instance runs under."""
    return _migration(f"已按第 {version} 版办理", f"the instance runs under version {version} already")


def not_in_force(procedure: Procedure, effective: date) -> Refusal:
    """Refuse a migration to a version before its effective date."""
    return Refusal(
        "effective",
        Text(zh=f"{procedure} 自 {effective} 起施行", en=f"{procedure} is in force from {effective}"),
        Text(zh="届时再变更", en="migrate when it is"),
    )


def unknown_step(procedure: Procedure, step: str, known: Collection[str]) -> Refusal:
    """Refuse a mapping of steps that names one which a version does not have."""
    return _migration(
        f"{procedure} 没有环节“{cut(step)}”",
        f"{procedure} has no step {cut(step)!r}",
        nearest(step, known),
        step,
    )


def no_counterpart(procedure: Procedure, step: str, possible: Iterable[str]) -> Refusal:
    """Refuse a migration for want of a step to go to; `possible` are those it could be mapped to."""
    return _migration(
        f"{procedure} 没有环节“{step}”，实例正在其中",
        f"{procedure} has no step {step!r}, which the instance is in",
        _map_step(step, possible),
        step,
    )


def nested_otherwise(step: str, to: str, difference: Text, possible: Iterable[str]) -> Refusal:
    """Refuse a migration between steps of different nesting; `difference` is one of those below."""
    return _migration(
        f"环节“{step}”与“{to}”{difference.zh}",
        f"step {to!r} {difference.en} as {step!r}",
        _map_step(step, possible),
        step,
    )


def two_in_one_branch(step: str, other: str, to: str) -> Refusal:
    """Refuse a migration that takes two active steps to one branch."""
    return _migration(
        f"环节“{step}”与“{other}”不能都到“{to}”所在的分支",
        f"steps {step!r} and {other!r} cannot both go to the branch of {to!r}",
        Text(
            zh=f'为“{step}”另指明环节：`steps["{step}"]`',
            en=f'map {step!r} to a step of another branch: `steps["{step}"]`',
        ),
        step,
    )


def new_branch(step: str, branch: str, version: int) -> Refusal:
    """Refuse a migration to a version in which an active parallel step has one more branch."""
    return _migration(
        f"并行环节“{step}”在第 {version} 版多了分支“{branch}”，实例没有环节在其中",
        f"parallel step {step!r} has a branch {branch!r} in version {version}, in which the instance has no step",
        Text(zh=f"离开“{step}”后再变更", en=f"migrate when {step!r} has been left"),
        step,
    )


def no_migration_to_revert() -> Refusal:
    """Refuse to revert when no migration is in force."""
    zh, en = "没有可撤回的版本变更", "there is no migration to take back"
    return _migration(zh, en, Text(zh="用 Migrate 指明版本", en="migrate to the version you want"))


def several_ways_back(step: str, version: int, sources: Iterable[str]) -> Refusal:
    """Refuse to revert a migration from a step that none, or several, of the earlier version lead to."""
    listed = ", ".join(sources) or "—"
    return _migration(
        f"环节“{step}”在第 {version} 版没有唯一的对应（{listed}）",
        f"step {step!r} has not one counterpart in version {version} but: {listed}",
        Text(
            zh=f"用 Migrate 到第 {version} 版，并指明“{step}”的对应环节",
            en=f"migrate to version {version} and map {step!r} yourself",
        ),
        step,
    )


def field_required(procedure: Procedure, field: str) -> Refusal:
    """Refuse a migration to a version that requires a field which has no value."""
    zh, en = f"{procedure} 要求字段 {field}", f"{procedure} requires the field {field}"
    return _migration(zh, en, wanted("data", (field,)))


def value_does_not_fit(procedure: Procedure, field: str) -> Refusal:
    """Refuse a migration to a version whose field does not take the value there is."""
    return _migration(
        f"字段 {field} 现有的值不合 {procedure} 的要求",
        f"the value there is of {field} does not fit {procedure}",
        wanted("data", (field,)),
    )


def _map_step(step: str, possible: Iterable[str]) -> Text:
    listed = ", ".join(possible) or "—"
    return Text(
        zh=f'用 `steps["{step}"]` 指明去处：{listed}',
        en=f'map it with `steps["{step}"]`, to one of: {listed}',
    )


def _migration(zh: str, en: str, remedy: Text = NO_TEXT, step: str = "") -> Refusal:
    return Refusal("migration", Text(zh=zh, en=en), remedy, step)


def delegated_on(remedy: Text) -> Refused:
    """Return the error for delegating, or taking, what one has by a delegation."""
    return Refused(
        "delegation", Text(zh="受托的事项不能再转托", en="what was delegated cannot be delegated on"), remedy
    )


def roles_of_others(roles: Iterable[str]) -> Refused:
    """Return the error for delegating roles that one does not have."""
    listed = ", ".join(roles)
    return Refused(
        "delegation",
        Text(zh=f"不是委托人自己的岗位：{listed}", en=f"these are no roles of the giver: {listed}"),
        Text(zh="只委托自己的岗位", en="delegate roles of one's own only"),
    )


def start_name(rule: StartRule) -> Text:
    """Return what a start is called."""
    return Text(zh=rule.name.in_("zh") or "启动", en=rule.name.in_("en") or "start")


def short_notice(compiled: Compiled, rule: StartRule, field: str, latest_us: int) -> Refusal:
    """Refuse a start that comes after the latest instant at which one may ask."""
    zone = compiled.calendar.timezone
    latest, name = instant(to_datetime(latest_us).astimezone(zone), year=True), start_name(rule)
    notice, fields = notice_text(rule, compiled.procedure.fields), compiled.procedure.fields
    called = fields_listed([field], fields)
    return Refusal(
        "start",
        Text(
            zh=f"“{name.zh}”{notice.zh}，即 {latest.zh}，现已过",
            en=f"{name.en!r} has to come {notice.en}, that is by {latest.en}, which has passed",
        ),
        Text(
            zh=f'改约更晚的{called.zh}：`data["{field}"]`',
            en=f'choose a later {called.en}: `data["{field}"]`',
        ),
    )


def not_foreseen(procedure: Procedure) -> Refusal:
    """Refuse to start as foreseen what its procedure does not let anybody foresee."""
    return Refusal(
        "start",
        Text(zh=f"{procedure} 没有规定可以提前想到", en=f"{procedure} does not say that it may be foreseen"),
        Text(
            zh="不写 `foreseen`，或在流程中写 start: {foreseen: true}",
            en="leave `foreseen` out, or write start: {foreseen: true} in the procedure",
        ),
    )


def foreseen_by_other(name: Text, actor: Actor) -> Refusal:
    """Refuse a foreseen start to who has no role of those that provide the service."""
    has = cut(", ".join(sorted(actor.roles or ())), 2 * LONGEST_NAME) or "—"
    return Refusal(
        "role",
        Text(
            zh=f"提前想到的“{name.zh}”须由提供服务的岗位办理，办理人的岗位是 {has}",
            en=f"a foreseen {name.en!r} is for those who provide the service; the actor has: {has}",
        ),
        Text(
            zh="由提供服务的岗位办理（`actor`），或不写 `foreseen`",
            en="let somebody do it who provides the service (`actor`), or leave `foreseen` out",
        ),
    )


def no_delegation(procedure: str) -> Refused:
    """Return the error for acting for somebody whose delegation is not in force."""
    return Refused(
        "delegation",
        Text(zh=f"对 {procedure} 没有有效的委托", en=f"no delegation for {procedure} is in force"),
        Text(zh="请对方先委托，或以本人身份办理", en="ask them to delegate it, or act as oneself"),
    )


def child_runs(compiled: Compiled, step: str, child: str) -> Refusal:
    """Refuse to leave a step while the procedure that it runs has not ended."""
    name = _step_title(compiled, step)
    return Refusal(
        "subprocedure",
        Text(
            zh=f"“{name.zh}”的子流程 {child} 尚未结束，不得撤销",
            en=f"{child}, which {name.en!r} runs, has not ended and may not be called off",
        ),
        Text(zh=f"先办完 {child}", en=f"let {child} end first"),
        step,
    )


def child_not_run(compiled: Compiled, step: str, child: str, version: int) -> Refusal:
    """Refuse a migration while a child runs that the step does not run in the other version."""
    name = _step_title(compiled, step)
    return Refusal(
        "migration",
        Text(
            zh=f"“{name.zh}”的子流程 {child} 尚未结束，而第 {version} 版在此不办理该流程",
            en=f"{child}, which {name.en!r} runs, has not ended, and version {version} does not run that procedure there",
        ),
        Text(zh=f"待 {child} 结束后再变更", en=f"migrate it when {child} has ended"),
        step,
    )
