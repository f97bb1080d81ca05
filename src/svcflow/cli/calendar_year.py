"""A year of a calendar on a terminal: three months side by side, days off and make-up days marked."""

from __future__ import annotations

import calendar as months
from collections.abc import Iterator

from svcflow.cli.language import Tongue
from svcflow.drawing.calendar_year import Day, Year
from svcflow.text import Text, visible
from svcflow.text_table import padded
from svcflow.wording import DAY_MARKS, DAYS, WEEKDAY_HEADS, holiday, many

__all__ = ["year_json", "year_text"]

_CELL = {"zh": 5, "en": 4}
"""Cells of a day: two digits, a mark (two cells in Chinese) and a gap."""
_BESIDE = {"zh": 2, "en": 3}
_STYLES = {
    "holiday": "red",
    "makeup": "yellow",
    "hours": "cyan",
    "weekend": "bright_black",
    "beyond": "bright_black",
}


def year_text(year: Year, lang: Tongue, *, coloured: bool) -> str:
    """Return the year as text, with `coloured` with the escape codes of colours (needs rich)."""
    name = year.calendar.name.in_(lang) or year.calendar.id
    parts = [visible(f"{name} ({year.calendar.id}) {year.year}")]
    beside, empty = _BESIDE[lang], " " * (7 * _CELL[lang])
    for first in range(1, 13, beside):
        numbers = range(first, first + beside)
        blocks = [list(_month(year, number, lang, coloured=coloured)) for number in numbers]
        height = max(map(len, blocks))
        filled = [block + [empty] * (height - len(block)) for block in blocks]
        parts.append("\n".join("  ".join(line).rstrip() for line in zip(*filled, strict=True)))
    named = "\n".join(_named(year, lang))
    seasons = "\n".join(f"  {season.in_(lang)}" for season in year.seasons)
    return "\n\n".join(part for part in (*parts, named, seasons, _counts(year).in_(lang)) if part)


def year_json(year: Year) -> dict[str, object]:
    """Return the year for programs: every day that is not an ordinary one, the seasons if any, and the counts."""
    seasons = [{"zh": season.zh, "en": season.en} for season in year.seasons]
    return {
        "calendar": year.calendar.id,
        "year": year.year,
        "working_days": year.working_days,
        "days": [_day_json(day) for day in year.days if day.kind in ("holiday", "makeup", "hours", "beyond")],
        **({"seasons": seasons} if seasons else {}),
    }


def _day_json(day: Day) -> dict[str, object]:
    name = holiday(day.name)
    return {"date": day.date.isoformat(), "kind": day.kind, "name": {"zh": name.zh, "en": name.en}}


def _month(year: Year, number: int, lang: Tongue, *, coloured: bool) -> Iterator[str]:
    cell = _CELL[lang]
    yield padded(Text(f"{number}月", months.month_name[number]).in_(lang), 7 * cell)
    yield "".join(padded(weekday.in_(lang), cell, right=True) for weekday in WEEKDAY_HEADS)
    days = [day for day in year.days if day.date.month == number]
    line = " " * (cell * days[0].date.weekday())
    for day in days:
        line += _cell(day, lang, coloured=coloured)
        if day.date.weekday() == 6 or day is days[-1]:
            yield line + " " * (cell * (6 - day.date.weekday()))
            line = ""


def _cell(day: Day, lang: Tongue, *, coloured: bool) -> str:
    mark = DAY_MARKS[day.kind].in_(lang) if day.kind in DAY_MARKS else ""
    written = padded(f"{day.date.day}{mark}", _CELL[lang], right=True)
    if not coloured or day.kind not in _STYLES:
        return written
    from rich.style import Style

    return Style.parse(_STYLES[day.kind]).render(written)


def _named(year: Year, lang: Tongue) -> Iterator[str]:
    """Yield the runs of days off and make-up days with their names."""
    run: list[Day] = []
    for day in year.days:
        if run and (day.kind, day.name) == (run[-1].kind, run[-1].name):
            run.append(day)
            continue
        yield from _run(run, lang)
        run = [day] if day.kind in DAY_MARKS else []
    yield from _run(run, lang)


def _run(run: list[Day], lang: Tongue) -> Iterator[str]:
    if run:
        first, last, name = run[0].date, run[-1].date, holiday(run[0].name).in_(lang)
        span = f"{first:%m-%d}" if first == last else f"{first:%m-%d} … {last:%m-%d}"
        yield f"  {padded(span, 14)}{padded(DAYS[run[0].kind].in_(lang), 18)}{visible(name)}"


def _counts(year: Year) -> Text:
    off, makeup, beyond = year.count("holiday"), year.count("makeup"), year.count("beyond")
    note = Text()
    if other := year.count("hours"):
        note = Text(f"，改时段 {other} 天", f", {many(other, 'day')} of other hours")
    if beyond:
        note = Text(f"{note.zh}；{beyond} 天尚未公布", f"{note.en}; {beyond} days are not published yet")
    return Text(
        f"{year.working_days} 个工作日，放假 {off} 天，调休上班 {makeup} 天{note.zh}",
        f"{year.working_days} working days, {off} days of holidays, {makeup} make-up days{note.en}",
    )
