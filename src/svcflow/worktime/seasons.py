"""Seasons of a calendar 作息: weeks that hold for a part of every year, read from a list that must fill it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from svcflow.errors import Path, Problem
from svcflow.model.fullwidth import halved
from svcflow.text import NO_TEXT, Text
from svcflow.worktime.opening_hours import overlap_in, read_week, written
from svcflow.worktime.rules import Season, YearDay

__all__ = ["read_seasons", "shifts_into_the_next_season", "written_year_day"]

_YEAR_DAY = re.compile(r"(\d{2})-(\d{2})")
_SPOKEN = re.compile(r"(?:\d{4}[-./年])?(\d{1,2})[-./月](\d{1,2})日?")
_LEAP_YEAR = 2024
_NEW_YEAR = date(_LEAP_YEAR, 1, 1)
_YEAR = [((day := _NEW_YEAR + timedelta(days=n)).month, day.day) for n in range(366)]
_PLACES = {day: place for place, day in enumerate(_YEAR)}
_REMEDY = Text(
    zh='每季写成 {from: 05-01, to: 09-30, mon-fri: ["08:00-12:00", "14:30-17:30"]}',
    en='write each season as {from: 05-01, to: 09-30, mon-fri: ["08:00-12:00", "14:30-17:30"]}',
)


def read_seasons(value: Sequence[object], problems: list[Problem]) -> tuple[Season, ...]:
    """Read a list of seasons and note every mistake, gaps and overlaps of theirs included; empty where there is one."""
    faults: list[Problem] = []
    seasons = [season for place, entry in enumerate(value) if (season := _season(entry, place, faults))]
    if len(seasons) == len(value):
        faults.extend(_double_days(seasons))
        faults.extend(_gaps(seasons))
    problems.extend(faults)
    return () if faults else tuple(seasons)


def written_year_day(day: YearDay) -> str:
    """Write a day of the year as a calendar file does.

    >>> written_year_day((5, 1))
    '05-01'
    """
    return f"{day[0]:02}-{day[1]:02}"


def shifts_into_the_next_season(seasons: Sequence[Season]) -> Iterator[Problem]:
    """Yield a mistake where a night shift of a season's last day overlaps the hours of the next season's first."""
    for place, season in enumerate(seasons):
        following = next(other for other in seasons if _after(season.last) == other.first)
        if following is season:
            continue
        for weekday, hours in enumerate(season.weekly):  # which weekday it is depends on the year
            morning = following.weekly[(weekday + 1) % 7]
            clash = overlap_in([*hours, *((start + 1440, end + 1440) for start, end in morning)])
            if clash:
                first, second = map(written, clash)
                yield Problem(
                    ("weekly", place),
                    Text(
                        zh=f"换季之夜的时段 {first} 与次日的 {second} 重叠",
                        en=f"the shift {first} of the season's last night overlaps {second} of the next day",
                    ),
                    Text(zh="请错开这两个时段", en="move one of them"),
                )
                break


def _season(entry: object, place: int, problems: list[Problem]) -> Season | None:
    path: Path = ("weekly", place)
    if not isinstance(entry, Mapping):
        message = Text(zh=f"{entry!r} 不是一季", en=f"{entry!r} is no season")
        problems.append(Problem(path, message, _REMEDY))
        return None
    first = _year_day(entry.get("from"), (*path, "from"), problems)
    last = _year_day(entry.get("to"), (*path, "to"), problems)
    days = {key: hours for key, hours in entry.items() if key not in ("from", "to")}
    weekly = read_week(days, path, problems)
    return None if first is None or last is None else Season(first, last, weekly)


def _year_day(value: object, path: Path, problems: list[Problem]) -> YearDay | None:
    match = _YEAR_DAY.fullmatch(value) if isinstance(value, str) else None
    day = (int(match[1]), int(match[2])) if match else None
    if day in _PLACES:
        return day
    message = Text(zh=f"{value!r} 不是月和日", en=f"{value!r} is no month and day")
    problems.append(
        Problem(path, message, _year_day_meant(value) or Text(zh="写成 05-01", en="write it as 05-01"))
    )
    return None


def _year_day_meant(value: object) -> Text:
    """Write the day meant by `5月1日` or `2026-05-01`; NO_TEXT where it cannot be told."""
    spoken = str(value)
    match = _SPOKEN.fullmatch(halved(spoken).strip()) if len(spoken) < 40 else None
    day = (int(match[1]), int(match[2])) if match else None
    return _write("", day) if day in _PLACES else NO_TEXT


def _double_days(seasons: Sequence[Season]) -> Iterator[Problem]:
    """Yield a mistake for each pair of seasons that share a day, with what to write."""
    for place, season in enumerate(seasons):
        for other_place, other in enumerate(seasons[:place]):
            shared = [day for day in _YEAR if day in season and day in other]
            if not shared:
                continue
            runs = ", ".join(map(_span, _runs(shared)))
            yield Problem(
                ("weekly", place),
                Text(
                    zh=f"与第 {other_place + 1} 项在 {runs} 重叠",
                    en=f"it overlaps entry {other_place + 1} on {runs}",
                ),
                _apart(season, other),
            )


def _apart(season: Season, other: Season) -> Text:
    """Return how to part two seasons: the one that begins first ends before the other, or is cut in two by it."""
    for outer, inner in ((other, season), (season, other)):
        if inner.first not in outer or inner.first == outer.first:
            continue
        if inner.last in outer and inner.last != outer.last and _inside(inner, outer):
            before = _span((outer.first, _before(inner.first)))
            after = _span((_after(inner.last), outer.last))
            return Text(
                zh=f"把 {_span((outer.first, outer.last))} 的一项分为 {before} 与 {after} 两项",
                en=f"divide the entry of {_span((outer.first, outer.last))} into {before} and {after}",
            )
        start, end = written_year_day(outer.first), written_year_day(_before(inner.first))
        return Text(zh=f"自 {start} 起的一项写 to: {end}", en=f"in the entry from {start}, write to: {end}")
    return Text(zh="只保留一项", en="keep one of them")


def _inside(inner: Season, outer: Season) -> bool:
    return all(day in outer for day in _YEAR if day in inner)


def _gaps(seasons: Sequence[Season]) -> Iterator[Problem]:
    """Yield a mistake for each run of days that no season holds, at the season before it."""
    bare = [day for day in _YEAR if not any(day in season for season in seasons)]
    for first, last in _runs(bare):
        place = next(n for n, season in enumerate(seasons) if season.last == _before(first))
        yield Problem(
            ("weekly", place, "to"),
            Text(
                zh=f"{_span((first, last))} 不属于任何一季", en=f"no season holds on {_span((first, last))}"
            ),
            _write("to: ", last),
        )


def _runs(days: Iterable[YearDay]) -> list[tuple[YearDay, YearDay]]:
    """Return the first and last day of each run of days, which may go on over the new year."""
    runs: list[tuple[YearDay, YearDay]] = []
    for day in days:
        if runs and _after(runs[-1][1]) == day:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    if len(runs) > 1 and _after(runs[-1][1]) == runs[0][0]:
        runs[0] = (runs.pop()[0], runs[0][1])
    return runs


def _span(run: tuple[YearDay, YearDay]) -> str:
    first, last = map(written_year_day, run)
    return first if first == last else f"{first}…{last}"


def _before(day: YearDay) -> YearDay:
    return _YEAR[_PLACES[day] - 1]


def _after(day: YearDay) -> YearDay:
    return _YEAR[(_PLACES[day] + 1) % len(_YEAR)]


def _write(before: str, day: YearDay | None) -> Text:
    """Return the remedy that is one thing to write."""
    what = before + written_year_day(day or _YEAR[0])
    return Text(zh=f"写 {what}", en=f"write {what}")
