"""`svcflow delegation`: let somebody act for an absent person, see who does, take it back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.options import named_actor_option, stored
from svcflow.cli.output import answer
from svcflow.cli.section import Section
from svcflow.cli.values import INSTANT
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor
    from svcflow.kernel.lifecycle.delegation import Delegation
    from svcflow.runtime.engine import Engine


@command(
    "give",
    Text(
        zh="委托他人在一段时间内代办：只能委托本人的岗位，最长 366 天，受托人不能转托。",
        en="Let somebody act for you for a bounded time: in roles of your own, for 366 days at most. They cannot "
        "delegate it on.",
    ),
    "svcflow delegation give tech-2 --db service.db --actor tech-1:technician --role technician \\",
    "    --until 2026-03-21",
    "svcflow delegation give m-2 --db service.db --actor m-1:manager --role manager \\",
    "    --since 2026-03-09 --until 2026-03-14 --procedure repair --procedure complaint",
)
@argument("taker")
@named_actor_option
@option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    metavar="ROLE",
    wording=Text(zh="委托的岗位，可多次给出", en="A role that is delegated; may be repeated."),
)
@option("--since", type=INSTANT, wording=Text(zh="自此时刻起；缺省为现在", en="From when on; default: now."))
@option(
    "--until",
    type=INSTANT,
    required=True,
    wording=Text(zh="到此时刻前；写日期即其零点", en="Up to, not at, this instant; a date is its midnight."),
)
@option(
    "--procedure",
    "procedures",
    multiple=True,
    metavar="ID",
    wording=Text(zh="只限此流程，可多次给出；缺省为全部", en="Only for it; may be repeated. Default: all."),
)
@option(
    "--id",
    "delegation_id",
    metavar="ID",
    wording=Text(
        zh="自定委托编号；重复给出不会重复委托", en="Its id, if you choose it; given again it is the same."
    ),
)
@stored
@click.pass_context
def give(
    ctx: click.Context,
    *,
    taker: str,
    actor: Actor,
    roles: tuple[str, ...],
    since: datetime | None,
    until: datetime,
    procedures: tuple[str, ...],
    delegation_id: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Give, and show the delegation."""
    from svcflow.cli.options import see_known
    from svcflow.cli.session import engine_at
    from svcflow.kernel.facts import to_datetime

    with engine_at(db, folder, at) as engine:
        for name in procedures:
            see_known(engine.catalog, procedure=name)
        given = engine.delegate(
            actor,
            taker,
            roles=roles,
            since=since or to_datetime(engine.clock.now_us()),
            until=until,
            procedures=procedures,
            delegation_id=delegation_id,
        )
        _show(ctx, engine, given)


@command(
    "list",
    Text(
        zh="列出全部委托，撤回的也在内。",
        en="List all delegations, those taken back too.",
    ),
    "svcflow delegation list --db service.db --giver tech-1",
)
@option("--giver", metavar="ID", wording=Text(zh="只列此人给出的", en="Only those that this person gave."))
@option("--taker", metavar="ID", wording=Text(zh="只列此人受托的", en="Only those that this person has."))
@stored
@click.pass_context
def list_(
    ctx: click.Context,
    *,
    giver: str | None,
    taker: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """List."""
    from svcflow.cli.absence import delegation_json, delegation_table
    from svcflow.cli.session import engine_at
    from svcflow.kernel.facts import to_datetime

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        found, now = engine.delegations(giver=giver, taker=taker), to_datetime(engine.clock.now_us())
    nothing = Text(zh="没有委托", en="no delegations").in_(asked.lang)
    answer(
        asked,
        lambda: {"delegations": [delegation_json(one, now) for one in found]},
        lambda: delegation_table(found, asked.lang, now) if found else nothing,
    )


@command(
    "revoke",
    Text(zh="撤回委托，立即生效；记录保留。", en="Take a delegation back, from now on; it stays on record."),
    "svcflow delegation revoke delegation-5d41402abc4b --db service.db",
)
@argument("delegation")
@stored
@click.pass_context
def revoke(
    ctx: click.Context, *, delegation: str, db: str | None, folder: str | None, at: datetime | None
) -> None:
    """Revoke, and show the delegation."""
    from svcflow.cli.session import engine_at

    with engine_at(db, folder, at) as engine:
        _show(ctx, engine, engine.revoke(delegation))


def _show(ctx: click.Context, engine: Engine, one: Delegation) -> None:
    from svcflow.cli.absence import delegation_json, delegation_table
    from svcflow.kernel.facts import to_datetime

    asked, now = asked_of(ctx), to_datetime(engine.clock.now_us())
    answer(
        asked,
        lambda: {"delegation": delegation_json(one, now)},
        lambda: delegation_table([one], asked.lang, now),
    )


delegation = Section(
    "delegation",
    Text(
        zh="委托：缺勤期间由他人代办。代办人用 --for 委托人 办理；两人都算办理人。",
        en="Delegations: who acts for an absent person. They act with --for GIVER; both count as having acted.",
    ),
    {"give": give, "list": list_, "revoke": revoke},
)
