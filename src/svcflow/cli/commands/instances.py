"""Commands that show instances: `svcflow list`, `show`, `explain`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Unpack

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.options import (
    actor_option,
    answer_count,
    answer_counts,
    counted,
    data_option,
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
from svcflow.cli.output import answer, paragraphs
from svcflow.cli.values import Pair
from svcflow.text import Text, visible

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.cli.names import Names
    from svcflow.cli.values import Pair
    from svcflow.kernel.commands import Actor
    from svcflow.kernel.instance import Instance
    from svcflow.kernel.moves.availability import Available
    from svcflow.runtime.engine import Engine
    from svcflow.runtime.filters import InstanceFilters, InstanceKey

    Offers = tuple[Available, ...]
    from svcflow.explanation.explain import Explanation


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
def list_(
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


@command(
    "show",
    Text(
        zh="显示实例的状态、环节、数据、时限（含剩余时间）、偏差和可办理的事项；加 --journal 显示全部留痕。\n给出 --actor 时，按其岗位判断可否办理；给出 --data 时，按随办理一并提交这些数据判断。",
        en="Show an instance: status, steps, data, deadlines with what is left, deviations and the triggers that "
        "are open; with --journal every fact. With --actor the triggers are judged for that actor, and with --data "
        "as if these data came with the move.",
    ),
    "svcflow show repair-9 --db service.db",
    "svcflow show repair-9 --db service.db --journal --actor tech-2:technician",
)
@argument("instance")
@option("--journal", is_flag=True, wording=Text(zh="连同全部留痕", en="Every fact of the journal too."))
@actor_option
@data_option
@stored
@click.pass_context
def show(
    ctx: click.Context,
    *,
    instance: str,
    journal: bool,
    actor: Actor | None,
    data: tuple[Pair, ...],
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Show."""
    from svcflow.cli.session import engine_at, names_of
    from svcflow.cli.values import typed

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        found = engine.instance(instance)
        names = names_of(engine, found.procedure, found.version, asked.lang)
        available = engine.available(found.id, actor, data=typed(data, names.procedure.fields))
        answer(
            asked,
            lambda: _record(engine, found, available, journal=journal),
            lambda: paragraphs(_parts(engine, found, names, available, journal=journal)),
        )


def _record(engine: Engine, found: Instance, available: Offers, *, journal: bool) -> Record:
    from svcflow.cli.json import available_json, deadline_json, deviation_json, fact_json, instance_json
    from svcflow.cli.replies import replies_to

    deviations = engine.deviations(instance=found.id)
    replies = replies_to(engine, deviations)
    record: Record = {
        "instance": instance_json(found, engine.clock.now_us()),
        "deadlines": [deadline_json(one) for one in engine.deadlines(found.id, ended=True)],
        "available": [available_json(one) for one in available],
        "deviations": [
            deviation_json(one, replies.get((one.instance, one.sequence), ())) for one in deviations
        ],
    }
    if journal:
        record["journal"] = [fact_json(one) for one in engine.journal(found.id)]
    return record


def _parts(
    engine: Engine, found: Instance, names: Names, available: Offers, *, journal: bool
) -> Iterator[str]:
    from svcflow.cli.moved import standing
    from svcflow.cli.replies import replies_to
    from svcflow.cli.session import names_along
    from svcflow.cli.tables import available_table, deadline_table, deviation_table

    lang = names.lang
    yield standing(engine, found, lang)
    yield _particulars(found, names)
    deadlines = engine.deadlines(found.id, ended=True)
    if deadlines:
        yield _titled(
            names, "时限", "Deadlines", deadline_table(deadlines, lambda _: names, lang, whose=False)
        )
    deviations = engine.deviations(instance=found.id)
    if deviations:
        grid = deviation_table(
            deviations, names_along(engine, names), lang, replies_to(engine, deviations), whose=False
        )
        yield _titled(names, "偏差", "Deviations", grid)
    if available:
        yield _titled(names, "可办理", "Triggers", available_table(available, names))
    if journal:
        yield _titled(names, "留痕", "Journal", _journal(engine, found, names))


def _titled(names: Names, zh: str, en: str, grid: str) -> str:
    return f"{Text(zh=zh, en=en).in_(names.lang)}\n{grid}"


