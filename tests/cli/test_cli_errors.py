"""Bad input: every error leaves with 3, in the asked language, with its code, without a traceback."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from cli_answers import LATER, parsed

from svcflow.cli.errors import CommandFailure, explained
from svcflow.cli.language import AnswerForm

SERVICE = [
    (["fire", "lamp-1", "acept", "--actor", "d:desk"], "unknown-trigger", "没有流转", "no trigger"),
    (["fire", "lamp-1", "fit", "--actor", "d:desk"], "refused", "没有流转", "is not open"),
    (["fire", "lamp-1", "accept", "--actor", "f:fitter"], "refused", "受理台", "Desk"),
    (
        ["fire", "lamp-1", "accept", "--actor", "d:desk", "--expect", "9"],
        "stale-revision",
        "修订|版",
        "revision",
    ),
    (
        ["fire", "lamp-1", "accept", "--actor", "d:desk", "-d", "wat=1"],
        "field",
        "没有字段",
        "there is no field",
    ),
    (
        ["fire", "lamp-1", "accept", "--actor", "d:desk", "-d", "watt=x"],
        "field",
        "须为数字",
        "takes a number",
    ),
    (["fire", "lamp-9", "accept"], "unknown-instance", "没有流程实例", "there is no instance"),
    (["show", "lamp-9"], "unknown-instance", "没有流程实例", "there is no instance"),
    (["deviations", "--instance", "lamp-9"], "unknown-instance", "没有流程实例", "there is no instance"),
    (["hold", "lamp-1", "--reason", "holiday"], "refused", "暂停", "no reason to hold"),
    (["hold", "lamp-1", "--reason", "third_party"], "refused", "凭证", "evidence"),
    (["resume", "lamp-1"], "refused", "没有在暂停", "not held"),
    (["start", "lamp"], "field", "缺少必填", "required fields"),
    (["start", "lampe"], "unknown-procedure", "没有服务流程", "no procedure"),
    (["start", "lamp@4"], "unknown-procedure", "没有第 4 版", "no version 4"),
    (["list", "--procedure", "lampe"], "unknown-procedure", "没有服务流程", "no procedure"),
    (["start", "lamp", "-d", "place=x", "--id", "lamp-1"], "store", "已存在", "already"),
]


@pytest.mark.usefixtures("lamp")
@pytest.mark.parametrize(("args", "code", "zh", "en"), SERVICE)
def test_a_command_that_cannot_be_done_exits_with_3(svc, args, code, zh, en):
    """The message stands on stderr in the asked language with its code; JSON gives it in both."""
    said = svc(*args, "--lang", "zh", exit_code=3)
    assert any(part in said.stderr for part in zh.split("|"))
    assert f"错误 [{code}" in said.stderr
    assert not said.stdout
    assert en in svc(*args, exit_code=3).stderr
    error = parsed(svc(*args, "--json", exit_code=3))["error"]
    assert error["code"] == code
    assert en in error["message"]["en"] + error["remedy"]["en"]


def test_a_closed_instance_says_so(svc, lamp):
    """Nothing more can be asked of an instance that has ended; the code is `closed`."""
    svc("fire", lamp, "accept", "--actor", "d:desk")
    svc("fire", lamp, "fit", "--actor", "f:fitter", "-d", "reason=x")
    svc("fire", lamp, "close", "--actor", "d:desk")
    assert parsed(svc("fire", lamp, "close", "--json", exit_code=3))["error"]["code"] == "closed"
    assert "已结束" in svc("hold", lamp, "--reason", "third_party", "--lang", "zh", exit_code=3).stderr


def test_a_refusal_names_its_rule(svc, lamp):
    """The rule that refused is part of the message and of the JSON, and the attempt is kept."""
    result = svc("fire", lamp, "accept", "--actor", "f:fitter", exit_code=3)
    assert "error [refused: role]" in result.stderr
    assert parsed(svc("fire", lamp, "accept", "--json", exit_code=3))["error"]["rule"] == "role"
    kinds = [fact["kind"] for fact in parsed(svc("show", lamp, "--journal", "--json"))["journal"]]
    assert kinds == ["Started", "Refused", "Refused"]


def test_a_store_that_is_not_there_is_not_made_by_looking(run, tmp_path):
    """Only `start` makes a store."""
    for command in (["list"], ["tick"], ["verify"], ["show", "x"], ["fire", "x", "y"], ["deviations"]):
        assert "[store]" in run(*command, "--db", "none.db", exit_code=3).stderr
    assert not list(tmp_path.glob("none.db*"))


def test_a_start_that_fails_leaves_no_store(run, folder, tmp_path):
    """A first start with a mistake writes nothing."""
    run("start", "lamp", "--procedures", folder, "--db", "new.db", exit_code=3)
    assert not list(tmp_path.glob("new.db*"))


def test_damaged_and_foreign_stores_are_refused(run, folder, svc, lamp, tmp_path):
    """A file that is no database, another program's database and a cut one are told apart from ours."""
    (tmp_path / "noise.db").write_bytes(b"not a database, only noise" * 100)
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as foreign:
        foreign.execute("CREATE TABLE somebody (x)")
        foreign.commit()
    whole = (tmp_path / "s.db").read_bytes()
    (tmp_path / "cut.db").write_bytes(whole[: len(whole) // 2])
    for name in ("noise.db", "foreign.db", "cut.db"):
        for command in (["list"], ["verify"], ["tick"]):
            error = parsed(run(*command, "--db", name, "--procedures", folder, "--json", exit_code=3))[
                "error"
            ]
            assert error["code"] == "store", name


def test_a_record_that_cannot_be_read_is_no_traceback(svc, lamp, tmp_path):
    """A spoilt row is reported as damage."""
    with closing(sqlite3.connect(tmp_path / "s.db")) as store:
        store.execute("UPDATE svcflow_instances SET state = x'7b00'")
        store.commit()
    assert "[corrupt-journal]" in svc("show", lamp, exit_code=3).stderr


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "postgresql+pg8000://host/db", "sqlite://", "nonsense://x"]
)
def test_a_store_of_another_kind_is_refused(run, url):
    """What is neither a SQLite file nor a PostgreSQL database is refused by name."""
    assert parsed(run("list", "--db", url, "--json", exit_code=3))["error"]["code"] == "store"


