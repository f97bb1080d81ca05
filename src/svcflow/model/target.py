"""Targets: what a limit demands. A length of time, a clock time, an instant carried by the instance."""

from __future__ import annotations

import re
from typing import Literal

import attrs

from svcflow.errors import DeclarationError, Problem
from svcflow.model.amount import Amount, NamedAmount, named_amount, parameter_name
from svcflow.model.fullwidth import fullwidth_remedy, halved
from svcflow.text import Lang, Text

TargetKind = Literal["within", "by", "before", "after", "at_least", "every"]
TARGET_KINDS: tuple[TargetKind, ...] = ("within", "by", "before", "after", "at_least", "every")

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_SPOKEN_CLOCK = re.compile(
    r"(?P<before>上午|下午|晚上|早上|中午)?\s*(?P<hour>\d{1,2})\s*[:.时點点h]?\s*"
    r"(?:(?P<half>半)|(?P<minute>\d{2}|\d(?=\s*分|$))\s*分?)?(?::00)?\s*(?P<after>am|pm)?"
)
_ANCHOR = re.compile(r"(?P<field>[a-z0-9_]+)(?:\s*(?P<sign>[+-])\s*(?P<amount>\S+))?")


@attrs.frozen
class ClockTime:
    """Local time of day, such as `17:00`; `minute` counts from midnight."""

    written: str = attrs.field(converter=str)

    def __attrs_post_init__(self) -> None:
        if _CLOCK.fullmatch(self.written) is None:
            raise _wrong(
                Text(zh=f"“{self.written}”不是时刻", en=f"{self.written!r} is no time of day"),
                _clock_remedy(self.written),
            )

    @property
    def plain(self) -> ClockTime:
        """The time by itself, without the parameter that may set it."""
        return self

    @property
    def minute(self) -> int:
        """Minutes since midnight."""
        return int(self.written[:2]) * 60 + int(self.written[3:])

    def __str__(self) -> str:
        return self.written


@attrs.frozen
class NamedClockTime(ClockTime):
    """Time of day that a parameter of the procedure sets; midnight until the procedure is built."""

    parameter: str = attrs.field(kw_only=True)

    @property
    def plain(self) -> ClockTime:
        """The time by itself."""
        return ClockTime(self.written)


def named_clock_time(written: object) -> ClockTime:
    """Return the time of day that is written, or that of the parameter which is named. Raises: DeclarationError."""
    if isinstance(written, ClockTime):
        return written
    name = parameter_name(written)
    return NamedClockTime("00:00", parameter=name) if name else ClockTime(str(written))


def _clock_remedy(written: str) -> Text:
    """Return the time of day that was meant, where that can be told; else the form to write."""
    match = _SPOKEN_CLOCK.fullmatch(halved(written[:20]).strip().lower())
    if match:
        hour, minute = int(match["hour"]), 30 if match["half"] else int(match["minute"] or 0)
        if (match["before"] in ("下午", "晚上") or match["after"] == "pm") and hour < 12:
            hour += 12
        if hour < 24 and minute < 60:
            return Text(zh=f'写 "{hour:02}:{minute:02}"', en=f'write "{hour:02}:{minute:02}"')
        if (hour, minute) == (24, 0):
            return Text(zh='写 "23:59"，或次日的 "00:00"', en='write "23:59", or "00:00" of the next day')
    return Text(
        zh='写作 "17:00"：两位的时、冒号、两位的分', en='write it as "17:00": two digits, a colon, two digits'
    )


