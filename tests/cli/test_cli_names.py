"""Answers in the names of a procedure: rows that were taken, reasons, groups, fields, rungs, amounts."""

from __future__ import annotations

from datetime import UTC, timedelta

import attrs
import pytest
from cli_answers import parsed

from svcflow.cli.journal_lines import journal_line
from svcflow.cli.names import ProcedureNames
from svcflow.cli.tables import over
from svcflow.kernel.facts import Escalated, Warned
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.model.catalog import load
from svcflow.model.wording import rung_text

TRIP = """\
procedure: trip
version: 1
name: {zh: 用车, en: Trip}
calendar: cn_office
roles: {clerk: {zh: 调度, en: Clerk}, boss: {zh: 主管, en: Boss}}
fields:
  meet: {type: instant, name: {zh: 会议时间, en: Meeting}}
  kind: {type: choice, choices: [car, bus], default: car, name: {zh: 车型, en: Kind}}
  note: {type: text, name: {zh: 处理结果, en: Note}}
holds: {third_party: {at_most: 4wh}}
steps:
  asked:
    name: {zh: 申请, en: Asked}
    role: clerk
    within: {before: meet - 1h, warn: [{at: "-20m"}], escalate: [{at: "+30m", role: boss}]}
    to:
      go:
        - {step: ride, when: "kind == 'car'", name: {zh: 派小车, en: Send a car}, requires: [note]}
        - {step: ride, name: {zh: 派大巴, en: Send a bus}}
  ride:
    name: {zh: 出车, en: Ride}
    role: clerk
    within: {at_least: 1h}
    to: {done: {step: z, name: {zh: 回场, en: Returned}}}
  z: {name: {zh: 结束, en: End}, end: completed}
"""
CLERK = ("--actor", "a:clerk")


def at(time: str) -> str:
    return f"2026-03-02T{time}+08:00"


@pytest.fixture
def trip(folder, svc) -> str:
    """Start a trip to a meeting at 11:30, by bus, for a leader."""
    (folder / "trip.yaml").write_text(TRIP, encoding="utf-8")
    data = ("-d", f"meet={at('11:30')}", "-d", "kind=bus")
    svc("start", "trip", "--id", "t", *CLERK, *data, "--recipient", "room-1:leaders", at=at("09:00"))
    return "t"


@pytest.mark.parametrize(
    ("lang", "way"), [("zh", "申请 → 出车（派大巴）"), ("en", "Asked → Ride (Send a bus)")]
)
def test_the_journal_names_the_row_that_was_taken(svc, trip, lang, way):
    """Not the first row of the trigger: a bus was sent."""
    svc("fire", trip, "go", *CLERK, at=at("09:10"))
    assert way in svc("show", trip, "--journal", "--lang", lang, at=at("09:11")).stdout


def test_chinese_readers_read_chinese(svc, trip):
    """Reasons of holds, groups, fields and what is owed; keys that have to be typed stand beside their names."""
    svc("hold", trip, "--reason", "third_party", *CLERK, at=at("09:01"))
    svc("update", trip, "-d", "kind=car", *CLERK, at=at("09:02"))
    shown = svc("show", trip, "--lang", "zh", at=at("09:03")).stdout
    for words in (
        "暂停（第三方原因）：申请",
        "room-1（领导）",
        "会议时间前 1小时",
        "  暂停（第三方原因）  ",
        "处理结果 note",
    ):
        assert words in shown, words
    held = svc("hold", trip, "--reason", "third_party", "--lang", "zh", *CLERK, at=at("09:04"), exit_code=3)
    assert "已在暂停中（第三方原因）" in held.stderr
    svc("resume", trip, *CLERK, at=at("09:05"))
    refused = svc("fire", trip, "go", "--lang", "zh", *CLERK, at=at("09:06"), exit_code=3).stderr
    assert "须提供 处理结果（note）" in refused
    wrong = svc("hold", trip, "--reason", "statutory", "--lang", "zh", *CLERK, at=at("09:07"), exit_code=3)
    assert "不能以“法定事由”为由暂停" in wrong.stderr
    assert "会议时间前 1小时" in svc("explain", trip, "asked", "--lang", "zh", at=at("09:08")).stdout


