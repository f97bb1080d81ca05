"""Backend for a SQLite file that can only be read, by its permissions, those of its folder, or its medium.

Each query has a connection of its own, because the file may have been replaced, or have got a log, since the last one.
Whatever would write raises StoreError.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, event, func, select
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from svcflow.errors import StoreError
from svcflow.runtime.store import Decide, SweepPosition
from svcflow.store import schema
from svcflow.store.migrations import refuse_unready
from svcflow.store.sql import Backend
from svcflow.store.sqlite.backend import SqliteBackend, existing_tables
from svcflow.store.sqlite.errors import translate_errors
from svcflow.store.unit_of_work import UnitOfWork
from svcflow.text import Text

T = TypeVar("T")

_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def open_sqlite(url: URL) -> Backend:
    """Open a SQLite file for writing, or for queries alone where it exists and cannot be written."""
    file = Path(url.database or "")
    if file.is_file() and not os.access(file, os.W_OK):
        return ReadOnlyBackend(url)
    # Permissions do not say everything: the folder or the medium may be read-only too. SQLite's error code does.
    try:
        return SqliteBackend(url)
    except StoreError as error:
        if not (file.is_file() and _is_unwritable(error.__cause__)):
            raise
        return ReadOnlyBackend(url)


class ReadOnlyBackend:
    """Backend that only reads. Raises: StoreError when the tables are not those of the present version."""

    writable = False

    def __init__(self, url: URL) -> None:
        self.url = url.difference_update_query(["shared"]).render_as_string()
        self._file = Path(url.database or "").absolute()
        self._database = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)
        event.listen(self._database, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        with self.reading() as connection:
            refuse_unready(connection, existing_tables(connection), self.url)

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:  # noqa: ARG002  # refused
        """Raise StoreError."""
        self._refuse()

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:  # noqa: ARG002  # refused
        """Raise StoreError."""
        self._refuse()

    def write(self, act: Callable[[UnitOfWork], T]) -> T:  # noqa: ARG002  # refused
        """Raise StoreError."""
        self._refuse()

    def exclusive(self) -> AbstractContextManager[Connection]:
        """Raise StoreError."""
        self._refuse()

    def scrub(self) -> None:
        """Raise StoreError."""
        self._refuse()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection for queries."""
        with translate_errors(self.url), self._database.connect() as connection:
            yield connection

    def settled_position(self) -> int:
        """Return the last position."""
        with self.reading() as connection:
            return connection.scalar(select(func.max(schema.facts.c.position))) or 0

    def close(self) -> None:
        """Close every connection."""
        self._database.dispose()

    def _connect(self) -> sqlite3.Connection:
        """Open the file.

        In a folder that cannot be written SQLite cannot make the index of a log, and fails, unless the file is opened as
        immutable. That is right only while there is no log: then everything stands in the file itself.
        """
        log = self._file.with_name(f"{self._file.name}-wal")
        is_immutable = not log.exists() or not log.stat().st_size
        name = f"file:{quote(str(self._file))}?mode=ro{'&immutable=1' if is_immutable else ''}"
        return sqlite3.connect(name, uri=True, check_same_thread=False, isolation_level=None)

    def _refuse(self) -> NoReturn:
        raise StoreError(
            Text(zh=f"存储 {self.url} 只能读", en=f"the store {self.url} can only be read"),
            Text(
                zh="检查文件及其文件夹的权限，重新打开",
                en="see to the permissions of the file and of its folder, and open it again",
            ),
        )


def _is_unwritable(cause: BaseException | None) -> bool:
    code = getattr(getattr(cause, "orig", cause), "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _UNWRITABLE
