"""Verification of the tables that all instances share: pinned procedures, subscriptions, delegations, regular starts, seals."""

from __future__ import annotations

import re
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
from svcflow.runtime.start_positions import StartPosition
from svcflow.runtime.store import Store
from svcflow.runtime.stored_rows import LastSeal
from svcflow.text import Text

PINS, SUBSCRIPTIONS, DELEGATIONS = "svcflow_procedures", "svcflow_subscriptions", "svcflow_delegations"
STARTS = "svcflow_starts"
SEALS, META = "svcflow_seals", "svcflow_meta"

Named = Iterator[tuple[str, SvcflowError]]


def subscriptions_of(store: Store) -> Mapping[str, int]:
    """Return the cursor of each subscription."""
    return {row[0]: row[1] for row in store.table_rows(SUBSCRIPTIONS)}


def register_problems(store: Store, registry: ProcedureRegistry, seen: Collection[tuple[str, int]]) -> Named:
    """Yield the problems of pins, subscriptions, delegations and regular starts; `seen` are the versions that journals name."""
    yield from ((PINS, error) for error in _of_pins(store, registry, seen))
    yield from ((SUBSCRIPTIONS, error) for error in _of_subscriptions(store))
    yield from ((DELEGATIONS, error) for error in _of_delegations(store))
    yield from ((STARTS, error) for error in _of_starts(store))


def seal_problems(store: Store, checkpoint: Checkpoint | None) -> Named:
    """Yield the problems of leaves and last seal, of the journals by them, and of both by a checkpoint."""
    last = store.last_seal()
    leaves = _Leaves(store)
    yield from verified_against(() if checkpoint is None else (checkpoint,), leaves)
    if last is not None:
        yield from ((last.origin, error) for error in _of_seal(last, store.last_position(), checkpoint))
    latest = store.last_seal()  # another process may have sealed meanwhile
    yield from ((latest.origin if latest else "", error) for error in leaves.problems(last, latest))


class _Leaves:
    """Iterator over the leaves with the links of their entries, which builds the tree of the leaves by the way."""

    def __init__(self, store: Store) -> None:
        self._sealed = store.sealed()
        self._tree = Frontier()
        self._gap: int | None = None

    def __iter__(self) -> _Leaves:
        return self

    def __next__(self) -> tuple[Leaf, bytes | None]:
        sealed = next(self._sealed)
        if sealed.place != self._tree.size and self._gap is None:
            self._gap = sealed.place
        self._tree = self._tree.extended((sealed.leaf.to_bytes(),))
        return sealed.leaf, sealed.link

    def problems(self, before: LastSeal | None, after: LastSeal | None) -> Iterator[CorruptJournal]:
        """Yield the error for leaves with a gap, or other ones than were sealed last.

        The leaves were read between two readings of the last seal, `before` and `after`.
        """
        least, size = 0 if before is None else before.size, 0 if after is None else after.size
        if self._gap is not None or not least <= self._tree.size <= size:
            yield wrong_leaf_count("" if after is None else after.origin, self._tree.size, size)
        elif after is not None and self._tree.size == size and self._tree.to_bytes() != after.frontier:
            yield otherwise(SEALS, "frontier", str(size), after.frontier, shown(self._tree.to_bytes()))


def _of_seal(last: LastSeal, end: int, checkpoint: Checkpoint | None) -> Iterator[CorruptJournal]:
    """Check the last seal, which the next one continues."""
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
    store: Store, registry: ProcedureRegistry, seen: Collection[tuple[str, int]]
) -> Iterator[SvcflowError]:
    """Check that each version is pinned to its content; one that the catalog lacks cannot be checked."""
    pins = {(row[0], row[1]): row[2] for row in store.table_rows(PINS)}
    lost = [] if store.wants_rebuilding() else sorted(key for key in seen if key not in pins)
    if lost:
        yield missing(PINS, " ".join(map(str, lost[0])), len(lost))
    for key, kept in pins.items():
        if key not in seen and key in registry.catalog:
            procedure = registry.catalog[key]
            own = digest(procedure)
            if own != kept:
                yield changed_procedure(procedure, own, kept)


def _of_subscriptions(store: Store) -> Iterator[CorruptJournal]:
    """Check that no cursor is beyond the last fact: it would skip facts yet to come."""
    positions, end = subscriptions_of(store), store.last_position()
    for name, position in positions.items():
        if not 0 <= position <= end:
            yield otherwise(SUBSCRIPTIONS, "position", name, position, f"0…{end}")


def _of_delegations(store: Store) -> Iterator[CorruptJournal]:
    """Check that each delegation is one that can be given: to another person, for a role, with its end after its start."""
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


_OCCURRENCE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)?")
_SALT = re.compile(r"[0-9a-f]{32}")


def _of_starts(store: Store) -> Iterator[CorruptJournal]:
    """Check that each position names occurrences in their order, with a salt while one is pending."""
    for row in store.table_rows(STARTS):
        position = StartPosition._make(row)
        name, done, pending, tried = f"{row[0]} {row[1]}", position.done, position.pending, position.tried
        for column, occurrence in (("done", done), ("pending", pending), ("tried", tried)):
            if not _OCCURRENCE.fullmatch(occurrence):
                yield otherwise(STARTS, column, name, occurrence, "2026-01-05T08:30")
        if pending and not done < pending:
            yield otherwise(STARTS, "pending", name, pending, f"> {done}")
        if tried and not done < tried < pending:
            yield otherwise(STARTS, "tried", name, tried, f"{done} … {pending}")
        if not (_SALT.fullmatch(position.salt) if pending else not position.salt):
            yield otherwise(STARTS, "salt", name, position.salt, "32 × 0-9a-f" if pending else "''")
        if position.version < 1:
            yield otherwise(STARTS, "version", name, position.version, "≥ 1")
