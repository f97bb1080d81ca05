"""Measure the house: its modules, its words, and the way that one command goes through it.

Run: python benchmarks/house.py [FOLDER]
FOLDER is a package to measure instead of the installed svcflow; the way of a command is measured in svcflow alone.

What is counted:

- modules: files other than `__init__.py` that hold anything; their lines are all lines. "used by one": imported
  by exactly one other module of the package, lazy imports and those for type checkers included.
- circles: groups of modules that import one another, by the same imports.
- class names with two meanings: a name that two classes of the package have, a leading underscore ignored.
  (An earlier count left private classes out.)
- comments: lines that begin with `#`, without instructions to tools, per 100 lines of code (neither blank, nor comment, nor docstring).
- tics: docstrings that say "decides nothing" or the like; "holds": docstrings that begin with "Hold" or "Be".
- the way of a command: the first transition after a start, on SQLite. Functions are different Python functions of
  svcflow that are called, nested ones included; hops are calls of a function that stands in another file than the
  one called before it; depth is how many functions of svcflow are open at once.
"""

from __future__ import annotations

import ast
import io
import itertools
import re
import statistics
import sys
import tempfile
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import NamedTuple

SHORT = 60
TICS = re.compile(
    r"\b(?:decides?|computes?|carries|looks? at|draws?) nothing\b|\bknow(?:s|ing)? (?:no|nothing|neither|not)\b",
    re.IGNORECASE,
)
HOLDS = re.compile(r"(?:Hold|Be)\b")
TOOLS = re.compile(r"#\s*(?:noqa|type:|fmt:|pragma|ruff:)")

BEFORE = {
    "modules": "323 / 331",
    "modules under 60 lines": "78 / 67",
    "modules used by one other module only": "95 / 101",
    "lines of a module: median, 9 in 10, most": "– / 114, 261, 395",
    "lines of a function: median, 9 in 10": "6, 16 / 6, 15",
    "functions over 30 lines": "– / 30",
    "import circles": "6 / 6",
    "class names with two meanings": "20 / 32",
    "comment lines per 100 of code": "0.1 / 0.1",
    'docstrings with tics ("decides nothing", "knows no …")': "72 / 61",
    "docstrings that begin with Hold or Be": "118 / 123",
    "way of a fire: functions": "139 / 139",
    "way of a fire: files": "44 / 46",
    "way of a fire: hops": "100 / 92",
    "way of a fire: depth": "28 / 31",
}
"""The figures before modules and classes were renamed and joined: as counted by hand then, and by this script."""


