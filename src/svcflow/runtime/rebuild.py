"""Rebuilding: instances of an older version of a store are told anew from their journals, or their work alone."""

from __future__ import annotations

from svcflow.errors import ChangedProcedure, UnknownCalendar, UnknownProcedure
from svcflow.journal.canonical import from_bytes
from svcflow.journal.personal_data import Commitments
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.work_items import work_of
from svcflow.kernel.replay import replay
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.store import ChangeSet, LockedInstance, Store


def rebuild(store: Store, standards: ProcedureRegistry) -> None:
    """Write every instance down as its journal leads to it, as far as the catalog has the procedures.

    What it lacks is left as it is, and looked at again when the store is next opened.
    """
    wanted = store.wants_rebuilding()
    if not wanted:
        return
    rebuilding = RebuildHandler(standards, work_only=wanted == "work")
    for name in store.ids():
        store.change(name, None, rebuilding)
    for procedure, version in rebuilding.seen:
        standards.pin(standards.version(procedure, version))
    if rebuilding.complete:
        store.rebuilt()


class RebuildHandler:
    """Tell one instance after the other anew; `complete` says whether the procedures of all were there.

    With `work_only` the instances are right, and no journal is read.
    """

    def __init__(self, standards: ProcedureRegistry, *, work_only: bool) -> None:
        self.complete = True
        self.seen: set[tuple[str, int]] = set()
        self._standards = standards
        self._work_only = work_only

    def __call__(self, found: LockedInstance) -> ChangeSet | None:
        """Return the instance as its facts leave it, with its work."""
        kept = found.instance
        if kept is None or (self._work_only and kept.status == "ended"):
            return None
        try:
            instance = kept if self._work_only else self._replayed(found)
            compiled = self._standards.version(instance.procedure, instance.version)
        except (ChangedProcedure, UnknownCalendar, UnknownProcedure):  # whoever uses it is told
            self.complete = False
            return None
        self.seen.add((instance.procedure, instance.version))
        return ChangeSet(instance, (), work=work_of(compiled, instance))

    def _replayed(self, found: LockedInstance) -> Instance:
        commitments = Commitments(found.journal.secrets)
        facts = (from_bytes(body, commitments) for body in found.journal.bodies())
        return replay(self._standards.version, facts)
