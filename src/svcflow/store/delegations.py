"""Delegations in a SQL database: given, revoked, and a person erased from them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, select

from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.runtime.engine_errors import another_delegation
from svcflow.store.schema import delegations as _table

_GONE = ""
"""What stands in the place of an erased person: nobody is called that."""


def delegations(connection: Connection) -> Sequence[Delegation]:
    """Return every delegation that was ever given, but those of whom nobody is known any more."""
    asked = select(*_table.c).where(_table.c.giver != _GONE, _table.c.taker != _GONE)
    rows = connection.execute(asked.order_by(_table.c.since_us, _table.c.id))
    return [
        Delegation(
            row.id,
            row.giver,
            row.taker,
            orjson.loads(row.roles),
            orjson.loads(row.procedures),
            row.since_us,
            row.until_us,
            row.revoked_us,
        )
        for row in rows
    ]


def keep(connection: Connection, one: Delegation) -> None:
    """Write a delegation down; of one that is there already, only that it was revoked."""
    here = _table.c.id == one.id
    known = connection.execute(select(_table.c.giver, _table.c.taker).where(here)).one_or_none()
    if known is not None:
        if tuple(known) != (one.giver, one.taker):
            raise another_delegation(one.id)
        connection.execute(_table.update().where(here).values(revoked_us=one.revoked_us))
        return
    row = {
        "id": one.id,
        "giver": one.giver,
        "taker": one.taker,
        "roles": orjson.dumps(sorted(one.roles)).decode(),
        "procedures": orjson.dumps(sorted(one.procedures)).decode(),
        "since_us": one.since_us,
        "until_us": one.until_us,
        "revoked_us": one.revoked_us,
    }
    connection.execute(_table.insert(), row)


def erase(connection: Connection, person: str) -> None:
    """Put nobody in the place of a person."""
    for column in (_table.c.giver, _table.c.taker):
        connection.execute(_table.update().where(column == person).values({column: _GONE}))
