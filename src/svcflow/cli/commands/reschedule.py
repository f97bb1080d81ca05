"""`svcflow reschedule`: move a scheduled instant."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.answer import answer
from svcflow.cli.asking import actor_option, command_id_option, expect_option, stored
from svcflow.cli.command import argument, asked_of, command
from svcflow.cli.values import INSTANT, actor_or_nobody
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor


@command(
    "reschedule",
    Text(
        zh="改期：移动预约时间字段，跟着它的截止时间随之移动。写 none 表示时间未定。",
        en="Move a scheduled instant; the deadlines that refer to it follow. Write none when it is not known yet.",
    ),
    "svcflow reschedule meeting-3 meeting_start 2026-03-05T14:00+08:00 --db service.db \\",
    "    --actor org-1:organiser",
)
@argument("instance")
@argument("field")
@argument("when", metavar="INSTANT|none")
@actor_option
@expect_option
@command_id_option
@stored
@click.pass_context
def run(
    ctx: click.Context,
    *,
    instance: str,
    field: str,
    when: str,
    actor: Actor | None,
    expect: int | None,
    command_id: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Reschedule, and show the instance."""
    from svcflow.cli.moved import moved_json, moved_text
    from svcflow.cli.opening import engine_at

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        moved = engine.reschedule(
            instance,
            field,
            None if when == "none" else INSTANT.convert(when, None, ctx),
            actor=actor_or_nobody(actor),
            command_id=command_id,
            expected_revision=expect,
        )
        answer(asked, lambda: moved_json(engine, moved), lambda: moved_text(engine, moved, asked.lang))
