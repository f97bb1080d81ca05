"""A year of a calendar as a picture: twelve months, days off, make-up days."""

from __future__ import annotations

import calendar as months
from collections.abc import Iterator
from datetime import date, timedelta
from html import escape
from pathlib import Path

import attrs

from svcflow.drawing.render.png import png
from svcflow.drawing.render.style import FONT_STACK
from svcflow.errors import DrawingError
from svcflow.text import Lang, Text
from svcflow.wording import DAY_MARKS, DAYS, WEEKDAY_HEADS, WEEKDAYS, many
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.opening_hours import written
from svcflow.worktime.rules import DayHours, Season
from svcflow.worktime.seasons import written_year_day

CELL, GAP, HEAD, MARGIN = 34.0, 28.0, 46.0, 28.0
MONTH_WIDTH, MONTH_HEIGHT = 7 * CELL, HEAD + 6 * CELL
COLUMNS = 4
LINE = 22.0
SEASON_INK = "#5b3f8c"
FILLS = {
    "open": ("#ffffff", "#17232b"),
    "weekend": ("#eef1f3", "#6b7a83"),
    "holiday": ("#fbdcda", "#a8201a"),
    "makeup": ("#fff0cc", "#8a5a00"),
    "hours": ("#dff0f7", "#155a7a"),
    "beyond": ("#ffffff", "#b7c1c7"),
}


@attrs.frozen
class Day:
    """One day of a year: its kind, and the name of the holiday or make-up day."""

    date: date
    kind: str
    name: Text


@attrs.frozen
class Year:
    """A year of a calendar, day by day; the table and the picture show the same."""

    calendar: WorkCalendar
    year: int
    days: tuple[Day, ...]

    @classmethod
    def of(cls, calendar: WorkCalendar, year: int) -> Year:
        """Return the year with the kind of each day. Days outside the calendar's coverage are `beyond`."""
        first = date(year, 1, 1)
        span = (date(year + 1, 1, 1) - first).days
        return cls(calendar, year, tuple(_day(calendar, first + timedelta(n)) for n in range(span)))

    def count(self, kind: str) -> int:
        """Return how many days are of a kind."""
        return sum(day.kind == kind for day in self.days)

    @property
    def working_days(self) -> int:
        """How many days are worked, make-up days and days of other hours included."""
        return self.count("open") + self.count("makeup") + self.count("hours")

    @property
    def seasons(self) -> tuple[Text, ...]:
        """The seasons in the order of their numbers, each with its days and hours in words."""
        return tuple(map(_season, self.calendar.seasons))

    def season_from(self, day: date) -> int:
        """Return the number of the season that begins on a day; 0 where none does."""
        begins = [season.first for season in self.calendar.seasons]
        when = (day.month, day.day)
        # 02-29 is a day of leap years only: in the others its season begins on the day after
        late = when == (3, 1) and not months.isleap(day.year) and (2, 29) in begins
        return begins.index(when if when in begins else (2, 29)) + 1 if when in begins or late else 0

    def svg(self, lang: Lang = "zh+en") -> str:
        """Return the year as SVG."""
        width = 2 * MARGIN + COLUMNS * MONTH_WIDTH + (COLUMNS - 1) * GAP
        height = 2 * MARGIN + 56 + 3 * MONTH_HEIGHT + 2 * GAP + 40 + LINE * len(self.seasons)
        title = escape(_title(self, lang))
        body = "".join(part for number in range(1, 13) for part in _month(self, number, lang))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'height="{height:g}" role="img" aria-labelledby="t d"><title id="t">{title}</title>'
            f'<desc id="d">{escape(_summary(self, lang))}</desc>'
            f"<style>text{{font-family:{FONT_STACK};font-size:13px;text-anchor:middle}}</style>"
            f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>'
            f"{_text(MARGIN, MARGIN + 16, title, size=20, bold=True, anchor='start')}"
            f"{_text(MARGIN, MARGIN + 38, escape(_summary(self, lang)), anchor='start', fill='#4a5b66')}"
            f"{body}{''.join(_legend(self, height - MARGIN - LINE * len(self.seasons), lang))}"
            f"{''.join(_season_lines(self, height - MARGIN, lang))}</svg>\n"
        )

    def save(self, path: Path, *, lang: Lang = "zh+en") -> None:
        """Write the picture in the format its suffix names: .svg or .png. Raises: DrawingError, MissingExtra."""
        if path.suffix == ".svg":
            path.write_text(self.svg(lang), encoding="utf-8")
        elif path.suffix == ".png":
            path.write_bytes(png(self.svg(lang)))
        else:
            raise DrawingError(
                Text(
                    f"不能写成 {path.suffix or path.name}",
                    f"a year cannot be written as {path.suffix or path.name}",
                ),
                Text("写 .svg 或 .png", "write .svg or .png"),
            )


def _day(calendar: WorkCalendar, day: date) -> Day:
    if calendar.covers is not None and day not in calendar.covers:
        return Day(day, "beyond", Text())
    special = calendar.special(day)
    if special is not None:
        kind = (
            "hours"
            if calendar.has_other_hours(day)
            else "makeup"
            if calendar.is_working_day(day)
            else "holiday"
        )
        return Day(day, kind, special)
    return Day(day, "open" if calendar.is_working_day(day) else "weekend", Text())


def _title(year: Year, lang: Lang) -> str:
    name = year.calendar.name.in_(lang) or year.calendar.id
    return f"{name} {year.year}"


