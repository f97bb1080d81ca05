"""Fields: what an instance carries, typed and checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import attrs

from svcflow.bounds import LARGEST, SMALLEST, number, refuse_instant
from svcflow.errors import FieldError
from svcflow.text import NO_TEXT, Text

FieldType = Literal["choice", "text", "number", "instant", "boolean", "rating"]
FIELD_TYPES: tuple[FieldType, ...] = ("choice", "text", "number", "instant", "boolean", "rating")
Subject = Literal["unit", "place"]
SUBJECTS: tuple[Subject, ...] = ("unit", "place")
"""What the value of a field may stand for, by which figures are grouped."""
COMPANIONS: Mapping[str, tuple[FieldType, ...]] = {
    "reason": ("text",),
    "beyond_standard": ("text", "choice"),
    "follow_up": ("rating",),
}
"""Types of the fields that a rating names beside itself, by the key that names them."""
Value = str | int | float | bool | None
"""What a field may hold; an `instant` is held as ISO 8601 text with its offset."""

MAX_TEXT = 10_000
GRADES: Mapping[str, Text] = {
    "very_satisfied": Text(zh="非常满意", en="Very satisfied"),
    "satisfied": Text(zh="满意", en="Satisfied"),
    "fair": Text(zh="基本满意", en="Fair"),
    "dissatisfied": Text(zh="不满意", en="Dissatisfied"),
    "very_dissatisfied": Text(zh="非常不满意", en="Very dissatisfied"),
}
"""Grades of a rating, the best first; the lowest two say that the service failed (差评)."""
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def _named_choices(choices: Mapping[str, Text] | Iterable[str]) -> Mapping[str, Text]:
    """Convert choices that may have names: a mapping to their names, or the plain values."""
    return choices if isinstance(choices, Mapping) else dict.fromkeys(choices, NO_TEXT)


@attrs.frozen
class Field:
    """Field of the instances of a procedure.

    `choices` maps each value of a choice to its name. A rating is one of the five `GRADES`; `reason` names the text
    field that says why, `beyond_standard` the one that says what was better than the standard asks, and `follow_up`
    the rating that may be given once more later. `stands_for` says by which field figures are grouped. From the
    trigger `settled_by` on the value stays as it is, until a rework leads back before that.
    """

    id: str
    type: FieldType = attrs.field(default="text", validator=attrs.validators.in_(FIELD_TYPES), kw_only=True)
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)
    choices: Mapping[str, Text] = attrs.field(factory=dict, converter=_named_choices, kw_only=True)
    default: Value = attrs.field(default=None, kw_only=True)
    required: bool = attrs.field(default=False, kw_only=True)
    unit: str | None = attrs.field(default=None, kw_only=True)
    minimum: int | float | None = attrs.field(default=None, validator=number, kw_only=True)
    maximum: int | float | None = attrs.field(default=None, validator=number, kw_only=True)
    personal: bool = attrs.field(default=False, kw_only=True)
    settled_by: str | None = attrs.field(default=None, kw_only=True)
    stands_for: Subject | None = attrs.field(
        default=None, validator=attrs.validators.in_((*SUBJECTS, None)), kw_only=True
    )
    reason: str | None = attrs.field(default=None, kw_only=True)
    beyond_standard: str | None = attrs.field(default=None, kw_only=True)
    follow_up: str | None = attrs.field(default=None, kw_only=True)

    @property
    def values(self) -> Mapping[str, Text]:
        """The values it takes, with their names: those of a choice or a rating; empty for other types."""
        return GRADES if self.type == "rating" else self.choices if self.type == "choice" else {}

    def accept(self, value: object) -> Value:
        """Return the value as it is kept. Raises: FieldError."""
        if value is None:
            return None
        return _ACCEPT[self.type](self, value)


def defaults(fields: Mapping[str, Field]) -> dict[str, Value]:
    """Return the declared default values."""
    return {field.id: field.default for field in fields.values() if field.default is not None}


def _choice(field: Field, value: object) -> Value:
    if not isinstance(value, str) or value not in field.values:
        raise FieldError(
            Text(
                zh=f"字段 {field.id} 只能取 {'、'.join(field.values)}，不能是{_shown(value).zh}",
                en=f"field {field.id} takes one of {', '.join(field.values)}, not {_shown(value).en}",
            )
        )
    return value


def _text(field: Field, value: object) -> Value:
    if not isinstance(value, str):
        raise FieldError(
            Text(
                zh=f"字段 {field.id} 须为文字，不能是{_shown(value).zh}",
                en=f"field {field.id} takes text, not {_shown(value).en}",
            )
        )
    if len(value) > MAX_TEXT:
        raise FieldError(
            Text(
                zh=f"字段 {field.id} 超过 {MAX_TEXT} 字",
                en=f"field {field.id} is longer than {MAX_TEXT} characters",
            )
        )
    return value


def _number(field: Field, given: object) -> Value:
    value = _plain_number(given)
    if value is None:
        raise FieldError(
            Text(
                zh=f"字段 {field.id} 须为数字，不能是{_shown(given).zh}",
                en=f"field {field.id} takes a number, not {_shown(given).en}",
            )
        )
    low, high = field.minimum, field.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        span = _span(low, high)
        raise FieldError(
            Text(
                zh=f"字段 {field.id} {span.zh}，不能是 {value}", en=f"field {field.id} {span.en}, not {value}"
            )
        )
    return value


def _span(low: float | None, high: float | None) -> Text:
    if high is None:
        return Text(zh=f"不得小于 {low}", en=f"must be at least {low}")
    if low is None:
        return Text(zh=f"不得大于 {high}", en=f"must be at most {high}")
    return Text(zh=f"须在 {low} 至 {high} 之间", en=f"must lie in {low}…{high}")


def _plain_number(given: object) -> int | float | None:
    """Return a number as it is kept; None for what is none, is not finite or is beyond 64 bits."""
    if isinstance(given, bool):
        return None
    if isinstance(given, float):
        return given if math.isfinite(given) else None
    if isinstance(given, Decimal) and not given.is_finite():  # compared with others it raises
        return None
    if not isinstance(given, int | Decimal) or not SMALLEST <= given <= LARGEST:
        return None
    return given if isinstance(given, int) else int(given) if given == int(given) else float(given)


def _instant(field: Field, value: object) -> Value:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        at = None
    if at is None or at.utcoffset() is None:
        raise FieldError(
            Text(
                zh=f"字段 {field.id} 须为带时区的时刻，例如 2026-03-02T14:00:00+08:00，不能是{_shown(value).zh}",
                en=f"field {field.id} takes an instant with its zone, such as 2026-03-02T14:00:00+08:00, not {_shown(value).en}",
            )
        )
    refuse_instant(field.id, (at - _EPOCH) // _MICROSECOND, at)
    return at.isoformat()


def _boolean(field: Field, value: object) -> Value:
    if not isinstance(value, bool):
        raise FieldError(
            Text(
                zh=f"字段 {field.id} 须为真或假，不能是{_shown(value).zh}",
                en=f"field {field.id} takes true or false, not {_shown(value).en}",
            )
        )
    return value


def _shown(value: object) -> Text:
    """Return a value of a field's types as it is, and of any other value its type only."""
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        return Text(zh="超出 64 位的数", en="one beyond 64 bits")
    if isinstance(value, str):
        return Text(zh=f"“{value}”", en=repr(value))
    if isinstance(value, int | float):
        return Text(zh=f" {value!r}", en=repr(value))
    kind = type(value).__name__
    return Text(zh=f" {kind} 类型的值", en=f"a value of type {kind}")


_ACCEPT = {
    "choice": _choice,
    "text": _text,
    "number": _number,
    "instant": _instant,
    "boolean": _boolean,
    "rating": _choice,
}
