"""Positions of regular starts in a SQL database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from svcflow.runtime.start_positions import StartPosition
from svcflow.store.schema import starts as _table

_COLUMNS = tuple(_table.c[name] for name in StartPosition._fields)


def positions(connection: Connection) -> Sequence[StartPosition]:
    """Return how far each regular start is, by procedure and start."""
    rows = connection.execute(select(*_COLUMNS).order_by(_table.c.procedure, _table.c.start))
    return [StartPosition._make(row) for row in rows]


def save(connection: Connection, before: StartPosition | None, after: StartPosition) -> bool:
    """Write a position if it still is `before`; return whether it was written."""
    here = (_table.c.procedure == after.procedure) & (_table.c.start == after.start)
    row = connection.execute(select(*_COLUMNS).where(here)).one_or_none()
    if (None if row is None else StartPosition._make(row)) != before:
        return False
    if before is None:
        connection.execute(_table.insert(), after._asdict())
    else:
        connection.execute(_table.update().where(here).values(after._asdict()))
    return True
