"""Cells of a terminal and plain-text tables: how wide texts are, what is cut, and that counting stays light."""

from __future__ import annotations

import subprocess
import sys

import pytest
from wcwidth import wcswidth, wcwidth

from svcflow.text_table import broken, cells, grid, table


def test_a_grid_counts_wide_and_combining_characters():
    """Chinese takes two cells, a combining accent none, an emoji of several characters two."""
    assert (cells("超时a"), cells("e\u0301"), cells("→")) == (5, 1, 1)
    assert (cells("ที่"), cells("a\u200bb"), cells("\u1112\u1161\u11ab")) == (1, 2, 2)
    assert (cells("👨\u200d👩\u200d👧"), cells("❤\ufe0f"), cells("👍🏽"), cells("a\u0301\x07")) == (
        2,
        2,
        2,
        2,
    )
    assert grid([["超时", "1"], ["late", "20"]]) == "超时   1\nlate  20"


def test_widths_are_those_of_wcwidth():
    """What is counted here, without that package, is counted as there."""
    texts = "超时（％）：，。“”—…·→≤≥±×①⏸▲■─│·½é한글カナ가😀"
    assert [cells(char) for char in texts] == [wcwidth(char) for char in texts]
    assert cells(texts) == wcswidth(texts)


def test_a_table_in_chinese_does_not_load_wcwidth():
    """It takes 25 ms to import, and only marks and joined characters need it."""
    code = "import sys, svcflow.text_table as t; t.cells('超时 overdue ①'); print('wcwidth' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


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
