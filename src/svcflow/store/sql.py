"""Store in a SQL database, through SQLAlchemy Core, on a backend for one kind of database.

Facts, the instance they leave, its next due instant, its work and its deviations change in one transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeVar

import attrs
from sqlalchemy import Connection, func, select

from svcflow.errors import CorruptJournal, StoreError
from svcflow.journal.canonical import from_bytes
from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.personal_data import Commitments, Secrets
from svcflow.journal.personal_data import from_bytes as secrets_from
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER, Instance
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.kernel.lifecycle.deviations import Deviation, deviation_of
from svcflow.kernel.lifecycle.work_items import Work
from svcflow.runtime.filters import (
    DeviationKey,
    DeviationQuery,
    InstanceKey,
    InstanceQuery,
    Page,
    WorkItem,
    WorkQuery,
    counted,
    work_item,
)
from svcflow.runtime.start_positions import StartPosition
from svcflow.runtime.store import Decide, StoredInstance, SweepPosition
from svcflow.runtime.stored_rows import Columns, InstanceRows, LastSeal, Row, SealedLeaf, instance_of
from svcflow.store import delegations, queries, schema, seals, starts, table_rows
from svcflow.store.feed import SqlFeed
from svcflow.store.migrations import REBUILD
from svcflow.store.unit_of_work import UnitOfWork
from svcflow.text import Text

_instances, _facts, _deviations = schema.instances, schema.facts, schema.deviations
_persons = schema.persons

T = TypeVar("T")

_forks: list[None] = []
"""One item for each time this process was forked off since it began.

What was opened before a fork is the parent's alone: two processes on one connection of SQLite lose each other's
locks, and on one of a server each other's answers.
"""

if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=lambda: _forks.append(None))


class Backend(Protocol):
    """Transactions on one kind of database, its tables in place. Safe to use from several threads."""

    url: str

    @property
    def writable(self) -> bool:
        """Whether anything can be written at all."""
        ...

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Change an instance, as `Store.change`."""
        ...

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Change the instances that are due, as `Store.sweep`."""
        ...

    def write(self, act: Callable[[UnitOfWork], T]) -> T:
        """Run `act` in a writing transaction, durable when this returns. After an error `act` may be run again."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection for queries, which wait for no writer."""
        ...

    def exclusive(self) -> AbstractContextManager[Connection]:
        """Open a writing transaction for maintenance, of which there is one at a time over all processes."""
        ...

    def settled_position(self) -> int:
        """Return the position up to which every fact is visible, and no further one will appear."""
        ...

    def scrub(self) -> None:
        """Remove what was erased from the files that are in use."""
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...


