"""What a store keeps once for all instances, checked: pinned procedures, subscriptions, delegations, seals."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import orjson

from svcflow.errors import CorruptJournal, SvcflowError
from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.merkle import Frontier
from svcflow.journal.seal import Leaf, verified_against, wrong_leaf_count
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.model.yaml.dump import digest
from svcflow.runtime.integrity.projections import RESTORE, missing, otherwise, shown
from svcflow.runtime.procedure_registry import ProcedureRegistry, changed_procedure
from svcflow.runtime.store import Store
from svcflow.runtime.stored_rows import LastSeal
from svcflow.text import Text

PINS, SUBSCRIPTIONS, DELEGATIONS = "svcflow_procedures", "svcflow_subscriptions", "svcflow_delegations"
SEALS, META = "svcflow_seals", "svcflow_meta"

Named = Iterator[tuple[str, SvcflowError]]


def subscriptions_of(store: Store) -> Mapping[str, int]:
    """Return how far each subscription has come."""
    return {row[0]: row[1] for row in store.table_rows(SUBSCRIPTIONS)}


def register_problems(store: Store, standards: ProcedureRegistry, seen: Collection[tuple[str, int]]) -> Named:
    """Yield what is wrong with what is kept for all; `seen` are the versions that journals name."""
    yield from ((PINS, error) for error in _of_pins(store, standards, seen))
    yield from ((SUBSCRIPTIONS, error) for error in _of_subscriptions(store))
    yield from ((DELEGATIONS, error) for error in _of_delegations(store))


def seal_problems(store: Store, checkpoint: Checkpoint | None) -> Named:
    """Yield what is wrong with leaves and last seal, and with the journals by them, and against a checkpoint."""
    last = store.last_seal()
    leaves = _Leaves(store)
    yield from verified_against(() if checkpoint is None else (checkpoint,), leaves)
    if last is not None:
        yield from ((last.origin, error) for error in _of_seal(last, store.last_position(), checkpoint))
    latest = store.last_seal()  # somebody may have sealed meanwhile
    yield from ((latest.origin if latest else "", error) for error in leaves.problems(last, latest))


class _Leaves:
    """Give the leaves with the links of their entries, and build the tree that they make."""

    def __init__(self, store: Store) -> None:
        self._found = store.sealed()
        self._tree = Frontier()
        self._gap: int | None = None

    def __iter__(self) -> _Leaves:
        return self

    def __next__(self) -> tuple[Leaf, bytes | None]:
        one = next(self._found)
        if one.place != self._tree.size and self._gap is None:
            self._gap = one.place
        self._tree = self._tree.extended((one.leaf.to_bytes(),))
        return one.leaf, one.link

    def problems(self, before: LastSeal | None, after: LastSeal | None) -> Iterator[CorruptJournal]:
        """Yield that they are not numbered one after the other, or are not those that were sealed last.

        They were read between two looks at the last seal.
        """
        least, size = 0 if before is None else before.size, 0 if after is None else after.size
        if self._gap is not None or not least <= self._tree.size <= size:
            yield wrong_leaf_count("" if after is None else after.origin, self._tree.size, size)
        elif after is not None and self._tree.size == size and self._tree.to_bytes() != after.frontier:
            yield otherwise(SEALS, "frontier", str(size), after.frontier, shown(self._tree.to_bytes()))


def _of_seal(last: LastSeal, end: int, checkpoint: Checkpoint | None) -> Iterator[CorruptJournal]:
    """Check the last seal, by which the next one goes on."""
    row = str(last.size)
    try:
        size = Frontier.from_bytes(last.frontier).size
    except CorruptJournal as error:
        error.table, error.column, error.row = SEALS, "frontier", row
        yield error
    else:
        if size != last.size:
            yield otherwise(SEALS, "size", row, last.size, str(size))
    if not 0 <= last.position <= end:
        yield otherwise(SEALS, "position", row, last.position, f"0…{end}")
    if not last.origin:
        yield missing(META, "origin")
    elif checkpoint is not None and checkpoint.origin != last.origin:
        yield otherwise(META, "value", "origin", last.origin, shown(checkpoint.origin))


def _of_pins(
    store: Store, standards: ProcedureRegistry, seen: Collection[tuple[str, int]]
) -> Iterator[SvcflowError]:
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
