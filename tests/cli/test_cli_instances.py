"""Instances through the command line: start, fire, hold, resume, show, list, deviations, tick, verify."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from cli_answers import ASKING, LAMP, LATER, parsed

from svcflow.cli.commands.integrity import verification_json, verification_text
from svcflow.runtime.integrity.verification import Verification
from svcflow.text import Text

DEVIATION = {
    "instance", "sequence", "procedure", "version", "kind", "severity", "step", "role", "actor",
    "occurred_at", "limit", "due_at", "overrun_s", "annulled", "trigger", "reason", "detail",
    "status", "explanation", "answers",
}  # fmt: skip
INSTANCE = {
    "id", "procedure", "version", "status", "outcome", "steps", "hold", "data", "evidence", "recipient",
    "group", "assignees", "revision", "sequence", "started_at", "ended_at", "parent", "children",
    "parameters",
}  # fmt: skip


def test_an_instance_is_started_with_typed_data(svc):
    """Numbers and truth values reach the kernel as such; recipient and actor are kept."""
    said = svc(
        "start", "lamp", "-d", "place=hall", "-d", "watt=40", "-d", "urgent=yes",
        "--recipient", "r7:staff", "--actor", "d:desk", "--id", "one", "--json",
    )  # fmt: skip
    found = parsed(said)
    assert set(found) == {"instance", "deadlines", "deviations"}
    one = found["instance"]
    assert set(one) == INSTANCE
    assert one["data"] == {"place": "hall", "watt": 40, "urgent": True}
    assert (one["recipient"], one["group"], one["steps"], one["revision"]) == ("r7", "staff", ["asked"], 1)
    assert found["deadlines"][0]["due_at"] == "2026-03-02T03:00:00+00:00"
    assert found["deadlines"][0]["remaining_s"] == 7200


@pytest.mark.parametrize(("lang", "said"), [("zh", "换灯  办理中：已报"), ("en", "Lamp  running: Asked")])
def test_starting_says_where_the_instance_stands(svc, lang, said):
    """The answer names procedure, status and step in the asked language, times in the calendar's zone."""
    text = svc("start", "lamp", "-d", "place=hall", "--id", "one", "--lang", lang).stdout
    assert said in text
    assert "2026-03-02 11:00+08" in text


def test_the_same_command_id_is_done_once(svc, lamp):
    """A repeated command gives its first answer and leaves no second fact."""
    args = ("fire", lamp, "accept", "--actor", "d:desk", "--command-id", "c1", "--json")
    assert parsed(svc(*args)) == parsed(svc(*args))
    assert len(parsed(svc("show", lamp, "--journal", "--json"))["journal"]) == 2


def test_an_instance_goes_through_its_procedure(svc, lamp):
    """Fire moves it, data comes with it, and the end is shown as its outcome."""
    svc("fire", lamp, "accept", "--actor", "d:desk", "--expect", 1)
    svc("fire", lamp, "fit", "--actor", "f:fitter", "--data", "reason=burnt out", "--evidence", "photo=p1")
    text = svc("fire", lamp, "close", "--actor", "d:desk").stdout
    assert "completed: Closed" in text
    assert parsed(svc("list", "--status", "ended", "--json"))["instances"][0]["outcome"] == "completed"
    assert "办结" in svc("list", "--lang", "zh").stdout


def test_data_and_evidence_are_added_without_moving(svc, lamp):
    """Values are of the kind their fields have; the step stays."""
    given = ("-d", "watt=9.5", "-d", "urgent=yes", "-e", "photo=p1")
    added = parsed(svc("update", lamp, *given, "--actor", "d:desk", "--json"))["instance"]
    assert (added["steps"], added["revision"]) == (["asked"], 2)
    assert added["data"] == {"place": "hall", "watt": 9.5, "urgent": True}
    assert added["evidence"] == ["photo"]
    svc("update", lamp, "--data", "urgent=no", "--expect", 2)
    svc("fire", lamp, "accept", "--actor", "d:desk")
    assert "Fitted" in svc("fire", lamp, "fit", "--actor", "f:fitter", "-d", "reason=burnt out").stdout
    kinds = [fact["kind"] for fact in parsed(svc("show", lamp, "--journal", "--json"))["journal"]]
    assert kinds[:4] == ["Started", "Updated", "Updated", "Moved"]


