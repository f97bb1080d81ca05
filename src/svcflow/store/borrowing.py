"""A driver's own connection, lent by a host: SQLAlchemy may use it, but neither commit, roll back nor close."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Dialect, StaticPool
from sqlalchemy import Engine as Database
from sqlalchemy.engine import make_url

Opened = Callable[[], AbstractContextManager[Connection]]
"""How a connection of SQLAlchemy is had for a while."""

_DRIVERS = {"sqlite3": "sqlite+pysqlite://", "psycopg": "postgresql+psycopg://"}
"""The modules whose connections are taken as they are, and the dialect each speaks."""


def borrow(host: object) -> Opened | None:
    """Return how a driver's connection is used through SQLAlchemy; None when it is of no driver we know."""
    url = next((_DRIVERS[name] for name in map(_package, type(host).__mro__) if name in _DRIVERS), None)
    if url is None:
        return None
    dialect, compiled = _dialect(url)
    rows = None if dialect.name == "sqlite" else import_module("psycopg.rows").tuple_row
    borrowed = _Borrowed(host, rows)
    pool = StaticPool(lambda: borrowed, reset_on_return=None, dialect=dialect)
    database = Database(pool, dialect, make_url(url))
    return database.execution_options(compiled_cache=compiled).connect


class _Borrowed:
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
