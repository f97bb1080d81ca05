"""Rebuilding of instances from their journals, or of their work alone, in a store of an older version."""

from __future__ import annotations

from svcflow.errors import ChangedProcedure, UnknownCalendar, UnknownProcedure
from svcflow.journal.canonical import from_bytes
from svcflow.journal.personal_data import Commitments
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.work_items import work_of
from svcflow.kernel.replay import replay
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.store import ChangeSet, LockedInstance, Store


def rebuild(store: Store, registry: ProcedureRegistry) -> None:
    """Write every instance anew as its journal leads to it, if the store needs it.

    Instances of procedures that the catalog lacks are left as they are, and tried again when the store is next opened.
    """
    wanted = store.wants_rebuilding()
    if not wanted:
        return
    handler = RebuildHandler(registry, work_only=wanted == "work")
    for name in store.ids():
        store.change(name, None, handler)
    for procedure, version in handler.seen:
        registry.pin(registry.version(procedure, version))
    if handler.complete:
        store.rebuilt()


class RebuildHandler:
    """Rebuilds one instance after the other; `complete` is false once a procedure was missing.

    With `work_only` the instances themselves are right, and no journal is read.
    """

    def __init__(self, registry: ProcedureRegistry, *, work_only: bool) -> None:
        self.complete = True
        self.seen: set[tuple[str, int]] = set()
        self._registry = registry
        self._work_only = work_only

    def __call__(self, locked: LockedInstance) -> ChangeSet | None:
        """Return the instance as its facts lead to it, with its work."""
        stored = locked.instance
        if stored is None or (self._work_only and stored.status == "ended"):
            return None
        try:
            instance = stored if self._work_only else self._replayed(locked)
            compiled = self._registry.version(instance.procedure, instance.version).under(instance.parameters)
        except (ChangedProcedure, UnknownCalendar, UnknownProcedure):
            self.complete = False  # whoever uses the instance gets the error
            return None
        self.seen.add((instance.procedure, instance.version))
        return ChangeSet(instance, (), work=work_of(compiled, instance))

    def _replayed(self, locked: LockedInstance) -> Instance:
        commitments = Commitments(locked.journal.secrets)
        facts = (from_bytes(body, commitments) for body in locked.journal.bodies())
        return replay(self._registry.version, facts)