class House:
    """A package on disk, parsed: what stands in which module, and which module imports which."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts: dict[str, str] = {}
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            self.texts[".".join(parts).removesuffix(".__init__")] = path.read_text(encoding="utf-8")
        self.packages = {
            ".".join(path.parent.relative_to(folder.parent).parts) for path in folder.rglob("__init__.py")
        }
        self.trees = {name: ast.parse(text) for name, text in self.texts.items()}

    @cached_property
    def modules(self) -> Mapping[str, int]:
        """The modules that hold something, with their lines."""
        return {
            name: len(text.splitlines())
            for name, text in self.texts.items()
            if name not in self.packages and text.strip()
        }

    @cached_property
    def imports(self) -> Mapping[str, frozenset[str]]:
        """The modules of the package that each module imports, wherever the import stands."""
        return {name: frozenset(self._imported(name)) - {name} for name in self.texts}

    def _imported(self, name: str) -> Iterator[str]:
        for node in ast.walk(self.trees[name]):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in self.texts)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    if (found := inner if inner in self.texts else node.module) in self.texts:
                        yield found

    def used_by_one(self) -> list[str]:
        """Return the modules that exactly one other module imports."""
        users = Counter(other for imported in self.imports.values() for other in imported)
        return [name for name in self.modules if users[name] == 1]

    def circles(self) -> list[list[str]]:
        """Return the groups of modules that import one another (Tarjan's strongly connected components)."""
        import networkx as nx  # heavy

        graph = nx.DiGraph({name: list(others) for name, others in self.imports.items()})
        return [sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1]

    def shared_class_names(self) -> Mapping[str, list[str]]:
        """Return the class names that have more than one meaning, with where they stand."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    found[node.name.lstrip("_")].append(f"{name}.{node.name}")
        return {name: places for name, places in sorted(found.items()) if len(places) > 1}

    @cached_property
    def docstrings(self) -> list[str]:
        """The docstrings of modules, classes and functions, and those under attributes and constants."""
        return [doc for tree in self.trees.values() for _, doc in _docstrings(tree)]

    def comment_density(self) -> float:
        """Return how many lines of comment there are for 100 lines of code."""
        comments = code = 0
        for name, text in self.texts.items():
            tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
            comments += sum(
                token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip()
                for token in tokens
                if not TOOLS.match(token.string)
            )
            docs = {line for node, _ in _docstrings(self.trees[name]) for line in _lines(node)}
            lines = {
                line
                for token in tokens
                if token.type not in _NO_CODE
                for line in range(token.start[0], token.end[0] + 1)
            }
            code += len(lines - docs)
        return 100 * comments / code

    def function_lines(self) -> list[int]:
        """Return how many lines each function has, without its decorators and its docstring."""
        return [
            len(_lines(node)) - sum(len(_lines(one)) for one, _ in _docstrings(node, within=False))
            for tree in self.trees.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]


_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip


def _lines(node: ast.AST) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)  # type: ignore[attr-defined]


def _docstrings(tree: ast.AST, *, within: bool = True) -> Iterator[tuple[ast.Expr, str]]:
    """Yield the texts that stand by themselves as statements, with their text; only a node's own unless `within`."""
    for node in ast.walk(tree) if within else getattr(tree, "body", ()):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node, node.value.value


class Way(NamedTuple):
    """The way of one command through the package."""

    functions: int
    files: int
    hops: int
    depth: int
    calls: list[tuple[int, str, str]]
    """Each call as depth, file and function, in order."""


def way_of_a_fire(url: str) -> Way:
    """Return the way of the first transition after a start, in the store at `url`."""
    import svcflow  # only the way needs the package to run
    from fire import ping_pong  # beside this file

    folder = str(Path(svcflow.__file__).parent)
    clock = svcflow.VirtualClock(datetime(2026, 3, 2, 1, tzinfo=UTC))
    engine = svcflow.Engine(url, svcflow.Catalog.of(ping_pong()), clock=clock)
    clerk = svcflow.Actor("clerk-1", {"clerk"})
    instance = engine.start("ping_pong", actor=clerk).id
    calls: list[tuple[int, str, str]] = []
    depth = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal depth
        code = frame.f_code
        if event in ("call", "return") and code.co_filename.startswith(folder):
            depth += 1 if event == "call" else -1
            if event == "call":
                calls.append((depth, code.co_filename[len(folder) + 1 :], code.co_qualname))

    sys.setprofile(note)
    try:
        engine.fire(instance, "go", actor=clerk)
    finally:
        sys.setprofile(None)
        engine.close()
    files = [file for _, file, _ in calls]
    hops = sum(one != other for one, other in itertools.pairwise(files))
    return Way(len({call[1:] for call in calls}), len(set(files)), hops, max(c[0] for c in calls), calls)


def way_on_sqlite() -> Way:
    """Return the way of a transition that is durable when it returns."""
    with tempfile.TemporaryDirectory() as folder:
        return way_of_a_fire(f"sqlite:///{Path(folder, 'way.db')}")


def figures(house: House) -> dict[str, str]:
    """Return the figures that can be read off the source."""
    sizes, functions = list(house.modules.values()), house.function_lines()
    return {
        "modules": str(len(sizes)),
        f"modules under {SHORT} lines": str(sum(size < SHORT for size in sizes)),
        "modules used by one other module only": str(len(house.used_by_one())),
        "lines of a module: median, 9 in 10, most": f"{_spread(sizes)}, {max(sizes)}",
        "lines of a function: median, 9 in 10": _spread(functions),
        "functions over 30 lines": str(sum(size > 30 for size in functions)),
        "import circles": str(len(house.circles())),
        "class names with two meanings": str(len(house.shared_class_names())),
        "comment lines per 100 of code": f"{house.comment_density():.1f}",
        'docstrings with tics ("decides nothing", "knows no …")': str(
            sum(bool(TICS.search(doc)) for doc in house.docstrings)
        ),
        "docstrings that begin with Hold or Be": str(sum(bool(HOLDS.match(doc)) for doc in house.docstrings)),
    }


def way_figures(way: Way) -> dict[str, str]:
    """Return the figures for the way of a command."""
    names = ("functions", "files", "hops", "depth")
    return {f"way of a fire: {name}": str(count) for name, count in zip(names, way, strict=False)}


def _spread(sizes: Iterable[int]) -> str:
    """Return the median and the ninth of ten."""
    sizes = sorted(sizes)
    return f"{statistics.median(sizes):.0f}, {sizes[len(sizes) * 9 // 10]}"


def main() -> None:
    import svcflow  # not needed to measure another folder

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(svcflow.__file__).parent
    house = House(folder)
    shown = figures(house)
    if len(sys.argv) == 1:
        shown |= way_figures(way_on_sqlite())
    print(f"{'':56} {'before: by hand / this script':>30} {'now':>14}")
    for name, now in shown.items():
        print(f"{name:56} {BEFORE.get(name, '–'):>30} {now:>14}")
    for circle in house.circles():
        print("circle:", ", ".join(circle))
    for name, places in house.shared_class_names().items():
        print(f"class {name}:", ", ".join(places))


if __name__ == "__main__":
    main()