def test_show_judges_the_triggers_by_the_data_that_are_to_come(run, tmp_path):
    """`--data` tells where a move would lead, as values of the kind their fields have; nothing is recorded."""
    folder = tmp_path / "asking"
    folder.mkdir()
    (folder / "asking.yaml").write_text(ASKING, encoding="utf-8")
    given = ("--db", tmp_path / "a.db", "--procedures", folder)
    run("start", "asking", "--id", "a-1", *given)
    for data, to in (((), "closed"), (("-d", "amount=5000"), "checked")):
        (told,) = parsed(run("show", "a-1", *data, *given, "--json"))["available"]
        assert (told["trigger"], told["to"]) == ("submit", to)
    assert parsed(run("show", "a-1", *given, "--json"))["instance"]["revision"] == 1
    assert "[field]" in run("show", "a-1", "-d", "amount=much", *given, exit_code=3).stderr


def test_an_update_is_done_once_and_with_something_to_add(svc, lamp):
    """One command id is one update; without anything to add the usage is told, and nothing recorded."""
    for _ in range(2):
        svc("update", lamp, "-d", "watt=9", "--command-id", "c-1")
    assert "给出 --data 或 --evidence" in svc("update", lamp, "--lang", "zh", exit_code=2).stderr
    assert "[field]" in svc("update", lamp, "-d", "watt=x", exit_code=3).stderr
    assert "[stale-revision]" in svc("update", lamp, "-d", "watt=1", "--expect", 1, exit_code=3).stderr
    assert parsed(svc("show", lamp, "--json"))["instance"]["revision"] == 2


def test_a_hold_stops_the_clock_and_resume_starts_it(svc, lamp):
    """While held the deadline is paused; the remaining time is what it was."""
    held = parsed(svc("hold", lamp, "--reason", "third_party", "-e", "notice=n1", "--json"))
    assert held["instance"]["status"] == "held"
    assert "third_party" in svc("list", "--json").stdout
    paused = next(one for one in held["deadlines"] if one["limit"] == "asked")
    assert (paused["state"], paused["due_at"], paused["remaining_s"]) == ("paused", None, 7200)
    assert "  暂停（第三方原因） " in svc("show", lamp, "--lang", "zh").stdout
    resumed = parsed(svc("resume", lamp, "--json", at=LATER))
    running = next(one for one in resumed["deadlines"] if one["limit"] == "asked")
    assert (running["state"], running["due_at"], running["remaining_s"]) == (
        "running", "2026-03-02T09:30:00+00:00", 7200
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ("时限", "偏差", "可办理", "留痕", "超时：已报", "受理台 desk", "超 4小时30分", "地点")),
        (
            "en",
            ("Deadlines", "Deviations", "Triggers", "Journal", "overdue: Asked", "over 4 h 30 min", "Place"),
        ),
    ],
)
def test_show_tells_everything_about_an_instance(svc, lamp, lang, words):
    """Steps, data, deadlines with what is left, triggers, deviations and journal stand in the asked language."""
    svc("tick", at=LATER)
    text = svc("show", lamp, "--journal", "--lang", lang, at=LATER).stdout
    for word in words:
        assert word in text
    found = parsed(svc("show", lamp, "--journal", "--json", at=LATER))
    assert set(found) == {"instance", "deadlines", "coming_moves", "available", "deviations", "journal"}
    assert [fact["kind"] for fact in found["journal"]] == ["Started", "Overdue"]
    assert set(found["deviations"][0]) == DEVIATION
    assert found["available"][0]["trigger"] == "accept"


