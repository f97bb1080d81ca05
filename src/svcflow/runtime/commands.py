"""Execution of commands: a handler decides one in a transaction of the store, again when others were faster.

What became due long ago is recorded in parts, each in a transaction of its own, before the command is judged.
`in_parts` is false inside a transaction of a host, where there is one only.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256

import attrs

from svcflow.errors import StoreError
from svcflow.kernel.commands import Assign, Certificates, Claim, Command, Fire, Start
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.facts import Fact, Moved
from svcflow.kernel.instance import NEVER, Instance
from svcflow.kernel.replay import replay
from svcflow.runtime.clock import Clock
from svcflow.runtime.command_checks import refuse_revision, refuse_unfit
from svcflow.runtime.engine_errors import far_behind, refusal, stale, unknown_instance
from svcflow.runtime.notifications import Notifier
from svcflow.runtime.observability import Telemetry, log_command
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.qualifications import CertificatesWanted, Qualifications, held_certificates
from svcflow.runtime.store import MAX_FACTS, ChangeSet, CompletedCommand, Decision, LockedInstance, Store
from svcflow.text import Text

CompiledOf = Callable[[Instance], Compiled]
"""Returns the version of a procedure that an instance runs under."""

_log = logging.getLogger("svcflow")

_NO_SPAN = nullcontext()


class CommandExecutor:
    """Executes commands on the instances of a store.

    `follow_up` is called with an instance that a command has left with something to do about its children or parent,
    and returns whether that is done; without it, and where it is not, the next tick does it.
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
        qualifications: Qualifications | None = None,
    ) -> None:
        self.qualifications = qualifications
        self.follow_up: Callable[[str], bool] | None = None
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
        """Execute a command on an instance that exists; `expected` is the revision that the caller saw.

        Raises: UnknownInstance, StaleRevision, and as `run`.
        """
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
        return self.run(handler)

    def done(self, instance: str, command: Command) -> tuple[Fact, ...]:
        """Execute a command; return the facts, none when what it records is on record. Raises: as `execute`."""
        handler = CommandHandler(self._registry.of, instance, command, self._clock, in_parts=self.in_parts)
        self.run(handler)
        return () if handler.outcome is None else handler.outcome.facts

    def start(self, compiled: Compiled, command: Start, command_id: str | None) -> Instance:
        """Start an instance under a version, which is pinned to its content first. Raises: as `run`."""
        self._registry.pin(compiled)
        return self.run(StartHandler(compiled, command, command_id, self._clock))

    def run(self, handler: StartHandler | CommandHandler) -> Instance:
        """Let a handler decide its command in the store; where somebody traces, inside a span.

        Raises: Refused when a rule stood against the command; FieldError for what cannot be kept.
        """
        instance, command_id = handler.instance, handler.command_id
        refuse_unfit(instance, handler.command, command_id, self.payload_limit)
        span: AbstractContextManager[None] = _NO_SPAN
        if self._telemetry is not None and self._telemetry.heard():
            span = self._telemetry.span(handler)
        with span:
            self._change(handler)
            while handler.has_more():  # what was due long before is recorded in transactions of its own
                self._change(handler)
            if _log.isEnabledFor(logging.INFO):
                log_command(handler)
            if handler.completed is not None:  # a repeated command gets the answer of its first run again
                facts = self._store.facts(instance, handler.completed.sequence)
                return replay(self._registry.version, facts)
            outcome = handler.outcome
            assert outcome is not None  # noqa: S101  # a store calls the handler before it returns
            # a refusal is on record too, and so is what became due before it: subscribers learn of both
            if outcome.instance.pending_us == NEVER or self.follow_up is None:
                self._notifier.recorded(outcome.facts, outcome.instance.next_us)
            else:
                self._notifier.recorded(outcome.facts, NEVER)
                if not self.follow_up(instance):
                    self._notifier.recorded((), outcome.instance.next_us)
            if outcome.refused is not None:
                raise refusal(outcome.refused, outcome.remedy)
            return outcome.instance

    def _change(self, handler: StartHandler | CommandHandler) -> None:
        """Let a handler decide in one transaction; the register of certificates is asked outside of it."""
        while True:
            try:
                self._store.change(handler.instance, handler.command_id, handler)
            except CertificatesWanted as wanted:
                assert isinstance(handler, CommandHandler)  # noqa: S101  # nobody needs a certificate to start
                handler.show(
                    held_certificates(self.qualifications, handler.person, wanted.certificates),
                    wanted.certificates,
                )
            else:
                return