def _summary(year: Year, lang: Lang) -> str:
    off, makeup, other = year.count("holiday"), year.count("makeup"), year.count("hours")
    hours = Text(f"，改时段 {other} 天", f", {many(other, 'day')} of other hours") if other else Text()
    return Text(
        f"全年 {year.working_days} 个工作日，放假 {off} 天，调休上班 {makeup} 天{hours.zh}。",
        f"{year.working_days} working days, {off} days of holidays, {makeup} make-up days{hours.en}.",
    ).in_(lang)


def _season(season: Season) -> Text:
    """Return a season in words: `05-01 … 09-30: Mon-Fri 08:00-12:00 14:30-17:30`."""
    runs: list[tuple[int, int]] = []
    for weekday, hours in enumerate(season.weekly):
        if not hours:
            continue
        if runs and runs[-1][1] == weekday - 1 and season.weekly[runs[-1][0]] == hours:
            runs[-1] = (runs[-1][0], weekday)
        else:
            runs.append((weekday, weekday))
    parts = [_weekdays(first, last, season.weekly[first]) for first, last in runs] or [
        Text("不开放", "closed")
    ]
    span = f"{written_year_day(season.first)} … {written_year_day(season.last)}"
    zh, en = "；".join(part.zh for part in parts), "; ".join(part.en for part in parts)
    return Text(f"{span}：{zh}", f"{span}: {en}")


def _weekdays(first: int, last: int, hours: DayHours) -> Text:
    written_hours = " ".join(map(written, hours))
    if first == last:
        return Text(f"{WEEKDAYS[first].zh} {written_hours}", f"{WEEKDAYS[first].en} {written_hours}")
    return Text(
        f"{WEEKDAYS[first].zh}至{WEEKDAYS[last].zh} {written_hours}",
        f"{WEEKDAYS[first].en}-{WEEKDAYS[last].en} {written_hours}",
    )


def _month(year: Year, number: int, lang: Lang) -> Iterator[str]:
    left = MARGIN + (number - 1) % COLUMNS * (MONTH_WIDTH + GAP)
    top = MARGIN + 56 + (number - 1) // COLUMNS * (MONTH_HEIGHT + GAP)
    name = Text(f"{number}月", months.month_name[number]).in_(lang)
    yield _text(left, top + 14, name, size=15, bold=True, anchor="start")
    for column, weekday in enumerate(WEEKDAY_HEADS):
        label = weekday.in_("zh" if lang == "zh+en" else lang)
        yield _text(left + (column + 0.5) * CELL, top + 36, label, size=11, fill="#6b7a83")
    first = date(year.year, number, 1).weekday()
    for day in (entry for entry in year.days if entry.date.month == number):
        row, column = divmod(day.date.day - 1 + first, 7)
        yield _cell(day, left + column * CELL, top + HEAD + row * CELL, lang, year.season_from(day.date))


def _cell(day: Day, left: float, top: float, lang: Lang, season: int) -> str:
    fill, ink = FILLS[day.kind]
    named = f"<title>{escape(day.date.isoformat())} {escape(day.name.in_(lang))}</title>" if day.name else ""
    mark = DAY_MARKS.get(day.kind)
    sign = (
        _text(left + 27, top + 12, mark.in_("zh" if lang == "zh+en" else lang), size=9, fill=ink)
        if mark
        else ""
    )
    if season:
        sign += _text(left + 7, top + 12, str(season), size=9, bold=True, fill=SEASON_INK)
    return (
        f'<g>{named}<rect x="{left + 1:g}" y="{top + 1:g}" width="{CELL - 2:g}" height="{CELL - 2:g}" rx="4" '
        f'fill="{fill}" stroke="#dfe5e8"/>{_text(left + CELL / 2 - 3, top + 24, str(day.date.day), fill=ink)}{sign}</g>'
    )


def _legend(year: Year, bottom: float, lang: Lang) -> Iterator[str]:
    left = MARGIN
    shown = [kind for kind in DAYS if kind not in ("beyond", "hours") or year.count(kind)]
    step = min(190 if lang == "zh+en" else 150, (COLUMNS * MONTH_WIDTH + (COLUMNS - 1) * GAP) / len(shown))
    for kind in shown:
        fill, _ = FILLS[kind]
        yield f'<rect x="{left:g}" y="{bottom - 16:g}" width="18" height="18" rx="4" fill="{fill}" stroke="#9fb0ba"/>'
        yield _text(left + 26, bottom - 2, DAYS[kind].in_(lang), anchor="start")
        left += step


def _season_lines(year: Year, bottom: float, lang: Lang) -> Iterator[str]:
    """Yield a line under the legend for each season, behind the number that stands on its first day."""
    for number, season in enumerate(year.seasons, start=1):
        base = bottom - LINE * (len(year.seasons) - number) - 2
        yield _text(MARGIN + 9, base, str(number), bold=True, fill=SEASON_INK)
        yield _text(MARGIN + 26, base, escape(season.in_(lang)), anchor="start")


def _text(  # a text is a place, words and a look
    left: float,
    base: float,
    words: str,
    *,
    size: float = 13,
    bold: bool = False,
    anchor: str = "middle",
    fill: str = "#17232b",
) -> str:
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{left:g}" y="{base:g}" style="font-size:{size:g}px;text-anchor:{anchor}"{weight} '
        f'fill="{fill}">{words}</text>'
    )
