"""Unit of work: reads instances and writes change sets in one open transaction.

It runs on a driver's cursor; whoever opened the cursor begins and commits the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import attrs
from sqlalchemy.engine.interfaces import DBAPICursor

from svcflow.journal import personal_data
from svcflow.journal.canonical import from_bytes
from svcflow.kernel.facts import Accepted, Explained, Fact, Migrated, Rejected, Settled
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import (
    DEVIATION_FACTS,
    STATUS_AFTER,
    Deviation,
    Missed,
    deviation_of,
    deviations_of,
    with_versions,
)
from svcflow.kernel.lifecycle.work_items import Work
from svcflow.runtime.store import (
    ChangeSet,
    CompletedCommand,
    Decide,
    LockedInstance,
    StoredJournal,
    SweepPosition,
    out_of_turn,
    sweep_due,
)
from svcflow.runtime.stored_rows import instance_of, state_of
from svcflow.store import schema
from svcflow.store.statements import Row, Statement, Statements, Value

_NOT_STORED = LockedInstance(None)
_DEVIATION = tuple(schema.deviations.c.keys())


class UnitOfWork:
    """Reading and writing in one open transaction."""

    __slots__ = ("_cursor", "_statements")

    def __init__(self, cursor: DBAPICursor, statements: Statements) -> None:
        self._cursor = cursor
        self._statements = statements

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Read an instance, let `decide` say what changes, and write that."""
        locked = self.find(instance, command_id)
        change = decide(locked)
        if change is not None:
            self.save(locked, change.written(locked))

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Do so for the next batch of instances due; return how far it came, None when none was due."""
        due = self.due(until_us, after)
        instances = ((SweepPosition(due_us, name), locked) for name, due_us, locked in due)
        return sweep_due(instances, decide, self._save_swept)

    def find(self, instance: str, command_id: str | None) -> LockedInstance:
        """Return an instance, locked until the transaction ends."""
        if command_id is None:
            row = self._run(self._statements.find, id=instance).fetchone()
            return _NOT_STORED if row is None else self._locked(instance, row[:3], None)
        row = self._run(self._statements.find_with_command, id=instance, command_id=command_id).fetchone()
        if row is None:
            return _NOT_STORED
        answer = None if row[3] is None else CompletedCommand(row[3])
        return self._locked(instance, row[:3], answer)

    def due(self, until_us: int, after: SweepPosition) -> Iterable[tuple[str, int, LockedInstance]]:
        """Return the next instances due, soonest first, locked until the transaction ends."""
        bounds: Row = {"until_us": until_us, "after_us": after.due_us, "after_id": after.instance}
        # all rows at once: the cursor is used again for each instance
        for name, due_us, state, head, secrets in self._run(self._statements.due, **bounds).fetchall():
            yield name, due_us, self._locked(name, (state, head, secrets), None)

    def _locked(self, name: str, row: Sequence[Any], answer: CompletedCommand | None) -> LockedInstance:
        state, head, secrets = row
        journal = partial(self._bodies, name)
        return LockedInstance(
            instance_of(state), StoredJournal(bytes(head), _secrets(secrets), journal), answer
        )

    def _bodies(self, instance: str) -> list[bytes]:
        """Return the canonical bytes of an instance's entries, in order."""
        return [bytes(row[0]) for row in self._run(self._statements.journal, instance=instance).fetchall()]

    def from_cache(self, instance: str, locked: LockedInstance) -> LockedInstance:
        """Return a cached instance, with its journal to be read in this transaction."""
        journal = StoredJournal(locked.journal.head, locked.journal.secrets, partial(self._bodies, instance))
        return LockedInstance(locked.instance, journal, locked.completed)

    def save(self, locked: LockedInstance, change: ChangeSet) -> None:
        """Write a change. Raises: StoreError when its entries do not continue the journal that was read."""
        run, write, instance = self._run, self._statements, change.instance
        before = 0 if locked.instance is None else locked.instance.sequence
        for number, (fact, body, link) in enumerate(change.entries, before + 1):
            if fact.sequence != number:
                raise out_of_turn(instance.id)
            run(write.add_fact, instance=instance.id, sequence=number, body=body, link=link)
        # `before` again in the WHERE of the update: a row that another process has changed since is not overwritten
        self._save_instance(locked, change, before)
        if change.secrets is not None or change.forgotten:
            self._save_personal(change, is_new=not before)
        if not DEVIATION_FACTS.isdisjoint([type(entry.fact) for entry in change.entries]):
            self._save_deviations(instance, [entry.fact for entry in change.entries])
        if change.work is not None:
            self._save_work(instance.id, change.work, is_new=not before)
        if change.command_id is not None:
            answer: Row = {"sequence": instance.sequence, "refused": 0}
            run(write.add_command, instance=instance.id, command_id=change.command_id, **answer)

    def run(self, statement: Statement, **values: Value) -> DBAPICursor:
        """Run a statement of the feed in the same transaction."""
        return self._run(statement, **values)

    def pin(self, procedure: str, version: int, digest: str) -> str:
        """Pin a version of a procedure to a digest, unless it is pinned; return the one that counts."""
        self._run(self._statements.add_procedure, id=procedure, version=version, digest=digest)
        row = self._run(self._statements.digest, id=procedure, version=version).fetchone()
        assert row is not None  # noqa: S101  # it was just made, or was there
        return str(row[0])

    def drop_mark(self, name: str) -> None:
        """Delete a row of `svcflow_meta`."""
        self._run(self._statements.drop_mark, name=name)

    def _save_swept(self, locked: LockedInstance, change: ChangeSet) -> None:
        self.save(locked, change)

    def _save_instance(self, locked: LockedInstance, change: ChangeSet, before: int) -> None:
        instance = change.instance
        self._run_for_one(
            self._statements.change if before else self._statements.create,
            id=instance.id,
            procedure=instance.procedure,
            version=instance.version,
            started_us=instance.started_us,
            status=instance.status,
            next_us=instance.next_us,
            sequence=instance.sequence,
            head=change.entries[-1].link if change.entries else locked.journal.head,
            state=state_of(instance),
            secrets=None if change.secrets is None else personal_data.to_bytes(change.secrets),
            before=before,
        )

    def _save_personal(self, change: ChangeSet, *, is_new: bool) -> None:
        run, write, name = self._run, self._statements, change.instance.id
        if change.secrets is not None and not is_new:
            run(write.keep_secrets, id=name, secrets=personal_data.to_bytes(change.secrets))
        for person in sorted(change.persons):
            run(write.add_person, person=person, instance=name)
        for person in sorted(change.forgotten):
            run(write.drop_person, person=person, instance=name)

    def _save_deviations(self, instance: Instance, facts: Sequence[Fact]) -> None:
        """Insert the deviations that facts record, and update earlier ones that they settle or answer.

        A deviation that begins and ends in one change is written once: catching up on a long loop brings hundreds.
        """
        new: dict[int, Deviation] = {}
        missed: dict[Missed, int] = {}
        earlier: list[Settled] = []
        for fact, version in with_versions(facts, instance.version):
            deviation = deviation_of(fact, instance.procedure, version)
            if deviation is not None:
                new[deviation.sequence] = deviation
                missed[deviation.limit, deviation.visit, deviation.due_us] = deviation.sequence
            elif isinstance(fact, Settled):
                sequence = missed.get((fact.limit, fact.visit, fact.due_us))
                if sequence is None:
                    earlier.append(fact)
                else:
                    new[sequence] = attrs.evolve(new[sequence], overrun_us=fact.overrun_us)
            elif isinstance(fact, Migrated):
                missed = {}  # what settles them names limits as the new version does from here on
            elif isinstance(fact, Explained | Accepted | Rejected):
                self._answer(fact)
        for deviation in new.values():
            self._add_deviation(deviation)
        for fact in earlier:
            self._settle(fact)

    def _answer(self, fact: Explained | Accepted | Rejected) -> None:
        self._run(
            self._statements.answer,
            instance=fact.instance,
            deviation=fact.deviation,
            status=STATUS_AFTER[type(fact)],
            explanation=fact.reason if isinstance(fact, Explained) else None,
        )

    def _add_deviation(self, deviation: Deviation) -> None:
        columns = {name: getattr(deviation, name) for name in _DEVIATION}
        self._run(self._statements.add_deviation, **columns)

    def _settle(self, fact: Settled) -> None:
        """Set by how much a deadline was missed; a deviation whose limit a migration renamed is found by the journal."""
        of: Row = {"limit": fact.limit, "visit": fact.visit, "due_us": fact.due_us}
        self._run(self._statements.settle, instance=fact.instance, overrun_us=fact.overrun_us, **of)
        # no deviation of that name: a migration has renamed the limit since it was missed
        if not self._cursor.rowcount:
            self._settle_renamed(fact.instance, ())

    def _settle_renamed(self, instance: str, new: Iterable[bytes]) -> None:
        """Set the overruns that follow from the whole journal; `new` are entries that are yet to be written."""
        for deviation in deviations_of(from_bytes(body) for body in (*self._bodies(instance), *new)):
            if deviation.overrun_us is not None:
                key: Row = {"instance": instance, "sequence": deviation.sequence}
                self._run(self._statements.settle_one, overrun_us=deviation.overrun_us, **key)

    def _save_work(self, instance: str, work: Iterable[Work], *, is_new: bool) -> None:
        if not is_new:
            self._run(self._statements.drop_work, instance=instance)
        for item in work:
            self._run(self._statements.add_work, instance=instance, **item._asdict())

    def _run(self, statement: Statement, **values: Value) -> DBAPICursor:
        self._cursor.execute(statement.sql, statement.bound(values))
        return self._cursor

    def _run_for_one(self, statement: Statement, **values: Value) -> None:
        """Run a statement that has to change one row. Raises: StoreError when it changes none: somebody was faster."""
        if self._run(statement, **values).rowcount != 1:
            raise out_of_turn(str(values["id"]))


def _secrets(column: Any) -> personal_data.Secrets:
    return personal_data.NO_SECRETS if column is None else personal_data.from_bytes(bytes(column))
