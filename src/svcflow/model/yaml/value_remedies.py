"""Remedies for values of the wrong shape: what to write instead, where that can be seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from svcflow.model.fullwidth import halved
from svcflow.text import NO_TEXT, Text

__all__ = ["as_date", "as_kind", "as_list", "as_mapping", "split_key"]

_LONGEST = 200
_YES = frozenset(("yes", "y", "on", "true", "t", "是", "对", "真", "有"))
_NO = frozenset(("no", "n", "off", "false", "f", "否", "不", "假", "无"))
_PAIR = re.compile(r"([A-Za-z_][\w-]*) ?[:：][ \u3000\u00a0]*(\S.*)")
_COUNT = re.compile(r"[^\d.]{0,3}(\d{1,9})[^\d.]{0,3}")
_DAY = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?[日号]?")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_DASHES = "-－—–•·"


def as_mapping(value: object) -> Text:
    """Return what to write where a pair stands that YAML does not see, or pairs stand in a list."""
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
    """Return how the value is written so that YAML takes it for a text, a whole number, or true or false."""
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
    """Return how a lone text is written as a list; the marks that people put between items divide it."""
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
    """Return how a day that is written in another way is written here; NO_TEXT when it is none."""
    match = _DAY.fullmatch(halved(value[:_LONGEST]).strip()) if isinstance(value, str) else None
    try:
        day = date(*map(int, match.groups())) if match else None
    except ValueError:
        day = None
    return NO_TEXT if day is None else Text(zh=f"写 {day}", en=f"write {day}")
