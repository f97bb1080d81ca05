"""`svcflow check`: what is wrong or unwise in procedure files, place by place."""

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
from svcflow.text import Text
from svcflow.wording import many

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.cli.review import Review
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
def run(ctx: click.Context, *, paths: tuple[str, ...], severity: str, folder: str | None) -> None:
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
