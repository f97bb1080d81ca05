"""Delegations in a SQL database."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, select

from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.runtime.engine_errors import another_delegation
from svcflow.store.schema import delegations as _table

_ERASED = ""
"""Stands in the place of an erased person: no actor has an empty id."""


def delegations(connection: Connection) -> Sequence[Delegation]:
    """Return every delegation that was ever given, without those whose persons were erased."""
    query = select(*_table.c).where(_table.c.giver != _ERASED, _table.c.taker != _ERASED)
    rows = connection.execute(query.order_by(_table.c.since_us, _table.c.id))
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


def save(connection: Connection, delegation: Delegation) -> None:
    """Insert a delegation, or set when one that is there was revoked.

    Raises: FieldError when the id is that of a delegation between others.
    """
    here = _table.c.id == delegation.id
    known = connection.execute(select(_table.c.giver, _table.c.taker).where(here)).one_or_none()
    if known is not None:
        if tuple(known) != (delegation.giver, delegation.taker):
            raise another_delegation(delegation.id)
        connection.execute(_table.update().where(here).values(revoked_us=delegation.revoked_us))
        return
    row = {
        "id": delegation.id,
        "giver": delegation.giver,
        "taker": delegation.taker,
        "roles": orjson.dumps(sorted(delegation.roles)).decode(),
        "procedures": orjson.dumps(sorted(delegation.procedures)).decode(),
        "since_us": delegation.since_us,
        "until_us": delegation.until_us,
        "revoked_us": delegation.revoked_us,
    }
    connection.execute(_table.insert(), row)


def erase(connection: Connection, person: str) -> None:
    """Erase a person. The rows stay, so that no other delegation gets the id of an erased one."""
    for column in (_table.c.giver, _table.c.taker):
        connection.execute(_table.update().where(column == person).values({column: _ERASED}))