@attrs.frozen
class Anchor:
    """Instant relative to a field: `meeting_start - 30m`, `meeting_end + 1wd`, `pickup_at`."""

    field: str
    sign: Literal[-1, 1] = 1
    amount: Amount | None = None

    @classmethod
    def parse(cls, written: object) -> Anchor:
        """Return the anchor that is written. Raises: DeclarationError."""
        if isinstance(written, Anchor):
            return written
        match = _ANCHOR.fullmatch(str(written).strip())
        if match is None:
            raise _wrong(
                Text(zh=f"“{written}”不是预约时间", en=f"{written!r} is no scheduled instant"),
                fullwidth_remedy(str(written))
                or Text(
                    zh="写 字段名 - 30m 或 字段名 + 1wd",
                    en="write FIELD - 30m or FIELD + 1wd, FIELD being an instant",
                ),
            )
        amount = named_amount(match["amount"]) if match["amount"] else None
        return cls(match["field"], -1 if match["sign"] == "-" else 1, amount)

    @property
    def plain(self) -> Anchor:
        """The instant by itself, without the parameter that may set its amount."""
        return attrs.evolve(self, amount=self.amount.plain) if isinstance(self.amount, NamedAmount) else self

    @property
    def written(self) -> str:
        """The anchor as it is declared: with the name of a parameter in the place of its amount."""
        amount = self.amount
        return self._with(amount.parameter if isinstance(amount, NamedAmount) else str(amount))

    def __str__(self) -> str:
        return self._with(str(self.amount))

    def _with(self, amount: str) -> str:
        return self.field if self.amount is None else f"{self.field} {'-' if self.sign < 0 else '+'} {amount}"


@attrs.frozen
class Target:
    """What one row of a limit demands; only the parts of its kind are set."""

    kind: TargetKind
    amount: Amount | None = None
    time: ClockTime | None = None
    cutoff: ClockTime | None = None
    day: int = 0
    anchor: Anchor | None = None

    def text(self, lang: Lang = "en") -> str:
        """Return the target in words, in `zh` or `en`; `zh+en` gives the written form."""
        if lang == "zh+en":
            return str(self)
        return _ZH[self.kind](self) if lang == "zh" else _EN[self.kind](self)

    def __str__(self) -> str:
        if self.kind == "within":
            return str(self.amount)
        if self.kind == "by":
            return (
                f"by {self.time}"
                + (f" (cutoff {self.cutoff})" if self.cutoff else "")
                + _days(self, " +{}wd")
            )
        if self.anchor is not None:
            return str(self.anchor)
        return f"{self.kind.replace('_', ' ')} {self.amount}"


def _days(target: Target, form: str) -> str:
    return form.format(target.day) if target.day else ""


def _anchored(target: Target, lang: Lang) -> str:
    anchor = target.anchor
    assert anchor is not None  # noqa: S101  # kinds before and after have one
    if anchor.amount is None:
        return anchor.field
    length = anchor.amount.text(lang)
    if lang == "zh":
        gap = " " if anchor.field.isascii() else ""  # an id, where the field has no Chinese name
        return f"{anchor.field}{gap}{'前' if anchor.sign < 0 else '后'} {length}"
    return f"{length} {'before' if anchor.sign < 0 else 'after'} {anchor.field}"


def _length(target: Target, lang: Lang) -> str:
    return target.amount.text(lang) if target.amount else "—"


_ZH = {
    "within": lambda t: _length(t, "zh"),
    "by": lambda t: (
        f"{_days(t, '其后第{}个工作日')}{t.time} 前"
        + (f"（{t.cutoff} 后受理的算次一工作日）" if t.cutoff else "")
    ),
    "before": lambda t: _anchored(t, "zh"),
    "after": lambda t: _anchored(t, "zh"),
    "at_least": lambda t: f"不少于 {_length(t, 'zh')}",
    "every": lambda t: f"每 {_length(t, 'zh')}一次",
}
_EN = {
    "within": lambda t: _length(t, "en"),
    "by": lambda t: (
        f"by {t.time}{_days(t, ', {} working days on')}"
        + (f" (after {t.cutoff}: the next working day)" if t.cutoff else "")
    ),
    "before": lambda t: _anchored(t, "en"),
    "after": lambda t: _anchored(t, "en"),
    "at_least": lambda t: f"at least {_length(t, 'en')}",
    "every": lambda t: f"every {_length(t, 'en')}",
}


def _wrong(message: Text, remedy: Text) -> DeclarationError:
    return DeclarationError([Problem((), message, remedy)])
