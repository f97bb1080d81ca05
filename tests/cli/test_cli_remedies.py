"""Remedies: those of the library name keywords, and the command line names the options for them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from cli_answers import LATER, MONDAY, parsed

import svcflow
from svcflow.cli.errors import KEYWORDS, with_options
from svcflow.text import Text

SOURCE = Path(svcflow.__file__).parent
LIBRARY = [
    path
    for folder in ("kernel", "runtime", "store", "journal", "model", "explanation")
    for path in sorted((SOURCE / folder).rglob("*.py"))
]


@pytest.mark.parametrize(
    ("remedy", "said"),
    [
        ('give it with `data["place"]`', "give it with --data place=…"),
        ("give it with `data`", "give it with --data NAME=…"),
        ("do it (`actor`)", "do it (--actor ID:ROLE)"),
        ("erase it there too with `open=True`", "erase it there too with --open"),
        ("name one with `step`", "name one with --step STEP"),
        ("see `svcflow list`", "see `svcflow list`"),
        ("switch `fsync` on", "switch `fsync` on"),
        ("", ""),
    ],
)
def test_a_keyword_becomes_the_option_that_carries_it(remedy, said):
    """What is named is filled in; what is no keyword of ours stays as it is written."""
    assert with_options(Text(en=remedy)).en == said


def test_a_gap_is_filled_in_the_language_of_the_remedy():
    """What a remedy leaves open is named in Chinese in a Chinese sentence."""
    assert with_options(Text(zh="用 `step` 指明", en="name one with `step`")).zh == "用 --step 环节 指明"


def test_every_keyword_a_remedy_names_has_an_option():
    """Whatever the library tells to do can be done from the command line, in its own words."""
    named = {
        word
        for path in LIBRARY
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Text"
        for word in re.findall(r"`(\w+)[`=\[]", ast.unparse(call))
    }
    assert named
    assert named <= set(KEYWORDS)


@pytest.mark.parametrize(
    ("args", "zh", "en"),
    [
        (["start", "lamp"], "用 --data place=… 给出", "--data place=…"),
        (["start", "lamp", "-d", "place=x", "--id", "lamp-1"], "换一个 --id", "choose another --id"),
        (["hold", "lamp-1", "--reason", "third_party"], "--evidence notice=…", "--evidence notice=…"),
        (["fire", "lamp-1", "fit"], "--override 理由", "--override REASON"),
        (["fire", "lamp-1", "accept"], "指明由谁办理（--actor 编号:岗位）", "name who acts (--actor ID:ROLE)"),
        (["claim", "lamp-1", "--actor", "x"], "由岗位 desk 的人办理（--actor 编号:岗位）", "in role desk do it (--actor ID:ROLE)"),
        (["list", "--after", "x"], "--after", "--after"),
        (["deviation", "explain", "lamp-1", "1", "--reason", "x", "--actor", "d:desk"], "SEQUENCE", "SEQUENCE"),
    ],
    ids=["data", "id", "evidence", "override", "role", "role of a claim", "cursor", "number"],
)  # fmt: skip
def test_a_remedy_names_the_option(svc, lamp, args, zh, en):
    """On stderr and in JSON alike, and without backquotes."""
    for lang, said in (("zh", zh), ("en", en)):
        shown = svc(*args, "--lang", lang, exit_code=3).stderr
        assert said in shown
        assert "`" not in shown
    remedy = parsed(svc(*args, "--json", exit_code=3))["error"]["remedy"]
    assert zh in remedy["zh"]
    assert en in remedy["en"]


@pytest.mark.parametrize(("called", "lang"), [("受理", "zh"), ("Accept", "en")])
def test_a_trigger_called_by_its_name_is_answered_with_its_id(svc, lamp, called, lang):
    """Tables show the names beside the ids, and either may be typed first."""
    said = svc("fire", lamp, called, "--actor", "d:desk", "--lang", lang, exit_code=3).stderr
    assert ("是否指 accept？" if lang == "zh" else "did you mean accept?") in said


def test_what_a_trigger_requires_is_asked_for_by_its_option(svc, lamp, folder):
    """A field is given as data; what is no field may come as data or as a record, and both options are named."""
    svc("fire", lamp, "accept", "--actor", "d:desk")
    said = svc("fire", lamp, "fit", "--actor", "f:fitter", at=LATER, exit_code=3).stderr
    assert "give it with --data reason=…\n" in said
    (folder / "loan.yaml").write_text(
        "procedure: loan\nsteps:\n  a: {to: {go: {step: z, requires: [note]}}}\n  z: {end: completed}\n"
    )
    svc("start", "loan", "--id", "l")
    said = svc("fire", "l", "go", "--lang", "zh", exit_code=3).stderr
    assert "用 --data note=… 或 --evidence note=… 给出" in said


def test_where_nothing_is_open_to_somebody_it_is_said(svc, lamp):
    """Not as an empty list."""
    said = svc("fire", lamp, "fit", "--actor", "f:fitter", exit_code=3).stderr
    assert "nothing is open to this actor there; or give a reason" in said


def test_a_guard_that_lacks_data_says_how_they_are_given(svc, folder):
    """With the move itself, which is what guards see."""
    (folder / "loan.yaml").write_text(
        "procedure: loan\nfields: {sum: {type: number}}\n"
        "steps:\n  a: {to: {go: {step: z, when: sum < 9}}}\n  z: {end: completed}\n"
    )
    svc("start", "loan", "--id", "l")
    said = svc("fire", "l", "go", "--lang", "zh", exit_code=3).stderr
    assert "更正或补填数据，可随此次流转提交：--data 名称=…；或说明理由后越过：--override 理由" in said
    svc("fire", "l", "go", "-d", "sum=5")


def test_a_field_called_by_its_name_is_answered_with_its_id(svc, folder):
    """Tables show the names of fields; data are given by id."""
    (folder / "loan.yaml").write_text(
        "procedure: loan\nfields: {count: {type: number, minimum: 1, name: {zh: 件数, en: Pieces}}}\n"
        "steps:\n  a: {to: {go: z}}\n  z: {end: completed}\n",
        encoding="utf-8",
    )
    for called in ("件数", "Pieces"):
        said = svc("start", "loan", "-d", f"{called}=2", "--lang", "zh", exit_code=3).stderr
        assert "是否指 count？" in said
    assert (
        "须为数字，不能是“两件”"
        in svc("start", "loan", "-d", "count=两件", "--lang", "zh", exit_code=3).stderr
    )
    assert "不得小于 1，不能是 0" in svc("start", "loan", "-d", "count=0", "--lang", "zh", exit_code=3).stderr


def test_an_extension_says_how_what_it_owes_is_given(svc, folder):
    """As a hold does."""
    (folder / "loan.yaml").write_text(
        "procedure: loan\nsteps:\n"
        "  a: {within: {h: 4, extension: {by: 1h, evidence: [notice]}}, to: {go: z}}\n  z: {end: completed}\n"
    )
    svc("start", "loan", "--id", "l")
    said = svc("extend", "l", "a", "--reason", "ill", exit_code=3).stderr
    assert "give it with --evidence notice=…" in said


def test_an_unknown_procedure_says_where_procedures_come_from(svc, run, folder):
    """The folder is what is forgotten most often; a file is answered with how it is given."""
    said = svc("start", "lampp", exit_code=3).stderr
    assert "did you mean lamp?" in said
    assert "--procedures FOLDER (or SVCFLOW_PROCEDURES)" in said
    assert "是否指 lamp？（流程取自 --procedures" in svc("start", "lampp", "--lang", "zh", exit_code=3).stderr
    file = f"{folder.name}/lamp.yaml"
    said = run("start", file, "--db", "n.db", "--at", MONDAY, exit_code=3).stderr
    assert f"an id is given here, and a file by its folder: lamp --procedures {folder.name}" in said
    said = run("start", "gone/x.yaml", "--db", "n.db", "--lang", "zh", exit_code=3).stderr
    assert "ID --procedures gone" in said
    assert "--procedures" not in svc("start", "lamp@7", exit_code=3).stderr


def test_a_kind_of_deviation_called_by_its_name_is_answered_with_its_id(svc, lamp):
    """The lists show the names."""
    assert "是否指 overdue？" in svc("deviations", "--kind", "超时", "--lang", "zh", exit_code=2).stderr


def test_a_blank_reason_to_recompute_is_said_of_the_command(svc, lamp):
    """It is no fault of the first instance."""
    said = svc("recompute", "--reason", "  ", "--lang", "zh", exit_code=3).stderr
    assert said.startswith("错误 [field]：没有写明理由")
