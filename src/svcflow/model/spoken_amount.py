"""An amount of time as people say it, such as `3天` or `1.5 hours`, and how it is to be written."""

from __future__ import annotations

import re
from decimal import Decimal

from svcflow.model.fullwidth import halved
from svcflow.text import Text

__all__ = ["written_amount"]

_WRITTEN = re.compile(r"\d{1,9}(?:\.\d{1,6})?(?:wm|wh|wd|cd|mo|m|h|d)")
_PARTS = re.compile(r"(?:(\d{1,6})(d))?(?:(\d{1,6})(h))?(?:(\d{1,6})(m))?")
_SPOKEN = re.compile(
    r"(?P<value>\d{1,9}(?:\.\d{1,6})?|[零一二两三四五六七八九十]{1,3}|半) ?(?P<more>个?半)?个?(?P<word>[a-z ]{1,20}|[天日年周月季分钟小时工作自然历法星期礼拜度]{1,6})?"
)
_DIGITS = {sign: number for number, sign in enumerate("零一二三四五六七八九")} | {"两": 2}
_FORM = Text(
    zh="写作数字加单位：30m 2h 1d 4wh 30wm 3wd 15cd 1mo",
    en="write a number and a unit: 30m 2h 1d 4wh 30wm 3wd 15cd 1mo",
)


def written_amount(text: str) -> Text:
    """Return what to write instead, each of the units that may be meant; the form itself where it cannot be told.

    >>> written_amount("3天").en
    'write 3wd (working day), 3cd (calendar day), 72h or 24wh'
    >>> written_amount("1个工作日").zh
    '写 1wd'
    """
    plain = re.sub(r"\s+", " ", halved(text[:60])).strip().lower()
    close = plain.replace(" ", "")
    if _WRITTEN.fullmatch(close):
        return _write(close)
    parts = _PARTS.fullmatch(close)
    if close and parts:
        minutes = sum(int(parts[place] or 0) * size for place, size in ((1, 1440), (3, 60), (5, 1)))
        return _write(f"{minutes}m" if minutes % 60 else f"{minutes // 60}h")
    match = _SPOKEN.fullmatch(plain)
    value = None if match is None else _number(match["value"])
    if match is None or value is None:
        return _FORM
    return _in_unit(value + (Decimal("0.5") if match["more"] else 0), (match["word"] or "").strip())


def _number(written: str) -> Decimal | None:
    if written == "半":
        return Decimal("0.5")
    if written[0] not in _DIGITS and written[0] != "十":
        return Decimal(written)
    tens, ten, ones = written.rpartition("十")
    if any(sign not in _DIGITS for sign in tens + ones) or len(tens) > 1 or len(ones) > 1:
        return None
    return Decimal((_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0))


def _in_unit(value: Decimal, word: str) -> Text:
    for pattern, make in _UNITS:
        if re.fullmatch(pattern, word):
            return make(value)
    return _FORM


def _days(value: Decimal) -> Text:
    hours, working = f"{_plain(value * 24)}h", f"{_plain(value * 8)}wh"
    if value != value.to_integral_value():
        return Text(zh=f"写 {hours} 或 {working}", en=f"write {hours} or {working}")
    n = _plain(value)
    return Text(
        zh=f"写 {n}wd（工作日）、{n}cd（自然日）、{hours} 或 {working}",
        en=f"write {n}wd (working day), {n}cd (calendar day), {hours} or {working}",
    )


def _working_days(value: Decimal) -> Text:
    return _write(f"{_plain(value)}wd" if value == value.to_integral_value() else f"{_plain(value * 8)}wh")


def _either(value: Decimal, unit: str) -> Text:
    n = _plain(value)
    return Text(
        zh=f"写 {n}{unit}（连续）或 {n}w{unit}（工作时间）",
        en=f"write {n}{unit} (elapsed) or {n}w{unit} (working)",
    )


def _weeks(value: Decimal) -> Text:
    days, working = _plain(value * 7), _plain(value * 5)
    return Text(zh=f"写 {days}cd 或 {working}wd", en=f"write {days}cd or {working}wd")


def _write(amount: str) -> Text:
    return Text(zh=f"写 {amount}", en=f"write {amount}")


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


_UNITS = (
    (r"working ?days?|business ?days?|工作[日天]", _working_days),
    (r"calendar ?days?|自然[日天]|日历[日天]", lambda n: _write(f"{_plain(n)}cd")),
    (r"working ?hours?|工作小时", lambda n: _write(f"{_plain(n)}wh")),
    (r"days?|[天日]", _days),
    (r"hours?|hrs?|小时", lambda n: _either(n, "h")),
    (r"minutes?|mins?|分钟?", lambda n: _either(n, "m")),
    (r"weeks?|周|星期|礼拜", _weeks),
    (r"months?|月", lambda n: _write(f"{_plain(n)}mo")),
    (r"quarters?|季度?", lambda n: _write(f"{_plain(n * 3)}mo")),
    (r"years?|yrs?|y|年", lambda n: _write(f"{_plain(n * 12)}mo")),
    (
        r"",
        lambda n: Text(
            zh=f"加上单位：{_plain(n)}m {_plain(n)}h {_plain(n)}wh {_plain(n)}wd",
            en=f"add a unit: {_plain(n)}m {_plain(n)}h {_plain(n)}wh {_plain(n)}wd",
        ),
    ),
)
