"""`svcflow fire`: move an instance by a trigger."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.answer import answer
from svcflow.cli.asking import (
    actor_option,
    command_id_option,
    data_option,
    evidence_option,
    expect_option,
    stored,
)
from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.values import INSTANT, Pair, actor_or_nobody, typed
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor


@command(
    "fire",
    Text(
        zh="让实例流转。可用的命令见 svcflow show INSTANCE。被规则拒绝的尝试也会留痕。",
        en="Move an instance by a trigger; `svcflow show INSTANCE` lists those that are open. An attempt that a "
        "rule refuses is kept in the journal.",
    ),
    "svcflow fire complaint-17 acknowledge --db service.db --actor desk-1:desk",
    "svcflow fire repair-9 finish --db service.db --actor tech-2:technician --evidence photo=a1.jpg",
    'svcflow fire repair-9 arrive --db service.db --actor t:technician --override "already there"',
)
@argument("instance")
@argument("trigger")
@actor_option
@data_option
@evidence_option
@option(
    "--override",
    metavar="REASON",
    wording=Text(
        zh="越过次序或条件的理由，会记为偏差", en="Go round the order or a guard; recorded as a deviation."
    ),
)
@option(
    "--step",
    metavar="STEP",
    wording=Text(
        zh="并行时指明从哪个环节流转", en="The step to leave, when several branches know the trigger."
    ),
)
@option(
    "--occurred-at",
    type=INSTANT,
    wording=Text(
        zh="补录：实际发生的时刻；时限按它判定",
        en="When it really happened, if before now; deadlines are judged by it.",
    ),
)
@expect_option
@command_id_option
@stored
@click.pass_context
def run(
    ctx: click.Context,
    *,
    instance: str,
    trigger: str,
    actor: Actor | None,
    data: tuple[Pair, ...],
    evidence: tuple[Pair, ...],
    override: str | None,
    step: str | None,
    occurred_at: datetime | None,
    expect: int | None,
    command_id: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Fire, and show the instance."""
    from svcflow.cli.moved import moved_json, moved_text
    from svcflow.cli.opening import engine_at

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        kept = engine.instance(instance)
        fields = engine.catalog[kept.procedure, kept.version].fields
        moved = engine.fire(
            instance,
            trigger,
            actor=actor_or_nobody(actor),
            data=typed(data, fields),
            evidence=dict(evidence),
            step=step,
            override=override,
            occurred_at=occurred_at,
            command_id=command_id,
            expected_revision=expect,
        )
        answer(asked, lambda: moved_json(engine, moved), lambda: moved_text(engine, moved, asked.lang))
