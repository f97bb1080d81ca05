"""Sweeps of an engine: what is asked of all instances at once. They decide nothing, and do not know when it is time."""

from __future__ import annotations

from svcflow.kernel.commands import NOBODY, Actor, Recompute
from svcflow.kernel.facts import Fact
from svcflow.kernel.input_checks import require_reason
from svcflow.runtime.command_checks import refuse_unfit
from svcflow.runtime.core import Core
from svcflow.runtime.engine_errors import far_behind
from svcflow.runtime.handlers import Sweeping
from svcflow.runtime.observability import note_sweep
from svcflow.runtime.store import BEGINNING, PART, Place


class Sweeps(Core):
    """Bring every instance up to now, or reckon the deadlines of all anew."""

    def tick(self) -> tuple[Fact, ...]:
        """Record everything that became due up to now; return the facts.

        An instance that cannot be brought up to now keeps none of the others from it: the first such error
        is raised when they are done. What became due long ago is recorded in parts of 1,000 facts at most, each
        in a transaction of its own, and the other instances have their turn in between.
        """
        now_us = self.clock.now_us()
        sweeping = Sweeping(self._compiled, now_us, in_parts=self._in_parts)
        goes_on = True
        while goes_on:
            place: Place | None = BEGINNING
            while place is not None:
                place = self._store.sweep(now_us, place, sweeping)
                sweeping.keep()
                self._refuse_endless(sweeping, now_us)
            goes_on = sweeping.goes_on()
        return self._swept(sweeping)

    def recompute(self, *, reason: str, actor: Actor = NOBODY) -> tuple[Fact, ...]:
        """Reckon every running deadline anew after a calendar was corrected or a year published.

        Returns the facts: one `Recomputed` for each deadline that changed, and what became due by it.
        """
        require_reason(reason)
        command = Recompute(reason, actor)
        refuse_unfit("", command, None, self._payload_limit)
        sweeping = Sweeping(self._compiled, self.clock.now_us(), command, in_parts=self._in_parts)
        for name in self._store.ids():
            goes_on = True
            while goes_on:
                self._store.change(name, None, sweeping)
                sweeping.keep()
                goes_on = sweeping.goes_on()
        return self._swept(sweeping)

    def _swept(self, sweeping: Sweeping) -> tuple[Fact, ...]:
        """Note what was recorded where somebody wants to know. Raises: the first error of an instance."""
        note_sweep(sweeping)
        for facts in sweeping.facts.values():
            self._recorded(facts)
        if self._telemetry is not None:
            self._telemetry.swept(sweeping)
        self._rearmed()
        return sweeping.recorded()

    def _refuse_endless(self, sweeping: Sweeping, now_us: int) -> None:
        """Raise FarBehind when more is due than goes into one transaction, and there is only one."""
        if self._in_parts or sweeping.count() < PART or sweeping.errors:
            return
        due_us = self._store.next_due_us()
        if due_us is not None and due_us <= now_us:
            raise far_behind()

    def _rearmed(self) -> None:
        """Be told that something else may be due next; who tells others when to tick listens."""
