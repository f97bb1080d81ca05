"""What can be asked about instances: the questions of an engine. None of them changes anything."""

from __future__ import annotations

from datetime import datetime

from svcflow import explanation
from svcflow.explanation.explain import Explanation
from svcflow.kernel import availability
from svcflow.kernel import deadlines as deadlines_of
from svcflow.kernel.availability import Available
from svcflow.kernel.commands import Actor
from svcflow.kernel.deadlines import Deadline
from svcflow.kernel.deviations import Deviation
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance, Status
from svcflow.runtime.core import Core
from svcflow.runtime.store import DeviationQuery, InstanceQuery
from svcflow.runtime.verification import Progress, Verification, verify
from svcflow.worktime.instants import optional_us


class Questions(Core):
    """Ask about instances, their deadlines, journals and deviations."""

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
        query = DeviationQuery(instance, procedure, kind, step, role, optional_us(since), optional_us(until))
        return tuple(self._store.deviations(query))

    def verify(self, instance: str | None = None, *, progress: Progress | None = None) -> Verification:
        """Check journals against their chains, and kept instances against their journals."""
        names = self._store.ids() if instance is None else [self._kept(instance).instance.id]
        return verify(self._store, self._standards, names, progress)
