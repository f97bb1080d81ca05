"""`svcflow hold`: stop the clocks of an instance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.answer import answer
from svcflow.cli.asking import actor_option, command_id_option, evidence_option, expect_option, stored
from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.values import Pair, actor_or_nobody
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor


@command(
    "hold",
    Text(
        zh="暂停实例：可停的时限停止计时，到恢复为止。事由取 recipient、third_party、statutory。",
        en="Hold an instance: the limits that may stop stand still until it is resumed. Reasons are recipient, "
        "third_party, statutory.",
    ),
    "svcflow hold repair-9 --db service.db --reason third_party --evidence notice=n-31",
)
@argument("instance")
@option("--reason", required=True, metavar="REASON", wording=Text(zh="暂停的事由", en="Why it is held."))
@actor_option
@evidence_option
@expect_option
@command_id_option
@stored
@click.pass_context
def run(
    ctx: click.Context,
    *,
    instance: str,
    reason: str,
    actor: Actor | None,
    evidence: tuple[Pair, ...],
    expect: int | None,
    command_id: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Hold, and show the instance."""
    from svcflow.cli.moved import moved_json, moved_text
    from svcflow.cli.opening import engine_at

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        held = engine.hold(
            instance,
            reason=reason,
            actor=actor_or_nobody(actor),
            evidence=dict(evidence),
            command_id=command_id,
            expected_revision=expect,
        )
        answer(asked, lambda: moved_json(engine, held), lambda: moved_text(engine, held, asked.lang))
