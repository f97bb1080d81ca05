"""Deviations that a command records, shown in its answer, and the answers to them."""

from __future__ import annotations

import shlex

import pytest
from cli_answers import LAMP, LATER, parsed


@pytest.fixture
def gone_round(svc, lamp) -> dict[str, object]:
    """Fire out of order when a limit was overdue, and return the answer."""
    args = ("fire", lamp, "fit", "--actor", "f:fitter", "-d", "reason=dark", "--override", "nobody there")
    return parsed(svc(*args, "--json", at=LATER))


def test_a_command_gives_the_deviations_that_it_recorded(gone_round):
    """What had become due and what the command itself departed from, with step, limit and overrun."""
    late, skipped, theirs = gone_round["deviations"]
    assert (late["kind"], late["limit"], late["step"]) == ("overdue", "asked", "asked")
    assert late["overrun_s"] == 4.5 * 3600
    assert (skipped["kind"], skipped["step"], skipped["reason"]) == (
        "skipped_step",
        "accepted",
        "nobody there",
    )
    assert (theirs["kind"], theirs["step"], theirs["detail"]["needs"]) == ("wrong_role", "asked", "desk")


def test_the_next_step_can_be_copied(svc, gone_round):
    """The commands that explain and accept it run as they are given, once the gaps are filled."""
    for command, who in zip(gone_round["deviations"][0]["next"], ("d:desk", "m:chief"), strict=True):
        program, *args = shlex.split(command.replace("ID:ROLE", who).replace("REASON", "rain"))
        assert program == "svcflow"
        svc(*args, at=LATER)
    assert svc("deviations", "--status", "accepted", "--count").stdout == "1\n"


