"""The page of the architecture shows the package as it is: every room, each with the first sentence of its docstring.

After rooms were added, renamed or described anew: `python tests/test_architecture.py` writes the page's tree again.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import svcflow

SOURCE = Path(svcflow.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "architecture.md"
CONTRIBUTING = PAGE.parents[2] / "CONTRIBUTING.md"
TREE = re.compile(r"(?<=```text\n)svcflow/\n.*?(?=```)", re.DOTALL)
WIDEST = 150


def tree() -> str:
    """Return the tree of the package, packages before modules, a line for each room."""
    rooms = [("svcflow/", ""), *_rooms(SOURCE, 1)]
    width = max(len(name) for name, _ in rooms) + 2
    return "".join(f"{name:{width}}{line}".rstrip() + "\n" for name, line in rooms)


def _rooms(folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.iterdir(), key=lambda path: (not path.is_dir(), path.name)):
        if (path / "__init__.py").exists():
            yield f"{'  ' * depth}{path.name}/", summary(path / "__init__.py")
            yield from _rooms(path, depth + 1)
        elif path.suffix == ".py" and not path.name.startswith("__"):
            yield f"{'  ' * depth}{path.stem}", summary(path)


def summary(path: Path) -> str:
    """Return the first sentence of a module's docstring, without the full stop."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.split(r"\.(?: |$)", docstring.partition("\n")[0], maxsplit=1)[0]


def test_the_page_shows_the_tree_as_it_is():
    """No room is missing, none is gone, and each is described as it describes itself."""
    shown = TREE.search(PAGE.read_text(encoding="utf-8"))
    assert shown is not None
    assert shown.group() == tree(), "write the page again: python tests/test_architecture.py"


def test_each_room_fits_on_its_line():
    """A line of the tree can be read without scrolling: what a module is, its docstring says in a short sentence."""
    cells = {
        line: sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
        for line in tree().splitlines()
    }
    assert [line for line, width in cells.items() if width > WIDEST] == []


def test_every_room_that_the_text_names_is_there():
    """A path in the text leads to a module: `kernel/moves/fire` is no room of an earlier house."""
    text = TREE.sub("", PAGE.read_text(encoding="utf-8")) + CONTRIBUTING.read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)+)`", text)
    assert len(named) > 20
    assert [
        name
        for name in named
        if not (SOURCE / f"{name}.py").exists()
        and not (SOURCE / name).is_dir()
        and not name.startswith("tests/")
    ] == []


def test_every_package_is_described_in_both_languages():
    """The table above the tree has a row for each package."""
    text = PAGE.read_text(encoding="utf-8")
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert {
        name for name in packages if not re.search(rf"^\| [^|]*`{name}`[^|]*\| \S", text, re.MULTILINE)
    } == set()


def test_the_page_is_found():
    """README and the index of the documents lead to the page, and so to every room."""
    for page in ("README.md", "README.zh.md", "CONTRIBUTING.md", "docs/index.md"):
        assert "architecture.md" in (PAGE.parents[2] / page).read_text(encoding="utf-8"), page


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TREE.sub(lambda _: tree(), text), encoding="utf-8")
