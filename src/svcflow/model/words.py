"""Words for what documents and commands call by an id: hold reasons, outcomes, groups, points of ladders."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from svcflow.model.amount import Amount
from svcflow.model.field import Field
from svcflow.model.target import Target
from svcflow.text import Lang, Text

HOLDS: Mapping[str, Text] = {
    "recipient": Text(zh="服务对象原因", en="waiting for the recipient"),
    "third_party": Text(zh="第三方原因", en="waiting for a third party"),
    "statutory": Text(zh="法定事由", en="a statutory procedure"),
}
OUTCOMES: Mapping[str, Text] = {
    "completed": Text(zh="办结", en="completed"),
    "done": Text(zh="完成", en="done"),
    "rejected": Text(zh="不予办理", en="rejected"),
    "cancelled": Text(zh="已取消", en="cancelled"),
}
GROUPS: Mapping[str, Text] = {
    "leaders": Text(zh="领导", en="leaders"),
    "staff": Text(zh="职工", en="staff"),
    "retirees": Text(zh="离退休人员", en="retirees"),
    "logistics": Text(zh="后勤人员", en="logistics"),
}


def word(words: Mapping[str, Text], key: str) -> Text:
    """Return the words for a key; a key without any stands for itself."""
    return words.get(key) or Text(key, key)


def rung(at: str) -> Text:
    """Word a point of a ladder.

    >>> rung("-20m").zh, rung("+30m").en, rung("75%").zh
    ('截止前 20分钟', '30 minutes after it was due', '已用 75%')
    """
    if at[:1] not in ("-", "+"):
        return Text(zh=f"已用 {at}", en=f"at {at}")
    amount = Amount.parse(at[1:])
    if not amount.value:
        return Text(zh="截止时", en="as it was due")
    if at.startswith("-"):
        return Text(zh=f"截止前 {amount.text('zh')}", en=f"{amount.text('en')} before it is due")
    return Text(zh=f"截止后 {amount.text('zh')}", en=f"{amount.text('en')} after it was due")


def target(of: Target, fields: Mapping[str, Field], lang: Lang) -> str:
    """Word a target, with the scheduled instant it hangs on by its name."""
    if of.anchor is None or lang == "zh+en":
        return of.text(lang)
    field = fields.get(of.anchor.field)
    name = (field.name.in_(lang) if field is not None else "") or of.anchor.field
    return attrs.evolve(of, anchor=attrs.evolve(of.anchor, field=name)).text(lang)


def fields_listed(ids: tuple[str, ...] | list[str], fields: Mapping[str, Field]) -> Text:
    """List fields by name, each with the id it is given by; what is no field stands as it is."""
    named = [(name, fields[name].name if name in fields else Text()) for name in ids]
    return Text(
        zh="、".join(f"{text.zh}（{name}）" if text.zh else name for name, text in named),
        en=", ".join(f"{name} ({text.en})" if text.en else name for name, text in named),
    )
