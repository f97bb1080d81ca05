"""ConnectionPool to a PostgreSQL server: a pool of them, in autocommit.

It knows no table. A connection that has rested, or that was open when another one broke, is tried before it
is lent again, so that a server that was restarted is noticed once.
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
"""A command under this id was done already; of the statement nothing was kept (see `add_command`)."""

_FORGOTTEN = (psycopg.errors.InvalidSqlStatementName, psycopg.errors.FeatureNotSupported)
"""What the driver has prepared is there no more, or would not answer as it did: it would go on asking for it."""

_RESTED_S = 30.0
"""A connection that was not used for so long is tried before it is lent."""

_RESTING, _POOLED = 8, 8
"""ConnectionPool stay open once they are needed, because to open one costs more than ten commits. So many are not
given back to the pool between two changes, so that they are lent at once; the pool keeps the others."""

_AT_ONCE, _WAIT_S = 32, 30
"""How many threads have a connection at once, and how long the others wait. Whoever asks the store something
while it decides has one more."""

_SETTINGS = {"connect_timeout": "10", "fallback_application_name": "svcflow"}
_ENCODED = {"client_encoding": "UTF8"}
"""Whatever a URL says: what is sent is written in it."""


class ConnectionPool:
    """Lend connections to one database. Safe to use from several threads."""

    def __init__(self, url: URL) -> None:
        self.url = url.render_as_string()
        self._broken_at = -1.0
        self._closed = False
        self._resting: list[_PooledConnection] = []
        self._places = FairSemaphore(_AT_ONCE, _WAIT_S)
        self.database = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={**_SETTINGS, **url.query, **_ENCODED},
            isolation_level="AUTOCOMMIT",
            pool_size=_POOLED,
            max_overflow=-1,  # as many as there are places, and one that an interrupt lost is not missed
        )
        self._writer = self.database.execution_options(isolation_level="READ COMMITTED")
        self._reader = self.database.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        event.listen(self.database, "connect", _durable)
        event.listen(self.database, "checkin", _rests)
        event.listen(self.database, "checkout", self._tried)

    @contextmanager
    def cursor(self) -> Iterator[DBAPICursor]:
        """Lend a cursor on which every statement is a transaction, unless one is begun."""
        with translate_errors(self.url), self._places.one():
            line = self._ready() or self._opened()
            try:
                yield cast("DBAPICursor", line.cursor)
            except _FORGOTTEN:
                line.connection.close()
                raise
            finally:
                self._rest(line)

    @contextmanager
    def transaction(self) -> Iterator[DBAPICursor]:
        """Lend a cursor inside a transaction; it is durable when it is left without an error."""
        with self.cursor() as cursor:
            # numbered at once, so that no position is taken by a transaction that nobody can see yet
            cursor.execute("BEGIN; SELECT pg_current_xact_id()")
            yield cursor
            cursor.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection for questions, which are all answered as of one moment."""
        with translate_errors(self.url), self._places.one(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection inside a transaction, for what is written seldom."""
        with translate_errors(self.url), self._places.one(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._closed = True
        self._end_resting()
        self.database.dispose()

    def _ready(self) -> _PooledConnection | None:
        """Return the line that rested last, if one rests that is as it was left."""
        while (line := self._woken()) is not None:
            if self._goes_on(line.connection, line.used_at):
                return line
            line.lent.invalidate()
        return None

    def _woken(self) -> _PooledConnection | None:
        try:
            return self._resting.pop()
        except IndexError:
            return None

    def _opened(self) -> _PooledConnection:
        lent = self.database.raw_connection()
        connection = cast("psycopg.Connection[Any]", lent.dbapi_connection)
        return _PooledConnection(lent, connection, connection.cursor())

    def _rest(self, line: _PooledConnection) -> None:
        """Keep a line for whoever comes next; the pool closes, or puts in order, what cannot be lent as it is."""
        if line.connection.closed:
            self._broken_at = monotonic()
            line.lent.invalidate()
        elif len(self._resting) < _RESTING and line.connection.pgconn.transaction_status == _IDLE:
            self._resting.append(line._replace(used_at=monotonic()))
        else:
            line.lent.close()
        if self._closed:
            self._end_resting()

    def _end_resting(self) -> None:
        while (line := self._woken()) is not None:
            line.lent.invalidate()

    def _goes_on(self, connection: psycopg.Connection[Any], used_at: float) -> bool:
        is_fresh = used_at > self._broken_at and monotonic() - used_at < _RESTED_S
        return (is_fresh and _is_open(connection)) or _answers(connection)

    def _tried(self, connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
        used_at = entry.info.get("used_at")
        if used_at is not None and not self._goes_on(connection, used_at):
            raise InvalidatePoolError


class _PooledConnection(NamedTuple):
    """A connection that is not given back to the pool between two changes: that took as long as deciding one."""

    lent: PoolProxiedConnection
    connection: psycopg.Connection[Any]
    cursor: psycopg.Cursor[Any]
    used_at: float = 0.0


def _is_open(connection: psycopg.Connection[Any]) -> bool:
    """Say whether the server has not closed a connection, as far as is known here; it asks nothing."""
    try:
        connection.pgconn.consume_input()  # its last words
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


def _durable(connection: Any, entry: ConnectionPoolEntry) -> None:
    """See to it that a commit is on disk when it is acknowledged, whatever the server's settings say.

    A change in a transaction of its own goes by the row as it is now, which a stricter isolation would refuse.
    """
    entry.info.pop("used_at", None)
    connection.execute(
        "SELECT set_config('default_transaction_isolation', 'read committed', false),"
        " CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END"
    )
    connection.commit()


def _rests(_: object, entry: ConnectionPoolEntry) -> None:
    entry.info["used_at"] = monotonic()
