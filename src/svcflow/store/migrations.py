"""Migrations: numbered steps from one version of the tables to the next, each on an open connection.

A step alters existing tables in SQL of its own: later versions of schema.py do not change what it does. New tables are
made from schema.py after the last step. What SQL cannot fill in is left to an engine, which knows the procedures: the row
`rebuild` in `svcflow_meta` asks for it.

To add a step: keep databases of the version before it (tests/store/stored_play.py, tests/store/kept_states.py),
raise `schema.VERSION`, and write the function.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Connection, MetaData, select

from svcflow.errors import StoreError
from svcflow.store import schema
from svcflow.text import Text

REBUILD = "rebuild"
"""Name of the row of `svcflow_meta` that stands until an engine has filled in what a migration could not."""


def prepare(
    connection: Connection,
    existing: Collection[str],
    url: str,
    *,
    tables: MetaData = schema.metadata,
    shared: bool = False,
) -> None:
    """Make the tables in an empty database, or migrate those of an older version.

    `tables` are those of schema.py, perhaps with types of the database's own; `shared` allows for tables of a host beside
    them. Runs in a transaction in which nobody else can write.

    Raises: StoreError when the database belongs to something else or to a newer version.
    """
    if not existing or (shared and schema.meta.name not in existing):
        tables.create_all(connection)
        connection.execute(schema.meta.insert(), {"name": "schema", "value": str(schema.VERSION)})
        return
    version = _version(connection, existing, url)
    if version != str(schema.VERSION):
        _migrate(connection, _older(version, url, connection.dialect.name), tables)


def refuse_unready(connection: Connection, existing: Collection[str], url: str) -> None:
    """Raise StoreError unless the tables are of the present version, where they cannot be migrated."""
    version = _version(connection, existing, url)
    if version != str(schema.VERSION):
        older = _older(version, url, connection.dialect.name)
        raise StoreError(
            Text(
                zh=f"{url} 的结构版本是 {older}，且只能读",
                en=f"{url} has schema version {older}, and can only be read",
            ),
            Text(
                zh=f"先在可写之处打开一次，即升到 {schema.VERSION}",
                en=f"open it once where it can be written: that brings it up to {schema.VERSION}",
            ),
        )


def _version(connection: Connection, existing: Collection[str], url: str) -> str | None:
    """Return the version of the tables. Raises: StoreError when they are not ours."""
    if schema.meta.name not in existing:
        message = Text(zh=f"{url} 是别的程序的数据库", en=f"{url} is a database of something else")
        remedy = Text(
            zh="换一个文件；若要与宿主共用此文件，写 ?shared=true",
            en="choose another file, or write ?shared=true to share the host's",
        )
        raise StoreError(message, remedy)
    return connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "schema"))


def _migrate(connection: Connection, version: int, tables: MetaData) -> None:
    for number in range(version, schema.VERSION):
        _STEPS[number](connection)
    tables.create_all(connection)
    # `create_all` makes no index on a table that was there already
    for table in tables.sorted_tables:
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    value = str(schema.VERSION)
    connection.execute(schema.meta.update().where(schema.meta.c.name == "schema").values(value=value))


def _older(version: str | None, url: str, dialect: str) -> int:
    """Return the version of older tables as a number. Raises: StoreError when no steps lead on from it."""
    known = version is not None and version.isdecimal() and int(version) in _STEPS
    if known and version is not None and int(version) >= _FIRST[dialect]:
        return int(version)
    message = Text(
        zh=f"{url} 的结构版本是 {version}，本库支持到 {schema.VERSION}",
        en=f"{url} has schema version {version}; this library knows versions up to {schema.VERSION}",
    )
    raise StoreError(message, Text(zh="升级 svcflow", en="upgrade svcflow"))


def _to_version_2(connection: Connection) -> None:
    """Add positions to facts, in the order in which they were written, and the column for secrets.

    Personal data in the clear in a journal stays there: the chain covers it. Instances and their work need the
    procedures to be computed anew.
    """
    for statement in _TO_TWO:
        connection.exec_driver_sql(statement)


# SQLite cannot add a primary key to a table, so the facts are copied, in the order in which they were inserted.
_TO_TWO = (
    "ALTER TABLE svcflow_facts RENAME TO svcflow_facts_of_1",
    """CREATE TABLE svcflow_facts (
        position INTEGER NOT NULL, instance VARCHAR(80) NOT NULL, sequence INTEGER NOT NULL,
        body BLOB NOT NULL, link BLOB NOT NULL, PRIMARY KEY (position), UNIQUE (instance, sequence))""",
    """INSERT INTO svcflow_facts (instance, sequence, body, link)
        SELECT instance, sequence, body, link FROM svcflow_facts_of_1 ORDER BY rowid""",
    "DROP TABLE svcflow_facts_of_1",
    "ALTER TABLE svcflow_instances ADD COLUMN secrets BLOB",
    "DROP INDEX svcflow_instances_due",
    "ALTER TABLE svcflow_deviations ADD COLUMN status VARCHAR(10) DEFAULT 'open' NOT NULL",
    "ALTER TABLE svcflow_deviations ADD COLUMN explanation TEXT DEFAULT '' NOT NULL",
    f"INSERT INTO svcflow_meta (name, value) VALUES ('{REBUILD}', 'instances')",  # noqa: S608  # a name of ours
)


def _to_version_3(connection: Connection) -> None:
    """Have the work of open instances computed anew: a minimum (`at_least`) is no deadline of work any more."""
    query = select(schema.meta.c.value).where(schema.meta.c.name == REBUILD)
    if connection.scalar(query) is None:  # rebuilding instances, which step 2 asks for, includes their work
        connection.execute(schema.meta.insert(), {"name": REBUILD, "value": "work"})


def _to_version_4(connection: Connection) -> None:
    """Alter nothing: the table of regular starts is new, and made with every table that is not there yet."""


_STEPS: Mapping[int, Callable[[Connection], None]] = {1: _to_version_2, 2: _to_version_3, 3: _to_version_4}
"""The step that leads on from each version."""
_FIRST: Mapping[str, int] = {"sqlite": 1, "postgresql": 2}
"""The first version that existed for a kind of database."""
