"""Phrases of a map in Chinese and English: limits, triggers, conditions, its title."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.guard_wording import guard_text
from svcflow.model.limit import TimeLimit, step_of
from svcflow.model.procedure import Procedure
from svcflow.model.start_rule import StartRule
from svcflow.model.target import Target
from svcflow.model.wording import move_instant_text, target_text
from svcflow.text import Lang, Text, is_blank
from svcflow.wording import AREAS, short_amount

NO_ROLE = Text(zh="—", en="—")
WAITS = Text(zh="等待（停止计时）", en="waits (clocks stop)")
OVERDUE = Text(zh="超时自动", en="when overdue")
TIMED = Text(zh="到时自动（不算超时）", en="by itself at its time (nothing is overdue)")
PARALLEL = Text(zh="并行开始、汇合", en="fork, join")
COMPLETED = Text(zh="完成", en="completed")
OTHER_END = Text(zh="其他结束", en="other end")
RUNS = "⊞"
"""Sign, in text, of a step that runs another procedure."""
SUBPROCEDURE = Text(zh="子流程", en="runs another procedure")
STARTS = Text(zh="开始", en="start")
REGULAR_START = Text(zh="定期启动", en="Begins by itself")
WARNING = Text(zh="预警", en="warning")
ESCALATION = Text(zh="升级", en="escalation")
LONGEST_CONDITION = 30
_MOST = Text(zh="限时 ", en="")
_FEW = 3
"""How many different targets of one limit a box shows."""


def limits_text(limits: Iterable[TimeLimit], fields: Mapping[str, Field]) -> Text:
    """Return the limits of a step for the foot of its box: `限时 ≤ 15 分；等待 ≤ 5 工作日` and `≤ 15 min; wait ≤ 5 working d`."""
    texts = [(limit, _limit_text(limit, fields)) for limit in limits]
    beside = len(texts) > 1
    shown = [_wait(text) if beside and step_of(limit.id)[1] else text for limit, text in texts if text]
    return Text(zh="；".join(text.zh for text in shown), en="; ".join(text.en for text in shown))


def short_limits(limits: Iterable[TimeLimit]) -> str:
    """Return the limits of a step as they are written in a declaration: `15m; wait 5wd`."""
    shorts = [(limit, _short_limit(limit)) for limit in limits]
    beside = len(shorts) > 1
    return "; ".join(
        f"wait {short}" if beside and step_of(limit.id)[1] else short for limit, short in shorts if short
    )


def short_foot(short: str) -> str:
    """Return the limits of a step where the foot of its box has little room; `≤` stands before a length of time."""
    return f"≤ {short}" if short[:1].isdigit() else short


def _wait(text: Text) -> Text:
    return Text(zh=f"等待 {text.zh.removeprefix(_MOST.zh)}", en=f"wait {text.en}")


def _limit_text(limit: TimeLimit, fields: Mapping[str, Field]) -> Text:
    """Return the different targets a limit may have, in the order of its rows."""
    targets = _targets(limit)
    shown = [_target_text(target, fields) for target in targets[:_FEW]]
    more = " …" if len(targets) > _FEW else ""
    zh, en = " · ".join(text.zh for text in shown), " · ".join(text.en for text in shown)
    if targets and all(target.kind == "within" for target in targets):
        return Text(zh=f"{_MOST.zh}≤ {zh}{more}", en=f"≤ {en}{more}")
    return Text(zh=f"{zh}{more}", en=f"{en}{more}")


def _target_text(target: Target, fields: Mapping[str, Field]) -> Text:
    amount = target.amount
    if amount is None:
        return Text(zh=target_text(target, fields, "zh"), en=target_text(target, fields, "en"))
    text = short_amount(amount.value, amount.unit)
    if target.kind == "at_least":
        return Text(zh=f"≥ {text.zh}", en=f"≥ {text.en}")
    return Text(zh=f"每 {text.zh}", en=f"every {text.en}") if target.kind == "every" else text


def _short_limit(limit: TimeLimit) -> str:
    targets = _targets(limit)
    return "·".join(str(target) for target in targets[:_FEW]) + ("·…" if len(targets) > _FEW else "")


def _targets(limit: TimeLimit) -> list[Target]:
    return list(dict.fromkeys(row.target for row in limit.rows if row.target is not None))


def timed_text(move: AutomaticMove, fields: Mapping[str, Field]) -> Text:
    """Return for a label when an automatic move is made: `满 2 工作日` and `after 2 working d`."""
    different = list(dict.fromkeys(_instant_text(row, fields) for row in move.rows))
    more = " …" if len(different) > 3 else ""
    return Text(
        zh=" · ".join(text.zh for text in different[:3]) + more,
        en=" · ".join(text.en for text in different[:3]) + more,
    )


def _instant_text(row: MoveInstant, fields: Mapping[str, Field]) -> Text:
    if row.after is not None:
        amount = short_amount(row.after.value, row.after.unit)
        return Text(zh=f"满 {amount.zh}", en=f"after {amount.en}")
    target = row.row.target
    assert target is not None  # noqa: S101  # without `after` a row has `at`
    return Text(zh=move_instant_text(target, fields, "zh"), en=move_instant_text(target, fields, "en"))


def foot(limit: Text, short: str, lang: Lang) -> str:
    """Return the foot of a box in the language of the drawing."""
    if lang == "zh+en" and limit:
        return f"{limit.zh} / {short}"
    return limit.in_(lang)


def trigger_text(trigger: str, name: Text) -> Text:
    """Return a transition's name, or its trigger made readable."""
    return seen(name) or Text(en=trigger.replace("_", " ").replace(".", " "))