def test_what_has_ended_is_told_by_its_outcome(svc, trip):
    """Refused afterwards, it says how it ended; groups are counted by name."""
    svc("fire", trip, "go", *CLERK, at=at("09:10"))
    svc("fire", trip, "done", *CLERK, at=at("10:30"))
    assert (
        "已结束（办结）"
        in svc("fire", trip, "done", "--lang", "zh", *CLERK, exit_code=3, at=at("10:31")).stderr
    )
    counted = svc("list", "--count-by", "group", "--lang", "zh", at=at("10:32")).stdout.splitlines()[-1]
    assert counted.split() == ["leaders", "领导", "1"]


def test_points_of_a_ladder_are_told_by_what_they_mean(svc, trip):
    """So long before or after the deadline; shares as shares."""
    svc("tick", at=at("11:10"))
    zh = svc("show", trip, "--journal", "--lang", "zh", at=at("11:11")).stdout
    en = svc("show", trip, "--journal", "--lang", "en", at=at("11:11")).stdout
    assert "预警：申请截止前 20分钟" in zh
    assert "升级：申请截止后 30分钟，报主管" in zh
    assert "warning: Asked 20 minutes before it is due" in en
    assert "escalated: Asked 30 minutes after it was due, to Boss" in en
    told = svc("explain", trip, "asked", "--lang", "zh", at=at("11:11")).stdout
    assert "预警（截止前 20分钟）" in told
    assert "升级（截止后 30分钟），通知主管" in told
    assert rung_text("75%").zh == "已用 75%"
    assert rung_text("+0m").zh == "截止时"


def test_a_minimum_ended_early_is_told_by_what_was_lacking(svc, trip):
    """It has ended, so it is not still open; programs read it in `detail`."""
    svc("fire", trip, "go", *CLERK, at=at("09:10"))
    done = svc("fire", trip, "done", "--lang", "zh", *CLERK, at=at("09:20")).stdout
    assert "差 50分" in done
    assert "尚未完成" not in done
    assert "50 min short" in svc("deviations", "--lang", "en", at=at("09:21"), exit_code=1).stdout
    found = parsed(svc("deviations", "--json", at=at("09:21"), exit_code=1))["deviations"]
    assert [one["detail"] for one in found] == [{"short_us": 3_000_000_000}]
    told = svc("explain", trip, "ride", "--lang", "en", at=at("09:21")).stdout
    assert "ended, 50 min short of the minimum" in told


def test_over_by_says_nothing_of_what_has_no_end(folder, svc, trip):
    """An occurrence that was missed is no limit that still runs; what was not measured then is not made up."""
    names = ProcedureNames(load(folder / "trip.yaml"), "en", UTC)
    missed = Deviation(
        "t", 1, "trip", 1, "missed_occurrence", "minor", "ride", "", "", 0, limit="ride", due_us=0
    )
    assert over(missed, names) == ""
    early = attrs.evolve(missed, kind="too_early")
    assert over(early, names) == ""
    assert over(attrs.evolve(early, detail={"short_us": 0}), names) == "closed hours only"
    assert over(attrs.evolve(missed, kind="overdue"), names) == "still open"


OFFICE = """\
procedure: office
calendar: cn_office
roles: {clerk: {zh: 调度, en: Clerk}}
steps:
  asked: {role: clerk, within: 4wh, to: {go: z}}
  z: {end: completed}
"""


