"""Backend for PostgreSQL, for many processes on many machines.

A change is one query and one statement, each a transaction of its own; without the query, if the instance is cached.
The statement applies only to the sequence that was read (optimistic locking), so that nobody is locked out in between;
whoever was slower decides again.
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

_OPTIMISTIC_ATTEMPTS = 3
"""How often a change is tried without a lock before it waits for one, so that nobody starves."""

_MAINTENANCE_LOCK = 7_383_352_667
"""Key of the advisory lock of whoever makes tables, seals or erases."""


class PostgresBackend:
    """Backend on a PostgreSQL database, in the current schema of its connections.

    Raises: StoreError when it cannot be reached, does not let us make our tables, or is of another version.
    """

    writable = True

    def __init__(self, url: URL) -> None:
        self.url = url.render_as_string()
        self._pool = ConnectionPool(url)
        try:
            with self.exclusive() as connection:  # one process makes the tables, the others find them
                _prepare(connection, self.url)
        except BaseException:
            self.close()
            raise
        # parameters by their place, as the statements bind them
        dialect = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]  # SQLAlchemy's
        self._locking, self._optimistic = Statements.of(dialect), Statements.of(dialect, locking=False)
        self._watermark = _Watermark()
        self._cache = InstanceCache()

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Let `decide` say what changes of an instance, and write it if the instance is still as it was read."""
        if self._change_cached(instance, command_id, decide):
            return
        for _ in range(_OPTIMISTIC_ATTEMPTS):
            try:
                if self._change_read(instance, command_id, decide):
                    return
            except CorruptJournal:
                # query and journal are read one after the other, so that a change in between may look like damage:
                # it is read again under a lock
                break
        self.write(lambda work: work.change(instance, command_id, decide))

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Do so for the next batch of instances due; rows that another process has locked are left to it."""
        with self._pool.transaction() as cursor:
            work = BulkStatement(cursor, self._locking)
            place = work.sweep(until_us, after, decide)
            if place is not None and not work.execute():
                raise out_of_turn(place.instance)
        return place

    def write(self, act: Callable[[UnitOfWork], T]) -> T:
        """Run `act` in a writing transaction; the instances it reads are locked."""
        with self._pool.transaction() as cursor:
            return act(UnitOfWork(cursor, self._locking))

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection for queries."""
        return self._pool.reading()

    @contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """Open a writing transaction for maintenance, of which there is one at a time over all processes."""
        with self._pool.writing() as connection:
            # released by the server when the transaction ends, so that a process that dies keeps nobody out
            connection.execute(_LOCK, {"key": _MAINTENANCE_LOCK})
            yield connection

    def scrub(self) -> None:
        """Have the server remove the row versions that held what was erased; its log keeps them for a while."""
        self._cache.clear()
        with self._pool.cursor() as cursor:  # VACUUM cannot run in a transaction
            cursor.execute("VACUUM svcflow_instances, svcflow_persons, svcflow_delegations")

    def settled_position(self) -> int:
        """Return a position up to which no further fact will appear; it never decreases."""
        # in autocommit: one snapshot for the whole reading would never see a transaction end
        with translate_errors(self.url), self._pool.database.connect() as connection:
            return self._watermark.advanced(connection)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def _change_read(self, instance: str, command_id: str | None, decide: Decide) -> bool:
        with self._pool.cursor() as cursor:
            work = BulkStatement(cursor, self._optimistic)
            locked = work.find(instance, command_id)
            change = decide(locked)
            return change is None or self._write(work, locked, change.written(locked))

    def _change_cached(self, instance: str, command_id: str | None, decide: Decide) -> bool:
        """Change a cached instance without reading it; False when it has to be read after all.

        Whether the command was done before is not known here: then its row is in the way (`DoneBefore`), and its
        answer is found by reading. Reading also decides where nothing is to be changed, or where the change does not
        carry the command's id: a command that was done before would be refused now.
        """
        cached = self._cache.take(instance)
        if cached is None:
            return False
        with self._pool.cursor() as cursor:
            work = BulkStatement(cursor, self._optimistic, cached.stamp)
            locked = work.from_cache(instance, cached.instance)
            try:
                change = decide(locked)
            except Exception:  # noqa: BLE001  # raised again after reading, if it still applies
                return False
            if change is None or change.command_id != command_id:
                return False
            try:
                return self._write(work, locked, change.written(locked))
            except DoneBefore:  # nothing was written
                return False

    def _write(self, work: BulkStatement, locked: LockedInstance, change: ChangeSet) -> bool:
        """Write a change; False when the instance was changed since it was read."""
        work.save(locked, change)
        written = work.execute()
        if written and work.stamp is not None:
            self._cache.put(locked, change, work.stamp)
        return written


_PAUSES_S = (0.001, 0.004, 0.02, 0.1)
"""How long to wait for a transaction that has yet to end; most take a millisecond."""


class _Watermark:
    """Position up to which no further fact will appear.

    Transactions take positions before they commit, so that a later position may be seen before an earlier one. A
    position is settled when every transaction has ended that had begun to write before it was seen: those with a
    number (xid) below the one drawn after it was seen. Numbers alone, without a position seen before, do not tell:
    an older transaction may take a later position.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._settled = self._seen = self._xid = 0

    def advanced(self, connection: Connection) -> int:
        """Move on as far as transactions have ended, and return the position."""
        with self._lock:
            if self._seen == self._settled:
                self._look(connection)
            for pause_s in _PAUSES_S:
                if self._seen == self._settled or connection.scalar(_OLDEST_XID) >= self._xid:
                    break
                sleep(pause_s)
            else:
                return self._settled
            self._settled = self._seen
            return self._settled

    def _look(self, connection: Connection) -> None:
        # The position first, the number after it: whoever took a lower position has a lower number than the one drawn.
        self._seen = connection.scalar(_LAST_POSITION) or 0
        if self._seen > self._settled:
            self._xid = connection.scalar(_NEW_XID)


_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_LAST_POSITION = select(func.max(schema.facts.c.position))
_NEW_XID = text("SELECT pg_current_xact_id()::text::bigint")
_OLDEST_XID = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


def _prepare(connection: Connection, url: str) -> None:
    """Make or migrate the tables. Raises: StoreError when they belong to something else."""
    query = (
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'svcflow\\_%'"
    )
    existing = set(connection.scalars(text(query)))
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
                # without the collation a cursor (`id > …`) would compare by the database's language, and pages
                # would differ from those of other stores
                column.type = postgresql.TEXT(collation="C")
    return tables
