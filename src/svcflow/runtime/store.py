"""Port of the store: the protocol that engines use, and the values that go through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from svcflow.errors import StoreError
from svcflow.journal.chain import GENESIS, Entry, chained
from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.personal_data import NO_SECRETS, Commitments, Secrets
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.lifecycle.work_items import Work, changed_work
from svcflow.runtime.filters import (
    DeviationKey,
    DeviationQuery,
    InstanceKey,
    InstanceQuery,
    Page,
    WorkItem,
    WorkQuery,
)
from svcflow.runtime.outbox.feed import Feed
from svcflow.runtime.start_positions import StartPosition
from svcflow.runtime.stored_rows import Columns, InstanceRows, LastSeal, Row, SealedLeaf
from svcflow.text import Text

SWEEP_BATCH = 1_000
"""How many instances one transaction of a sweep looks at, at most."""

MAX_FACTS = 1_000
"""How many facts that time brought are recorded in one transaction, at most, so that others get in between."""


class StoredInstance(NamedTuple):
    """A stored instance with the last link of its journal."""

    instance: Instance
    head: bytes


class CompletedCommand(NamedTuple):
    """A command that was done before: `sequence` is that of the last fact it recorded. A refusal leaves none."""

    sequence: int


class Journal(Protocol):
    """Journal of an instance that is about to change."""

    @property
    def head(self) -> bytes:
        """The link of the last entry."""
        ...

    @property
    def secrets(self) -> Secrets:
        """The personal data that stand beside the journal."""
        ...

    def bodies(self) -> Sequence[bytes]:
        """Return the canonical bytes of the entries, read in the same transaction.

        What others of a group have written and not committed yet is among them.
        """
        ...


class StoredJournal(NamedTuple):
    """Journal of a stored instance; `read` returns the canonical bytes of its entries."""

    head: bytes = GENESIS
    secrets: Secrets = NO_SECRETS
    read: Callable[[], Sequence[bytes]] = tuple

    def bodies(self) -> Sequence[bytes]:
        """Return the canonical bytes of the entries."""
        return self.read()


NO_JOURNAL = StoredJournal()


class LockedInstance(NamedTuple):
    """An instance that nobody else can change until the transaction ends.

    `instance` is None when there is none of that id yet. `completed` is set when the command was done before. `room` is how many more entries the transaction takes.
    """

    instance: Instance | None
    journal: Journal = NO_JOURNAL
    completed: CompletedCommand | None = None
    room: int = MAX_FACTS


class ChangeSet(NamedTuple):
    """Changes to one instance that are committed together, or not at all.

    `entries` continue the journal from its head, and the first one creates the instance; without entries, only the
    rows beside the journal are written anew. `secrets` are all of the instance's when new ones came, `persons` those
    whom the new ones are about, `work` the items that wait now; None leaves secrets and work as they are.
    `forgotten` are persons of whom nothing stands beside this journal any more. `command_id` is that of a command
    that was done: one that was refused, or has yet to be judged, gives none.
    """

    instance: Instance
    entries: Sequence[Entry]
    command_id: str | None = None
    secrets: Secrets | None = None
    persons: frozenset[str] = frozenset()
    work: Sequence[Work] | None = None
    forgotten: frozenset[str] = frozenset()

    @property
    def facts(self) -> Sequence[Fact]:
        """The facts of its entries."""
        return [entry.fact for entry in self.entries]

    def written(self, _: LockedInstance) -> ChangeSet:
        """Return the change set itself: it is written already."""
        return self

    def leaves(self, locked: LockedInstance, read: Callable[[], Sequence[bytes]] = tuple) -> LockedInstance:
        """Return the instance as this change leaves it: what reading it again would return."""
        journal = locked.journal
        head = self.entries[-1].link if self.entries else journal.head
        secrets = journal.secrets if self.secrets is None else self.secrets
        return LockedInstance(self.instance, StoredJournal(head, secrets, read))


class Decision(NamedTuple):
    """Facts that were decided and the instance they lead to, not yet in the form of a `ChangeSet`.

    `compiled` is the version of the procedure under which the instance goes on.
    """

    instance: Instance
    facts: Sequence[Fact]
    command_id: str | None
    compiled: Compiled

    def written(self, locked: LockedInstance) -> ChangeSet:
        """Return the change set: entries with commitments and links that continue the journal, and the work.

        Raises: FieldError when a value has no JSON form.
        """
        instance, journal = self.instance, locked.journal
        commitments = Commitments(journal.secrets, self.compiled.personal, instance.recipient)
        entries = chained(journal.head, self.facts, commitments)
        work = changed_work(self.compiled, locked.instance, instance)
        if not commitments.added:
            return ChangeSet(instance, entries, self.command_id, work=work)
        persons = frozenset(secret.person for secret in commitments.added.values())
        return ChangeSet(instance, entries, self.command_id, commitments.all_secrets(), persons, work)


Decide = Callable[[LockedInstance], ChangeSet | Decision | None]
"""Returns what to keep of an instance; None for nothing. A store calls it again when somebody else was faster."""


class SweepPosition(NamedTuple):
    """Position of a sweep: due instant and id of the last instance it looked at."""

    due_us: int
    instance: str


SWEEP_START = SweepPosition(-(2**63), "")


def sweep_due(
    due: Iterable[tuple[SweepPosition, LockedInstance]],
    decide: Decide,
    keep: Callable[[LockedInstance, ChangeSet], None],
) -> SweepPosition | None:
    """Decide instances that are due until the transaction is full; return the position of the last one."""
    last, room = None, MAX_FACTS
    for position, locked in due:
        change = decide(locked._replace(room=room))
        entries = 0 if change is None else len(change.facts)
        if not fits(entries, room):  # a change is kept whole: the next transaction begins with this one
            break
        last, room = position, room - entries
        if change is not None:
            keep(locked, change.written(locked))
        if room <= 0:
            break
    return last


def fits(entries: int, room: int) -> bool:
    """Return whether so many entries go into a transaction; its first change always does."""
    return entries <= room or room == MAX_FACTS


class Store(Protocol):
    """Store of instances and their journals. Safe to use from several threads."""

    @property
    def feed(self) -> Feed:
        """The facts of all instances, for delivery."""
        ...

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Call `decide` with an instance that nobody else can change meanwhile, and commit what it returns, durably.

        An error that `decide` raises passes through, and nothing is written.

        Raises: StoreError when the entries do not continue the journal.
        """
        ...

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Call `decide` with the next instances due up to `until_us`, soonest first, in one transaction.

        Looks at `SWEEP_BATCH` instances at most, and ends sooner when it has `MAX_FACTS` entries; a change of more
        entries than there is room for is not kept, and decided again by the next call. Instances that another
        process has locked are left to it. Returns the position of the last instance, None when there was none.
        """
        ...

    def load(self, instance: str) -> StoredInstance | None:
        """Return an instance with the head of its journal; None when there is none."""
        ...

    def secrets(self, instance: str) -> Secrets:
        """Return the personal data that stand beside an instance's journal."""
        ...

    def instances_of(self, person: str) -> Sequence[str]:
        """Return the instances beside whose journals data of a person stand."""
        ...

    def mentioning(self, person: str) -> Sequence[str]:
        """Return the instances whose journals hold a person's name in the clear, as some texts and old entries do."""
        ...

    def scrub(self, person: str) -> None:
        """Erase a person from the delegations, and what was erased before from the free pages of files in use."""
        ...

    def seal(self, sealed_us: int) -> Checkpoint:
        """Seal what was written since the last seal; return the checkpoint, for keeping elsewhere.

        Raises: CorruptJournal when a journal does not continue its last leaf, or the leaves are not those sealed.
        """
        ...

    @property
    def columns(self) -> Mapping[str, Columns]:
        """The columns of each table, in the order in which its rows are given."""
        ...

    def instance_rows(self, instance: str | None = None) -> Iterator[InstanceRows]:
        """Yield the rows of each instance, or of one, few of them in memory at once.

        Rows of an instance that has no row of its own are yielded too.
        """
        ...

    def table_rows(self, table: str) -> Sequence[Row]:
        """Return the rows of a table that is about no single instance."""
        ...

    def last_position(self) -> int:
        """Return the position of the last fact; 0 when there is none."""
        ...

    def last_seal(self) -> LastSeal | None:
        """Return the last seal; None when nothing was sealed."""
        ...

    def sealed(self) -> Iterator[SealedLeaf]:
        """Yield the leaves of the sealed tree in their order, with the links of their entries."""
        ...

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence, with the personal data beside the journal."""
        ...

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries of a journal as (canonical bytes, link)."""
        ...

    def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Return a page of instances, newest first."""
        ...

    def instance_counts(self, query: InstanceQuery, by: InstanceKey | None) -> Mapping[str, int]:
        """Return the number of instances under each key, or of all of them under `""`."""
        ...

    def ids(self) -> Iterator[str]:
        """Yield the id of every instance."""
        ...

    def deviations(self, query: DeviationQuery) -> Page[Deviation]:
        """Return a page of deviations, in the order in which they occurred."""
        ...

    def deviation_counts(self, query: DeviationQuery, by: DeviationKey | None) -> Mapping[str, int]:
        """Return the number of deviations under each key, or of all of them under `""`."""
        ...

    def worklist(self, query: WorkQuery) -> Page[WorkItem]:
        """Return a page of the work that waits, the soonest due first."""
        ...

    def delegations(self) -> Sequence[Delegation]:
        """Return every delegation, revoked ones and those that have ended too."""
        ...

    def keep_delegation(self, delegation: Delegation) -> None:
        """Write a new delegation, or the revocation of the one of this id.

        Raises: FieldError when the id is that of a delegation between others, forgotten ones too.
        """
        ...

    def starts(self) -> Sequence[StartPosition]:
        """Return how far each regular start is, by procedure and start."""
        ...

    def keep_start(self, before: StartPosition | None, after: StartPosition) -> bool:
        """Write the position of a regular start, durably, if it still is `before`; None where there was none.

        Returns whether it was written: of several processes that go on from one position, one does.
        """
        ...

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due; None when nothing is."""
        ...

    def digest(self, procedure: str, version: int) -> str | None:
        """Return the digest that a version of a procedure is pinned to; None when it is not pinned."""
        ...

    def pin(self, procedure: str, version: int, digest: str) -> str:
        """Pin a version of a procedure to a digest, durably, unless it is pinned; return the digest it is pinned to."""
        ...

    def wants_rebuilding(self) -> str:
        """Return what an older version of the store lacks: `instances`, their `work`, or nothing (`""`)."""
        ...

    def rebuilt(self) -> None:
        """Record that it was rebuilt."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


def out_of_turn(instance: str) -> StoreError:
    """Return the error for entries that do not continue a journal, or repeat a command that was done."""
    return StoreError(
        Text(zh=f"实例 {instance} 的留痕不连续", en=f"entries of {instance} do not go on from its last one"),
        Text(zh="重新读取后再试", en="load it again and decide anew"),
    )
