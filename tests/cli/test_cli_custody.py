"""What is kept, through the command line: seals, checkpoints, and persons that are forgotten."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from cli_answers import parsed


def test_a_sealed_store_verifies_until_it_is_cut(svc, lamp, tmp_path):
    """seal writes a checkpoint that verify holds the store against; a deleted instance exits with 1."""
    file = tmp_path / "checkpoints.jsonl"
    sealed = parsed(svc("seal", "--to", file, "--json"))
    assert sealed["size"] == 1
    assert sealed["root"] in file.read_text()
    assert parsed(svc("verify", "--checkpoint", file, "--json"))["ok"]
    assert f"against {file}" in svc("verify", "--checkpoint", file, "--lang", "en").stdout
    with closing(sqlite3.connect(tmp_path / "s.db")) as base, base:
        base.execute("DELETE FROM svcflow_facts")
        base.execute("DELETE FROM svcflow_instances")
    assert parsed(svc("verify", "--json"))["ok"]
    found = parsed(svc("verify", "--checkpoint", file, "--json", exit_code=1))
    assert [one["instance"] for one in found["problems"]] == [lamp]


@pytest.mark.parametrize(("lang", "said"), [("zh", "已封存 1 片叶子"), ("en", "sealed 1 leaf")])
def test_sealing_says_what_was_sealed(svc, lamp, lang, said):
    """Without a file the checkpoint is printed."""
    assert said in svc("seal", "--lang", lang).stdout


def test_a_person_is_forgotten_after_asking(svc, run, lamp, folder, tmp_path):
    """Without --yes it asks; a person whom open instances need is refused until --open."""
    svc("fire", lamp, "accept", "--actor", "d:desk")
    declined = run(
        "forget", "d", "--db", f"sqlite:///{tmp_path / 's.db'}", "--procedures", folder, exit_code=None
    )
    assert declined.exit_code != 0
    assert "cannot be taken back" in declined.output
    refused = svc("forget", "d", "--yes", "--json", exit_code=None)
    assert refused.exit_code == 3
    assert parsed(svc("forget", "d", "--yes", "--open", "--json")) == {
        "instances": [lamp],
        "values": 1,
        "in_clear": 0,
    }
    journal = parsed(svc("show", lamp, "--journal", "--json"))["journal"]
    assert [fact["actor"][:7] for fact in journal if fact["actor"]] == ["erased-"] * len(
        [fact for fact in journal if fact["actor"]]
    )
    assert parsed(svc("verify", "--json"))["ok"]


@pytest.mark.parametrize(
    ("lang", "said"), [("zh", "抹去了 1 项个人信息"), ("en", "personal data erased (1)")]
)
def test_the_journal_says_that_somebody_was_erased(svc, lamp, lang, said):
    """Erasing is itself on record, in both languages."""
    svc("fire", lamp, "accept", "--actor", "d:desk")
    assert "1" in svc("forget", "d", "--yes", "--open", "--lang", lang).stdout
    assert said in svc("show", lamp, "--journal", "--lang", lang).stdout
