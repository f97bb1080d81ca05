"""`svcflow calendar`: a year shown and drawn, a country's holidays imported."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET

import pytest
from cli_answers import parsed

from svcflow.cli.calendar_year import year_text
from svcflow.drawing.calendar_year import Year
from svcflow.kernel.compiled import calendars_of
from svcflow.model.catalog import Catalog
from svcflow.text_table import cells
from svcflow.worktime import shipped_calendar

GERMANY = ("calendar", "import", "--country", "de", "--timezone", "Europe/Berlin")
CHINA = ("calendar", "import", "--country", "CN", "--timezone", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ("2026", "1月", "春节", "班 调休", "248 个工作日，放假 33 天，调休上班 6 天")),
        (
            "en",
            (
                "2026",
                "January",
                "Spring Festival",
                "02-15 … 02-23",
                "W make-up day",
                "248 working days, 33 days of holidays",
            ),
        ),
    ],
)
def test_a_year_is_shown_as_a_table(run, lang, words):
    """Months, runs of days off, make-up days and the counts stand in the asked language, in 100 cells."""
    said = run("calendar", "show", "cn_office", 2026, "--lang", lang).stdout
    assert [word for word in words if word not in said] == []
    assert [line for line in said.splitlines() if cells(line) > 100] == []
    assert "not published" not in said
    assert "尚未公布" not in said


def test_a_year_for_programs_names_every_day_that_is_not_ordinary(run):
    """Holidays and make-up days carry their names in both languages; the counts come along."""
    found = parsed(run("calendar", "show", "cn_office", 2026, "--json"))
    assert (found["calendar"], found["year"], found["working_days"]) == ("cn_office", 2026, 248)
    kinds = [day["kind"] for day in found["days"]]
    assert (kinds.count("holiday"), kinds.count("makeup"), len(kinds)) == (33, 6, 39)
    first = next(day for day in found["days"] if day["date"] == "2026-02-16")
    assert (first["kind"], first["name"]) == ("holiday", {"zh": "春节", "en": "Spring Festival"})


@pytest.mark.parametrize(
    ("lang", "note"), [("zh", "365 天尚未公布"), ("en", "365 days are not published yet")]
)
def test_a_year_beyond_the_coverage_says_that_it_is_not_published(run, lang, note):
    """Nothing is made up: each day is `beyond`, and no day counts as a working day."""
    assert note in run("calendar", "show", "cn_office", 2027, "--lang", lang).stdout
    found = parsed(run("calendar", "show", "cn_office", 2027, "--json"))
    assert found["working_days"] == 0
    assert {day["kind"] for day in found["days"]} == {"beyond"}


def test_a_year_is_drawn_as_svg(run, tmp_path):
    """The file holds the year in the asked language and is named in the answer."""
    said = run("calendar", "show", "cn_office", 2026, "-o", "year.svg", "--lang", "zh").stdout
    assert said.strip() == "year.svg"
    written = (tmp_path / "year.svg").read_text(encoding="utf-8")
    text = "".join(ET.fromstring(written).itertext())  # noqa: S314  # we wrote it
    assert "10月" in text
    assert "October" not in text
    found = parsed(run("calendar", "show", "cn_office", 2026, "-o", "year.svg", "--json"))
    assert (found["file"], found["working_days"]) == ("year.svg", 248)


def test_a_year_is_drawn_as_png_or_refused(run, tmp_path):
    """The suffix says how; what is written is a PNG. Without a Chinese font on the machine nothing is written."""
    said = run("calendar", "show", "cn_office", 2026, "-o", "year.png", exit_code=None)
    if said.exit_code:
        assert "no font with Chinese characters" in said.stderr
        assert not (tmp_path / "year.png").exists()
    else:
        assert (tmp_path / "year.png").read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("lang", "word"), [("zh", "不能写成 .pdf；写 .svg 或 .png"), ("en", "cannot be written as")]
)
def test_another_suffix_is_refused(run, tmp_path, lang, word):
    """Exit 3, what can be written instead, and no file left behind."""
    result = run("calendar", "show", "cn_office", 2026, "-o", "year.pdf", "--lang", lang, exit_code=3)
    assert word in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_calendar_is_bad_input(run):
    """The error has its code and names those there are."""
    error = parsed(run("calendar", "show", "cn_ofice", 2026, "--json", exit_code=3))["error"]
    assert error["code"] == "unknown-calendar"
    assert "cn_office" in error["message"]["en"] + error["remedy"]["en"]
    run("calendar", "show", "cn_office", 0, exit_code=2)


def test_a_calendar_of_a_folder_is_shown(run, tour, folder):
    """`--procedures` names the folder whose calendars are meant."""
    assert tour
    found = parsed(run("calendar", "show", "desk", 2026, "--procedures", folder, "--json"))
    assert (found["working_days"], found["days"]) == (261, [])


def test_colours_change_no_character(monkeypatch):
    """On a terminal days off are coloured; without the escape codes the text is the same."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    year = Year.of(shipped_calendar("cn_office"), 2026)
    coloured = year_text(year, "zh", coloured=True)
    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == year_text(year, "zh", coloured=False)


