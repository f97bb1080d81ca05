"""Instances go over to another version from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_answers import LAMP, parsed


@pytest.fixture
def two(folder, svc, lamp):
    """The store with `lamp` in version 1, and a second one; version 2 calls the first step otherwise."""
    second = LAMP.replace("version: 1", "version: 2").replace("  asked:\n", "  noted:\n", 1)
    (folder / "lamp-2.yaml").write_text(second.replace("h: 2", "h: 1"), encoding="utf-8")
    svc("start", "lamp@1", "-d", "place=yard", "--id", "other", "--actor", "d:desk")
    return lamp


def test_a_dry_run_says_what_would_happen_and_does_nothing(svc, two):
    """Without a mapping the instance is refused with its remedy; with one it may go over, deadline kept."""
    args = ("migrate", two, "--to", 2, "--dry-run", "--json")
    refused = parsed(svc(*args, exit_code=1))
    assert refused["done"] is False
    (one,) = refused["instances"]
    assert (one["refused"], one["steps_after"]) == ("migration", ["asked"])
    assert "noted" in one["remedy"]["en"]
    (one,) = parsed(svc(*args, "--map", "asked=noted"))["instances"]
    assert (one["refused"], one["steps_after"]) == ("", ["noted"])
    assert {limit["fate"] for limit in one["limits"]} == {"kept"}
    assert parsed(svc("show", two, "--json"))["instance"]["version"] == 1


def test_all_open_instances_of_a_version_go_over(svc, two):
    """What is refused keeps none of the others back; the exit code says that there was one."""
    svc("fire", "other", "accept", "--actor", "d:desk")
    args = ("migrate", "--procedure", "lamp", "--from", 1, "--to", 2, "--reason", "edition 2", "--json")
    found = parsed(svc(*args, exit_code=1))
    assert {one["instance"]: one["refused"] for one in found["instances"]} == {two: "migration", "other": ""}
    assert parsed(svc("show", "other", "--json"))["instance"]["version"] == 2
    assert parsed(svc("show", two, "--json"))["instance"]["version"] == 1
    assert [one["instance"] for one in parsed(svc(*args, exit_code=1))["instances"]] == [two]
    assert parsed(svc("verify", "--json"))["ok"]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ["asked → noted", "保持", "1 个实例已变更版本"]),
        ("en", ["asked → noted", "kept", "1 migrated, 0 refused"]),
    ],
)
def test_it_says_what_became_of_each(svc, two, lang, words):
    """Steps, limits and a sentence, in the language asked for."""
    said = svc("migrate", two, "--to", 2, "--map", "asked=noted", "--reason", "2", "--lang", lang).stdout
    assert all(word in said for word in words), said


def test_it_has_to_be_said_what_is_meant(svc, two):
    """Neither an instance nor a procedure is a wrong call, not an empty answer."""
    assert svc("migrate", "--to", 2, "--reason", "x", exit_code=None).exit_code == 2


def test_nothing_to_migrate_is_said(svc, two):
    """No instance of that version is a sentence, not an error; an unknown procedure is one."""
    assert (
        "no such instances"
        in svc("migrate", "--procedure", "lamp", "--from", 9, "--to", 2, "--reason", "x").stdout
    )
    assert svc("migrate", "--procedure", "lamb", "--to", 2, "--reason", "x", exit_code=None).exit_code == 3


@pytest.mark.parametrize(
    ("lang", "before", "after"),
    [("zh", "开始：已报", "已登记 → 已受理"), ("en", "started: Asked", "Noted → Accepted")],
)
def test_the_journal_speaks_the_words_of_its_time(svc, two, lang, before, after):
    """What was recorded under version 1 has the names of version 1, also where version 2 knows no such step."""
    file = Path("procedures") / "lamp-2.yaml"
    later = file.read_text(encoding="utf-8")
    file.write_text(later.replace("zh: 已报, en: Asked", "zh: 已登记, en: Noted"), encoding="utf-8")
    svc("migrate", two, "--to", 2, "--map", "asked=noted", "--reason", "edition 2")
    svc("fire", two, "accept", "--actor", "d:desk")
    said = svc("show", two, "--journal", "--lang", lang).stdout
    assert before in said
    assert after in said


def test_a_journal_is_shown_without_the_version_it_began_under(svc, two, folder):
    """Where the old edition was taken out of the catalog, the names of the newest stand in, or ids."""
    svc("migrate", two, "--to", 2, "--map", "asked=noted", "--reason", "edition 2")
    (folder / "lamp.yaml").unlink()
    assert "started: asked" in svc("show", two, "--journal").stdout


def test_deviations_of_a_version_that_is_gone_are_still_listed(svc, two, folder):
    """One that was recorded under an edition taken out of the catalog keeps the list from nothing."""
    svc("tick", at="2026-03-02T15:30+08:00")
    for name in (two, "other"):
        svc("migrate", name, "--to", 2, "--map", "asked=noted", "--reason", "edition 2")
    (folder / "lamp.yaml").unlink()
    assert svc("deviations", exit_code=1).stdout.count("overdue") == 2


@pytest.mark.parametrize(
    ("due", "row"),
    [
        ("keep", "Noted kept 2026-03-02 11:00+08 2026-03-02 11:00+08"),
        ("recompute", "Noted moved 2026-03-02 11:00+08 2026-03-02 10:00+08"),
    ],
)
def test_a_dry_run_tells_when_limits_were_due_and_would_be(svc, two, due, row):
    """The question of who migrates is what becomes of dates; it is answered without a reason."""
    file = Path("procedures") / "lamp-2.yaml"
    later = file.read_text(encoding="utf-8")
    file.write_text(later.replace("en: Asked", "en: Noted"), encoding="utf-8")
    said = svc("migrate", two, "--to", 2, "--map", "asked=noted", "--due", due, "--dry-run").stdout
    assert " ".join(said.splitlines()[2].split()) == f"lamp-1 asked → noted {row}"
    assert "1 may be migrated, 0 refused" in said


@pytest.mark.parametrize(("lang", "said"), [("zh", "缺少 --reason"), ("en", "--reason is missing")])
def test_a_migration_needs_its_reason(svc, two, lang, said):
    """It is kept in the journal; only a rehearsal keeps nothing."""
    assert said in svc("migrate", two, "--to", 2, "--lang", lang, exit_code=2).stderr


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", "0 个实例已变更版本，0 个不能，1 个已是该版本"),
        ("en", "0 migrated, 0 refused, 1 already there"),
    ],
)
def test_an_instance_of_that_version_is_no_failure(svc, two, lang, words):
    """Asked again, a migration of many finds those it has done, and exits with 0."""
    args = ("migrate", two, "--to", 2, "--map", "asked=noted", "--reason", "2")
    svc(*args)
    assert svc(*args, "--lang", lang).stdout == f"{words}\n"
    (one,) = parsed(svc(*args, "--json"))["instances"]
    assert (one["already"], one["refused"], one["why"]["en"]) == (True, "", "")


def test_a_migration_tells_what_it_recorded(svc, two):
    """What had become due by then is recorded with it."""
    args = ("migrate", two, "--to", 2, "--map", "asked=noted", "--reason", "2")
    rehearsed = parsed(svc(*args, "--dry-run", "--json", at="2026-03-02T15:30+08:00"))
    assert rehearsed["instances"][0]["deviations"] == []
    said = svc(*args, at="2026-03-02T15:30+08:00").stdout
    assert "svcflow deviation explain lamp-1 2" in said


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", ("! lamp-1：place 将是个人信息", "另有 1 条留痕以明文写有其信息")),
        ("en", ("! lamp-1: place will be personal", "1 fact in the clear cannot be erased")),
    ],
)
def test_what_becomes_personal_too_late_is_said(svc, folder, lamp, lang, said):
    """A rehearsal names the fields that stand in the clear already; forgetting counts what it has to leave."""
    second = LAMP.replace("version: 1", "version: 2").replace("place: {", "place: {personal: true, ", 1)
    (folder / "lamp-2.yaml").write_text(second, encoding="utf-8")
    rehearsal = ("migrate", lamp, "--to", 2, "--reason", "2", "--dry-run")
    assert said[0] in svc(*rehearsal, "--lang", lang).stdout
    assert parsed(svc(*rehearsal, "--json"))["instances"][0]["exposed"] == ["place"]
    assert said[1] in svc("forget", "d", "--yes", "--open", "--lang", lang).stdout


def test_checking_both_versions_finds_a_field_that_becomes_personal_too_late(run, folder):
    """The finding stands at the field of the later version; a later one that says the same has none."""
    for number in (2, 3):
        text = LAMP.replace("version: 1", f"version: {number}")
        text = text.replace("place: {", "place: {personal: true, ", 1)
        (folder / f"lamp-{number}.yaml").write_text(text, encoding="utf-8")
    found = parsed(run("check", str(folder), "--json", exit_code=None))["findings"]
    late = [(one["file"].rpartition("/")[2], one["path"]) for one in found if one["code"] == "personal-later"]
    assert late == [("lamp-2.yaml", "fields.place.personal")]
