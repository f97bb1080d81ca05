"""A store in a SQL database, through SQLAlchemy Core: SQLite, embedded, in one file.

Facts, the instance they leave, its next due instant and its deviations change in one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import attrs
import orjson
from sqlalchemy import Connection, create_engine, event, func, select
from sqlalchemy import Engine as Database
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from svcflow.errors import CorruptJournal, StoreError, SvcflowError
from svcflow.journal.canonical import from_bytes
from svcflow.journal.chain import Entry
from svcflow.kernel.deviations import Deviation, deviation_of
from svcflow.kernel.facts import Fact, Settled
from svcflow.kernel.instance import NEVER, Instance, from_state, to_state
from svcflow.runtime.store import Answer, DeviationQuery, InstanceQuery, Kept, out_of_turn
from svcflow.store import schema
from svcflow.store.statements import Statement, Statements, Value
from svcflow.text import NO_TEXT, Text

_BUSY_MS = 30_000

_instances, _facts, _deviations = schema.instances, schema.facts, schema.deviations


class SqlStore:
    """Keep instances in a SQLite file. One connection writes; readers do not wait for it.

    Raises: StoreError when the file is no database, belongs to something else or cannot be written.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._writing = RLock()
        self._closed = False
        with _explained(url):
            self._database = _database(url)
            with self._database.begin() as connection:
                _prepare(connection, url)
            self._writer = self._database.raw_connection()
            self._writer.cursor().execute("PRAGMA journal_mode=WAL")  # kept in the file, which is ours by now
            self._write = Statements.of(self._database.dialect)

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Open a writing transaction (`BEGIN IMMEDIATE`); it is durable when it is left without an error."""
        with self._writing, _explained(self.url):
            self._refuse_closed()
            cursor = self._writer.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield SqlTransaction(cursor, self._write)
                cursor.execute("COMMIT")
            except BaseException:
                self._writer.rollback()
                raise
            finally:
                cursor.close()

    def load(self, instance: str) -> Kept | None:
        """Return the instance as last kept."""
        asked = select(_instances).where(_instances.c.id == instance)
        with self._reading() as connection:
            row = connection.execute(asked).one_or_none()
        return None if row is None else Kept(_consistent(row), row.head)

    def facts(self, instance: str) -> Sequence[Fact]:
        """Return the instance's facts in order."""
        return [from_bytes(body) for body, _ in self.rows(instance)]

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the journal as (canonical bytes, link), as it is kept."""
        asked = select(_facts.c.body, _facts.c.link).where(_facts.c.instance == instance)
        with self._reading() as connection:
            found = connection.execute(asked.order_by(_facts.c.sequence)).all()
        yield from ((row.body, row.link) for row in found)

    def instances(self, query: InstanceQuery) -> Sequence[Instance]:
        """Return the instances asked for, newest first."""
        asked = select(_instances.c.state).order_by(_instances.c.started_us.desc(), _instances.c.id)
        if query.procedure is not None:
            asked = asked.where(_instances.c.procedure == query.procedure)
        if query.status is not None:
            asked = asked.where(_instances.c.status == query.status)
        with self._reading() as connection:
            return [_instance(state) for state in connection.scalars(asked.limit(query.limit))]

    def ids(self) -> Iterator[str]:
        """Yield the id of every instance."""
        # a journal whose instance was deleted is named too, so that verification sees it
        asked = select(_instances.c.id).union(select(_facts.c.instance)).order_by("id")
        with self._reading() as connection:
            found = connection.scalars(asked).all()
        yield from found

    def deviations(self, query: DeviationQuery) -> Sequence[Deviation]:
        """Return the deviations asked for, in the order in which they occurred."""
        columns = _deviations.c
        asked = select(*columns, _facts.c.body).join(
            _facts, (_facts.c.instance == columns.instance) & (_facts.c.sequence == columns.sequence)
        )
        for column in ("instance", "procedure", "kind", "step", "role"):
            wanted = getattr(query, column)
            if wanted is not None:
                asked = asked.where(columns[column] == wanted)
        if query.since_us is not None:
            asked = asked.where(columns.occurred_us >= query.since_us)
        if query.until_us is not None:
            asked = asked.where(columns.occurred_us < query.until_us)
        asked = asked.order_by(columns.occurred_us, columns.instance, columns.sequence)
        with self._reading() as connection:
            return [_deviation(row) for row in connection.execute(asked)]

    def due(self, until_us: int, most: int) -> Sequence[str]:
        """Return instances for which something is due up to `until_us`, soonest first."""
        asked = select(_instances.c.id).where(_instances.c.next_us <= until_us, _instances.c.next_us < NEVER)
        with self._reading() as connection:
            return connection.scalars(asked.order_by(_instances.c.next_us, _instances.c.id).limit(most)).all()

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due."""
        with self._reading() as connection:
            soonest = connection.scalar(select(func.min(_instances.c.next_us)))
        return None if soonest is None or soonest == NEVER else int(soonest)

    def close(self) -> None:
        """Close every connection; what is asked afterwards is a StoreError."""
        with self._writing:
            self._closed = True
            self._writer.close()
            self._database.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._refuse_closed()
        with _explained(self.url), self._database.connect() as connection:
            yield connection

    def _refuse_closed(self) -> None:
        if self._closed:
            message = Text(zh=f"存储 {self.url} 已关闭", en=f"the store {self.url} is closed")
            raise StoreError(message, Text(zh="重新打开", en="open it again"))


