"""Seals in a SQL database: the leaves of the sealed tree, and those that a new seal adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from secrets import token_hex
from typing import NamedTuple

from sqlalchemy import Connection, Subquery, func, select

from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.merkle import Frontier
from svcflow.journal.seal import Leaf, altered_entry, wrong_leaf_count
from svcflow.runtime.stored_rows import LastSeal, SealedLeaf
from svcflow.store import schema

_instances, _facts, _meta = schema.instances.c, schema.facts.c, schema.meta.c
_seals, _leaves = schema.seals.c, schema.leaves.c
_ORIGIN = "origin"
_LEAVES = 2_000
"""How many leaves are read at once."""

Reading = Callable[[], AbstractContextManager[Connection]]


class NewLeaves(NamedTuple):
    """Leaves for the journals that have grown since they were last sealed, to be added to a tree of `size` leaves."""

    size: int
    leaves: Sequence[Leaf]


def new_leaves(connection: Connection) -> NewLeaves:
    """Compare every journal with its last leaf, and return leaves for those that have grown.

    No stored position decides what is sealed: whoever could change that one number would switch sealing off.

    Raises: CorruptJournal when a journal is gone, shorter than it was sealed, or another one.
    """
    newest = (
        select(_leaves.instance, func.max(_leaves.sequence).label("sequence"))
        .group_by(_leaves.instance)
        .subquery()
    )
    # apart from the query below, which starts from instances and so sees none that was deleted
    _refuse_lost(connection, newest)
    query = (
        select(_instances.id, _instances.sequence, _instances.head, newest.c.sequence)
        .join_from(schema.instances, newest, newest.c.instance == _instances.id, isouter=True)
        .where(newest.c.sequence.is_(None) | (newest.c.sequence != _instances.sequence))
        .order_by(_instances.id)
    )
    new = []
    for name, sequence, head, until in connection.execute(query):
        if until is not None and sequence < until:
            raise altered_entry(name, until, lost=True)
        new.append(Leaf(name, sequence, bytes(head)))
    return NewLeaves(_last(connection).size, new)


def seal(connection: Connection, new: NewLeaves, position: int, sealed_us: int) -> Checkpoint | None:
    """Add leaves to the tree; None when another process has sealed since they were found.

    Raises: CorruptJournal when there are more or fewer leaves than were sealed.
    """
    tree = _last(connection)
    if tree.size != new.size:
        return None
    # by the number too: a frontier does not show that leaves were deleted
    count = connection.scalar(select(func.count(_leaves.place))) or 0
    if count != tree.size:
        raise wrong_leaf_count(_origin(connection), count, tree.size)
    if new.leaves:
        rows = [{"place": place, **leaf._asdict()} for place, leaf in enumerate(new.leaves, tree.size)]
        connection.execute(schema.leaves.insert(), rows)
        tree = tree.extended(leaf.to_bytes() for leaf in new.leaves)
        connection.execute(
            schema.seals.insert(),
            {"size": tree.size, "position": position, "frontier": tree.to_bytes(), "sealed_us": sealed_us},
        )
    return Checkpoint(_origin(connection), tree.size, tree.root, sealed_us)


def last_seal(connection: Connection) -> LastSeal | None:
    """Return the last seal; None when nothing was sealed."""
    query = select(_seals.size, _seals.position, _seals.frontier).order_by(_seals.size.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    origin = connection.scalar(select(_meta.value).where(_meta.name == _ORIGIN))
    return LastSeal(origin or "", row.size, row.position, bytes(row.frontier))


def sealed(reading: Reading) -> Iterator[SealedLeaf]:
    """Yield the leaves in their order, with the links that their entries have now."""
    same_entry = (_facts.instance == _leaves.instance) & (_facts.sequence == _leaves.sequence)
    query = select(_leaves.place, _leaves.instance, _leaves.sequence, _leaves.head, _facts.link).join_from(
        schema.leaves, schema.facts, same_entry, isouter=True
    )
    after = -1
    while True:
        page = query.where(_leaves.place > after).order_by(_leaves.place).limit(_LEAVES)
        with reading() as connection:
            rows = connection.execute(page).all()
        for place, name, sequence, head, link in rows:
            yield SealedLeaf(place, Leaf(name, sequence, head if isinstance(head, bytes) else b""), link)
        if len(rows) < _LEAVES:
            return
        after = rows[-1].place


def _refuse_lost(connection: Connection, newest: Subquery) -> None:
    """Raise CorruptJournal when a sealed instance is gone, or its journal ends where it was sealed with another link."""
    last = (_leaves.instance == newest.c.instance) & (_leaves.sequence == newest.c.sequence)
    changed = (_instances.sequence == _leaves.sequence) & (_instances.head != _leaves.head)
    query = (
        select(_leaves.instance, _leaves.sequence, _instances.id)
        .join_from(schema.leaves, newest, last)
        .join(schema.instances, _instances.id == _leaves.instance, isouter=True)
        .where(_instances.id.is_(None) | changed)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is not None:
        raise altered_entry(row.instance, row.sequence, lost=row.id is None)


def _last(connection: Connection) -> Frontier:
    query = select(_seals.frontier).order_by(_seals.size.desc()).limit(1)
    frontier = connection.scalar(query)
    return Frontier() if frontier is None else Frontier.from_bytes(frontier)


def _origin(connection: Connection) -> str:
    """Return the random name of this store, which it gets when it is first sealed."""
    name = connection.scalar(select(_meta.value).where(_meta.name == _ORIGIN))
    if name is None:
        name = f"svcflow-{token_hex(8)}"
        connection.execute(schema.meta.insert(), {"name": _ORIGIN, "value": name})
    return name
