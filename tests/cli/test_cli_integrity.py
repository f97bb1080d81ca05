"""Integrity through the command line: seals, checkpoints, and persons that are forgotten."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from cli_answers import parsed
from click.testing import CliRunner

from svcflow.cli.app import app


def test_a_sealed_store_verifies_until_it_is_cut(svc, lamp, tmp_path):
    """seal writes a checkpoint that verify holds the store against; a deleted instance exits with 1."""
    file = tmp_path / "checkpoints.jsonl"
    sealed = parsed(svc("seal", "--to", file, "--json"))
    assert sealed["size"] == 1
    assert sealed["root"] in file.read_text()
    assert parsed(svc("verify", "--checkpoint", file, "--json"))["ok"]
    assert f"against {file}" in svc("verify", "--checkpoint", file, "--lang", "en").stdout
    with closing(sqlite3.connect(tmp_path / "s.db")) as base, base:
        for table in ("facts", "instances", "work", "persons"):
            base.execute(f"DELETE FROM svcflow_{table}")  # noqa: S608  # names of our own
    for asked in (("verify",), ("verify", "--checkpoint", file)):
        found = parsed(svc(*asked, "--json", exit_code=1))
        assert (lamp, "svcflow_leaves", "head") in {
            (one["instance"], one["table"], one["column"]) for one in found["problems"]
        }
        assert all("svcflow_" in one["table"] for one in found["problems"])


@pytest.mark.parametrize(
    ("lang", "said", "kept", "nowhere"),
    [
        ("zh", "已封存 1 片叶子", "校验点已追加到 kept.jsonl", "没有写入文件：用 --to 文件"),
        ("en", "sealed 1 leaf", "the checkpoint was appended to kept.jsonl", "to no file: give --to FILE"),
    ],
)
@pytest.mark.usefixtures("lamp")
def test_sealing_says_what_was_sealed_and_where_it_is_kept(svc, lang, said, kept, nowhere):
    """A checkpoint that is kept nowhere shows nothing later, so that too is said."""
    assert said in svc("seal", "--lang", lang).stdout
    assert nowhere in svc("seal", "--lang", lang).stdout
    assert kept in svc("seal", "--to", "kept.jsonl", "--lang", lang).stdout
    assert parsed(svc("seal", "--to", "kept.jsonl", "--json"))["file"] == "kept.jsonl"


@pytest.mark.parametrize(("lang", "said"), [("zh", "无法写入"), ("en", "cannot be written")])
@pytest.mark.usefixtures("lamp")
def test_a_checkpoint_that_cannot_be_written_is_bad_input(svc, lang, said):
    """A folder that there is not is named, with what to see to; there is no traceback."""
    told = svc("seal", "--to", "gone/kept.jsonl", "--lang", lang, exit_code=3).stderr
    assert "[output]" in told
    assert said in told


@pytest.fixture
def at_a_terminal(monkeypatch):
    """Let somebody sit at a terminal."""
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)


@pytest.mark.usefixtures("at_a_terminal")
@pytest.mark.parametrize(("lang", "said"), [("zh", "没有抹去"), ("en", "nothing was erased")])
def test_somebody_at_a_terminal_is_asked(svc, lamp, lang, said):
    """Who says no has erased nothing, and who says yes has; there is no going back, so it is asked."""
    args = ["forget", "d", "--open", "--db", "s.db", "--procedures", "procedures", "--lang", lang]
    declined = CliRunner().invoke(app, args, input="n\n")
    assert (declined.exit_code, declined.stdout) == (130, "")
    assert said in declined.stderr
    assert parsed(svc("show", lamp, "--journal", "--json"))["journal"][0]["actor"] == "d"
    agreed = CliRunner().invoke(app, args, input="y\n")
    assert agreed.exit_code == 0
    assert "1" in agreed.stdout


@pytest.mark.parametrize(("lang", "said"), [("zh", "加 --yes"), ("en", "add --yes")])
def test_nobody_is_asked_where_there_is_no_terminal(svc, lamp, lang, said):
    """A script is told what it lacks, and leaves with 2: it was written wrongly."""
    assert said in svc("forget", "d", "--lang", lang, exit_code=2).stderr
    assert parsed(svc("show", lamp, "--journal", "--json"))["journal"][0]["actor"] == "d"


@pytest.mark.parametrize(
    ("lang", "said"), [("zh", "没有“nobody”的信息"), ("en", "nothing is known of 'nobody'")]
)
def test_a_person_nobody_knows_is_an_error(svc, lamp, lang, said):
    """A name misspelt would else be taken for erased."""
    assert said in svc("forget", "nobody", "--yes", "--lang", lang, exit_code=3).stderr
    error = parsed(svc("forget", "nobody", "--yes", "--json", exit_code=3))["error"]
    assert error["code"] == "unknown-person"
    svc("forget", "d", "--yes", "--open")
    svc("forget", "d", "--yes", "--open", exit_code=3)


def test_who_only_delegated_is_forgotten_too(svc, lamp):
    """Delegations go with a person, and are counted."""
    svc(
        "delegation",
        "give",
        "li",
        "--actor",
        "m:desk",
        "--role",
        "desk",
        "--until",
        "2026-03-14",
        "--id",
        "march",
    )
    assert svc("forget", "li", "--yes").stdout == "erased 0 values beside 0 journals, and 1 delegation\n"
    assert svc("delegation", "list").stdout == "no delegations\n"


def test_a_person_is_forgotten_unless_still_needed(svc, lamp):
    """A person whom open instances need is refused until --open."""
    svc("fire", lamp, "accept", "--actor", "d:desk")
    refused = svc("forget", "d", "--yes", "--json", exit_code=None)
    assert refused.exit_code == 3
    assert parsed(svc("forget", "d", "--yes", "--open", "--json")) == {
        "instances": [lamp],
        "values": 1,
        "delegations": [],
        "in_clear": 0,
        "named": 0,
        "named_in": [],
    }
    journal = parsed(svc("show", lamp, "--journal", "--json"))["journal"]
    assert [fact["actor"][:7] for fact in journal if fact["actor"]] == ["erased-"] * len(
        [fact for fact in journal if fact["actor"]]
    )
    assert parsed(svc("verify", "--json"))["ok"]


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", "另有 1 个实例的 1 条留痕以明文写有其姓名，记于存储结构第 2 版之前，不能抹去：lamp-1"),
        ("en", "still named in the clear in 1 fact of 1 instance, which cannot be erased: recorded before"),
    ],
)
def test_forgetting_says_what_stays_in_the_clear(svc, lamp, tmp_path, lang, said):
    """Whom an old journal names for good is said, also when nothing could be erased; it is no unknown person."""
    with closing(sqlite3.connect(tmp_path / "s.db")) as base, base:
        base.execute(
            'UPDATE svcflow_facts SET body = replace(CAST(body AS TEXT), \'"kind"\', \'"behalf":"eve","kind"\')'
        )
        base.execute("UPDATE svcflow_facts SET body = CAST(body AS BLOB)")
    assert said in svc("forget", "eve", "--yes", "--lang", lang).stdout
    found = parsed(svc("forget", "eve", "--yes", "--json"))
    assert (found["values"], found["named"], found["named_in"]) == (0, 1, [lamp])


@pytest.mark.parametrize(
    ("lang", "said"), [("zh", "抹去了 1 项个人信息"), ("en", "personal data erased (1)")]
)
def test_the_journal_says_that_somebody_was_erased(svc, lamp, lang, said):
    """Erasing is itself on record, in both languages."""
    svc("fire", lamp, "accept", "--actor", "d:desk")
    assert "1" in svc("forget", "d", "--yes", "--open", "--lang", lang).stdout
    assert said in svc("show", lamp, "--journal", "--lang", lang).stdout
