"""Store inside a transaction that a host application has open, which only the host commits or rolls back.

The host gives a SQLAlchemy `Connection` or `Session`, or its driver's own connection (`sqlite3`, `psycopg`). Each change
is made in a savepoint, so that one that fails leaves nothing behind in the host's transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, StaticPool
from sqlalchemy import Engine as Database
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import SQLAlchemyError

from svcflow.errors import StoreError
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.runtime.store import Decide, Store, SweepPosition
from svcflow.store import delegations
from svcflow.store.sql import SqlStore
from svcflow.store.statements import Statements
from svcflow.store.unit_of_work import UnitOfWork
from svcflow.text import Text

T = TypeVar("T")


def join(store: Store, host: object) -> JoinedStore:
    """Return the store on a host's connection.

    Raises: StoreError when `host` is no open connection, or one to another database, or the store is closed.
    """
    if not isinstance(store, SqlStore):
        message = Text(zh="内存存储没有事务可加入", en="a store in memory has no transaction to join")
        raise StoreError(message, Text(zh="用 sqlite:///文件名", en="use sqlite:///FILE"))
    store.refuse_closed()
    backend = JoinedBackend(store.url, _opened(host))
    with store.backend.reading() as own:
        identity = database_identity(own)
    # Only now, with no connection of ours held: getting the host's connection may wait, in an event loop for others that
    # join too, and all of them together would wait for each other.
    backend.refuse_other(identity)
    return JoinedStore(backend)


class JoinedStore(SqlStore):
    """Store that reads and writes in a host's transaction."""

    def __init__(self, backend: JoinedBackend) -> None:
        super().__init__(backend)
        self._joined = backend

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Let `decide` say what changes of an instance, and write it; nobody else changes it in between."""
        self._joined.change(instance, command_id, decide)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Do so for the next batch of instances due."""
        return self._joined.sweep(until_us, after, decide)

    def keep_delegation(self, delegation: Delegation) -> None:
        """Add a delegation, or note that the one of this id was revoked."""
        with self._joined.changing() as connection:
            delegations.save(connection, delegation)


class JoinedBackend:
    """Backend on a host's connection. It begins a transaction where none is open, and ends none."""

    writable = True

    def __init__(self, url: str, opened: OpenConnection) -> None:
        self.url = url
        self._opened = opened

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Let `decide` say what changes, and write it; once more when somebody else inserted the same row meanwhile."""
        try:
            self._change(instance, command_id, decide)
        except StoreError as error:
            if not _is_duplicate(error.__cause__):
                raise
            # once is enough: the row is there now, and is read
            self._change(instance, command_id, decide)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Do so for the next batch of instances due."""
        return self.write(lambda work: work.sweep(until_us, after, decide))

    def exclusive(self) -> AbstractContextManager[Connection]:
        """Raise StoreError: maintenance does not wait for a host's transaction."""
        raise _unsupported()

    def settled_position(self) -> int:
        """Raise StoreError: what is not committed cannot be sealed."""
        raise _unsupported()

    def scrub(self) -> None:
        """Raise StoreError: a host could roll back what was erased."""
        raise _unsupported()

    def write(self, act: Callable[[UnitOfWork], T]) -> T:
        """Run `act` in a savepoint of the host's transaction; an error undoes what it wrote."""
        with self._changing() as (connection, cursor):
            kind: Callable[..., Dialect] = type(connection.dialect)
            return act(UnitOfWork(cursor, _compiled_statements(kind, connection.dialect.paramstyle)))

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """Open a savepoint for writing through SQLAlchemy."""
        with self._changing() as (connection, _):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open the host's connection, which sees what its transaction has changed."""
        # the driver's own errors are only known once its connection is open
        errors: tuple[type[Exception], ...] = (SQLAlchemyError,)
        try:
            with self._opened() as connection:
                errors = (SQLAlchemyError, connection.dialect.loaded_dbapi.Error)
                yield connection
        except errors as error:
            why = str(getattr(error, "orig", None) or error)
            raise StoreError(
                Text(zh=f"无法在宿主的事务中工作：{why}", en=f"the host's transaction cannot be used: {why}"),
                Text(zh="回滚该事务后再试", en="roll it back and try again"),
            ) from error

    def refuse_other(self, identity: Hashable) -> None:
        """Raise StoreError unless the host's connection leads to that database."""
        with self.reading() as connection:
            if connection.dialect.name in _IDENTITY and database_identity(connection) == identity:
                return
        raise StoreError(
            Text(zh=f"该连接不通向 {self.url}", en=f"that connection does not lead to {self.url}"),
            Text(zh="用引擎所在数据库的连接", en="give one to the database the engine is on"),
        )

    def close(self) -> None:
        """Do nothing: the connection is the host's."""

    @contextmanager
    def _changing(self) -> Iterator[tuple[Connection, DBAPICursor]]:
        with self.reading() as connection:
            if not connection.in_transaction():
                connection.begin()
            cursor = connection.connection.cursor()
            try:
                _BEGIN[connection.dialect.name](connection.connection.driver_connection, cursor)
                with _savepoint(cursor):
                    yield connection, cursor
            finally:
                cursor.close()

    def _change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        self.write(lambda work: work.change(instance, command_id, decide))


