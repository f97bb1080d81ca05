"""The script that measures the package counts what it says it counts."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "house.py"
MODULES = {
    "__init__": '"""A package."""\n',
    "left": '"""Left. It knows no right."""\n\nfrom small.right import Row\n\n\nclass Line(Row):\n    """Hold a line."""\n',
    "right": '"""Right."""\n\n# why it is lazy\n\n\nclass Row:\n    pass\n\n\ndef line():\n    from small import left\n\n    return left\n',
    "under/__init__": "",
    "under/leaf": '"""Leaf."""\n\n\nclass _Row:  # noqa: N801\n    number = 1\n',
}


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch):
    """The script as a module; it finds the benchmark beside it."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("house", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("fire", None)


def test_a_small_package_is_counted(house, tmp_path: Path):
    """Rooms, circles, names with two meanings, comments and words are those of a package whose counts are known."""
    for name, text in MODULES.items():
        path = (tmp_path / "small" / name).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    small = house.House(tmp_path / "small")
    assert sorted(small.modules) == ["small.left", "small.right", "small.under.leaf"]
    assert small.used_by_one() == ["small.left", "small.right"]
    assert small.circles() == [["small.left", "small.right"]]
    assert list(small.shared_class_names()) == ["Row"]
    assert small.comment_density() == pytest.approx(100 / 9)  # 1 comment; what a tool is told is none
    shown = house.figures(small)
    assert shown['docstrings with tics ("decides nothing", "knows no …")'] == "1"
    assert shown["docstrings that begin with Hold or Be"] == "1"
    assert shown["modules under 60 lines"] == "3"


def test_the_way_of_a_transition_is_followed(house):
    """It begins in the engine, comes to the kernel and the store, and ends where it began."""
    way = house.way_of_a_fire("memory://")
    assert way.calls[0][0] == 1
    assert way.calls[0][2].endswith(".fire")
    files = {file.split("/")[0] for _, file, _ in way.calls}
    assert {"runtime", "kernel", "store"} <= files
    assert way.files == len({file for _, file, _ in way.calls}) <= way.functions
    assert way.depth <= way.functions
    assert way.hops >= way.files - 1
