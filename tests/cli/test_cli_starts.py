"""`svcflow starts`: what begins by itself, what could not begin yet, and what is not known."""

from __future__ import annotations

from datetime import datetime

import pytest
from cli_answers import parsed

from svcflow import Engine, Recipient, VirtualClock
from svcflow.model.catalog import Catalog

ROUNDS = """\
procedure: rounds
version: 1
name: {zh: 巡检, en: Rounds}
calendar: cn_office
fields: {place: {type: text}}
starts:
  - {id: weekly, every: 7cd, on: sat, at: "08:30", data: {place: hall}}
  - {id: homes, every: 7cd, on: tue, at: "09:30", for: residents}
steps:
  planned: {to: {walk: walked}}
  walked: {end: completed}
"""


@pytest.fixture
def rounds(svc, folder, lamp) -> None:
    """Add a procedure with two regular starts to the folder, and tick once on Monday 2026-03-02 09:00."""
    (folder / "rounds.yaml").write_text(ROUNDS, encoding="utf-8")
    svc("tick")


def test_without_regular_starts_it_says_so(svc, lamp):
    """A sentence in the asked language, and an empty list as JSON."""
    assert svc("starts").stdout.strip() == "nothing begins by itself"
    assert svc("starts", "--lang", "zh").stdout.strip() == "没有定期启动"
    assert parsed(svc("starts", "--json")) == {"starts": []}


def test_it_lists_what_begins_within_a_week(svc, rounds):
    """Soonest first, with the day on which it was declared, and for whom."""
    said = svc("starts").stdout
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    assert lines[0] == "When Procedure Regular start Note"
    assert lines[2] == "2026-03-03 09:30+08 Tue Rounds homes for each of residents"
    assert lines[3].startswith("2026-03-09 08:30+08 Mon Rounds weekly moved from 2026-03-07")
    assert "2026-03-10" not in said


def test_it_says_whence_a_closed_day_moved_it(svc, rounds):
    """A Saturday becomes the Monday after it."""
    said = " ".join(svc("starts", "--until", "2026-03-10T00:00+08:00").stdout.split())
    assert "2026-03-09 08:30+08 Mon Rounds weekly moved from 2026-03-07, which is closed" in said
    said = svc("starts", "--until", "2026-03-10T00:00+08:00", "--lang", "zh").stdout
    assert "原为 2026-03-07，当日不开放" in said


def test_tick_begins_what_is_due(svc, rounds):
    """What began is among what was recorded; those for recipients are left to the service that knows them."""
    said = " ".join(svc("tick", at="2026-03-09T09:00+08:00").stdout.split())
    assert "rounds-weekly-2026-03-07T0830" in said
    assert "started by itself (weekly, 2026-03-07 08:30): planned" in said
    waiting = " ".join(svc("starts", at="2026-03-09T09:00+08:00").stdout.split())
    assert "2026-03-03 09:30+08 Tue Rounds homes due, has not begun; for each of residents" in waiting
    shown = svc("show", "rounds-weekly-2026-03-07T0830", "--journal", "--lang", "zh").stdout
    assert "定期启动 weekly（2026-03-07 08:30）：planned" in shown


def test_what_is_lost_is_shown_as_a_deviation(svc, rounds):
    """With the occurrence that was lost."""
    svc("tick", at="2026-03-16T09:00+08:00")
    said = svc("deviations", "--kind", "missed_start", exit_code=1).stdout
    assert "missed" in said
    assert "2026-03-09" in said  # when it was due
    journal = svc("show", "rounds-weekly-2026-03-14T0830", "--journal").stdout
    assert "missed start: planned (2026-03-07 08:30)" in journal


def test_it_says_from_when_on_nothing_is_known(svc, rounds):
    """The calendar's next year is not published yet."""
    answer = parsed(svc("starts", "--until", "2027-02-01T00:00+08:00", "--procedure", "rounds", "--json"))
    assert [(one["start"], one["due_at"], one["unknown_from"]) for one in answer["starts"][-2:]] == [
        ("weekly", None, "2027-01-01"),
        ("homes", None, "2027-01-01"),
    ]
    assert "2027-01-01 起不可知" in svc("starts", "--until", "2027-02-01T00:00+08:00", "--lang", "zh").stdout


def test_what_could_not_begin_is_told_and_leaves_with_1(svc, rounds, folder, tmp_path):
    """By the list, with when it is tried again, and by the doctor."""
    clock = VirtualClock(datetime.fromisoformat("2026-03-03T10:00+08:00"))
    with Engine(f"sqlite:///{tmp_path / 's.db'}", Catalog.from_folder(folder), clock=clock) as engine:
        engine.recipients()(residents)
        engine.tick()
    at = "2026-03-03T10:05+08:00"
    said = " ".join(svc("starts", at=at, exit_code=1).stdout.split())
    assert "failed, again at 2026-03-03 10:07+08: svcflow.errors.FieldError at" in said
    (failed, *_) = parsed(svc("starts", "--json", at=at, exit_code=1))["starts"]
    assert (failed["start"], failed["retry_at"]) == ("homes", "2026-03-03T10:07:30+08:00")
    assert "未能启动，2026-03-03 10:07+08 再试" in svc("starts", "--lang", "zh", at=at, exit_code=1).stdout
    probe = next(one for one in parsed(svc("doctor", "--json"))["probes"] if one["id"] == "starts")
    assert probe["state"] == "warning"
    assert probe["data"]["failed"][0]["occurrence"] == "2026-03-03T09:30"


def residents(due_at):
    yield Recipient("li"), {"nowhere": "x"}


def test_an_unknown_procedure_is_an_error(svc, lamp):
    """As in every other list."""
    assert svc("starts", "--procedure", "lamb", exit_code=3).stderr
