"""Amounts of time as a procedure writes them: `30m 2h 1d 4wh 30wm 3wd 15cd 1mo 5y`.

When an amount that has begun ends depends on a calendar, and is computed in the kernel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal, get_args

import attrs

from svcflow import wording
from svcflow.bounds import LONGEST, LONGEST_YEARS
from svcflow.errors import DeclarationError, Problem
from svcflow.model.fullwidth import halved
from svcflow.text import NO_TEXT, Lang, Text

__all__ = [
    "DAY_US",
    "HOUR_US",
    "MINUTE_US",
    "UNITS",
    "Amount",
    "Family",
    "NamedAmount",
    "Unit",
    "named_amount",
    "parameter_name",
    "written_amount",
]


Unit = Literal["m", "h", "d", "wm", "wh", "wd", "cd", "mo", "y"]
Family = Literal["elapsed", "working", "working_days", "calendar_days", "months"]
UNITS: tuple[Unit, ...] = get_args(Unit)

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

_UNIT_US: dict[Unit, int] = {"m": MINUTE_US, "h": HOUR_US, "d": DAY_US, "wm": MINUTE_US, "wh": HOUR_US}
_FAMILY: dict[Unit, Family] = {
    "m": "elapsed",
    "h": "elapsed",
    "d": "elapsed",
    "wm": "working",
    "wh": "working",
    "wd": "working_days",
    "cd": "calendar_days",
    "mo": "months",
    "y": "months",
}
_MONTHS_A_YEAR = 12
_SMALLEST = Decimal("0.000001")
_WRITTEN = re.compile(r"(?P<value>\d{1,9}(?:\.\d{1,6})?)(?P<unit>wm|wh|wd|cd|mo|m|h|d|y)")

_PARAMETER = re.compile(r"[a-z_][a-z0-9_]{0,79}")

_PARTS = re.compile(r"(?:(\d{1,6})(d))?(?:(\d{1,6})(h))?(?:(\d{1,6})(m))?")
_SPOKEN = re.compile(
    r"(?P<value>\d{1,9}(?:\.\d{1,6})?|[零一二两三四五六七八九十]{1,3}|半) ?(?P<more>个?半)?个?(?P<word>[a-z ]{1,20}|[天日年周月季分钟小时工作自然历法星期礼拜度]{1,6})?"
)
_ZH_DIGITS = {sign: number for number, sign in enumerate("零一二三四五六七八九")} | {"两": 2}
_FORM = Text(
    zh="写作数字加单位：30m 2h 1d 4wh 30wm 3wd 15cd 1mo 5y",
    en="write a number and a unit: 30m 2h 1d 4wh 30wm 3wd 15cd 1mo 5y",
)


def _decimal(value: Decimal | int | str) -> Decimal:
    try:
        number = Decimal(value)
    except (ArithmeticError, ValueError, TypeError):
        number = Decimal("NaN")
    if not (number.is_finite() and abs(number) < 10**9 and number == number.quantize(_SMALLEST)):
        raise _mistake(
            Text(zh=f"{value} 不能作为时限的数值", en=f"{value} is no number of an amount of time"),
            Text(
                zh="写小于十亿的数，至多六位小数",
                en="give a number below 1,000,000,000 with at most six decimals",
            ),
        )
    return _normalized(number)


@attrs.frozen
class Amount:
    """Non-negative amount of time in one unit.

    >>> Amount.parse("3wd").text("zh"), Amount.parse("3wd").text("en")
    ('3个工作日', '3 working days')

    `m h d` are absolute (d = 24 h), `wm wh` run only inside the calendar's open intervals, `wd` working
    days, `cd` calendar days, `mo` months, `y` years of twelve months.
    """

    value: Decimal = attrs.field(converter=_decimal)
    unit: Unit = attrs.field(validator=attrs.validators.in_(UNITS))

    def __attrs_post_init__(self) -> None:
        if self.value < 0:
            raise _mistake(
                Text(
                    zh=f"时限不能为负：{self.value}", en=f"an amount of time cannot be negative: {self.value}"
                )
            )
        if self.unit not in _UNIT_US and self.value != self.value.to_integral_value():
            raise _mistake(
                Text(zh=f"“{self}”须为整数", en=f"'{self}' must be a whole number of days, months or years"),
                _whole_remedy(self),
            )

    @classmethod
    def parse(cls, written: object) -> Amount:
        """Return the amount written as `30m`; anything ambiguous is refused with the choices spelled out.

        Raises: DeclarationError.
        """
        if isinstance(written, Amount):
            return written
        text = str(written).strip()
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise _mistake(
                Text(zh=f"“{text}”不是明确的时限", en=f"{text!r} is ambiguous or no amount of time"),
                written_amount(text),
            )
        return cls(Decimal(match["value"]), match["unit"])  # type: ignore[arg-type]  # the pattern admits units only

    @property
    def plain(self) -> Amount:
        """The amount by itself, without the parameter that may set it."""
        return self

    @property
    def family(self) -> Family:
        """Kind of time on which the amount runs."""
        return _FAMILY[self.unit]

    @property
    def us(self) -> int:
        """Microseconds, for elapsed and working amounts only (days and months have no fixed length)."""
        return int(self.value * _UNIT_US[self.unit])

    @property
    def count(self) -> int:
        """Whole days or months, for `wd`, `cd`, `mo` and `y`, whose years are twelve months each."""
        return int(self.value) * (_MONTHS_A_YEAR if self.unit == "y" else 1)

    @property
    def too_long(self) -> Problem | None:
        """Mistake to report where the amount is longer than a hundred years; None where it is not."""
        longest = LONGEST[self.unit]
        if self.value <= longest:
            return None
        return Problem(
            (),
            Text(zh=f"{self} 超过 {LONGEST_YEARS} 年", en=f"{self} is longer than {LONGEST_YEARS} years"),
            Text(zh=f"至多写 {longest}{self.unit}", en=f"write {longest}{self.unit} at most"),
        )

    def text(self, lang: Lang = "en") -> str:
        """Return the amount in words; `zh+en` gives the short written form, which both read."""
        if lang == "zh+en":
            return str(self)
        return wording.amount(self.value, self.unit).in_(lang)

    def __str__(self) -> str:
        return f"{self.value}{self.unit}"


@attrs.frozen
class NamedAmount(Amount):
    """Amount that a parameter of the procedure sets; it is nothing until the procedure is built.

    It reads as its value everywhere, and is written as the name of the parameter.
    """

    parameter: str = attrs.field(kw_only=True)

    @property
    def plain(self) -> Amount:
        """The amount by itself."""
        return Amount(self.value, self.unit)


def parameter_name(written: object) -> str:
    """Return the name of a parameter that stands in the place of a quantity; empty for anything else.

    >>> parameter_name("arrive_normal"), parameter_name("4h")
    ('arrive_normal', '')
    """
    name = written.strip() if isinstance(written, str) else ""
    return name if _PARAMETER.fullmatch(name) else ""


def named_amount(written: object) -> Amount:
    """Return the amount that is written, or that of the parameter which is named. Raises: DeclarationError."""
    name = parameter_name(written)
    return NamedAmount(Decimal(0), "m", parameter=name) if name else Amount.parse(written)


def written_amount(text: str) -> Text:
    """Return what to write instead, each of the units that may be meant; the form itself where it cannot be told.

    >>> written_amount("3天").en
    'write 3wd (working day), 3cd (calendar day), 72h or 24wh'
    >>> written_amount("1个工作日").zh
    '写 1wd'
    """
    spaced = re.sub(r"\s+", " ", halved(text[:60])).strip().lower()
    close = spaced.replace(" ", "")
    if _WRITTEN.fullmatch(close):
        return _write(close)
    parts = _PARTS.fullmatch(close)
    if close and parts:
        minutes = sum(int(parts[place] or 0) * size for place, size in ((1, 1440), (3, 60), (5, 1)))
        return _write(f"{minutes}m" if minutes % 60 else f"{minutes // 60}h")
    match = _SPOKEN.fullmatch(spaced)
    value = None if match is None else _number(match["value"])
    if match is None or value is None:
        return _FORM
    return _in_unit(value + (Decimal("0.5") if match["more"] else 0), (match["word"] or "").strip())


def _whole_remedy(amount: Amount) -> Text:
    if amount.unit == "wd":
        hours = _digits(amount.value * 8)
        return Text(zh=f"例如写 1wd 或 {hours}wh", en=f"write for example 1wd or {hours}wh")
    months = amount.value * _MONTHS_A_YEAR
    if amount.unit == "y" and months == months.to_integral_value():
        return _write(f"{_digits(months)}mo")
    return Text(zh=f"例如写 1{amount.unit}", en=f"write for example 1{amount.unit}")


def _normalized(value: Decimal) -> Decimal:
    """Return the number without trailing zeros and, when whole, without an exponent: `1E+1` as `10`."""
    whole = value.to_integral_value()
    return Decimal(int(whole)) if value == whole else value.normalize()


def _mistake(message: Text, remedy: Text = NO_TEXT) -> DeclarationError:
    return DeclarationError([Problem((), message, remedy)])


def _number(written: str) -> Decimal | None:
    if written == "半":
        return Decimal("0.5")
    if written[0] not in _ZH_DIGITS and written[0] != "十":
        return Decimal(written)
    tens, ten, ones = written.rpartition("十")
    if any(sign not in _ZH_DIGITS for sign in tens + ones) or len(tens) > 1 or len(ones) > 1:
        return None
    return Decimal((_ZH_DIGITS.get(tens, 1) * 10 if ten else 0) + _ZH_DIGITS.get(ones, 0))


def _in_unit(value: Decimal, word: str) -> Text:
    for pattern, make in _SPOKEN_UNITS:
        if re.fullmatch(pattern, word):
            return make(value)
    return _FORM


def _days(value: Decimal) -> Text:
    hours, working = f"{_digits(value * 24)}h", f"{_digits(value * 8)}wh"
    if value != value.to_integral_value():
        return Text(zh=f"写 {hours} 或 {working}", en=f"write {hours} or {working}")
    n = _digits(value)
    return Text(
        zh=f"写 {n}wd（工作日）、{n}cd（自然日）、{hours} 或 {working}",
        en=f"write {n}wd (working day), {n}cd (calendar day), {hours} or {working}",
    )


def _working_days(value: Decimal) -> Text:
    return _write(f"{_digits(value)}wd" if value == value.to_integral_value() else f"{_digits(value * 8)}wh")


def _years(value: Decimal) -> Text:
    """Return what to write for years: part of one is given in months, where they come out whole."""
    months = value * _MONTHS_A_YEAR
    if value != value.to_integral_value() and months == months.to_integral_value():
        return _write(f"{_digits(months)}mo")
    return _write(f"{_digits(value)}y")


def _either(value: Decimal, unit: str) -> Text:
    n = _digits(value)
    return Text(
        zh=f"写 {n}{unit}（连续）或 {n}w{unit}（工作时间）",
        en=f"write {n}{unit} (elapsed) or {n}w{unit} (working)",
    )


def _weeks(value: Decimal) -> Text:
    days, working = _digits(value * 7), _digits(value * 5)
    return Text(zh=f"写 {days}cd 或 {working}wd", en=f"write {days}cd or {working}wd")


def _write(amount: str) -> Text:
    return Text(zh=f"写 {amount}", en=f"write {amount}")


def _digits(value: Decimal) -> str:
    return f"{value.normalize():f}"


_SPOKEN_UNITS: tuple[tuple[str, Callable[[Decimal], Text]], ...] = (
    (r"working ?days?|business ?days?|工作[日天]", _working_days),
    (r"calendar ?days?|自然[日天]|日历[日天]", lambda n: _write(f"{_digits(n)}cd")),
    (r"working ?hours?|工作小时", lambda n: _write(f"{_digits(n)}wh")),
    (r"days?|[天日]", _days),
    (r"hours?|hrs?|小时", lambda n: _either(n, "h")),
    (r"minutes?|mins?|分钟?", lambda n: _either(n, "m")),
    (r"weeks?|周|星期|礼拜", _weeks),
    (r"months?|月", lambda n: _write(f"{_digits(n)}mo")),
    (r"quarters?|季度?", lambda n: _write(f"{_digits(n * 3)}mo")),
    (r"years?|yrs?|y|年", _years),
    (
        r"",
        lambda n: Text(
            zh=f"加上单位：{_digits(n)}m {_digits(n)}h {_digits(n)}wh {_digits(n)}wd",
            en=f"add a unit: {_digits(n)}m {_digits(n)}h {_digits(n)}wh {_digits(n)}wd",
        ),
    ),
)
