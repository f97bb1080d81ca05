"""The store inside a transaction that a host has open: on its connection, in its transaction, which it alone ends.

A host gives a SQLAlchemy `Connection` or `Session`, or its driver's own connection (`sqlite3`, `psycopg`).
Each change stands in a savepoint, so that one that fails leaves nothing behind in the host's transaction.
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
    """Return the store as it is on a host's connection.

    Raises: StoreError when `host` is no open connection, or one to another database than the store's; or the store is closed.
    """
    if not isinstance(store, SqlStore):
        message = Text(zh="内存存储没有事务可加入", en="a store in memory has no transaction to join")
        raise StoreError(message, Text(zh="用 sqlite:///文件名", en="use sqlite:///FILE"))
    store.refuse_closed()
    backend = JoinedBackend(store.url, _opened(host))
    with store.backend.reading() as own:
        place = place_of(own)
    # by now no connection of ours is held: to ask the host's may wait, in an event loop for others that join too
    backend.refuse_other(place)
    return JoinedStore(backend)


class JoinedStore(SqlStore):
    """Keep instances in a host's transaction."""

    def __init__(self, backend: JoinedBackend) -> None:
        super().__init__(backend)
        self._joined = backend

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Ask `decide` about an instance nobody else can change meanwhile, and keep what it says."""
        self._joined.change(instance, command_id, decide)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Ask `decide` about the next batch of instances due, and keep what it says."""
        return self._joined.sweep(until_us, after, decide)

    def keep_delegation(self, delegation: Delegation) -> None:
        """Keep a new delegation, or that one of this id was revoked."""
        with self._joined.changing() as connection:
            delegations.save(connection, delegation)


class JoinedBackend:
    """Read and write on a connection of somebody else's; begin what has to be begun, end nothing."""

    writable = True

    def __init__(self, url: str, opened: OpenConnection) -> None:
        self.url = url
        self._opened = opened

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Ask `decide` and keep what it says; once more when somebody else made the same row meanwhile."""
        try:
            self._change(instance, command_id, decide)
        except StoreError as error:
            if not _is_taken(error.__cause__):
                raise
            self._change(instance, command_id, decide)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Ask `decide` about the next batch of instances due, and keep what it says."""
        return self.write(lambda work: work.sweep(until_us, after, decide))

    def exclusive(self) -> AbstractContextManager[Connection]:
        """Refuse: upkeep waits for nobody's transaction."""
        raise _not_here()

    def settled_position(self) -> int:
        """Refuse: what is not committed cannot be sealed."""
        raise _not_here()

    def scrub(self) -> None:
        """Refuse: what is erased is to stay erased."""
        raise _not_here()

    def write(self, act: Callable[[UnitOfWork], T]) -> T:
        """Do something in a savepoint of the host's transaction; an error undoes what was written since."""
        with self._changing() as (connection, cursor):
            kind: Callable[..., Dialect] = type(connection.dialect)
            return act(UnitOfWork(cursor, _statements(kind, connection.dialect.paramstyle)))

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """Open a savepoint for what is written through SQLAlchemy."""
        with self._changing() as (connection, _):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give the host's connection, which sees what its transaction has changed."""
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

    def refuse_other(self, place: Hashable) -> None:
        """Raise StoreError unless the host's connection leads to that place."""
        with self.reading() as connection:
            if connection.dialect.name in _PLACE and place_of(connection) == place:
                return
        raise StoreError(
            Text(zh=f"该连接不通向 {self.url}", en=f"that connection does not lead to {self.url}"),
            Text(zh="用引擎所在数据库的连接", en="give one to the database the engine is on"),
        )

    def close(self) -> None:
        """Give nothing back: the connection is the host's."""

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


def place_of(connection: Connection) -> Hashable:
    """Return the kind of database that a connection leads to, and which one of them it is."""
    kind = connection.dialect.name
    return kind, _PLACE[kind](connection)


def _opened(host: object) -> OpenConnection:
    """Return how the host's connection is had. A session may have another one in its next transaction."""
    if isinstance(host, Connection):
        return lambda: nullcontext(host)
    borrowed = proxied(host)
    if borrowed is not None:
        return borrowed
    from sqlalchemy.orm import Session, scoped_session  # noqa: PLC0415  # whoever has one has loaded it

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
def _statements(dialect: Callable[..., Dialect], paramstyle: str) -> Statements:
    """Compile the statements once for a driver; named parameters are written by their places."""
    style = "format" if paramstyle == "pyformat" else paramstyle
    return Statements.of(dialect(paramstyle=style))


