"""Commands of the worklist: `svcflow worklist`, `claim`, `release`, `assign`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.moving import By, moving
from svcflow.cli.options import (
    actor_option,
    due_soon,
    giver_option,
    going_on,
    named_actor_option,
    of_procedure,
    of_role,
    paged,
    step_option,
    stored,
)
from svcflow.cli.output import answer, echo
from svcflow.text import Text

if TYPE_CHECKING:
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
@of_role
@of_procedure
@due_soon
@paged(100)
@stored
@click.pass_context
def worklist(
    ctx: click.Context,
    *,
    actor: Actor | None,
    giver: str | None,
    role: str | None,
    procedure: str | None,
    overdue: bool,
    within: timedelta | None,
    limit: int,
    after: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """List the work."""
    from svcflow.cli.options import due_before, see_known
    from svcflow.cli.session import engine_at, names_in, versions_of
    from svcflow.cli.work import work_json, work_table
    from svcflow.kernel.facts import to_datetime

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        see_known(engine.catalog, procedure=procedure, role=role)
        now = to_datetime(engine.clock.now_us())
        by = due_before(now, overdue, within)
        found = _work(
            engine, actor, giver, role=role, procedure=procedure, due_before=by, limit=limit, after=after
        )
        if actor is not None and not actor.roles and giver is None:
            echo(_roleless(actor.id, role).in_(asked.lang), err=True)
        for hint in _strange_roles(engine, actor):
            echo(hint.in_(asked.lang), err=True)

        def text() -> str:
            if not found:
                return (_NO_WORK if by is None else _NONE_DUE).in_(asked.lang)
            said = work_table(
                found,
                names_in(engine, versions_of(found), asked.lang),
                asked.lang,
                now,
                titled=procedure is None,
            )
            return going_on(said, found.after, asked.lang)

        answer(asked, lambda: {"work": [work_json(one, now) for one in found], "after": found.after}, text)


_NO_WORK = Text(zh="没有待办", en="no work waits")
_NONE_DUE = Text(zh="没有到期的待办", en="no work is due")


def _strange_roles(engine: Engine, actor: Actor | None) -> Iterator[Text]:
    """Say of each role that no procedure has which was meant: it has no work, and nobody would notice."""
    from svcflow.nearest import nearest

    known = sorted({name for one in engine.catalog.procedures.values() for name in one.roles})
    for role in sorted((actor.roles if actor is not None else None) or ()):
        if role not in known:
            near = nearest(role, known)
            yield Text(zh=f"没有岗位 {role}；{near.zh}", en=f"there is no role {role!r}; {near.en}")


def _roleless(who: str, role: str | None) -> Text:
    """Say that of an actor without roles only what is theirs already is listed."""
    return Text(
        zh=f"没有给出 {who} 的岗位，只列已归其办理的；岗位写在编号之后：--actor {who}:{role or '岗位'}",
        en=f"no roles of {who} are given, so that only what is already theirs is listed; roles stand behind the id: "
        f"--actor {who}:{role or 'ROLE'}",
    )


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
    """Return the work of an actor, or what they may do for a giver: by procedure, as delegations are."""
    from svcflow.cli.deputy import deputies
    from svcflow.runtime.filters import Page, cursor_of

    if giver is None:
        return engine.worklist(
            actor, role=role, procedure=procedure, due_before=due_before, limit=limit, after=after
        )
    found = [
        item
        for name, deputy in deputies(engine, actor, giver, procedure)
        for item in engine.worklist(
            deputy, role=role, procedure=name, due_before=due_before, limit=limit + 1, after=after
        )
    ]
    return Page.of(sorted(found, key=cursor_of), limit)


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
@argument("instance")
@step_option
@named_actor_option
@moving
def claim(engine: Engine, instance: str, *, step: str | None, by: By) -> Instance:
    """Claim."""
    return engine.claim(instance, step=step, **by)


@command(
    "release",
    Text(
        zh="释放一个环节：有其岗位的人又都可以认领。",
        en="Let a step go, so that whoever has its role may take it.",
    ),
    'svcflow release repair-9 --db service.db --actor tech-2:technician --reason "called away"',
)
@argument("instance")
@step_option
@option("--reason", default="", metavar="REASON", wording=Text(zh="释放的原因", en="Why it is let go."))
@actor_option
@moving
def release(engine: Engine, instance: str, *, step: str | None, reason: str, by: By) -> Instance:
    """Release."""
    return engine.release(instance, step=step, reason=reason, **by)


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
@argument("instance")
@argument("person")
@step_option
@option(
    "--reason", default="", metavar="REASON", wording=Text(zh="分派的原因", en="Why it is given to them.")
)
@actor_option
@moving
def assign(engine: Engine, instance: str, *, person: str, step: str | None, reason: str, by: By) -> Instance:
    """Assign."""
    return engine.assign(instance, person, step=step, reason=reason, **by)
