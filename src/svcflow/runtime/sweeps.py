"""Sweeps: what is due on any instance is recorded, or the deadlines of all are computed anew."""

from __future__ import annotations

from svcflow.kernel.commands import Recompute
from svcflow.kernel.facts import Fact
from svcflow.runtime.clock import Clock
from svcflow.runtime.engine_errors import far_behind
from svcflow.runtime.handlers import SweepHandler
from svcflow.runtime.notifications import Notifier
from svcflow.runtime.observability import Telemetry, note_sweep
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.store import MAX_FACTS, SWEEP_START, Store, SweepPosition


class Sweeper:
    """Brings every instance of a store up to the present instant.

    `in_parts` says whether more than one transaction may be used; inside a transaction of a host there is one only.
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
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._notifier = notifier
        self._telemetry = telemetry
        self._in_parts = in_parts

    def tick(self) -> tuple[Fact, ...]:
        """Record what became due up to now; return the facts. Raises: the first error of an instance, at the end."""
        now_us = self._clock.now_us()
        sweeping = SweepHandler(self._registry.of, now_us, in_parts=self._in_parts)
        goes_on = True
        while goes_on:
            place: SweepPosition | None = SWEEP_START
            while place is not None:
                place = self._store.sweep(now_us, place, sweeping)
                sweeping.keep()
                self._refuse_endless(sweeping, now_us)
            goes_on = sweeping.goes_on()
        return self._swept(sweeping)

    def recompute(self, command: Recompute) -> tuple[Fact, ...]:
        """Give a Recompute to each instance; return the facts. Raises: the first error of an instance, at the end."""
        sweeping = SweepHandler(self._registry.of, self._clock.now_us(), command, in_parts=self._in_parts)
        for name in self._store.ids():
            goes_on = True
            while goes_on:
                self._store.change(name, None, sweeping)
                sweeping.keep()
                goes_on = sweeping.goes_on()
        return self._swept(sweeping)

    def _swept(self, sweeping: SweepHandler) -> tuple[Fact, ...]:
        """Make known what was recorded, and return it."""
        note_sweep(sweeping)
        self._notifier.swept(sweeping.facts.values())
        if self._telemetry is not None:
            self._telemetry.swept(sweeping)
        return sweeping.recorded()

    def _refuse_endless(self, sweeping: SweepHandler, now_us: int) -> None:
        """Raise FarBehind when more is due than goes into one transaction, and there is only one."""
        if self._in_parts or sweeping.count() < MAX_FACTS or sweeping.errors:
            return
        due_us = self._store.next_due_us()
        if due_us is not None and due_us <= now_us:
            raise far_behind()
