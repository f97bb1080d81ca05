"""A store in memory: for tests, simulations and short-lived services. Nothing outlives the process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from threading import RLock
from types import TracebackType
from typing import Self

from svcflow.journal.chain import Entry
from svcflow.kernel.deviations import Deviation, deviations_of
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER, Instance
from svcflow.runtime.store import Answer, DeviationQuery, InstanceQuery, Kept, out_of_turn


class MemoryStore:
    """Keep everything in dictionaries behind one lock. A transaction is written when it is left."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._kept: dict[str, Kept] = {}
        self._journals: dict[str, list[Entry]] = {}
        self._answers: dict[tuple[str, str], Answer] = {}

    def transaction(self) -> MemoryTransaction:
        """Open a transaction; it excludes all others until it is left."""
        return MemoryTransaction(self)

    def load(self, instance: str) -> Kept | None:
        """Return the instance as last kept."""
        return self._kept.get(instance)

    def facts(self, instance: str) -> Sequence[Fact]:
        """Return the instance's facts in order."""
        with self._lock:
            return [entry.fact for entry in self._journals.get(instance, ())]

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the journal as (canonical bytes, link)."""
        with self._lock:
            entries = list(self._journals.get(instance, ()))
        yield from ((entry.body, entry.link) for entry in entries)

    def instances(self, query: InstanceQuery) -> Sequence[Instance]:
        """Return the instances asked for, newest first."""
        with self._lock:
            kept = [one.instance for one in self._kept.values()]
        fit = (
            one
            for one in sorted(kept, key=lambda one: (-one.started_us, one.id))
            if query.procedure in (None, one.procedure) and query.status in (None, one.status)
        )
        return list(islice(fit, query.limit))

    def ids(self) -> Iterator[str]:
        """Yield the id of every instance."""
        with self._lock:
            names = list(self._kept)
        yield from names

    def deviations(self, query: DeviationQuery) -> Sequence[Deviation]:
        """Return the deviations asked for, in the order in which they occurred."""
        with self._lock:
            names = [query.instance] if query.instance is not None else list(self._journals)
            found = [one for name in names for one in deviations_of(self.facts(name)) if _fits(one, query)]
        return sorted(found, key=lambda one: (one.occurred_us, one.instance, one.sequence))

    def due(self, until_us: int, most: int) -> Sequence[str]:
        """Return instances for which something is due up to `until_us`, soonest first."""
        with self._lock:
            open_ = [(one.instance.next_us, name) for name, one in self._kept.items()]
        return [name for at_us, name in sorted(open_) if at_us <= until_us][:most]

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due."""
        with self._lock:
            soonest = min((one.instance.next_us for one in self._kept.values()), default=NEVER)
        return None if soonest == NEVER else soonest

    def close(self) -> None:
        """Keep the contents: there is nothing to give back."""


class MemoryTransaction:
    """Collect the writes of one transaction and apply them at its end."""

    __slots__ = ("_store", "_written")

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._written: list[tuple[Instance, Sequence[Entry], str | None, int]] = []

    def __enter__(self) -> Self:
        self._store._lock.acquire()  # noqa: SLF001  # one noun in two classes
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._keep()
        finally:
            self._store._lock.release()  # noqa: SLF001  # see __enter__

    def load(self, instance: str) -> Kept | None:
        """Return the instance as last kept."""
        return self._store._kept.get(instance)  # noqa: SLF001  # see __enter__

    def answer(self, instance: str, command_id: str) -> Answer | None:
        """Return what a command of this id came to."""
        return self._store._answers.get((instance, command_id))  # noqa: SLF001  # see __enter__

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence."""
        entries = self._store._journals.get(instance, ())  # noqa: SLF001  # see __enter__
        return [entry.fact for entry in entries[:until]]

    def append(
        self, instance: Instance, entries: Sequence[Entry], *, command_id: str | None, refused: int
    ) -> None:
        """Write entries and the instance they leave. Raises: StoreError when they do not go on from the last."""
        journal = self._store._journals.get(instance.id, ())  # noqa: SLF001  # see __enter__
        known = command_id is not None and self.answer(instance.id, command_id) is not None
        if known or entries[0].fact.sequence != len(journal) + 1:
            raise out_of_turn(instance.id)
        self._written.append((instance, entries, command_id, refused))

    def _keep(self) -> None:
        """Apply what was written."""
        store = self._store
        for instance, entries, command_id, refused in self._written:
            store._journals.setdefault(instance.id, []).extend(entries)  # noqa: SLF001  # see __enter__
            store._kept[instance.id] = Kept(instance, entries[-1].link)  # noqa: SLF001  # see __enter__
            if command_id is not None:
                answer = Answer(instance.sequence, refused)
                store._answers[instance.id, command_id] = answer  # noqa: SLF001  # see __enter__


def _fits(one: Deviation, query: DeviationQuery) -> bool:
    return (
        query.procedure in (None, one.procedure)
        and query.kind in (None, one.kind)
        and query.step in (None, one.step)
        and query.role in (None, one.role)
        and (query.since_us is None or one.occurred_us >= query.since_us)
        and (query.until_us is None or one.occurred_us < query.until_us)
    )
