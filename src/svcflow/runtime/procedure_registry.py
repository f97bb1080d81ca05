"""Registry of the versions of procedures: compiled once each, and pinned to the content they were started with.

An instance runs to its end under the version it was started with. So a store holds the digest of each version that
was started in it, and other content under the same number is refused.
"""

from __future__ import annotations

from threading import Lock

from svcflow.errors import ChangedProcedure
from svcflow.kernel.compiled import Compiled, calendars_of, compile_procedure
from svcflow.kernel.instance import Instance
from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure
from svcflow.model.yaml.dump import digest
from svcflow.runtime.store import Store
from svcflow.text import Text
from svcflow.worktime.calendar import WorkCalendar


class ProcedureRegistry:
    """Compiled versions of the procedures of a catalog; safe to use from several threads."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self.catalog = catalog
        self._store = store
        self._calendars = calendars_of(catalog)
        self._compiled: dict[tuple[str, int], Compiled] = {}
        self._pinned: dict[tuple[str, int], Compiled] = {}
        self._lock = Lock()

    def on(self, store: Store) -> ProcedureRegistry:
        """Return a registry for a joined store: what is pinned there may yet be rolled back."""
        inside = ProcedureRegistry(self.catalog, store)
        inside._compiled = self._compiled
        inside._pinned = self._pinned.copy()  # what is pinned inside is pinned for nobody after a rollback
        return inside

    def calendar(self, name: str) -> WorkCalendar:
        """Return a calendar of the catalog, or a shipped one. Raises: UnknownCalendar, DeclarationError."""
        return self._calendars(name)

    def newest(self, name: str) -> Compiled:
        """Return the newest version of a procedure. Raises: UnknownProcedure."""
        return self.version(name, self.catalog[name].version)

    def newest_in_force(self, name: str, now_us: int) -> Compiled:
        """Return the newest version of a procedure that is in force; the newest one where none is. Raises: as `newest`."""
        versions = self.catalog.versions(name)
        known = (self.version(name, version) for version in reversed(versions))
        in_force = (compiled for compiled in known if is_in_force(compiled, now_us))
        return next(in_force, None) or self.newest(name)

    def of(self, instance: Instance) -> Compiled:
        """Return the version that an instance runs under, with the values pinned to it. Raises: UnknownProcedure, ChangedProcedure."""
        pinned = self._pinned.get((instance.procedure, instance.version))
        compiled = self.version(instance.procedure, instance.version) if pinned is None else pinned
        return compiled if instance.parameters == compiled.parameters else compiled.under(instance.parameters)

    def version(self, name: str, version: int) -> Compiled:
        """Return one version of a procedure. Raises: UnknownProcedure, ChangedProcedure."""
        compiled = self._pinned.get((name, version))
        if compiled is None:
            compiled = self._version(name, version)
            pinned = self._store.digest(name, version)
            if pinned is not None:
                self._remember(compiled, pinned)
        return compiled

    def pin(self, compiled: Compiled) -> None:
        """Pin a version that is about to be started to its content. Raises: ChangedProcedure."""
        procedure = compiled.procedure
        if (procedure.id, procedure.version) not in self._pinned:
            pinned = self._store.pin(procedure.id, procedure.version, digest(procedure))
            self._remember(compiled, pinned)

    def _version(self, name: str, version: int) -> Compiled:
        compiled = self._compiled.get((name, version))
        if compiled is None:
            procedure = self.catalog[name, version]
            with self._lock:
                compiled = self._compiled.setdefault(
                    (name, version), compile_procedure(procedure, self._calendars)
                )
        return compiled

    def _remember(self, compiled: Compiled, pinned: str) -> None:
        procedure = compiled.procedure
        own = digest(procedure)
        if own != pinned:
            raise changed_procedure(procedure, own, pinned)
        self._pinned[procedure.id, procedure.version] = compiled


def is_in_force(compiled: Compiled, now_us: int) -> bool:
    """Return whether a version is in force on the day of its calendar."""
    effective = compiled.procedure.effective
    return effective is None or compiled.calendar.date_us(now_us) >= effective


def changed_procedure(procedure: Procedure, own: str, pinned: str) -> ChangedProcedure:
    """Return the error for a version with the digest `own` that is pinned to another one."""
    return ChangedProcedure(
        Text(
            zh=f"{procedure} 的内容（{own[:12]}）与在此存储中开始办理时的（{pinned[:12]}）不同",
            en=f"{procedure} says something else ({own[:12]}) than when it was started in this store ({pinned[:12]})",
        ),
        Text(
            zh="把改动后的流程升一个版本号（version），并把原来的版本留在目录中",
            en="raise the version of the changed procedure, and keep the old one in the catalog",
        ),
    )
