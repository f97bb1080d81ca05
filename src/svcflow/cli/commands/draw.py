"""`svcflow draw`: a procedure as a swimlane map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.options import with_procedures
from svcflow.cli.output import answer
from svcflow.text import Lang, Text

if TYPE_CHECKING:
    from svcflow.drawing.scene.scene import Direction
    from svcflow.drawing.swimlane import Router


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
def run(
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
