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
    work_item,
)
from svcflow.runtime.start_positions import StartPosition
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
from svcflow.store.memory.queries import is_due, matches_deviation, matches_instance, matches_work

_NOT_STORED = LockedInstance(None)


class MemoryStore:
    """Store that keeps everything in dictionaries behind one lock."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._journals: dict[str, MemoryJournal] = {}
        self._completed: dict[tuple[str, str], CompletedCommand] = {}
        self.feed = MemoryFeed(self._lock, self._journals)
        self._delegations: dict[str, Delegation] = {}
        self._erased: set[str] = set()  # ids of delegations whose persons are forgotten
        self._starts: dict[tuple[str, str], StartPosition] = {}
        self._origin = f"svcflow-{token_hex(8)}"
        self._sealed: dict[str, Leaf] = {}
        self._leaves: list[Leaf] = []
        self._tree = Frontier()
        self._digests: dict[tuple[str, int], str] = {}
        # a heap, whose entries are not removed when an instance becomes due at another instant: see `_is_current`
        self._timers: list[SweepPosition] = []
        # instances whose due instant has changed since the heap was last read
        self._moved_timers: set[str] = set()

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Let `decide` say what changes of an instance, and write it; nobody else changes it in between."""
        with self._lock:
            locked = self._find(instance, command_id)
            change = decide(locked)
            if change is not None:
                self._save(locked, change)

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Do so for the next batch of instances due up to `until_us`, soonest first."""
        with self._lock:
            due = ((position, self._find(position.instance, None)) for position in self._due(until_us, after))
            return sweep_due(due, decide, self._save)

    def load(self, instance: str) -> StoredInstance | None:
        """Return an instance as it was last written; None when there is none."""
        journal = self._journals.get(instance)
        if journal is None:
            return None
        # Without the lock: a reader does not wait for a command. The instance is taken once, because a command may replace
        # it before its entries are read; those up to its sequence stay.
        instance_now = journal.instance
        return StoredInstance(instance_now, journal.entries()[instance_now.sequence - 1].link)

    def secrets(self, instance: str) -> Secrets:
        """Return the personal data kept beside an instance's journal."""
        journal = self._journals.get(instance)
        return NO_SECRETS if journal is None else journal.secrets

    def instances_of(self, person: str) -> Sequence[str]:
        """Return the instances beside whose journals data of a person are kept."""
        with self._lock:
            secrets_of = {name: journal.secrets for name, journal in self._journals.items()}
        return sorted(
            name
            for name, secrets in secrets_of.items()
            if any(secret and secret.person == person for secret in secrets.values())
        )

    def mentioning(self, person: str) -> Sequence[str]:
        """Return the instances whose journals hold a person's name in the clear."""
        text = orjson.dumps(person)
        with self._lock:
            return sorted(
                name
                for name, journal in self._journals.items()
                if any(text in body for body in journal.bodies())
            )

    def scrub(self, person: str) -> None:
        """Erase a person from the delegations."""
        with self._lock:
            given = self._delegations.values()
            erased = {each.id for each in given if person in (each.giver, each.taker)}
            self._erased |= erased
            self._delegations = {each.id: each for each in given if each.id not in erased}

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
            commands = rows.of_commands(self._completed)
        for name in names:
            with self._lock:
                journal = self._journals.get(name)
                tables = {} if journal is None else self._tables(journal, commands.get(name, ()))
            yield InstanceRows(name, tables)

    def table_rows(self, table: str) -> Sequence[Row]:
        """Return the rows of a table that is about no single instance."""
        with self._lock:
            if table == "svcflow_procedures":
                return [(*version, digest) for version, digest in self._digests.items()]
            if table == "svcflow_delegations":
                return [rows.of_delegation(delegation) for delegation in self._delegations.values()]
            if table == "svcflow_starts":
                return list(self.starts())
            return self.feed.subscriptions()

    def last_position(self) -> int:
        """Return the position of the last fact; 0 when there is none."""
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
            link = next((entry.link for entry in entries[leaf.sequence - 1 :]), None)
            yield SealedLeaf(place, leaf, link)

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence, with the personal data that is kept."""
        with self._lock:
            journal = self._journals.get(instance)
            # `entries` writes the facts first: what a caller got does not change any more
            return [] if journal is None else [entry.fact for entry in journal.entries()[:until]]

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the journal as (canonical bytes, link)."""
        with self._lock:
            journal = self._journals.get(instance)
            entries = () if journal is None else tuple(journal.entries())
        yield from ((entry.body, entry.link) for entry in entries)

    def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Return the instances that a query selects, newest first."""
        instances = sorted(self._instances(query), key=lambda each: (-each.started_us, each.id))
        if query.after is not None:
            started_us, name = query.after
            instances = [each for each in instances if (-each.started_us, each.id) > (-int(started_us), name)]
        return Page.of(instances, query.limit)

    def instance_counts(self, query: InstanceQuery, by: InstanceKey | None) -> Mapping[str, int]:
        """Count the instances that a query selects, under each key, or all of them under `""`."""
        instances = self._instances(query)
        if by is None:
            return {"": len(instances)}
        return counted(Counter(key for each in instances for key in self._keys(each, by, query)))

    def ids(self) -> Iterator[str]:
        """Yield the id of every instance."""
        with self._lock:
            names = list(self._journals)
        yield from names

    def deviations(self, query: DeviationQuery) -> Page[Deviation]:
        """Return the deviations that a query selects, in the order in which they occurred."""
        deviations = sorted(self._deviations(query), key=_order)
        if query.after is not None:
            deviations = [each for each in deviations if _order(each) > query.after]
        return Page.of(deviations, query.limit)

    def deviation_counts(self, query: DeviationQuery, by: DeviationKey | None) -> Mapping[str, int]:
        """Count the deviations that a query selects, under each key, or all of them under `""`."""
        deviations = self._deviations(query)
        if by is None:
            return {"": len(deviations)}
        if by == "group":
            return counted(Counter(self._journals[each.instance].instance.group for each in deviations))
        return counted(Counter(str(getattr(each, by)) for each in deviations))

    def worklist(self, query: WorkQuery) -> Page[WorkItem]:
        """Return the open work that a query selects, the soonest due first."""
        with self._lock:
            items = [
                item for journal in self._journals.values() for item in _work_items(journal, query.now_us)
            ]
        items = sorted((item for item in items if matches_work(item, query)), key=cursor_of)
        if query.after is not None:
            items = [item for item in items if cursor_of(item) > query.after]
        return Page.of(items, query.limit)

    def delegations(self) -> Sequence[Delegation]:
        """Return every delegation that was ever given."""
        return sorted(self._delegations.values(), key=lambda each: (each.since_us, each.id))

    def keep_delegation(self, delegation: Delegation) -> None:
        """Add a delegation, or note that the one of this id was revoked."""
        with self._lock:
            known = self._delegations.get(delegation.id, delegation)
            if delegation.id in self._erased or (known.giver, known.taker) != (
                delegation.giver,
                delegation.taker,
            ):
                raise another_delegation(delegation.id)
            self._delegations = {**self._delegations, delegation.id: delegation}

    def starts(self) -> Sequence[StartPosition]:
        """Return how far each regular start is."""
        with self._lock:
            return [self._starts[key] for key in sorted(self._starts)]

    def keep_start(self, before: StartPosition | None, after: StartPosition) -> bool:
        """Write the position of a regular start if it still is `before`; return whether it was written."""
        key = after.procedure, after.start
        with self._lock:
            if self._starts.get(key) != before:
                return False
            self._starts[key] = after
            return True

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due."""
        with self._lock:
            self._push_moved()
            while self._timers and not self._is_current(self._timers[0]):
                heappop(self._timers)
            return self._timers[0].due_us if self._timers else None

    def digest(self, procedure: str, version: int) -> str | None:
        """Return the digest that a version of a procedure was pinned to."""
        return self._digests.get((procedure, version))

    def pin(self, procedure: str, version: int, digest: str) -> str:
        """Pin a version of a procedure to a digest, unless it is pinned."""
        return self._digests.setdefault((procedure, version), digest)

    def wants_rebuilding(self) -> str:
        """Return nothing: a store in memory is never older than its code."""
        return ""

    def rebuilt(self) -> None:
        """Do nothing: see `wants_rebuilding`."""

    def close(self) -> None:
        """Do nothing: there are no files or connections, and the contents stay."""

    def _instances(self, query: InstanceQuery) -> list[Instance]:
        with self._lock:
            stored = [(journal.instance, journal.work()) for journal in self._journals.values()]
        return [instance for instance, work in stored if matches_instance(instance, work, query)]

    def _keys(self, instance: Instance, by: InstanceKey, query: InstanceQuery) -> Iterable[str]:
        if by in ("step", "role"):  # of several branches only those that are due
            work = self._journals[instance.id].work()
            return {str(getattr(item, by)) for item in work if is_due(item, query.due_before_us)}
        return (str(getattr(instance, by)),)

    def _deviations(self, query: DeviationQuery) -> list[Deviation]:
        with self._lock:
            names = [query.instance] if query.instance is not None else list(self._journals)
            return [
                deviation
                for name in names
                for deviation in deviations_of(self.facts(name))
                if matches_deviation(deviation, query)
                and query.group in (None, self._journals[name].instance.group)
            ]

    def _find(self, instance: str, command_id: str | None) -> LockedInstance:
        journal = self._journals.get(instance)
        if journal is None:
            return _NOT_STORED
        completed = None if command_id is None else self._completed.get((instance, command_id))
        return LockedInstance(journal.instance, journal, completed)

    def _save(self, locked: LockedInstance, change: ChangeSet | Decision) -> None:
        instance, command_id = change.instance, change.command_id
        name, journal = instance.id, self._journals.get(instance.id)
        last = 0 if journal is None else journal.instance.sequence
        # everything that can be refused before anything is changed: nothing is rolled back here
        if change.facts and change.facts[0].sequence != last + 1:
            raise out_of_turn(name)
        if command_id is not None:
            if (name, command_id) in self._completed:
                raise out_of_turn(name)
            self._completed[name, command_id] = CompletedCommand(instance.sequence)
        if journal is None:
            self._journals[name] = MemoryJournal(change.written(locked))
        elif isinstance(change, ChangeSet):
            journal.append(change)
        else:
            journal.append_decision(change)
        self.feed.add(change.facts)
        if locked.instance is None or locked.instance.next_us != instance.next_us:
            self._moved_timers.add(name)

    def _tables(self, journal: MemoryJournal, commands: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
        name = journal.instance.id
        return {
            "svcflow_instances": [rows.of_instance(journal)],
            "svcflow_facts": rows.of_journal(name, journal.entries(), self.feed.positions),
            "svcflow_commands": commands,
            "svcflow_work": rows.of_work(name, journal.work()),
            "svcflow_deliveries": self.feed.deliveries(name),
        }

    def _push_moved(self) -> None:
        """Push instances whose due instant has changed onto the heap; between two reads one may change many times."""
        for name in self._moved_timers:
            due_us = self._journals[name].instance.next_us
            if due_us != NEVER:
                heappush(self._timers, SweepPosition(due_us, name))
        self._moved_timers.clear()

    def _due(self, until_us: int, after: SweepPosition) -> list[SweepPosition]:
        """Return the next batch of the heap; the entries stay on it."""
        self._push_moved()
        passed: list[SweepPosition] = []
        due: list[SweepPosition] = []
        while self._timers and self._timers[0].due_us <= until_us and len(due) < SWEEP_BATCH:
            timer = heappop(self._timers)
            # a hold that is over at once pushes the same instant again; in two entries the instance would be swept twice
            is_double = self._timers and self._timers[0] == timer
            if self._is_current(timer) and not is_double:
                (due if timer > after else passed).append(timer)
        for timer in (*passed, *due):
            heappush(self._timers, timer)
        return due

    def _is_current(self, timer: SweepPosition) -> bool:
        return self._journals[timer.instance].instance.next_us == timer.due_us


def _order(deviation: Deviation) -> tuple[int, str, int]:
    return deviation.occurred_us, deviation.instance, deviation.sequence


def _work_items(journal: MemoryJournal, now_us: int) -> Iterator[WorkItem]:
    instance = journal.instance
    for work in journal.work():
        item = work._replace(assignee="") if has_lapsed(instance, work.step, now_us) else work
        yield work_item(instance, item)