def test_what_is_over_in_closed_hours_only_says_so(folder, svc):
    """Due at the closing: in the evening nothing is left, and no working time is over, before the end and after it."""
    (folder / "office.yaml").write_text(OFFICE, encoding="utf-8")
    svc("start", "office", "--id", "o", *CLERK, at=at("13:30"))
    assert "closed hours only" in svc("show", "o", "--lang", "en", at=at("20:00")).stdout
    told = svc("explain", "o", "asked", "--lang", "en", at=at("20:00")).stdout
    assert "past its deadline, in closed hours only" in told
    assert "left" not in told.splitlines()[-1]
    svc("fire", "o", "go", *CLERK, at="2026-03-03T07:00+08:00")
    after = svc("explain", "o", "asked", "--lang", "zh", at="2026-03-03T07:00+08:00").stdout
    assert after.rstrip().endswith("结束：超时，仅在非工作时间")
    assert (
        "仅在非工作时间" in svc("deviations", "--lang", "zh", at="2026-03-03T07:00+08:00", exit_code=1).stdout
    )


def test_before_the_opening_all_that_was_left_is_left(folder, svc):
    """Asked before the office opens, nothing has run; so has nothing before it opens the next day."""
    (folder / "office.yaml").write_text(OFFICE, encoding="utf-8")
    svc("start", "office", "--id", "o", *CLERK, at=at("07:00"))
    found = parsed(svc("show", "o", "--json", at=at("08:00")))["deadlines"]
    assert [one["remaining_s"] for one in found] == [4 * 3600]
    svc("start", "office", "--id", "p", *CLERK, at=at("16:30"))
    found = parsed(svc("show", "p", "--json", at="2026-03-03T08:00+08:00"))["deadlines"]
    assert [one["remaining_s"] for one in found] == [3 * 3600]


def test_a_point_without_a_role_names_none(folder, svc, trip):
    """Nobody is told, and nothing dangles."""
    names = ProcedureNames(load(folder / "trip.yaml"), "en", UTC)
    escalated = Escalated("t", 9, 0, 0, "", "asked", 1, "+30m", 0)
    assert journal_line(escalated, names) == "escalated: Asked 30 minutes after it was due"
    assert journal_line(escalated, attrs.evolve(names, lang="zh")) == "升级：申请截止后 30分钟"
    warned = Warned("t", 9, 0, 0, "", "asked", 1, "75%", int(timedelta(hours=1).total_seconds()) * 10**6)
    assert journal_line(warned, names).startswith("warning: Asked at 75%, due ")


MEETING = """\
procedure: meeting
calendar: cn_office
roles: {clerk: {zh: 服务员, en: Waiter}}
steps:
  sitting: {name: {zh: 会议, en: Sitting}, role: clerk, to: {pour: sitting, rise: check}}
  check: {name: {zh: 确认, en: Check}, role: clerk, within: 1h, on_overdue: accept, to: {accept: z}}
  z: {end: completed}
limits:
  - {id: tea, name: {zh: 续茶, en: Tea}, step: sitting, every: 15m, done_by: pour}
"""


def test_an_interval_says_why_it_began(folder, svc):
    """Nobody entered the step again when one was missed, and tea is what was poured."""
    (folder / "meeting.yaml").write_text(MEETING, encoding="utf-8")
    svc("start", "meeting", "--id", "m", *CLERK, at=at("09:00"))
    svc("fire", "m", "pour", *CLERK, at=at("09:10"))
    svc("fire", "m", "pour", *CLERK, at=at("09:30"))
    told = svc("explain", "m", "tea", "--lang", "zh", at=at("09:31")).stdout
    for words in (
        "续茶：时限 每 15分钟一次",
        "09:00 起算：进入“会议”",
        "09:10 第 2 次起算：“pour”已办",
        "09:25 第 3 次起算：上一次漏做",
        "09:30 第 4 次起算：“pour”已办",
    ):
        assert words in told, told
    svc("fire", "m", "rise", *CLERK, at=at("09:40"))
    shown = svc("show", "m", "--lang", "zh", at=at("09:41")).stdout
    assert "末次按时" in shown  # of the four intervals one was missed


