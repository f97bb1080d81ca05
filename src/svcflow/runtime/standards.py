"""The procedures of a catalog, made ready to run once each. Knows versions, not instances."""

from __future__ import annotations

from threading import Lock

from svcflow.kernel.calendars import calendars_of
from svcflow.kernel.compiled import Compiled, compile_procedure
from svcflow.model.catalog import Catalog


class Standards:
    """Compile each procedure version at first use; safe to use from several threads."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._calendars = calendars_of(catalog)
        self._compiled: dict[tuple[str, int], Compiled] = {}
        self._lock = Lock()

    def newest(self, name: str) -> Compiled:
        """Return the newest version of a procedure. Raises: UnknownProcedure."""
        return self.version(name, self.catalog[name].version)

    def version(self, name: str, version: int) -> Compiled:
        """Return one version of a procedure. Raises: UnknownProcedure."""
        found = self._compiled.get((name, version))
        if found is None:
            procedure = self.catalog[name, version]
            with self._lock:
                found = self._compiled.setdefault(
                    (name, version), compile_procedure(procedure, self._calendars)
                )
        return found
