"""`svcflow list`: the instances of a store."""

from __future__ import annotations

from datetime import datetime

import click

from svcflow.cli.answer import answer
from svcflow.cli.asking import stored
from svcflow.cli.command import asked_of, command, option
from svcflow.text import Text


@command(
    "list",
    Text(zh="列出实例，最新的在前。", en="List instances, newest first."),
    "svcflow list --db service.db --status running",
    "svcflow list --db service.db --procedure repair --json",
)
@option("--procedure", metavar="ID", wording=Text(zh="只列此流程", en="Only of this procedure."))
@option(
    "--status",
    type=click.Choice(["running", "held", "ended"]),
    wording=Text(zh="只列此状态", en="Only in this status."),
)
@option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    wording=Text(zh="最多列出多少个", en="List at most so many."),
)
@stored
@click.pass_context
def run(
    ctx: click.Context,
    *,
    procedure: str | None,
    status: str | None,
    limit: int,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """List."""
    from svcflow.cli.grids import instance_table
    from svcflow.cli.opening import engine_at, names_of
    from svcflow.cli.records import instance_json
    from svcflow.kernel.instance import Status

    asked = asked_of(ctx)
    wanted: Status | None = status  # type: ignore[assignment]  # click admits these three only
    with engine_at(db, folder, at) as engine:
        if procedure is not None:
            engine.catalog[procedure]  # a name misspelt would list nothing
        found = engine.instances(procedure=procedure, status=wanted, limit=limit)

        def text() -> str:
            if not found:
                return Text(zh="没有符合的实例", en="no instances").in_(asked.lang)
            return instance_table(found, lambda p, v: names_of(engine, p, v, asked.lang), asked.lang)

        answer(asked, lambda: {"instances": [instance_json(one) for one in found]}, text)
