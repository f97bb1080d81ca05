"""A store in a SQL database, through SQLAlchemy Core. What only one kind of database does is its backend's.

Facts, the instance they leave, its next due instant, its work and its deviations change in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import attrs
from sqlalchemy import Connection, func, select

from svcflow.errors import CorruptJournal, StoreError
from svcflow.journal.canonical import from_bytes
from svcflow.journal.personal import Book, Secrets
from svcflow.journal.personal import from_bytes as secrets_from
from svcflow.kernel.deviations import Deviation, deviation_of
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER, Instance
from svcflow.runtime.store import Decide, DeviationQuery, InstanceQuery, Kept, Place
from svcflow.store import schema
from svcflow.store.writing import Writing, instance_of
from svcflow.text import Text

_instances, _facts, _deviations = schema.instances, schema.facts, schema.deviations


class Backend(Protocol):
    """Open transactions of one kind of database, its tables in place. Safe to use from several threads."""

    url: str

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Do what `Store.change` promises."""
        ...

    def sweep(self, until_us: int, after: Place, decide: Decide) -> Place | None:
        """Do what `Store.sweep` promises."""
        ...

    def writing(self) -> AbstractContextManager[Writing]:
        """Open a writing transaction; it is durable when it is left without an error."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection for questions, which wait for nobody."""
        ...

    def settled_position(self) -> int:
        """Return a position up to which no fact will appear any more: whoever follows the facts reads to there."""
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...


class SqlStore:
    """Keep instances in the database of a backend. Raises: StoreError when it cannot be used."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._closed = False

    @property
    def url(self) -> str:
        """Where it is kept."""
        return self._backend.url

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Ask `decide` about an instance nobody else can change meanwhile, and keep what it says, durably."""
        self._refuse_closed()
        self._backend.change(instance, command_id, decide)

    def sweep(self, until_us: int, after: Place, decide: Decide) -> Place | None:
        """Ask `decide` about the next batch of instances due, and keep what it says in one transaction."""
        self._refuse_closed()
        return self._backend.sweep(until_us, after, decide)

    def load(self, instance: str) -> Kept | None:
        """Return the instance as last kept."""
        asked = select(_instances).where(_instances.c.id == instance)
        with self._reading() as connection:
            row = connection.execute(asked).one_or_none()
        return None if row is None else Kept(_consistent(row), row.head)

    def secrets(self, instance: str) -> Secrets:
        """Return the personal data kept beside an instance's journal."""
        with self._reading() as connection:
            return _secrets(connection, instance)

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence, with the personal data that is kept."""
        asked = select(_facts.c.body).where(_facts.c.instance == instance)
        if until is not None:
            asked = asked.where(_facts.c.sequence <= until)
        with self._reading() as connection:
            book = Book(_secrets(connection, instance))
            bodies = connection.scalars(asked.order_by(_facts.c.sequence)).all()
        return [from_bytes(body, book) for body in bodies]

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the journal as (canonical bytes, link), as it is kept."""
        asked = select(_facts.c.body, _facts.c.link).where(_facts.c.instance == instance)
        with self._reading() as connection:
            found = connection.execute(asked.order_by(_facts.c.sequence)).all()
        yield from ((row.body, row.link) for row in found)

    def instances(self, query: InstanceQuery) -> Sequence[Instance]:
        """Return the instances asked for, newest first."""
        asked = select(_instances.c.state).order_by(_instances.c.started_us.desc(), _instances.c.id)
        if query.procedure is not None:
            asked = asked.where(_instances.c.procedure == query.procedure)
        if query.status is not None:
            asked = asked.where(_instances.c.status == query.status)
        with self._reading() as connection:
            return [instance_of(state) for state in connection.scalars(asked.limit(query.limit))]

    def ids(self) -> Iterator[str]:
        """Yield the id of every instance."""
        # a journal whose instance was deleted is named too, so that verification sees it
        asked = select(_instances.c.id).union(select(_facts.c.instance)).order_by("id")
        with self._reading() as connection:
            found = connection.scalars(asked).all()
        yield from found

    def deviations(self, query: DeviationQuery) -> Sequence[Deviation]:
        """Return the deviations asked for, in the order in which they occurred."""
        columns = _deviations.c
        asked = select(*columns, _facts.c.body, _instances.c.secrets).join(
            _facts, (_facts.c.instance == columns.instance) & (_facts.c.sequence == columns.sequence)
        )
        asked = asked.join(_instances, _instances.c.id == columns.instance, isouter=True)
        for column in ("instance", "procedure", "kind", "step", "role"):
            wanted = getattr(query, column)
            if wanted is not None:
                asked = asked.where(columns[column] == wanted)
        if query.since_us is not None:
            asked = asked.where(columns.occurred_us >= query.since_us)
        if query.until_us is not None:
            asked = asked.where(columns.occurred_us < query.until_us)
        asked = asked.order_by(columns.occurred_us, columns.instance, columns.sequence)
        with self._reading() as connection:
            return [_deviation(row) for row in connection.execute(asked)]

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due."""
        with self._reading() as connection:
            soonest = connection.scalar(select(func.min(_instances.c.next_us)))
        return None if soonest is None or soonest == NEVER else int(soonest)

    def close(self) -> None:
        """Close every connection; what is asked afterwards is a StoreError."""
        self._closed = True
        self._backend.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._refuse_closed()
        with self._backend.reading() as connection:
            yield connection

    def _refuse_closed(self) -> None:
        if self._closed:
            message = Text(zh=f"存储 {self.url} 已关闭", en=f"the store {self.url} is closed")
            raise StoreError(message, Text(zh="重新打开", en="open it again"))


def _secrets(connection: Connection, instance: str) -> Secrets:
    return secrets_from(connection.scalar(select(_instances.c.secrets).where(_instances.c.id == instance)))


def _consistent(row: Any) -> Instance:
    """Return the instance of a whole row. Raises: CorruptJournal when the columns that find it say otherwise."""
    one = instance_of(row.state)
    for name in ("id", "procedure", "version", "status", "started_us", "next_us", "sequence"):
        if getattr(one, name) != getattr(row, name):
            message = Text(
                zh=f"实例 {one.id} 的列 {name} 与其记录不符",
                en=f"instance {one.id}: column {name} is not what its record says",
            )
            raise CorruptJournal(message)
    return one


def _deviation(row: Any) -> Deviation:
    one = deviation_of(from_bytes(row.body, Book(secrets_from(row.secrets))), row.procedure, row.version)
    assert one is not None  # noqa: S101  # the row was made of this very fact
    return attrs.evolve(one, overrun_us=row.overrun_us)
