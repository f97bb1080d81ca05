"""`svcflow recompute`: reckon running deadlines anew."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import asked_of, command, option
from svcflow.cli.options import actor_option, stored
from svcflow.cli.output import answer
from svcflow.cli.values import actor_or_nobody
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor


@command(
    "recompute",
    Text(
        zh="日历更正或新一年公布之后，重算在办实例的截止时间；原来的时间与新的时间都留痕。",
        en="Reckon the deadlines of open instances anew after a calendar was corrected or a year published. Both "
        "the old and the new instant stay in the journal.",
    ),
    'svcflow recompute --db service.db --reason "arrangement of 2027 published"',
)
@option("--reason", required=True, metavar="REASON", wording=Text(zh="重算的理由", en="Why."))
@actor_option
@stored
@click.pass_context
def run(
    ctx: click.Context,
    *,
    reason: str,
    actor: Actor | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Recompute, and say which deadlines changed."""
    from svcflow.cli.recorded import recorded_json, recorded_text
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    nothing = Text(zh="截止时间没有变化", en="no deadline changed")
    with engine_at(db, folder, at) as engine:
        recorded = engine.recompute(reason=reason, actor=actor_or_nobody(actor))
        answer(
            asked,
            lambda: recorded_json(recorded),
            lambda: recorded_text(engine, recorded, asked.lang, nothing),
        )
