"""The engine: starts instances, hands commands to the kernel, keeps what follows. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from svcflow import explanation
from svcflow.errors import StoreError
from svcflow.explanation.explain import Explanation
from svcflow.journal.chain import GENESIS, chained
from svcflow.kernel import availability
from svcflow.kernel import deadlines as deadlines_of
from svcflow.kernel import facts as facts_of
from svcflow.kernel.availability import Available
from svcflow.kernel.commands import (
    NOBODY,
    Actor,
    Command,
    Extend,
    Fire,
    Hold,
    Recipient,
    Recompute,
    Reschedule,
    Resume,
    Start,
    Update,
)
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.deadlines import Deadline
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.deviations import Deviation
from svcflow.kernel.evolve import evolve_all
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance, Status
from svcflow.model.catalog import Catalog
from svcflow.model.field import Value
from svcflow.model.procedure import Procedure
from svcflow.runtime.clock import Clock, SystemClock
from svcflow.runtime.ids import new_id
from svcflow.runtime.replies import refusal, refuse_before_effective, stale, unknown_instance
from svcflow.runtime.standards import Standards
from svcflow.runtime.store import Answer, DeviationQuery, InstanceQuery, Kept, Store, Transaction
from svcflow.runtime.timers import Ticker
from svcflow.runtime.verification import Progress, Verification, verify
from svcflow.text import NO_TEXT, Text
from svcflow.worktime.instants import to_us

_NONE: Mapping[str, str] = {}
_BATCH = 1_000


class Engine:
    """Run the procedures of a catalog over a store; safe to use from several threads.

    `url` is `memory://` or `sqlite:///FILE`. Use it as a context manager, or call `close()`.
    Every command may carry a `command_id`: asked again, it gives the first answer again and does nothing.
    """

    def __init__(self, url: str | Store, catalog: Catalog | Procedure, *, clock: Clock | None = None) -> None:
        self.catalog = Catalog.of(catalog) if isinstance(catalog, Procedure) else catalog
        self.clock: Clock = clock or SystemClock()
        self._standards = Standards(self.catalog)
        self._store = _open(url) if isinstance(url, str) else url
        self._ticker = Ticker(self.tick, self._store.next_due_us, self.clock)

    def start(
        self,
        procedure: str | tuple[str, int],
        *,
        data: Mapping[str, Value] = _NONE,
        recipient: Recipient | None = None,
        actor: Actor = NOBODY,
        evidence: Mapping[str, str] = _NONE,
        instance_id: str | None = None,
        command_id: str | None = None,
    ) -> Instance:
        """Start an instance of the newest version of a procedure, or of `(id, version)`.

        Raises: UnknownProcedure, FieldError; StoreError when `instance_id` is taken.
        """
        name, version = (procedure, None) if isinstance(procedure, str) else procedure
        compiled = self._standards.newest(name) if version is None else self._standards.version(name, version)
        chosen = instance_id or new_id(name, command_id)
        command = Start(chosen, data, recipient, actor, evidence)
        refuse_before_effective(compiled, self.clock.now_us())
        with self._store.transaction() as work:
            kept = work.load(chosen)
            if kept is not None:
                return self._started_before(work, kept, command_id)
            outcome = transact(compiled, None, command, self.clock.now_us())
            _append(work, outcome, GENESIS, command_id)
        self._ticker.notice(outcome.instance.next_us)
        return outcome.instance

    def fire(
        self,
        instance: str,
        trigger: str,
        *,
        actor: Actor = NOBODY,
        data: Mapping[str, Value] = _NONE,
        evidence: Mapping[str, str] = _NONE,
        step: str | None = None,
        override: str | None = None,
        occurred_at: datetime | None = None,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Move an instance by a trigger; `override` is the reason for going round the declared order.

        `occurred_at` is when it happened, if that was before now: deadlines are judged by it.

        Raises: Refused (its `rule` says which), UnknownTrigger, UnknownInstance, StaleRevision, FieldError.
        """
        command = Fire(trigger, actor, data, evidence, step, override, _us(occurred_at))
        return self._command(instance, command, command_id, expected_revision)

    def hold(
        self,
        instance: str,
        *,
        reason: str,
        actor: Actor = NOBODY,
        evidence: Mapping[str, str] = _NONE,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Stop the clocks that may stop. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._command(instance, Hold(reason, actor, evidence), command_id, expected_revision)

    def resume(
        self,
        instance: str,
        *,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """End a hold. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._command(instance, Resume(actor), command_id, expected_revision)

    def update(
        self,
        instance: str,
        *,
        data: Mapping[str, Value] = _NONE,
        evidence: Mapping[str, str] = _NONE,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Add data or evidence without moving. Raises: Refused, FieldError, UnknownInstance, StaleRevision."""
        return self._command(instance, Update(actor, data, evidence), command_id, expected_revision)

    def reschedule(
        self,
        instance: str,
        field: str,
        at: datetime | None,
        *,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Move a scheduled instant that limits refer to; None clears it.

        Raises: Refused, FieldError, UnknownInstance, StaleRevision, NaiveDatetime.
        """
        if at is not None:
            to_us(at)
        command = Reschedule(field, None if at is None else at.isoformat(), actor)
        return self._command(instance, command, command_id, expected_revision)

    def extend(
        self,
        instance: str,
        limit: str,
        *,
        reason: str,
        actor: Actor = NOBODY,
        evidence: Mapping[str, str] = _NONE,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Prolong a limit once, as it declares. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._command(instance, Extend(limit, reason, actor, evidence), command_id, expected_revision)

    def recompute(self, *, reason: str, actor: Actor = NOBODY) -> tuple[Fact, ...]:
        """Reckon every running deadline anew after a calendar was corrected or a year published.

        Returns the facts: one `Recomputed` for each deadline that changed, and what became due by it.
        """
        now_us = self.clock.now_us()
        recorded: list[Fact] = []
        for name in self._store.ids():
            recorded.extend(self._carry_out(name, Recompute(reason, actor), now_us))
        return tuple(recorded)

    def instance(self, instance: str) -> Instance:
        """Return an instance as last recorded. Raises: UnknownInstance."""
        return self._kept(instance).instance

    def instances(
        self, *, procedure: str | None = None, status: Status | None = None, limit: int = 1_000
    ) -> tuple[Instance, ...]:
        """Return instances, newest first."""
        return tuple(self._store.instances(InstanceQuery(procedure, status, limit)))

    def deadlines(self, instance: str, *, ended: bool = False) -> tuple[Deadline, ...]:
        """Return the deadlines as they are now, soonest first. Raises: UnknownInstance."""
        kept = self._kept(instance).instance
        return deadlines_of(self._compiled(kept), kept, self.clock.now_us(), ended=ended)

    def explain(self, instance: str, limit: str) -> Explanation:
        """Return how a limit's deadline came to be, line by line. Raises: UnknownInstance, UnknownLimit."""
        kept = self._kept(instance).instance
        compiled = self._compiled(kept)
        return explanation.explain(compiled, self._store.facts(instance), limit, self.clock.now_us())

    def available(self, instance: str, actor: Actor) -> tuple[Available, ...]:
        """Return the triggers of the active steps, and why closed ones are. Raises: UnknownInstance."""
        kept = self._kept(instance).instance
        return availability.available(self._compiled(kept), kept, actor, self.clock.now_us())

    def journal(self, instance: str) -> tuple[Fact, ...]:
        """Return the facts of an instance. Raises: UnknownInstance."""
        self._kept(instance)
        return tuple(self._store.facts(instance))

    def deviations(
        self,
        *,
        instance: str | None = None,
        procedure: str | None = None,
        kind: str | None = None,
        step: str | None = None,
        role: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[Deviation, ...]:
        """Return the recorded deviations, in the order in which they occurred. Call `tick()` first to be current."""
        query = DeviationQuery(instance, procedure, kind, step, role, _us(since), _us(until))
        return tuple(self._store.deviations(query))

    def tick(self) -> tuple[Fact, ...]:
        """Record everything that became due up to now; return the facts.

        An instance that cannot be brought up to now keeps none of the others from it: the first such error
        is raised when they are done.
        """
        now_us = self.clock.now_us()
        recorded: list[Fact] = []
        idle: set[str] = set()
        errors: list[Exception] = []
        while due := self._due(now_us, idle):
            for instance in due:
                try:
                    facts = self._carry_out(instance, None, now_us)
                except StoreError:
                    raise
                except Exception as error:  # noqa: BLE001  # raised when the others have had their turn
                    facts = ()
                    errors.append(error)
                recorded.extend(facts)
                if not facts:
                    idle.add(instance)
        if errors:
            raise errors[0]
        return tuple(recorded)

    def running(self) -> Ticker:
        """Return a context manager: a background thread that ticks at each next due instant."""
        return self._ticker

    def verify(self, instance: str | None = None, *, progress: Progress | None = None) -> Verification:
        """Check journals against their chains, and kept instances against their journals."""
        names = self._store.ids() if instance is None else [self._kept(instance).instance.id]
        return verify(self._store, self._standards, names, progress)

    def close(self) -> None:
        """Stop the background thread and give back files and connections."""
        self._ticker.stop()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _command(
        self, instance: str, command: Command, command_id: str | None, expected: int | None
    ) -> Instance:
        with self._store.transaction() as work:
            kept = work.load(instance)
            if kept is None:
                raise unknown_instance(instance)
            compiled = self._compiled(kept.instance)
            answer = None if command_id is None else work.answer(instance, command_id)
            if answer is not None:
                return _again(work, compiled, instance, answer)
            if expected is not None and expected != kept.instance.revision:
                raise stale(kept.instance, expected)
            outcome = transact(compiled, kept.instance, command, self.clock.now_us())
            _append(work, outcome, kept.head, command_id)
        self._ticker.notice(outcome.instance.next_us)
        if outcome.refused is not None:
            raise refusal(outcome.refused, outcome.remedy)
        return outcome.instance

    def _due(self, now_us: int, idle: set[str]) -> list[str]:
        return [name for name in self._store.due(now_us, _BATCH + len(idle)) if name not in idle]

    def _carry_out(self, instance: str, command: Command | None, now_us: int) -> tuple[Fact, ...]:
        """Do what nobody waits for an answer to; an instance that has ended is left alone."""
        with self._store.transaction() as work:
            kept = work.load(instance)
            if kept is None:
                raise unknown_instance(instance)
            if kept.instance.status == "ended":
                return ()
            outcome = transact(self._compiled(kept.instance), kept.instance, command, now_us)
            if not outcome.facts:
                return ()
            _append(work, outcome, kept.head, None)
        return outcome.facts

    def _started_before(self, work: Transaction, kept: Kept, command_id: str | None) -> Instance:
        instance = kept.instance
        answer = None if command_id is None else work.answer(instance.id, command_id)
        if answer is None:
            message = Text(zh=f"实例 {instance.id} 已存在", en=f"there is an instance {instance.id} already")
            raise StoreError(message, Text(zh="换一个 instance_id", en="choose another instance_id"))
        return _again(work, self._compiled(instance), instance.id, answer)

    def _compiled(self, instance: Instance) -> Compiled:
        return self._standards.version(instance.procedure, instance.version)

    def _kept(self, instance: str) -> Kept:
        kept = self._store.load(instance)
        if kept is None:
            raise unknown_instance(instance)
        return kept


def _open(url: str) -> Store:
    from svcflow.store import open_store  # noqa: PLC0415  # stores stand below; which one, the URL says

    return open_store(url)


def _append(work: Transaction, outcome: Outcome, head: bytes, command_id: str | None) -> None:
    refused = outcome.refused.sequence if outcome.refused else 0
    entries = chained(head, outcome.facts)
    work.append(outcome.instance, entries, command_id=command_id, refused=refused)


def _again(work: Transaction, compiled: Compiled, instance: str, answer: Answer) -> Instance:
    """Give the answer of the first run of a command again."""
    facts = work.facts(instance, answer.sequence)
    if answer.refused:
        refused = facts[answer.refused - 1]
        assert isinstance(refused, facts_of.Refused)  # noqa: S101  # the store noted that very fact
        raise refusal(refused, NO_TEXT)
    return evolve_all(compiled, None, facts)


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)
