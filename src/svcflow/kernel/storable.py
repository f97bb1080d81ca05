"""Values that every store can hold: text without NUL or lone surrogates, finite numbers of 64 bits.

Any other value is refused with its place: some stores would keep it, some would not, and a query over the data of
one instance would fail for all.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from svcflow.bounds import LARGEST, SMALLEST
from svcflow.errors import FieldError
from svcflow.text import Text, is_blank


class Unstorable(NamedTuple):
    """Reason why a value cannot be stored, and what to do instead."""

    what: Text
    remedy: Text


def unstorable(value: object) -> Unstorable | None:
    """Return why a value cannot be stored; None when it can."""
    if isinstance(value, str):
        return None if value.isprintable() else _unstorable_text(value)
    if isinstance(value, int):
        return None if SMALLEST <= value <= LARGEST else _BEYOND
    if isinstance(value, float):
        return None if math.isfinite(value) else _ENDLESS
    return None if value is None else _strange(value)


def storage_error(place: str, value: object) -> FieldError | None:
    """Return the error for the first part of a value, or of a mapping of values, that cannot be stored."""
    for where, problem in _all_unstorable(place, value):
        if problem is not None:
            return refused(where, problem)
    return None


def refuse_unstorable(place: str, value: object) -> None:
    """Raise FieldError when a value, or a mapping of values, cannot be stored."""
    error = storage_error(place, value)
    if error is not None:
        raise error


def refuse_non_text(place: str, text: object, *, needed: bool = True) -> None:
    """Raise FieldError unless a value is text that can be stored; None will do where it is not `needed`."""
    if isinstance(text, str) or (text is None and not needed):
        refuse_unstorable(place, text)
        return
    kind = type(text).__name__
    what = Text(zh=f"须为文字，不能是 {kind}", en=f"it takes text, not a {kind}")
    raise refused(place, Unstorable(what, Text(zh="写成文字", en="write it as text")))


def refuse_unfit_name(place: str, name: object, longest: int) -> None:
    """Raise FieldError when a name cannot be stored, is too long, or has control characters."""
    problem = unstorable(name) if isinstance(name, str) else _strange(name)
    if problem is None and isinstance(name, str):
        problem = _unstorable_name(name, longest)
    if problem is not None:
        raise refused(place, problem)


def refuse_unfit_id(place: str, name: object, longest: int) -> None:
    """Raise FieldError when an id is empty or blank, or is unfit as a name."""
    if name == "":
        raise refused(place, Unstorable(_EMPTY, _or_leave_out(place)))
    refuse_unfit_name(place, name, longest)
    if isinstance(name, str) and is_blank(name):
        raise refused(place, Unstorable(_UNSEEN, _or_leave_out(place)))


def refused(place: str, problem: Unstorable) -> FieldError:
    """Return the error for a value at a place that cannot be stored."""
    what = problem.what
    return FieldError(Text(zh=f"{place}：{what.zh}", en=f"{place}: {what.en}"), problem.remedy)


def _all_unstorable(place: str, value: object) -> Iterator[tuple[str, Unstorable | None]]:
    if not isinstance(value, Mapping):
        yield place, unstorable(value)
        return
    for name, part in value.items():
        yield f"{place}[{name!a}]", unstorable(name) if isinstance(name, str) else _UNNAMED
        yield f"{place}.{name}", unstorable(part)


def _unstorable_text(text: str) -> Unstorable | None:
    if "\0" in text:
        return _NUL
    half = next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    return None if half is None else _half(half)


def _unstorable_name(name: str, longest: int) -> Unstorable | None:
    if len(name) > longest:
        return Unstorable(
            Text(
                zh=f"有 {len(name)} 个字符，最多 {longest} 个",
                en=f"it has {len(name)} characters; {longest} at most",
            ),
            Text(zh="取短一些", en="choose a shorter one"),
        )
    control = None if name.isprintable() else next(filter(_is_control, name), None)
    return None if control is None else _control(control)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def _control(character: str) -> Unstorable:
    what = Text(
        zh=f"含控制字符 U+{ord(character):04X}", en=f"it holds the control character U+{ord(character):04X}"
    )
    return Unstorable(what, Text(zh="去掉该字符", en="leave it out"))


def _half(character: str) -> Unstorable:
    return Unstorable(
        Text(
            zh=f"含半个代理对 U+{ord(character):04X}，不是字符",
            en=f"the text holds U+{ord(character):04X}, half of a surrogate pair, which is no character",
        ),
        Text(zh="读入时按 UTF-8 解码", en="decode what comes in as UTF-8"),
    )


def _strange(value: object) -> Unstorable:
    kind = type(value).__name__
    return Unstorable(
        Text(
            zh=f"类型 {kind} 无法保存，只能是文字、数字、真假或空",
            en=f"a value of type {kind} cannot be kept; only text, numbers, true, false or nothing can",
        ),
        Text(zh="把各部分分别给出，或写成文字", en="give its parts one by one, or write it as text"),
    )


def _or_leave_out(place: str) -> Text:
    return Text(zh=f"给出编号，或不给 `{place}`", en=f"give one, or leave `{place}` out")


_EMPTY = Text(zh="为空", en="it is empty")
_UNSEEN = Text(zh="其中没有看得见的字符", en="nothing in it can be seen")
_UNNAMED = Unstorable(
    Text(zh="名称须为文字", en="a name is text"), Text(zh="写成文字", en="write it as text")
)
_NUL = Unstorable(
    Text(
        zh="含空字符 U+0000，并非每种存储都能保存", en="the text holds U+0000, which not every store can keep"
    ),
    Text(zh="去掉该字符", en="leave it out"),
)
_BEYOND = Unstorable(
    Text(zh="整数超出 64 位", en="the whole number is beyond 64 bits"),
    Text(zh="用文字保存，或换较大的单位", en="keep it as text, or in a greater unit"),
)
_ENDLESS = Unstorable(
    Text(zh="不是有限的数", en="it is no finite number"),
    Text(zh="不知道时不要给出", en="leave it out while it is not known"),
)
