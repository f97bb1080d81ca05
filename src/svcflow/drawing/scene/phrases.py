"""Phrases of a map in Chinese and English: limits, triggers, conditions, its title."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from svcflow.model.amount import Amount
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.guard_wording import guard_text
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.wording import move_instant_text
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
LONGEST_CONDITION = 30


def amounts(limit: TimeLimit) -> tuple[Amount, ...]:
    """Return the different amounts a limit may give, in the order of its rows."""
    return tuple(dict.fromkeys(row.within for row in limit.rows if row.within is not None))


def limit_text(limit: TimeLimit) -> Text:
    """Return a limit for the foot of a box: `限时 ≤ 15 分` and `≤ 15 min`."""
    different = amounts(limit)
    if not different:
        return Text()
    shown = [short_amount(amount.value, amount.unit) for amount in different[:3]]
    zh, en = " · ".join(text.zh for text in shown), " · ".join(text.en for text in shown)
    more = " …" if len(different) > 3 else ""
    return Text(zh=f"限时 ≤ {zh}{more}", en=f"≤ {en}{more}")


def short_limit(limit: TimeLimit) -> str:
    """Return a limit as it is written in a declaration: `15m`."""
    different = amounts(limit)
    return "·".join(str(amount) for amount in different[:3]) + ("·…" if len(different) > 3 else "")


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
    return _seen(name) or Text(en=trigger.replace("_", " ").replace(".", " "))


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


def name_of(name: Text, key: str) -> Text:
    """Return a declared name, or the id made readable."""
    return _seen(name) or Text(en=key.replace("_", " "))


def _seen(name: Text) -> Text:
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
