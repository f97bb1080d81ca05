"""Backend for SQLite: WAL, `synchronous=FULL`, one connection that writes and alone checkpoints.

Readers have connections of their own and wait for nobody.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, create_engine, event, func, select
from sqlalchemy import Engine as Database
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.pool import QueuePool

from svcflow.errors import StoreError
from svcflow.runtime.store import Decide, SweepPosition
from svcflow.store import schema
from svcflow.store.migrations import prepare
from svcflow.store.sqlite import errors
from svcflow.store.sqlite.errors import translate_errors, unusable_file
from svcflow.store.sqlite.file_lock import FileLock
from svcflow.store.sqlite.group_commit import Arguments, GroupCommit
from svcflow.store.sqlite.opened_files import OpenedFiles
from svcflow.store.sqlite.write_batch import WriteBatch
from svcflow.store.statements import Statements
from svcflow.store.unit_of_work import UnitOfWork
from svcflow.text import Text

T = TypeVar("T")

_BUSY_MS = 30_000
_SCRUB_MS = 2_000
_RETRY_S = 0.01
_IMMEDIATE = {"svcflow_immediate": True}
_CHECKPOINT_PAGES = 1_000


class SqliteBackend:
    """Backend on a SQLite file; with `?shared=true` one that holds the tables of a host too.

    Raises: StoreError when the file is no database, belongs to something else or cannot be written.
    """

    writable = True

    def __init__(self, url: URL) -> None:
        shared = url.query.get("shared") == "true"
        url = url.difference_update_query(["shared"])
        self.url = url.render_as_string()
        with translate_errors(self.url):
            self._database = _database(url)
            with self._immediate() as connection:  # IMMEDIATE: two processes may open a new file at once
                _prepare(connection, self.url, shared=shared)
            self._writer = self._database.raw_connection()
            writer = self._writer.driver_connection
            assert isinstance(writer, sqlite3.Connection)  # noqa: S101  # for the type checker
            # behind `_prepare`: a file of another program is refused before anything of it is changed
            _use_wal(writer)
            # Of this process the writer alone checkpoints: SQLite before 3.51.3 may damage a file that several
            # connections write and checkpoint.
            writer.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
            self._file = Path(writer.execute("PRAGMA database_list").fetchone()[2])
            # the log and its index are made at the first query; `OpenedFiles` notes which files they are
            writer.execute("SELECT 1 FROM sqlite_master").fetchone()
            self._files = OpenedFiles(self._file)
            self._lock = FileLock(self._file.with_name(f"{self._file.name}-lock"))
            statements = Statements.of(self._database.dialect)
            self._cursor = writer.cursor()
            self._batch = WriteBatch(cast("DBAPICursor", self._cursor), statements)
            self._group_commit = GroupCommit(
                self._cursor, _CheckedLock(self._lock, self._refuse_lost), self._batch
            )

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Let `decide` say what changes of an instance, and write it, in one transaction."""
        self._grouped(self._batch.change, instance, command_id, decide)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Do so for the next batch of instances due, in one transaction."""
        return self._grouped(self._batch.sweep, until_us, after, decide)

    def write(self, act: Callable[[UnitOfWork], T]) -> T:
        """Run `act` in a writing transaction; it is durable when this returns."""
        return self._grouped(act, self._batch)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection for queries."""
        self._refuse_lost()
        with translate_errors(self.url), self._database.connect() as connection:
            yield connection

    @contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """Open a writing transaction for maintenance; no other thread or process writes meanwhile."""
        self._refuse_lost()
        with self._group_commit.exclusive(), self._immediate() as connection:
            yield connection

    def settled_position(self) -> int:
        """Return the last position: with one writer at a time, positions appear in their order."""
        with self.reading() as connection:
            return connection.scalar(select(func.max(schema.facts.c.position))) or 0

    def scrub(self) -> None:
        """Write the log back into the file, where `secure_delete` overwrites what was erased, and truncate the log."""
        with self._group_commit.exclusive(), self.reading() as connection:
            # ends the transaction that SQLAlchemy began: inside one the log cannot be truncated
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_SCRUB_MS}")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MS}")
        if busy:
            message = Text(
                zh=f"{self.url}-wal 中还留有已抹去的内容：有人正在读",
                en=f"what was erased is still in {self.url}-wal: somebody reads",
            )
            raise StoreError(
                message,
                Text(
                    zh="读完（备份、长事务）后再抹去一次",
                    en="forget again when the reader (a backup, a long transaction) is done",
                ),
            )

    def close(self) -> None:
        """Close every connection, when the open transaction has ended."""
        self._group_commit.close(self._end)

    def _end(self) -> None:
        self._cursor.close()  # its last statement would keep the connection open
        self._writer.close()
        self._database.dispose()
        self._lock.close()

    def _grouped(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        try:
            return self._group_commit.run(function, *arguments)
        except sqlite3.Error as error:
            raise unusable_file(self.url, str(error)) from error

    @contextmanager
    def _immediate(self) -> Iterator[Connection]:
        database = self._database.execution_options(**_IMMEDIATE)
        with translate_errors(self.url), database.begin() as connection:
            yield connection

    def _refuse_lost(self) -> None:
        """Raise StoreError when a file was deleted or replaced: SQLite would go on writing to the one that is gone."""
        file = self._files.lost()
        if file is not None:
            raise _lost(self.url, file)


class _CheckedLock:
    """Lock between processes that is only taken while the files are those that were opened."""

    def __init__(self, lock: FileLock, refuse_lost: Callable[[], None]) -> None:
        self._lock = lock
        self._refuse_lost = refuse_lost
        self.release = lock.release

    def acquire(self) -> None:
        """Take the lock. Raises: StoreError when a file was deleted or replaced."""
        self._refuse_lost()
        self._lock.acquire()


def _lost(url: str, file: str) -> StoreError:
    name = Path(file).name
    return StoreError(
        Text(
            zh=f"{url} 的文件 {name} 已被删除或替换",
            en=f"the file {name} of {url} is gone or is another",
        ),
        Text(zh="恢复文件，并重新打开", en="restore it, and open it again"),
    )


def _database(url: URL) -> Database:
    database = create_engine(
        url, poolclass=QueuePool, pool_size=4, max_overflow=28, pool_timeout=errors.POOL_TIMEOUT_S
    )

    @event.listens_for(database, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # or the driver would begin transactions too, and deferred ones
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        cursor.execute("PRAGMA synchronous=FULL")  # NORMAL loses the last commits at a power cut
        cursor.execute("PRAGMA secure_delete=ON")  # erased personal data shall not stay in free pages
        cursor.execute("PRAGMA wal_autocheckpoint=0")
        cursor.close()

    @event.listens_for(database, "begin")
    def _begin(connection: Connection) -> None:
        immediate = "svcflow_immediate" in connection.get_execution_options()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return database


def existing_tables(connection: Connection) -> Sequence[str]:
    """Return the names of all tables of a file."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return connection.exec_driver_sql(query).scalars().all()


def _prepare(connection: Connection, url: str, *, shared: bool) -> None:
    """Make or migrate the tables, while no other process writes."""
    prepare(connection, existing_tables(connection), url, shared=shared)


def _use_wal(writer: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log, for all processes and for good.

    A new file that another process is creating is busy at once, whatever the busy timeout: SQLite reads before it
    writes here, and two connections that waited would wait for each other. So this waits itself.
    """
    until = time.monotonic() + _BUSY_MS / 1_000
    while True:
        try:
            writer.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_RETRY_S)
        else:
            return
