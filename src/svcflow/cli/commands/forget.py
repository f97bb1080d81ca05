"""`svcflow forget`: erase a person."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.errors import INTERRUPTED, WrongUsage
from svcflow.cli.language import Tongue
from svcflow.cli.options import actor_option, stored
from svcflow.cli.output import answer, echo
from svcflow.cli.values import actor_or_nobody
from svcflow.errors import SvcflowError
from svcflow.text import Text
from svcflow.wording import many

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor


_LISTED = 5
"""How many instances are listed at most."""

_KEPT = Text(zh="没有抹去", en="nothing was erased")


class UnknownPerson(SvcflowError, LookupError):
    """Nothing is known of a person: a name misspelt, or erased before."""

    code = "unknown-person"

    def __init__(self, person: str) -> None:
        super().__init__(
            Text(zh=f"此存储中没有“{person}”的信息", en=f"nothing is known of {person!r} in this store"),
            Text(zh="核对写法；或此前已抹去", en="see that it is spelt as recorded, or it was erased before"),
        )


@command(
    "forget",
    Text(
        zh="抹去一个人：其作为责任人、服务对象的身份，以及标为 personal 的信息。留痕只存承诺值，哈希链仍可校验；"
        "报表中显示为 erased-…。备份与别处的副本须另行处理。此操作不可撤销；没有终端时须加 --yes。",
        en="Erase a person: as actor, as recipient and in fields marked personal. The journals keep commitments only, "
        "so their chains still verify; reports show erased-…. Backups and copies elsewhere are yours to erase. This "
        "cannot be taken back; without a terminal it wants --yes.",
    ),
    "svcflow forget zhang --db service.db",
    "svcflow forget zhang --yes --json --db service.db",
)
@argument("person")
@option(
    "--open",
    "also_open",
    is_flag=True,
    wording=Text(zh="未结束的实例也抹去", en="Erase the person in open instances too."),
)
@option("--yes", is_flag=True, wording=Text(zh="不再询问", en="Do not ask for confirmation."))
@actor_option
@stored
@click.pass_context
def run(
    ctx: click.Context,
    *,
    person: str,
    also_open: bool,
    yes: bool,
    actor: Actor | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Ask once more, erase, and say what was erased."""
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    if not (yes or _confirmed(person, asked.lang)):
        echo(_KEPT.in_(asked.lang), err=True)
        ctx.exit(INTERRUPTED)
    with engine_at(db, folder, at) as engine:
        given = {one.id for one in (*engine.delegations(giver=person), *engine.delegations(taker=person))}
        forgotten = engine.forget(person, actor=actor_or_nobody(actor), open=also_open)
    if not (forgotten.values or given or forgotten.named):
        raise UnknownPerson(person)
    said = Text(
        zh=f"已抹去 {len(forgotten.instances)} 个实例中的 {forgotten.values} 项信息"
        + (f"和 {len(given)} 项委托" if given else ""),
        en=f"erased {many(forgotten.values, 'value')} beside {many(len(forgotten.instances), 'journal')}"
        + (f", and {many(len(given), 'delegation')}" if given else ""),
    )
    left = Text(
        zh=f"另有 {forgotten.in_clear} 条留痕以明文写有其信息，记入时该字段尚未标为 personal，不能抹去",
        en=f"{many(forgotten.in_clear, 'fact')} in the clear cannot be erased: "
        "recorded before the field was marked personal",
    )
    listed = ", ".join(forgotten.named_in[:_LISTED]) + (" …" if len(forgotten.named_in) > _LISTED else "")
    named = Text(
        zh=f"另有 {len(forgotten.named_in)} 个实例的 {forgotten.named} 条留痕以明文写有其姓名，记于存储结构第 2 版之前，"
        f"不能抹去：{listed}",
        en=f"still named in the clear in {many(forgotten.named, 'fact')} of {many(len(forgotten.named_in), 'instance')}, "
        f"which cannot be erased: recorded before schema version 2, in {listed}",
    )
    lines = [said, *([left] if forgotten.in_clear else []), *([named] if forgotten.named else [])]
    answer(
        asked,
        lambda: {
            "instances": list(forgotten.instances),
            "values": forgotten.values,
            "delegations": sorted(given),
            "in_clear": forgotten.in_clear,
            "named": forgotten.named,
            "named_in": list(forgotten.named_in),
        },
        lambda: "\n".join(text.in_(asked.lang) for text in lines),
    )


def _confirmed(person: str, lang: Tongue) -> bool:
    """Ask whoever sits at the terminal. Raises: WrongUsage where nobody does."""
    if not sys.stdin.isatty():
        raise WrongUsage(
            Text(zh="没有终端可以询问", en="there is no terminal to ask at"),
            Text(zh="确认要抹去，加 --yes", en="if the person is to be erased, add --yes"),
        )
    question = Text(zh=f"抹去 {person}，不可撤销。继续？", en=f"Erase {person}? This cannot be taken back.")
    return click.confirm(question.in_(lang), err=True)
