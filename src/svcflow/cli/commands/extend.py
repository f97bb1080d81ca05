"""`svcflow extend`: prolong a limit once."""

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
    "extend",
    Text(
        zh="延长一项时限：只能一次，须在到期之前，由声明的岗位提出。",
        en="Prolong a limit: once, before its deadline, by the role that the procedure declares.",
    ),
    'svcflow extend complaint-17 resolve --db service.db --reason "expert opinion pending" \\',
    "    --actor m-1:manager",
)
@argument("instance")
@argument("limit")
@option("--reason", required=True, metavar="REASON", wording=Text(zh="延长的理由", en="Why it is prolonged."))
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
    limit: str,
    reason: str,
    actor: Actor | None,
    evidence: tuple[Pair, ...],
    expect: int | None,
    command_id: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Extend, and show the instance."""
    from svcflow.cli.moved import moved_json, moved_text
    from svcflow.cli.opening import engine_at

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        moved = engine.extend(
            instance,
            limit,
            reason=reason,
            actor=actor_or_nobody(actor),
            evidence=dict(evidence),
            command_id=command_id,
            expected_revision=expect,
        )
        answer(asked, lambda: moved_json(engine, moved), lambda: moved_text(engine, moved, asked.lang))
