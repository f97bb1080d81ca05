"""Commands upon one instance: who acts, at which revision, and the answer with the instance as it then stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict

from svcflow.cli.errors import WrongUsage, failed
from svcflow.cli.options import command_id_option, expect_option, giver_option, with_store
from svcflow.cli.output import paragraphs
from svcflow.cli.values import actor_or_nobody
from svcflow.errors import Refused
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.cli.engine import RecordingEngine
    from svcflow.cli.session import CommandSession
    from svcflow.kernel.commands import Actor
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine

__all__ = ["CallerArguments", "MoveArguments", "answer_instance", "instance_command", "move_command", "named"]


class CallerArguments(TypedDict):
    """Who acts and under which command id, as arguments of an engine's commands."""

    actor: Actor
    command_id: str | None


class MoveArguments(CallerArguments):
    """The arguments of a caller, and the revision at which the instance has to be."""

    expected_revision: int | None


def instance_command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a command of `function(session, engine, instance, *, caller, …)`; `caller` are `CallerArguments`.

    It gets `--for`, `--command-id` and the options of a store; it is declared below its own arguments and options.
    """

    @with_store
    def run(
        session: CommandSession,
        *,
        instance: str,
        actor: Actor | None,
        giver: str | None,
        command_id: str | None,
        **own: Any,
    ) -> None:
        with session.engine() as engine:
            who = _acting(engine, instance, actor, giver)
            try:
                function(
                    session, engine, instance, caller=CallerArguments(actor=who, command_id=command_id), **own
                )
            except Refused as refused:
                raise _refusal(session, engine, instance, refused) from refused

    return giver_option(command_id_option(run))


def move_command(function: Callable[..., Instance]) -> Callable[..., None]:
    """Make a command of `function(engine, instance, *, caller, …)`, which returns the instance as it then stands.

    `caller` are `MoveArguments`. Besides the options of an `instance_command` it gets `--expect`.
    """

    @instance_command
    def run(
        session: CommandSession,
        engine: RecordingEngine,
        instance: str,
        *,
        expect: int | None,
        caller: CallerArguments,
        **own: Any,
    ) -> None:
        moved = function(engine, instance, caller=MoveArguments(**caller, expected_revision=expect), **own)
        answer_instance(session, engine, moved)

    return expect_option(run)


def answer_instance(session: CommandSession, engine: RecordingEngine, instance: Instance) -> None:
    """Answer with an instance, its open deadlines, and the deviations that this command recorded."""
    from svcflow.cli.json import deadline_json, instance_json, new_deviations_json
    from svcflow.cli.names import names_of
    from svcflow.cli.tables import deadline_table, instance_line, new_deviations_text

    deadlines, deviations = engine.deadlines(instance.id), engine.new_deviations(instance.id)

    def text() -> str:
        names = names_of(engine, instance.procedure, instance.version, session.lang)
        due = deadline_table(deadlines, lambda _: names, session.lang, whose=False) if deadlines else ""
        line = instance_line(instance, names, engine.clock.now_us())
        return paragraphs((line, due, new_deviations_text(engine, deviations, session.lang)))

    session.answer(
        lambda: {
            "instance": instance_json(instance, engine.clock.now_us()),
            "deadlines": [deadline_json(deadline) for deadline in deadlines],
            "deviations": new_deviations_json(deviations),
        },
        text,
    )


def named(actor: Actor | None) -> Actor:
    """Return the actor who acts for somebody else. Raises: WrongUsage when none is named."""
    if actor is None:
        raise WrongUsage(
            Text(zh="没有指明谁代办", en="it is not said who acts for them"),
            Text(zh="用 --actor 编号 指明", en="name who acts with --actor ID"),
        )
    return actor


def _acting(engine: Engine, instance: str, actor: Actor | None, giver: str | None) -> Actor:
    """Return who acts upon an instance. Raises: WrongUsage, UnknownInstance; Refused without a delegation."""
    if giver is None:
        return actor_or_nobody(actor)
    return engine.acting(named(actor), giver, engine.instance(instance).procedure)


def _refusal(session: CommandSession, engine: RecordingEngine, instance: str, error: Refused) -> Exception:
    """Return a refusal with what had become due by then: it is recorded with the attempt."""
    from svcflow.cli.json import new_deviations_json
    from svcflow.cli.tables import new_deviations_text

    deviations = engine.new_deviations(instance)
    text = new_deviations_text(engine, deviations, session.lang)
    return failed(session.form, error, text, {"deviations": new_deviations_json(deviations)})
