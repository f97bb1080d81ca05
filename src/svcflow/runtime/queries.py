"""Queries that need the versions of procedures; those that the store answers alone stand in the engine."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike

from svcflow import explanation
from svcflow.errors import ChangedProcedure, StoreError, UnknownProcedure
from svcflow.explanation.explain import Explanation
from svcflow.journal.checkpoint import Checkpoint, newest
from svcflow.kernel.commands import Actor
from svcflow.kernel.facts import Fact, Migrated
from svcflow.kernel.instance import NEVER, Instance
from svcflow.kernel.lifecycle.work_items import soonest_due_us
from svcflow.kernel.moves import availability
from svcflow.kernel.moves.availability import Available
from svcflow.kernel.storable import refuse_non_text
from svcflow.kernel.timing.coming_moves import ComingMove
from svcflow.kernel.timing.coming_moves import coming_moves as coming_moves_of
from svcflow.kernel.timing.deadlines import Deadline
from svcflow.kernel.timing.deadlines import deadlines as deadlines_of
from svcflow.kernel.timing.pinned_targets import PinnedTargets, pinned_targets
from svcflow.model.field import Value
from svcflow.runtime.clock import Clock
from svcflow.runtime.engine_errors import unknown_instance
from svcflow.runtime.filters import Page, WorkItem, WorkQuery
from svcflow.runtime.integrity.verification import Progress, Verification, verify
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.qualifications import Qualifications, held_certificates
from svcflow.runtime.store import Store, StoredInstance
from svcflow.text import Text


def load(store: Store, instance: str) -> StoredInstance:
    """Return an instance as last recorded. Raises: UnknownInstance."""
    refuse_non_text("instance", instance)
    stored = store.load(instance)
    if stored is None:
        raise unknown_instance(instance)
    return stored


class Queries:
    """Answers queries from a store and the versions of procedures; changes nothing."""

    def __init__(
        self, store: Store, registry: ProcedureRegistry, clock: Clock, qualifications: Qualifications | None
    ) -> None:
        self._qualifications = qualifications
        self._store = store
        self._registry = registry
        self._clock = clock

    def instance(self, instance: str) -> Instance:
        """Return an instance as last recorded."""
        return load(self._store, instance).instance

    def deadlines(self, instance: str, *, ended: bool) -> tuple[Deadline, ...]:
        """Return the deadlines of an instance, soonest first."""
        current = self.instance(instance)
        pinned, compiled = self._pinned(current), self._registry.of(current)
        return deadlines_of(compiled, current, self._clock.now_us(), ended=ended, pinned=pinned)

    def coming_moves(self, instance: str) -> tuple[ComingMove, ...]:
        """Return the automatic moves of an instance that are to come, soonest first."""
        current = self.instance(instance)
        return coming_moves_of(self._registry.of(current), current, self._clock.now_us())

    def _pinned(self, instance: Instance) -> PinnedTargets:
        """Return the targets of earlier versions that still apply to an instance that was migrated.

        None where the procedure has one version, so that no journal is read; none either where the catalog lacks a
        version that the journal names, for deadlines do not depend on them.
        """
        if len(self._registry.catalog.versions(instance.procedure)) < 2:
            return {}
        facts = self._store.facts(instance.id, instance.sequence)
        if not any(isinstance(fact, Migrated) for fact in facts):
            return {}
        try:
            return pinned_targets(self._registry.version, facts)
        except (UnknownProcedure, ChangedProcedure):
            return {}

    def explain(self, instance: str, limit: str) -> Explanation:
        """Return how a deadline came to be."""
        compiled, version_of = self._registry.of(self.instance(instance)), self._registry.version
        facts = self._store.facts(instance)
        return explanation.explain(compiled, facts, limit, self._clock.now_us(), version_of)

    def available(
        self, instance: str, actor: Actor | None, data: Mapping[str, Value]
    ) -> tuple[Available, ...]:
        """Return the triggers of the active steps."""
        current = self.instance(instance)
        compiled, held = self._registry.of(current), None
        if compiled.certificates and actor is not None:
            held = held_certificates(self._qualifications, actor.id, compiled.certificates)
        now_us = self._clock.now_us()
        return availability.available(compiled, current, actor, now_us, data, certificates=held)

    def journal(self, instance: str) -> tuple[Fact, ...]:
        """Return the facts of an instance."""
        self.instance(instance)  # raises for one that is not there
        return tuple(self._store.facts(instance))

    def worklist(self, query: WorkQuery) -> Page[WorkItem]:
        """Return work without personal data: a list is seen by more people than have the work."""
        page = self._store.worklist(query)
        personal = {name: self._registry.catalog.personal(name) for name in {item.procedure for item in page}}

        def without_personal(item: WorkItem) -> WorkItem:
            hidden = personal[item.procedure]
            return item._replace(data={key: value for key, value in item.data.items() if key not in hidden})

        return page.mapped(without_personal)

    def due_us(self, instance: Instance) -> int:
        """Return the soonest deadline that runs for an instance; `NEVER` when none does."""
        return NEVER if instance.status == "ended" else soonest_due_us(self._registry.of(instance), instance)

    def verify(
        self,
        instance: str | None,
        checkpoint: Checkpoint | str | PathLike[str] | None,
        progress: Progress | None,
    ) -> Verification:
        """Check one journal or all of them, the rows beside them, and both against a checkpoint."""
        if instance is not None:
            refuse_non_text("instance", instance)
            if not any(rows.tables for rows in self._store.instance_rows(instance)):
                raise unknown_instance(instance)
        return verify(self._store, self._registry, instance, progress, _checkpoint(checkpoint))


def _checkpoint(source: Checkpoint | str | PathLike[str] | None) -> Checkpoint | None:
    """Return a checkpoint, or the newest one of a file. Raises: StoreError when the file holds none."""
    if source is None or isinstance(source, Checkpoint):
        return source
    sealed = newest(source)
    if sealed is None:
        message = Text(zh=f"{source} 中没有检查点", en=f"there is no checkpoint in {source}")
        raise StoreError(message, Text(zh="用 svcflow seal 生成", en="make one with `svcflow seal`"))
    return sealed