def test_an_imported_country_is_a_calendar_that_loads(run, tmp_path):
    """Germany in 2026: nine public holidays; the file is found by a catalog and can be shown."""
    said = run(*GERMANY, "--year", 2026).stdout
    assert said.strip() == "de.yaml: 9 holidays, 0 make-up days"
    calendar = calendars_of(Catalog.from_folder(tmp_path))("de")
    assert str(calendar.timezone) == "Europe/Berlin"
    assert parsed(run("check", "de.yaml", "--json"))["findings"] == []
    found = parsed(run("calendar", "show", "de", 2026, "--procedures", tmp_path, "--json"))
    assert {day["date"] for day in found["days"]} >= {"2026-01-01", "2026-10-03", "2026-12-25"}


def test_a_part_of_a_country_has_its_own_holidays_and_name(run, tmp_path):
    """Bavaria has more; `--name`, `--hours` and `-o` say what the file holds and where it stands."""
    more = (
        "--subdivision",
        "BY",
        "--year",
        2026,
        "--name",
        "bayern",
        "--hours",
        "08:00-16:00",
        "-o",
        "by.yaml",
    )
    found = parsed(run(*GERMANY, *more, "--json"))
    assert found == {"file": "by.yaml", "holidays": 12, "makeup": 0}
    assert "08:00-16:00" in (tmp_path / "by.yaml").read_text(encoding="utf-8")
    assert calendars_of(Catalog.from_folder(tmp_path))("bayern").id == "bayern"


@pytest.mark.parametrize(
    ("lang", "said"),
    [("zh", "CN 2027 年的放假调休安排尚未公布"), ("en", "of CN for 2027 is not published yet")],
)
def test_a_year_that_is_only_guessed_is_not_imported(run, tmp_path, lang, said):
    """The arrangement of a year that the State Council has not published is refused; no file is written."""
    assert said in run(*CHINA, "--year", 2026, "--year", 2027, "--lang", lang, exit_code=3).stderr
    assert parsed(run(*CHINA, "--year", 2027, "--json", exit_code=3))["error"]["code"] == "calendar-coverage"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "code", "exit_code"),
    [
        (("--country", "XX", "--timezone", "UTC", "--year", 2026), "unknown-calendar", 3),
        (
            ("--country", "DE", "--subdivision", "QQ", "--timezone", "UTC", "--year", 2026),
            "unknown-calendar",
            3,
        ),
        (("--country", "DE", "--timezone", "Europe/Berlinn", "--year", 2026), "declaration", 3),
        (("--country", "DE", "--timezone", "UTC", "--year", 2026, "--hours", "9-5"), "declaration", 3),
        (("--country", "DE", "--timezone", "UTC", "--year", 2026, "-o", "none/de.yaml"), "output", 3),
        (("--country", "DE", "--timezone", "UTC", "--year", 2024, "--year", 2026), "usage", 2),
        (("--country", "DE", "--timezone", "UTC"), "usage", 2),
    ],
)
def test_a_wrong_import_writes_nothing(run, tmp_path, args, code, exit_code):
    """Country, part, time zone, hours, place and a gap between the years each have their error."""
    error = parsed(run("calendar", "import", *args, "--json", exit_code=exit_code))["error"]
    assert error["code"] == code
    assert error["message"]["zh"] != error["message"]["en"]
    assert list(tmp_path.iterdir()) == []


def test_importing_without_the_package_names_the_extra(run, monkeypatch):
    """Where holidays is not installed, the answer says what to install."""
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert "svcflow[calendars]" in run(*GERMANY, "--year", 2026, exit_code=3).stderr
