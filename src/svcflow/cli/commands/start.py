"""`svcflow start`: begin an instance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.options import actor_option, command_id_option, data_option, evidence_option, stored
from svcflow.cli.output import answer
from svcflow.cli.values import PROCEDURE, RECIPIENT, Pair, ProcedureName, actor_or_nobody, once, typed
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor, Recipient
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine


@command(
    "start",
    Text(
        zh="启动流程的最新版（或 ID@版本）的一个实例。存储文件不存在时新建。",
        en="Start an instance of the newest version of a procedure (or of ID@VERSION). The store is made if missing.",
    ),
    "svcflow start repair --db service.db --data place=3-1204 --data priority=emergency \\",
    "    --recipient room-1204:staff --actor desk-1:dispatcher",
    "svcflow start complaint@1 --db service.db --data about=noise --id complaint-17 --json",
)
@argument("procedure", type=PROCEDURE)
@data_option
@option(
    "--recipient",
    type=RECIPIENT,
    metavar="ID:GROUP",
    wording=Text(
        zh="服务对象及类别（leaders、staff、retirees、logistics）",
        en="Who is served, and the group: leaders, staff, retirees, logistics.",
    ),
)
@actor_option
@evidence_option
@option(
    "--id",
    "instance_id",
    metavar="ID",
    wording=Text(zh="自定实例编号", en="The instance's id, if you choose it."),
)
@command_id_option
@stored
@click.pass_context
def run(
    ctx: click.Context,
    *,
    procedure: ProcedureName,
    data: tuple[Pair, ...],
    recipient: Recipient | None,
    actor: Actor | None,
    evidence: tuple[Pair, ...],
    instance_id: str | None,
    command_id: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Start, and show the instance."""
    from svcflow.cli.moved import moved_json, moved_text
    from svcflow.cli.session import engine_at, is_new

    asked = asked_of(ctx)

    def start(engine: Engine) -> Instance:
        return engine.start(
            procedure,
            data=typed(data, engine.catalog[procedure].fields),
            recipient=recipient,
            actor=actor_or_nobody(actor),
            evidence=once(evidence),
            instance_id=instance_id,
            command_id=command_id,
        )

    if is_new(db):
        with engine_at("memory://", folder, at) as rehearsal:
            start(rehearsal)  # what is refused here leaves no empty store behind
    with engine_at(db, folder, at, create=True) as engine:
        made = start(engine)
        answer(asked, lambda: moved_json(engine, made), lambda: moved_text(engine, made, asked.lang))