class SqlTransaction:
    """Read and write in one open transaction, on the driver's own cursor."""

    __slots__ = ("_cursor", "_statements")

    def __init__(self, cursor: DBAPICursor, statements: Statements) -> None:
        self._cursor = cursor
        self._statements = statements

    def load(self, instance: str) -> Kept | None:
        """Return the instance as last kept."""
        row = self._run(self._statements.load, id=instance).fetchone()
        return None if row is None else Kept(_instance(row[0]), row[1])

    def answer(self, instance: str, command_id: str) -> Answer | None:
        """Return what a command of this id came to."""
        row = self._run(self._statements.answer, instance=instance, command_id=command_id).fetchone()
        return None if row is None else Answer(*row)

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence."""
        last = NEVER if until is None else until
        found = self._run(self._statements.journal, instance=instance, until=last).fetchall()
        return [from_bytes(row[0]) for row in found]

    def append(
        self, instance: Instance, entries: Sequence[Entry], *, command_id: str | None, refused: int
    ) -> None:
        """Write entries and the instance they leave."""
        run, write = self._run, self._statements
        for fact, body, link in entries:
            run(write.add_fact, instance=instance.id, sequence=fact.sequence, body=body, link=link)
        run(
            write.create if entries[0].fact.sequence == 1 else write.change,
            procedure=instance.procedure,
            version=instance.version,
            started_us=instance.started_us,
            id=instance.id,
            status=instance.status,
            next_us=instance.next_us,
            sequence=instance.sequence,
            head=entries[-1].link,
            state=orjson.dumps(to_state(instance)),
            before=entries[0].fact.sequence - 1,
        )
        if self._cursor.rowcount != 1:
            raise out_of_turn(instance.id)
        for entry in entries:
            self._append_deviation(instance, entry.fact)
        if command_id is not None:
            answer = {"sequence": instance.sequence, "refused": refused}
            run(write.add_command, instance=instance.id, command_id=command_id, **answer)

    def _append_deviation(self, instance: Instance, fact: Fact) -> None:
        one = deviation_of(fact, instance.procedure, instance.version)
        if one is not None:
            values = {name: getattr(one, name) for name in schema.deviations.c.keys()}  # noqa: SIM118  # columns
            self._run(self._statements.add_deviation, **values)
        elif isinstance(fact, Settled):
            self._run(
                self._statements.settle,
                instance=instance.id,
                limit=fact.limit,
                visit=fact.visit,
                due_us=fact.due_us,
                overrun_us=fact.overrun_us,
            )

    def _run(self, statement: Statement, **values: Value) -> DBAPICursor:
        self._cursor.execute(statement.sql, statement.bound(values))
        return self._cursor


def _instance(state: bytes) -> Instance:
    """Return the instance that a row keeps. Raises: CorruptJournal when it keeps none."""
    try:
        return from_state(orjson.loads(state))
    except (ValueError, TypeError, LookupError) as error:
        message = Text(
            zh=f"实例的记录无法读取：{error}", en=f"the record of an instance cannot be read: {error}"
        )
        raise CorruptJournal(message) from error


def _consistent(row: Any) -> Instance:
    """Return the instance of a whole row. Raises: CorruptJournal when the columns that find it say otherwise."""
    one = _instance(row.state)
    for name in ("id", "procedure", "version", "status", "started_us", "next_us", "sequence"):
        if getattr(one, name) != getattr(row, name):
            message = Text(
                zh=f"实例 {one.id} 的列 {name} 与其记录不符",
                en=f"instance {one.id}: column {name} is not what its record says",
            )
            raise CorruptJournal(message)
    return one


def _deviation(row: Any) -> Deviation:
    one = deviation_of(from_bytes(row.body), row.procedure, row.version)
    assert one is not None  # noqa: S101  # the row was made of this very fact
    return attrs.evolve(one, overrun_us=row.overrun_us)


def _database(url: str) -> Database:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _unusable(url, str(error)) from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        remedy = Text(zh="写 memory:// 或 sqlite:///文件名", en="write memory:// or sqlite:///FILE")
        raise StoreError(Text(zh=f"不支持存储 {url}", en=f"the store {url} is not supported"), remedy)
    database = create_engine(parsed, poolclass=QueuePool, pool_size=4, max_overflow=28)

    @event.listens_for(database, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(database, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return database


def _prepare(connection: Connection, url: str) -> None:
    """Create the tables in an empty file; refuse a file of something else or of a newer version."""
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # two processes may open a new file at the same time
    existing = set(
        connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    )
    if not existing:
        schema.metadata.create_all(connection)
        connection.execute(schema.meta.insert(), {"name": "schema", "value": str(schema.VERSION)})
        return
    if schema.meta.name not in existing:
        message = Text(zh=f"{url} 是别的程序的数据库", en=f"{url} is a database of something else")
        raise StoreError(message, Text(zh="换一个文件", en="choose another file"))
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
