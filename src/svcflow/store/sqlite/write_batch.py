"""Write batch: what the requests of one SQLite transaction write, run together at its end.

Each statement runs once, with the rows of all requests. The instances that were changed last are cached until somebody
else writes to the file, so that they are not read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from operator import attrgetter

from sqlalchemy.engine.interfaces import DBAPICursor

from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.lifecycle.work_items import Work
from svcflow.runtime.store import (
    ChangeSet,
    CompletedCommand,
    Decide,
    LockedInstance,
    SweepPosition,
    out_of_turn,
)
from svcflow.store.instance_cache import CAPACITY
from svcflow.store.statements import Statement, Statements, Value
from svcflow.store.unit_of_work import UnitOfWork

_COLLECTED = (
    "add_fact",
    "create",
    "change",
    "keep_secrets",
    "add_person",
    "add_deviation",
    "answer",
    "drop_work",
    "add_work",
    "add_command",
)
"""The statements that are collected, in the order in which they are run."""

_INDEPENDENT = frozenset({"find", "find_with_command", "find_command"})
"""Queries that are only run for what no collected row is about. Before any other one the collected rows are written."""


class WriteBatch(UnitOfWork):
    """Unit of work that collects rows and writes them at `flush`; `added` counts the rows that ever were collected."""

    __slots__ = ("_answers", "_cached", "_data_version", "_deviation_row", "_rows", "_work", "added")

    def __init__(self, cursor: DBAPICursor, statements: Statements) -> None:
        super().__init__(cursor, statements)
        self.added = 0
        self._rows: dict[str, list[Sequence[Value]]] = {}
        self._work: dict[str, Sequence[Work]] = {}
        self._answers: dict[tuple[str, str], CompletedCommand] = {}
        self._cached: dict[str, LockedInstance] = {}
        self._data_version: object = None
        self._deviation_row = attrgetter(*statements.add_deviation.names)
        # a row of work is taken as it is: half the price of one made by names, on the hottest way
        assert statements.add_work.names == ("instance", *Work._fields)  # noqa: S101

    def begin(self) -> None:
        """Empty the cache when another connection has written to the file since the last transaction."""
        # It does not change by what this connection writes, and cannot change any more: the write lock is taken.
        self._cursor.execute("PRAGMA data_version")
        version = self._cursor.fetchone()
        if version != self._data_version:
            self._cached.clear()
            self._data_version = version

    def flush(self) -> None:
        """Write the collected rows. Raises: StoreError when an instance is not as it was read."""
        self._write()
        self._answers.clear()  # they are in the table now
        if len(self._cached) > CAPACITY:
            for name in list(self._cached)[:-CAPACITY]:
                del self._cached[name]

    def discard(self) -> None:
        """Drop the collected rows, and the cache: it holds instances as the undone transaction left them."""
        for collection in (self._rows, self._work, self._answers, self._cached):
            collection.clear()

    def find(self, instance: str, command_id: str | None) -> LockedInstance:
        """Return an instance as it is stored, or as the collected rows leave it."""
        cached = self._cached.get(instance)
        if cached is None:
            return super().find(instance, command_id)
        if command_id is None:
            return cached
        answer = self._answers.get((instance, command_id))
        if answer is None:
            row = self._run(
                self._statements.find_command, instance=instance, command_id=command_id
            ).fetchone()
            answer = None if row is None else CompletedCommand._make(row)
        return cached if answer is None else cached._replace(completed=answer)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Do so for the next batch of instances due, and write it: the many instances of a sweep are not cached."""
        position = super().sweep(until_us, after, decide)
        self._write()
        return position

    def save(self, locked: LockedInstance, change: ChangeSet) -> None:
        """Collect what a change writes. Raises: StoreError when its entries do not continue the journal."""
        super().save(locked, change)
        instance = change.instance
        self._cached.pop(instance.id, None)  # the one changed last stands last: `flush` drops from the front
        self._cached[instance.id] = change.leaves(locked, partial(self._bodies, instance.id))
        if change.command_id is not None:
            self._answers[instance.id, change.command_id] = CompletedCommand(instance.sequence)

    def _save_swept(self, locked: LockedInstance, change: ChangeSet) -> None:
        super().save(locked, change)
        self._cached.pop(change.instance.id, None)

    def _save_work(self, instance: str, work: Iterable[Work], *, is_new: bool) -> None:
        """Collect the work of an instance, in the place of what was collected of it before."""
        if not is_new and instance not in self._work:
            self._collect("drop_work", (instance,))
        self._work[instance] = tuple(work)

    def _run(self, statement: Statement, **values: Value) -> DBAPICursor:
        if statement.name in _COLLECTED:
            self._collect(statement.name, statement.bound(values))
            return self._cursor
        if statement.name not in _INDEPENDENT:
            self._write()
        return super()._run(statement, **values)

    def _run_for_one(self, statement: Statement, **values: Value) -> None:
        self._collect(statement.name, statement.bound(values))  # `_write` sees whether it changed one

    def _collect(self, name: str, row: Sequence[Value]) -> None:
        self.added += 1
        self._rows.setdefault(name, []).append(row)

    def _add_deviation(self, deviation: Deviation) -> None:
        # by names, as `UnitOfWork` does, it takes three times as long
        self._collect("add_deviation", self._deviation_row(deviation))

    def _write(self) -> None:
        for instance, work in self._work.items():
            for item in work:
                self._collect("add_work", (instance, *item))
        self._work.clear()
        if not self._rows:
            return
        collected, self._rows = self._rows, {}
        for name in _COLLECTED:
            if name in collected:
                rows = collected[name]
                statement: Statement = getattr(self._statements, name)
                self._cursor.executemany(statement.sql, rows)
                # of executemany rowcount is the sum over all rows
                if name == "change" and self._cursor.rowcount != len(rows):
                    raise out_of_turn(", ".join(str(row[statement.names.index("id")]) for row in rows))
