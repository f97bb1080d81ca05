"""Rows of the tables as they are stored, read by pages of instances, for verification."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, func, select, true

from svcflow.runtime.stored_rows import Columns, InstanceRows, Row
from svcflow.store import schema

Reading = Callable[[], AbstractContextManager[Connection]]

_INSTANCES, _FACTS = 200, 2_000
"""How many instances are read at once, at most, and how many facts, unless a single instance has more."""

_facts = schema.facts.c


def _ordered(table: Table) -> tuple[Column[Any], ...]:
    """Return the columns of a table: the instance first, then the rest of the key, then all others."""
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
"""The columns of every table, in the order in which its rows are read."""


def of_instances(reading: Reading, instance: str | None) -> Iterator[InstanceRows]:
    """Yield the rows of all tables about each instance, or about one; each page is read in one snapshot.

    Rows about an instance that does not exist are included, so that verification sees them.
    """
    if instance is not None:
        with reading() as connection:
            page = _page(connection, lambda column: column == instance)
        yield from page or [InstanceRows(instance, {})]
        return
    after: str | None = None
    while True:
        with reading() as connection:
            last = _last_of_page(connection, after)
            # by ranges of ids, not by the ids read: rows about instances that do not exist fall into a page too
            page = _page(connection, lambda column: _between(column, after, last))  # noqa: B023  # called at once
        yield from page
        if last is None:
            return
        after = last


def of_table(connection: Connection, name: str) -> Sequence[Row]:
    """Return all rows of a table that is about no single instance."""
    return connection.execute(select(*_SHOWN[name])).all()


def last_position(connection: Connection) -> int:
    """Return the position of the last fact; 0 when there is none."""
    return connection.scalar(select(func.max(_facts.position))) or 0


def _last_of_page(connection: Connection, after: str | None) -> str | None:
    """Return the last instance of the next page; None when there is no page behind it."""
    columns = schema.instances.c
    query = select(columns.id, columns.sequence).where(_between(columns.id, after, None))
    rows = connection.execute(query.order_by(columns.id).limit(_INSTANCES)).all()
    facts, fitting = 0, 0
    for _, sequence in rows:
        facts += max(1, sequence)
        fitting += facts <= _FACTS
    if fitting == len(rows) < _INSTANCES:
        return None
    # at least one instance, however many facts it has
    return str(rows[max(0, fitting - 1)].id)


def _between(column: ColumnElement[Any], after: str | None, last: str | None) -> ColumnElement[bool]:
    bounds = [] if after is None else [column > after]
    bounds += [] if last is None else [column <= last]
    return and_(true(), *bounds)


def _page(
    connection: Connection, condition: Callable[[ColumnElement[Any]], ColumnElement[bool]]
) -> list[InstanceRows]:
    rows: dict[str, dict[str, list[Row]]] = {}
    for name in _OF_INSTANCES:
        columns = _SHOWN[name]
        query = select(*columns).where(condition(columns[0])).order_by(*columns[: _KEYS[name]])
        for row in connection.execute(query):
            rows.setdefault(row[0], {}).setdefault(name, []).append(row)
    return [InstanceRows(instance, rows[instance]) for instance in sorted(rows)]
