"""Commands of deviations: `svcflow deviations` lists them, `svcflow deviation` explains, accepts and rejects one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Unpack

import click

from svcflow.cli.command import CommandGroup, command, option
from svcflow.cli.errors import FOUND, unknown
from svcflow.cli.instance_command import CallerArguments, instance_command
from svcflow.cli.lists import answer_count, answer_counts, answer_page, check_known
from svcflow.cli.options import (
    count_options,
    group_filter,
    named_actor_option,
    page_options,
    procedure_filter,
    reason_option,
    role_filter,
    severity_option,
    span_filters,
    step_filter,
    with_store,
)
from svcflow.cli.output import paragraphs
from svcflow.cli.session import CommandSession
from svcflow.cli.values import is_at_least
from svcflow.text import Text
from svcflow.wording import DEVIATIONS

if TYPE_CHECKING:
    from svcflow.cli.engine import RecordingEngine
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
@procedure_filter
@option("--instance", metavar="ID", zh="只列此实例", en="Only of this instance.")
@option(
    "--kind",
    metavar="KIND",
    zh="种类：overdue、long_wait、skipped_step、out_of_order、wrong_role、missing_evidence、missing_data、rework_over_bound、guard、too_early、missed_occurrence、breached_on_attach、short_notice、infeasible_on_reschedule、late_record、missed_start、settled_value_changed、unqualified",
    en="overdue, long_wait, skipped_step, out_of_order, wrong_role, missing_evidence, missing_data, "
    "rework_over_bound, guard, too_early, missed_occurrence, breached_on_attach, short_notice, "
    "infeasible_on_reschedule, late_record, missed_start, settled_value_changed, unqualified.",
)
@step_filter
@role_filter
@group_filter
@option(
    "--status",
    type=click.Choice(["open", "explained", "accepted", "rejected"]),
    zh="只列说明与认定至此的",
    en="Only those that stand there: see svcflow deviation.",
)
@span_filters
@severity_option
@page_options(limit=None)
@count_options("procedure", "kind", "step", "role", "group", "status")
@with_store
def deviations(
    session: CommandSession,
    /,
    *,
    severity: str,
    limit: int | None,
    after: str | None,
    count: bool,
    count_by: DeviationKey | None,
    **filters: Unpack[DeviationFilters],
) -> int:
    """List deviations, or count them."""
    from svcflow.cli.engine import answers_to
    from svcflow.cli.json import deviation_json
    from svcflow.cli.tables import deviation_table

    _check_kind(filters["kind"])
    with session.engine() as engine:
        procedure, instance = filters["procedure"], filters["instance"]
        check_known(engine.catalog, procedure=procedure, step=filters["step"], role=filters["role"])
        if instance is not None:
            engine.instance(instance)
        if count_by is not None:
            counts = engine.deviation_counts(count_by, **filters)
            answer_counts(session, count_by, counts, engine.catalog, procedure)
            return 0
        if count:
            answer_count(session, engine.count_deviations(**filters))
            return 0
        page = engine.deviations(limit=limit, after=after, **filters)
        answers = answers_to(engine, page)
        answer_page(
            session,
            engine,
            page,
            key="deviations",
            to_json=lambda deviation: deviation_json(
                deviation, answers.get((deviation.instance, deviation.sequence), ())
            ),
            to_table=lambda names_of: deviation_table(page, names_of, session.lang, answers),
            nothing=Text(zh="没有符合的偏差", en="no deviations"),
        )
    return (
        FOUND
        if any(is_at_least(deviation.severity, severity) for deviation in page if not deviation.annulled)
        else 0
    )


def _check_kind(kind: str | None) -> None:
    """Check that a kind of deviation exists. Raises: WrongUsage."""
    if kind is not None and kind not in DEVIATIONS:
        meant = next((key for key, name in DEVIATIONS.items() if kind in (name.zh, name.en)), None)
        raise unknown(Text(zh="偏差种类", en="kind of deviation"), kind, DEVIATIONS, meant=meant)


def _answer_command(function: Callable[..., object]) -> Callable[..., None]:
    """Make a command of a function that answers to a deviation; the answer is the deviation as it then stands."""

    @click.argument("instance")
    @click.argument("sequence", type=click.IntRange(min=1))
    @reason_option(zh="理由", en="Why.")
    @named_actor_option
    @instance_command
    def run(
        session: CommandSession,
        engine: RecordingEngine,
        instance: str,
        *,
        sequence: int,
        reason: str,
        caller: CallerArguments,
    ) -> None:
        function(engine, instance, sequence, reason=reason, caller=caller)
        _answer_deviation(session, engine, instance, sequence)

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
@_answer_command
def explain(
    engine: RecordingEngine, instance: str, sequence: int, *, reason: str, caller: CallerArguments
) -> None:
    """Explain a deviation."""
    engine.explain_deviation(instance, sequence, reason=reason, **caller)


@command(
    "accept",
    Text(
        zh="认可对偏差的说明：不归责于人，但照常计数。说明人不能自己认可。",
        en="Accept what was explained: it is put down to nobody, and counts all the same. Who explained it may not "
        "judge it.",
    ),
    'svcflow deviation accept repair-9 4 --db service.db --actor m-1:manager --reason "lift log seen"',
)
@_answer_command
def accept(
    engine: RecordingEngine, instance: str, sequence: int, *, reason: str, caller: CallerArguments
) -> None:
    """Accept an explanation."""
    engine.accept_deviation(instance, sequence, reason=reason, **caller)


@command(
    "reject",
    Text(
        zh="不认可对偏差的说明。说明人不能自己认定；最后一次认定为准。",
        en="Reject what was explained. Who explained it may not judge it; the last judgement counts.",
    ),
    'svcflow deviation reject repair-9 4 --db service.db --actor m-1:manager --reason "it ran that day"',
)
@_answer_command
def reject(
    engine: RecordingEngine, instance: str, sequence: int, *, reason: str, caller: CallerArguments
) -> None:
    """Reject an explanation."""
    engine.reject_deviation(instance, sequence, reason=reason, **caller)


def _answer_deviation(session: CommandSession, engine: RecordingEngine, instance: str, sequence: int) -> None:
    """Answer with a deviation as it stands, and the deviations that this command recorded."""
    from svcflow.cli.engine import answers_to
    from svcflow.cli.json import deviation_json, new_deviations_json
    from svcflow.cli.names import names_in, versions_of
    from svcflow.cli.tables import deviation_table, new_deviations_text

    new = engine.new_deviations(instance)
    answered = [
        deviation for deviation in engine.deviations(instance=instance) if deviation.sequence == sequence
    ]
    answers = answers_to(engine, answered)

    def text() -> str:
        names_of = names_in(engine, versions_of(answered), session.lang)
        grid = deviation_table(answered, names_of, session.lang, answers)
        return paragraphs((grid, new_deviations_text(engine, new, session.lang)))

    session.answer(
        lambda: {
            "deviation": deviation_json(answered[0], answers[instance, sequence]),
            "deviations": new_deviations_json(new),
        },
        text,
    )


deviation = CommandGroup(
    "deviation",
    Text(
        zh="对偏差的说明与认定。偏差从不删除，认可后也照常计数。",
        en="Answers to a deviation: explain, accept, reject. None is ever deleted; an accepted one counts all the same.",
    ),
    {"explain": explain, "accept": accept, "reject": reject},
)
