"""What a store keeps once for all instances, checked: pinned procedures, subscriptions, delegations, seals."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import orjson

from svcflow.errors import CorruptJournal, SvcflowError
from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.merkle import Frontier
from svcflow.journal.seal import Leaf, other_leaves, verified_against
from svcflow.kernel.delegation import Delegation
from svcflow.model.digest import digest
from svcflow.runtime.projections import RESTORE, missing, otherwise, shown
from svcflow.runtime.standards import Standards, changed_procedure
from svcflow.runtime.store import Store
from svcflow.runtime.stored_rows import LastSeal
from svcflow.text import Text

PINS, SUBSCRIPTIONS, DELEGATIONS = "svcflow_procedures", "svcflow_subscriptions", "svcflow_delegations"
SEALS, META = "svcflow_seals", "svcflow_meta"

Named = Iterator[tuple[str, SvcflowError]]


def subscriptions_of(store: Store) -> Mapping[str, int]:
    """Return how far each subscription has come."""
    return {row[0]: row[1] for row in store.table_rows(SUBSCRIPTIONS)}


def register_problems(store: Store, standards: Standards, seen: Collection[tuple[str, int]]) -> Named:
    """Yield what is wrong with what is kept for all; `seen` are the versions that journals name."""
    yield from ((PINS, error) for error in _of_pins(store, standards, seen))
    yield from ((SUBSCRIPTIONS, error) for error in _of_subscriptions(store))
    yield from ((DELEGATIONS, error) for error in _of_delegations(store))


def seal_problems(store: Store, checkpoint: Checkpoint | None) -> Named:
    """Yield what is wrong with leaves and last seal, and with the journals by them, and against a checkpoint."""
    last = store.last_seal()
    tree = Frontier()
    against: list[Checkpoint] = [] if checkpoint is None else [checkpoint]
    if last is not None:
        try:
            tree = Frontier.from_bytes(last.frontier)
        except CorruptJournal as error:
            error.table, error.column = SEALS, "frontier"
            yield last.origin, error
        yield from ((last.origin, error) for error in _of_seal(last, tree, store.last_position(), checkpoint))
        against.append(Checkpoint(last.origin or _NAMELESS, tree.size, tree.root, 0))
    leaves = _Leaves(store)
    yield from verified_against(against, leaves)
    for _ in leaves:  # those behind the last that was asked for
        pass
    yield from ((name, error) for name, error in leaves.problems(store.last_seal()))


class _Leaves:
    """Give the leaves with the links of their entries, and note whether they are as many as were sealed."""

    def __init__(self, store: Store) -> None:
        self._found = store.sealed()
        self._count = 0
        self._gap: int | None = None

    def __iter__(self) -> _Leaves:
        return self

    def __next__(self) -> tuple[Leaf, bytes | None]:
        one = next(self._found)
        if one.place != self._count and self._gap is None:
            self._gap = one.place
        self._count += 1
        return one.leaf, one.link

    def problems(self, last: LastSeal | None) -> Named:
        """Yield that there are too many leaves, or that they are not numbered one after the other."""
        origin, size = ("", 0) if last is None else (last.origin, last.size)
        if self._gap is not None or self._count > size:
            yield origin or _NAMELESS, other_leaves(origin or _NAMELESS, self._count, size)


def _of_seal(
    last: LastSeal, tree: Frontier, end: int, checkpoint: Checkpoint | None
) -> Iterator[CorruptJournal]:
    row = str(last.size)
    if tree.size != last.size:
        yield otherwise(SEALS, "size", row, last.size, str(tree.size))
    if not 0 <= last.position <= end:
        yield otherwise(SEALS, "position", row, last.position, f"0…{end}")
    if not last.origin:
        yield missing(META, "origin")
    elif checkpoint is not None and checkpoint.origin != last.origin:
        yield otherwise(META, "value", "origin", last.origin, shown(checkpoint.origin))


def _of_pins(store: Store, standards: Standards, seen: Collection[tuple[str, int]]) -> Iterator[SvcflowError]:
    """Check that each version is pinned to what it says; nothing tells what one said that is in no catalog."""
    pins = {(row[0], row[1]): row[2] for row in store.table_rows(PINS)}
    lost = [] if store.wants_rebuilding() else sorted(key for key in seen if key not in pins)
    if lost:
        yield missing(PINS, " ".join(map(str, lost[0])), len(lost))
    for key, kept in pins.items():
        if key not in seen and key in standards.catalog:
            procedure = standards.catalog[key]
            own = digest(procedure)
            if own != kept:
                yield changed_procedure(procedure, own, kept)


def _of_subscriptions(store: Store) -> Iterator[CorruptJournal]:
    """Check that no cursor is beyond the last fact: it would pass over what is yet to come."""
    kept, end = subscriptions_of(store), store.last_position()
    for name, position in kept.items():
        if not 0 <= position <= end:
            yield otherwise(SUBSCRIPTIONS, "position", name, position, f"0…{end}")


def _of_delegations(store: Store) -> Iterator[CorruptJournal]:
    """Check that somebody could have given each: to another, in some role, with an end after its beginning."""
    for name, giver, taker, roles, procedures, *bounds in store.table_rows(DELEGATIONS):
        if not (giver and taker):  # a person who was erased
            continue
        try:
            Delegation(name, giver, taker, orjson.loads(roles), orjson.loads(procedures), *bounds)
        except (SvcflowError, ValueError, TypeError) as error:
            message = Text(
                zh=f"委托 {name} 无法读取：{error}", en=f"delegation {name} cannot be read: {error}"
            )
            yield CorruptJournal(message, RESTORE, table=DELEGATIONS, row=str(name))


_NAMELESS = "-"
"""Stands for the name of a store that has lost it."""