@contextmanager
def _savepoint(cursor: DBAPICursor) -> Iterator[None]:
    cursor.execute("SAVEPOINT svcflow")
    try:
        yield
    except BaseException:
        cursor.execute("ROLLBACK TO SAVEPOINT svcflow")
        raise
    finally:
        cursor.execute("RELEASE SAVEPOINT svcflow")


def _begin_sqlite(driver: Any, cursor: DBAPICursor) -> None:
    """Have a transaction that may write: a savepoint outside of one would commit when it is released."""
    if not driver.in_transaction:
        if driver.isolation_level is None or getattr(driver, "autocommit", None) is True:
            raise _no_transaction()
        cursor.execute("BEGIN IMMEDIATE")
    # the write lock before the first look, lest what is seen be out of date when it is written
    cursor.execute("DELETE FROM svcflow_meta WHERE 0")


def _begin_postgresql(driver: Any, _: DBAPICursor) -> None:
    if driver.autocommit and driver.info.transaction_status == 0:
        raise _no_transaction()


_BEGIN: dict[str, Callable[[Any, DBAPICursor], None]] = {
    "sqlite": _begin_sqlite,
    "postgresql": _begin_postgresql,
}


def _is_taken(cause: BaseException | None) -> bool:
    """Say whether a row was there already; drivers name that error alike (PEP 249)."""
    return any(kind.__name__ == "IntegrityError" for kind in type(cause).__mro__)


def _not_here() -> StoreError:
    message = Text(zh="这不在宿主的事务中进行", en="that is not done in a host's transaction")
    return StoreError(message, Text(zh="由引擎自己来做", en="ask the engine itself"))


def _no_transaction() -> StoreError:
    message = Text(zh="该连接没有打开的事务", en="that connection has no transaction open")
    return StoreError(message, Text(zh="先开始事务", en="begin one first"))


def _file(connection: Connection) -> Hashable:
    """Return which file a SQLite connection is on. It reads no table: that would fix what is seen."""
    listed = connection.exec_driver_sql("PRAGMA database_list").all()
    path = next(row[2] for row in listed if row[1] == "main")
    found = os.stat(path) if path else None  # noqa: PTH116  # the path is SQLite's
    return None if found is None else (found.st_dev, found.st_ino)


def _table(connection: Connection) -> Hashable:
    """Return which server, database and table a PostgreSQL connection finds the store's tables by."""
    asked = "SELECT pg_postmaster_start_time(), current_database(), to_regclass('svcflow_meta')::oid::bigint"
    return tuple(connection.exec_driver_sql(asked).one())


_PLACE: dict[str, Callable[[Connection], Hashable]] = {"sqlite": _file, "postgresql": _table}


OpenConnection = Callable[[], AbstractContextManager[Connection]]
"""How a connection of SQLAlchemy is had for a while."""

_DRIVERS = {"sqlite3": "sqlite+pysqlite://", "psycopg": "postgresql+psycopg://"}
"""The modules whose connections are taken as they are, and the dialect each speaks."""


def proxied(host: object) -> OpenConnection | None:
    """Return how a driver's connection is used through SQLAlchemy; None when it is of no driver we know."""
    url = next((_DRIVERS[name] for name in map(_package, type(host).__mro__) if name in _DRIVERS), None)
    if url is None:
        return None
    dialect, compiled = _dialect(url)
    rows = None if dialect.name == "sqlite" else import_module("psycopg.rows").tuple_row
    borrowed = _ConnectionProxy(host, rows)
    pool = StaticPool(lambda: borrowed, reset_on_return=None, dialect=dialect)
    database = Database(pool, dialect, make_url(url))
    return database.execution_options(compiled_cache=compiled).connect


class _ConnectionProxy:
    """Stand for a driver's connection that SQLAlchemy may use but neither commit, roll back nor close."""

    def __init__(self, connection: Any, rows: Any) -> None:
        self._connection = connection
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> Any:
        """Open a cursor that gives rows as tuples, whatever the host has set for its own."""
        made = self._connection.cursor()
        made.row_factory = self._rows
        return made

    def commit(self) -> None:
        """Leave it to the host."""

    def rollback(self) -> None:
        """Leave it to the host."""

    def close(self) -> None:
        """Leave it to the host."""


@cache
def _dialect(url: str) -> tuple[Dialect, MutableMapping[Any, Any]]:
    """Return a dialect with its driver, and what it has compiled so far."""
    kind = make_url(url).get_dialect()
    dialect: Dialect = kind(dbapi=kind.import_dbapi())  # type: ignore[call-arg]  # Dialect has no constructor
    if dialect.name == "sqlite":
        dialect.default_schema_name = (
            "main"  # nobody asks the connection, and tables of DBOS are named with it
        )
    return dialect, {}


def _package(kind: type) -> str:
    return kind.__module__.split(".")[0]
