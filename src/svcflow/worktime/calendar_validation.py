"""Consistency of a calendar: coverage, closures, make-up days, overlapping shifts."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import date

from svcflow.errors import Path, Problem
from svcflow.text import Text
from svcflow.worktime.opening_hours import overlap_in, overlap_in_week, written
from svcflow.worktime.rules import CalendarRules, SpecialDays, hours_on
from svcflow.worktime.seasons import shifts_into_the_next_season

__all__ = ["COVERS_REMEDY", "inconsistencies"]


COVERS_REMEDY = Text(
    zh="请写 covers: {from: 2026-01-01, to: 2026-12-31}",
    en="write covers: {from: 2026-01-01, to: 2026-12-31}",
)

OTHER_HOURS = Text(
    zh="半天等改时段的日子只写在 days（休息日则写在 makeup）中，并写 hours；从 holidays 中去掉",
    en="a day of other hours stands under days only (a day off under makeup), with its hours; leave it out of holidays",
)
OPEN_KINDS = {
    "makeup": Text(zh="调休上班日", en="a make-up day"),
    "days": Text(zh="改时段的日子", en="a day of other hours"),
}
ONCE = Text(zh="请只保留一处", en="keep it in one place only")


def inconsistencies(rules: CalendarRules, unread: AbstractSet[str]) -> Iterator[Problem]:
    """Yield every contradiction; `unread` names the keys with mistakes of their own, which would raise false alarms."""
    yield from _outside_coverage(rules)
    yield from _both_closed_and_open(rules)
    yield from _weekly_overlap(rules)
    if "covers" not in unread:
        yield from _coverage_missing(rules)
    if unread.isdisjoint({"weekly", "makeup"}):
        yield from _makeup_without_hours(rules)
    if unread.isdisjoint({"weekly", "days"}):
        yield from _other_hours(rules)
    if unread.isdisjoint({"weekly", "holidays", "makeup", "days"}):
        yield from _shifts_into_special_days(rules)
    if unread.isdisjoint({"weekly", "holidays", "makeup", "days", "covers"}):
        yield from _never_open(rules)


def _coverage_missing(rules: CalendarRules) -> Iterator[Problem]:
    if rules.covers is None and (rules.holidays or rules.makeup or rules.days):
        yield Problem(
            ("covers",),
            Text(
                zh="有节假日或调休的日历必须写明覆盖范围",
                en="a calendar with holidays or make-up days must say what it covers",
            ),
            COVERS_REMEDY,
        )


def _outside_coverage(rules: CalendarRules) -> Iterator[Problem]:
    covers = rules.covers
    if covers is None:
        return
    for path, run in _runs(rules):
        for day in {run.first: None, run.last: None}:
            if day not in covers:
                yield Problem(
                    path,
                    Text(
                        zh=f"{day} 不在覆盖范围 {covers.first} 至 {covers.last} 内",
                        en=f"{day} is outside the coverage {covers.first} to {covers.last}",
                    ),
                    Text(zh="请扩大 covers 或改正日期", en="widen covers or correct the date"),
                )


def _both_closed_and_open(rules: CalendarRules) -> Iterator[Problem]:
    closed = {day for run in rules.holidays for day in run.ordinals()}
    seen: set[int] = set()
    for path, run in _runs(rules):
        if path[0] == "holidays":
            continue
        kind = OPEN_KINDS[str(path[0])]
        for day in run.ordinals():
            if day in closed:
                what = Text(zh=f"既是节假日又是{kind.zh}", en=f"is both a holiday and {kind.en}")
                yield _twice(path, day, what, OTHER_HOURS)
            if day in seen:
                yield _twice(path, day, Text(zh=f"两次列为{kind.zh}", en=f"is listed twice as {kind.en}"))
            seen.add(day)


def _twice(path: Path, day: int, what: Text, remedy: Text = ONCE) -> Problem:
    when = date.fromordinal(day)
    return Problem(path, Text(zh=f"{when} {what.zh}", en=f"{when} {what.en}"), remedy)


def _weekly_overlap(rules: CalendarRules) -> Iterator[Problem]:
    if any(overlap_in(hours) for week in rules.weeks for hours in week):
        return  # reported where the hours are written
    for place, week in enumerate(rules.weeks):
        if clash := overlap_in_week(week):
            first, second = map(written, clash)
            yield Problem(
                ("weekly", place) if rules.seasons else ("weekly",),
                Text(
                    zh=f"跨夜时段 {first} 与次日的 {second} 重叠",
                    en=f"the night shift {first} overlaps {second} of the next day",
                ),
                Text(zh="请错开这两个时段", en="move one of them"),
            )
    yield from shifts_into_the_next_season(rules.seasons)


def _other_hours(rules: CalendarRules) -> Iterator[Problem]:
    """Yield days of other hours that have none, or that the week closes."""
    for index, run in enumerate(rules.days):
        path, day = ("days", index), run.first
        if run.own_hours and not run.hours:
            yield Problem(
                (*path, "hours"),
                Text(zh="改时段的日子没有开放时段", en="a day of other hours has no open interval"),
                Text(zh="请写明时段，或列入 holidays", en="give it an interval, or list it under holidays"),
            )
        elif not rules.week_on(day.toordinal())[day.weekday()]:
            yield Problem(
                path,
                Text(zh=f"{day} 按每周安排不开放", en=f"the week closes {day}"),
                Text(
                    zh="休息日上班的列入 makeup，并写 hours",
                    en="list a day off that is worked under makeup, with its hours",
                ),
            )


def _makeup_without_hours(rules: CalendarRules) -> Iterator[Problem]:
    for index, run in enumerate(rules.makeup):
        if not run.own_hours and not all(rules.week_on(day)[0] for day in run.ordinals()):
            yield Problem(
                ("makeup", index),
                Text(
                    zh="调休上班日沿用周一的时段，而周一不开放",
                    en="a make-up day has Monday's hours, and Monday is closed",
                ),
                Text(zh="请写明 hours", en="give it hours of its own"),
            )
        elif run.own_hours and not run.hours:
            yield Problem(
                ("makeup", index, "hours"),
                Text(zh="调休上班日没有开放时段", en="a make-up day has no open interval"),
                Text(zh="请写明时段，或列入 holidays", en="give it an interval, or list it under holidays"),
            )


def _shifts_into_special_days(rules: CalendarRules) -> Iterator[Problem]:
    specials = rules.specials()
    for path, run in _runs(rules):
        if path[0] == "holidays":
            continue
        # a day on either side: a night shift may reach in from the day before, and out into the day after
        days = range(run.first.toordinal() - 1, run.last.toordinal() + 2)
        flat = [
            (number * 1440 + start, number * 1440 + end)
            for number, day in enumerate(days)
            for start, end in hours_on(day, rules, specials)
        ]
        if clash := overlap_in(flat):
            first, second = map(written, clash)
            yield Problem(
                path,
                Text(
                    zh=f"时段 {first} 与相邻一天的 {second} 重叠",
                    en=f"the interval {first} overlaps {second} of a neighbouring day",
                ),
                Text(zh="请调整该日的 hours", en="change the hours of that day"),
            )


def _never_open(rules: CalendarRules) -> Iterator[Problem]:
    if rules.covers is None:  # every day of the year comes, on every weekday
        is_open = any(hours for week in rules.weeks for hours in week)
    else:
        days, specials = (
            range(rules.covers.first.toordinal(), rules.covers.last.toordinal() + 1),
            rules.specials(),
        )
        is_open = any(hours_on(day, rules, specials) for day in days)
    if not is_open:
        yield Problem(
            ("weekly",),
            Text(zh="日历没有任何开放时段", en="the calendar has no open interval"),
            Text(
                zh='请至少开放一个时段，例如 mon-fri: ["08:30-17:30"]',
                en='open at least one, for example mon-fri: ["08:30-17:30"]',
            ),
        )


def _runs(rules: CalendarRules) -> Iterator[tuple[Path, SpecialDays]]:
    for key, runs in (("holidays", rules.holidays), ("makeup", rules.makeup), ("days", rules.days)):
        yield from (((key, index), run) for index, run in enumerate(runs))
