"""Sweeps over all instances: what is due is recorded, or deadlines are computed anew."""

from __future__ import annotations

from collections.abc import Sequence

from svcflow.kernel.commands import Command, Recompute
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER, Instance
from svcflow.runtime.child_runner import ChildRun, ChildRunner
from svcflow.runtime.clock import Clock
from svcflow.runtime.commands import CompiledOf, decision_of
from svcflow.runtime.engine_errors import about, far_behind
from svcflow.runtime.notifications import Notifier
from svcflow.runtime.observability import Telemetry, log_sweep
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.store import (
    MAX_FACTS,
    SWEEP_START,
    ChangeSet,
    Decision,
    LockedInstance,
    Store,
    SweepPosition,
    fits,
)


class Sweeper:
    """Brings every instance of a store up to the present instant.

    `in_parts` is false inside a transaction of a host, where there is one only.
    """

    def __init__(
        self,
        store: Store,
        registry: ProcedureRegistry,
        clock: Clock,
        notifier: Notifier,
        telemetry: Telemetry | None,
        *,
        in_parts: bool,
        children: ChildRunner,
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._notifier = notifier
        self._telemetry = telemetry
        self._children = children
        self._in_parts = in_parts

    def tick(self) -> tuple[Fact, ...]:
        """Record what became due up to now; return the facts. Raises: the first error of an instance, at the end."""
        now_us = self._clock.now_us()
        handler = SweepHandler(self._registry.of, now_us, in_parts=self._in_parts)
        more = True
        while more:  # each round gives every instance that is behind one part, so that none waits for another
            position: SweepPosition | None = SWEEP_START
            while position is not None:
                position = self._store.sweep(now_us, position, handler)
                handler.confirm()
                self._refuse_endless(handler, now_us)
            more = handler.next_round()
        return self._recorded(handler)

    def recompute(self, command: Recompute) -> tuple[Fact, ...]:
        """Execute a Recompute on each instance; return the facts. Raises: the first error of an instance, at the end."""
        handler = SweepHandler(self._registry.of, self._clock.now_us(), command, in_parts=self._in_parts)
        for instance in self._store.ids():
            more = True
            while more:
                self._store.change(instance, None, handler)
                handler.confirm()
                more = handler.next_round()
        return self._recorded(handler)

    def _recorded(self, handler: SweepHandler) -> tuple[Fact, ...]:
        """Make known what was recorded, and return it."""
        log_sweep(handler.facts, handler.procedures)
        self._notifier.swept(handler.facts.values())
        if handler.pending:
            handler.add(self._children.run(handler.pending))
        if self._telemetry is not None:
            self._telemetry.swept(handler.facts, handler.procedures)
        return handler.recorded()

    def _refuse_endless(self, handler: SweepHandler, now_us: int) -> None:
        """Raise FarBehind when more is due than goes into one transaction, and there is only one."""
        if self._in_parts or handler.count() < MAX_FACTS or handler.errors:
            return
        due_us = self._store.next_due_us()
        if due_us is not None and due_us <= now_us:
            raise far_behind()


class SweepHandler:
    """Brings instances up to one instant, with or without a command for each; those that ended are left alone.

    `pending` are instances that have something to do about their children or parents.
    An instance that cannot be brought there keeps none of the others from it: its error is kept in `errors`.
    One that is far behind is brought on by one part in each round. A store may call the handler about an instance
    more than once; what the last call returned counts, once `confirm` is called.
    """

    def __init__(
        self,
        compiled_of: CompiledOf,
        now_us: int,
        command: Command | None = None,
        *,
        in_parts: bool = True,
    ) -> None:
        self.facts: dict[str, Sequence[Fact]] = {}
        self.procedures: dict[str, str] = {}
        self.errors: dict[str, Exception] = {}
        self.pending: dict[str, None] = {}
        self._followed: list[Fact] = []
        self._compiled_of = compiled_of
        self._versions: dict[tuple[str, int], Compiled] = {}
        self._now_us = now_us
        self._command = command
        self._in_parts = in_parts
        self._unconfirmed: dict[str, bool] = {}  # instances since the last `confirm`: whether each is behind
        self._handled: set[str] = set()  # those that had their turn in this round
        self._behind = False
        self._confirmed: dict[str, int] = {}  # how many facts of each instance are committed

    def __call__(self, locked: LockedInstance) -> ChangeSet | Decision | None:
        """Decide what became due up to the instant, as far as there is room, and the command."""
        instance = locked.instance
        if instance is None or instance.id in self._handled:
            return None
        self._discard_unconfirmed(instance.id)
        if instance.pending_us <= self._now_us:
            self.pending[instance.id] = None
        if instance.status == "ended":
            return None
        try:
            outcome = self._decide(instance, locked.room)
            change = decision_of(locked, outcome, None)
        except Exception as error:  # noqa: BLE001  # raised when the others have had their turn
            self.errors[instance.id] = error
            self._unconfirmed[instance.id] = False
            return None
        if fits(len(outcome.facts), locked.room):  # what does not fit is not kept, and asked for again
            earlier = self.facts.get(instance.id)
            self.facts[instance.id] = [*earlier, *outcome.facts] if earlier else outcome.facts
            self.procedures[instance.id] = instance.procedure
            self._unconfirmed[instance.id] = outcome.behind
            if outcome.instance.pending_us != NEVER:
                self.pending[instance.id] = None
        return change

    def confirm(self) -> None:
        """Take it that what was decided since the last time is committed: those instances have had their turn."""
        self._behind = self._behind or any(self._unconfirmed.values())
        self._handled.update(self._unconfirmed)
        self._confirmed.update({name: len(self.facts.get(name, ())) for name in self._unconfirmed})
        self._unconfirmed.clear()

    def next_round(self) -> bool:
        """Begin another round, without the instances that had an error; return whether one was left behind."""
        behind, self._behind = self._behind, False
        self._handled = set(self.errors)
        return behind

    def count(self) -> int:
        """Return how many facts were kept."""
        return sum(map(len, self.facts.values()))

    def recorded(self) -> tuple[Fact, ...]:
        """Return all facts that were kept. Raises: the first error, now that all have had their turn."""
        for instance, error in self.errors.items():
            raise about(instance, error)
        return (*(fact for facts in self.facts.values() for fact in facts), *self._followed)

    def add(self, run: ChildRun) -> None:
        """Take in what was done about children and parents."""
        self._followed += run.facts
        self.errors = {**run.errors, **self.errors}

    def _discard_unconfirmed(self, name: str) -> None:
        """Drop what was decided of an instance and not committed: the store calls about it again."""
        self.errors.pop(name, None)
        self._unconfirmed.pop(name, None)
        if name in self.facts:
            self.facts[name] = self.facts[name][: self._confirmed.get(name, 0)]

    def _decide(self, instance: Instance, room: int) -> Outcome:
        limit = room if self._in_parts else MAX_FACTS
        outcome = transact(self._version(instance), instance, self._command, self._now_us, limit)
        if outcome.behind and not self._in_parts:
            raise far_behind(instance.id)
        return outcome

    def _version(self, instance: Instance) -> Compiled:
        """Return the version of an instance; cached, since the registry reads the store for one that is not pinned yet."""
        key = instance.procedure, instance.version
        if key not in self._versions:
            self._versions[key] = self._compiled_of(instance)
        return self._versions[key]