def test_show_judges_the_triggers_for_an_actor(svc, lamp):
    """Who lacks the role is told why the trigger is closed."""
    found = parsed(svc("show", lamp, "--actor", "f:fitter", "--json"))["available"][0]
    assert (found["open"], found["rule"]) == (False, "role")
    assert "Desk" in svc("show", lamp, "--actor", "f:fitter").stdout


def test_tick_records_what_became_due_once(svc, lamp):
    """A second tick finds nothing; both languages name the fact."""
    assert "no" in svc("tick").stdout
    recorded = parsed(svc("tick", "--json", at=LATER))["recorded"]
    assert [(one["kind"], one["occurred_at"]) for one in recorded] == [
        ("Overdue", "2026-03-02T03:00:00+00:00")
    ]
    assert "没有到期事项" in svc("tick", "--lang", "zh", at=LATER).stdout


def test_deviations_of_the_asked_severity_exit_with_1(svc, lamp):
    """A minor deviation counts from `--severity minor` on, not for `critical`."""
    svc("deviations")
    svc("tick", at=LATER)
    found = parsed(svc("deviations", "--json", exit_code=1))["deviations"]
    assert [(one["kind"], one["severity"], one["overrun_s"]) for one in found] == [("overdue", "minor", None)]
    svc("deviations", "--severity", "critical")
    assert "still open" in svc("deviations", exit_code=1).stdout
    svc("fire", lamp, "accept", "--actor", "d:desk", at=LATER)
    assert "4小时30分" in svc("deviations", "--lang", "zh", exit_code=1).stdout


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["--since", "2026-03-02T11:00+08:00"], 1),
        (["--since", "2026-03-02T11:01+08:00"], 0),
        (["--until", "2026-03-02T11:00+08:00"], 0),
        (["--kind", "skipped_step"], 0),
        (["--step", "asked", "--procedure", "lamp", "--instance", "lamp-1"], 1),
    ],
)
def test_deviations_are_filtered(svc, lamp, filters, count):
    """Each filter narrows the list; an instant counts from itself on, and up to but not at `--until`."""
    svc("tick", at=LATER)
    assert len(parsed(svc("deviations", "--json", *filters, exit_code=None))["deviations"]) == count


def test_an_override_records_what_was_skipped(svc, lamp):
    """Going round the order with a reason is a deviation that tells the reason."""
    svc("fire", lamp, "fit", "--actor", "f:fitter", "-d", "reason=dark", "--override", "nobody at the desk")
    assert "nobody at the desk" in svc("deviations", "--kind", "skipped_step", exit_code=1).stdout


def test_verify_finds_a_changed_journal(svc, lamp, tmp_path):
    """A store in order exits with 0; one whose fact was changed names the instance and exits with 1."""
    assert parsed(svc("verify", "--json")) == {
        "ok": True, "instances": 1, "facts": 1, "problems": [], "notes": [],
    }  # fmt: skip
    assert "全部一致" in svc("verify", lamp, "--lang", "zh").stdout
    with closing(sqlite3.connect(tmp_path / "s.db")) as store:
        store.execute("UPDATE svcflow_facts SET body = CAST(replace(body, 'hall', 'roof') AS BLOB)")
        store.commit()
    found = parsed(svc("verify", "--json", exit_code=1))
    assert (found["ok"], found["problems"][0]["instance"]) == (False, lamp)
    assert found["problems"][0]["error"]["code"] == "corrupt-journal"
    assert lamp in svc("verify", exit_code=1).stdout


def test_a_note_is_told_and_is_nothing_wrong():
    """What could not be checked stands before the verdict, in the asked language."""
    note = Text(zh="日历更正过", en="corrected since")
    found = Verification(1, 2, (), (("r1", note),))
    assert verification_text(found, "en") == "r1: corrected since\nchecked 1 instance, 2 facts: all in order"
    assert verification_text(found, "zh").startswith("r1: 日历更正过\n")
    assert verification_json(found)["notes"] == [{"instance": "r1", "zh": note.zh, "en": note.en}]
    assert verification_json(found)["ok"] is True


