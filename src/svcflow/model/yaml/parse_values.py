"""Single values of a document as the model's classes take them: text, number, date, choice.

A value that cannot be taken is one mistake, whose place is added by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, get_args

from cattrs.errors import ForbiddenExtraKeysError

from svcflow.bounds import LARGEST, refuse_day
from svcflow.errors import DeclarationError, Problem
from svcflow.model.amount import Amount
from svcflow.model.qualification_register import UNLIMITED
from svcflow.model.target import ClockTime
from svcflow.model.yaml.value_remedies import as_date, as_kind, as_mapping
from svcflow.nearest import did_you_mean, nearest_name
from svcflow.text import NO_TEXT, Text


def read_mapping(value: object) -> Any:
    """Return the value if it is a mapping. Raises: DeclarationError, as all these functions."""
    if not isinstance(value, Mapping):
        raise mistaken(value, "一组键值", "a mapping of keys to values", as_mapping(value))
    return value


def strict(kind: type[Any], zh: str, en: str) -> Callable[[Any, Any], Any]:
    """Return a hook that takes values of exactly this type (`true` is no number)."""

    def hook(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise mistaken(value, zh, en, as_kind(value, kind))
        return value

    return hook


def read_text(value: object, _: object) -> Text:
    """Return the text of `{zh: …, en: …}`, or of one wording, which is English when it is all ASCII."""
    if isinstance(value, str):
        return Text(en=value) if value.isascii() else Text(zh=value)
    if not isinstance(value, Mapping):
        raise mistaken(value, "文字，或 {zh: …, en: …}", "text, or {zh: …, en: …}")
    extra = set(value) - {"zh", "en"}
    if extra:
        raise ForbiddenExtraKeysError("", Text, extra)
    if not all(isinstance(item, str) for item in value.values()):
        raise mistaken(value, "文字", "text under zh and en")
    return Text(**value)


def read_date(value: object, _: object) -> date:
    """Return the date of `2026-01-01`, none of the other ways ISO 8601 writes a day."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != value:
        raise mistaken(value, "日期，如 2026-01-01", "a date such as 2026-01-01", as_date(value))
    refuse_day("", day)
    return day


def read_last_day(value: object) -> date | None:
    """Return the last day of a certificate; None for `unlimited`."""
    if value == UNLIMITED:
        return None
    try:
        return read_date(value, None)
    except DeclarationError:
        zh, en = "日期，如 2027-03-31，或 unlimited", "a date such as 2027-03-31, or unlimited"
        raise mistaken(value, zh, en, as_date(value)) from None


def read_share(value: object, _: object) -> float:
    """Return a share as a float; `true` is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LARGEST:
        raise mistaken(value, "数字", "a number")
    return float(value)


def is_value(kind: Any) -> bool:
    """Return whether the type is that of a field's value."""
    return set(get_args(kind)) == {str, int, float, bool, type(None)}


def is_number(kind: Any) -> bool:
    """Return whether the type is an optional number of either kind."""
    return set(get_args(kind)) == {int, float, type(None)}


def is_quantity(kind: Any) -> bool:
    """Return whether the type is that of a parameter's value, optional or not."""
    return {Amount, ClockTime} <= set(get_args(kind))


def read_number(value: object) -> int | float | None:
    """Return an optional number as it is; `true` is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise mistaken(value, "数字", "a number")
    return value


def read_plain(value: object) -> Any:
    """Return a single value; lists and mappings are none."""
    if value is not None and not isinstance(value, str | int | float | bool):
        raise mistaken(value, "单个值", "a single value")
    return value


def read_choice(value: Any, kind: Any) -> Any:
    """Return one of a `Literal`'s choices; for another value the nearest is suggested."""
    choices = get_args(kind)
    if value not in choices:
        near = nearest_name(value, [str(c) for c in choices])
        listed = ", ".join(str(c) for c in choices if c is not None)
        remedy = (
            Text(zh=f"可取：{listed}", en=f"write one of {listed}") if near is None else did_you_mean(near)
        )
        raise DeclarationError(
            [Problem((), Text(zh=f"不能是“{value}”", en=f"{value!r} is not allowed"), remedy)]
        )
    return value


def mistaken(value: object, zh: str, en: str, remedy: Text = NO_TEXT) -> DeclarationError:
    """Return the mistake of a value that is not what was to be written."""
    quoted = repr(value) if len(repr(value)) < 60 else f"{repr(value)[:57]}…"
    return DeclarationError(
        [Problem((), Text(zh=f"须为{zh}，而不是 {quoted}", en=f"takes {en}, not {quoted}"), remedy)]
    )
