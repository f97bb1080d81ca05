"""Commands of procedure files: `svcflow check`, `diff`, `draw`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from svcflow.cli.catalog import find_procedure
from svcflow.cli.command import command, option
from svcflow.cli.errors import BAD_INPUT, FOUND, error_json, problem_json
from svcflow.cli.language import Tongue
from svcflow.cli.options import json_option, out_option, procedures_option, with_procedures, with_session
from svcflow.cli.output import write_whole
from svcflow.cli.session import CommandSession
from svcflow.errors import DeclarationError
from svcflow.text import Lang, Text
from svcflow.wording import many

if TYPE_CHECKING:
    from svcflow.cli.file_checks import CheckedFiles
    from svcflow.cli.json import Record
    from svcflow.drawing.drawing import Router
    from svcflow.drawing.scene.map_scene import Direction
    from svcflow.errors import Problem

_RANKS = ("error", "warning", "note")


@command(
    "check",
    Text(
        zh="检查 YAML 文件或文件夹：写法错误与流程上的问题，每条给出 文件:行:列、代码、位置与改法。\n不给参数时检查 --procedures 文件夹（缺省为随库提供的流程）。\n退出码：有达到 --severity 的发现为 1，文件无法读取为 3。",
        en="Check YAML files or folders: mistakes of writing and findings about the procedure, each with "
        "file:line:column, code, path and what to do. Without arguments the --procedures folder (default: those "
        "shipped) is checked.\n\nExits with 1 when a finding is at least of --severity, with 3 when a file cannot be loaded.",
    ),
    "svcflow check procedures/",
    "svcflow check repair.yaml --severity warning --lang zh",
    "svcflow check procedures/ --json",
)
@click.argument("paths", nargs=-1, metavar="FILE|DIR...")
@option(
    "--severity",
    type=click.Choice(_RANKS),
    default="error",
    show_default=True,
    zh="达到此程度时退出码为 1",
    en="Exit with 1 from this severity on.",
)
@with_procedures
def check(session: CommandSession, *, paths: tuple[str, ...], severity: str) -> int:
    """Check declaration files."""
    from svcflow.cli.file_checks import check_files
    from svcflow.model.catalog import shipped_folder

    folder = Path(session.folder) if session.folder else shipped_folder()
    checked = check_files([Path(path) for path in paths] or [folder])
    session.answer(lambda: _record(checked), lambda: _text(checked, session.lang))
    grave = _RANKS[: _RANKS.index(severity) + 1]
    if checked.problems:
        return BAD_INPUT
    return FOUND if any(finding.severity in grave for finding in checked.findings) else 0


def _record(checked: CheckedFiles) -> Record:
    record: Record = {
        "files": len(checked.files),
        "findings": [
            *(problem_json(problem) for problem in checked.problems),
            *(finding.to_json() for finding in checked.findings),
        ],
        "summary": _counts(checked),
    }
    return {**record, **(error_json(DeclarationError(checked.problems)) if checked.problems else {})}


def _text(checked: CheckedFiles, lang: Tongue) -> str:
    lines = [_problem(problem, lang) for problem in checked.problems]
    lines += [finding.text(lang) for finding in checked.findings]
    counts = _counts(checked)
    summary = Text(
        zh=f"{len(checked.files)} 个文件：{counts['error']} 个错误、{counts['warning']} 个警告、{counts['note']} 个提示",
        en=f"{many(len(checked.files), 'file')}: {', '.join(many(counts[rank], rank) for rank in _RANKS)}",
    )
    return "\n".join((*lines, summary.in_(lang)))


def _problem(problem: Problem, lang: Tongue) -> str:
    """Return a mistake as findings are written: place, severity and code, message."""
    message = attrs.evolve(problem, path=(), file="", line=0).text(lang)
    where = problem.text(lang).removesuffix(message).removesuffix(": ")
    kind = Text(zh="错误 declaration", en="error declaration").in_(lang)
    return ": ".join(filter(None, (where, kind, message)))


def _counts(checked: CheckedFiles) -> dict[str, int]:
    counts = Counter(finding.severity for finding in checked.findings)
    return {
        "error": counts["error"] + len(checked.problems),
        "warning": counts["warning"],
        "note": counts["note"],
    }


@command(
    "diff",
    Text(
        zh="比较一个流程的两个版本：逐条列出新增（＋）、删除（－）、改动（≠），标出（!）影响在办实例的改动，并建议新旧环节的对应。\n版本以文件或编号给出。退出码：相同为 0，不同为 1。",
        en="Compare two versions of a procedure: what was added (＋), removed (－) and changed (≠), what is breaking (!) "
        "for running instances, and which step probably became which. Versions are given by file or id.\n\n"
        "Exits with 0 when they are equal and with 1 when they differ.",
    ),
    "svcflow diff repair@1 repair@2 --procedures procedures/",
    "svcflow diff old/repair.yaml new/repair.yaml --lang zh",
    "svcflow diff repair@1 repair.yaml --json",
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@with_procedures
def diff(session: CommandSession, *, old: str, new: str) -> int:
    """Compare two versions."""
    from svcflow.model.diff.compare import diff

    before, after = (find_procedure(name, session.folder)[0] for name in (old, new))
    changes = diff(before, after)
    session.answer(changes.to_json, lambda: changes.text(session.lang))
    return FOUND if changes else 0


@command(
    "draw",
    Text(
        zh="把流程画成泳道图，按后缀输出 .svg .png .dot .json。流程以文件或编号给出。",
        en="Draw a procedure as a swimlane map; the suffix says the format: .svg .png .dot .json. The procedure is "
        "given by file or id.",
    ),
    "svcflow draw repair",
    "svcflow draw procedures/property/repair.yaml -o repair.png --lang zh",
    "svcflow draw meeting@1 -o meeting.svg --direction vertical",
)
@click.argument("procedure", metavar="FILE|ID")
@out_option(zh="输出文件；缺省为当前文件夹的 ID.svg", en="Where to write; default: ID.svg in this folder.")
@option(
    "--lang",
    "drawn",
    type=click.Choice(["zh", "en", "zh+en"]),
    default="zh+en",
    show_default=True,
    zh="图中的语言",
    en="Language of the drawing.",
)
@option(
    "--direction",
    type=click.Choice(["horizontal", "vertical"]),
    default="horizontal",
    show_default=True,
    zh="泳道方向",
    en="Which way the lanes run.",
)
@option(
    "--router",
    type=click.Choice(["auto", "wasm", "dot", "own"]),
    default="auto",
    show_default=True,
    zh="不再起作用：所有图都由内置布线",
    en="Has no effect any more: svcflow routes every map itself.",
)
@json_option
@procedures_option
@with_session
def draw(
    session: CommandSession,
    *,
    procedure: str,
    out: Path | None,
    drawn: Lang,
    direction: Direction,
    router: Router,
) -> None:
    """Draw a procedure."""
    from svcflow.drawing import draw

    declared, _ = find_procedure(procedure, session.folder)
    if router in ("wasm", "dot"):
        note = Text(
            zh=f"--router {router} 不起作用：所有图都由内置布线",
            en=f"--router {router} has no effect: svcflow routes every map itself",
        )
        click.echo(note.in_(session.lang), err=True)
    drawing = draw(declared, lang=drawn, direction=direction)
    target = write_whole(out or Path(f"{declared.id}.svg"), drawing.save)
    record = {
        "file": str(target),
        "procedure": declared.id,
        "version": declared.version,
        "router": drawing.router,
        "bytes": target.stat().st_size,
    }
    session.answer(lambda: record, lambda: str(target))
