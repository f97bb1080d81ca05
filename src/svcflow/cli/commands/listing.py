"""`svcflow list`: the instances of a store."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Unpack

import click

from svcflow.cli.command import asked_of, command, option
from svcflow.cli.options import (
    answer_count,
    answer_counts,
    counted,
    due_soon,
    going_on,
    in_span,
    of_data,
    of_group,
    of_procedure,
    of_role,
    of_step,
    paged,
    stored,
)
from svcflow.cli.output import answer
from svcflow.cli.values import Pair
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.runtime.filters import InstanceFilters, InstanceKey


@command(
    "list",
    Text(
        zh="列出实例，最新的在前。--step 与 --role 指正等待办理的环节；--data 指字段的值，须连同 --procedure；--since、--until 指开始的时刻。--overdue 与 --due-within 指正在计时的截止。",
        en="List instances, newest first. --step and --role are of the work that waits now; --data is the value of a "
        "field, and wants --procedure; --since and --until are of the start; --overdue and --due-within of deadlines that run.",
    ),
    "svcflow list --db service.db --status running --role technician",
    "svcflow list --db service.db --procedure repair --data priority=emergency --limit 20",
    "svcflow list --db service.db --overdue",
    "svcflow list --db service.db --due-within 2h --count-by role --json",
)
@of_procedure
@option(
    "--status",
    type=click.Choice(["running", "held", "ended"]),
    wording=Text(zh="只列此状态", en="Only in this status."),
)
@of_step
@of_role
@option("--recipient", metavar="ID", wording=Text(zh="只列此服务对象", en="Only for this recipient."))
@of_group
@of_data
@in_span
@due_soon
@paged(limit=100)
@counted("procedure", "status", "step", "role", "group")
@stored
@click.pass_context
def run(
    ctx: click.Context,
    /,
    *,
    pairs: tuple[Pair, ...],
    overdue: bool,
    within: timedelta | None,
    limit: int,
    after: str | None,
    count: bool,
    count_by: InstanceKey | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
    **filters: Unpack[InstanceFilters],
) -> None:
    """List, or count."""
    from svcflow.cli.json import listed_json
    from svcflow.cli.options import data_of, due_before, see_known
    from svcflow.cli.session import engine_at, names_in, versions_of
    from svcflow.cli.tables import instance_table
    from svcflow.kernel.facts import to_datetime

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        procedure = filters["procedure"]
        see_known(engine.catalog, procedure=procedure, step=filters["step"], role=filters["role"])
        now = to_datetime(engine.clock.now_us())
        filters["due_before"] = due_before(now, overdue, within)
        filters["data"] = data_of(engine.catalog, procedure, pairs)
        if count_by is not None:
            answer_counts(
                asked, count_by, engine.instance_counts(count_by, **filters), engine.catalog, procedure
            )
            return
        if count:
            answer_count(asked, engine.count_instances(**filters))
            return
        found = engine.instances(limit=limit, after=after, **filters)

        def text() -> str:
            if not found:
                return Text(zh="没有符合的实例", en="no instances").in_(asked.lang)
            names_of = names_in(engine, versions_of(found), asked.lang)
            said = instance_table(found, names_of, asked.lang, engine.due_at)
            return going_on(said, found.after, asked.lang)

        answer(
            asked,
            lambda: {
                "instances": [listed_json(one, engine.due_at(one)) for one in found],
                "after": found.after,
            },
            text,
        )
