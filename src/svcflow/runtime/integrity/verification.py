"""Verification: every journal against its chain, and everything that is kept beside the journals against them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import attrs

from svcflow.errors import CorruptJournal, SvcflowError
from svcflow.journal.chain import verified
from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.personal_data import from_bytes as secrets_from
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import deviations_of
from svcflow.kernel.replay import replay
from svcflow.kernel.timing.calendar_fingerprints import corrected_calendars, without_deadlines
from svcflow.model.yaml.dump import digest
from svcflow.runtime.integrity.projections import (
    FACTS,
    INSTANCES,
    RESTORE,
    ExpectedState,
    Projections,
    surplus,
)
from svcflow.runtime.integrity.registers import PINS, register_problems, seal_problems, subscriptions_of
from svcflow.runtime.procedure_registry import ProcedureRegistry, changed_procedure
from svcflow.runtime.store import LockedInstance, Store
from svcflow.runtime.stored_rows import InstanceRows, Row, instance_of, state_of
from svcflow.text import NO_TEXT, Text

Progress = Callable[[int], None]
Problems = list[tuple[str, SvcflowError]]


@attrs.frozen
class Verification:
    """What was checked and what was found wrong; `problems` pairs an instance with its error.

    What is wrong with no single instance stands with the name of the table, or of the store when its seals do
    not agree. Each `CorruptJournal` says by `table`, `column` and `row` where it is. `notes` pairs an instance
    with what could not be checked, and why; nothing is wrong with it.
    """

    instances: int
    facts: int
    problems: tuple[tuple[str, SvcflowError], ...]
    notes: tuple[tuple[str, Text], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.problems


def verify(
    store: Store,
    standards: ProcedureRegistry,
    instance: str | None = None,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Verification:
    """Check one instance, or all of them with what the store keeps for all, and the seals against a checkpoint.

    Few instances are in memory at once; what is wrong is collected.
    """
    walk = _Verifier(store, standards)
    for count, rows in enumerate(store.instance_rows(instance), 1):
        walk.look_at(rows)
        if progress is not None:
            progress(count)
    if instance is None:
        walk.problems += register_problems(store, standards, walk.versions.seen)
    if instance is None or checkpoint is not None:
        walk.problems += seal_problems(store, checkpoint)
    return Verification(walk.count, walk.facts, tuple(walk.problems), tuple(walk.notes))


class _PinnedVersions:
    """Find each version of a procedure once, as it is pinned in the store; `seen` are those that were asked for."""

    def __init__(self, standards: ProcedureRegistry, pins: Mapping[tuple[str, int], str]) -> None:
        self.seen: set[tuple[str, int]] = set()
        self._standards = standards
        self._pins = pins
        self._known: dict[tuple[str, int], Compiled] = {}

    def __call__(self, name: str, version: int) -> Compiled:
        key = name, version
        found = self._known.get(key)
        if found is None:
            self.seen.add(key)
            found = self._standards.version(name, version)
            kept, own = self._pins.get(key), digest(found.procedure)
            if kept not in (None, own):
                raise changed_procedure(found.procedure, own, str(kept))
            self._known[key] = found
        return found


class _CheckedInstance(NamedTuple):
    """What looking at one instance came to."""

    facts: int
    note: Text
    problems: list[SvcflowError]


class _Verifier:
    """Go from instance to instance and collect what is found."""

    def __init__(self, store: Store, standards: ProcedureRegistry) -> None:
        self.count = self.facts = 0
        self.problems: Problems = []
        self.notes: list[tuple[str, Text]] = []
        pins = {(row[0], row[1]): row[2] for row in store.table_rows(PINS)}
        self.versions = _PinnedVersions(standards, pins)
        self._store = store
        self._projections = Projections(store.columns, subscriptions_of(store))
        names = store.columns[INSTANCES].names
        self._head, self._state, self._secrets = (names.index(one) for one in ("head", "state", "secrets"))

    def look_at(self, rows: InstanceRows) -> None:
        """Check one instance. What looks wrong is looked at again while nobody writes."""
        found = self._checked(rows)
        if found.problems:
            found = self._again(rows.instance, found)
        self.count += 1
        self.facts += found.facts
        self.problems += [(rows.instance, error) for error in found.problems]
        self.notes += [(rows.instance, found.note)] if found.note else []

    def _again(self, instance: str, found: _CheckedInstance) -> _CheckedInstance:
        """Look once more: a host's transaction may see two tables as of two moments."""
        seen = [found]

        def look(_: LockedInstance) -> None:
            seen.extend(map(self._checked, self._store.instance_rows(instance)))

        try:
            self._store.change(instance, None, look)
        except (SvcflowError, TypeError, ValueError):  # its record cannot be read, which has been seen
            return found
        return seen[-1]

    def _checked(self, rows: InstanceRows) -> _CheckedInstance:
        """Return what is wrong: the first thing that is with the journal itself, else all that is beside it."""
        try:
            record = next(iter(rows.tables.get(INSTANCES, ())), None)
            if record is None:
                return _CheckedInstance(0, NO_TEXT, list(_not_kept(rows)))
            told, note = self._told(rows, record)
        except SvcflowError as error:
            return _CheckedInstance(0, NO_TEXT, [error])
        return _CheckedInstance(len(told.facts), note, list(self._projections.problems(told, rows)))

    def _told(self, rows: InstanceRows, record: Row) -> tuple[ExpectedState, Text]:
        name = rows.instance
        secrets = secrets_from(record[self._secrets])
        journal = ((body, link) for _, _, _, body, link in rows.tables.get(FACTS, ()))
        facts = tuple(verified(name, journal, record[self._head], secrets))
        instance, note = self._compared(record[self._state], _replayed(self.versions, name, facts), facts)
        compiled = self.versions(instance.procedure, instance.version)
        persons = frozenset(one.person for one in secrets.values() if one is not None)
        return ExpectedState(instance, facts, deviations_of(facts), compiled, persons), note

    def _compared(self, state: bytes, told: Instance, facts: tuple[Fact, ...]) -> tuple[Instance, Text]:
        """Return the instance to go by, and what could not be compared of it.

        Raises: CorruptJournal when it is not what the facts lead to.
        """
        if state_of(told) == state:
            return told, NO_TEXT
        kept = instance_of(state)
        if told == kept:
            return told, NO_TEXT
        calendars = corrected_calendars(self.versions, facts)
        if not calendars or without_deadlines(told) != without_deadlines(kept):
            raise CorruptJournal(
                Text(
                    zh=f"实例 {told.id} 的记录与其留痕不符",
                    en=f"instance {told.id} is not what its journal leads to",
                ),
                RESTORE,
                table=INSTANCES,
                column="state",
            )
        listed = ", ".join(calendars)
        return kept, Text(
            zh=f"日历 {listed} 此后更正过；所存截止时间按当时的日历计算，无从核对",
            en=f"corrected since: calendar {listed}; the deadlines kept are by what it said then, and cannot be checked",
        )


def _replayed(versions: _PinnedVersions, instance: str, facts: tuple[Fact, ...]) -> Instance:
    """Return where the facts lead, through all versions they name.

    Raises: CorruptJournal when a version does not know their steps; UnknownProcedure when there is none.
    """
    try:
        return replay(versions, facts)
    except SvcflowError:
        raise
    except (LookupError, TypeError, ValueError) as error:
        message = Text(
            zh=f"实例 {instance} 的留痕无法重演：{error!r}",
            en=f"the journal of {instance} cannot be replayed: {error!r}",
        )
        raise CorruptJournal(message, table=FACTS, column="body") from error


def _not_kept(rows: InstanceRows) -> Iterator[CorruptJournal]:
    """Yield that a journal has no instance, or that rows have neither."""
    name = rows.instance
    if FACTS in rows.tables:
        message = Text(zh=f"没有实例 {name} 的记录", en=f"instance {name} is not kept")
        yield CorruptJournal(message, RESTORE, table=INSTANCES, row=name)
        return
    why = Text(zh=f"没有实例 {name}", en=f"there is no instance {name}")
    yield from (surplus(table, name, why, count=len(found)) for table, found in rows.tables.items())