def joined(texts: list[Text]) -> Text:
    """Join the names of several triggers that share a line."""
    names = list(dict.fromkeys(texts))
    if len(names) == 1:
        return names[0]
    return Text(
        zh=" / ".join(dict.fromkeys(name.zh or name.en for name in names)),
        en=" / ".join(dict.fromkeys(name.en or name.zh for name in names)),
    )


def condition_text(condition: str) -> str:
    """Shorten a condition for a label; the whole stands in the line's title."""
    plain = " ".join(condition.split())
    if len(plain) > LONGEST_CONDITION:
        plain = plain[: LONGEST_CONDITION - 1] + "…"
    return f"[{plain}]"


def either(guards: Iterable[Guard], fields: Mapping[str, Field]) -> Text:
    """Return the condition of a line that several guards lead along."""
    texts = [guard_text(guard, fields) for guard in guards]
    return Text(zh=" | ".join(text.zh for text in texts), en=" | ".join(text.en for text in texts))


def notice_ahead(rule: StartRule) -> Text:
    """Return how early one has to ask, for the foot of the start: `提前 30 分` and `30 min ahead`."""
    if rule.before is None:
        return Text()
    if rule.before.amount is None:
        return Text(zh="提前", en="ahead")
    ahead = short_amount(rule.before.amount.value, rule.before.amount.unit)
    return Text(zh=f"提前 {ahead.zh}", en=f"{ahead.en} ahead")


def short_notice(rule: StartRule) -> str:
    """Return how early one has to ask, with the amount as it is written in a declaration: `≥ 30m`."""
    return "" if rule.before is None else f"≥ {rule.before.amount or '0m'}"


def name_of(name: Text, key: str) -> Text:
    """Return a declared name, or the id made readable."""
    return seen(name) or Text(en=key.replace("_", " "))


def seen(name: Text) -> Text:
    """Return a name without a wording that shows nothing, which would be an empty box."""
    return Text(zh="" if is_blank(name.zh) else name.zh, en="" if is_blank(name.en) else name.en)


def heading(procedure: Procedure) -> Text:
    """Return the title of a map: the name of the procedure."""
    name = name_of(procedure.name, procedure.id)
    return Text(zh=name.zh, en=name.en or name.zh)


def subheading(procedure: Procedure) -> Text:
    """Return the line under the title: version, area, owner, the day it takes effect."""
    area = AREAS[procedure.area]
    day = procedure.effective
    zh = [f"第 {procedure.version} 版", area.zh, procedure.owner.zh or procedure.owner.en]
    en = [f"version {procedure.version}", area.en, procedure.owner.en or procedure.owner.zh]
    if day is not None:
        zh.append(f"{day.isoformat()} 起施行")
        en.append(f"effective {day.isoformat()}")
    return Text(zh=" · ".join(filter(None, zh)), en=" · ".join(filter(None, en)))
