"""Terms, amounts, lengths of time and instants are worded once, in Chinese and English."""

from __future__ import annotations

import ast
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

import svcflow
from svcflow import wording
from svcflow.analysis.conformance import Status as CaseStatus
from svcflow.kernel.facts import DeviationKind, DeviationStatus
from svcflow.kernel.instance import Status
from svcflow.kernel.timing.deadlines import DeadlineState
from svcflow.model.amount import Amount, Unit
from svcflow.model.limit import Severity
from svcflow.model.procedure import Area, Group
from svcflow.model.step import HoldReason, TransitionKind
from svcflow.runtime.migration import LimitFate
from svcflow.text import Text
from svcflow.wording import (
    amount,
    day,
    days,
    duration,
    holiday,
    instant,
    interval,
    shared_zone,
    timestamp,
    word,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("terms", "keys"),
    [
        (wording.HOLDS, HoldReason),
        (wording.GROUPS, Group),
        (wording.AREAS, Area),
        (wording.TRANSITIONS, TransitionKind),
        (wording.STATUSES, Status),
        (wording.LIMIT_STATES, DeadlineState),
        (wording.LIMIT_FATES, LimitFate),
        (wording.CASE_STATUSES, CaseStatus),
        (wording.DEVIATIONS, DeviationKind),
        (wording.DEVIATION_STATUSES, DeviationStatus),
        (wording.SEVERITIES, Severity),
        (wording.UNITS, Unit),
        (wording.SHORT_UNITS, Unit),
    ],
    ids=str,
)
def test_every_term_of_the_model_has_its_wording(terms, keys):
    """What a declaration or a fact may hold is worded in both languages."""
    assert set(get_args(keys)) <= set(terms)
    assert all(text.zh and text.en for text in terms.values())


def test_a_term_without_a_wording_stands_for_itself():
    """Outcomes are declared by users; those that are not worded are shown as they were written."""
    assert word(wording.OUTCOMES, "shelved") == Text("shelved", "shelved")


def test_nouns_of_time_stand_in_one_module():
    """No other module spells a weekday or a unit as a text of its own; sentences may hold them."""
    source = Path(svcflow.__file__).parent
    units = (*wording.UNITS.values(), *wording.SHORT_UNITS.values())
    nouns = {text.zh for text in (*wording.WEEKDAYS, *units)} | {day.en for day in wording.WEEKDAYS}
    spelt = {
        (path.relative_to(source).as_posix(), node.value)
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in nouns
    }
    assert {path for path, _ in spelt} == {"wording.py"}, sorted(spelt)


def test_amounts_read_as_their_units_do():
    """An amount of the model is worded as its value and unit are; both languages together read the written form."""
    assert amount(2, "d") == Text("2天", "2 days of 24 h")
    assert [Amount.parse("1wd").text(lang) for lang in ("zh", "en", "zh+en")] == [
        "1个工作日",
        "1 working day",
        "1wd",
    ]


@pytest.mark.parametrize(
    ("length", "form", "zh", "en"),
    [
        (timedelta(0), "exact", "0分钟", "0 min"),
        (timedelta(hours=2, microseconds=1), "exact", "2小时1秒", "2 h 1 s"),
        (timedelta(hours=-30), "exact", "30小时", "30 h"),
        (timedelta(minutes=99.4), "figure", "99分", "99 min"),
        (timedelta(minutes=100), "figure", "1.7小时", "1.7 h"),
    ],
)
def test_explanations_count_to_the_second_and_statistics_give_one_figure(length, form, zh, en):
    """A length of time has three forms: brief, exact and one figure."""
    assert duration(length, form) == Text(zh, en)


