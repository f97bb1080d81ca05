"""One value of a document, as the model's classes want it: text, number, date, choice.

Each function refuses what it cannot take with one mistake that has no place yet; knows no class and no key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, get_args

from cattrs.errors import ForbiddenExtraKeysError

from svcflow.bounds import LARGEST, refuse_day
from svcflow.errors import DeclarationError, Problem
from svcflow.model.fullwidth import halved
from svcflow.nearest import nearest_name
from svcflow.text import NO_TEXT, Text

__all__ = ["as_date", "as_kind", "as_list", "as_mapping", "split_key"]


def read_mapping(value: object) -> Any:
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
    """Take `{zh: …, en: …}`, or one wording, which is English when it is all ASCII."""
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
    """Take `2026-01-01` only, none of the other ways ISO 8601 writes a day."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != value:
        raise mistaken(value, "日期，如 2026-01-01", "a date such as 2026-01-01", as_date(value))
    refuse_day("", day)
    return day


def read_share(value: object, _: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LARGEST:
        raise mistaken(value, "数字", "a number")
    return float(value)


def is_value(kind: Any) -> bool:
    """Say whether the type is that of a field's value."""
    return set(get_args(kind)) == {str, int, float, bool, type(None)}


def is_number(kind: Any) -> bool:
    """Say whether the type is an optional number of either kind."""
    return set(get_args(kind)) == {int, float, type(None)}


def read_number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise mistaken(value, "数字", "a number")
    return value


def read_plain(value: object) -> Any:
    if value is not None and not isinstance(value, str | int | float | bool):
        raise mistaken(value, "单个值", "a single value")
    return value


def read_choice(value: Any, kind: Any) -> Any:
    """Take one of a `Literal`'s choices, suggesting the nearest."""
    choices = get_args(kind)
    if value not in choices:
        near = nearest_name(value, [str(c) for c in choices])
        listed = ", ".join(str(c) for c in choices if c is not None)
        remedy = (
            Text(zh=f"可取：{listed}", en=f"write one of {listed}")
            if near is None
            else Text(zh=f"是否指 {near}？", en=f"did you mean {near}?")
        )
        raise DeclarationError(
            [Problem((), Text(zh=f"不能是“{value}”", en=f"{value!r} is not allowed"), remedy)]
        )
    return value


def mistaken(value: object, zh: str, en: str, remedy: Text = NO_TEXT) -> DeclarationError:
    """Return the mistake of a value that is not what was to be written."""
    shown = repr(value) if len(repr(value)) < 60 else f"{repr(value)[:57]}…"
    return DeclarationError(
        [Problem((), Text(zh=f"须为{zh}，而不是 {shown}", en=f"takes {en}, not {shown}"), remedy)]
    )


_LONGEST = 200
_YES = frozenset(("yes", "y", "on", "true", "t", "是", "对", "真", "有"))
_NO = frozenset(("no", "n", "off", "false", "f", "否", "不", "假", "无"))
_PAIR = re.compile(r"([A-Za-z_][\w-]*) ?[:：][ \u3000\u00a0]*(\S.*)")
_COUNT = re.compile(r"[^\d.]{0,3}(\d{1,9})[^\d.]{0,3}")
_DAY = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?[日号]?")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_DASHES = "-－—–•·"


def as_mapping(value: object) -> Text:
    """Say what to write where a pair stands that YAML does not see, or pairs stand in a list."""
    if isinstance(value, str) and (pair := split_key(value)):
        return Text(zh=f"写半角冒号加空格：{pair}", en=f"write a plain colon and a space: {pair}")
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return Text(zh="去掉各项前的短横线 -", en="leave out the dashes before the items")
    return NO_TEXT


def split_key(written: str) -> str | None:
    """Return `key: value` for what was written with a colon that is full-width, or without its space."""
    match = _PAIR.fullmatch(written[:_LONGEST].strip())
    if match is None:
        return None
    return f"{match[1]}: {match[2] if _CHINESE.search(match[2]) else halved(match[2])}"


def as_kind(value: object, kind: type[Any]) -> Text:
    """Say how the value is written so that YAML takes it for a text, a whole number, or true or false."""
    written: object = None
    if kind is str and isinstance(value, Mapping) and {*value} <= {"zh", "en"}:
        return Text(zh="这里只写一种文字，不分 zh 与 en", en="write one wording here, without zh and en")
    if kind is bool and isinstance(value, str):
        word = value.strip().casefold()
        written = "true" if word in _YES else "false" if word in _NO else None
    elif kind is int and isinstance(value, float) and value.is_integer():
        written = int(value)
    elif kind is int and isinstance(value, str) and (match := _COUNT.fullmatch(halved(value[:_LONGEST]))):
        written = int(match[1])
    elif kind is str and isinstance(value, int | float):
        written = f'"{str(value).lower() if isinstance(value, bool) else value}"'
    return NO_TEXT if written is None else Text(zh=f"写 {written}", en=f"write {written}")


def as_list(value: object) -> Text:
    """Say how a lone text is written as a list; the marks that people put between items divide it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > _LONGEST:
        return NO_TEXT
    text = str(value).strip("[]［］【】 ")
    if text[:1] in _DASHES:
        items = re.split(rf"(?:^|\s)[{re.escape(_DASHES)}]\s*", text)
    else:
        items = re.split(r"[,，、;；]", text)
    listed = ", ".join(item.strip() for item in items if item.strip())
    return Text(zh=f"写 [{listed}]", en=f"write [{listed}]") if listed else NO_TEXT


def as_date(value: object) -> Text:
    """Say how a day that is written in another way is written here; NO_TEXT when it is none."""
    match = _DAY.fullmatch(halved(value[:_LONGEST]).strip()) if isinstance(value, str) else None
    try:
        day = date(*map(int, match.groups())) if match else None
    except ValueError:
        day = None
    return NO_TEXT if day is None else Text(zh=f"写 {day}", en=f"write {day}")
