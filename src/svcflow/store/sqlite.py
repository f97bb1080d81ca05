"""SQLite, embedded, in one file: WAL, `synchronous=FULL`, one connection that writes.

Readers have connections of their own and wait for nobody.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from sqlalchemy import Connection, create_engine, event, func, select
from sqlalchemy import Engine as Database
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from svcflow.errors import StoreError, SvcflowError
from svcflow.store import schema
from svcflow.store.statements import Statements
from svcflow.store.writing import Writing
from svcflow.text import NO_TEXT, Text

_BUSY_MS = 30_000
_IMMEDIATE = {"svcflow_immediate": True}


class SqliteBackend:
    """Keep a service in a SQLite file; with `?shared=true` in one that holds the tables of a host too.

    Raises: StoreError when the file is no database, belongs to something else or cannot be written.
    """

    def __init__(self, url: URL) -> None:
        shared = url.query.get("shared") == "true"
        url = url.difference_update_query(["shared"])
        self.url = url.render_as_string()
        self._writing = RLock()
        with _explained(self.url):
            self._database = _database(url)
            with self.exclusive() as connection:  # two processes may open a new file at the same time
                _prepare(connection, self.url, shared=shared)
            self._writer = self._database.raw_connection()
            self._writer.cursor().execute("PRAGMA journal_mode=WAL")  # kept in the file, which is ours by now
            self._statements = Statements.of(self._database.dialect)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Open a writing transaction (`BEGIN IMMEDIATE`); it is durable when it is left without an error."""
        with self._writing, _explained(self.url):
            cursor = self._writer.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield Writing(cursor, self._statements)
                cursor.execute("COMMIT")
            except BaseException:
                self._writer.rollback()
                raise
            finally:
                cursor.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection for questions."""
        with _explained(self.url), self._database.connect() as connection:
            yield connection

    @contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """Open a writing transaction for upkeep; it waits for whoever writes, as they wait for it."""
        database = self._database.execution_options(**_IMMEDIATE)
        with _explained(self.url), database.begin() as connection:
            yield connection

    def settled_position(self) -> int:
        """Return the last position: there is one writer at a time, so that none comes in before it."""
        with self.reading() as connection:
            return connection.scalar(select(func.max(schema.facts.c.position))) or 0

    def scrub(self) -> None:
        """Write the log back into the file, where what was erased has been overwritten, and empty the log."""
        with self._writing, _explained(self.url):
            self._writer.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every connection."""
        with self._writing:
            self._writer.close()
            self._database.dispose()


def _database(url: URL) -> Database:
    database = create_engine(url, poolclass=QueuePool, pool_size=4, max_overflow=28)

    @event.listens_for(database, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA secure_delete=ON")  # what is erased shall not linger in free space
        cursor.close()

    @event.listens_for(database, "begin")
    def _begin(connection: Connection) -> None:
        immediate = "svcflow_immediate" in connection.get_execution_options()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return database


def _prepare(connection: Connection, url: str, *, shared: bool) -> None:
    """Create the tables in an empty file; refuse a file of something else or of a newer version."""
    existing = set(
        connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    )
    if not existing or (shared and schema.meta.name not in existing):
        schema.metadata.create_all(connection)
        connection.execute(schema.meta.insert(), {"name": "schema", "value": str(schema.VERSION)})
        return
    if schema.meta.name not in existing:
        message = Text(zh=f"{url} 是别的程序的数据库", en=f"{url} is a database of something else")
        remedy = Text(
            zh="换一个文件；若要与宿主共用此文件，写 ?shared=true",
            en="choose another file, or write ?shared=true to share the host's",
        )
        raise StoreError(message, remedy)
    version = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "schema"))
    if version != str(schema.VERSION):
        message = Text(
            zh=f"{url} 的结构版本是 {version}，本库支持 {schema.VERSION}",
            en=f"{url} has schema version {version}; this library knows {schema.VERSION}",
        )
        raise StoreError(message, Text(zh="升级 svcflow", en="upgrade svcflow"))


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _unusable(url, str(error.orig)) from error
    except sqlite3.Error as error:
        raise _unusable(url, str(error)) from error


def _unusable(url: str, why: str) -> SvcflowError:
    remedies = {
        "file is not a database": Text(
            zh="文件已损坏或不是数据库；从备份恢复",
            en="it is damaged or no database; restore it from a backup",
        ),
        "malformed": Text(zh="文件已损坏；从备份恢复", en="it is damaged; restore it from a backup"),
        "unable to open": Text(
            zh="检查文件夹是否存在、可写", en="see that its folder exists and is writable"
        ),
        "readonly": Text(zh="检查文件权限", en="see to the permissions of the file"),
        "locked": Text(zh="另一进程占用过久；稍后再试", en="another process holds it; try again"),
        "full": Text(zh="磁盘已满；腾出空间", en="the disk is full; make room"),
    }
    remedy = next((text for part, text in remedies.items() if part in why), NO_TEXT)
    return StoreError(
        Text(zh=f"存储 {url} 不可用：{why}", en=f"the store {url} cannot be used: {why}"), remedy
    )