def test_days_and_instants_name_their_weekday():
    """A day stands before its weekday in Chinese and behind it in English; the year only where it is asked for."""
    monday, at = date(2026, 3, 2), datetime(2026, 3, 2, 9, 0, 1, 500_000, tzinfo=SHANGHAI)
    assert day(monday) == Text("03-02 周一", "Mon 03-02")
    assert days(monday, date(2026, 3, 8)) == Text("03-02 周一 至 03-08 周日", "Mon 03-02 … Sun 03-08")
    assert instant(at, year=True) == Text("2026-03-02 周一 09:00:01.5", "Mon 2026-03-02 09:00:01.5")
    assert wording.weekday_time(at, SHANGHAI).zh[:2] == "周一"


def test_an_interval_names_a_day_once():
    """What lies within a day, up to its midnight, has one date."""
    start = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)
    assert interval(start, datetime(2026, 3, 2, 17, 0, tzinfo=SHANGHAI)).en == "Mon 03-02 09:00-17:00"
    assert interval(start, datetime(2026, 3, 3, tzinfo=SHANGHAI)).zh == "03-02 周一 09:00-24:00"
    assert (
        interval(start, datetime(2026, 3, 3, 9, 0, tzinfo=SHANGHAI)).en
        == "Mon 03-02 09:00 to Tue 03-03 09:00"
    )


def test_statutory_holidays_have_english_names():
    """Where a calendar names one in Chinese only; a name in English is kept."""
    assert holiday(Text(zh="国庆节、中秋节")).en == "National Day, Mid-Autumn Festival"
    assert holiday(Text(zh="国庆节", en="Golden Week")).en == "Golden Week"


@pytest.mark.parametrize(
    ("seconds", "working", "zh", "en"),
    [
        (0, False, "0秒", "0 s"),
        (59, False, "59秒", "59 s"),
        (-18 * 60, False, "18分", "18 min"),
        (3600, False, "1小时", "1 h"),
        (5400, True, "1小时30分（工作时间）", "1 h 30 min working"),
        (26 * 3600 + 300, False, "1天2小时", "1 d 2 h"),
        (24 * 3600 + 300, False, "1天", "1 d"),
        (26 * 3600, True, "26小时（工作时间）", "26 h working"),
        (130.5 * 3600, True, "130小时（工作时间）", "130 h working"),
    ],
)
def test_lengths_of_time_read_naturally(seconds, working, zh, en):
    """Two units at most; days only of elapsed time, since a working day has no fixed length."""
    length = timedelta(seconds=seconds)
    assert duration(length, working=working).zh == zh
    assert duration(length, working=working).en == en


def test_instants_carry_their_offset():
    """The offset is short where it is whole hours."""
    at = datetime(2026, 3, 2, 1, 0, tzinfo=ZoneInfo("UTC"))
    assert timestamp(at, ZoneInfo("Asia/Shanghai")) == "2026-03-02 09:00+08"
    assert timestamp(at, ZoneInfo("Asia/Kolkata")) == "2026-03-02 06:30+05:30"


def test_an_instant_of_this_year_leaves_the_year_out_and_keeps_its_offset():
    """What is near is told briefly, and still on a clock that is named."""
    shanghai, now = ZoneInfo("Asia/Shanghai"), datetime(2025, 12, 31, 20, 0, tzinfo=ZoneInfo("UTC"))
    assert (
        timestamp(datetime(2026, 3, 2, 1, 0, tzinfo=ZoneInfo("UTC")), shanghai, now=now) == "03-02 09:00+08"
    )
    assert timestamp(now, ZoneInfo("UTC"), now=now) == "12-31 20:00+00"
    assert (
        timestamp(datetime(2024, 3, 2, 1, 0, tzinfo=ZoneInfo("UTC")), shanghai, now=now)
        == "2024-03-02 09:00+08"
    )


def test_the_clock_is_the_one_that_calendars_share():
    """One zone, however often, is the clock of an answer; several, or none, leave it to this computer."""
    shanghai, amsterdam = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Amsterdam")
    assert shared_zone([shanghai, ZoneInfo.no_cache("Asia/Shanghai")]) is shanghai
    assert shared_zone([shanghai, amsterdam]) is None
    assert shared_zone([]) is None