@pytest.mark.parametrize(
    ("lang", "title", "row", "hint"),
    [
        ("zh", "此次记录的偏差", ["超时", "一般", "已报", "4小时30分"], "→ 说明原因：svcflow deviation explain lamp-1 2 "),
        ("en", "Deviations recorded by this command", ["overdue", "minor", "Asked", "4", "h", "30", "min"],
         "→ say why it came about: svcflow deviation explain lamp-1 2 "),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("lamp")
def test_deviations_are_told_right_after_the_command(svc, lang, title, row, hint):
    """Kind, severity, step or limit and by how much, and then what can be done."""
    said = svc("fire", "lamp-1", "accept", "--actor", "d:desk", "--lang", lang, at=LATER).stdout
    _, told = said.split(title)
    assert told.splitlines()[3].split()[3:] == row
    assert hint in told


def test_what_others_recorded_is_not_told(svc, lamp):
    """What a scheduler had noted before is no news of this command."""
    svc("tick", at=LATER)
    args = ("fire", lamp, "fit", "--actor", "f:fitter", "-d", "reason=dark", "--override", "nobody there")
    own = parsed(svc(*args, "--json", at=LATER))["deviations"]
    assert [one["kind"] for one in own] == ["skipped_step", "wrong_role"]
    assert "Deviations" not in svc("hold", lamp, "--reason", "third_party", "-e", "notice=1", at=LATER).stdout


def test_a_command_asked_again_tells_nothing_twice(svc, lamp):
    """The second answer is the first one's, and records nothing."""
    args = ("fire", lamp, "accept", "--actor", "d:desk", "--command-id", "c1", "--json")
    assert len(parsed(svc(*args, at=LATER))["deviations"]) == 1
    assert parsed(svc(*args, at=LATER))["deviations"] == []


def test_a_refused_command_tells_what_had_become_due(svc, lamp):
    """It is recorded with the attempt, so that nobody else will tell it later."""
    said = svc("fire", lamp, "accept", "--actor", "f:fitter", at=LATER, exit_code=3).stderr
    assert said.startswith("error [refused: role]")
    assert "svcflow deviation explain lamp-1 2" in said
    again = parsed(svc("fire", lamp, "accept", "--actor", "f:fitter", "--json", at=LATER, exit_code=3))
    assert (again["error"]["rule"], again["deviations"]) == ("role", [])


def test_answering_one_deviation_tells_another_that_came_due(svc, lamp):
    """Explaining is a command like any other: what was due by then is recorded with it, and told."""
    svc("fire", lamp, "accept", "--actor", "d:desk", at=LATER)
    args = ("deviation", "explain", lamp, 2, "--reason", "rain", "--actor", "d:desk")
    found = parsed(svc(*args, "--json", at="2026-03-03T17:00+08:00"))
    assert found["deviation"]["answers"][0]["actor"] == "d"
    assert [one["limit"] for one in found["deviations"]] == ["accepted"]


def test_starting_gives_no_deviations(svc):
    """The key is there for programs, and empty."""
    assert parsed(svc("start", "lamp", "-d", "place=x", "--json"))["deviations"] == []


@pytest.fixture
def judged(svc, lamp) -> str:
    """Let a deviation be explained, and judged twice, the last time by a deputy."""
    svc("tick", at=LATER)
    svc("delegation", "give", "li", "--actor", "m:desk", "--role", "desk", "--until", "2026-03-14")
    for verb, reason, *who in (
        ("explain", "rain", "--actor", "d:desk"),
        ("reject", "it was dry", "--actor", "m:desk"),
        ("accept", "log seen", "--actor", "li", "--for", "m"),
    ):
        svc("deviation", verb, lamp, 2, "--reason", reason, *who, at=LATER)
    return lamp


def told(svc, *args) -> str:
    """Return the last column of the list, its lines joined."""
    heads, _, *lines = svc("deviations", *args, exit_code=1).stdout.splitlines()
    place = heads.index("Reason")
    return " ".join(line[place:].strip() for line in lines)


def test_who_judged_and_why_stands_in_the_list(svc, judged):
    """Every answer in its order, with who gave it, for whom, and why; a program has them as records."""
    assert told(svc) == "explained by d: rain; rejected by m: it was dry; accepted by li for m: log seen"
    (one,) = parsed(svc("deviations", "--json", exit_code=1))["deviations"]
    assert [(a["status"], a["actor"], a["behalf"], a["reason"]) for a in one["answers"]] == [
        ("explained", "d", None, "rain"),
        ("rejected", "m", None, "it was dry"),
        ("accepted", "li", "m", "log seen"),
    ]
    assert one["answers"][0]["occurred_at"] == "2026-03-02T07:30:00+00:00"
    assert parsed(svc("show", judged, "--json"))["deviations"] == [one]
    assert "已说明（d）：rain；不认可（m）：" in svc("show", judged, "--lang", "zh").stdout
    assert "已认可（li代m）" in "".join(svc("deviations", "--lang", "zh", exit_code=1).stdout.split())


def test_an_erased_judge_shows_as_erased(svc, judged):
    """Why it was accepted stays; who said so is known no more."""
    svc("forget", "m", "--yes", "--open")
    (one,) = parsed(svc("deviations", "--json", exit_code=1))["deviations"]
    assert one["answers"][1]["actor"].startswith("erased-")
    assert one["answers"][2]["behalf"].startswith("erased-")
    assert "rejectedbyerased-" in told(svc).replace(" ", "")


def test_what_was_overdue_in_closed_hours_only_says_so(svc, folder):
    """No working time passed between the deadline and the end, and nought is no amount to read."""
    (folder / "short.yaml").write_text(
        LAMP.replace("procedure: lamp", "procedure: short").replace("{h: 2,", "{wh: 1,"), encoding="utf-8"
    )
    svc("start", "short", "-d", "place=x", "--id", "s", at="2026-03-02T16:30+08:00")
    assert "超 0秒" not in svc("show", "s", "--lang", "zh", at="2026-03-02T18:30+08:00").stdout
    assert "仅在非工作时间" in svc("show", "s", "--lang", "zh", at="2026-03-02T18:30+08:00").stdout
    said = svc("fire", "s", "accept", "--actor", "d:desk", at="2026-03-02T18:30+08:00").stdout
    assert "closed hours only" in said
