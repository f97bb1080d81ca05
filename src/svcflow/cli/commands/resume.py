"""`svcflow resume`: let the clocks of a held instance run on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.answer import answer
from svcflow.cli.asking import actor_option, command_id_option, expect_option, stored
from svcflow.cli.command import argument, asked_of, command
from svcflow.cli.values import actor_or_nobody
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor


@command(
    "resume",
    Text(zh="恢复暂停中的实例，时限继续计时。", en="Resume a held instance; its limits run on."),
    "svcflow resume repair-9 --db service.db --actor desk-1:dispatcher",
)
@argument("instance")
@actor_option
@expect_option
@command_id_option
@stored
@click.pass_context
def run(
    ctx: click.Context,
    *,
    instance: str,
    actor: Actor | None,
    expect: int | None,
    command_id: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Resume, and show the instance."""
    from svcflow.cli.moved import moved_json, moved_text
    from svcflow.cli.opening import engine_at

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        resumed = engine.resume(
            instance, actor=actor_or_nobody(actor), command_id=command_id, expected_revision=expect
        )
        answer(asked, lambda: moved_json(engine, resumed), lambda: moved_text(engine, resumed, asked.lang))
