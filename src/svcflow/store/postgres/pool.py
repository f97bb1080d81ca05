"""Pool of connections to a PostgreSQL server, in autocommit.

A connection that was idle, or that was open when another one broke, is tried before it is lent again, so that a
server that was restarted is noticed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, NamedTuple, cast

import psycopg
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from svcflow.store.postgres.errors import translate_errors
from svcflow.store.postgres.fair_semaphore import FairSemaphore

_IDLE = psycopg.pq.TransactionStatus.IDLE

DoneBefore = psycopg.errors.NotNullViolation
"""A command under this id was done already; nothing of the statement was kept (see `statements._add_command`)."""

_STALE_STATEMENT = (psycopg.errors.InvalidSqlStatementName, psycopg.errors.FeatureNotSupported)
"""A statement that the driver has prepared is gone, or would give other columns; the driver would go on using it."""

_IDLE_LIMIT_S = 30.0
"""A connection that was not used for so long is tried before it is lent."""

_MAX_IDLE, _MAX_POOLED = 8, 8
"""Connections stay open once they are needed, because to open one costs more than ten commits. `_MAX_IDLE` of them are
not given back to SQLAlchemy's pool between two changes, so that they are lent at once; that pool keeps the others."""

_MAX_THREADS, _TIMEOUT_S = 32, 30
"""How many threads have a connection at once, and how many seconds the others wait. A thread that asks the store
something while it decides has one connection more."""

_SETTINGS = {"connect_timeout": "10", "fallback_application_name": "svcflow"}
_ENCODED = {"client_encoding": "UTF8"}
"""Stands whatever a URL says: `prepared` sends UTF-8."""


class ConnectionPool:
    """Pool of connections to one database. Safe to use from several threads."""

    def __init__(self, url: URL) -> None:
        self.url = url.render_as_string()
        self._broken_at = -1.0
        self._closed = False
        self._idle: list[_PooledConnection] = []
        self._threads = FairSemaphore(_MAX_THREADS, _TIMEOUT_S)
        self.database = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={**_SETTINGS, **url.query, **_ENCODED},
            isolation_level="AUTOCOMMIT",
            pool_size=_MAX_POOLED,
            max_overflow=-1,  # the semaphore is the bound: a connection that an interrupt lost is not missed
        )
        self._writer = self.database.execution_options(isolation_level="READ COMMITTED")
        self._reader = self.database.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        event.listen(self.database, "connect", _set_up)
        event.listen(self.database, "checkin", _note_use)
        event.listen(self.database, "checkout", self._check)

    @contextmanager
    def cursor(self) -> Iterator[DBAPICursor]:
        """Lend a cursor on which every statement is a transaction, unless one is begun."""
        with translate_errors(self.url), self._threads.slot():
            pooled = self._usable() or self._opened()
            try:
                yield cast("DBAPICursor", pooled.cursor)
            except _STALE_STATEMENT:
                # the driver does not forget what it prepared, so the connection goes with it
                pooled.connection.close()
                raise
            finally:
                self._give_back(pooled)

    @contextmanager
    def transaction(self) -> Iterator[DBAPICursor]:
        """Lend a cursor inside a transaction, which is durable when the block ends without an error."""
        with self.cursor() as cursor:
            # The number of the transaction is drawn before it takes a position: `_Watermark` takes a position for
            # settled once every transaction with a lower number has ended, and an unnumbered one it cannot see.
            cursor.execute("BEGIN; SELECT pg_current_xact_id()")
            yield cursor
            cursor.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection for queries, all of which see one snapshot."""
        with translate_errors(self.url), self._threads.slot(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection inside a transaction, for what is written seldom."""
        with translate_errors(self.url), self._threads.slot(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; one that is lent is closed when it is given back."""
        self._closed = True
        self._close_idle()
        self.database.dispose()

    def _usable(self) -> _PooledConnection | None:
        """Return the idle connection that was used last; None when none is fit for use."""
        while (pooled := self._pop_idle()) is not None:
            if self._is_usable(pooled.connection, pooled.used_at):
                return pooled
            pooled.lent.invalidate()
        return None

    def _pop_idle(self) -> _PooledConnection | None:
        try:  # another thread may pop between a test for emptiness and `pop`
            return self._idle.pop()
        except IndexError:
            return None

    def _opened(self) -> _PooledConnection:
        lent = self.database.raw_connection()
        connection = cast("psycopg.Connection[Any]", lent.dbapi_connection)
        return _PooledConnection(lent, connection, connection.cursor())

    def _give_back(self, pooled: _PooledConnection) -> None:
        """Keep a connection for the next thread; SQLAlchemy's pool rolls back or closes what cannot be lent as it is."""
        if pooled.connection.closed:
            self._broken_at = monotonic()
            pooled.lent.invalidate()
        elif len(self._idle) < _MAX_IDLE and pooled.connection.pgconn.transaction_status == _IDLE:
            self._idle.append(pooled._replace(used_at=monotonic()))
        else:
            pooled.lent.close()
        if self._closed:  # looked at after the append: `close` may have emptied the list before it
            self._close_idle()

    def _close_idle(self) -> None:
        while (pooled := self._pop_idle()) is not None:
            pooled.lent.invalidate()

    def _is_usable(self, connection: psycopg.Connection[Any], used_at: float) -> bool:
        is_fresh = used_at > self._broken_at and monotonic() - used_at < _IDLE_LIMIT_S
        return (is_fresh and _is_open(connection)) or _answers(connection)

    def _check(self, connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
        used_at = entry.info.get("used_at")
        if used_at is not None and not self._is_usable(connection, used_at):
            raise InvalidatePoolError


class _PooledConnection(NamedTuple):
    """A connection with its cursor, kept between two changes: to give both back took as long as deciding one."""

    lent: PoolProxiedConnection
    connection: psycopg.Connection[Any]
    cursor: psycopg.Cursor[Any]
    used_at: float = 0.0


def _is_open(connection: psycopg.Connection[Any]) -> bool:
    """Return whether no end of a connection has come in; nothing is sent to the server."""
    try:
        # twice: the first reads the error with which a server closes, only the second sees the end of the stream
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return False
    return True


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _set_up(connection: Any, entry: ConnectionPoolEntry) -> None:
    """Set what a connection needs whatever the server's settings say.

    A commit is to be on disk when it is acknowledged. A change in a transaction of its own goes by the row as it is
    now, which an isolation stricter than READ COMMITTED would refuse.
    """
    entry.info.pop("used_at", None)
    connection.execute(
        "SELECT set_config('default_transaction_isolation', 'read committed', false),"
        " CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END"
    )
    connection.commit()  # a setting made in a transaction goes when that is rolled back


def _note_use(_: object, entry: ConnectionPoolEntry) -> None:
    entry.info["used_at"] = monotonic()