def database_identity(connection: Connection) -> Hashable:
    """Return a value that is equal for connections that lead to the same tables."""
    kind = connection.dialect.name
    return kind, _IDENTITY[kind](connection)


def _opened(host: object) -> OpenConnection:
    """Return a function that opens the host's connection: a session may have another one in its next transaction."""
    if isinstance(host, Connection):
        return lambda: nullcontext(host)
    through_proxy = proxied(host)
    if through_proxy is not None:
        return through_proxy
    from sqlalchemy.orm import Session, scoped_session  # noqa: PLC0415  # loaded already by whoever has a session

    if isinstance(host, Session | scoped_session):
        return lambda: nullcontext(host.connection())
    raise StoreError(
        Text(
            zh=f"{type(host).__name__} 不是可加入的连接",
            en=f"{type(host).__name__} is no connection to join",
        ),
        Text(
            zh="给 SQLAlchemy 的 Connection 或 Session，或 sqlite3、psycopg 的连接；Django 中为 connection.connection，AsyncSession 则经其 run_sync",
            en="give a Connection or Session of SQLAlchemy, or a connection of sqlite3 or psycopg; in Django "
            "connection.connection, from an AsyncSession through its run_sync",
        ),
    )


@cache
def _compiled_statements(dialect: Callable[..., Dialect], paramstyle: str) -> Statements:
    """Return the statements, compiled once for a driver; named parameters become positional."""
    style = "format" if paramstyle == "pyformat" else paramstyle
    return Statements.of(dialect(paramstyle=style))


@contextmanager
def _savepoint(cursor: DBAPICursor) -> Iterator[None]:
    cursor.execute("SAVEPOINT svcflow")
    try:
        yield
    except BaseException:
        # leaves the savepoint open: RELEASE has to follow it
        cursor.execute("ROLLBACK TO SAVEPOINT svcflow")
        raise
    finally:
        cursor.execute("RELEASE SAVEPOINT svcflow")


def _begin_sqlite(driver: Any, cursor: DBAPICursor) -> None:
    """Begin a transaction unless one is open: releasing a savepoint outside of one would commit."""
    if not driver.in_transaction:
        if driver.isolation_level is None or getattr(driver, "autocommit", None) is True:
            raise _no_transaction()
        cursor.execute("BEGIN IMMEDIATE")
    # The write lock before the first read. The host may have begun a deferred transaction: what is read in it would be
    # out of date by the time it is written, and the write be refused.
    cursor.execute("DELETE FROM svcflow_meta WHERE 0")


def _begin_postgresql(driver: Any, _: DBAPICursor) -> None:
    if driver.autocommit and driver.info.transaction_status == 0:
        raise _no_transaction()


