"""PostgreSQL, for many processes on many machines.

A change is one question and one statement, each a transaction of its own; without the question, if the instance
is remembered. The statement goes by the sequence that was found, so that nobody is kept out in between; whoever
was slower is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from time import sleep
from typing import TypeVar

from sqlalchemy import Connection, MetaData, func, select, text
from sqlalchemy import String as Name
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL

from svcflow.errors import CorruptJournal, StoreError
from svcflow.runtime.store import ChangeSet, Decide, LockedInstance, SweepPosition, out_of_turn
from svcflow.store import schema
from svcflow.store.instance_cache import InstanceCache
from svcflow.store.migrations import prepare
from svcflow.store.postgres.bulk_statement import BulkStatement
from svcflow.store.postgres.errors import translate_errors
from svcflow.store.postgres.pool import ConnectionPool, DoneBefore
from svcflow.store.statements import Statements
from svcflow.store.unit_of_work import UnitOfWork
from svcflow.text import Text

T = TypeVar("T")

_UNLOCKED = 3
"""How often a change is asked for without a lock before it waits for one, so that nobody starves."""

_UPKEEP = 7_383_352_667
"""The advisory lock of whoever makes tables, seals or erases."""


class PostgresBackend:
    """Keep a service in a PostgreSQL database, in the schema that is the current one of its connections.

    Raises: StoreError when it cannot be reached, does not let us make our tables, or is of another version.
    """

    writable = True

    def __init__(self, url: URL) -> None:
        self.url = url.render_as_string()
        self._connections = ConnectionPool(url)
        try:
            with self.exclusive() as connection:  # one process makes the tables, the others find them
                _prepare(connection, self.url)
        except BaseException:
            self.close()
            raise
        # parameters by their place, as the statements bind them
        dialect = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]  # SQLAlchemy's
        self._locking, self._glancing = Statements.of(dialect), Statements.of(dialect, locking=False)
        self._horizon = _Watermark()
        self._memory = InstanceCache()

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Ask `decide` about an instance, and keep what it says if the instance is still as it was found."""
        if self._changed_again(instance, command_id, decide):
            return
        for _ in range(_UNLOCKED):
            try:
                if self._changed(instance, command_id, decide):
                    return
            except CorruptJournal:  # is looked at again while nobody can change it
                break
        self.write(lambda locked: locked.change(instance, command_id, decide))

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Ask `decide` about the next batch of instances due; those that another process has in hand are its."""
        with self._connections.transaction() as cursor:
            work = BulkStatement(cursor, self._locking)
            place = work.sweep(until_us, after, decide)
            if place is not None and not work.keep_noted():
                raise out_of_turn(place.instance)
        return place

    def write(self, act: Callable[[UnitOfWork], T]) -> T:
        """Do something in a writing transaction; what is found in it is locked."""
        with self._connections.transaction() as cursor:
            return act(UnitOfWork(cursor, self._locking))

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection for questions."""
        return self._connections.reading()

    @contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """Open a writing transaction for upkeep, of which there is one at a time over all processes."""
        with self._connections.writing() as connection:
            connection.execute(_LOCK, {"key": _UPKEEP})
            yield connection

    def scrub(self) -> None:
        """Have the server clear the rows away that held what was erased; its log keeps them for a while."""
        self._memory.clear()
        with self._connections.cursor() as cursor:
            cursor.execute("VACUUM svcflow_instances, svcflow_persons, svcflow_delegations")

    def settled_position(self) -> int:
        """Return a position up to which every fact is visible that will ever be; it never goes back."""
        with translate_errors(self.url), self._connections.database.connect() as connection:
            return self._horizon.seen_from(connection)

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

    def _changed(self, instance: str, command_id: str | None, decide: Decide) -> bool:
        with self._connections.cursor() as cursor:
            work = BulkStatement(cursor, self._glancing)
            found = work.found(instance, command_id)
            change = decide(found)
            return change is None or self._kept(work, found, change.written(found))

    def _changed_again(self, instance: str, command_id: str | None, decide: Decide) -> bool:
        """Change an instance that is remembered without reading it, if it is still as it was left.

        Whether the command was done before is not known here: then its number stands in the way, and what it
        came to is found by reading. So is whatever is not to be changed, or not noted under the number: what
        was done already would be refused now.
        """
        known = self._memory.take(instance)
        if known is None:
            return False
        with self._connections.cursor() as cursor:
            work = BulkStatement(cursor, self._glancing, known.stamp)
            found = work.recalled(instance, known.found)
            try:
                change = decide(found)
            except Exception:  # noqa: BLE001  # is raised again, if it is so when it has been read
                return False
            if change is None or change.command_id != command_id:
                return False
            try:
                return self._kept(work, found, change.written(found))
            except DoneBefore:  # nothing was kept
                return False

    def _kept(self, work: BulkStatement, found: LockedInstance, change: ChangeSet) -> bool:
        work.keep(found, change)
        kept = work.keep_noted()
        if kept and work.stamp is not None:
            self._memory.put(found, change, work.stamp)
        return kept


_PAUSES_S = (0.001, 0.004, 0.02, 0.1)
"""How long a transaction that has yet to end is waited for; most take a millisecond."""


class _Watermark:
    """Follow the position up to which nothing is still to come.

    Transactions take positions before they commit, so that a later one may be seen before an earlier one. A
    position is settled when every transaction has ended that had begun to write before it was seen: those
    with a number below the one drawn after it was seen. Numbers of transactions alone do not tell, because
    an older transaction may take a later position.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._settled = self._seen = self._number = 0

    def seen_from(self, connection: Connection) -> int:
        with self._lock:
            if self._seen == self._settled:
                self._look(connection)
            for pause_s in _PAUSES_S:
                if self._seen == self._settled or connection.scalar(_OLDEST) >= self._number:
                    break
                sleep(pause_s)
            else:
                return self._settled
            self._settled = self._seen
            return self._settled

    def _look(self, connection: Connection) -> None:
        self._seen = connection.scalar(_LAST) or 0
        if self._seen > self._settled:
            self._number = connection.scalar(_DRAWN)


_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_LAST = select(func.max(schema.facts.c.position))
_DRAWN = text("SELECT pg_current_xact_id()::text::bigint")
_OLDEST = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


def _prepare(connection: Connection, url: str) -> None:
    """Make or migrate the tables; refuse those of something else."""
    ours = (
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'svcflow\\_%'"
    )
    existing = set(connection.scalars(text(ours)))
    if existing and schema.meta.name not in existing:
        message = Text(zh=f"{url} 中的表不完整", en=f"{url} holds a part of our tables only")
        raise StoreError(
            message, Text(zh="从备份恢复，或换一个数据库", en="restore it, or choose another database")
        )
    prepare(connection, existing, url, tables=_tables())


def _tables() -> MetaData:
    """Return the tables with names of any length, ordered byte by byte as on every other store."""
    tables = MetaData()
    for table in schema.metadata.tables.values():
        for column in table.to_metadata(tables).c:
            if isinstance(column.type, Name):
                column.type = postgresql.TEXT(collation="C")
    return tables
