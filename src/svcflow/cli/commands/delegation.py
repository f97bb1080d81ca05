"""Commands of delegations: `svcflow delegation give`, `list`, `revoke`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import click

from svcflow.cli.command import CommandGroup, command, option
from svcflow.cli.lists import check_known
from svcflow.cli.options import named_actor_option, with_store
from svcflow.cli.session import CommandSession
from svcflow.cli.values import INSTANT
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import DELEGATION_STATUSES, shared_zone, timestamp, word

if TYPE_CHECKING:
    from svcflow.cli.json import Record
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
@click.argument("taker")
@named_actor_option
@option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    metavar="ROLE",
    zh="委托的岗位，可多次给出",
    en="A role that is delegated; may be repeated.",
)
@option("--since", type=INSTANT, zh="自此时刻起；缺省为现在", en="From when on; default: now.")
@option(
    "--until",
    type=INSTANT,
    required=True,
    zh="到此时刻前；写日期即其零点",
    en="Up to, not at, this instant; a date is its midnight.",
)
@option(
    "--procedure",
    "procedures",
    multiple=True,
    metavar="ID",
    zh="只限此流程，可多次给出；缺省为全部",
    en="Only for it; may be repeated. Default: all.",
)
@option(
    "--id",
    "delegation_id",
    metavar="ID",
    zh="自定委托编号；重复给出不会重复委托",
    en="Its id, if you choose it; given again it is the same.",
)
@with_store
def give(
    session: CommandSession,
    *,
    taker: str,
    actor: Actor,
    roles: tuple[str, ...],
    since: datetime | None,
    until: datetime,
    procedures: tuple[str, ...],
    delegation_id: str | None,
) -> None:
    """Delegate roles."""
    with session.engine() as engine:
        for name in procedures:
            check_known(engine.catalog, procedure=name)
        delegation = engine.delegate(
            actor,
            taker,
            roles=roles,
            since=since or _now(engine),
            until=until,
            procedures=procedures,
            delegation_id=delegation_id,
        )
        _answer(session, delegation, _now(engine))


@command(
    "list",
    Text(zh="列出全部委托，撤回的也在内。", en="List all delegations, those taken back too."),
    "svcflow delegation list --db service.db --giver tech-1",
)
@option("--giver", metavar="ID", zh="只列此人给出的", en="Only those that this person gave.")
@option("--taker", metavar="ID", zh="只列此人受托的", en="Only those that this person has.")
@with_store
def list_(session: CommandSession, *, giver: str | None, taker: str | None) -> None:
    """List delegations."""
    with session.engine() as engine:
        delegations, now = engine.delegations(giver=giver, taker=taker), _now(engine)
    nothing = Text(zh="没有委托", en="no delegations").in_(session.lang)
    session.answer(
        lambda: {"delegations": [_json(delegation, now) for delegation in delegations]},
        lambda: _table(delegations, session, now) if delegations else nothing,
    )


@command(
    "revoke",
    Text(zh="撤回委托，立即生效；记录保留。", en="Take a delegation back, from now on; it stays on record."),
    "svcflow delegation revoke delegation-5d41402abc4b --db service.db",
)
@click.argument("delegation")
@with_store
def revoke(session: CommandSession, *, delegation: str) -> None:
    """Revoke a delegation."""
    with session.engine() as engine:
        _answer(session, engine.revoke(delegation), _now(engine))


def _now(engine: Engine) -> datetime:
    from svcflow.kernel.facts import to_datetime

    return to_datetime(engine.clock.now_us())


def _answer(session: CommandSession, delegation: Delegation, now: datetime) -> None:
    session.answer(lambda: {"delegation": _json(delegation, now)}, lambda: _table([delegation], session, now))


def _json(delegation: Delegation, now: datetime) -> Record:
    """Return a delegation; without `procedures` it holds for all of them."""
    return {
        "id": delegation.id,
        "giver": delegation.giver,
        "taker": delegation.taker,
        "roles": sorted(delegation.roles),
        "procedures": sorted(delegation.procedures),
        "since_at": delegation.since_at.isoformat(),
        "until_at": delegation.until_at.isoformat(),
        "revoked_at": None if delegation.revoked_at is None else delegation.revoked_at.isoformat(),
        "status": _status(delegation, now),
    }


_HEADS = (
    Text(zh="编号", en="Id"),
    Text(zh="委托人", en="Giver"),
    Text(zh="受托人", en="Taker"),
    Text(zh="自", en="From"),
    Text(zh="至", en="Until"),
    Text(zh="状态", en="Status"),
    Text(zh="流程", en="Procedures"),
    Text(zh="岗位", en="Roles"),
)


def _table(delegations: Sequence[Delegation], session: CommandSession, now: datetime) -> str:
    """Return the table of delegations, with instants on this computer's clock, by which they are also read."""
    heads, zone = [head.in_(session.lang) for head in _HEADS], shared_zone(())
    rows = [
        (
            delegation.id,
            delegation.giver,
            delegation.taker,
            timestamp(delegation.since_at, zone, now=now),
            timestamp(delegation.until_at, zone, now=now),
            word(DELEGATION_STATUSES, _status(delegation, now)).in_(session.lang),
            ", ".join(sorted(delegation.procedures)),
            ", ".join(sorted(delegation.roles)),
        )
        for delegation in delegations
    ]
    return table(heads, rows, whole=heads[:6], flows=True)


def _status(delegation: Delegation, now: datetime) -> Literal["coming", "in_force", "over", "revoked"]:
    if delegation.revoked_at is not None:
        return "revoked"
    if now < delegation.since_at:
        return "coming"
    return "in_force" if now < delegation.until_at else "over"


delegation = CommandGroup(
    "delegation",
    Text(
        zh="委托：缺勤期间由他人代办。代办人用 --for 委托人 办理；两人都算办理人。",
        en="Delegations: who acts for an absent person. They act with --for GIVER; both count as having acted.",
    ),
    {"give": give, "list": list_, "revoke": revoke},
)