_BEGIN: dict[str, Callable[[Any, DBAPICursor], None]] = {
    "sqlite": _begin_sqlite,
    "postgresql": _begin_postgresql,
}


def _is_duplicate(cause: BaseException | None) -> bool:
    """Return whether a row was there already; all drivers call that error IntegrityError (PEP 249)."""
    return any(kind.__name__ == "IntegrityError" for kind in type(cause).__mro__)


def _unsupported() -> StoreError:
    message = Text(zh="这不在宿主的事务中进行", en="that is not done in a host's transaction")
    return StoreError(message, Text(zh="由引擎自己来做", en="ask the engine itself"))


def _no_transaction() -> StoreError:
    message = Text(zh="该连接没有打开的事务", en="that connection has no transaction open")
    return StoreError(message, Text(zh="先开始事务", en="begin one first"))


def _file(connection: Connection) -> Hashable:
    """Return which file a SQLite connection is on. It reads no table: that would fix the snapshot of the transaction."""
    listed = connection.exec_driver_sql("PRAGMA database_list").all()
    path = next(row[2] for row in listed if row[1] == "main")
    status = os.stat(path) if path else None  # noqa: PTH116  # the path is SQLite's
    return None if status is None else (status.st_dev, status.st_ino)


def _table(connection: Connection) -> Hashable:
    """Return the server, database and table in which a PostgreSQL connection finds the store."""
    query = "SELECT pg_postmaster_start_time(), current_database(), to_regclass('svcflow_meta')::oid::bigint"
    return tuple(connection.exec_driver_sql(query).one())


_IDENTITY: dict[str, Callable[[Connection], Hashable]] = {"sqlite": _file, "postgresql": _table}


OpenConnection = Callable[[], AbstractContextManager[Connection]]
"""Function that opens a connection of SQLAlchemy."""

_DRIVERS = {"sqlite3": "sqlite+pysqlite://", "psycopg": "postgresql+psycopg://"}
"""The drivers whose connections are accepted, and the URL of the dialect of each."""


def proxied(host: object) -> OpenConnection | None:
    """Return a function that opens a driver's connection through SQLAlchemy; None for a driver that is not known."""
    url = next((_DRIVERS[name] for name in map(_package, type(host).__mro__) if name in _DRIVERS), None)
    if url is None:
        return None
    dialect, compiled = _dialect(url)
    rows = None if dialect.name == "sqlite" else import_module("psycopg.rows").tuple_row
    proxy = _ConnectionProxy(host, rows)
    pool = StaticPool(lambda: proxy, reset_on_return=None, dialect=dialect)
    database = Database(pool, dialect, make_url(url))
    return database.execution_options(compiled_cache=compiled).connect


class _ConnectionProxy:
    """Proxy of a host's driver connection, by which SQLAlchemy can neither commit, roll back nor close it."""

    def __init__(self, connection: Any, rows: Any) -> None:
        self._connection = connection
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> Any:
        """Open a cursor that returns rows as tuples, whatever row factory the host has set."""
        cursor = self._connection.cursor()
        cursor.row_factory = self._rows
        return cursor

    def commit(self) -> None:
        """Do nothing: that is the host's to do."""

    def rollback(self) -> None:
        """Do nothing: that is the host's to do."""

    def close(self) -> None:
        """Do nothing: that is the host's to do."""


@cache
def _dialect(url: str) -> tuple[Dialect, MutableMapping[Any, Any]]:
    """Return a dialect with its driver, and its cache of compiled statements."""
    kind = make_url(url).get_dialect()
    dialect: Dialect = kind(dbapi=kind.import_dbapi())  # type: ignore[call-arg]  # Dialect has no constructor
    if dialect.name == "sqlite":
        # set here because this pool never runs the dialect's own look at the connection; DBOS names its tables with it
        dialect.default_schema_name = "main"
    return dialect, {}


def _package(kind: type) -> str:
    return kind.__module__.split(".")[0]
