"""Connections to a PostgreSQL server: a pool of them, in autocommit, and what is said when one fails.

It knows no table. A connection that has rested, or that was open when another one broke, is tried before it
is lent again, so that a server that was restarted is noticed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from svcflow.errors import MissingExtra, StoreError
from svcflow.text import NO_TEXT, Text

try:
    import psycopg
except ImportError as error:
    raise MissingExtra(
        "postgres", Text(zh="PostgreSQL 存储需要 psycopg 3", en="a store in PostgreSQL needs psycopg 3")
    ) from error

_IDLE = psycopg.pq.TransactionStatus.IDLE

UniqueViolation = psycopg.errors.UniqueViolation
"""A row with this key is there already; of the statement nothing was kept."""

_RESTED_S = 30.0
"""A connection that was not used for so long is tried before it is lent."""

_KEPT, _MORE, _WAIT_S = 16, 16, 30
"""Connections stay open once they are needed, because to open one costs more than ten commits. There are more
for those who ask the store something while they decide."""

_RESTING = 8
"""So many of them are not given back to the pool between two changes, so that they are lent at once."""

_SETTINGS = {"client_encoding": "UTF8", "connect_timeout": "10", "fallback_application_name": "svcflow"}


class Connections:
    """Lend connections to one database. Safe to use from several threads."""

    def __init__(self, url: URL) -> None:
        self.url = url.render_as_string()
        self._broken_at = -1.0
        self._closed = False
        self._resting: list[_Line] = []
        self.database = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={**_SETTINGS, **url.query},
            isolation_level="AUTOCOMMIT",
            pool_size=_KEPT,
            max_overflow=_MORE,
            pool_timeout=_WAIT_S,
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
        with explained(self.url):
            line = self._ready() or self._opened()
            try:
                yield cast("DBAPICursor", line.cursor)
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
        with explained(self.url), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection inside a transaction, for what is written seldom."""
        with explained(self.url), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._closed = True
        self._end_resting()
        self.database.dispose()

    def _ready(self) -> _Line | None:
        """Return the line that rested last, if one rests that is as it was left."""
        while (line := self._woken()) is not None:
            if self._is_fresh(line.used_at) or _answers(line.connection):
                return line
            line.lent.invalidate()
        return None

    def _woken(self) -> _Line | None:
        try:
            return self._resting.pop()
        except IndexError:
            return None

    def _opened(self) -> _Line:
        lent = self.database.raw_connection()
        connection = cast("psycopg.Connection[Any]", lent.dbapi_connection)
        return _Line(lent, connection, connection.cursor())

    def _rest(self, line: _Line) -> None:
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

    def _is_fresh(self, used_at: float) -> bool:
        return used_at > self._broken_at and monotonic() - used_at < _RESTED_S

    def _tried(self, connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
        used_at = entry.info.get("used_at")
        if used_at is not None and not self._is_fresh(used_at) and not _answers(connection):
            raise InvalidatePoolError


class _Line(NamedTuple):
    """A connection that is not given back to the pool between two changes: that took as long as deciding one."""

    lent: PoolProxiedConnection
    connection: psycopg.Connection[Any]
    cursor: psycopg.Cursor[Any]
    used_at: float = 0.0


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _durable(connection: Any, entry: ConnectionPoolEntry) -> None:
    """See to it that a commit is on disk when it is acknowledged, whatever the server's settings say."""
    entry.info.pop("used_at", None)
    asked = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    connection.execute(asked)
    connection.commit()


def _rests(_: object, entry: ConnectionPoolEntry) -> None:
    entry.info["used_at"] = monotonic()


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn what the driver raises into a StoreError that says what to do."""
    try:
        yield
    except DBAPIError as error:
        raise _unusable(url, error.orig or error) from error
    except psycopg.Error as error:
        raise _unusable(url, error) from error
    except PoolTimeout as error:
        raise _unusable(url, error) from error


def _unusable(url: str, error: BaseException) -> StoreError:
    why = " ".join(str(error).split())
    message = Text(zh=f"存储 {url} 不可用：{why}", en=f"the store {url} cannot be used: {why}")
    return StoreError(message, _remedy(getattr(error, "sqlstate", None), error))


def _remedy(state: str | None, error: BaseException) -> Text:
    if state is None and isinstance(error, psycopg.OperationalError):
        state = "08000"  # the driver's own words: no server was there to give a code
    return next((text for code, text in _REMEDIES.items() if state and state.startswith(code)), NO_TEXT)


_AGAIN = Text(
    zh="看服务器是否在运行；命令可能已生效，用同一 `command_id` 重试是安全的",
    en="see that the server runs; the command may have been done: asking again with its `command_id` is safe",
)
_REMEDIES = {
    "08": _AGAIN,
    "57P": _AGAIN,
    "23505": Text(zh="重新读取后再试", en="load it again and decide anew"),
    "40": Text(zh="与他人冲突；再试一次", en="others were in the way; try again"),
    "28": Text(zh="检查用户名和密码", en="see to user and password"),
    "3D": Text(zh="先建立数据库", en="create the database first"),
    "42501": Text(zh="检查该用户的权限", en="see to the rights of the user"),
    "53100": Text(zh="磁盘已满；腾出空间", en="the disk is full; make room"),
    "53300": Text(zh="连接太多；提高 max_connections", en="too many connections; raise max_connections"),
}
"""By the beginning of the code that PostgreSQL gives (SQLSTATE)."""
