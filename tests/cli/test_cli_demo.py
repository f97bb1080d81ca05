"""The demonstration: what it promises is in its folder, in both languages."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from cli_answers import parsed

from svcflow.cli.demo.folder import prepared
from svcflow.cli.output import OutputError
from svcflow.text_table import cells


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Run the demonstration once as a program; return its folder and what it printed."""
    here = tmp_path_factory.mktemp("demo")
    program = [sys.executable, "-c", "from svcflow.cli import main; main()", "demo", "--json"]
    done = subprocess.run(program, capture_output=True, cwd=here, check=True)
    return here / "svcflow-demo", json.loads(done.stdout)


def test_the_week_holds_what_it_promises(shown):
    """One hold, one late arrival, one rework, one step skipped out of turn, one refusal, and branches that join."""
    _, found = shown
    notable = found["notable"]
    kinds = [fact["kind"] for fact in notable]
    assert (kinds.count("Held"), kinds.count("Resumed"), kinds.count("Refused")) == (1, 1, 1)
    moved = [(fact["instance"], fact["trigger"]) for fact in notable if fact["kind"] == "Moved"]
    assert moved == [("repair-lift", "return"), ("meeting-budget", "done")]
    late, skipped, wrong = sorted(found["deviations"], key=lambda one: one["kind"])
    assert (late["kind"], late["instance"], late["limit"], late["overrun_s"]) == (
        "overdue", "repair-lift", "arrive", 18 * 60
    )  # fmt: skip
    assert (skipped["kind"], skipped["instance"], skipped["step"]) == (
        "skipped_step", "repair-window", "dispatched"
    )  # fmt: skip
    assert (wrong["kind"], wrong["instance"], wrong["step"], wrong["role"]) == (
        "wrong_role", "repair-window", "accepted", "dispatcher"
    )  # fmt: skip


def test_the_week_shows_every_shipped_procedure_and_open_work(shown):
    """Four procedures, ended and open instances, running and paused deadlines, parallel branches."""
    _, found = shown
    assert {one["procedure"] for one in found["instances"]} == {
        "repair", "meeting", "complaint", "expense_declaration"
    }  # fmt: skip
    assert {one["status"] for one in found["instances"]} == {"running", "ended"}
    assert {one["state"] for one in found["deadlines"]} >= {"running", "paused"}
    due = [one["due_at"] for one in found["deadlines"] if one["due_at"]]
    assert due == sorted(due)


def test_the_journal_verifies_and_the_files_are_there(shown):
    """The journal is in order, and every file that is named exists and is whole."""
    folder, found = shown
    assert found["verification"]["ok"]
    assert found["verification"]["instances"] == len(found["instances"])
    assert json.loads((folder / "demo.json").read_text(encoding="utf-8")) == found
    names = [*found["diagrams"]["svg"], *found["diagrams"]["png"]]
    assert {path.name for path in folder.iterdir()} == {"demo.db", "demo.db-lock", "demo.json", *names}
    assert len(found["diagrams"]["svg"]) == len(found["procedures"])
    for name in found["diagrams"]["svg"]:
        assert (folder / name).read_text(encoding="utf-8").rstrip().endswith("</svg>")
    for name in found["diagrams"]["png"]:
        assert (folder / name).read_bytes()[-8:-4] == b"IEND"
    assert bool(found["diagrams"]["png"]) != bool(found["diagrams"]["no_png"]["en"])


