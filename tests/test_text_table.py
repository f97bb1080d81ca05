"""Cells of a terminal: how wide texts are, and that counting them stays light."""

from __future__ import annotations

import subprocess
import sys

from wcwidth import wcswidth, wcwidth

from svcflow.text_table import cells, grid


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
