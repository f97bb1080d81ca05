"""Execution of a command: it is checked, decided in a transaction of the store, and what was recorded is made known."""

from __future__ import annotations

import secrets
from hashlib import sha256

from svcflow.kernel.commands import Command, Start
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.instance import Instance
from svcflow.kernel.replay import replay
from svcflow.runtime.clock import Clock
from svcflow.runtime.command_checks import refuse_revision, refuse_unfit
from svcflow.runtime.engine_errors import refusal
from svcflow.runtime.handlers import CommandHandler, StartHandler
from svcflow.runtime.notifications import Notifier
from svcflow.runtime.observability import Telemetry, note_command
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.store import Store


class CommandExecutor:
    """Executes commands on the instances of a store.

    `in_parts` says whether what became due long ago may be recorded in several transactions; inside a transaction
    of a host there is one only.
    """

    def __init__(
        self,
        store: Store,
        registry: ProcedureRegistry,
        clock: Clock,
        notifier: Notifier,
        telemetry: Telemetry | None,
        *,
        payload_limit: int,
        in_parts: bool,
    ) -> None:
        self.payload_limit = payload_limit
        self.in_parts = in_parts
        self._store = store
        self._registry = registry
        self._clock = clock
        self._notifier = notifier
        self._telemetry = telemetry

    def execute(
        self, instance: str, command: Command, command_id: str | None = None, expected: int | None = None
    ) -> Instance:
        """Execute a command on an instance that exists; `expected` is the revision that the caller saw."""
        if expected is not None:
            refuse_revision(expected)
        handler = CommandHandler(
            self._registry.of,
            instance,
            command,
            self._clock,
            command_id=command_id,
            expected=expected,
            in_parts=self.in_parts,
        )
        return self.run(instance, command, command_id, handler)

    def start(self, compiled: Compiled, command: Start, command_id: str | None) -> Instance:
        """Start an instance under a version, which is pinned to its content first."""
        self._registry.pin(compiled)
        handler = StartHandler(compiled, command, command_id, self._clock)
        return self.run(command.instance, command, command_id, handler)

    def run(
        self, instance: str, command: Command, command_id: str | None, handler: StartHandler | CommandHandler
    ) -> Instance:
        """Have a handler decide a command in the store, inside a span where somebody traces.

        Raises: Refused when a rule stood against the command.
        """
        refuse_unfit(instance, command, command_id, self.payload_limit)
        if self._telemetry is None or not self._telemetry.heard():
            return self._changed(instance, command, command_id, handler)
        with self._telemetry.command(command, instance, handler):
            return self._changed(instance, command, command_id, handler)

    def _changed(
        self, instance: str, command: Command, command_id: str | None, handler: StartHandler | CommandHandler
    ) -> Instance:
        self._store.change(instance, command_id, handler)
        while handler.goes_on():  # what was due long before is recorded in transactions of its own
            self._store.change(instance, command_id, handler)
        note_command(command, instance, handler)
        if handler.answer is not None:  # a repeated command: the answer of its first run is given again
            return replay(self._registry.version, self._store.facts(instance, handler.answer.sequence))
        outcome = handler.outcome
        assert outcome is not None  # noqa: S101  # a store asks before it returns
        self._notifier.recorded(outcome.facts, outcome.instance.next_us)
        if outcome.refused is not None:
            raise refusal(outcome.refused, outcome.remedy)
        return outcome.instance


_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(procedure: str, command_id: str | None) -> str:
    """Make an id people can read aloud; a repeated `command_id` finds the instance of its first run."""
    if command_id is not None:
        return _short(f"{procedure}-{command_id}")
    return f"{procedure}-{''.join(secrets.choice(_ALPHABET) for _ in range(12))}"


def _short(name: str) -> str:
    """Return a name that fits the store; a longer one is cut and told apart by its hash."""
    return name if len(name) <= 80 else f"{name[:55]}-{sha256(name.encode()).hexdigest()[:24]}"