class SqlStore:
    """Store in the database of a backend. Raises: StoreError when it cannot be used."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._closed = False
        self._forks = len(_forks)
        self.feed = SqlFeed(self._reading, self._write, self._settled_position)

    @property
    def url(self) -> str:
        """The URL of the database, without its password."""
        return self._backend.url

    @property
    def backend(self) -> Backend:
        """The backend that opens its transactions."""
        return self._backend

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Let `decide` say what changes of an instance, and write it durably; nobody else changes it in between."""
        self.refuse_closed()
        self._backend.change(instance, command_id, decide)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Do so for the next batch of instances due, in one transaction."""
        self.refuse_closed()
        return self._backend.sweep(until_us, after, decide)

    def load(self, instance: str) -> StoredInstance | None:
        """Return an instance as it was last written; None when there is none."""
        query = select(_instances).where(_instances.c.id == instance)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else StoredInstance(_consistent(row), row.head)

    def secrets(self, instance: str) -> Secrets:
        """Return the personal data kept beside an instance's journal."""
        with self._reading() as connection:
            return _secrets(connection, instance)

    def instances_of(self, person: str) -> Sequence[str]:
        """Return the instances beside whose journals data of a person are kept."""
        query = select(_persons.c.instance).where(_persons.c.person == person)
        with self._reading() as connection:
            return connection.scalars(query.order_by(_persons.c.instance)).all()

    def mentioning(self, person: str) -> Sequence[str]:
        """Return the instances whose journals hold a person's name in the clear. Reads every entry."""
        with self._reading() as connection:
            return connection.scalars(queries.mentioning(person, connection.dialect.name)).all()

    def scrub(self, person: str) -> None:
        """Erase a person from the delegations, and remove what was erased from the files in use."""
        self.refuse_closed()
        with self._backend.exclusive() as connection:
            delegations.erase(connection, person)
        self._backend.scrub()

    def seal(self, sealed_us: int) -> Checkpoint:
        """Seal what was written since the last seal; the checkpoint is to be kept elsewhere."""
        self.refuse_closed()
        checkpoint = None
        while checkpoint is None:  # None: another process sealed between reading and writing
            # the position first: what is read after it has at least the facts up to there
            position = self._backend.settled_position()
            with self._reading() as connection:  # comparing all journals must not keep writers waiting
                leaves = seals.new_leaves(connection)
            with self._backend.exclusive() as connection:
                checkpoint = seals.seal(connection, leaves, position, sealed_us)
        return checkpoint

    @property
    def columns(self) -> Mapping[str, Columns]:
        """The columns of each table, in the order in which its rows are given."""
        return table_rows.COLUMNS

    def instance_rows(self, instance: str | None = None) -> Iterator[InstanceRows]:
        """Yield what is kept of each instance, or of one, as it is."""
        return table_rows.of_instances(self._reading, instance)

    def table_rows(self, table: str) -> Sequence[Row]:
        """Return the rows of a table that is about no single instance."""
        with self._reading() as connection:
            return table_rows.of_table(connection, table)

    def last_position(self) -> int:
        """Return the position of the fact that was kept last."""
        with self._reading() as connection:
            return table_rows.last_position(connection)

    def last_seal(self) -> LastSeal | None:
        """Return the last seal; None when nothing was sealed."""
        with self._reading() as connection:
            return seals.last_seal(connection)

    def sealed(self) -> Iterator[SealedLeaf]:
        """Yield the leaves of the sealed tree in their order, with the links of their entries."""
        return seals.sealed(self._reading)

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence, with the personal data that is kept."""
        query = select(_facts.c.body).where(_facts.c.instance == instance)
        if until is not None:
            query = query.where(_facts.c.sequence <= until)
        with self._reading() as connection:
            commitments = Commitments(_secrets(connection, instance))
            bodies = connection.scalars(query.order_by(_facts.c.sequence)).all()
        return [from_bytes(body, commitments) for body in bodies]

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the journal as (canonical bytes, link), as it is kept."""
        query = select(_facts.c.body, _facts.c.link).where(_facts.c.instance == instance)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(_facts.c.sequence)).all()
        yield from ((row.body, row.link) for row in rows)

    def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Return the instances that a query selects, newest first."""
        with self._reading() as connection:
            states = connection.scalars(queries.instances(query, connection.dialect.name)).all()
        return Page.of([instance_of(state) for state in states], query.limit)

    def instance_counts(self, query: InstanceQuery, by: InstanceKey | None) -> Mapping[str, int]:
        """Count the instances that a query selects, under each key, or all of them under `""`."""
        with self._reading() as connection:
            rows = connection.execute(queries.instance_counts(query, connection.dialect.name, by))
            return counted({row[0]: row[1] for row in rows})

    def ids(self) -> Iterator[str]:
        """Yield the id of every instance."""
        # also of journals whose instance was deleted, so that verification sees them
        query = select(_instances.c.id).union(select(_facts.c.instance)).order_by("id")
        with self._reading() as connection:
            names = connection.scalars(query).all()
        yield from names

    def deviations(self, query: DeviationQuery) -> Page[Deviation]:
        """Return the deviations that a query selects, in the order in which they occurred."""
        with self._reading() as connection:
            rows = connection.execute(queries.deviations(query, connection.dialect.name)).all()
        return Page.of([_deviation(row) for row in rows], query.limit)

    def deviation_counts(self, query: DeviationQuery, by: DeviationKey | None) -> Mapping[str, int]:
        """Count the deviations that a query selects, under each key, or all of them under `""`."""
        with self._reading() as connection:
            rows = connection.execute(queries.deviation_counts(query, connection.dialect.name, by))
            return counted({row[0]: row[1] for row in rows})

    def worklist(self, query: WorkQuery) -> Page[WorkItem]:
        """Return the open work that a query selects, the soonest due first."""
        with self._reading() as connection:
            rows = connection.execute(queries.worklist(query, connection.dialect.name)).all()
        return Page.of([_work_item(row) for row in rows], query.limit)

    def delegations(self) -> Sequence[Delegation]:
        """Return every delegation that was ever given."""
        with self._reading() as connection:
            return delegations.delegations(connection)

    def keep_delegation(self, delegation: Delegation) -> None:
        """Keep a new delegation, or that one of this id was revoked."""
        self.refuse_closed()
        with self._backend.exclusive() as connection:
            delegations.save(connection, delegation)

    def starts(self) -> Sequence[StartPosition]:
        """Return how far each regular start is."""
        with self._reading() as connection:
            return starts.positions(connection)

    def keep_start(self, before: StartPosition | None, after: StartPosition) -> bool:
        """Write the position of a regular start if it still is `before`; return whether it was written."""
        self.refuse_closed()
        with self._backend.exclusive() as connection:
            return starts.save(connection, before, after)

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due."""
        with self._reading() as connection:
            soonest = connection.scalar(select(func.min(_instances.c.next_us)))
        return None if soonest is None or soonest == NEVER else int(soonest)

    def digest(self, procedure: str, version: int) -> str | None:
        """Return the digest that a version of a procedure was pinned to."""
        columns = schema.procedures.c
        query = select(columns.digest).where(columns.id == procedure, columns.version == version)
        with self._reading() as connection:
            return connection.scalar(query)

    def pin(self, procedure: str, version: int, digest: str) -> str:
        """Pin a version of a procedure to a digest, unless it is pinned."""
        return self._write(lambda work: work.pin(procedure, version, digest))

    def wants_rebuilding(self) -> str:
        """Return what an engine has to fill in after a migration of the tables: `instances`, `work`, or nothing."""
        if not self._backend.writable:
            return ""
        query = select(schema.meta.c.value).where(schema.meta.c.name == REBUILD)
        with self._reading() as connection:
            return connection.scalar(query) or ""

    def rebuilt(self) -> None:
        """Note that it was filled in."""
        self._write(lambda work: work.drop_mark(REBUILD))

    def close(self) -> None:
        """Close every connection; every later call raises StoreError."""
        if not self._closed:
            self._closed = True
            if self._forks == len(_forks):  # in a forked child the connections are still the parent's
                self._backend.close()

    def _write(self, act: Callable[[UnitOfWork], T]) -> T:
        self.refuse_closed()
        return self._backend.write(act)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self.refuse_closed()
        with self._backend.reading() as connection:
            yield connection

    def _settled_position(self) -> int:
        self.refuse_closed()
        return self._backend.settled_position()

    def refuse_closed(self) -> None:
        """Raise StoreError when the store was closed, or opened before this process was forked."""
        if self._forks != len(_forks):
            raise _forked(self.url)
        if self._closed:
            message = Text(zh=f"存储 {self.url} 已关闭", en=f"the store {self.url} is closed")
            raise StoreError(message, Text(zh="重新打开", en="open it again"))


