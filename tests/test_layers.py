"""The layers of the architecture hold: imports point up only, nothing goes in circles, each module says what it is."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

import svcflow

SOURCE = Path(svcflow.__file__).parent
LAYERS = (
    "deprecated_paths", "text", "wording", "nearest", "text_table", "errors", "bounds", "model", "machine", "worktime", "checks", "kernel", "explanation", "journal", "runtime", "cloudevents", "store", "dbos",
    "simulate", "analysis", "drawing", "review", "testing", "", "cli", "web", "__main__",
)  # fmt: skip
"""From the top of the list down: a layer imports from itself and from those before it. "" is svcflow itself, on which the faces stand."""
EXCEPTIONS = {("svcflow.runtime.engine", "svcflow.store")}
"""The engine opens the store that a URL names, inside a function."""
APART = (
    ("store.sqlite", "store.postgres", "store.memory"),
    ("runtime.outbox", "runtime.integrity"),
    ("model.validation", "model.yaml"),
    ("model.validation", "model.diff"),
    ("cli.demo", "cli.doctor"),
)
"""Folders inside packages that import nothing of each other."""
INNER_LAYERS = (
    ("drawing.scene", "drawing.render"),
    ("drawing.layout", "drawing.render"),
    ("drawing.router", "drawing.render"),
    ("model.yaml", "model.diff"),
)
"""Pairs of folders: the second may import the first, never the other way round."""
MODULES = {
    ".".join(("svcflow", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
}


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


@cache
def imports(name: str, *, lazy: bool) -> tuple[tuple[str, int], ...]:
    """Return the modules of ours that a module imports, those inside functions only when `lazy`."""
    return tuple(_imports(name, ast.walk(tree(name)) if lazy else _at_import(tree(name).body)))


def _imports(name: str, nodes: Iterator[ast.AST]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name.startswith("svcflow"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are absolute"
            if (node.module or "").split(".")[0] == "svcflow":
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield (inner if inner in MODULES else str(node.module)), node.lineno


def _at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported; not those for type checkers."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            typing_only = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            yield from _at_import(node.orelse if typing_only else [*node.body, *node.orelse])
        elif isinstance(node, ast.Try | ast.With | ast.ClassDef):
            yield from _at_import(node.body)


def test_every_module_belongs_to_a_layer():
    """A package that the architecture does not name has no place yet."""
    assert {layer(name) for name in MODULES} <= set(LAYERS)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "svcflow"])
def test_imports_point_up_the_list_only(name):
    """No module imports from a layer below its own, not even inside a function; the one exception is named."""
    rank = LAYERS.index(layer(name))
    wrong = [
        f"line {line}: {other}"
        for other, line in imports(name, lazy=True)
        if LAYERS.index(layer(other)) > rank and (name, other) not in EXCEPTIONS
    ]
    assert wrong == []


def test_the_exception_is_still_one():
    """When the engine no longer opens stores by itself, the exception goes."""
    for name, other in EXCEPTIONS:
        assert other in {found for found, _ in imports(name, lazy=True)}
        assert other not in {found for found, _ in imports(name, lazy=False)}


def test_no_import_goes_in_circles():
    """The modules form no circle, imports inside functions and those for type checkers included."""
    graph = nx.DiGraph()
    graph.add_edges_from(
        (name, other) for name in MODULES for other, _ in imports(name, lazy=True) if other != name
    )
    assert [group for group in nx.strongly_connected_components(graph) if len(group) > 1] == []


@pytest.mark.parametrize(
    ("folder", "other"),
    [*INNER_LAYERS, *(pair for folders in APART for pair in itertools.permutations(folders, 2))],
)
def test_a_folder_imports_none_that_it_stands_apart_from(folder, other):
    """What is SQLite's is not PostgreSQL's; a scene has no coordinates; verification delivers nothing."""
    inside = [name for name in MODULES if name.startswith(f"svcflow.{folder}.")]
    assert inside, f"there is no folder {folder}: put the pair where the folders are now"
    wrong = [
        f"{name}:{line}: {found}"
        for name in inside
        for found, line in imports(name, lazy=True)
        if found.startswith(f"svcflow.{other}.")
    ]
    assert wrong == []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is(name):
    """Each module has a docstring, packages included."""
    assert ast.get_docstring(tree(name))


@pytest.mark.parametrize("name", MODULES)
def test_no_module_names_a_place_on_some_machine(name):
    """Sources hold no absolute paths of the machine they were written on."""
    found = re.findall(
        r"(?<![\w.:/])/(?:root|home|work|tmp|Users|mnt)/\w+", MODULES[name].read_text(encoding="utf-8")
    )
    assert found == []