class StartHandler:
    """Decides a Start; `completed` is set when the same command was done before.

    A store may call a handler more than once; what the last call returned is what was kept.
    """

    def __init__(self, compiled: Compiled, command: Start, command_id: str | None, clock: Clock) -> None:
        self.instance = command.instance
        self.command = command
        self.command_id = command_id
        self.outcome: Outcome | None = None
        self.completed: CompletedCommand | None = None
        self._compiled = compiled
        self._clock = clock

    def __call__(self, locked: LockedInstance) -> ChangeSet | Decision | None:
        """Decide, unless the instance is there already. Raises: StoreError when another command started it."""
        self.completed = locked.completed
        if locked.completed is not None:
            return None
        if locked.instance is not None:
            name = locked.instance.id
            message = Text(zh=f"实例 {name} 已存在", en=f"there is an instance {name} already")
            raise StoreError(message, Text(zh="换一个 `instance_id`", en="choose another `instance_id`"))
        self.outcome = transact(self._compiled, None, self.command, self._clock.now_us(), MAX_FACTS)
        return decision_of(locked, self.outcome, self.command_id)

    def has_more(self) -> bool:
        """Return False: nothing was due before there was an instance."""
        return False


class CommandHandler:
    """Decides one command on an instance that exists; `completed` is set when it was done before."""

    def __init__(
        self,
        compiled_of: CompiledOf,
        instance: str,
        command: Command,
        clock: Clock,
        *,
        command_id: str | None = None,
        expected: int | None = None,
        in_parts: bool = True,
    ) -> None:
        self.instance = instance
        self.command = command
        self.command_id = command_id
        self.outcome: Outcome | None = None
        self.completed: CompletedCommand | None = None
        self._compiled_of = compiled_of
        self._clock = clock
        self._expected = expected
        self._in_parts = in_parts
        self._caught_up: list[Fact] = []
        self._asked: frozenset[str] = frozenset()
        """Certificates that the register was asked for."""

    @property
    def person(self) -> str:
        """The person whose certificates count: who acts, or who is to have a step."""
        return self.command.to if isinstance(self.command, Assign) else self.command.actor.id

    def show(self, held: Certificates | None, asked: frozenset[str]) -> None:
        """Put what the register said with the command, so that nobody has to ask it again."""
        self._asked = asked
        if isinstance(self.command, Fire | Claim | Assign):
            self.command = attrs.evolve(self.command, certificates=held)

    def __call__(self, locked: LockedInstance) -> ChangeSet | Decision | None:
        """Decide the command, or catch up by a part. Raises: UnknownInstance, StaleRevision, FarBehind."""
        instance, self.completed = locked.instance, locked.completed
        if instance is None:
            raise unknown_instance(self.instance)
        if locked.completed is not None:
            return None
        if self._expected is not None and self._expected != instance.revision:
            raise stale(instance, self._expected)
        self.outcome = self._decide(locked, instance, self._clock.now_us())
        if self.outcome.behind and not self._in_parts:
            raise far_behind(instance.id)
        return decision_of(locked, self.outcome, self.command_id)

    def has_more(self) -> bool:
        """Take in what was kept; return whether that was a part, so that the command has yet to be judged."""
        outcome = self.outcome
        if self.completed is not None or outcome is None:
            return False
        if outcome.behind:
            self._caught_up += outcome.facts
            if self._expected is not None:  # what time brought does not make the caller's view stale
                self._expected = outcome.instance.revision
        elif self._caught_up:
            self.outcome = outcome._replace(facts=(*self._caught_up, *outcome.facts))
        return outcome.behind

    def _decide(self, locked: LockedInstance, instance: Instance, now_us: int) -> Outcome:  # noqa: ARG002  # a migration reads the journal
        compiled = self._compiled_of(instance)
        if (
            compiled.certificates
            and not compiled.certificates <= self._asked
            and type(self.command) in _DOING
        ):
            raise CertificatesWanted(compiled.certificates)
        return transact(compiled, instance, self.command, now_us, MAX_FACTS)


def decision_of(
    locked: LockedInstance, outcome: Outcome, command_id: str | None
) -> ChangeSet | Decision | None:
    """Return what is to be kept of an outcome; None when nothing happened. Raises: as `Decision.written`."""
    facts, instance = outcome.facts, outcome.instance
    if not facts:
        return None
    if outcome.refused is not None or outcome.behind:
        command_id = None  # nothing was done yet: corrected, the command may carry the same id
    decision = Decision(instance, facts, command_id, outcome.compiled)
    # what a caller brought may have no JSON form, so it is written before anything is kept; a bare move always has one
    only_moved = len(facts) == 1 and type(facts[0]) is Moved and not facts[0].data and not facts[0].evidence
    return decision if only_moved else decision.written(locked)


_DOING = frozenset((Fire, Claim, Assign))
"""Commands by which somebody does a step, or is to have it."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(procedure: str, command_id: str | None) -> str:
    """Return an id that people can read aloud; of a command with an id, the same one each time."""
    if command_id is not None:
        return _short(f"{procedure}-{command_id}")
    return f"{procedure}-{''.join(secrets.choice(_ALPHABET) for _ in range(12))}"


def _short(name: str) -> str:
    """Return a name that fits the store; a longer one is cut and told apart by its hash."""
    return name if len(name) <= 80 else f"{name[:55]}-{sha256(name.encode()).hexdigest()[:24]}"