def test_what_was_moved_as_it_was_due_is_over_by_nothing(folder, svc):
    """A deemed acceptance comes at the deadline, whatever the hours are."""
    (folder / "meeting.yaml").write_text(MEETING, encoding="utf-8")
    svc("start", "meeting", "--id", "m", *CLERK, at=at("09:00"))
    svc("fire", "m", "rise", *CLERK, at=at("09:10"))
    svc("tick", at=at("12:00"))
    shown = svc("show", "m", "--journal", "--lang", "en", at=at("12:00")).stdout
    assert "Check ended at its deadline" in shown
    assert "nothing" in shown
    assert "closed hours" not in shown
    told = svc("explain", "m", "check", "--lang", "zh", at=at("12:00")).stdout
    assert told.rstrip().endswith("10:10 结束：到截止时结束"), told


def test_a_hold_that_lasted_too_long_reads_as_one_sentence(svc, trip):
    """The name of its limit does not break it in two."""
    svc("hold", trip, "--reason", "third_party", *CLERK, at=at("09:01"))
    svc("resume", trip, *CLERK, at=at("17:01"))
    shown = svc("show", trip, "--journal", "--lang", "zh", at=at("17:02")).stdout
    assert "等待过久：暂停（第三方原因）" in shown
    assert "暂停（第三方原因）结束，逾期" in shown


def test_a_minimum_says_from_when_on_it_may_end(folder, svc, trip):
    """It is no deadline."""
    svc("fire", trip, "go", *CLERK, at=at("09:10"))
    assert "10:10 起方可结束" in svc("explain", trip, "ride", "--lang", "zh", at=at("09:20")).stdout


def test_a_line_is_not_broken_behind_an_opening_bracket(svc, trip):
    """Nor is the number of an amount cut, however long the explanations beside it are."""
    svc("tick", at="2026-03-03T11:00+08:00")
    svc("hold", trip, "--reason", "third_party", *CLERK, at="2026-03-04T09:00+08:00")
    svc("resume", trip, *CLERK, at="2026-03-06T17:01+08:00")
    svc(
        "deviation",
        "explain",
        trip,
        "6",
        *CLERK,
        "--reason",
        "等候场地方面的答复" * 3,
        at="2026-03-06T17:01+08:00",
        exit_code=None,
    )
    listed = svc("deviations", "--lang", "zh", at="2026-03-06T17:02+08:00", exit_code=1).stdout
    assert "（\n" not in listed, listed
    assert "17小时31分" in listed, listed


QUESTION = """\
procedure: question
calendar: cn_office
roles: {clerk: {zh: 调度, en: Clerk}}
steps:
  asked:
    name: {zh: 已问, en: Asked}
    role: clerk
    then: {after: 2wd, fire: close}
    to: {close: {step: closed, name: {zh: 未答结案, en: Close unanswered}}, answer: done}
  closed: {end: cancelled}
  done: {end: completed}
"""


def test_what_a_step_will_do_by_itself_is_shown_and_is_no_deadline(folder, svc):
    """Show says when, and the name by which explain counts its days; afterwards the journal says that its time had come."""
    (folder / "question.yaml").write_text(QUESTION, encoding="utf-8")
    svc("start", "question", "--id", "q", *CLERK, at=at("09:00"))
    found = parsed(svc("show", "q", "--json", at=at("10:00")))
    assert found["deadlines"] == []
    assert found["coming_moves"] == [
        {
            "timer": "asked.then",
            "step": "asked",
            "trigger": "close",
            "at": "2026-03-04T09:30:00+00:00",
            "provisional": False,
        }
    ]
    told = svc("show", "q", "--lang", "zh", at=at("10:00")).stdout
    assert "自动流转" in told
    assert "未答结案" in told
    assert "asked.then" in svc("show", "q", "--lang", "en", at=at("10:00")).stdout
    told = svc("explain", "q", "asked.then", "--lang", "en", at=at("10:00")).stdout
    assert "moves on by itself on Wed 2026-03-04 17:30 (Close unanswered)" in told
    svc("tick", at="2026-03-09T09:00+08:00")
    told = svc("show", "q", "--journal", "--lang", "en", at="2026-03-09T09:00+08:00").stdout
    assert "by itself, as its time had come" in told
    assert "Moves on by itself" not in told
    assert svc("deviations", at="2026-03-09T09:00+08:00").exit_code == 0
