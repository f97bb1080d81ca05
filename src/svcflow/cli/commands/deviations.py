"""`svcflow deviations`: the recorded departures from procedures."""

from __future__ import annotations

from datetime import datetime

import click

from svcflow.cli.answer import answer
from svcflow.cli.asking import stored
from svcflow.cli.command import asked_of, command, option
from svcflow.cli.failure import FOUND
from svcflow.cli.values import INSTANT
from svcflow.text import Text


@command(
    "deviations",
    Text(
        zh="列出已记录的偏差，按发生时间。先用 svcflow tick 记录到期事项，结果才是最新的。\n有达到 --severity 的偏差时退出码为 1；已撤销的（补录后其实按时）照列，不计入。",
        en="List recorded deviations by when they occurred. Run `svcflow tick` first, so that they are current. "
        "Exits with 1 when one is at least of --severity; one that is annulled, because the end, recorded late, was "
        "in time, is listed and does not count.",
    ),
    "svcflow deviations --db service.db --procedure repair --kind overdue --since 2026-03-01",
    "svcflow deviations --db service.db --severity critical --json",
)
@option("--procedure", metavar="ID", wording=Text(zh="只列此流程", en="Only of this procedure."))
@option("--instance", metavar="ID", wording=Text(zh="只列此实例", en="Only of this instance."))
@option(
    "--kind",
    metavar="KIND",
    wording=Text(
        zh="种类：overdue、long_wait、skipped_step、out_of_order、wrong_role、missing_evidence、missing_data、rework_over_bound、guard",
        en="overdue, long_wait, skipped_step, out_of_order, wrong_role, missing_evidence, missing_data, "
        "rework_over_bound, guard.",
    ),
)
@option("--step", metavar="STEP", wording=Text(zh="只列此环节", en="Only of this step."))
@option("--since", type=INSTANT, wording=Text(zh="自此时刻起", en="From this instant on."))
@option("--until", type=INSTANT, wording=Text(zh="到此时刻前", en="Before this instant."))
@option(
    "--severity",
    type=click.Choice(["minor", "major", "critical"]),
    default="minor",
    show_default=True,
    wording=Text(zh="达到此程度时退出码为 1", en="Exit with 1 from this severity on."),
)
@stored
@click.pass_context
def run(
    ctx: click.Context,
    *,
    procedure: str | None,
    instance: str | None,
    kind: str | None,
    step: str | None,
    since: datetime | None,
    until: datetime | None,
    severity: str,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """List the deviations."""
    from svcflow.cli.grids import deviation_table
    from svcflow.cli.opening import engine_at, names_of
    from svcflow.cli.records import deviation_json

    asked = asked_of(ctx)
    _known_kind(kind)
    with engine_at(db, folder, at) as engine:
        if procedure is not None:
            engine.catalog[procedure]  # a name misspelt would list nothing
        if instance is not None:
            engine.instance(instance)
        found = engine.deviations(
            procedure=procedure, instance=instance, kind=kind, step=step, since=since, until=until
        )

        def text() -> str:
            if not found:
                return Text(zh="没有符合的偏差", en="no deviations").in_(asked.lang)
            return deviation_table(found, lambda p, v: names_of(engine, p, v, asked.lang), asked.lang)

        answer(asked, lambda: {"deviations": [deviation_json(one) for one in found]}, text)
    standing = [one for one in found if not one.annulled]
    ctx.exit(FOUND if any(at_least(one.severity, severity) for one in standing) else 0)


def at_least(found: str, asked: str) -> bool:
    """Tell whether a severity is as grave as the one asked for."""
    from svcflow.model.limit import SEVERITIES

    return [*SEVERITIES].index(found) >= [*SEVERITIES].index(asked)  # type: ignore[arg-type]  # both are of them


def _known_kind(kind: str | None) -> None:
    from svcflow.cli.failure import WrongUsage
    from svcflow.kernel.deviations import KINDS

    if kind is not None and kind not in KINDS:
        listed = ", ".join(KINDS)
        raise WrongUsage(
            Text(zh=f"没有偏差种类 {kind}", en=f"there is no kind of deviation {kind!r}"),
            Text(zh=f"可用：{listed}", en=f"there are: {listed}"),
        )
