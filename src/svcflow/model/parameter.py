"""Parameters: quantities of a procedure that one authority sets, and the values that an institution sets instead.

A guard names a number, a limit names an amount of time or a time of day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

from svcflow.bounds import LARGEST, SMALLEST
from svcflow.errors import DeclarationError, Problem
from svcflow.model.amount import Amount, written_amount
from svcflow.model.source import Source, cited, sources_of
from svcflow.model.target import ClockTime
from svcflow.text import NO_TEXT, Text

__all__ = [
    "Override",
    "Overrides",
    "Parameter",
    "Quantity",
    "Written",
    "kind_of",
    "quantity",
    "written_quantity",
]

Quantity: TypeAlias = int | float | Amount | ClockTime
Written: TypeAlias = int | float | str
"""A quantity as documents and journals write it."""

_KINDS = {
    "number": Text(zh="数", en="a number"),
    "elapsed": Text(zh="连续时间（m h d）", en="elapsed time (m h d)"),
    "working": Text(zh="工作时间（wm wh）", en="working time (wm wh)"),
    "working_days": Text(zh="工作日（wd）", en="working days (wd)"),
    "calendar_days": Text(zh="自然日（cd）", en="calendar days (cd)"),
    "months": Text(zh="月（mo y）", en="months (mo y)"),
    "clock": Text(zh="时刻（17:00）", en="a time of day (17:00)"),
}


def quantity(written: object) -> Quantity:
    """Return the quantity that is written: a number, an amount such as `4h`, a time of day such as `17:00`.

    Raises: DeclarationError.
    """
    if isinstance(written, Amount | ClockTime):
        return written
    if isinstance(written, int | float) and not isinstance(written, bool):
        if not (math.isfinite(written) and SMALLEST <= written <= LARGEST):
            raise _mistake(Text(zh="数超出 64 位", en="the number is beyond 64 bits"))
        return written
    if isinstance(written, str):
        return _time(written.strip())
    raise _mistake(
        Text(zh=f"{written!r} 不是参数的值", en=f"{written!r} is no value of a parameter"),
        Text(
            zh="写数、时长（4h）或时刻（17:00）", en="write a number, an amount (4h) or a time of day (17:00)"
        ),
    )


def _time(written: str) -> Quantity:
    if ":" in written or "：" in written or "点" in written:
        return ClockTime(written)
    try:
        return Amount.parse(written)
    except DeclarationError:
        message = Text(zh=f"“{written}”不是参数的值", en=f"{written!r} is no value of a parameter")
        raise _mistake(message, written_amount(written)) from None


def _optional(written: object) -> Quantity | None:
    return None if written is None else quantity(written)


def kind_of(value: Quantity) -> str:
    """Return what a quantity counts: `number`, `clock`, or the family of an amount."""
    if isinstance(value, Amount):
        return value.family
    return "clock" if isinstance(value, ClockTime) else "number"


def kind_text(value: Quantity) -> Text:
    """Return in words what a quantity counts."""
    return _KINDS[kind_of(value)]


def size(value: Quantity) -> int | float:
    """Return a number by which quantities of one kind compare."""
    if isinstance(value, Amount):
        return value.us if value.family in ("elapsed", "working") else value.count
    return value.minute if isinstance(value, ClockTime) else value


def written_quantity(value: Quantity) -> Written:
    """Return the quantity as documents and journals write it."""
    return value if isinstance(value, int | float) else str(value)


def _words(value: Quantity, unit: str | None) -> Text:
    if isinstance(value, Amount):
        return Text(zh=value.text("zh"), en=value.text("en"))
    number = str(value) if isinstance(value, ClockTime) else f"{value:,}"
    both = f"{number} {unit}" if unit else number
    return Text(zh=both, en=both)


@attrs.frozen
class Override:
    """Value that an institution sets for a parameter, and the source it rests on."""

    id: str
    value: Quantity = attrs.field(converter=quantity, kw_only=True)
    unit: str | None = attrs.field(default=None, kw_only=True)
    source: str | None = attrs.field(default=None, kw_only=True)
    institution: Text = attrs.field(default=NO_TEXT, kw_only=True)
    """Who set it: that of the document it stands in."""
    rests_on: tuple[Source, ...] = attrs.field(default=(), kw_only=True)
    """The sources that are cited."""


def _overrides(values: Mapping[str, Any]) -> dict[str, Override]:
    return {
        name: value if isinstance(value, Override) else Override(name, value=value)
        for name, value in values.items()
    }


@attrs.frozen(kw_only=True)
class Overrides:
    """Values that one institution sets for parameters of a procedure, in place of those that it declares.

    `id` is the procedure. The source of a value is the key of one of `sources`, or of one of the procedure.
    """

    id: str
    institution: Text = NO_TEXT
    sources: Mapping[str, Source] = attrs.field(factory=dict, converter=sources_of)
    values: Mapping[str, Override] = attrs.field(converter=_overrides)

    def of(self, procedure_sources: Mapping[str, Source]) -> dict[str, Override]:
        """Return each value with its institution and its sources, which may be those of the procedure."""
        sources = {**procedure_sources, **self.sources}
        return {
            name: attrs.evolve(
                override, institution=self.institution, rests_on=cited(override.source, sources)
            )
            for name, override in self.values.items()
        }


@attrs.frozen
class Parameter:
    """Quantity of a procedure that one authority sets: a number, an amount of time or a time of day.

    `value` is the declared one. What an institution sets in its place lies from `minimum` to `maximum`, both included.
    """

    id: str
    value: Quantity = attrs.field(converter=quantity, kw_only=True)
    unit: str | None = attrs.field(default=None, kw_only=True)
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)
    minimum: Quantity | None = attrs.field(default=None, converter=_optional, kw_only=True)
    maximum: Quantity | None = attrs.field(default=None, converter=_optional, kw_only=True)
    source: str | None = attrs.field(default=None, kw_only=True)
    override: Override | None = attrs.field(default=None, kw_only=True)
    """What an institution set; it stands in a file of its own."""

    @property
    def in_force(self) -> Quantity:
        """The value that holds."""
        return self.value if self.override is None else self.override.value

    def refuses(self, value: Quantity) -> Problem | None:
        """Return the mistake of a value that is of another kind, or below or above what the parameter may be."""
        if kind_of(value) != kind_of(self.value):
            return self._other_kind(value)
        low, high = self.minimum, self.maximum
        # A bound of another kind is a mistake of its own.
        if low is not None and kind_of(low) == kind_of(value) and size(value) < size(low):
            return self._beyond(value)
        if high is not None and kind_of(high) == kind_of(value) and size(value) > size(high):
            return self._beyond(value)
        return value.too_long if isinstance(value, Amount) else None

    def text(self, sources: Mapping[str, Source]) -> Text:
        """Return the parameter in words: its name, the value in force, what that rests on, and who set it."""
        value = _words(self.in_force, self.unit)
        about = _about(self, sources)
        zh, en = (
            "，".join(part.zh or part.en for part in about),
            ", ".join(part.en or part.zh for part in about),
        )
        name = Text(zh=self.name.in_("zh") or self.id, en=self.name.in_("en") or self.id)
        return Text(
            zh=f"{name.zh} {value.zh}{f'（{zh}）' if zh else ''}",
            en=f"{name.en} {value.en}{f' ({en})' if en else ''}",
        )

    def _other_kind(self, value: Quantity) -> Problem:
        own, other = kind_text(self.value), kind_text(value)
        message = Text(
            zh=f"参数 {self.id} 是{own.zh}，{written_quantity(value)} 是{other.zh}",
            en=f"parameter {self.id} is {own.en}; {written_quantity(value)} is {other.en}",
        )
        return Problem((), message, Text(zh=f"写{own.zh}", en=f"write {own.en}"))

    def _beyond(self, value: Quantity) -> Problem:
        span = _span(self.minimum, self.maximum)
        message = Text(
            zh=f"参数 {self.id} 不能是 {written_quantity(value)}",
            en=f"parameter {self.id} cannot be {written_quantity(value)}",
        )
        return Problem((), message, Text(zh=f"写{span.zh}", en=f"write {span.en}"))


def _about(parameter: Parameter, sources: Mapping[str, Source]) -> list[Text]:
    """Return what the value in force rests on; of one that an institution set, who, and what is declared."""
    override = parameter.override
    rests = cited(parameter.source, sources) if override is None else override.rests_on
    about = [Text(zh=source.text("zh"), en=source.text("en")) for source in rests]
    if override is None:
        return about
    who, declared = override.institution, _words(parameter.value, parameter.unit)
    if who:
        about.append(Text(zh=f"{who.in_('zh')}设定", en=f"set by {who.in_('en')}"))
    else:
        about.append(Text(zh="本单位设定", en="set by the institution"))
    return [*about, Text(zh=f"流程原定 {declared.zh}", en=f"the procedure says {declared.en}")]


def _span(low: Quantity | None, high: Quantity | None) -> Text:
    least = "" if low is None else written_quantity(low)
    most = "" if high is None else written_quantity(high)
    if high is None:
        return Text(zh=f"不小于 {least} 的值", en=f"{least} at least")
    if low is None:
        return Text(zh=f"不大于 {most} 的值", en=f"{most} at most")
    return Text(zh=f" {least} 至 {most} 之间的值", en=f"a value from {least} to {most}")


def _mistake(message: Text, remedy: Text = NO_TEXT) -> DeclarationError:
    return DeclarationError([Problem((), message, remedy)])
