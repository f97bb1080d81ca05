"""Opening hours as they are written: "08:30-12:00" on "mon-fri".

Every mistake in the notation is noted with what was probably meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from svcflow.errors import Path, Problem
from svcflow.model.fullwidth import halved
from svcflow.text import NO_TEXT, Text
from svcflow.worktime.rules import WEEKDAYS, DayHours, Week

__all__ = ["overlap_in", "overlap_in_week", "read_hours", "read_week", "read_weekdays", "written"]

INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_SPOKEN = re.compile(
    r"(\d{1,2})(?:[:.时点](?:(\d{2})分?)?)? ?[-~至到] ?(\d{1,2})(?:[:.时点](?:(\d{2})分?)?)?"
)
_ZH_DAYS = dict(zip("一二三四五六日天", (*WEEKDAYS, "sun"), strict=True))
WEEK = 7 * 1440
REMEDY = Text(
    zh='请写成 "HH:MM-HH:MM"，例如 "08:30-12:00"；跨夜班写 "22:00-06:00"，全天写 "00:00-24:00"',
    en='write "HH:MM-HH:MM", for example "08:30-12:00"; a night shift is "22:00-06:00", a whole day "00:00-24:00"',
)


def read_hours(value: object, path: Path, problems: list[Problem]) -> DayHours:
    """Read a list of intervals (or a single one) and note every mistake."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Sequence):
        problems.append(_bad_interval(value, path))
        return ()
    intervals = (_read_interval(item, (*path, index), problems) for index, item in enumerate(value))
    hours = tuple(sorted(interval for interval in intervals if interval))
    if clash := overlap_in(hours):
        problems.append(_overlapping(clash, path))
    return hours


def read_week(value: Mapping[str, object], path: Path, problems: list[Problem]) -> Week:
    """Read the hours of each day of a week from a mapping of days to hours."""
    week: dict[int, DayHours] = {}
    for key, intervals in value.items():
        place = (*path, str(key))
        hours = read_hours(intervals, place, problems)
        for day in read_weekdays(key, place, problems):
            if day in week:
                problems.append(_named_twice(place))
            week[day] = hours
    return tuple(week.get(day, ()) for day in range(7))


def _named_twice(path: Path) -> Problem:
    return Problem(
        path,
        Text(zh="同一天在每周开放时间中写了两次", en="a day of the week is given hours twice"),
        Text(zh="每一天只写一处", en="name each day in one place only"),
    )


def read_weekdays(key: object, path: Path, problems: list[Problem]) -> tuple[int, ...]:
    """Return the weekdays (Monday is 0) that "mon", "mon,wed", "mon-fri" or "sat-mon" names."""
    days: list[int] = []
    for part in str(key).replace(" ", "").lower().split(","):
        first, dash, last = part.partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            problems.append(_bad_weekday(key, path))
            return ()
        low, high = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days.extend(day % 7 for day in range(low, high + (7 if high < low else 0) + 1))
    return tuple(days)


def overlap_in(hours: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the first two of sorted intervals that overlap; touching is allowed."""
    previous: tuple[int, int] | None = None
    for interval in hours:
        if previous and interval[0] < previous[1]:
            return previous, interval
        previous = interval
    return None


def overlap_in_week(weekly: Week) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return two shifts of neighbouring days that overlap, Sunday night into Monday included."""
    flat = [
        (day * 1440 + start, day * 1440 + end) for day, hours in enumerate(weekly) for start, end in hours
    ]
    if flat:  # the week goes round: its first shift comes again after its last
        flat.append((flat[0][0] + WEEK, flat[0][1] + WEEK))
    return overlap_in(flat)


def written(interval: tuple[int, int]) -> str:
    """Write an interval as people do, for messages and files.

    >>> written((1320, 1800))
    '22:00-06:00'
    """
    start, end = interval[0] % 1440, (interval[1] - 1) % 1440 + 1
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def _read_interval(value: object, path: Path, problems: list[Problem]) -> tuple[int, int] | None:
    match = INTERVAL.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        problems.append(_bad_interval(value, path))
        return None
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if from_minute > 59 or to_minute > 59 or start >= 1440 or end > 1440 or start == end:
        problems.append(_bad_interval(value, path))
        return None
    return start, end if end > start else end + 1440


def _bad_interval(value: object, path: Path) -> Problem:
    return Problem(
        path,
        Text(zh=f"{value!r} 不是开放时段", en=f"{value!r} is not an interval of opening hours"),
        _meant(value) or REMEDY,
    )


def _meant(value: object) -> Text:
    """Write the interval that was meant by `9：00~17：00` or `9点至17点30分`; NO_TEXT where it cannot be told."""
    match = _SPOKEN.fullmatch(halved(value)) if isinstance(value, str) and len(value) < 40 else None
    if match is None:
        return NO_TEXT
    from_hour, from_minute, to_hour, to_minute = (int(part or 0) for part in match.groups())
    if from_hour > 23 or to_hour * 60 + to_minute > 1440 or max(from_minute, to_minute) > 59:
        return NO_TEXT
    interval = f'"{from_hour:02}:{from_minute:02}-{to_hour:02}:{to_minute:02}"'
    return Text(zh=f"写 {interval}", en=f"write {interval}")


def _bad_weekday(key: object, path: Path) -> Problem:
    return Problem(
        path,
        Text(zh=f"{key!r} 不是星期", en=f"{key!r} does not name days of the week"),
        _days_meant(str(key))
        or Text(
            zh="请用 mon tue wed thu fri sat sun，可写 mon-fri 或 mon,wed",
            en="use mon tue wed thu fri sat sun, as in mon-fri or mon,wed",
        ),
    )


def _days_meant(key: str) -> Text:
    """Write the days that `周一至周五` or `星期六、日` name; NO_TEXT for anything else."""
    plain = re.sub(r"周|星期|礼拜|\s", "", halved(key[:40]))
    plain = re.sub(r"[一二三四五六日天]", lambda match: _ZH_DAYS[match[0]], re.sub(r"[至到~]", "-", plain))
    parts = [day for part in plain.split(",") for day in part.split("-")]
    days = plain if all(day in WEEKDAYS for day in parts) else ""
    return Text(zh=f"写 {days}", en=f"write {days}") if days else NO_TEXT


def _overlapping(clash: tuple[tuple[int, int], tuple[int, int]], path: Path) -> Problem:
    first, second = map(written, clash)
    return Problem(
        path,
        Text(zh=f"时段 {first} 与 {second} 重叠", en=f"the intervals {first} and {second} overlap"),
        Text(zh="请合并或错开这两个时段", en="join them or move one of them"),
    )
