"""`svcflow explain`: how the deadline of one limit came to be."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command
from svcflow.cli.options import stored
from svcflow.cli.output import answer
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.cli.names import Names
    from svcflow.explanation.explain import Explanation


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
def run(
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
