"""Commands of the worklist: `svcflow worklist`, `claim`, `release`, `assign`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import command
from svcflow.cli.instance_command import MoveArguments, move_command, named
from svcflow.cli.lists import answer_page, check_known, due_before
from svcflow.cli.options import (
    actor_option,
    due_filters,
    giver_option,
    named_actor_option,
    page_options,
    procedure_filter,
    qualifications_option,
    reason_option,
    role_filter,
    step_option,
    with_store,
)
from svcflow.cli.output import echo
from svcflow.cli.session import CommandSession
from svcflow.errors import Refused
from svcflow.nearest import nearest
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import timestamp

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.cli.names import NamesOf, ProcedureNames
    from svcflow.kernel.commands import Actor
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine
    from svcflow.runtime.filters import Page, WorkItem


@command(
    "worklist",
    Text(
        zh="列出待办的环节，先到期的在前。给出 --actor 时只列其已有的，和其岗位上尚无人办理的；不给则全列。"
        "“剩余”按实际时间计；暂停中的只有暂停本身的截止。--overdue 只列已超期的，--due-within 连同即将到期的。",
        en="List the steps that wait, the soonest due first. With --actor those that are theirs, and those in their "
        "roles that nobody has; without, all. What is left is told as elapsed time; what is held has that of its hold, if any. "
        "--overdue lists what is overdue, --due-within also what soon will be.",
    ),
    "svcflow worklist --db service.db --actor tech-2:technician",
    "svcflow worklist --db service.db --actor tech-2 --for tech-1",
    "svcflow worklist --db service.db --role technician --procedure repair --json",
    "svcflow worklist --db service.db --due-within 2h",
)
@actor_option
@giver_option
@role_filter
@procedure_filter
@due_filters
@page_options(100)
@with_store
def worklist(
    session: CommandSession,
    *,
    actor: Actor | None,
    giver: str | None,
    role: str | None,
    procedure: str | None,
    overdue: bool,
    within: timedelta | None,
    limit: int,
    after: str | None,
) -> None:
    """List the steps that wait."""
    from svcflow.kernel.facts import to_datetime

    with session.engine() as engine:
        check_known(engine.catalog, procedure=procedure, role=role)
        before = due_before(engine, overdue=overdue, within=within)
        page = _work(
            engine, actor, giver, role=role, procedure=procedure, due_before=before, limit=limit, after=after
        )
        for hint in _hints(engine, actor, giver, role):
            echo(hint.in_(session.lang), err=True)
        now = to_datetime(engine.clock.now_us())
        answer_page(
            session,
            engine,
            page,
            key="work",
            to_json=lambda item: _item_json(item, now),
            to_table=lambda names_of: _table(page, names_of, session, now, titled=procedure is None),
            nothing=_NO_WORK if before is None else _NONE_DUE,
        )


_NO_WORK = Text(zh="没有待办", en="no work waits")
_NONE_DUE = Text(zh="没有到期的待办", en="no work is due")


def _hints(engine: Engine, actor: Actor | None, giver: str | None, role: str | None) -> Iterator[Text]:
    """Yield hints on what a list leaves out: work of an actor without roles, or with roles that no procedure has."""
    if actor is None:
        return
    if not actor.roles and giver is None:
        who = actor.id
        yield Text(
            zh=f"没有给出 {who} 的岗位，只列已归其办理的；岗位写在编号之后：--actor {who}:{role or '岗位'}",
            en=f"no roles of {who} are given, so that only what is already theirs is listed; roles stand behind the id: "
            f"--actor {who}:{role or 'ROLE'}",
        )
    declared = sorted({name for procedure in engine.catalog.procedures.values() for name in procedure.roles})
    for unknown in sorted(set(actor.roles or ()) - {*declared}):
        near = nearest(unknown, declared)
        yield Text(zh=f"没有岗位 {unknown}；{near.zh}", en=f"there is no role {unknown!r}; {near.en}")


def _work(
    engine: Engine,
    actor: Actor | None,
    giver: str | None,
    *,
    role: str | None,
    procedure: str | None,
    due_before: datetime | None,
    limit: int,
    after: str | None,
) -> Page[WorkItem]:
    """Return the work of an actor, or what they may do for a giver: procedure by procedure, as delegations hold."""
    from svcflow.runtime.filters import Page, cursor_of

    if giver is None:
        return engine.worklist(
            actor, role=role, procedure=procedure, due_before=due_before, limit=limit, after=after
        )
    items = [
        item
        for name, deputy in _deputies(engine, named(actor), giver, procedure)
        for item in engine.worklist(
            deputy, role=role, procedure=name, due_before=due_before, limit=limit + 1, after=after
        )
    ]
    return Page.of(sorted(items, key=cursor_of), limit)


def _deputies(engine: Engine, actor: Actor, giver: str, procedure: str | None) -> Iterator[tuple[str, Actor]]:
    """Yield the procedures, or the one given, in which an actor may act for a giver now, with the actor as deputy.

    Raises: Refused (rule `delegation`) when there is none.
    """
    if procedure is not None:
        yield procedure, engine.acting(actor, giver, procedure)
        return
    delegations, now_us = engine.delegations(giver=giver, taker=actor.id), engine.clock.now_us()
    names = [
        each.id
        for each in engine.catalog
        if any(delegation.covers(now_us, each.id) for delegation in delegations)
    ]
    if not names:
        raise Refused(
            "delegation",
            Text(zh="没有有效的委托", en="no delegation is in force"),
            Text(zh="用 svcflow delegation list 查看", en="see `svcflow delegation list`"),
        )
    for name in names:
        yield name, engine.acting(actor, giver, name)


_HEADS = (
    Text(zh="实例", en="Instance"),
    Text(zh="流程", en="Procedure"),
    Text(zh="服务对象", en="For"),
    Text(zh="环节", en="Step"),
    Text(zh="岗位", en="Role"),
    Text(zh="办理人", en="With"),
    Text(zh="等待自", en="Since"),
    Text(zh="截止", en="Due"),
    Text(zh="剩余", en="Left"),
)


def _table(
    items: Iterable[WorkItem], names_of: NamesOf, session: CommandSession, now: datetime, *, titled: bool
) -> str:
    """Return the table of work; with `titled` procedures are named. What is left is elapsed time."""
    rows = [_row(item, names_of(item.procedure, item.version), now, titled=titled) for item in items]
    heads = [head.in_(session.lang) for head in _HEADS]
    return table(heads, rows, right=heads[-1:], whole=(heads[0], *heads[5:]))


def _row(item: WorkItem, names: ProcedureNames, now: datetime, *, titled: bool) -> tuple[str, ...]:
    return (
        item.instance,
        names.title() if titled else "",
        item.recipient,
        names.step(item.step) + (f" ⊞ {item.child}" if item.child else ""),
        names.role(item.role),
        item.assignee,
        timestamp(item.entered_at, names.zone, now=now),
        "" if item.due_at is None else timestamp(item.due_at, names.zone, now=now),
        "" if item.due_at is None else _left(item.due_at, now, names),
    )


def _left(due_at: datetime, now: datetime, names: ProcedureNames) -> str:
    length = names.length(due_at - now)
    if due_at >= now:  # a limit is met at its very deadline
        return length
    return Text(zh=f"超 {length}", en=f"over {length}").in_(names.lang)


def _item_json(item: WorkItem, now: datetime) -> Record:
    """Return work that waits; `assignee` is null while nobody has it."""
    return {
        "instance": item.instance,
        "procedure": item.procedure,
        "version": item.version,
        "step": item.step,
        "role": item.role,
        "assignee": item.assignee or None,
        "entered_at": item.entered_at.isoformat(),
        "due_at": None if item.due_at is None else item.due_at.isoformat(),
        "overdue": item.due_at is not None and item.due_at < now,
        "recipient": item.recipient or None,
        "group": item.group or None,
        "data": dict(item.data),
        "child": item.child or None,
        "parent": item.parent or None,
    }


@command(
    "claim",
    Text(
        zh="认领一个环节：此后只由认领人办理，直到释放、改派或离开该环节。须有该环节的岗位。",
        en="Take a step: from then on it is yours alone, until it is released, assigned anew or left. You need the "
        "step's role.",
    ),
    "svcflow claim repair-9 --db service.db --actor tech-2:technician",
    "svcflow claim repair-9 --db service.db --actor tech-2 --for tech-1",
)
@click.argument("instance")
@step_option
@named_actor_option
@qualifications_option
@move_command
def claim(engine: Engine, instance: str, *, step: str | None, caller: MoveArguments) -> Instance:
    """Take a step."""
    return engine.claim(instance, step=step, **caller)


@command(
    "release",
    Text(
        zh="释放一个环节：有其岗位的人又都可以认领。",
        en="Let a step go, so that whoever has its role may take it.",
    ),
    'svcflow release repair-9 --db service.db --actor tech-2:technician --reason "called away"',
)
@click.argument("instance")
@step_option
@reason_option(required=False, zh="释放的原因", en="Why it is let go.")
@actor_option
@move_command
def release(
    engine: Engine, instance: str, *, step: str | None, reason: str, caller: MoveArguments
) -> Instance:
    """Let a step go."""
    return engine.release(instance, step=step, reason=reason, **caller)


@command(
    "assign",
    Text(
        zh="把一个环节分派给某人，已有人办理的也可改派。此后只由其办理；是否有岗位，办理时再查。",
        en="Give a step to a person, also one that somebody has. From then on it is theirs alone; whether they have "
        "its role is asked when they act.",
    ),
    "svcflow assign repair-9 tech-2 --db service.db --actor desk-1:dispatcher",
    'svcflow assign repair-9 tech-3 --db service.db --reason "tech-2 is ill"',
)
@click.argument("instance")
@click.argument("person")
@step_option
@reason_option(required=False, zh="分派的原因", en="Why it is given to them.")
@actor_option
@qualifications_option
@move_command
def assign(
    engine: Engine, instance: str, *, person: str, step: str | None, reason: str, caller: MoveArguments
) -> Instance:
    """Give a step to a person."""
    return engine.assign(instance, person, step=step, reason=reason, **caller)
