"""`svcflow tick`: record what became due."""

from __future__ import annotations

from datetime import datetime

import click

from svcflow.cli.command import asked_of, command
from svcflow.cli.options import stored
from svcflow.cli.output import answer
from svcflow.text import Text


@command(
    "tick",
    Text(
        zh="记录到现在为止到期的预警、升级、超时与自动流转。可由定时任务反复运行，何时运行不影响记录的内容。",
        en="Record every warning, escalation, overdue and automatic move that became due up to now. Meant for a "
        "scheduler; when it runs does not change what is recorded.",
    ),
    "svcflow tick --db service.db",
    "*/5 * * * *  svcflow tick --db /srv/service.db --json >> /srv/tick.log",
)
@stored
@click.pass_context
def run(ctx: click.Context, *, db: str | None, folder: str | None, at: datetime | None) -> None:
    """Tick, and say what was recorded."""
    from svcflow.cli.recorded import recorded_json, recorded_text
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    nothing = Text(zh="没有到期事项", en="nothing was due")
    with engine_at(db, folder, at) as engine:
        recorded = engine.tick()
        answer(
            asked,
            lambda: recorded_json(recorded),
            lambda: recorded_text(engine, recorded, asked.lang, nothing),
        )
