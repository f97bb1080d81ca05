"""Instants on the command line: one rule says on whose clock they stand, and their offset is always there."""

from __future__ import annotations

import time

import pytest
from cli_answers import DESK, LAMP, LATER, MONDAY

ABROAD = DESK.replace("calendar: desk", "calendar: abroad").replace("Asia/Shanghai", "Europe/Amsterdam")


@pytest.fixture
def in_tokyo(monkeypatch):
    """Let this computer's clock be that of Tokyo."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system has one zone for all processes")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def abroad(folder, svc, lamp) -> str:
    """Start an instance of a procedure whose calendar is that of another country, and return its id."""
    text = LAMP.replace("procedure: lamp", "procedure: lampen").replace("cn_office", "abroad")
    (folder / "lampen.yaml").write_text(text, encoding="utf-8")
    (folder / "abroad.yaml").write_text(ABROAD, encoding="utf-8")
    svc("start", "lampen", "-d", "place=gracht", "--id", "ams-1")
    return "ams-1"


LISTS = [
    (("list",), 0),
    (("deviations",), 1),
    (("worklist",), 0),
]


@pytest.mark.usefixtures("in_tokyo", "lamp")
@pytest.mark.parametrize(("args", "code"), LISTS, ids=["list", "deviations", "worklist"])
def test_a_list_goes_by_the_clock_of_its_calendar(svc, args, code):
    """However this computer's clock is set, people read the hours of the office."""
    svc("tick", at=LATER)
    said = svc(*args, at=LATER, exit_code=code).stdout
    assert "+08" in said
    assert "+09" not in said


@pytest.mark.usefixtures("in_tokyo", "abroad")
@pytest.mark.parametrize(("args", "code"), LISTS, ids=["list", "deviations", "worklist"])
def test_a_list_of_several_zones_goes_by_this_computers_clock(svc, args, code):
    """Hours of two places side by side would be compared; so both are told on one clock."""
    svc("tick", at="2026-03-03T15:30+08:00")
    said = svc(*args, at="2026-03-03T15:30+08:00", exit_code=code).stdout
    assert said.count("+09") >= 2
    assert "+08" not in said
    assert "+01" not in said
    assert "+01" in svc(*args, "--procedure", "lampen", at="2026-03-03T15:30+08:00", exit_code=code).stdout


@pytest.mark.usefixtures("in_tokyo")
def test_a_delegation_stands_on_this_computers_clock(svc, lamp):
    """It is of no one procedure, and its ends are read on this clock too."""
    given = svc(
        "delegation", "give", "li", "--actor", "d:desk", "--role", "desk", "--until", "2026-03-14"
    ).stdout
    assert "03-02 10:00+09" in given
    assert "03-14 00:00+09" in given


@pytest.mark.usefixtures("in_tokyo")
@pytest.mark.parametrize(
    ("lang", "clock"), [("zh", "（时刻按 Asia/Shanghai）"), ("en", " (times: Asia/Shanghai)")]
)
def test_an_explanation_names_its_clock_once(svc, lamp, lang, clock):
    """Its lines are full of hours, which the offset would drown."""
    said = svc("explain", lamp, "asked", "--lang", lang).stdout
    assert said.splitlines()[0].endswith(clock)
    assert said.count("Asia/Shanghai") == 1


@pytest.mark.usefixtures("in_tokyo")
def test_a_field_that_is_an_instant_is_shown_on_the_clock_of_the_rest(svc, tour):
    """It was given with an offset of its own, and is compared with the deadlines below."""
    svc("reschedule", tour, "starts", "2026-03-04T08:30+02:00", "--actor", "g:guide")
    assert "Start of the tour  2026-03-04 14:30+08" in svc("show", tour, at=MONDAY).stdout
