"""Moving: what the commands upon one instance share: the store they open, who asks, and what is shown then.

Such a command is a function of an open engine; it is declared below its own arguments and options.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

import click

from svcflow.cli.command import asked_of
from svcflow.cli.errors import Failure, failed
from svcflow.cli.options import command_id_option, expect_option, giver_option, stored
from svcflow.cli.output import answer
from svcflow.errors import Refused

if TYPE_CHECKING:
    from svcflow.cli.listening import ListeningEngine
    from svcflow.kernel.commands import Actor
    from svcflow.kernel.instance import Instance

__all__ = ["Asker", "By", "asking", "moving"]


class Asker(TypedDict):
    """Say who asks, and under which id; the commands of an engine take it as it is."""

    actor: Actor
    command_id: str | None


class By(Asker):
    """Say besides at which revision the instance has to be."""

    expected_revision: int | None


def asking(function: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function that gets `engine`, `instance`, `by` (an `Asker`) and its own options."""

    def run(
        *,
        instance: str,
        actor: Actor | None,
        giver: str | None,
        command_id: str | None,
        db: str | None,
        folder: str | None,
        at: datetime | None,
        **own: Any,
    ) -> None:
        from svcflow.cli.deputy import who_acts
        from svcflow.cli.session import engine_at

        with engine_at(db, folder, at) as engine:
            by = Asker(actor=who_acts(engine, instance, actor, giver), command_id=command_id)
            try:
                function(engine, instance, by=by, **own)
            except Refused as refused:
                raise _refused(engine, instance, refused) from refused

    return giver_option(command_id_option(stored(run)))


def _refused(engine: ListeningEngine, instance: str, error: Refused) -> Failure:
    """Tell a refusal, and what had become due by then: it is recorded with the attempt."""
    from svcflow.cli.departures import departures_json, departures_text

    asked, found = asked_of(click.get_current_context()), engine.departures(instance)
    return failed(
        asked, error, departures_text(engine, found, asked.lang), {"deviations": departures_json(found)}
    )


def moving(move: Callable[..., Instance]) -> Callable[..., None]:
    """Make a command of a function that gets `engine`, `instance`, `by` (a `By`), and returns the instance moved."""

    @asking
    def run(engine: ListeningEngine, instance: str, *, expect: int | None, by: Asker, **own: Any) -> None:
        from svcflow.cli.moved import moved_json, moved_text

        asked = asked_of(click.get_current_context())
        moved = move(engine, instance, by=By(**by, expected_revision=expect), **own)
        answer(asked, lambda: moved_json(engine, moved), lambda: moved_text(engine, moved, asked.lang))

    return expect_option(run)
