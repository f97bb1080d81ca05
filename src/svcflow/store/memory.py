"""A store in memory: for tests, simulations and short-lived services. Nothing outlives the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import islice
from threading import RLock

from svcflow.journal.chain import Entry
from svcflow.journal.personal import NO_SECRETS, Secrets
from svcflow.kernel.deviations import Deviation, deviations_of
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER, Instance
from svcflow.kernel.work import Work
from svcflow.runtime.store import (
    BATCH,
    Answer,
    Change,
    Decide,
    DeviationQuery,
    Found,
    InstanceQuery,
    Kept,
    Place,
    out_of_turn,
)


class MemoryStore:
    """Keep everything in dictionaries behind one lock."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._kept: dict[str, Kept] = {}
        self._journals: dict[str, list[Entry]] = {}
        self._answers: dict[tuple[str, str], Answer] = {}
        self._secrets: dict[str, Secrets] = {}
        self._work: dict[str, Sequence[Work]] = {}
        self._digests: dict[tuple[str, int], str] = {}
        self._timers: list[Place] = []  # a heap; an entry counts while its instance is due at that instant

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Ask `decide` about an instance nobody else can change meanwhile, and keep what it says."""
        with self._lock:
            found = self._found(instance, command_id)
            change = decide(found)
            if change is not None:
                self._keep(found, change)

    def sweep(self, until_us: int, after: Place, decide: Decide) -> Place | None:
        """Ask `decide` about the next batch of instances due up to `until_us`, soonest first."""
        with self._lock:
            due = self._due(until_us, after)
            for place in due:
                self.change(place.instance, None, decide)
            return due[-1] if due else None

    def load(self, instance: str) -> Kept | None:
        """Return the instance as last kept."""
        return self._kept.get(instance)

    def secrets(self, instance: str) -> Secrets:
        """Return the personal data kept beside an instance's journal."""
        return self._secrets.get(instance, NO_SECRETS)

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence, with the personal data that is kept."""
        with self._lock:
            return [entry.fact for entry in self._journals.get(instance, ())[:until]]

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

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due."""
        with self._lock:
            while self._timers and not self._counts(self._timers[0]):
                heappop(self._timers)
            return self._timers[0].due_us if self._timers else None

    def digest(self, procedure: str, version: int) -> str | None:
        """Return the digest that a version of a procedure was pinned to."""
        return self._digests.get((procedure, version))

    def pin(self, procedure: str, version: int, digest: str) -> str:
        """Pin a version of a procedure to a digest, unless it is pinned."""
        return self._digests.setdefault((procedure, version), digest)

    def rebuild(self, work_of: Callable[[Instance], Sequence[Work] | None]) -> None:
        """Do nothing: a store in memory is never older than its code."""

    def close(self) -> None:
        """Keep the contents: there is nothing to give back."""

    def _found(self, instance: str, command_id: str | None) -> Found:
        kept = self._kept.get(instance)
        if kept is None:
            return Found(None)
        answer = None if command_id is None else self._answers.get((instance, command_id))
        return Found(kept.instance, kept.head, self.secrets(instance), answer)

    def _keep(self, found: Found, change: Change) -> None:
        instance = change.instance
        journal = self._journals.get(instance.id, [])
        known = change.command_id is not None and (instance.id, change.command_id) in self._answers
        if known or change.entries[0].fact.sequence != len(journal) + 1:
            raise out_of_turn(instance.id)
        journal.extend(change.entries)
        self._journals[instance.id] = journal
        self._kept[instance.id] = Kept(instance, change.entries[-1].link)
        if instance.next_us != NEVER and (
            found.instance is None or found.instance.next_us != instance.next_us
        ):
            heappush(self._timers, Place(instance.next_us, instance.id))
        if change.secrets is not None:
            self._secrets[instance.id] = change.secrets
        if change.work is not None:
            self._work[instance.id] = change.work
        if change.command_id is not None:
            self._answers[instance.id, change.command_id] = Answer(instance.sequence, change.refused)

    def _due(self, until_us: int, after: Place) -> list[Place]:
        """Take the next batch from the heap. What is taken and stays due is put back."""
        passed: list[Place] = []
        due: list[Place] = []
        while self._timers and self._timers[0].due_us <= until_us and len(due) < BATCH:
            place = heappop(self._timers)
            if self._counts(place):
                (due if place > after else passed).append(place)
        for place in (*passed, *due):
            heappush(self._timers, place)
        return due

    def _counts(self, place: Place) -> bool:
        return self._kept[place.instance].instance.next_us == place.due_us


def _fits(one: Deviation, query: DeviationQuery) -> bool:
    return (
        query.procedure in (None, one.procedure)
        and query.kind in (None, one.kind)
        and query.step in (None, one.step)
        and query.role in (None, one.role)
        and (query.since_us is None or one.occurred_us >= query.since_us)
        and (query.until_us is None or one.occurred_us < query.until_us)
    )