@pytest.mark.parametrize(
    "content",
    ["procedure: [", "", "procedure: x\n", "\t- a", "a: 1\na: 2\n", "procedure: &x y\n", "\x00\x01"],
)
@pytest.mark.parametrize("command", [["draw"], ["simulate"], ["check"]])
def test_wrong_yaml_exits_with_3(run, tmp_path, content, command):
    """Whatever the file holds, the answer is a message that names it."""
    (tmp_path / "bad.yaml").write_text(content, encoding="utf-8")
    result = run(*command, "bad.yaml", exit_code=3)
    assert "bad.yaml" in result.output
    assert parsed(run(*command, "bad.yaml", "--json", exit_code=3))["error"]["code"] == "declaration"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.xes", b"not xml at all"),
        ("cut.xes", b"<log><trace><event>"),
        ("cut.xes.gz", gzip.compress(b"<log>" + os.urandom(4_000))[:900]),
        ("fake.xes.gz", b"no gzip"),
        ("missing.xes", None),
    ],
)
def test_a_log_that_cannot_be_read_exits_with_3(run, tmp_path, name, content):
    """A log that is no XML, cut off or not there is a log error."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    args = ("conform", name, "--procedure", "expense_declaration")
    assert parsed(run(*args, "--json", exit_code=3))["error"]["code"] == "log"
    assert "错误 [log]" in run(*args, "--lang", "zh", exit_code=3).stderr


def test_a_folder_that_is_not_there_is_bad_input(run):
    """`--procedures` must be a folder."""
    result = run("list", "--db", "memory://", "--procedures", "nowhere", "--lang", "zh", exit_code=3)
    assert "没有文件夹 nowhere" in result.stderr


def test_the_program_itself_leaves_with_the_code_and_no_traceback(tmp_path):
    """Run as a program, stdout stays clean and the exit code is right."""
    program = [sys.executable, "-c", "from svcflow.cli import main; main()"]
    for args, code in ((["show", "x", "--db", "no.db"], 3), (["show"], 2), (["--version"], 0)):
        done = subprocess.run([*program, *args], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False)
        assert bool(done.stdout) == (code == 0)


def test_what_is_beyond_the_calendar_is_told(svc, lamp):
    """An instant that no calendar covers is an error of its own, not a crash."""
    svc("fire", lamp, "accept", "--actor", "d:desk", at=LATER)
    error = parsed(svc("show", lamp, "--json", at="2031-01-06T10:00+08:00", exit_code=None)).get("error")
    assert error is None or error["code"] == "calendar-coverage"


@pytest.mark.parametrize(("lang", "said"), [("zh", "已中断"), ("en", "interrupted")])
def test_ctrl_c_leaves_with_130_and_no_traceback(lang, said):
    """An interruption is said in one line."""
    with pytest.raises(CommandFailure) as caught, explained(AnswerForm(lang)):
        raise KeyboardInterrupt
    assert (caught.value.exit_code, caught.value.message) == (130, said)
