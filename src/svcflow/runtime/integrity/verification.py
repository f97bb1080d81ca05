"""Verification of every journal against its chain, and of all rows beside the journals against them."""

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
from svcflow.runtime.integrity.relatives import relative_problems
from svcflow.runtime.integrity.shared_tables import PINS, register_problems, seal_problems, subscriptions_of
from svcflow.runtime.procedure_registry import ProcedureRegistry, changed_procedure
from svcflow.runtime.store import LockedInstance, Store
from svcflow.runtime.stored_rows import InstanceRows, Row, instance_of, state_of
from svcflow.text import NO_TEXT, Text

Progress = Callable[[int], None]
Problems = list[tuple[str, SvcflowError]]


@attrs.frozen
class Verification:
    """Result of a verification; `problems` pairs the id of an instance with an error.

    An error of no single instance is paired with the name of its table, an error of the seals with the name of the
    store. Each `CorruptJournal` has its place in `table`, `column` and `row`. `notes` pairs an instance with what
    could not be checked, and why; that is no error.
    """

    instances: int
    facts: int
    problems: tuple[tuple[str, SvcflowError], ...]
    notes: tuple[tuple[str, Text], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems


def verify(
    store: Store,
    registry: ProcedureRegistry,
    instance: str | None = None,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Verification:
    """Check one instance, or all of them with the tables that all share, and the seals against a checkpoint.

    Few instances are in memory at once.
    """
    verifier = _Verifier(store, registry)
    for count, rows in enumerate(store.instance_rows(instance), 1):
        verifier.check(rows)
        if progress is not None:
            progress(count)
    verifier.problems += relative_problems(store, verifier.relatives)
    if instance is None:
        verifier.problems += register_problems(store, registry, verifier.versions.seen)
    if instance is None or checkpoint is not None:
        verifier.problems += seal_problems(store, checkpoint)
    return Verification(verifier.count, verifier.facts, tuple(verifier.problems), tuple(verifier.notes))


class _PinnedVersions:
    """Versions of procedures by the pins of the store, each looked up once; `seen` are those that were looked up."""

    def __init__(self, registry: ProcedureRegistry, pins: Mapping[tuple[str, int], str]) -> None:
        self.seen: set[tuple[str, int]] = set()
        self._registry = registry
        self._pins = pins
        self._known: dict[tuple[str, int], Compiled] = {}

    def __call__(self, name: str, version: int) -> Compiled:
        key = name, version
        compiled = self._known.get(key)
        if compiled is None:
            self.seen.add(key)
            compiled = self._registry.version(name, version)
            pinned, own = self._pins.get(key), digest(compiled.procedure)
            if pinned not in (None, own):
                raise changed_procedure(compiled.procedure, own, str(pinned))
            self._known[key] = compiled
        return compiled


class _CheckedInstance(NamedTuple):
    """Result of checking one instance."""

    facts: int
    note: Text
    problems: list[SvcflowError]


class _Verifier:
    """Checks instances and collects their problems and notes."""

    def __init__(self, store: Store, registry: ProcedureRegistry) -> None:
        self.count = self.facts = 0
        self.problems: Problems = []
        self.notes: list[tuple[str, Text]] = []
        self.relatives: list[str] = []
        pins = {(row[0], row[1]): row[2] for row in store.table_rows(PINS)}
        self.versions = _PinnedVersions(registry, pins)
        self._store = store
        self._projections = Projections(store.columns, subscriptions_of(store))
        names = store.columns[INSTANCES].names
        self._head, self._state, self._secrets = (names.index(name) for name in ("head", "state", "secrets"))

    def check(self, rows: InstanceRows) -> None:
        """Check one instance, a second time when something is wrong, while nobody writes to it."""
        result = self._checked(rows)
        if result.problems:
            result = self._checked_under_lock(rows.instance, result)
        self.count += 1
        self.facts += result.facts
        self.problems += [(rows.instance, error) for error in result.problems]
        self.notes += [(rows.instance, result.note)] if result.note else []

    def _checked_under_lock(self, instance: str, first: _CheckedInstance) -> _CheckedInstance:
        # a joined store may read two tables as of two moments, so that they seem to differ
        results = [first]

        def check_again(_: LockedInstance) -> None:
            results.extend(map(self._checked, self._store.instance_rows(instance)))

        try:
            self._store.change(instance, None, check_again)
        except (SvcflowError, TypeError, ValueError):  # its row cannot be read, which is among the problems
            return first
        return results[-1]

    def _checked(self, rows: InstanceRows) -> _CheckedInstance:
        """Return the first problem of the journal itself, or else all problems of the rows beside it."""
        try:
            record = next(iter(rows.tables.get(INSTANCES, ())), None)
            if record is None:
                return _CheckedInstance(0, NO_TEXT, list(_not_kept(rows)))
            expected, note = self._expected(rows, record)
        except SvcflowError as error:
            return _CheckedInstance(0, NO_TEXT, [error])
        if expected.instance.parent is not None or expected.instance.children:
            self.relatives.append(rows.instance)
        return _CheckedInstance(len(expected.facts), note, list(self._projections.problems(expected, rows)))

    def _expected(self, rows: InstanceRows, record: Row) -> tuple[ExpectedState, Text]:
        """Return what the journal leads to. Raises: CorruptJournal when the journal or the instance is not right."""
        name = rows.instance
        secrets = secrets_from(record[self._secrets])
        journal = ((body, link) for _, _, _, body, link in rows.tables.get(FACTS, ()))
        facts = tuple(verified(name, journal, record[self._head], secrets))
        instance, note = self._compared(record[self._state], _replayed(self.versions, name, facts), facts)
        compiled = self.versions(instance.procedure, instance.version).under(instance.parameters)
        persons = frozenset(secret.person for secret in secrets.values() if secret is not None)
        return ExpectedState(instance, facts, deviations_of(facts), compiled, persons), note

    def _compared(self, state: bytes, replayed: Instance, facts: tuple[Fact, ...]) -> tuple[Instance, Text]:
        """Return the instance to compare the other rows with, and a note on what could not be compared.

        Raises: CorruptJournal when it is not what the facts lead to.
        """
        if state_of(replayed) == state:
            return replayed, NO_TEXT
        stored = instance_of(state)
        if replayed == stored:  # the bytes differ, as those of an earlier release do
            return replayed, NO_TEXT
        calendars = corrected_calendars(self.versions, facts)
        if not calendars or without_deadlines(replayed) != without_deadlines(stored):
            raise CorruptJournal(
                Text(
                    zh=f"实例 {replayed.id} 的记录与其留痕不符",
                    en=f"instance {replayed.id} is not what its journal leads to",
                ),
                RESTORE,
                table=INSTANCES,
                column="state",
            )
        listed = ", ".join(calendars)
        return stored, Text(
            zh=f"日历 {listed} 此后更正过；所存截止时间按当时的日历计算，无从核对",
            en=f"corrected since: calendar {listed}; the deadlines kept are by what it said then, and cannot be checked",
        )


def _replayed(versions: _PinnedVersions, instance: str, facts: tuple[Fact, ...]) -> Instance:
    """Return the instance that facts lead to, under all versions that they name.

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
    """Yield the error for a journal without an instance, or for rows without either."""
    name = rows.instance
    if FACTS in rows.tables:
        message = Text(zh=f"没有实例 {name} 的记录", en=f"instance {name} is not kept")
        yield CorruptJournal(message, RESTORE, table=INSTANCES, row=name)
        return
    why = Text(zh=f"没有实例 {name}", en=f"there is no instance {name}")
    yield from (
        surplus(table, name, why, count=len(surplus_rows)) for table, surplus_rows in rows.tables.items()
    )