def test_the_commands_to_copy_work(shown, run, monkeypatch):
    """What the demonstration says to look at next can be run as it stands."""
    folder, found = shown
    monkeypatch.chdir(folder.parent)
    shutil.copy(folder / "demo.db", folder.parent / "copy.db")
    first, *commands, _last = found["next"]
    assert first.startswith(("export SVCFLOW_DB=", "$env:"))
    monkeypatch.setenv("SVCFLOW_DB", "copy.db")
    monkeypatch.setenv("SVCFLOW_AT", found["at"])
    for line in commands:
        words = line.split()
        assert words[0] == "svcflow"
        run(*words[1:])


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ("一个工作周", "值得注意", "逾期 18分", "跳过环节", "停止计时", "全部一致", "接下来可以试试")),
        ("en", ("a working week", "What stood out", "18 min late", "skipped step", "paused", "all in order")),
    ],
)
def test_the_report_reads_well_in_both_languages(run, tmp_path, lang, words):
    """The report names the absolute folder, and no line but that is wider than 100 cells."""
    said = run("demo", "--lang", lang, "--folder", "look").stdout
    for word in words:
        assert word in said
    assert str(tmp_path / "look") in said
    assert all(cells(line) <= 100 for line in said.splitlines() if str(tmp_path) not in line)
    assert "<text" in (tmp_path / "look" / "repair.svg").read_text(encoding="utf-8")


@pytest.mark.long
def test_an_earlier_demo_is_replaced_whole(run, tmp_path):
    """A second run gives the same facts and leaves nothing beside the folder."""
    first = parsed(run("demo", "--json"))
    with sqlite3.connect(tmp_path / "svcflow-demo" / "demo.db") as store:
        store.execute("DELETE FROM svcflow_facts")
    store.close()
    assert parsed(run("demo", "--json")) == first
    assert [path.name for path in tmp_path.iterdir()] == ["svcflow-demo"]


def test_a_foreign_folder_is_never_touched(run, tmp_path):
    """A folder with somebody's files, also beside an earlier demo's, and a file of that name are left alone."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("dear")
    for name in ("mine", "file"):
        assert parsed(run("demo", "--folder", name, "--json", exit_code=3))["error"]["code"] == "output"
    (mine / "demo.json").write_text("{}")
    assert (
        "既不" in (said := run("demo", "--folder", "mine", "--lang", "zh", exit_code=3).stderr)
        or "不是" in said
    )
    assert sorted(path.name for path in mine.iterdir()) == ["demo.json", "letter.txt"]
    assert (tmp_path / "file").read_text() == "dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]


@pytest.mark.parametrize(("lang", "said"), [("zh", "没有 PNG："), ("en", "no PNG: ")])
def test_without_a_chinese_font_there_is_svg_and_the_reason(run, tmp_path, monkeypatch, lang, said):
    """SVG is always drawn; why there is no PNG is told, and an empty folder is as good as none."""
    monkeypatch.setattr("svcflow.drawing.render.fonts._usual", lambda **_: [])
    (tmp_path / "svcflow-demo").mkdir()
    assert said in run("demo", "--lang", lang).stdout
    kinds = {path.suffix for path in (tmp_path / "svcflow-demo").iterdir()}
    assert kinds == {".svg", ".db", ".db-lock", ".json"}


def test_an_earlier_demo_stands_when_the_new_one_cannot_be_moved_in(tmp_path, monkeypatch):
    """The earlier folder comes back whole when the swap fails half way."""
    folder = tmp_path / "look"
    with prepared(folder, []) as made:
        (made / "demo.json").write_text("earlier")
    real = Path.replace

    def fails_once(self, target):
        if Path(target) == folder and self.name.startswith(".look-"):
            raise OSError(13, "Permission denied")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", fails_once)
    with pytest.raises(OutputError), prepared(folder, []) as made:
        (made / "demo.json").write_text("later")
    assert (folder / "demo.json").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["look"]


def test_a_demo_below_a_file_is_told(run, tmp_path):
    """Where no folder can be made the error says so."""
    (tmp_path / "file").write_text("")
    assert "[output]" in run("demo", "--folder", "file/look", exit_code=3).stderr


def test_a_demo_that_breaks_off_leaves_nothing(run, tmp_path, monkeypatch):
    """When drawing fails half way, neither the folder nor a trace of it stays."""
    monkeypatch.setattr("svcflow.drawing.drawing.Drawing.save", _fails)
    assert parsed(run("demo", "--json", exit_code=3))["error"]["code"] == "output"
    assert list(tmp_path.iterdir()) == []


def _fails(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")
