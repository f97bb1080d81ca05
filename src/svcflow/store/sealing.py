"""Sealing in a SQL database: new leaves since the last seal, and the tree that they extend."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex

from sqlalchemy import Connection, func, select

from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.merkle import Frontier
from svcflow.journal.seal import Leaf
from svcflow.store import schema

_facts, _seals, _leaves, _meta = schema.facts.c, schema.seals.c, schema.leaves.c, schema.meta.c
_ORIGIN = "origin"


def seal(connection: Connection, until: int, sealed_us: int) -> Checkpoint:
    """Seal the facts up to a position; the transaction keeps everybody else from sealing meanwhile."""
    tree, position = _last(connection)
    new = _new_leaves(connection, position, until)
    if new:
        rows = [{"place": place, **leaf._asdict()} for place, leaf in enumerate(new, tree.size)]
        connection.execute(schema.leaves.insert(), rows)
        tree = tree.extended(leaf.to_bytes() for leaf in new)
        kept = {"size": tree.size, "position": until, "frontier": tree.to_bytes(), "sealed_us": sealed_us}
        connection.execute(schema.seals.insert(), kept)
    return Checkpoint(_origin(connection), tree.size, tree.root, sealed_us)


def leaves(connection: Connection) -> Sequence[Leaf]:
    """Return all leaves in their order."""
    asked = select(_leaves.instance, _leaves.sequence, _leaves.head).order_by(_leaves.place)
    return [Leaf(name, sequence, bytes(head)) for name, sequence, head in connection.execute(asked)]


def _last(connection: Connection) -> tuple[Frontier, int]:
    asked = select(_seals.frontier, _seals.position).order_by(_seals.size.desc()).limit(1)
    row = connection.execute(asked).one_or_none()
    return (Frontier(), 0) if row is None else (Frontier.from_bytes(row.frontier), row.position)


def _new_leaves(connection: Connection, after: int, until: int) -> Sequence[Leaf]:
    """Return, for each instance with facts since, where its journal stands."""
    last = (
        select(_facts.instance, func.max(_facts.sequence).label("sequence"))
        .where(_facts.position > after, _facts.position <= until)
        .group_by(_facts.instance)
        .subquery()
    )
    here = (_facts.instance == last.c.instance) & (_facts.sequence == last.c.sequence)
    asked = select(_facts.instance, _facts.sequence, _facts.link).join(last, here).order_by(_facts.instance)
    return [Leaf(name, sequence, bytes(link)) for name, sequence, link in connection.execute(asked)]


def _origin(connection: Connection) -> str:
    """Return the name of this store, drawn when it is first sealed."""
    asked = select(_meta.value).where(_meta.name == _ORIGIN)
    name = connection.scalar(asked)
    if name is None:
        name = f"svcflow-{token_hex(8)}"
        connection.execute(schema.meta.insert(), {"name": _ORIGIN, "value": name})
    return name
