"""Wording of what a procedure declares: rungs of a ladder, targets, instants of automatic moves, lists of fields."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from svcflow.model.amount import Amount
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit, Visits
from svcflow.model.regular_start import LAST_OF_MONTH, MONTHS_A_YEAR, ClosedDay, RegularStart
from svcflow.model.start_rule import StartRule
from svcflow.model.target import Target
from svcflow.text import Lang, Text
from svcflow.wording import WEEKDAYS, many

_VISITS: Mapping[Visits, Text] = {
    "first": Text(zh="只计第一次进入", en="first visit only"),
    "each": Text(zh="每次进入另计", en="each visit by itself"),
}
_IN_OPENING_HOURS = Text(zh="预警与升级在开放时间内", en="warnings and escalations in opening hours")
_IF_REACHED = Text(zh="若到达才计", en="if reached at all")
_EARLY_IS_BETTER = Text(zh="越早越好", en="the earlier the better")


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
    terms = [_IF_REACHED] if limit.if_reached else []
    if limit.visits in _VISITS:
        terms.append(_VISITS[limit.visits])
    if limit.in_opening_hours:
        terms.append(_IN_OPENING_HOURS)
    if limit.early_is_better:
        terms.append(_EARLY_IS_BETTER)
    return Text(zh="，".join(term.zh for term in terms), en=", ".join(term.en for term in terms))


def target_text(of: Target, fields: Mapping[str, Field], lang: Lang) -> str:
    """Return a target in words, with the name of the field whose scheduled instant it hangs on."""
    if of.anchor is None or lang == "zh+en":
        return of.text(lang)
    field = fields.get(of.anchor.field)
    name = (field.name.in_(lang) if field is not None else "") or of.anchor.field
    return attrs.evolve(of, anchor=attrs.evolve(of.anchor, field=name)).text(lang)


def move_instant_text(of: Target, fields: Mapping[str, Field], lang: Lang) -> str:
    """Return in words when an automatic move is made, from the target of its timer.

    >>> move_instant_text(Target("within", Amount(2, "wd")), {}, "zh")
    '满 2个工作日'
    """
    words = target_text(of, fields, lang)
    if of.anchor is None:
        return f"满 {words}" if lang == "zh" else f"after {words}"
    if of.anchor.amount is None:
        return f"到{'' if _is_wide(words) else ' '}{words}" if lang == "zh" else f"at {words}"
    return words


def _is_wide(words: str) -> bool:
    return not words[:1].isascii()


def notice_text(rule: StartRule, fields: Mapping[str, Field]) -> Text:
    """Return in words until when one may ask for a service; empty where no notice is declared.

    >>> notice_text(StartRule(before="visit_at - 2h"), {}).en
    '2 hours before visit_at at the latest'
    """
    if rule.before is None:
        return Text()
    target = Target("before", anchor=rule.before)
    zh, en = target_text(target, fields, "zh"), target_text(target, fields, "en")
    if rule.before.amount is None:
        return Text(zh=f"最迟在{zh}前", en=f"before {en}")
    return Text(zh=f"最迟在{zh}", en=f"{en} at the latest")


def fields_listed(ids: tuple[str, ...] | list[str], fields: Mapping[str, Field]) -> Text:
    """Return a list of fields by name, each with the id it is given by; what is no field stands as it is."""
    named = [(name, fields[name].name if name in fields else Text()) for name in ids]
    return Text(
        zh="、".join(f"{text.zh}（{name}）" if text.zh else name for name, text in named),
        en=", ".join(f"{name} ({text.en})" if text.en else name for name, text in named),
    )


def regular_start_text(start: RegularStart) -> Text:
    """Return when instances begin by themselves, in words.

    >>> weekly = RegularStart(every="7cd", on="mon", at="08:30")
    >>> regular_start_text(weekly).zh, regular_start_text(weekly).en
    ('每周一 08:30', 'every week on Mon at 08:30')
    """
    zh, en = _rhythm(start)
    closed, since = _CLOSED_DAYS[start.closed_day], "" if start.from_ is None else start.from_.isoformat()
    zh = f"{zh} {start.at}{closed.zh}{since and f'，自 {since} 起'}"
    en = f"{en} at {start.at}{closed.en}{since and f', from {since}'}"
    if start.for_ is not None:
        zh, en = f"{zh}，逐一为 {start.for_}", f"{en}, for each of {start.for_}"
    return Text(zh=zh, en=en)


def _rhythm(start: RegularStart) -> tuple[str, str]:
    amount = start.every.count
    if start.every.family == "working_days":
        return (
            ("每个工作日", "every working day")
            if amount == 1
            else (f"每 {amount} 个工作日", f"every {many(amount, 'working day')}")
        )
    if start.weekday is not None:
        weekday = WEEKDAYS[start.weekday]
        if start.weeks == 1:
            return f"每{weekday.zh}", f"every week on {weekday.en}"
        return f"每 {start.weeks} 周的{weekday.zh}", f"every {start.weeks} weeks on {weekday.en}"
    if start.every.family == "calendar_days":
        return ("每天", "every day") if amount == 1 else (f"每 {amount} 天", f"every {amount} days")
    return _months(start, amount)


def _months(start: RegularStart, amount: int) -> tuple[str, str]:
    day = start.day_of_month
    zh_day, en_day = ("最后一天", "the last day") if day == LAST_OF_MONTH else (f" {day} 日", f"day {day}")
    if amount == 1:
        return f"每月{zh_day}", f"every month on {en_day}"
    zh_since, en_since = ("一月起", " from January") if start.from_ is None else ("", "")
    if amount % MONTHS_A_YEAR == 0:
        years = amount // MONTHS_A_YEAR
        zh, en = ("每年", "every year") if years == 1 else (f"每 {years} 年", f"every {years} years")
        month = 1 if start.from_ is None else start.from_.month
        return f"{zh} {month} 月{zh_day}", f"{en} in month {month} on {en_day}"
    return f"{zh_since}每 {amount} 个月的{zh_day}", f"every {amount} months{en_since} on {en_day}"


_CLOSED_DAYS: Mapping[ClosedDay, Text] = {
    "next": Text(),
    "previous": Text(zh="（非工作日提前）", en=" (on a closed day: the working day before)"),
    "skip": Text(zh="（非工作日不启动）", en=" (not on closed days)"),
}
"""What becomes of an occurrence on a closed day; that it moves to the next working day goes without saying."""
