"""A store in a SQL database, through SQLAlchemy Core: SQLite, embedded, in one file.

Facts, the instance they leave, its next due instant and its deviations change in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import attrs
import orjson
from sqlalchemy import Connection, bindparam, create_engine, event, func, select
from sqlalchemy import Engine as Database
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from svcflow.errors import StoreError, SvcflowError
from svcflow.journal.canonical import from_bytes
from svcflow.journal.chain import Entry
from svcflow.kernel.deviations import Deviation, deviation_of
from svcflow.kernel.facts import Fact, Settled
from svcflow.kernel.instance import NEVER, Instance, from_state, to_state
from svcflow.runtime.store import Answer, DeviationQuery, InstanceQuery, Kept
from svcflow.store import schema
from svcflow.text import NO_TEXT, Text

_BUSY_MS = 30_000

_instances, _facts, _commands, _deviations = (
    schema.instances,
    schema.facts,
    schema.commands,
    schema.deviations,
)
_LOAD = select(_instances.c.state, _instances.c.head).where(_instances.c.id == bindparam("id"))
_ANSWER = select(_commands.c.sequence, _commands.c.refused).where(
    _commands.c.instance == bindparam("instance"), _commands.c.command_id == bindparam("command_id")
)
_JOURNAL = (
    select(_facts.c.body, _facts.c.link)
    .where(_facts.c.instance == bindparam("instance"), _facts.c.sequence <= bindparam("until"))
    .order_by(_facts.c.sequence)
)
_CREATE = _instances.insert()
_CHANGE = (
    _instances.update()
    .where(_instances.c.id == bindparam("key"))
    .values(
        status=bindparam("status"),
        next_us=bindparam("next_us"),
        sequence=bindparam("sequence"),
        head=bindparam("head"),
        state=bindparam("state"),
    )
)
_SETTLE = (
    _deviations.update()
    .where(
        _deviations.c.instance == bindparam("of"),
        _deviations.c.limit == bindparam("of_limit"),
        _deviations.c.visit == bindparam("of_visit"),
    )
    .values(overrun_us=bindparam("overrun_us"))
)


class SqlStore:
    """Keep instances in a SQLite file. One connection writes; readers do not wait for it.

    Raises: StoreError when the file is no database, belongs to something else or cannot be written.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._writing = RLock()
        with _explained(url):
            self._readers = _database(url, writes=False)
            self._writer = _database(url, writes=True)
            with self._writer.begin() as connection:
                _prepare(connection, url)

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Open a writing transaction (`BEGIN IMMEDIATE`); it is durable when it is left without an error."""
        with self._writing, _explained(self.url), self._writer.begin() as connection:
            yield SqlTransaction(connection)

    def load(self, instance: str) -> Kept | None:
        """Return the instance as last kept."""
        with self._reading() as connection:
            return _load(connection, instance)

    def facts(self, instance: str) -> Sequence[Fact]:
        """Return the instance's facts in order."""
        return [from_bytes(body) for body, _ in self.rows(instance)]

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the journal as (canonical bytes, link), as it is kept."""
        with self._reading() as connection:
            found = connection.execute(_JOURNAL, {"instance": instance, "until": NEVER}).all()
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
        with self._reading() as connection:
            found = connection.scalars(select(_instances.c.id).order_by(_instances.c.id)).all()
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
            return connection.scalars(asked.order_by(_instances.c.next_us).limit(most)).all()

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due."""
        with self._reading() as connection:
            soonest = connection.scalar(select(func.min(_instances.c.next_us)))
        return None if soonest is None or soonest == NEVER else int(soonest)

    def close(self) -> None:
        """Close every connection."""
        self._readers.dispose()
        self._writer.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _explained(self.url), self._readers.connect() as connection:
            yield connection


class SqlTransaction:
    """Read and write in one open transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, instance: str) -> Kept | None:
        """Return the instance as last kept."""
        return _load(self._connection, instance)

    def answer(self, instance: str, command_id: str) -> Answer | None:
        """Return what a command of this id came to."""
        row = self._connection.execute(
            _ANSWER, {"instance": instance, "command_id": command_id}
        ).one_or_none()
        return None if row is None else Answer(*row)

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence."""
        last = NEVER if until is None else until
        found = self._connection.execute(_JOURNAL, {"instance": instance, "until": last})
        return [from_bytes(row.body) for row in found]

    def append(
        self, instance: Instance, entries: Sequence[Entry], *, command_id: str | None, refused: int
    ) -> None:
        """Write entries and the instance they leave."""
        execute = self._connection.execute
        execute(
            _facts.insert(),
            [
                {"instance": instance.id, "sequence": e.fact.sequence, "body": e.body, "link": e.link}
                for e in entries
            ],
        )
        row = {
            "status": instance.status,
            "next_us": instance.next_us,
            "sequence": instance.sequence,
            "head": entries[-1].link,
            "state": orjson.dumps(to_state(instance)),
        }
        if entries[0].fact.sequence == 1:
            fixed = {"id": instance.id, "procedure": instance.procedure, "version": instance.version}
            execute(_CREATE, {**row, **fixed, "started_us": instance.started_us})
        else:
            execute(_CHANGE, {**row, "key": instance.id})
        self._append_deviations(instance, entries)
        if command_id is not None:
            answer = {"sequence": instance.sequence, "refused": refused}
            execute(_commands.insert(), {"instance": instance.id, "command_id": command_id, **answer})

    def _append_deviations(self, instance: Instance, entries: Sequence[Entry]) -> None:
        for entry in entries:
            fact = entry.fact
            one = deviation_of(fact, instance.procedure, instance.version)
            if one is not None:
                names = _deviations.c.keys()
                self._connection.execute(_deviations.insert(), {name: getattr(one, name) for name in names})
            elif isinstance(fact, Settled):
                over = {"of": instance.id, "of_limit": fact.limit, "of_visit": fact.visit}
                self._connection.execute(_SETTLE, {**over, "overrun_us": fact.overrun_us})


def _load(connection: Connection, instance: str) -> Kept | None:
    row = connection.execute(_LOAD, {"id": instance}).one_or_none()
    return None if row is None else Kept(_instance(row.state), row.head)


def _instance(state: bytes) -> Instance:
    return from_state(orjson.loads(state))


def _deviation(row: Any) -> Deviation:
    one = deviation_of(from_bytes(row.body), row.procedure, row.version)
    assert one is not None  # noqa: S101  # the row was made of this very fact
    return attrs.evolve(one, overrun_us=row.overrun_us)


def _database(url: str, *, writes: bool) -> Database:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _unusable(url, str(error)) from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        remedy = Text(zh="写 memory:// 或 sqlite:///文件名", en="write memory:// or sqlite:///FILE")
        raise StoreError(Text(zh=f"不支持存储 {url}", en=f"the store {url} is not supported"), remedy)
    database = create_engine(
        parsed, poolclass=QueuePool, pool_size=1 if writes else 4, max_overflow=0 if writes else 28
    )

    @event.listens_for(database, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        if writes:
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(database, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return database


def _prepare(connection: Connection, url: str) -> None:
    """Create the tables in an empty file; refuse a file of something else or of a newer version."""
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
