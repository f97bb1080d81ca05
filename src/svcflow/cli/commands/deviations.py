"""Commands of deviations: `svcflow deviations` lists them, `svcflow deviation` explains, accepts and rejects one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Unpack

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.errors import FOUND
from svcflow.cli.moving import Asker, asking
from svcflow.cli.options import (
    answer_count,
    answer_counts,
    counted,
    going_on,
    in_span,
    named_actor_option,
    of_group,
    of_procedure,
    of_role,
    of_step,
    paged,
    stored,
)
from svcflow.cli.output import answer
from svcflow.cli.section import Section
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.cli.listening import ListeningEngine
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
def deviations(
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


_reason = option("--reason", required=True, metavar="REASON", wording=Text(zh="理由", en="Why."))


def _answering(function: Callable[..., object]) -> Callable[..., None]:
    """Make a command of a function that answers to a deviation; the deviation is shown as it then stands."""

    @argument("instance")
    @argument("sequence", type=click.IntRange(min=1))
    @_reason
    @named_actor_option
    @asking
    def run(engine: ListeningEngine, instance: str, *, sequence: int, reason: str, by: Asker) -> None:
        function(engine, instance, sequence, reason=reason, by=by)
        _show(engine, instance, sequence)

    return run


@command(
    "explain",
    Text(
        zh="说明一条偏差的原因；序号见 svcflow deviations。实例结束后也可以，并可由多人说明。",
        en="Say why a deviation came about; `svcflow deviations` gives its number. Also after the end of the instance, "
        "and by several persons.",
    ),
    "svcflow deviation explain repair-9 4 --db service.db --actor tech-2:technician \\",
    '    --reason "the lift was out of order"',
)
@_answering
def explain(engine: ListeningEngine, instance: str, sequence: int, *, reason: str, by: Asker) -> None:
    """Explain."""
    engine.explain_deviation(instance, sequence, reason=reason, **by)


@command(
    "accept",
    Text(
        zh="认可对偏差的说明：不归责于人，但照常计数。说明人不能自己认可。",
        en="Accept what was explained: it is put down to nobody, and counts all the same. Who explained it may not "
        "judge it.",
    ),
    'svcflow deviation accept repair-9 4 --db service.db --actor m-1:manager --reason "lift log seen"',
)
@_answering
def accept(engine: ListeningEngine, instance: str, sequence: int, *, reason: str, by: Asker) -> None:
    """Accept."""
    engine.accept_deviation(instance, sequence, reason=reason, **by)


@command(
    "reject",
    Text(
        zh="不认可对偏差的说明。说明人不能自己认定；最后一次认定为准。",
        en="Reject what was explained. Who explained it may not judge it; the last judgement counts.",
    ),
    'svcflow deviation reject repair-9 4 --db service.db --actor m-1:manager --reason "it ran that day"',
)
@_answering
def reject(engine: ListeningEngine, instance: str, sequence: int, *, reason: str, by: Asker) -> None:
    """Reject."""
    engine.reject_deviation(instance, sequence, reason=reason, **by)


def _show(engine: ListeningEngine, instance: str, sequence: int) -> None:
    from svcflow.cli.departures import departures_json, departures_text
    from svcflow.cli.json import deviation_json
    from svcflow.cli.output import paragraphs
    from svcflow.cli.replies import replies_to
    from svcflow.cli.session import names_in, versions_of
    from svcflow.cli.tables import deviation_table

    asked, departed = asked_of(click.get_current_context()), engine.departures(instance)
    found = [one for one in engine.deviations(instance=instance) if one.sequence == sequence]
    replies = replies_to(engine, found)

    def text() -> str:
        grid = deviation_table(found, names_in(engine, versions_of(found), asked.lang), asked.lang, replies)
        return paragraphs((grid, departures_text(engine, departed, asked.lang)))

    answer(
        asked,
        lambda: {
            "deviation": deviation_json(found[0], replies[instance, sequence]),
            "deviations": departures_json(departed),
        },
        text,
    )


deviation = Section(
    "deviation",
    Text(
        zh="对偏差的说明与认定。偏差从不删除，认可后也照常计数。",
        en="Answers to a deviation: explain, accept, reject. None is ever deleted; an accepted one counts all the same.",
    ),
    {"explain": explain, "accept": accept, "reject": reject},
)
