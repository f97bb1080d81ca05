"""Rebuilding: instances of an older version of a store are told anew from their journals. Decides nothing."""

from __future__ import annotations

from svcflow.errors import UnknownProcedure
from svcflow.journal.canonical import from_bytes
from svcflow.journal.personal import Book
from svcflow.kernel.replay import replay
from svcflow.kernel.work import work_of
from svcflow.runtime.standards import Standards
from svcflow.runtime.store import Change, Found, Store


def rebuild(store: Store, standards: Standards) -> None:
    """Write every instance down as its journal leads to it, as far as the catalog has the procedures.

    What it lacks is left as it is, and looked at again when the store is next opened.
    """
    if not store.wants_rebuilding():
        return
    rebuilding = Rebuilding(standards)
    for name in store.ids():
        store.change(name, None, rebuilding)
    for procedure, version in rebuilding.seen:
        standards.pin(standards.version(procedure, version))
    if rebuilding.complete:
        store.rebuilt()


class Rebuilding:
    """Tell one instance after the other anew; `complete` says whether the procedures of all were there."""

    def __init__(self, standards: Standards) -> None:
        self.complete = True
        self.seen: set[tuple[str, int]] = set()
        self._standards = standards

    def __call__(self, found: Found) -> Change | None:
        """Return the instance as its facts leave it, with its work."""
        if found.instance is None:
            return None
        try:
            book = Book(found.secrets)
            facts = (from_bytes(body, book) for body in found.journal())
            instance = replay(self._standards.version, facts)
            compiled = self._standards.version(instance.procedure, instance.version)
        except UnknownProcedure:
            self.complete = False
            return None
        self.seen.add((instance.procedure, instance.version))
        return Change(instance, (), work=work_of(compiled, instance))
