"""Delegations in a SQL database: given, revoked, and a person erased from them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from svcflow.kernel.delegation import Delegation
from svcflow.store.schema import delegations as _table

_GONE = "erased"


def delegations(connection: Connection) -> Sequence[Delegation]:
    """Return every delegation that was ever given, but those of whom nobody is known any more."""
    asked = select(*_table.c).where(_table.c.giver != _GONE, _table.c.taker != _GONE)
    rows = connection.execute(asked.order_by(_table.c.since_us, _table.c.id))
    return [
        Delegation(
            row.id,
            row.giver,
            row.taker,
            row.roles.split(),
            row.procedures.split(),
            row.since_us,
            row.until_us,
            row.revoked_us,
        )
        for row in rows
    ]


def keep(connection: Connection, one: Delegation) -> None:
    """Write a delegation down; of one that is there already, only that it was revoked."""
    here = _table.c.id == one.id
    if connection.scalar(select(_table.c.id).where(here)) is not None:
        connection.execute(_table.update().where(here).values(revoked_us=one.revoked_us))
        return
    row = {
        "id": one.id,
        "giver": one.giver,
        "taker": one.taker,
        "roles": " ".join(sorted(one.roles)),
        "procedures": " ".join(sorted(one.procedures)),
        "since_us": one.since_us,
        "until_us": one.until_us,
        "revoked_us": one.revoked_us,
    }
    connection.execute(_table.insert(), row)


def erase(connection: Connection, person: str) -> None:
    """Put nobody in the place of a person."""
    for column in (_table.c.giver, _table.c.taker):
        connection.execute(_table.update().where(column == person).values({column: _GONE}))