def _forked(url: str) -> StoreError:
    return StoreError(
        Text(
            zh=f"存储 {url} 是在 fork 之前由父进程打开的",
            en=f"the store {url} was opened before this process was forked",
        ),
        Text(zh="在子进程中重新打开", en="open it anew in the child"),
    )


def _secrets(connection: Connection, instance: str) -> Secrets:
    return secrets_from(connection.scalar(select(_instances.c.secrets).where(_instances.c.id == instance)))


def _consistent(row: Any) -> Instance:
    """Return the instance of a row. Raises: CorruptJournal when a column differs from what its state says."""
    instance = instance_of(row.state)
    for name in ("id", "procedure", "version", "status", "started_us", "next_us", "sequence"):
        if getattr(instance, name) != getattr(row, name):
            message = Text(
                zh=f"实例 {instance.id} 的列 {name} 与其记录不符",
                en=f"instance {instance.id}: column {name} is not what its record says",
            )
            raise CorruptJournal(message)
    return instance


def _work_item(row: Any) -> WorkItem:
    _, _, _, *work, state = row
    return work_item(instance_of(state), Work(*work))


def _deviation(row: Any) -> Deviation:
    deviation = deviation_of(
        from_bytes(row.body, Commitments(secrets_from(row.secrets))), row.procedure, row.version
    )
    assert deviation is not None  # noqa: S101  # the row was made of this very fact
    return attrs.evolve(deviation, overrun_us=row.overrun_us, status=row.status, explanation=row.explanation)
