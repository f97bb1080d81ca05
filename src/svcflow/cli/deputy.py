"""Deputy: who acts where `--for` names somebody else. It gives no delegation and judges none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from svcflow.cli.errors import WrongUsage
from svcflow.cli.values import actor_or_nobody
from svcflow.errors import Refused
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor
    from svcflow.runtime.engine import Engine

__all__ = ["deputies", "who_acts"]


def who_acts(engine: Engine, instance: str, actor: Actor | None, giver: str | None) -> Actor:
    """Return who acts upon an instance. Raises: WrongUsage, UnknownInstance; Refused without a delegation."""
    if giver is None:
        return actor_or_nobody(actor)
    return engine.acting(_named(actor), giver, engine.instance(instance).procedure)


def deputies(
    engine: Engine, actor: Actor | None, giver: str, procedure: str | None
) -> Iterator[tuple[str, Actor]]:
    """Yield the procedures, or the one asked for, in which an actor may act for a giver now, and as whom.

    Raises: WrongUsage; Refused (rule `delegation`) when there is none.
    """
    who, now_us = _named(actor), engine.clock.now_us()
    if procedure is not None:
        yield procedure, engine.acting(who, giver, procedure)
        return
    given = engine.delegations(giver=giver, taker=who.id)
    names = [one.id for one in engine.catalog if any(it.covers(now_us, one.id) for it in given)]
    if not names:
        raise Refused(
            "delegation",
            Text(zh="没有有效的委托", en="no delegation is in force"),
            Text(zh="用 svcflow delegation list 查看", en="see `svcflow delegation list`"),
        )
    for name in names:
        yield name, engine.acting(who, giver, name)


def _named(actor: Actor | None) -> Actor:
    if actor is None:
        raise WrongUsage(
            Text(zh="没有指明谁代办", en="it is not said who acts for them"),
            Text(zh="用 --actor 编号 指明", en="name who acts with --actor ID"),
        )
    return actor
