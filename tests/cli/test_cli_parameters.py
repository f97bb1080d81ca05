"""Values of parameters on the command line: checked, in force by file and by folder, shown, explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_answers import parsed

LOAN = """\
procedure: loan
calendar: cn_office
sources: {D1: {title: Rules of lending, strength: unit_rule, year: 2020}}
parameters: {reply: {value: 4wh, source: D1, maximum: 8wh, name: {zh: 答复时限, en: Time to reply}}}
steps:
  asked: {within: {within: reply, source: D1}, to: {lend: lent}}
  lent: {end: completed}
"""
OWN = """\
parameters: loan
institution: {zh: 服务中心, en: The centre}
values: {reply: 2wh}
"""


@pytest.fixture
def loans(tmp_path: Path) -> Path:
    folder = tmp_path / "loans"
    folder.mkdir()
    (folder / "loan.yaml").write_text(LOAN, encoding="utf-8")
    (folder / "loan.parameters.yaml").write_text(OWN, encoding="utf-8")
    return folder


def test_show_and_explain_say_which_value_holds_and_who_set_it(run, loans):
    """The value stays when the file is changed later; who set it is then no longer known."""
    store = ("--db", "sqlite:///loans.db", "--procedures", loans, "--at", "2026-03-02T09:00:00+08:00")
    run("start", "loan", "--id", "one", "--actor", "li", *store)
    told = run("show", "one", "--journal", *store).stdout
    assert "Time to reply 2 working hours (set by The centre, the procedure says 4 working hours)" in told
    assert "parameters reply = 2wh" in told
    assert parsed(run("show", "one", "--json", *store))["instance"]["parameters"] == {"reply": "2wh"}
    explained = run("explain", "one", "asked", *store).stdout
    assert "source: D1 Rules of lending (rule of the unit, 2020)" in explained
    assert "parameter: Time to reply 2 working hours (set by The centre" in explained
    (loans / "loan.parameters.yaml").unlink()
    told = run("show", "one", *store, "--lang", "zh").stdout
    assert "答复时限 2个工作小时（本单位设定，流程原定 4个工作小时）" in told


def test_a_file_has_the_values_beside_it(run, loans):
    """`draw` and `diff` of a file show what holds in its folder."""
    run("draw", loans / "loan.yaml", "-o", "loan.svg", "--lang", "en")
    assert "set by The centre" in " ".join(Path("loan.svg").read_text(encoding="utf-8").split())
    (loans / "old.yml.txt").write_text(LOAN, encoding="utf-8")
    said = run("diff", loans / "old.yml.txt", "loan", "--procedures", loans, exit_code=None).stdout
    assert "loan v1" in said


def test_check_finds_the_mistakes_of_values_with_their_place(run, loans):
    """A value beyond its bounds, and values for a procedure that is not among the files."""
    (loans / "loan.parameters.yaml").write_text(OWN.replace("2wh", "9wh"), encoding="utf-8")
    said = run("check", loans, exit_code=3).stdout
    assert "loan.parameters.yaml:3:17 values.reply: error declaration: parameter reply cannot be 9wh" in said
    said = run("check", loans / "loan.parameters.yaml", exit_code=3).stdout
    assert "there is no procedure 'loan'" in said
