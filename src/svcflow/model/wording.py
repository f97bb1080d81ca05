"""Wording of what a procedure declares: rungs of a ladder, targets, lists of fields."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from svcflow.model.amount import Amount
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit, Visits
from svcflow.model.target import Target
from svcflow.text import Lang, Text

_VISITS: Mapping[Visits, Text] = {
    "first": Text(zh="只计第一次进入", en="first visit only"),
    "each": Text(zh="每次进入另计", en="each visit by itself"),
}


def rung_text(at: str) -> Text:
    """Return the point of a ladder, at which a rung stands, in words.

    >>> rung_text("-20m").zh, rung_text("+30m").en, rung_text("75%").zh
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


def terms_text(limit: TimeLimit) -> Text:
    """Return in words how a limit is judged, beside its target; empty where it declares nothing of that.

    >>> terms_text(TimeLimit(within="2wd", visits="each")).en
    'each visit by itself'
    """
    terms = [_VISITS[limit.visits]] if limit.visits in _VISITS else []
    return Text(zh="，".join(term.zh for term in terms), en=", ".join(term.en for term in terms))


def target_text(of: Target, fields: Mapping[str, Field], lang: Lang) -> str:
    """Return a target in words, with the name of the field whose scheduled instant it hangs on."""
    if of.anchor is None or lang == "zh+en":
        return of.text(lang)
    field = fields.get(of.anchor.field)
    name = (field.name.in_(lang) if field is not None else "") or of.anchor.field
    return attrs.evolve(of, anchor=attrs.evolve(of.anchor, field=name)).text(lang)


def fields_listed(ids: tuple[str, ...] | list[str], fields: Mapping[str, Field]) -> Text:
    """Return a list of fields by name, each with the id it is given by; what is no field stands as it is."""
    named = [(name, fields[name].name if name in fields else Text()) for name in ids]
    return Text(
        zh="、".join(f"{text.zh}（{name}）" if text.zh else name for name, text in named),
        en=", ".join(f"{name} ({text.en})" if text.en else name for name, text in named),
    )
