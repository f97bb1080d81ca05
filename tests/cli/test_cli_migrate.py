"""Instances go over to another version from the command line."""

from __future__ import annotations

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
    args = ("migrate", two, "--to", 2, "--reason", "edition 2", "--dry-run", "--json")
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
