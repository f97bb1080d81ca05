"""The rows of the tables as they are, read by pages of instances, for verification."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, func, select, true

from svcflow.runtime.stored_rows import Columns, InstanceRows, Row
from svcflow.store import schema

Reading = Callable[[], AbstractContextManager[Connection]]

_INSTANCES, _FACTS = 200, 2_000
"""How many instances are read at once, how many facts if one of them has not more."""

_facts = schema.facts.c


def _ordered(table: Table) -> tuple[Column[Any], ...]:
    """Return the columns of a table: the instance, the rest of the key, all others."""
    key: list[Column[Any]] = (
        [table.c.instance, table.c.sequence] if table is schema.facts else [*table.primary_key]
    )
    key.sort(key=lambda column: column.name != "instance")
    return (*key, *(column for column in table.c if column not in set(key)))


_SHOWN = {table.name: _ordered(table) for table in schema.metadata.sorted_tables}
_KEYS = {
    table.name: 2 if table is schema.facts else len(table.primary_key)
    for table in schema.metadata.sorted_tables
}
_OF_INSTANCES = tuple(
    name for name, columns in _SHOWN.items() if columns[0].name == "instance" or name == schema.instances.name
)
COLUMNS: Mapping[str, Columns] = {
    name: Columns(tuple(column.name for column in columns), _KEYS[name]) for name, columns in _SHOWN.items()
}
"""The columns of every table, in the order in which rows are given."""


def of_instances(reading: Reading, instance: str | None) -> Iterator[InstanceRows]:
    """Yield what all tables hold of each instance, or of one; each page is read as of one moment.

    Rows of instances that are not there are given too, so that they are seen.
    """
    if instance is not None:
        with reading() as connection:
            found = _page(connection, lambda column: column == instance)
        yield from found or [InstanceRows(instance, {})]
        return
    after: str | None = None
    while True:
        with reading() as connection:
            last = _last_of_page(connection, after)
            found = _page(connection, lambda column: _between(column, after, last))  # noqa: B023  # called at once
        yield from found
        if last is None:
            return
        after = last


def of_table(connection: Connection, name: str) -> Sequence[Row]:
    """Return all rows of a table that is about no single instance."""
    return connection.execute(select(*_SHOWN[name])).all()


def last_position(connection: Connection) -> int:
    """Return the position of the fact that was kept last; 0 when there is none."""
    return connection.scalar(select(func.max(_facts.position))) or 0


def _last_of_page(connection: Connection, after: str | None) -> str | None:
    """Return the last instance of the next page; None when that is the last page."""
    of = schema.instances.c
    asked = select(of.id, of.sequence).where(_between(of.id, after, None)).order_by(of.id).limit(_INSTANCES)
    rows = connection.execute(asked).all()
    facts, fitting = 0, 0
    for _, sequence in rows:
        facts += max(1, sequence)
        fitting += facts <= _FACTS
    if fitting == len(rows) < _INSTANCES:
        return None
    return str(rows[max(0, fitting - 1)].id)


def _between(column: ColumnElement[Any], after: str | None, last: str | None) -> ColumnElement[bool]:
    bounds = [] if after is None else [column > after]
    bounds += [] if last is None else [column <= last]
    return and_(true(), *bounds)


def _page(
    connection: Connection, where: Callable[[ColumnElement[Any]], ColumnElement[bool]]
) -> list[InstanceRows]:
    found: dict[str, dict[str, list[Row]]] = {}
    for name in _OF_INSTANCES:
        columns = _SHOWN[name]
        asked = select(*columns).where(where(columns[0])).order_by(*columns[: _KEYS[name]])
        for row in connection.execute(asked):
            found.setdefault(row[0], {}).setdefault(name, []).append(row)
    return [InstanceRows(name, found[name]) for name in sorted(found)]
