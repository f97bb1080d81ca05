"""A year of a calendar: its days counted, and drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from svcflow.drawing.calendar_year import FILLS, Year
from svcflow.errors import DrawingError
from svcflow.worktime import WorkCalendar, shipped_calendar

OFFICE = shipped_calendar("cn_office")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def year() -> Year:
    return Year.of(OFFICE, 2026)


def drawn(year: Year, lang: str) -> ET.Element:
    return ET.fromstring(year.svg(lang))  # noqa: S314  # we wrote it


def words(year: Year, lang: str) -> str:
    return "\n".join(drawn(year, lang).itertext())


def test_the_days_of_2026_are_those_of_the_notice(year: Year) -> None:
    """248 days are worked; the notice of the State Council names 33 days off and 6 make-up days."""
    assert (year.working_days, year.count("holiday"), year.count("makeup")) == (248, 33, 6)
    assert (year.count("open"), year.count("weekend"), year.count("beyond")) == (242, 84, 0)
    assert len(year.days) == 365
    assert len(Year.of(OFFICE, 2024).days) == 366


def test_a_day_is_what_the_calendar_says(year: Year) -> None:
    """Working days of the year are those of the calendar, make-up Saturdays among them."""
    assert all((day.kind in ("open", "makeup")) == OFFICE.is_working_day(day.date) for day in year.days)
    kinds = {day.date: (day.kind, day.name.in_("zh")) for day in year.days}
    assert kinds[date(2026, 2, 17)] == ("holiday", "春节")
    assert kinds[date(2026, 2, 14)][0] == "makeup"
    assert kinds[date(2026, 3, 7)] == ("weekend", "")
    assert kinds[date(2026, 3, 9)] == ("open", "")


@pytest.mark.parametrize("lang", ["zh", "en", "zh+en"])
def test_every_day_is_drawn_once_in_the_colour_of_its_kind(year: Year, lang: str) -> None:
    """The picture is well-formed and has a cell for each of 365 days, inside its frame."""
    root = drawn(year, lang)
    cells = [rect for rect in root.iter(f"{SVG}rect") if rect.get("stroke") == "#dfe5e8"]
    assert len({(rect.get("x"), rect.get("y")) for rect in cells}) == len(cells) == 365
    for kind in ("holiday", "makeup", "weekend"):
        assert sum(rect.get("fill") == FILLS[kind][0] for rect in cells) == year.count(kind)
    width, height = float(root.get("width")), float(root.get("height"))
    assert all(float(rect.get("x")) + float(rect.get("width")) <= width for rect in cells)
    assert all(float(rect.get("y")) + float(rect.get("height")) <= height for rect in cells)


@pytest.mark.parametrize(
    ("lang", "there", "absent"),
    [
        (
            "zh",
            ("2026", "12月", "春节", "全年 248 个工作日，放假 33 天，调休上班 6 天。", "节假日"),
            ("December", "未公布"),
        ),
        (
            "en",
            ("2026", "December", "248 working days, 33 days of holidays", "Mo"),
            ("12月", "个工作日"),
        ),
        ("zh+en", ("12月", "December", "working days", "个工作日"), ()),
    ],
)
def test_the_words_stand_in_the_asked_language(
    year: Year, lang: str, there: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    """Months, names of holidays, counts and legend; what readers of a screen hear is in it too."""
    said = words(year, lang)
    assert [word for word in there if word not in said] == []
    assert [word for word in absent if word in said] == []
    assert drawn(year, lang).find(f"{SVG}title").text


def test_a_year_beyond_the_coverage_shows_no_holiday() -> None:
    """Days that no notice covers are drawn as not published, and the legend says so."""
    beyond = Year.of(OFFICE, 2027)
    assert (beyond.working_days, beyond.count("beyond")) == (0, 365)
    assert "not published yet" in words(beyond, "en")
    assert "未公布" in words(beyond, "zh")


def test_a_calendar_without_coverage_knows_every_year() -> None:
    """Where nothing is said about coverage the ordinary week holds, with no name but the id."""
    plain = WorkCalendar.from_mapping(
        {"calendar": "plain", "timezone": "UTC", "weekly": {"mon-fri": ["09:00-17:00"]}}
    )
    year = Year.of(plain, 2030)
    assert (year.working_days, year.count("weekend"), year.count("beyond")) == (261, 104, 0)
    assert "plain 2030" in words(year, "en")


def test_a_name_with_markup_stays_text() -> None:
    """Names are escaped, so that a calendar cannot break the picture."""
    odd = WorkCalendar.from_mapping(
        {
            "calendar": "odd",
            "name": "A <b> & C",
            "timezone": "UTC",
            "weekly": {"mon-fri": ["09:00-17:00"]},
            "covers": {"from": "2026-01-01", "to": "2026-12-31"},
            "holidays": [{"date": "2026-01-01", "name": "<New> & Year"}],
        }
    )
    said = words(Year.of(odd, 2026), "en")
    assert "A <b> & C 2026" in said
    assert "<New> & Year" in said


def test_the_suffix_says_how_a_year_is_written(year: Year, tmp_path: Path) -> None:
    """SVG is text, PNG bytes; another suffix is refused."""
    year.save(tmp_path / "a.svg", lang="en")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == year.svg("en")
    try:
        year.save(tmp_path / "a.png")
    except DrawingError as error:
        assert "no font with Chinese" in error.text()  # noqa: PT017  # this machine may have one or not
    else:
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n")
    with pytest.raises(DrawingError, match=r"\.pdf.*write \.svg or \.png"):
        year.save(tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


SEASONAL = {
    "calendar": "seasonal",
    "timezone": "Asia/Shanghai",
    "weekly": [
        {"from": "05-01", "to": "09-30", "mon-fri": ["08:00-12:00", "14:30-17:30"], "sat": ["09:00-12:00"]},
        {"from": "10-01", "to": "02-28", "mon-thu": ["08:30-12:00"], "fri": ["08:30-11:00"]},
        {"from": "02-29", "to": "04-30"},
    ],
    "covers": {"from": date(2026, 1, 1), "to": date(2028, 12, 31)},
    "days": [{"date": date(2026, 2, 13), "name": "半天", "hours": ["08:30-10:00"]}],
}


def test_seasons_are_numbered_where_they_begin_and_told_under_the_year() -> None:
    """The number stands on the first day, which 02-29 is in leap years only; a closed season says so."""
    year = Year.of(WorkCalendar.from_mapping(SEASONAL), 2026)
    assert [year.season_from(date(2026, *day)) for day in ((5, 1), (10, 1), (3, 1), (2, 28))] == [1, 2, 3, 0]
    leap = Year.of(year.calendar, 2028)
    assert [leap.season_from(date(2028, *day)) for day in ((2, 29), (3, 1))] == [3, 0]
    said = words(year, "en")
    assert "05-01 … 09-30: Mon-Fri 08:00-12:00 14:30-17:30; Sat 09:00-12:00" in said
    assert "10-01 … 02-28: Mon-Thu 08:30-12:00; Fri 08:30-11:00" in said
    assert "02-29 … 04-30: closed" in said
    assert "周一至周五 08:00-12:00 14:30-17:30；周六 09:00-12:00" in words(year, "zh")


def test_a_day_of_other_hours_has_a_kind_of_its_own(year: Year) -> None:
    """It is a working day with a mark, counted apart; where there is none the legend leaves it out."""
    other = Year.of(WorkCalendar.from_mapping(SEASONAL), 2026)
    assert {day.date: day.kind for day in other.days}[date(2026, 2, 13)] == "hours"
    assert other.count("hours") == 1
    assert other.working_days == other.count("open") + 1
    assert "1 day of other hours" in words(other, "en")
    assert "改时段 1 天" in words(other, "zh")
    assert "T other times" in words(other, "en")
    assert "T other times" not in words(year, "en")
