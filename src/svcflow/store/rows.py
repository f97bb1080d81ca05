"""The rows of the tables as they are, read by pages of instances, for verification."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, func, select, true

from svcflow.journal.seal import Leaf
from svcflow.runtime.stored_rows import Columns, InstanceRows, LastSeal, Row, SealedLeaf
from svcflow.store import schema

Reading = Callable[[], AbstractContextManager[Connection]]

_INSTANCES, _FACTS, _LEAVES = 200, 2_000, 2_000
"""How many instances are read at once, how many facts if one of them has not more, and how many leaves."""

_facts, _seals, _leaves, _meta = schema.facts.c, schema.seals.c, schema.leaves.c, schema.meta.c


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


def last_seal(connection: Connection) -> LastSeal | None:
    """Return the last seal; None when nothing was sealed."""
    asked = select(_seals.size, _seals.position, _seals.frontier).order_by(_seals.size.desc()).limit(1)
    row = connection.execute(asked).one_or_none()
    if row is None:
        return None
    origin = connection.scalar(select(_meta.value).where(_meta.name == "origin"))
    return LastSeal(origin or "", row.size, row.position, bytes(row.frontier))


def sealed(reading: Reading) -> Iterator[SealedLeaf]:
    """Yield the leaves in their order, with the links of their entries."""
    here = (_facts.instance == _leaves.instance) & (_facts.sequence == _leaves.sequence)
    asked = select(_leaves.place, _leaves.instance, _leaves.sequence, _leaves.head, _facts.link).join_from(
        schema.leaves, schema.facts, here, isouter=True
    )
    after = -1
    while True:
        page = asked.where(_leaves.place > after).order_by(_leaves.place).limit(_LEAVES)
        with reading() as connection:
            rows = connection.execute(page).all()
        for place, name, sequence, head, link in rows:
            yield SealedLeaf(place, Leaf(name, sequence, head if isinstance(head, bytes) else b""), link)
        if len(rows) < _LEAVES:
            return
        after = rows[-1].place


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
