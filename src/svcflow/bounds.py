"""Bounds of what comes in: instants, amounts of time, numbers and counts.

The table stands in docs/reference/bounds.md. Each value from outside is checked here once, before anything is stored. Sums of values within the bounds
fit into 64 bits: the latest instant, a limit of the longest amount, its extension and a rung at 9,999 % of both
come to the year 22,300, where 64 bits of microseconds end in the year 294,247.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import attrs

from svcflow.errors import FieldError
from svcflow.text import Text

__all__ = [
    "FIRST_DAY",
    "FIRST_US",
    "LARGEST",
    "LAST_DAY",
    "LAST_US",
    "LONGEST",
    "LONGEST_US",
    "LONGEST_YEARS",
    "MOST",
    "MOST_SIMULATED",
    "SMALLEST",
    "count",
    "number",
    "refuse_count",
    "refuse_day",
    "refuse_instant",
    "refuse_length",
    "shown",
]


FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""The first and the last day, in UTC, of which an instant may be given."""
_EPOCH = date(1970, 1, 1)
_DAY_US = 86_400_000_000
FIRST_US: Final = (FIRST_DAY - _EPOCH).days * _DAY_US
LAST_US: Final = ((LAST_DAY - _EPOCH).days + 1) * _DAY_US - 1
LONGEST_YEARS: Final = 100
LONGEST: Final[Mapping[str, int]] = MappingProxyType(
    {"m": 52_596_000, "h": 876_600, "d": 36_525, "wm": 52_596_000, "wh": 876_600, "wd": 36_525, "cd": 36_525, "mo": 1_200, "y": 100}
)  # fmt: skip
"""The longest amount in each unit: a hundred years of 365¼ days."""
LONGEST_US: Final = LONGEST["d"] * _DAY_US

_LONGEST_LENGTH = timedelta(microseconds=LONGEST_US)
SMALLEST: Final = -(2**63)
LARGEST: Final = 2**63 - 1
"""The bounds of whole numbers: every store and every reader of JSON has to know 64 bits, and few know more."""
MOST: Final = 2**31 - 1
"""The largest count: versions, bounds on rework, people in a pool, attempts. Columns of databases hold as much."""
MOST_SIMULATED: Final = 1_000_000
"""How many instances one simulation runs at most; their journals are held in memory."""
_INFINITE = float("inf")
_MOST_SHOWN = 60
_INSTANTS = Text(
    zh=f"{FIRST_DAY} 至 {LAST_DAY}（UTC）的时刻", en=f"an instant from {FIRST_DAY} to {LAST_DAY} (UTC)"
)
_DAYS = Text(zh=f"{FIRST_DAY} 至 {LAST_DAY} 的日期", en=f"a date from {FIRST_DAY} to {LAST_DAY}")


def refuse_instant(place: str, at_us: int, given: object = None) -> None:
    """Raise FieldError when an instant, in microseconds of UTC, lies outside the bounds; `given` is how it was written."""
    if FIRST_US <= at_us <= LAST_US:
        return
    raise _outside(place, at_us if given is None else given, _INSTANTS)


def refuse_day(place: str, day: date) -> None:
    """Raise FieldError when a date lies outside the bounds."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise _outside(place, day, _DAYS)


def refuse_length(place: str, length: object) -> None:
    """Raise FieldError unless a length of time is a timedelta, not below nothing and at most a hundred years."""
    if isinstance(length, timedelta) and timedelta() <= length <= _LONGEST_LENGTH:
        return
    days = _LONGEST_LENGTH.days
    raise _outside(
        place, length, Text(zh=f"0 至 {days} 天的时长", en=f"a length of time from 0 to {days} days")
    )


def refuse_count(place: str, given: object, least: int = 1, most: int = MOST) -> None:
    """Raise FieldError unless something is a whole number from `least` to `most`."""
    if type(given) is int and least <= given <= most:
        return
    raise _outside(
        place, given, Text(zh=f"{least} 至 {most} 的整数", en=f"a whole number from {least} to {most}")
    )


def count(least: int = 1, most: int = MOST) -> Callable[[object, attrs.Attribute[Any], object], None]:
    """Return the attrs validator of a field that holds a count, or None."""

    def refuse_other(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is not None:
            refuse_count(attribute.name, value, least, most)

    return refuse_other


def number(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Raise FieldError, as an attrs validator, unless the value is a finite number of 64 bits or None."""
    if value is None or (isinstance(value, float) and -_INFINITE < value < _INFINITE):
        return
    if isinstance(value, float) or not isinstance(value, int) or not SMALLEST <= value <= LARGEST:
        raise _outside(attribute.name, value, Text(zh="64 位以内的有限数", en="a finite number of 64 bits"))


def shown(value: object) -> str:
    """Return a refused value for a message: as it is where it is one of our kinds and short, else what it is."""
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        return f"{'-' if value < 0 else ''}2^{value.bit_length() - 1}…"
    if isinstance(value, datetime | date | timedelta):
        return str(value)
    if isinstance(value, bytes | bytearray) or not isinstance(value, str | int | float | None):
        return f"<{type(value).__name__}>"
    written = repr(value)
    return written if len(written) <= _MOST_SHOWN else f"{written[:_MOST_SHOWN]}…"


def _outside(place: str, given: object, wanted: Text) -> FieldError:
    """Return the error; a document's mistake has its place already, and `place` is empty."""
    value = shown(given)
    zh, en = f"须为 {wanted.zh}，不能是 {value}", f"it takes {wanted.en}, not {value}"
    return FieldError(Text(zh=f"{place}：{zh}", en=f"{place}: {en}") if place else Text(zh=zh, en=en))
