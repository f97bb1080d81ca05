"""Schedules of regular starts: which version of a procedure is in force when, and which occurrences are due then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import attrs

from svcflow.errors import UnknownCalendar
from svcflow.kernel.timing.occurrences import Occurrence, Occurrences
from svcflow.model.procedure import Procedure
from svcflow.model.regular_start import RegularStart
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.start_positions import NOT_BEFORE_US, StartPosition


@attrs.frozen
class Schedule:
    """One regular start of one version of a procedure, with its occurrences; `from_us` is when the version is in force."""

    procedure: Procedure
    start: RegularStart
    occurrences: Occurrences
    from_us: int

    @property
    def key(self) -> tuple[str, str]:
        """Procedure and regular start, by which the position is kept."""
        return self.procedure.id, self.start.id

    @property
    def version(self) -> int:
        """Version of the procedure."""
        return self.procedure.version

    def due(self, position: StartPosition, until_us: int) -> list[Occurrence]:
        """Return the occurrences after the last one that is done, due up to an instant."""
        since_us = self.since_us(position)
        return [one for one in self.occurrences.between(since_us, until_us) if one.name > position.done]

    def since_us(self, position: StartPosition) -> int:
        """Return the first instant at which an occurrence after the last one that is done may be due."""
        done_us = self.occurrences.due_us(position.done) if position.done else None
        # others that closed days moved to the same day are done with it
        return position.since_us if done_us is None else max(position.since_us, done_us + 1)


class Schedules:
    """Regular starts of all versions of the procedures of a catalog."""

    def __init__(self, registry: ProcedureRegistry) -> None:
        self._registry = registry

    @cached_property
    def all(self) -> Sequence[Schedule]:
        """Every regular start of every version, by procedure and version."""
        known = []
        for _, procedure in sorted(self._registry.catalog.procedures.items()):
            for start in procedure.starts:
                try:
                    known.append(self._schedule(procedure, start))
                except (
                    UnknownCalendar
                ):  # of an earlier version: where the newest lacks one, no engine is made
                    continue
        return known

    @cached_property
    def functions(self) -> Sequence[str]:
        """The names of the functions that yield recipients, sorted."""
        return sorted({one.start.for_ for one in self.all if one.start.for_ is not None})

    def in_force(self, at_us: int) -> list[Schedule]:
        """Return the regular starts of the newest version of each procedure that is in force at an instant."""
        newest = {name: self._newest(name, at_us) for name in self._names}
        return [one for one in self.all if newest[one.procedure.id] == one.version]

    def to_come(self, at_us: int) -> list[Schedule]:
        """Return the regular starts of versions that come into force after an instant."""
        return [one for one in self.all if one.from_us > at_us]

    def of(self, position: StartPosition) -> Schedule | None:
        """Return the regular start by which a position was made; None when its version is not in the catalog."""
        return self._by_version.get((position.procedure, position.version, position.start))

    def spans(self, since_us: int, until_us: int) -> Iterator[tuple[int, int, list[Schedule]]]:
        """Yield the regular starts in force between two instants: from when, before when, and which."""
        changes = {at_us for name in self._names for at_us, _ in self._versions[name]}
        edges = [since_us, *sorted(at_us for at_us in changes if since_us < at_us <= until_us)]
        for from_us, before_us in zip(edges, [*edges[1:], until_us + 1], strict=True):
            yield from_us, before_us, self.in_force(from_us)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(one.procedure.id for one in self.all)

    @cached_property
    def _by_version(self) -> dict[tuple[str, int, str], Schedule]:
        return {(one.procedure.id, one.version, one.start.id): one for one in self.all}

    @cached_property
    def _versions(self) -> dict[str, list[tuple[int, int]]]:
        """The versions of each procedure with the instants from which they are in force, the newest last."""
        catalog = self._registry.catalog
        return {
            name: [(self._from_us(catalog[name, version]), version) for version in catalog.versions(name)]
            for name in self._names
        }

    def _newest(self, name: str, at_us: int) -> int:
        return max((version for from_us, version in self._versions[name] if from_us <= at_us), default=0)

    def _schedule(self, procedure: Procedure, start: RegularStart) -> Schedule:
        calendar = self._registry.calendar(start.calendar or procedure.calendar)
        return Schedule(procedure, start, Occurrences(start, calendar), self._from_us(procedure))

    def _from_us(self, procedure: Procedure) -> int:
        if procedure.effective is None:
            return NOT_BEFORE_US
        try:
            return self._registry.calendar(procedure.calendar).clock_us(procedure.effective, 0)
        except UnknownCalendar:  # of an earlier version, whose day has come
            return NOT_BEFORE_US