def test_list_is_filtered_and_bounded(svc, lamp):
    """The newest comes first; `--limit` bounds the list, `--procedure` and `--status` narrow it."""
    svc("start", "lamp", "-d", "place=roof", "--id", "lamp-2", at=LATER)
    assert [one["id"] for one in parsed(svc("list", "--json"))["instances"]] == ["lamp-2", "lamp-1"]
    assert [one["id"] for one in parsed(svc("list", "--limit", 1, "--json"))["instances"]] == ["lamp-2"]
    assert parsed(svc("list", "--procedure", "lamp", "--status", "held", "--json"))["instances"] == []
    assert "没有符合的实例" in svc("list", "--status", "held", "--lang", "zh").stdout


def test_the_store_may_come_from_the_environment(run, folder, monkeypatch):
    """SVCFLOW_DB, SVCFLOW_PROCEDURES and SVCFLOW_AT stand for their options."""
    monkeypatch.setenv("SVCFLOW_DB", "sqlite:///env.db")
    monkeypatch.setenv("SVCFLOW_PROCEDURES", str(folder))
    monkeypatch.setenv("SVCFLOW_AT", LATER)
    run("start", "lamp@1", "-d", "place=hall", "--id", "e")
    assert parsed(run("show", "e", "--json"))["instance"]["started_at"] == "2026-03-02T07:30:00+00:00"


def test_what_moved_by_itself_is_told_so(svc, folder):
    """A move that time brought is marked as such in the journal, in both languages."""
    text = LAMP.replace("severity: minor}", "severity: minor}\n    on_overdue: accept")
    (folder / "lamp.yaml").write_text(text, encoding="utf-8")
    svc("start", "lamp", "-d", "place=hall", "--id", "one")
    svc("tick", at=LATER)
    assert "by itself: Accept" in svc("show", "one", "--journal").stdout
    assert "自动：受理" in svc("show", "one", "--journal", "--lang", "zh").stdout


CAR = """\
procedure: car
name: {zh: 用车, en: Car}
calendar: cn_office
fields: {pickup_at: {type: instant, name: {zh: 用车时间, en: Pick-up}, required: true}}
roles: {asker: {zh: 申请人, en: Requester}, driver: {zh: 驾驶员, en: Driver}}
enforce: {start: %s}
start: {role: asker, name: {zh: 申请用车, en: Request a car}, before: pickup_at - 30m, foreseen: true}
steps:
  asked: {name: {zh: 已申请, en: Asked}, role: driver, to: {drive: driven}}
  driven: {end: completed}
"""
ASKED = ("start", "car", "--id", "c", "-d", "pickup_at=2026-03-02T09:20+08:00")


def test_a_late_request_is_told_where_it_is_recorded_and_why_where_it_is_refused(folder, svc):
    """The answer names the deviation; the refusal says until when one could ask, and what to give instead."""
    (folder / "car.yaml").write_text(CAR % "refuse", encoding="utf-8")
    refused = svc(*ASKED, "--actor", "li:asker", exit_code=3).stderr
    assert "30 minutes before Pick-up at the latest, that is by Mon 2026-03-02 08:50" in refused
    assert "--data pickup_at=" in refused
    refused = svc(*ASKED, "--actor", "li:driver", "--lang", "zh", exit_code=3).stderr
    assert "“申请用车”须由申请人办理" in refused
    (folder / "car.yaml").write_text(CAR % "record", encoding="utf-8")
    assert "short notice" in svc(*ASKED, "--actor", "li:asker").stdout


def test_what_a_provider_foresees_is_started_with_a_word(folder, svc):
    """`--foreseen` is for those who provide the service; the journal tells it."""
    (folder / "car.yaml").write_text(CAR % "refuse", encoding="utf-8")
    refused = svc(*ASKED, "--actor", "li:asker", "--foreseen", exit_code=3).stderr
    assert "leave --foreseen out" in refused
    svc(*ASKED, "--actor", "wang:driver", "--foreseen")
    assert "Request a car: Asked (foreseen)" in svc("show", "c", "--journal").stdout
