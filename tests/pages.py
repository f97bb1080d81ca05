"""A page of the documentation: its code blocks, and how each kind is run.

It knows Markdown fences and nothing of what a page says. On one page:

- `python` blocks share one namespace and one folder; a `text` block right after one is what it prints;
- a block whose first line is a comment with a file's name (`# test_visit.py`, `# visit.yaml`,
  `<!-- log.xes -->`) is also that file in the folder; `test_*.py` is given to pytest;
- `yaml` blocks that begin with a document's key are loaded as documents;
- `console` blocks are lines `$ svcflow …` and what they print, `…` standing for anything; a line ends with
  `# exit N` where the exit code is not 0. `$ export NAME=VALUE …` sets variables for the rest of the block.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    ROOT / "README.md",
    ROOT / "README.zh.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"(?:# |<!-- )([\w.-]+\.(?:py|yaml|xes))(?: -->)?\n")
_DOCUMENT = re.compile(r"(?:#[^\n]*\n)*(procedure|calendar|scenario|mapping):")
_PROMPT = "$ "
_EXIT = re.compile(r"\s+# exit (\d)$")


@attrs.frozen
class Block:
    """Hold one fenced block: its language, its text, the line it starts on, and where it ends in the page."""

    language: str
    text: str
    line: int
    start: int
    end: int

    @property
    def file(self) -> str:
        """The name its first line gives it, or nothing."""
        match = _NAMED.match(self.text)
        return match[1] if match else ""

    @property
    def document(self) -> str:
        """The kind of document it is, or nothing."""
        match = _DOCUMENT.match(self.text) if self.language == "yaml" else None
        return match[1] if match else ""


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    source = page.read_text(encoding="utf-8")
    return [
        Block(m[1], m[2], source.count("\n", 0, m.start()) + 1, m.start(), m.end())
        for m in _FENCE.finditer(source)
    ]


def run_page(page: Path, folder: Path) -> int:
    """Run the blocks of a page in a folder, which is the current one; return how many were run."""
    source, blocks = page.read_text(encoding="utf-8"), blocks_of(page)
    namespace: dict[str, object] = {"__name__": "page"}
    ran = 0
    for number, block in enumerate(blocks):
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        after = blocks[number + 1] if number + 1 < len(blocks) else None
        printed = (
            after.text
            if after and after.language == "text" and not source[block.end : after.start].strip()
            else None
        )
        ran += _run(page, block, printed, namespace, folder)
    return ran


def matches(shown: str, printed: str) -> bool:
    """Say whether the lines shown are those printed; `…` stands for any text, alone on a line for any lines."""
    pattern = r"\s*"
    for line in shown.strip().splitlines():
        parts = (re.escape(part.rstrip() if last else part) for part, last in _parts(line))
        pattern += r"(?:.*\n)*?" if line.strip() == "…" else "[^\n]*".join(parts) + r"[ \t]*(?:\n|\Z)"
    return re.fullmatch(pattern + r"\s*", printed + "\n") is not None


def _parts(line: str) -> list[tuple[str, bool]]:
    parts = line.split("…")
    return [(part, place == len(parts) - 1) for place, part in enumerate(parts)]


def _run(page: Path, block: Block, printed: str | None, namespace: dict[str, object], folder: Path) -> bool:
    if block.language == "python" and block.file.startswith("test_"):
        _run_pytest(page, block, printed, folder)
    elif block.language == "python":
        _run_python(page, block, printed, namespace)
    elif block.language == "console":
        _run_console(page, block)
    elif block.document:
        _load(page, block, folder)
    else:
        return False
    return True


def _run_python(page: Path, block: Block, printed: str | None, namespace: dict[str, object]) -> None:
    code = compile("\n" * block.line + block.text, str(page), "exec")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, namespace)  # noqa: S102  # the page's own code
    if printed is not None:
        assert matches(printed, out.getvalue()), f"{page}:{block.line} printed:\n{out.getvalue()}"


def _run_pytest(page: Path, block: Block, printed: str | None, folder: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", block.file]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{page}:{block.line}\n{done.stdout}{done.stderr}"
    if printed is not None:
        assert matches(printed, done.stdout), f"{page}:{block.line} printed:\n{done.stdout}"


def _run_console(page: Path, block: Block) -> None:
    variables: dict[str, str] = {}
    for line, shown in commands_of(block):
        if line.startswith("export "):
            variables |= dict(word.split("=", 1) for word in shlex.split(line)[1:])
            continue
        exit_code, printed = _invoke(_EXIT.sub("", line), variables)
        wanted = int(found[1]) if (found := _EXIT.search(line)) else 0
        assert exit_code == wanted, f"{page}:{block.line} `{line}` exits {exit_code}:\n{printed}"
        if shown.strip():
            assert matches(shown, printed), f"{page}:{block.line} `{line}` printed:\n{printed}"


def commands_of(block: Block) -> list[tuple[str, str]]:
    """Return each command of a console block with what is shown below it."""
    found = [part.partition("\n") for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]]
    return [(line, shown) for line, _, shown in found]


def _invoke(line: str, variables: Mapping[str, str]) -> tuple[int, str]:
    from click.testing import CliRunner

    from svcflow.cli.app import app

    program, *arguments = shlex.split(line)
    assert program == "svcflow", f"only svcflow commands are run: {line}"
    result = CliRunner(env=variables).invoke(app, arguments, prog_name="svcflow")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def _load(page: Path, block: Block, folder: Path) -> None:
    from svcflow import load, load_mapping, load_parameters, load_scenario
    from svcflow.model.yaml.document import read_document
    from svcflow.worktime import WorkCalendar

    name = block.file or f"{block.document}-{block.line}.yaml"
    (folder / name).write_text(block.text, encoding="utf-8")
    path = folder / name
    if block.document == "calendar":
        read_document(path).build(WorkCalendar.from_mapping)
    else:
        {
            "procedure": load,
            "parameters": load_parameters,
            "scenario": load_scenario,
            "mapping": load_mapping,
        }[block.document](path)
