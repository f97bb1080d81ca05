"""Commands of procedure files: `svcflow check`, `diff`, `draw`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.errors import BAD_INPUT, FOUND, error_json, problem_json
from svcflow.cli.language import Tongue
from svcflow.cli.options import spoken, with_procedures
from svcflow.cli.output import answer
from svcflow.text import Lang, Text
from svcflow.wording import many

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.cli.review import Review
    from svcflow.drawing.drawing import Router
    from svcflow.drawing.scene.scene import Direction
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
@argument("paths", nargs=-1, metavar="FILE|DIR...")
@option(
    "--severity",
    type=click.Choice(_RANKS),
    default="error",
    show_default=True,
    wording=Text(zh="达到此程度时退出码为 1", en="Exit with 1 from this severity on."),
)
@with_procedures
@spoken
@click.pass_context
def check(ctx: click.Context, *, paths: tuple[str, ...], severity: str, folder: str | None) -> None:
    """Check, and list the findings."""
    from svcflow.cli.review import review
    from svcflow.model.catalog import shipped_folder

    asked = asked_of(ctx)
    wanted = [Path(path) for path in paths] or [Path(folder) if folder else shipped_folder()]
    found = review(wanted)
    answer(asked, lambda: _record(found), lambda: _text(found, asked.lang))
    asked_rank = _RANKS.index(severity)
    grave = any(_RANKS.index(one.severity) <= asked_rank for one in found.findings)
    ctx.exit(BAD_INPUT if found.problems else FOUND if grave else 0)


def _record(found: Review) -> Record:
    from svcflow.errors import DeclarationError

    record: Record = {
        "files": len(found.files),
        "findings": [
            *(problem_json(problem) for problem in found.problems),
            *(finding.to_json() for finding in found.findings),
        ],
        "summary": _counts(found),
    }
    return {**record, **(error_json(DeclarationError(found.problems)) if found.problems else {})}


def _text(found: Review, lang: Tongue) -> str:
    lines = [_problem(problem, lang) for problem in found.problems]
    lines += [finding.text(lang) for finding in found.findings]
    counts = _counts(found)
    summary = Text(
        zh=f"{len(found.files)} 个文件：{counts['error']} 个错误、{counts['warning']} 个警告、{counts['note']} 个提示",
        en=f"{many(len(found.files), 'file')}: {', '.join(many(counts[rank], rank) for rank in _RANKS)}",
    )
    return "\n".join((*lines, summary.in_(lang)))


def _problem(problem: Problem, lang: Tongue) -> str:
    """Write a mistake as findings are written: place, severity and code, words."""
    said = attrs.evolve(problem, path=(), file="", line=0).text(lang)
    where = problem.text(lang).removesuffix(said).removesuffix(": ")
    kind = Text(zh="错误 declaration", en="error declaration").in_(lang)
    return ": ".join(filter(None, (where, kind, said)))


def _counts(found: Review) -> dict[str, int]:
    counts = Counter(finding.severity for finding in found.findings)
    return {
        "error": counts["error"] + len(found.problems),
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
@argument("old", metavar="OLD")
@argument("new", metavar="NEW")
@with_procedures
@spoken
@click.pass_context
def diff(ctx: click.Context, *, old: str, new: str, folder: str | None) -> None:
    """Compare, and list the changes."""
    from svcflow.cli.declared import find_procedure
    from svcflow.model.diff.compare import diff

    asked = asked_of(ctx)
    found = diff(find_procedure(old, folder).procedure, find_procedure(new, folder).procedure)
    answer(asked, found.to_json, lambda: found.text(asked.lang))
    ctx.exit(FOUND if found else 0)


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
@argument("procedure", metavar="FILE|ID")
@option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    wording=Text(
        zh="输出文件；缺省为当前文件夹的 ID.svg", en="Where to write; default: ID.svg in this folder."
    ),
)
@option(
    "--lang",
    "drawn",
    type=click.Choice(["zh", "en", "zh+en"]),
    default="zh+en",
    show_default=True,
    wording=Text(zh="图中的语言", en="Language of the drawing."),
)
@option(
    "--direction",
    type=click.Choice(["horizontal", "vertical"]),
    default="horizontal",
    show_default=True,
    wording=Text(zh="泳道方向", en="Which way the lanes run."),
)
@option(
    "--router",
    type=click.Choice(["auto", "wasm", "dot", "own"]),
    default="auto",
    show_default=True,
    wording=Text(
        zh="不再起作用：所有图都由内置布线", en="Has no effect any more: svcflow routes every map itself."
    ),
)
@option("--json", is_flag=True, expose_value=False, wording=Text(zh="输出 JSON", en="Answer with JSON."))
@with_procedures
@click.pass_context
def draw(
    ctx: click.Context,
    *,
    procedure: str,
    out: Path | None,
    drawn: Lang,
    direction: Direction,
    router: Router,
    folder: str | None,
) -> None:
    """Draw, and name the file."""
    from svcflow.cli.declared import find_procedure
    from svcflow.cli.output_file import written
    from svcflow.drawing import draw

    asked = asked_of(ctx)
    found = find_procedure(procedure, folder).procedure
    if router in ("wasm", "dot"):
        note = Text(
            zh=f"--router {router} 不起作用：所有图都由内置布线",
            en=f"--router {router} has no effect: svcflow routes every map itself",
        )
        click.echo(note.in_(asked.lang), err=True)
    drawing = draw(found, lang=drawn, direction=direction)
    target = written(out or Path(f"{found.id}.svg"), drawing.save)
    record = {
        "file": str(target),
        "procedure": found.id,
        "version": found.version,
        "router": drawing.router,
        "bytes": target.stat().st_size,
    }
    answer(asked, lambda: record, lambda: str(target))
