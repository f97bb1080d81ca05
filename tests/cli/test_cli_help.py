"""Help, languages and usage errors of the command line."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import unicodedata
from pathlib import Path

import click
import pytest

import svcflow
from svcflow.cli import main
from svcflow.cli.app import COMMANDS, app
from svcflow.cli.command import CommandGroup
from svcflow.cli.language import AnswerForm
from svcflow.text_table import cells

SECTIONS = {
    name: list(found.commands)
    for name in COMMANDS
    if isinstance(found := app.get_command(click.Context(app), name), CommandGroup)
}
EVERY = [*COMMANDS, *(f"{name} {inner}" for name, inners in SECTIONS.items() for inner in inners)]
EXECUTABLE = [sys.executable, "-m", "svcflow"]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(("lang", "heading"), [("zh", "示例"), ("en", "Examples")])
def test_every_command_explains_itself_with_examples(run, name, lang, heading):
    """The help of each command stands in both languages and ends in examples that name the command."""
    said = run(*name.split(), "--help", "--lang", lang).stdout
    assert heading in said
    assert f"svcflow {name}" in said.split(heading)[1]
    assert any("一" <= char <= "鿿" for char in said) == (lang == "zh")


@pytest.mark.parametrize("name", ["", *SECTIONS, *EVERY])
def test_no_english_is_left_in_the_chinese_help(run, name):
    """What click would write by itself is written in Chinese: headings, places, and the notes in brackets."""
    said = (
        run("--lang", "zh", "--help").stdout
        if not name
        else run(*name.split(), "--help", "--lang", "zh").stdout
    )
    for left in (
        "Usage",
        "Options",
        "OPTIONS",
        "Commands",
        "COMMAND",
        "ARGS",
        "required",
        "default",
        "env var",
        "RANGE",
    ):
        assert left not in said
    assert "用法：" in said
    assert "选项：" in said


def test_the_notes_of_an_option_stand_in_both_languages(run):
    """The default, the variable, the least number, and that it must be given."""
    chinese = " ".join(run("migrate", "--help", "--lang", "zh").stdout.split())
    assert all(note in chinese for note in ("[至少 1；必填]", "[缺省 keep]", "[环境变量 SVCFLOW_DB]"))
    english = " ".join(run("migrate", "--help").stdout.split())
    assert all(
        note in english for note in ("[at least 1; required]", "[default: keep]", "[env var: SVCFLOW_DB]")
    )


def test_the_help_lists_every_command_in_both_languages(run):
    """`svcflow --help` and bare `svcflow` list all commands."""
    assert run().stdout == run("--help").stdout
    for lang in ("zh", "en"):
        said = run("--lang", lang, "--help").stdout
        assert all(
            f"  {name} " in said and entry.summary.in_(lang) in said for name, entry in COMMANDS.items()
        )


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize(("lang", "usage"), [("zh", "用法：{} 命令"), ("en", "Usage: {} COMMAND")])
def test_a_section_without_a_command_shows_its_help(run, name, lang, usage):
    """It lists its commands in the asked language, as `svcflow` itself does, and leaves with 0."""
    bare = run(name, "--lang", lang)
    assert bare.stdout == run(name, "--help", "--lang", lang).stdout
    assert bare.stdout.startswith(usage.format(f"svcflow {name}"))
    assert all(f"\n  {inner} " in bare.stdout for inner in SECTIONS[name])
    assert not bare.stderr


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_ALL": "en_GB", "SVCFLOW_LANG": "zh"}, "zh"),
    ],
)
def test_the_language_comes_from_the_environment(environment, lang):
    """SVCFLOW_LANG stands before LC_ALL, and LC_ALL before LANG."""
    assert AnswerForm.of([], environment).lang == lang


def test_the_option_stands_before_the_environment():
    """`--lang` wins wherever it stands; what follows `--` is no option."""
    assert AnswerForm.of(["list", "--lang=zh", "--json"], {"LANG": "en"}) == AnswerForm("zh", as_json=True)
    assert AnswerForm.of(["show", "--", "--json"], {}) == AnswerForm("en", as_json=False)


@pytest.mark.parametrize(
    ("args", "zh", "en"),
    [
        (["chekc"], "是否指 check", "did you mean check?"),
        (["qqqqqqq"], "见 svcflow --help", "see svcflow --help"),
        (["calendar", "shwo"], "是否指 show", "did you mean show?"),
        (["calendar", "qqqqqq"], "可用：show, import", "there are: show, import"),
        (["calendar", "show", "cn_office"], "缺少 YEAR", "YEAR is missing"),
        (["explain", "x"], "缺少 LIMIT", "LIMIT is missing"),
        (["show"], "缺少 INSTANCE", "INSTANCE is missing"),
        (["show", "x", "--databse", "y"], "没有选项 --databse", "there is no option --databse"),
        (["show", "x"], "没有指明存储", "no store is named"),
        (["fire", "a", "b", "--data", "k"], "须写作 键=值", "as key=value"),
        (["fire", "a", "b", "--actor", ":x"], "编号:岗位", "id:role"),
        (["start", "repair@x"], "版本须为数字", "is a number"),
        (["start", "repair", "--recipient", "a:b"], "类别取", "the group one of"),
        (["list", "--at", "yesterday"], "不是时刻", "is no instant"),
        (["list", "--status", "gone"], "--status 只能取 running, held, ended", "--status"),
        (["show", "x", "y"], "参数过多：y", "more is given than is taken: y"),
        (["list", "--limit", "0"], "--limit 须为整数，至少 1", "--limit"),
        (
            ["list", "--limit", "x"],
            "--limit 须为整数，至少 1",
            "'x' is not a valid whole number; write one of at least 1",
        ),
        (["simulate", "repair", "--seed", "x"], "--seed 须为整数", "--seed"),
        (["verify", "--checkpoint", "gone"], "--checkpoint 须为存在且可读的文件", "--checkpoint"),
        (["seal", "--to", "."], "--to 不能是文件夹", "--to"),
        (["show", "x", "--json=1"], "--json 后须有值，开关则不带值", "--json"),
        (["hold", "x", "--resaon", "y"], "是否指 --reason？", "did you mean --reason?"),
        (["deviations", "--kind", "late"], "没有偏差种类", "no kind of deviation"),
        (["simulate", "repair", "--instances", "0"], "--instances", "--instances"),
        (["simulate", "repair", "--instances", "1000001"], "至少 1，至多 1000000", "1<=x<=1000000"),
    ],
)
def test_wrong_usage_exits_with_2_in_the_asked_language(run, args, zh, en):
    """A wrong call is explained on stderr and leaves with 2, with JSON as an error object on stdout."""
    for lang, said in (("zh", zh), ("en", en)):
        result = (
            run(*args, "--lang", lang, exit_code=2)
            if args[0] in COMMANDS
            else run("--lang", lang, *args, exit_code=2)
        )
        assert said in result.stderr
        assert not result.stdout
    if args[0] in COMMANDS:
        error = json.loads(run(*args, "--json", exit_code=2).stdout)["error"]
        assert error["code"] == "usage"
        assert zh in error["message"]["zh"] + error["remedy"]["zh"]


def test_the_installed_program_answers_quickly():
    """`svcflow --help` takes well under a second and loads neither SQLAlchemy, networkx nor the models."""
    probe = (
        "import sys, time; sys.argv = ['svcflow', '--help']\n"
        "from svcflow.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules} & "
        "{'sqlalchemy', 'networkx', 'numpy', 'ruamel', 'cattrs', 'rich', 'wasmtime', 'transitions'}), file=sys.stderr)\n"
        "print(time.process_time(), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    modules, seconds = done.stderr.splitlines()
    assert modules == ""
    assert float(seconds) < 2


def test_commands_load_what_they_need_when_they_run():
    """All commands together, imported for their help, load neither kernel, store, checks nor drawing."""
    probe = (
        "import sys\nfrom svcflow.cli.app import COMMANDS\n"
        "for entry in COMMANDS.values(): entry.load()\n"
        "print(*sorted({'.'.join(name.split('.')[:2]) for name in sys.modules if name.startswith('svcflow.')}))\n"
        "print(*sorted({'sqlalchemy', 'networkx', 'ruamel', 'cattrs', 'transitions'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    rooms, packages = done.stdout.split("\n")[:2]
    assert not packages
    assert set(rooms.split()) <= {
        f"svcflow.{name}"
        for name in (
            "bounds", "cli", "deprecated_paths", "errors", "nearest", "text", "text_table", "wording"
        )
    }  # fmt: skip


@pytest.mark.parametrize(("args", "code"), [(["--version"], 0), (["drew"], 2)], ids=["done", "wrong usage"])
def test_the_package_can_be_run_as_a_module(args, code, capfd, monkeypatch):
    """`python -m svcflow` does what `svcflow` does, with its words and its exit codes."""
    module, told = str(Path(svcflow.__file__).with_name("__main__.py")), []
    for begin in (main, lambda: runpy.run_path(module, run_name="__main__")):
        monkeypatch.setattr(sys, "argv", ["svcflow", *args])
        with pytest.raises(SystemExit) as ended:
            begin()
        told.append((ended.value.code, capfd.readouterr()))
    assert told[0] == told[1]
    assert told[0][0] == code


def test_an_ascii_terminal_gets_question_marks_and_no_traceback(tmp_path: Path):
    """Where the terminal has no Chinese, the answer still comes, and the exit code is right."""
    done = subprocess.run(
        [*EXECUTABLE, "show", "x", "--db", "none.db", "--lang", "zh"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
    )
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr
    assert b"[store]" in done.stderr


def test_help_is_no_wider_than_100_cells(run, monkeypatch):
    """No line of any help is wider than 100 cells, East Asian characters counting two; on a wide terminal too."""
    monkeypatch.setenv("COLUMNS", "200")
    assert unicodedata.east_asian_width("宽") == "W"
    for name in EVERY:
        for lang in ("zh", "en"):
            said = run(*name.split(), "--help", "--lang", lang).stdout
            assert [line for line in said.splitlines() if cells(line) > 100] == [], name
