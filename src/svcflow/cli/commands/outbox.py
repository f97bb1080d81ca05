"""Command of the outbox: `svcflow outbox` shows the delivery of facts and their dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from svcflow.cli.command import command, option
from svcflow.cli.errors import FOUND, WrongUsage
from svcflow.cli.language import Tongue
from svcflow.cli.options import with_store
from svcflow.cli.output import paragraphs
from svcflow.cli.session import CommandSession
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import many

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.runtime.outbox.feed import SubscriptionStatus
    from svcflow.runtime.outbox.outbox import DeadLetter

_STANDINGS = (
    Text(zh="订阅", en="Subscription"),
    Text(zh="游标", en="Cursor"),
    Text(zh="未看", en="Lag"),
    Text(zh="等待", en="Waiting"),
    Text(zh="死信", en="Dead"),
)
_LETTERS = (
    Text(zh="死信", en="Dead letter"),
    Text(zh="实例", en="Instance"),
    Text(zh="序号", en="Entry"),
    Text(zh="事项", en="Fact"),
    Text(zh="次数", en="Tries"),
    Text(zh="错误", en="Error"),
)


@command(
    "outbox",
    Text(
        zh="列出对留痕的订阅：游标、尚未查看的留痕数、等待重试的与死信。有死信时退出码为 1。\n死信重新投递用 --retry，由运行处理函数的服务下次投递。",
        en="List the subscriptions to facts: cursor, facts not looked at yet, facts that wait, dead letters. Exits with 1 "
        "when there are dead letters. --retry puts them back in line; the service that runs the handler delivers them.",
    ),
    "svcflow outbox --db service.db",
    "svcflow outbox --db service.db --retry notify_chief",
    "svcflow outbox --db service.db --unsubscribe notify_chief",
    "svcflow outbox --db service.db --json",
)
@option(
    "--retry",
    metavar="NAME",
    zh="把此订阅的死信放回队列，等待的立即重试",
    en="Put the dead letters of this subscription back in line, and try at once what waits.",
)
@option(
    "--unsubscribe",
    "ending",
    metavar="NAME",
    zh="结束此订阅：游标与等待的不再保留",
    en="End this subscription: neither its cursor nor what waits is kept.",
)
@option(
    "--discard", is_flag=True, zh="结束时连死信一并丢弃", en="End it with its dead letters, which are lost."
)
@with_store
def outbox(session: CommandSession, *, retry: str | None, ending: str | None, discard: bool) -> int:
    """List subscriptions, put dead letters back, or end a subscription."""
    if (retry is not None and ending is not None) or (discard and ending is None):
        raise WrongUsage(_ONE_THING, Text(zh="分两次进行", en="do one after the other"))
    with session.engine() as engine:
        if ending is not None:
            engine.unsubscribe(ending, discard=discard)
            session.answer(lambda: {"unsubscribed": ending}, lambda: _ended(ending).in_(session.lang))
            return 0
        if retry is not None:
            count = engine.redeliver(retry)
            session.answer(lambda: {"redelivered": count}, lambda: _put_back(count).in_(session.lang))
            return 0
        standings, letters = engine.subscriptions(), engine.dead_letters()
    session.answer(lambda: _json(standings, letters), lambda: _text(standings, letters, session.lang))
    return FOUND if letters else 0


def _json(standings: Sequence[SubscriptionStatus], letters: Sequence[DeadLetter]) -> Record:
    """Return the subscriptions and the dead letters."""
    from svcflow.cli.json import fact_json

    dead = [
        {
            "subscription": letter.subscription,
            "position": letter.position,
            "attempts": letter.attempts,
            "error": letter.error,
            "failed_at": letter.failed_at.isoformat(),
            "fact": fact_json(letter.fact),
        }
        for letter in letters
    ]
    return {"subscriptions": [standing._asdict() for standing in standings], "dead_letters": dead}


def _text(standings: Sequence[SubscriptionStatus], letters: Sequence[DeadLetter], lang: Tongue) -> str:
    """Return the table of subscriptions, and below it that of dead letters."""
    if not standings:
        return Text(zh="没有订阅", en="no subscriptions").in_(lang)
    heads = [head.in_(lang) for head in _STANDINGS]
    rows = [(standing.name, *map(str, standing[1:])) for standing in standings]
    parts = [table(heads, rows, right=heads[1:])]
    if letters:
        dead = [
            (
                letter.subscription,
                letter.fact.instance,
                str(letter.fact.sequence),
                letter.fact.kind,
                str(letter.attempts),
                letter.error,
            )
            for letter in letters
        ]
        parts.append(table([head.in_(lang) for head in _LETTERS], dead, flows=True))
    return paragraphs(parts)


_ONE_THING = Text(
    zh="--retry 与 --unsubscribe 不能同用；--discard 只用于 --unsubscribe",
    en="--retry and --unsubscribe do not go together; --discard goes with --unsubscribe",
)


def _ended(name: str) -> Text:
    return Text(zh=f"已结束订阅 {name}", en=f"unsubscribed: {name}")


def _put_back(count: int) -> Text:
    return Text(zh=f"已放回 {count} 条死信", en=f"{many(count, 'dead letter')} put back in line")
