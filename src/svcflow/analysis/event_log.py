"""Foreign event log as values: cases, their events and instants, and a report of the flaws in it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

import attrs

from svcflow.bounds import FIRST_DAY, LAST_DAY
from svcflow.text import Lang, Text

__all__ = [
    "Case",
    "Event",
    "Flaw",
    "FlawKind",
    "Report",
    "Stamp",
    "Value",
    "local_stamp",
    "typed_value",
    "zoned_stamp",
]

Value = str | int | float | bool
Place = tuple[int, int]
Stamp = tuple[int, int]
"""Microseconds of UTC since 1970, and the minutes by which the writer's clock was ahead of UTC."""

FlawKind = Literal[
    "activity-missing",
    "attribute-ignored",
    "attribute-repeated",
    "case-empty",
    "case-unnamed",
    "event-without-case",
    "time-backwards",
    "timestamp-missing",
    "timestamp-unreadable",
    "timestamp-without-zone",
    "value-unreadable",
]

WORDINGS: Final[Mapping[FlawKind, Text]] = MappingProxyType(
    {
        "activity-missing": Text(zh="事件没有活动名，未采用", en="event without an activity, kept out"),
        "attribute-ignored": Text(
            zh="嵌套属性或未知元素，未读取", en="nested attribute or unknown element, not read"
        ),
        "attribute-repeated": Text(zh="属性重复，取最后一个", en="attribute given twice, the last is kept"),
        "case-empty": Text(zh="案例中没有可用的事件", en="case without a usable event"),
        "case-unnamed": Text(zh="案例没有名称，以序号代替", en="case without a name, numbered instead"),
        "event-without-case": Text(zh="事件不属于任何案例，未采用", en="event outside of any case, kept out"),
        "time-backwards": Text(
            zh="时间早于同一案例的前一事件，次序保持原样",
            en="earlier than the event before it in its case, order kept as written",
        ),
        "timestamp-missing": Text(zh="事件没有时间，未采用", en="event without a timestamp, kept out"),
        "timestamp-unreadable": Text(
            zh="事件的时间无法识别，或在 1900 至 2199 年之外，未采用",
            en="event with an unreadable timestamp, or one outside 1900 to 2199, kept out",
        ),
        "timestamp-without-zone": Text(
            zh="时间没有时区，按默认时区解释", en="timestamp without a zone, read in the default zone"
        ),
        "value-unreadable": Text(
            zh="值与其类型不符，按文字保留", en="value does not fit its type, kept as text"
        ),
    }
)

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the arithmetic is on local readings, the offset is added by hand
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_MINUTE_US: Final = 60_000_000
_DAY_US: Final = 1440 * _MINUTE_US
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]")
_TIME: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9]):")
_SECOND: Final = re.compile(r"([0-5][0-9])")
_TAIL: Final = re.compile(r"(?:[.,]([0-9]{1,9}))?(?:([Zz])|([+-])([0-9]{2}):?([0-5][0-9])?)?")
_WIDEST_OFFSET: Final = 14 * 60
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_INT: Final = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")
_FLOAT: Final = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*", re.ASCII)


@attrs.frozen
class Event:
    """One entry of a log: what was done, when, by whom.

    `at_us` is exact in UTC; `offset_minutes` keeps the writer's zone. A finer fraction than a microsecond is cut.
    `data` holds every other attribute and is not to be written to. `lifecycle` is in lower case, and "complete"
    where the log does not say.
    """

    activity: str
    at_us: int
    actor: str = ""
    role: str = ""
    data: Mapping[str, Value] = attrs.field(factory=dict, hash=False)
    offset_minutes: int = 0
    lifecycle: str = "complete"

    @property
    def at(self) -> datetime:
        """Return the instant in the zone offset it was written in.

        >>> Event("submit", 0, offset_minutes=480).at.isoformat()
        '1970-01-01T08:00:00+08:00'
        """
        zone = timezone(timedelta(minutes=self.offset_minutes)) if self.offset_minutes else UTC
        local = _EPOCH + timedelta(microseconds=self.at_us + self.offset_minutes * _MINUTE_US)
        return local.replace(tzinfo=zone)


@attrs.frozen
class Case:
    """One execution as the log has it: its events in the order in which they were written."""

    id: str
    events: tuple[Event, ...]
    data: Mapping[str, Value] = attrs.field(factory=dict, hash=False)


@attrs.frozen
class Flaw:
    """Count of one kind of flaw in a log, with its first place; `line` and `column` count from 1."""

    kind: FlawKind
    count: int
    line: int
    column: int
    example: str = ""
    file: str = ""

    def text(self, lang: Lang = "en") -> str:
        """Return `file:line:column: count × what it means (first example)`."""
        example = f" ({self.example!r})" if self.example else ""
        return (
            f"{self.file}:{self.line}:{self.column}: {self.count} × {WORDINGS[self.kind].in_(lang)}{example}"
        )


