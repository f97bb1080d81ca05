"""`svcflow diff`: what changed between two versions of a procedure."""

from __future__ import annotations

import click

from svcflow.cli.command import argument, asked_of, command
from svcflow.cli.errors import FOUND
from svcflow.cli.options import spoken, with_procedures
from svcflow.cli.output import answer
from svcflow.text import Text


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
def run(ctx: click.Context, *, old: str, new: str, folder: str | None) -> None:
    """Compare, and list the changes."""
    from svcflow.cli.declared import find_procedure
    from svcflow.model.diff.compare import diff

    asked = asked_of(ctx)
    found = diff(find_procedure(old, folder).procedure, find_procedure(new, folder).procedure)
    answer(asked, found.to_json, lambda: found.text(asked.lang))
    ctx.exit(FOUND if found else 0)
