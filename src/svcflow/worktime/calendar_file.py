"""Calendar files: from a mapping to CalendarRules, every mistake noted, and back."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from svcflow.bounds import refuse_day
from svcflow.errors import DeclarationError, FieldError, Path, Problem
from svcflow.model.yaml.value_remedies import as_date
from svcflow.nearest import did_you_mean
from svcflow.text import Text
from svcflow.worktime.calendar_validation import COVERS_REMEDY, inconsistencies
from svcflow.worktime.opening_hours import read_hours, read_week, written
from svcflow.worktime.rules import WEEKDAYS, CalendarRules, Coverage, DayHours, Season, SpecialDays, Week
from svcflow.worktime.seasons import read_seasons, written_year_day

__all__ = ["as_mapping", "read_calendar"]


KEYS = ("calendar", "name", "timezone", "weekly", "covers", "holidays", "makeup", "days", "source")
IDENTIFIER = re.compile(r"[a-z0-9_]+")
CLOSED_WEEK: Week = ((),) * 7
ENTRY_KEYS = {
    "holidays": ("date", "to", "name"),
    "makeup": ("date", "to", "name", "hours"),
    "days": ("date", "name", "hours"),
}
TOLD_APART: Mapping[str, tuple[str, ...]] = {"holidays": ("hours",), "makeup": (), "days": ("to",)}
"""Keys that an entry cannot have either, for a reason that is told in words of its own."""

ENTRY_REMEDY = Text(
    zh="每项写成 {date: 2026-02-14, name: …}", en="write each entry as {date: 2026-02-14, name: …}"
)


def read_calendar(mapping: Mapping[str, object]) -> CalendarRules:
    """Return the rules a calendar mapping declares.

    Raises:
        DeclarationError: listing every mistake at once.

    """
    problems: list[Problem] = []
    _note_unknown_keys(mapping, KEYS, (), problems)
    weekly, seasons = _weekly(mapping.get("weekly"), problems)
    default = CLOSED_WEEK[0] if seasons else weekly[0]  # a season's Monday is known by the day
    rules = CalendarRules(
        id=_identifier(mapping.get("calendar"), problems),
        name=_text(mapping.get("name"), ("name",), problems),
        timezone=_timezone(mapping.get("timezone"), problems),
        weekly=weekly,
        covers=_covers(mapping.get("covers"), problems),
        holidays=_specials(mapping.get("holidays"), "holidays", (), problems),
        makeup=_specials(mapping.get("makeup"), "makeup", default, problems),
        source=_source(mapping.get("source"), problems),
        seasons=seasons,
        days=_specials(mapping.get("days"), "days", (), problems),
    )
    problems.extend(inconsistencies(rules, {str(problem.path[0]) for problem in problems}))
    if problems:
        raise DeclarationError(problems)
    return rules


def as_mapping(rules: CalendarRules) -> dict[str, object]:
    """Return a mapping that reads back as equal rules; keys without content are left out."""
    mapping: dict[str, object] = {"calendar": rules.id}
    if rules.name:
        mapping["name"] = _written_text(rules.name)
    mapping["timezone"] = rules.timezone
    mapping["weekly"] = [_written_season(season) for season in rules.seasons] or _written_week(rules.weekly)
    if rules.covers:
        mapping["covers"] = {"from": rules.covers.first, "to": rules.covers.last}
    for key, runs in (("holidays", rules.holidays), ("makeup", rules.makeup), ("days", rules.days)):
        if runs:
            mapping[key] = [_written_special(run) for run in runs]
    if rules.source:
        mapping["source"] = list(rules.source)
    return mapping


def _note_unknown_keys(
    mapping: Mapping[str, object], allowed: Sequence[str], path: Path, problems: list[Problem]
) -> None:
    for key in mapping:
        if key not in allowed:
            near = difflib.get_close_matches(str(key), allowed, n=1)
            problems.append(
                Problem(
                    (*path, str(key)),
                    Text(zh=f"没有 {key} 这个键", en=f"there is no key {key}"),
                    did_you_mean(near[0])
                    if near
                    else Text(zh=f"可用的键：{'、'.join(allowed)}", en=f"the keys are: {', '.join(allowed)}"),
                )
            )


def _identifier(value: object, problems: list[Problem]) -> str:
    if isinstance(value, str) and IDENTIFIER.fullmatch(value):
        return str(value)  # plain, where a reader gave a subclass of its own
    message = Text(zh=f"日历标识 {value!r} 无效", en=f"{value!r} is not a calendar id")
    problems.append(Problem(("calendar",), message, Text(zh="请用 a-z、0-9 和 _", en="use a-z, 0-9 and _")))
    return ""


def _text(value: object, path: Path, problems: list[Problem]) -> Text:
    if value is None:
        return Text()
    if isinstance(value, str):
        return Text(zh=str(value), en=str(value))
    if isinstance(value, Mapping):
        _note_unknown_keys(value, ("zh", "en"), path, problems)
        zh, en = value.get("zh", ""), value.get("en", "")
        if isinstance(zh, str) and isinstance(en, str):
            return Text(zh=str(zh), en=str(en))
    problems.append(
        Problem(
            path,
            Text(zh="名称应是文字", en="a name is a text"),
            Text(zh="写成 {zh: …, en: …}", en="write {zh: …, en: …}"),
        )
    )
    return Text()


def _timezone(value: object, problems: list[Problem]) -> str:
    try:
        return ZoneInfo(value).key if isinstance(value, str) else _no_zone(value, problems)
    except (LookupError, ValueError, OSError):  # unknown, malformed, or a folder such as "Asia"
        return _no_zone(value, problems)


def _no_zone(value: object, problems: list[Problem]) -> str:
    problems.append(
        Problem(
            ("timezone",),
            Text(zh=f"时区 {value!r} 不存在", en=f"there is no time zone {value!r}"),
            Text(
                zh="请用 IANA 名称，例如 Asia/Shanghai 或 UTC",
                en="use an IANA name such as Asia/Shanghai or UTC",
            ),
        )
    )
    return "UTC"


def _weekly(value: object, problems: list[Problem]) -> tuple[Week, tuple[Season, ...]]:
    """Return the week, or the seasons: their weeks in a list."""
    if isinstance(value, Sequence) and value and not isinstance(value, str):
        return CLOSED_WEEK, read_seasons(value, problems)
    return _week_of_all_year(value, problems), ()


def _week_of_all_year(value: object, problems: list[Problem]) -> Week:
    if not isinstance(value, Mapping):
        message = Text(zh="缺少每周开放时间", en="the weekly opening hours are missing")
        remedy = Text(
            zh='例如 weekly: {mon-fri: ["08:30-17:30"]}', en='for example weekly: {mon-fri: ["08:30-17:30"]}'
        )
        problems.append(Problem(("weekly",), message, remedy))
        return CLOSED_WEEK
    return read_week(value, ("weekly",), problems)


def _covers(value: object, problems: list[Problem]) -> Coverage | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        problems.append(
            Problem(("covers",), Text(zh="覆盖范围应有起止", en="a coverage has two ends"), COVERS_REMEDY)
        )
        return None
    _note_unknown_keys(value, ("from", "to"), ("covers",), problems)
    first = _date(value.get("from"), ("covers", "from"), problems)
    last = _date(value.get("to"), ("covers", "to"), problems)
    if first is None or last is None:
        return None
    if last < first:
        problems.append(_reversed(first, last, ("covers",)))
        return None
    return Coverage(first, last)


def _specials(value: object, key: str, default: DayHours, problems: list[Problem]) -> tuple[SpecialDays, ...]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        problems.append(Problem((key,), Text(zh=f"{key} 应是列表", en=f"{key} is a list"), ENTRY_REMEDY))
        return ()
    entries = (_special(entry, (key, index), default, problems) for index, entry in enumerate(value))
    return tuple(entry for entry in entries if entry)


def _special(entry: object, path: Path, default: DayHours, problems: list[Problem]) -> SpecialDays | None:
    if not isinstance(entry, Mapping):
        message = Text(zh=f"{entry!r} 不是一项", en=f"{entry!r} is not an entry")
        problems.append(Problem(path, message, ENTRY_REMEDY))
        return None
    key = str(path[0])
    if key == "holidays" and "hours" in entry:
        problems.append(_half_day(entry, path))
    elif key == "days":
        problems.extend(_no_single_day(entry, path))
    named = {name: part for name, part in entry.items() if name not in TOLD_APART[key]}
    _note_unknown_keys(named, ENTRY_KEYS[key], path, problems)
    first = _date(entry.get("date"), (*path, "date"), problems)
    last = _date(entry["to"], (*path, "to"), problems) if "to" in entry and key != "days" else first
    name = _text(entry.get("name"), (*path, "name"), problems)
    own = key != "holidays" and "hours" in entry
    hours = read_hours(entry["hours"], (*path, "hours"), problems) if own else default
    if first is None or last is None:
        return None
    if last < first:
        problems.append(_reversed(first, last, path))
        return None
    return SpecialDays(first, last, name, hours, own)


def _half_day(entry: Mapping[str, object], path: Path) -> Problem:
    hours = str(entry["hours"]).replace("'", '"')
    written = f"days: [{{date: {entry.get('date')}, hours: {hours}}}]"
    return Problem(
        (*path, "hours"),
        Text(zh="节假日全天不开放，没有 hours", en="a holiday is closed all day and has no hours"),
        Text(
            zh=f"半天等改时段的日子写在 {written}，不列入 holidays",
            en=f"write a half day as {written}, and under no holiday",
        ),
    )


def _no_single_day(entry: Mapping[str, object], path: Path) -> Iterator[Problem]:
    if "hours" not in entry:
        yield Problem(
            path,
            Text(zh="改时段的日子缺少 hours", en="a day of other hours has no hours"),
            Text(
                zh='写 hours: ["08:30-12:00"]；全天不开放的列入 holidays',
                en='write hours: ["08:30-12:00"]; a day that is closed stands under holidays',
            ),
        )
    if "to" in entry:
        yield Problem(
            (*path, "to"),
            Text(zh="days 的每项只是一天", en="an entry of days is a single day"),
            Text(
                zh="每天写一项；一段时间另行作息，写在 weekly 的列表中",
                en="write an entry for each day; hours of a season stand in the list of weekly",
            ),
        )


def _reversed(first: date, last: date, path: Path) -> Problem:
    return Problem(
        path,
        Text(zh=f"止于 {last}，早于开始的 {first}", en=f"it ends on {last}, before it begins on {first}"),
        Text(zh="请对调起止日期", en="swap the two dates"),
    )


def _date(value: object, path: Path, problems: list[Problem]) -> date | None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None  # reported below, with every other value that is no date
    if isinstance(day, date) and not isinstance(day, datetime):
        try:
            refuse_day("", day)
        except FieldError as error:
            problems.append(Problem(path, error.message))
            return None
        return day
    message = Text(zh=f"{value!r} 不是日期", en=f"{value!r} is not a date")
    remedy = as_date(value) or Text(zh="请写成 2026-02-14", en="write it as 2026-02-14")
    problems.append(Problem(path, message, remedy))
    return None


def _source(value: object, problems: list[Problem]) -> tuple[str, ...]:
    if value is None:
        return ()
    items = [value] if isinstance(value, str) else value
    if isinstance(items, Iterable) and not isinstance(items, Mapping):
        names = tuple(items)
        if all(isinstance(name, str) for name in names):
            return tuple(map(str, names))
    message = Text(zh="来源应是文字或文字列表", en="a source is a text or a list of texts")
    problems.append(
        Problem(("source",), message, Text(zh="写明依据的文件名称", en="name the document it follows"))
    )
    return ()


def _written_week(week: Week) -> dict[str, object]:
    return {WEEKDAYS[day]: _written_hours(hours) for day, hours in enumerate(week) if hours}


def _written_season(season: Season) -> dict[str, object]:
    ends = {"from": written_year_day(season.first), "to": written_year_day(season.last)}
    return {**ends, **_written_week(season.weekly)}


def _written_special(run: SpecialDays) -> dict[str, object]:
    entry: dict[str, object] = {"date": run.first}
    if run.last != run.first:
        entry["to"] = run.last
    if run.name:
        entry["name"] = _written_text(run.name)
    if run.own_hours:
        entry["hours"] = _written_hours(run.hours)
    return entry


def _written_text(text: Text) -> str | dict[str, str]:
    return text.zh if text.zh == text.en else {"zh": text.zh, "en": text.en}


def _written_hours(hours: DayHours) -> list[str]:
    return [written(interval) for interval in hours]
