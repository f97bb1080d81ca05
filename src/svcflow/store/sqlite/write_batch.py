"""What the parts of one SQLite transaction keep, written together at its end, and what the last ones left.

A `WriteBatch` is a `UnitOfWork` that notes what it would run, and runs each kind of note once. It remembers the
instances that were changed last, until somebody else writes to the file, so that they are not read again.
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

_NOTED = (
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
"""The statements that are noted, in the order in which they are run."""

_APART = frozenset({"found", "found_asked", "asked"})
"""What is asked of an instance of which nothing is noted; before other questions the notes are written."""


class WriteBatch(UnitOfWork):
    """Note what is kept, and write it when told to; `taken` counts what was noted."""

    __slots__ = ("_answers", "_deviation_row", "_notes", "_seen", "_version", "_work", "taken")

    def __init__(self, cursor: DBAPICursor, statements: Statements) -> None:
        super().__init__(cursor, statements)
        self.taken = 0
        self._notes: dict[str, list[Sequence[Value]]] = {}
        self._work: dict[str, Sequence[Work]] = {}
        self._answers: dict[tuple[str, str], CompletedCommand] = {}
        self._seen: dict[str, LockedInstance] = {}
        self._version: object = None
        self._deviation_row = attrgetter(*statements.add_deviation.names)

    def begin(self) -> None:
        """Begin with what is remembered, unless another connection has written to the file since."""
        self._cursor.execute("PRAGMA data_version")
        version = self._cursor.fetchone()
        if version != self._version:
            self._seen.clear()
            self._version = version

    def write(self) -> None:
        """Write what was noted. Raises: StoreError when an instance is not as it was found."""
        self._write()
        self._answers.clear()
        if len(self._seen) > CAPACITY:
            for name in list(self._seen)[:-CAPACITY]:
                del self._seen[name]

    def forget(self) -> None:
        """Forget what was noted, and what is remembered."""
        for kept in (self._notes, self._work, self._answers, self._seen):
            kept.clear()

    def found(self, instance: str, command_id: str | None) -> LockedInstance:
        """Return what is kept of an instance, or is going to be."""
        seen = self._seen.get(instance)
        if seen is None:
            return super().found(instance, command_id)
        if command_id is None:
            return seen
        answer = self._answers.get((instance, command_id))
        if answer is None:
            row = self._run(self._statements.asked, instance=instance, command_id=command_id).fetchone()
            answer = None if row is None else CompletedCommand._make(row)
        return seen if answer is None else seen._replace(completed=answer)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Do so for the next batch that is due, and write it: a sweep remembers none of the many it changes."""
        place = super().sweep(until_us, after, decide)
        self._write()
        return place

    def keep(self, found: LockedInstance, change: ChangeSet) -> None:
        """Note a change down. Raises: StoreError when its entries do not go on from what was found."""
        super().keep(found, change)
        instance = change.instance
        self._seen.pop(instance.id, None)  # whoever was changed last stands last
        self._seen[instance.id] = change.leaves(found, partial(self._bodies, instance.id))
        if change.command_id is not None:
            self._answers[instance.id, change.command_id] = CompletedCommand(instance.sequence)

    def _keep_swept(self, found: LockedInstance, change: ChangeSet) -> None:
        super().keep(found, change)
        self._seen.pop(change.instance.id, None)

    def _keep_work(self, instance: str, work: Iterable[Work], *, anew: bool) -> None:
        """Note the work of an instance, which counts instead of what was noted of it before."""
        if not anew and instance not in self._work:
            self._run(self._statements.drop_work, instance=instance)
        self._work[instance] = tuple(work)

    def _run(self, statement: Statement, **values: Value) -> DBAPICursor:
        if statement.name in _NOTED:
            self._note(statement.name, statement.bound(values))
            return self._cursor
        if statement.name not in _APART:
            self._write()
        return super()._run(statement, **values)

    def _run_once(self, statement: Statement, **values: Value) -> None:
        self._note(
            statement.name, statement.bound(values)
        )  # whether it changed one is seen when it is written

    def _note(self, name: str, row: Sequence[Value]) -> None:
        self.taken += 1
        self._notes.setdefault(name, []).append(row)

    def _add_deviation(self, one: Deviation) -> None:
        self._note("add_deviation", self._deviation_row(one))  # by names it takes three times as long

    def _write(self) -> None:
        for instance, work in self._work.items():
            for one in work:
                self._note(
                    "add_work", self._statements.add_work.bound({"instance": instance, **one._asdict()})
                )
        self._work.clear()
        if not self._notes:
            return
        notes, self._notes = self._notes, {}
        for name in _NOTED:
            if name in notes:
                statement: Statement = getattr(self._statements, name)
                self._cursor.executemany(statement.sql, notes[name])
                if name == "change" and self._cursor.rowcount != len(notes[name]):
                    raise out_of_turn(", ".join(str(row[statement.names.index("id")]) for row in notes[name]))
