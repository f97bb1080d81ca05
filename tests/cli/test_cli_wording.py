"""Words, tables, progress and files of the command line."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from svcflow.cli.errors import CommandFailure, explained
from svcflow.cli.journal_lines import _LINES
from svcflow.cli.language import AnswerForm
from svcflow.cli.output import OutputError, write_whole
from svcflow.cli.progress import progress
from svcflow.kernel.facts import FACTS
from svcflow.text_table import broken, cells, table


def test_columns_line_up_with_chinese_in_them():
    """A Chinese character is two cells; every second column begins at the same cell."""
    lines = table(["名称", "n"], [("报修服务", "1"), ("ab", "22")], right=["n"]).splitlines()
    assert [cells(line) for line in lines] == [14, 14, 14, 14]


def test_a_table_is_never_wider_than_100_cells():
    """What is too long is cut; in a last column that flows nothing is lost."""
    long = "很长的说明文字" * 20
    cut = table(["a", "b"], [("x" * 90, "y" * 90)])
    assert max(map(cells, cut.splitlines())) <= 100
    assert "…" in cut
    flowed = table(["a", "b"], [("x", long)], flows=True)
    assert max(map(cells, flowed.splitlines())) <= 100
    assert flowed.count("很") == 20


def test_empty_columns_are_left_out():
    """A column that says nothing is not shown."""
    assert "b" not in table(["a", "b", "c"], [("1", "", "3")])


@pytest.mark.parametrize(
    "text", ["one two three four", "a" * 30, "中文没有空格所以到处可断", "mixed 中文 text"]
)
def test_breaking_a_text_loses_nothing(text):
    """Only spaces at the breaks go."""
    lines = broken(text, 9)
    assert all(cells(line) <= 9 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("rich", [True, False])
def test_progress_shows_on_a_terminal_with_and_without_rich(monkeypatch, rich):
    """On a terminal something is written, with rich or plainly; both end cleanly."""
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    if not rich:
        monkeypatch.setitem(sys.modules, "rich", None)
        monkeypatch.setitem(sys.modules, "rich.progress", None)
    with progress("reading") as advance:
        advance(1, 2)
        advance(7, 0)
    assert "reading" in terminal.getvalue()


def test_progress_is_silent_where_nobody_looks(monkeypatch):
    """A pipe gets no progress."""
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with progress("reading") as advance:
        advance(1, 2)
    assert pipe.getvalue() == ""


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path):
    """When writing fails the earlier file stands, and nothing is left beside it."""
    target = tmp_path / "a.svg"
    target.write_text("earlier")

    def half(path: Path) -> None:
        path.write_text("hal")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError):
        write_whole(target, half)
    assert target.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]
    write_whole(target, lambda path: path.write_text("later"))
    assert target.read_text() == "later"


def test_every_kind_of_fact_can_be_told_in_both_languages():
    """No fact of a journal is without words."""
    assert set(_LINES) == set(FACTS.values())


@pytest.mark.parametrize(("lang", "said"), [("zh", "已中断"), ("en", "interrupted")])
def test_ctrl_c_leaves_with_130_and_no_traceback(lang, said):
    """An interruption is said in one line."""
    with pytest.raises(CommandFailure) as caught, explained(AnswerForm(lang)):
        raise KeyboardInterrupt
    assert (caught.value.exit_code, caught.value.message) == (130, said)
