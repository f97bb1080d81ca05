"""`svcflow deviations`: the recorded departures from procedures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Unpack

import click

from svcflow.cli.command import asked_of, command, option
from svcflow.cli.errors import FOUND
from svcflow.cli.options import (
    answer_count,
    answer_counts,
    counted,
    going_on,
    in_span,
    of_group,
    of_procedure,
    of_role,
    of_step,
    paged,
    stored,
)
from svcflow.cli.output import answer
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.runtime.filters import DeviationFilters, DeviationKey


@command(
    "deviations",
    Text(
        zh="列出已记录的偏差，按发生时间。先用 svcflow tick 记录到期事项，结果才是最新的。\n列出的偏差有达到 --severity 的，退出码为 1；已撤销的（补录后其实按时）照列，不计入。只计数时为 0。",
        en="List recorded deviations by when they occurred. Run `svcflow tick` first, so that they are current. "
        "Exits with 1 when one that is listed is at least of --severity, with 0 when they are only counted; one that is annulled, because the end, recorded late, was "
        "in time, is listed and does not count.",
    ),
    "svcflow deviations --db service.db --procedure repair --kind overdue --since 2026-03-01",
    "svcflow deviations --db service.db --severity critical --json",
    "svcflow deviations --db service.db --status explained",
    "svcflow deviations --db service.db --count-by kind",
)
@of_procedure
@option("--instance", metavar="ID", wording=Text(zh="只列此实例", en="Only of this instance."))
@option(
    "--kind",
    metavar="KIND",
    wording=Text(
        zh="种类：overdue、long_wait、skipped_step、out_of_order、wrong_role、missing_evidence、missing_data、rework_over_bound、guard、too_early、missed_occurrence、breached_on_attach、short_notice、infeasible_on_reschedule、late_record",
        en="overdue, long_wait, skipped_step, out_of_order, wrong_role, missing_evidence, missing_data, "
        "rework_over_bound, guard, too_early, missed_occurrence, breached_on_attach, short_notice, "
        "infeasible_on_reschedule, late_record.",
    ),
)
@of_step
@of_role
@of_group
@option(
    "--status",
    type=click.Choice(["open", "explained", "accepted", "rejected"]),
    wording=Text(zh="只列说明与认定至此的", en="Only those that stand there: see svcflow deviation."),
)
@in_span
@option(
    "--severity",
    type=click.Choice(["minor", "major", "critical"]),
    default="minor",
    show_default=True,
    wording=Text(zh="达到此程度时退出码为 1", en="Exit with 1 from this severity on."),
)
@paged(limit=None)
@counted("procedure", "kind", "step", "role", "group", "status")
@stored
@click.pass_context
def run(
    ctx: click.Context,
    /,
    *,
    severity: str,
    limit: int | None,
    after: str | None,
    count: bool,
    count_by: DeviationKey | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
    **filters: Unpack[DeviationFilters],
) -> None:
    """List the deviations, or count them."""
    from svcflow.cli.json import deviation_json
    from svcflow.cli.options import see_known
    from svcflow.cli.replies import replies_to
    from svcflow.cli.session import engine_at, names_in, versions_of
    from svcflow.cli.tables import deviation_table

    asked = asked_of(ctx)
    _known_kind(filters["kind"])
    with engine_at(db, folder, at) as engine:
        procedure, instance = filters["procedure"], filters["instance"]
        see_known(engine.catalog, procedure=procedure, step=filters["step"], role=filters["role"])
        if instance is not None:
            engine.instance(instance)
        if count_by is not None:
            answer_counts(
                asked, count_by, engine.deviation_counts(count_by, **filters), engine.catalog, procedure
            )
            return
        if count:
            answer_count(asked, engine.count_deviations(**filters))
            return
        found = engine.deviations(limit=limit, after=after, **filters)

        replies = replies_to(engine, found)

        def text() -> str:
            if not found:
                return Text(zh="没有符合的偏差", en="no deviations").in_(asked.lang)
            names_of = names_in(engine, versions_of(found), asked.lang)
            said = deviation_table(found, names_of, asked.lang, replies)
            return going_on(said, found.after, asked.lang)

        answer(
            asked,
            lambda: {
                "deviations": [
                    deviation_json(one, replies.get((one.instance, one.sequence), ())) for one in found
                ],
                "after": found.after,
            },
            text,
        )
    standing = [one for one in found if not one.annulled]
    ctx.exit(FOUND if any(at_least(one.severity, severity) for one in standing) else 0)


def at_least(found: str, asked: str) -> bool:
    """Tell whether a severity is as grave as the one asked for."""
    from svcflow.model.limit import SEVERITIES

    return [*SEVERITIES].index(found) >= [*SEVERITIES].index(asked)  # type: ignore[arg-type]  # both are of them


def _known_kind(kind: str | None) -> None:
    from svcflow.cli.errors import unknown
    from svcflow.wording import DEVIATIONS

    if kind is not None and kind not in DEVIATIONS:
        named = next((one for one, name in DEVIATIONS.items() if kind in (name.zh, name.en)), None)
        raise unknown(Text(zh="偏差种类", en="kind of deviation"), kind, DEVIATIONS, meant=named)