@attrs.define
class Report:
    """Report on the reading of a log: what there was, what was kept, and its flaws.

    Complete only when the log has been read to its end. `events - kept` events were kept out, each for a
    reason that is counted among the flaws.
    """

    file: str = ""
    cases: int = 0
    events: int = 0
    kept: int = 0
    _counts: dict[FlawKind, int] = attrs.field(factory=dict, init=False)
    _firsts: dict[FlawKind, Flaw] = attrs.field(factory=dict, init=False)

    def note(self, kind: FlawKind, place: Callable[[], Place], example: str = "") -> None:
        """Count one flaw; `place` is called only for the first of its kind."""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count == 1:
            self._firsts[kind] = Flaw(kind, 1, *place(), _shortened(example), self.file)

    def count(self, kind: FlawKind) -> int:
        """Return how often there was a kind of flaw."""
        return self._counts.get(kind, 0)

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """One `Flaw` of each kind there was, the most frequent first."""
        flaws = (attrs.evolve(first, count=self._counts[kind]) for kind, first in self._firsts.items())
        return tuple(sorted(flaws, key=lambda flaw: (-flaw.count, flaw.kind)))


def zoned_stamp(text: str) -> Stamp | None:
    """Read `2017-01-09T09:49:50.000+01:00` or `…Z`; None when it is no such instant or has no zone.

    >>> zoned_stamp("1970-01-01T08:00:00.5+08:00")
    (500000, 480)
    """
    try:
        fraction_us, offset_minutes = _tail(text[19:])
        if offset_minutes is None:
            return None
        return _local_us(text) + fraction_us, offset_minutes
    except ValueError:
        return None


def local_stamp(text: str, zone: tzinfo) -> Stamp | None:
    """Read an instant written without a zone as local time in `zone`; None when it is not one.

    An hour that happens twice when clocks are set back is taken as its first occurrence.
    """
    try:
        fraction_us, offset_minutes = _tail(text[19:])
        local_us = _local_us(text) + fraction_us
    except ValueError:
        return None
    if offset_minutes is not None:
        return None
    offset = (_EPOCH + timedelta(microseconds=local_us)).replace(tzinfo=zone).utcoffset() or timedelta()
    return local_us - offset // timedelta(microseconds=1), offset // timedelta(minutes=1)


def typed_value(kind: str, text: str) -> Value | None:
    """Read a value of kind int, float or boolean, any other as its text; None when it does not fit.

    >>> typed_value("float", "26.85"), typed_value("int", "1_000"), typed_value("float", "1e999")
    (26.85, None, None)
    """
    if kind == "boolean":
        return _BOOLEANS.get(text.strip().lower())
    if kind == "int":
        return int(text) if _INT.fullmatch(text) else None
    if kind == "float":
        number = float(text) if _FLOAT.fullmatch(text) else math.inf
        return number if math.isfinite(number) else None
    return text


# A log repeats its days, minutes of the day and tails, so each is read once: a third of the time of fromisoformat.


def _local_us(text: str) -> int:
    time_us = _minute_us(text[11:17]) + _second_us(text[17:19])
    if time_us > _DAY_US:
        raise ValueError(text)
    return _day_us(text[:11]) + time_us


@lru_cache(maxsize=8192)
def _day_us(text: str) -> int:
    year, month, day = map(int, _matched(_DAY, text))
    # 9999 is how databases write "never", 1899 how spreadsheets write 0.
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        raise ValueError(text)
    return (date(year, month, day).toordinal() - _EPOCH_DAY) * _DAY_US


@lru_cache(maxsize=1441)
def _minute_us(text: str) -> int:
    hour, minute = map(int, _matched(_TIME, text))
    return (hour * 60 + minute) * _MINUTE_US


@lru_cache(maxsize=60)
def _second_us(text: str) -> int:
    (second,) = map(int, _matched(_SECOND, text))
    return second * 1_000_000


@lru_cache(maxsize=8192)
def _tail(text: str) -> tuple[int, int | None]:
    """Return the fraction less the offset in microseconds, and the offset in minutes or None without a zone."""
    fraction, zulu, sign, hours, minutes = _matched(_TAIL, text)
    fraction_us = int(f"{fraction or 0:0<6}"[:6])
    if not sign:
        return fraction_us, 0 if zulu else None
    offset = int(hours) * 60 + int(minutes or 0)
    if offset > _WIDEST_OFFSET:
        raise ValueError(text)
    signed = -offset if sign == "-" else offset
    return fraction_us - signed * _MINUTE_US, signed


def _matched(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return match.groups()


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