def _particulars(found: Instance, names: Names) -> str:
    from svcflow.text_table import padded

    recipient = visible(found.recipient) + (
        Text(zh=f"（{names.group(found.group)}）", en=f" ({names.group(found.group)})").in_(names.lang)
        if found.group
        else ""
    )
    rows = [
        (Text(zh="开始", en="started").in_(names.lang), names.when(found.started_at)),
        (Text(zh="结束", en="ended").in_(names.lang), names.when(found.ended_at)),
        (Text(zh="服务对象", en="recipient").in_(names.lang), recipient),
        (Text(zh="暂停事由", en="held because").in_(names.lang), names.reason(found.hold)),
        *(
            (names.field(key), _value(key, value, names))
            for key, value in found.data.items()
            if value is not None
        ),
        (Text(zh="凭证", en="evidence").in_(names.lang), visible(", ".join(sorted(found.evidence)))),
    ]
    return "\n".join(f"  {padded(head, 18)} {said}" for head, said in rows if said)


def _value(field: str, value: object, names: Names) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    declared = names.procedure.fields.get(field)
    if declared is not None and declared.type == "instant":
        return names.when(datetime.fromisoformat(str(value)))
    return visible(str(value))


def _journal(engine: Engine, found: Instance, names: Names) -> str:
    from svcflow.cli.journal_lines import tell
    from svcflow.cli.replies import who
    from svcflow.cli.session import names_along
    from svcflow.kernel.lifecycle.deviations import with_versions
    from svcflow.text_table import table

    heads = [text.in_(names.lang) for text in _JOURNAL]
    then, name = names_along(engine, names), found.procedure
    rows = [
        (
            str(fact.sequence),
            names.when(fact.occurred_at),
            who(fact, names.lang) or "—",
            tell(fact, then(name, version)),
        )
        for fact, version in with_versions(engine.journal(found.id), found.version)
    ]
    return table(heads, rows, right=heads[:1], flows=True)


_JOURNAL = (
    Text(zh="序号", en="No."),
    Text(zh="时间", en="When"),
    Text(zh="办理人", en="Actor"),
    Text(zh="事项", en="What happened"),
)


@command(
    "explain",
    Text(
        zh="逐行说明一项时限的截止时间如何得出：何时起算，哪些天计、哪些天不计，暂停、延长、改期，以及截止。\n时限的名称见 svcflow show INSTANCE --json；加 --at 可回看当时。",
        en="Explain line by line how the deadline of a limit came to be: when it started, which days counted and "
        "which did not, holds, extensions, rescheduling, and the instant it comes to. `svcflow show INSTANCE "
        "--json` names the limits; --at looks back.",
    ),
    "svcflow explain complaint-17 resolve --db service.db",
    "svcflow explain repair-9 arrived --db service.db --lang zh --at 2026-03-06T16:30+08:00",
)
@argument("instance")
@argument("limit")
@stored
@click.pass_context
def explain(
    ctx: click.Context, *, instance: str, limit: str, db: str | None, folder: str | None, at: datetime | None
) -> None:
    """Explain."""
    from svcflow.cli.json import explanation_json
    from svcflow.cli.session import engine_at, names_of

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        found = engine.explain(instance, limit)
        kept = engine.instance(instance)
        names = names_of(engine, kept.procedure, kept.version, asked.lang)
        answer(asked, lambda: explanation_json(instance, found), lambda: _text(found, names))


def _text(found: Explanation, names: Names) -> str:
    from svcflow.wording import zone_note

    lang, clock = names.lang, zone_note(names.zone)
    never = Text(zh="尚未起算过", en="it has not started yet").in_(lang)
    said = [line.text(lang) for line in found.lines] or [never]
    return "\n".join(
        (found.title.in_(lang) + clock.in_(lang), *(written for line in said for written in _hung(line)))
    )


def _hung(line: str) -> list[str]:
    """Break a line to the width of tables; what goes on below hangs in."""
    from svcflow.text_table import WIDEST, broken

    first, *more = broken(line, WIDEST - 4)
    return [f"  {first}", *(f"    {part}" for part in more)]
