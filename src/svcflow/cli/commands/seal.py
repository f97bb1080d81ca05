"""`svcflow seal`: a checkpoint of all journals, to be kept elsewhere."""

from __future__ import annotations

from datetime import datetime

import click

from svcflow.cli.command import asked_of, command, option
from svcflow.cli.errors import OutputError
from svcflow.cli.options import stored
from svcflow.cli.output import answer
from svcflow.errors import StoreError
from svcflow.text import Text


@command(
    "seal",
    Text(
        zh="封存全部留痕，给出校验点。把校验点存到能改动存储的人改不了的地方；两次封存之间的留痕仍可能被无痕改写。",
        en="Seal all journals and give a checkpoint. Keep it where whoever can write to the store cannot: what is "
        "written between two seals could still be rewritten unseen.",
    ),
    "svcflow seal --to checkpoints.jsonl --db service.db",
    "svcflow verify --checkpoint checkpoints.jsonl --db service.db",
)
@option(
    "--to",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    wording=Text(zh="把校验点追加到此文件", en="A file to append the checkpoint to."),
)
@stored
@click.pass_context
def run(
    ctx: click.Context, *, to: str | None, db: str | None, folder: str | None, at: datetime | None
) -> None:
    """Seal, and say what was sealed."""
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        try:
            checkpoint = engine.seal(to)
        except StoreError as error:
            if isinstance(error.__cause__, OSError):  # the file is at fault, not the store
                raise OutputError.of(to, error.__cause__) from error
            raise
    root = checkpoint.root.hex()
    said = Text(
        zh=f"{checkpoint.origin} 已封存 {checkpoint.size} 片叶子，根 {root}\n{_kept(to).zh}",
        en=f"{checkpoint.origin}: sealed {checkpoint.size} {'leaf' if checkpoint.size == 1 else 'leaves'}, root {root}\n{_kept(to).en}",
    )
    answer(
        asked,
        lambda: {"origin": checkpoint.origin, "size": checkpoint.size, "root": root, "file": to},
        lambda: said.in_(asked.lang),
    )


def _kept(to: str | None) -> Text:
    """Say where the checkpoint was written, or that it is nowhere yet but on the screen."""
    if to is None:
        return Text(
            zh="校验点没有写入文件：用 --to 文件", en="the checkpoint was written to no file: give --to FILE"
        )
    return Text(zh=f"校验点已追加到 {to}", en=f"the checkpoint was appended to {to}")
