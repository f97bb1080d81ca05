"""Store in memory, for tests, simulations and short-lived services; nothing outlives the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from secrets import token_hex
from threading import RLock

import orjson

from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.merkle import Frontier
from svcflow.journal.personal_data import NO_SECRETS, Secrets
from svcflow.journal.seal import Leaf
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER, Instance
from svcflow.kernel.lifecycle.assignees import has_lapsed
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.kernel.lifecycle.deviations import Deviation, deviations_of
from svcflow.runtime.engine_errors import another_delegation
from svcflow.runtime.filters import (
    DeviationKey,
    DeviationQuery,
    InstanceKey,
    InstanceQuery,
    Page,
    WorkItem,
    WorkQuery,
    counted,
    cursor_of,
)
from svcflow.runtime.store import (
    SWEEP_BATCH,
    ChangeSet,
    CompletedCommand,
    Decide,
    Decision,
    LockedInstance,
    StoredInstance,
    SweepPosition,
    out_of_turn,
    sweep_due,
)
from svcflow.runtime.stored_rows import Columns, InstanceRows, LastSeal, Row, SealedLeaf
from svcflow.store.memory import rows
from svcflow.store.memory.feed import MemoryFeed
from svcflow.store.memory.journal import MemoryJournal
from svcflow.store.memory.rows import fits, is_asked, is_due, is_wanted

_NOTHING = LockedInstance(None)


class MemoryStore:
    """Keep everything in dictionaries behind one lock."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._journals: dict[str, MemoryJournal] = {}
        self._answers: dict[tuple[str, str], CompletedCommand] = {}
        self.feed = MemoryFeed(self._lock, self._journals)
        self._delegations: dict[str, Delegation] = {}
        self._erased: set[str] = set()  # ids of delegations whose persons are forgotten
        self._origin = f"svcflow-{token_hex(8)}"
        self._sealed: dict[str, Leaf] = {}
        self._leaves: list[Leaf] = []
        self._tree = Frontier()
        self._digests: dict[tuple[str, int], str] = {}
        self._timers: list[
            SweepPosition
        ] = []  # a heap; an entry counts while its instance is due at that instant
        self._moved_timers: set[str] = (
            set()
        )  # instances that are due at another instant than when last looked at

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Ask `decide` about an instance nobody else can change meanwhile, and keep what it says."""
        with self._lock:
            found = self._found(instance, command_id)
            change = decide(found)
            if change is not None:
                self._keep(found, change)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Ask `decide` about the next batch of instances due up to `until_us`, soonest first."""
        with self._lock:
            due = ((place, self._found(place.instance, None)) for place in self._due(until_us, after))
            return sweep_due(due, decide, self._keep)

    def load(self, instance: str) -> StoredInstance | None:
        """Return the instance as last kept."""
        journal = self._journals.get(instance)
        if journal is None:
            return None
        kept = (
            journal.instance
        )  # a command that is carried out meanwhile is waited for by nobody who only looks
        return StoredInstance(kept, journal.entries()[kept.sequence - 1].link)

    def secrets(self, instance: str) -> Secrets:
        """Return the personal data kept beside an instance's journal."""
        journal = self._journals.get(instance)
        return NO_SECRETS if journal is None else journal.secrets

    def instances_of(self, person: str) -> Sequence[str]:
        """Return the instances beside whose journals data of a person are kept."""
        with self._lock:
            kept = {name: journal.secrets for name, journal in self._journals.items()}
        return sorted(
            name
            for name, secrets in kept.items()
            if any(one and one.person == person for one in secrets.values())
        )

    def mentioning(self, person: str) -> Sequence[str]:
        """Return the instances whose journals hold a person's name in the clear."""
        written = orjson.dumps(person)
        with self._lock:
            return sorted(
                name
                for name, journal in self._journals.items()
                if any(written in body for body in journal.bodies())
            )

    def scrub(self, person: str) -> None:
        """Erase a person from the delegations."""
        with self._lock:
            theirs = {one.id for one in self._delegations.values() if person in (one.giver, one.taker)}
            self._erased |= theirs
            self._delegations = {id_: one for id_, one in self._delegations.items() if id_ not in theirs}

    def seal(self, sealed_us: int) -> Checkpoint:
        """Seal what was written since the last seal."""
        with self._lock:
            heads = (
                Leaf(name, journal.instance.sequence, journal.head)
                for name, journal in sorted(self._journals.items())
            )
            new = [leaf for leaf in heads if leaf != self._sealed.get(leaf.instance)]
            self._sealed |= {leaf.instance: leaf for leaf in new}
            self._leaves += new
            self._tree = self._tree.extended(leaf.to_bytes() for leaf in new)
            return Checkpoint(self._origin, self._tree.size, self._tree.root, sealed_us)

    @property
    def columns(self) -> Mapping[str, Columns]:
        """The columns of each table, in the order in which its rows are given."""
        return rows.COLUMNS

    def instance_rows(self, instance: str | None = None) -> Iterator[InstanceRows]:
        """Yield what is kept of each instance, or of one."""
        with self._lock:
            names = sorted(self._journals) if instance is None else [instance]
            answers = rows.of_answers(self._answers)
        for name in names:
            with self._lock:
                journal = self._journals.get(name)
                tables = {} if journal is None else self._tables(journal, answers.get(name, ()))
            yield InstanceRows(name, tables)

    def table_rows(self, table: str) -> Sequence[Row]:
        """Return the rows of a table that is about no single instance."""
        with self._lock:
            if table == "svcflow_procedures":
                return [(*version, kept) for version, kept in self._digests.items()]
            if table == "svcflow_delegations":
                return [rows.of_delegation(one) for one in self._delegations.values()]
            return self.feed.subscriptions()

    def last_position(self) -> int:
        """Return the position of the fact that was kept last."""
        return self.feed.settled_position()

    def last_seal(self) -> LastSeal | None:
        """Return the last seal; None when nothing was sealed."""
        with self._lock:
            size = self._tree.size
            return LastSeal(self._origin, size, 0, self._tree.to_bytes()) if size else None

    def sealed(self) -> Iterator[SealedLeaf]:
        """Yield the leaves of the sealed tree in their order, with the links of their entries."""
        for place, leaf in enumerate(tuple(self._leaves)):
            entries = self._journals[leaf.instance].entries()
            link = next((one.link for one in entries[leaf.sequence - 1 :]), None)
            yield SealedLeaf(place, leaf, link)

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence, with the personal data that is kept."""
        with self._lock:
            journal = self._journals.get(instance)
            # written by now: a fact that a caller has is not changed any more
            return [] if journal is None else [entry.fact for entry in journal.entries()[:until]]

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the journal as (canonical bytes, link)."""
        with self._lock:
            journal = self._journals.get(instance)
            entries = () if journal is None else tuple(journal.entries())
        yield from ((entry.body, entry.link) for entry in entries)

    def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Return the instances asked for, newest first."""
        found = sorted(self._asked(query), key=lambda one: (-one.started_us, one.id))
        if query.after is not None:
            started_us, name = query.after
            found = [one for one in found if (-one.started_us, one.id) > (-int(started_us), name)]
        return Page.of(found, query.limit)

    def instance_counts(self, query: InstanceQuery, by: InstanceKey | None) -> Mapping[str, int]:
        """Count the instances asked for, under each key, or all of them under `""`."""
        found = self._asked(query)
        if by is None:
            return {"": len(found)}
        return counted(Counter(key for one in found for key in self._keys(one, by, query)))

    def ids(self) -> Iterator[str]:
        """Yield the id of every instance."""
        with self._lock:
            names = list(self._journals)
        yield from names

    def deviations(self, query: DeviationQuery) -> Page[Deviation]:
        """Return the deviations asked for, in the order in which they occurred."""
        found = sorted(self._departed(query), key=lambda one: (one.occurred_us, one.instance, one.sequence))
        if query.after is not None:
            found = [one for one in found if (one.occurred_us, one.instance, one.sequence) > query.after]
        return Page.of(found, query.limit)

    def deviation_counts(self, query: DeviationQuery, by: DeviationKey | None) -> Mapping[str, int]:
        """Count the deviations asked for, under each key, or all of them under `""`."""
        found = self._departed(query)
        if by is None:
            return {"": len(found)}
        if by == "group":
            return counted(Counter(self._journals[one.instance].instance.group for one in found))
        return counted(Counter(str(getattr(one, by)) for one in found))

    def worklist(self, query: WorkQuery) -> Page[WorkItem]:
        """Return the work that waits, the soonest due first."""
        with self._lock:
            found = [
                WorkItem(
                    name, of.procedure, of.version, *one, recipient=of.recipient, group=of.group, data=of.data
                )
                for name, journal in self._journals.items()
                for of in (journal.instance,)
                for one in (
                    work._replace(assignee="") if has_lapsed(of, work.step, query.now_us) else work
                    for work in journal.work()
                )
            ]
        fit = sorted((one for one in found if is_wanted(one, query)), key=cursor_of)
        if query.after is not None:
            fit = [one for one in fit if cursor_of(one) > query.after]
        return Page.of(fit, query.limit)

    def delegations(self) -> Sequence[Delegation]:
        """Return every delegation that was ever given."""
        return sorted(self._delegations.values(), key=lambda one: (one.since_us, one.id))

    def keep_delegation(self, delegation: Delegation) -> None:
        """Keep a new delegation, or that one of this id was revoked."""
        with self._lock:
            known = self._delegations.get(delegation.id, delegation)
            if delegation.id in self._erased or (known.giver, known.taker) != (
                delegation.giver,
                delegation.taker,
            ):
                raise another_delegation(delegation.id)
            self._delegations = {**self._delegations, delegation.id: delegation}

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due."""
        with self._lock:
            self._arm()
            while self._timers and not self._counts(self._timers[0]):
                heappop(self._timers)
            return self._timers[0].due_us if self._timers else None

    def digest(self, procedure: str, version: int) -> str | None:
        """Return the digest that a version of a procedure was pinned to."""
        return self._digests.get((procedure, version))

    def pin(self, procedure: str, version: int, digest: str) -> str:
        """Pin a version of a procedure to a digest, unless it is pinned."""
        return self._digests.setdefault((procedure, version), digest)

    def wants_rebuilding(self) -> str:
        """Say that nothing is: a store in memory is never older than its code."""
        return ""

    def rebuilt(self) -> None:
        """Do nothing: see `wants_rebuilding`."""

    def close(self) -> None:
        """Keep the contents: there is nothing to give back."""

    def _asked(self, query: InstanceQuery) -> list[Instance]:
        with self._lock:
            kept = [(one.instance, one.work()) for one in self._journals.values()]
        return [one for one, work in kept if is_asked(one, work, query)]

    def _keys(self, one: Instance, by: InstanceKey, query: InstanceQuery) -> Iterable[str]:
        if by in ("step", "role"):  # of several branches, those that are due when that is asked
            due = [work for work in self._journals[one.id].work() if is_due(work, query.due_before_us)]
            return {str(getattr(work, by)) for work in due}
        return (str(getattr(one, by)),)

    def _departed(self, query: DeviationQuery) -> list[Deviation]:
        with self._lock:
            names = [query.instance] if query.instance is not None else list(self._journals)
            return [
                one
                for name in names
                for one in deviations_of(self.facts(name))
                if fits(one, query) and query.group in (None, self._journals[name].instance.group)
            ]

    def _found(self, instance: str, command_id: str | None) -> LockedInstance:
        journal = self._journals.get(instance)
        if journal is None:
            return _NOTHING
        answer = None if command_id is None else self._answers.get((instance, command_id))
        return LockedInstance(journal.instance, journal, answer)

    def _keep(self, found: LockedInstance, change: ChangeSet | Decision) -> None:
        instance, command_id = change.instance, change.command_id
        name, journal = instance.id, self._journals.get(instance.id)
        last = 0 if journal is None else journal.instance.sequence
        if change.facts and change.facts[0].sequence != last + 1:
            raise out_of_turn(name)
        if command_id is not None:
            if (name, command_id) in self._answers:
                raise out_of_turn(name)
            self._answers[name, command_id] = CompletedCommand(instance.sequence)
        if journal is None:
            self._journals[name] = MemoryJournal(change.written(found))
        elif isinstance(change, ChangeSet):
            journal.keep(change)
        else:
            journal.add(change)
        self.feed.add(change.facts)
        if found.instance is None or found.instance.next_us != instance.next_us:
            self._moved_timers.add(name)

    def _tables(self, journal: MemoryJournal, answers: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
        name = journal.instance.id
        return {
            "svcflow_instances": [rows.of_instance(journal)],
            "svcflow_facts": rows.of_journal(name, journal.entries(), self.feed.positions),
            "svcflow_commands": answers,
            "svcflow_work": rows.of_work(name, journal.work()),
            "svcflow_deliveries": self.feed.deliveries(name),
        }

    def _arm(self) -> None:
        """Put what is due at another instant into the heap; between two looks an instance may move many times."""
        for name in self._moved_timers:
            due_us = self._journals[name].instance.next_us
            if due_us != NEVER:
                heappush(self._timers, SweepPosition(due_us, name))
        self._moved_timers.clear()

    def _due(self, until_us: int, after: SweepPosition) -> list[SweepPosition]:
        """Take the next batch from the heap. What is taken and stays due is put back."""
        self._arm()
        passed: list[SweepPosition] = []
        due: list[SweepPosition] = []
        while self._timers and self._timers[0].due_us <= until_us and len(due) < SWEEP_BATCH:
            place = heappop(self._timers)
            again = self._timers and self._timers[0] == place  # as after a hold that was over at once
            if self._counts(place) and not again:
                (due if place > after else passed).append(place)
        for place in (*passed, *due):
            heappush(self._timers, place)
        return due

    def _counts(self, place: SweepPosition) -> bool:
        return self._journals[place.instance].instance.next_us == place.due_us
