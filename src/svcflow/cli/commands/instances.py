"""Commands that show instances: `svcflow list`, `show`, `explain`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Unpack

import click

from svcflow.cli.command import command, option
from svcflow.cli.lists import (
    answer_count,
    answer_counts,
    answer_page,
    check_known,
    data_filter_values,
    due_before,
)
from svcflow.cli.options import (
    actor_option,
    count_options,
    data_filter,
    data_option,
    due_filters,
    group_filter,
    page_options,
    procedure_filter,
    qualifications_option,
    role_filter,
    span_filters,
    step_filter,
    with_store,
)
from svcflow.cli.output import paragraphs
from svcflow.cli.session import CommandSession
from svcflow.cli.values import Pair, typed
from svcflow.text import Text, visible
from svcflow.text_table import WIDEST, broken, padded, table
from svcflow.wording import CHILD_STATES, OUTCOMES, word, zone_note

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.cli.names import ProcedureNames
    from svcflow.explanation.explain import Explanation
    from svcflow.kernel.commands import Actor
    from svcflow.kernel.instance import Child, Instance
    from svcflow.kernel.moves.availability import Available
    from svcflow.model.field import Value
    from svcflow.runtime.engine import Engine
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
@procedure_filter
@option(
    "--status", type=click.Choice(["running", "held", "ended"]), zh="只列此状态", en="Only in this status."
)
@step_filter
@role_filter
@option("--recipient", metavar="ID", zh="只列此服务对象", en="Only for this recipient.")
@group_filter
@data_filter
@span_filters
@due_filters
@page_options(limit=100)
@count_options("procedure", "status", "step", "role", "group")
@with_store
def list_(
    session: CommandSession,
    /,
    *,
    pairs: tuple[Pair, ...],
    overdue: bool,
    within: timedelta | None,
    limit: int,
    after: str | None,
    count: bool,
    count_by: InstanceKey | None,
    **filters: Unpack[InstanceFilters],
) -> None:
    """List instances, or count them."""
    from svcflow.cli.json import instance_json
    from svcflow.cli.tables import instance_table

    with session.engine() as engine:
        procedure = filters["procedure"]
        check_known(engine.catalog, procedure=procedure, step=filters["step"], role=filters["role"])
        filters["due_before"] = due_before(engine, overdue=overdue, within=within)
        filters["data"] = data_filter_values(engine.catalog, procedure, pairs)
        if count_by is not None:
            counts = engine.instance_counts(count_by, **filters)
            answer_counts(session, count_by, counts, engine.catalog, procedure)
            return
        if count:
            answer_count(session, engine.count_instances(**filters))
            return

        def to_json(instance: Instance) -> Record:
            due_at = engine.due_at(instance)
            return {**instance_json(instance), "due_at": None if due_at is None else due_at.isoformat()}

        page = engine.instances(limit=limit, after=after, **filters)
        answer_page(
            session,
            engine,
            page,
            key="instances",
            to_json=to_json,
            to_table=lambda names_of: instance_table(page, names_of, session.lang, engine.due_at),
            nothing=Text(zh="没有符合的实例", en="no instances"),
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
@click.argument("instance")
@option("--journal", is_flag=True, zh="连同全部留痕", en="Every fact of the journal too.")
@actor_option
@data_option
@qualifications_option
@with_store
def show(
    session: CommandSession, *, instance: str, journal: bool, actor: Actor | None, data: tuple[Pair, ...]
) -> None:
    """Show an instance."""
    with session.engine() as engine:
        from svcflow.cli.names import names_of

        shown = engine.instance(instance)
        names = names_of(engine, shown.procedure, shown.version, session.lang)
        available = engine.available(shown.id, actor, data=typed(data, names.procedure.fields))
        session.answer(
            lambda: _record(engine, shown, available, journal=journal),
            lambda: paragraphs(_parts(engine, shown, names, available, journal=journal)),
        )


def _record(engine: Engine, instance: Instance, available: tuple[Available, ...], *, journal: bool) -> Record:
    from svcflow.cli.engine import answers_to
    from svcflow.cli.json import (
        available_json,
        coming_move_json,
        deadline_json,
        deviation_json,
        fact_json,
        instance_json,
    )

    deviations = engine.deviations(instance=instance.id)
    answers = answers_to(engine, deviations)
    record: Record = {
        "instance": instance_json(instance, engine.clock.now_us()),
        "deadlines": [deadline_json(deadline) for deadline in engine.deadlines(instance.id, ended=True)],
        "coming_moves": [coming_move_json(move) for move in engine.coming_moves(instance.id)],
        "available": [available_json(trigger) for trigger in available],
        "deviations": [
            deviation_json(deviation, answers.get((deviation.instance, deviation.sequence), ()))
            for deviation in deviations
        ],
    }
    if journal:
        record["journal"] = [fact_json(fact) for fact in engine.journal(instance.id)]
    return record


def _parts(
    engine: Engine,
    instance: Instance,
    names: ProcedureNames,
    available: tuple[Available, ...],
    *,
    journal: bool,
) -> Iterator[str]:
    from svcflow.cli.engine import answers_to
    from svcflow.cli.names import names_along
    from svcflow.cli.tables import (
        available_table,
        coming_move_table,
        deadline_table,
        deviation_table,
        instance_line,
    )

    lang = names.lang
    yield instance_line(instance, names, engine.clock.now_us())
    yield _particulars(instance, names)
    deadlines = engine.deadlines(instance.id, ended=True)
    if deadlines:
        grid = deadline_table(deadlines, lambda _: names, lang, whose=False)
        yield _titled(names, "时限", "Deadlines", grid)
    moves = engine.coming_moves(instance.id)
    if moves:
        yield _titled(names, "自动流转", "Moves on by itself", coming_move_table(moves, names))
    deviations = engine.deviations(instance=instance.id)
    if deviations:
        names_of, answers = names_along(engine, names), answers_to(engine, deviations)
        grid = deviation_table(deviations, names_of, lang, answers, whose=False)
        yield _titled(names, "偏差", "Deviations", grid)
    if available:
        yield _titled(names, "可办理", "Triggers", available_table(available, names))
    if journal:
        yield _titled(names, "留痕", "Journal", _journal(engine, instance, names))


def _titled(names: ProcedureNames, zh: str, en: str, grid: str) -> str:
    return f"{Text(zh=zh, en=en).in_(names.lang)}\n{grid}"


def _particulars(instance: Instance, names: ProcedureNames) -> str:
    recipient = visible(instance.recipient) + (
        Text(zh=f"（{names.group(instance.group)}）", en=f" ({names.group(instance.group)})").in_(names.lang)
        if instance.group
        else ""
    )
    rows = [
        (Text(zh="开始", en="started").in_(names.lang), names.when(instance.started_at)),
        (Text(zh="结束", en="ended").in_(names.lang), names.when(instance.ended_at)),
        (
            Text(zh="上级流程", en="run by").in_(names.lang),
            "" if instance.parent is None else instance.parent.id,
        ),
        *(
            (Text(zh="子流程", en="runs").in_(names.lang), _child(name, child, names))
            for name, child in instance.children.items()
        ),
        (Text(zh="服务对象", en="recipient").in_(names.lang), recipient),
        (Text(zh="暂停事由", en="held because").in_(names.lang), names.reason(instance.hold)),
        *(
            (names.field(key), _value(key, value, names))
            for key, value in instance.data.items()
            if value is not None
        ),
        (Text(zh="凭证", en="evidence").in_(names.lang), visible(", ".join(sorted(instance.evidence)))),
        *((Text(zh="参数", en="parameter").in_(names.lang), text) for text in names.parameters(instance)),
    ]
    return "\n".join(f"  {padded(head, 18)} {value}" for head, value in rows if value)


def _child(name: str, child: Child, names: ProcedureNames) -> str:
    how = word(OUTCOMES, child.outcome) if child.state == "ended" else CHILD_STATES[child.state]
    return f"{name} ({names.step(child.step)}): {how.in_(names.lang)}"


def _value(field: str, value: Value, names: ProcedureNames) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    declared = names.procedure.fields.get(field)
    if declared is not None and declared.type == "instant":
        return names.when(datetime.fromisoformat(str(value)))
    return visible(names.value(field, value))


def _journal(engine: Engine, instance: Instance, names: ProcedureNames) -> str:
    """Return the table of an instance's facts, each in the words of the version it was recorded under."""
    from svcflow.cli.journal_lines import journal_line
    from svcflow.cli.names import names_along
    from svcflow.cli.tables import actor_text
    from svcflow.kernel.lifecycle.deviations import with_versions

    heads, names_of = [text.in_(names.lang) for text in _JOURNAL], names_along(engine, names)
    rows = [
        (
            str(fact.sequence),
            names.when(fact.occurred_at),
            actor_text(fact, names.lang) or "—",
            journal_line(fact, names_of(instance.procedure, version)),
        )
        for fact, version in with_versions(engine.journal(instance.id), instance.version)
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
@click.argument("instance")
@click.argument("limit")
@with_store
def explain(session: CommandSession, *, instance: str, limit: str) -> None:
    """Explain a deadline."""
    with session.engine() as engine:
        from svcflow.cli.json import explanation_json
        from svcflow.cli.names import names_of

        explanation, present = engine.explain(instance, limit), engine.instance(instance)
        names = names_of(engine, present.procedure, present.version, session.lang)
        session.answer(
            lambda: explanation_json(instance, explanation), lambda: _explanation_text(explanation, names)
        )


def _explanation_text(explanation: Explanation, names: ProcedureNames) -> str:
    """Return an explanation, broken to the width of tables."""
    lang = names.lang
    never = Text(zh="尚未起算过", en="it has not started yet").in_(lang)
    lines = [explanation.title.in_(lang) + zone_note(names.zone).in_(lang)]
    texts = [line.text(lang) for line in explanation.lines] or [never]
    for text in (*explanation.rests_on(lang), *texts):
        first, *more = broken(text, WIDEST - 4)
        lines += [f"  {first}", *(f"    {part}" for part in more)]
    return "\n".join(lines)
