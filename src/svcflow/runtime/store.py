"""What a store must do. The engine speaks to this protocol alone; it knows no file and no database."""

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
from svcflow.runtime.stored_rows import Columns, InstanceRows, LastSeal, Row, SealedLeaf
from svcflow.text import Text

SWEEP_BATCH = 1_000
"""How many instances one sweep looks at in one transaction, at most."""

MAX_FACTS = 1_000
"""How many facts that time brought are recorded in one transaction, at most: others get in between."""


class StoredInstance(NamedTuple):
    """An instance as the store keeps it, with the last link of its journal."""

    instance: Instance
    head: bytes


class CompletedCommand(NamedTuple):
    """What a command that was done came to: the last sequence it wrote. A refused one leaves no answer."""

    sequence: int


class Journal(Protocol):
    """The journal of an instance that is about to change: its last link, and the personal data kept beside it."""

    @property
    def head(self) -> bytes:
        """The link of the last entry."""
        ...

    @property
    def secrets(self) -> Secrets:
        """The personal data kept beside the journal."""
        ...

    def bodies(self) -> Sequence[bytes]:
        """Read the canonical bytes of the entries in the same transaction.

        What others of a group have written, and not committed yet, is among them.
        """
        ...


class StoredJournal(NamedTuple):
    """Journal of a stored instance: `read` gives the bytes of its entries."""

    head: bytes = GENESIS
    secrets: Secrets = NO_SECRETS
    read: Callable[[], Sequence[bytes]] = tuple

    def bodies(self) -> Sequence[bytes]:
        """Read the canonical bytes of the entries."""
        return self.read()


NO_JOURNAL = StoredJournal()


class LockedInstance(NamedTuple):
    """What a store holds of an instance when it is about to change; `completed` if the command ran before.

    `room` is how many more entries the transaction takes.
    """

    instance: Instance | None
    journal: Journal = NO_JOURNAL
    completed: CompletedCommand | None = None
    room: int = MAX_FACTS


class ChangeSet(NamedTuple):
    """What is to be kept together, or not at all.

    `entries` go on from the head that was found, the first one of an instance creates it; without any, what
    stands beside the journal is written anew. `secrets` are all of the instance's when new ones came, and
    `persons` whom the new ones are about; `work` is what it asks for now. None leaves either as it is.
    `forgotten` are persons of whom nothing is kept any more beside this journal. `command_id` is that of a
    command that was done: with one that was refused, or that has yet to be judged, there is none.
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
        """Return the change itself: it is written already."""
        return self

    def leaves(self, found: LockedInstance, read: Callable[[], Sequence[bytes]] = tuple) -> LockedInstance:
        """Return what the change leaves of what was found: what reading would find next."""
        journal = found.journal
        head = self.entries[-1].link if self.entries else journal.head
        secrets = journal.secrets if self.secrets is None else self.secrets
        return LockedInstance(self.instance, StoredJournal(head, secrets, read))


class Decision(NamedTuple):
    """Facts that were decided and the instance they leave, not written down yet: a `ChangeSet` in the making.

    `compiled` is the version of the procedure under which the instance goes on.
    """

    instance: Instance
    facts: Sequence[Fact]
    command_id: str | None
    compiled: Compiled

    def written(self, found: LockedInstance) -> ChangeSet:
        """Return what is to be kept: entries with commitments and links that go on from the journal, and the work.

        Raises: FieldError when a value has no JSON form.
        """
        instance, journal = self.instance, found.journal
        commitments = Commitments(journal.secrets, self.compiled.personal, instance.recipient)
        entries = chained(journal.head, self.facts, commitments)
        work = changed_work(self.compiled, found.instance, instance)
        if not commitments.added:
            return ChangeSet(instance, entries, self.command_id, work=work)
        persons = frozenset(secret.person for secret in commitments.added.values())
        return ChangeSet(instance, entries, self.command_id, commitments.all_secrets(), persons, work)


Decide = Callable[[LockedInstance], ChangeSet | Decision | None]
"""Say what is to be kept; None for nothing. It may be asked again when somebody else was faster."""


class SweepPosition(NamedTuple):
    """How far a sweep has come: the due instant and the id of the last instance it looked at."""

    due_us: int
    instance: str


SWEEP_START = SweepPosition(-(2**63), "")


def sweep_due(
    due: Iterable[tuple[SweepPosition, LockedInstance]],
    decide: Decide,
    keep: Callable[[LockedInstance, ChangeSet], None],
) -> SweepPosition | None:
    """Ask about instances that are due, until the transaction is full; return how far it came."""
    come, room = None, MAX_FACTS
    for place, found in due:
        change = decide(found._replace(room=room))
        entries = 0 if change is None else len(change.facts)
        if not fits(entries, room):
            break
        come, room = place, room - entries
        if change is not None:
            keep(found, change.written(found))
        if room <= 0:
            break
    return come


def fits(entries: int, room: int) -> bool:
    """Say whether so many entries go into a transaction; the first change of one always does."""
    return entries <= room or room == MAX_FACTS


class Store(Protocol):
    """Keep instances and journals. Safe to use from several threads."""

    @property
    def feed(self) -> Feed:
        """The facts of all instances, for those who deliver them."""
        ...

    def change(self, instance: str, command_id: str | None, decide: Decide) -> None:
        """Ask `decide` about an instance nobody else can change meanwhile, and keep what it says, durably.

        An error that `decide` raises keeps nothing and passes through. Raises: StoreError when the entries
        do not go on from what was found.
        """
        ...

    def sweep(self, until_us: int, after: SweepPosition, decide: Decide) -> SweepPosition | None:
        """Ask `decide` about the next `SWEEP_BATCH` instances due up to `until_us`, soonest first, as `change` does.

        It ends sooner when it holds `MAX_FACTS` entries; a change of more than there is room for is not kept, and
        asked for again by the next sweep. Returns how far it came, None when there was none. What another
        process has in hand is left to it.
        """
        ...

    def load(self, instance: str) -> StoredInstance | None:
        """Return the instance as last kept."""
        ...

    def secrets(self, instance: str) -> Secrets:
        """Return the personal data kept beside an instance's journal."""
        ...

    def instances_of(self, person: str) -> Sequence[str]:
        """Return the instances beside whose journals data of a person are kept."""
        ...

    def mentioning(self, person: str) -> Sequence[str]:
        """Return the instances whose journals hold a person's name in the clear, as some texts and old entries do."""
        ...

    def scrub(self, person: str) -> None:
        """Erase a person from the delegations, and leave nothing of what was erased in files in use."""
        ...

    def seal(self, sealed_us: int) -> Checkpoint:
        """Seal what was written since the last seal; the checkpoint is to be kept elsewhere.

        Raises: CorruptJournal when a journal does not go on from its last leaf, or the leaves are not those sealed.
        """
        ...

    @property
    def columns(self) -> Mapping[str, Columns]:
        """The columns of each table, in the order in which its rows are given."""
        ...

    def instance_rows(self, instance: str | None = None) -> Iterator[InstanceRows]:
        """Yield what is kept of each instance, or of one, as it is, few of them in memory at once.

        Rows that are about an instance that is not there are given too.
        """
        ...

    def table_rows(self, table: str) -> Sequence[Row]:
        """Return the rows of a table that is about no single instance."""
        ...

    def last_position(self) -> int:
        """Return the position of the fact that was kept last; 0 when there is none."""
        ...

    def last_seal(self) -> LastSeal | None:
        """Return the last seal; None when nothing was sealed."""
        ...

    def sealed(self) -> Iterator[SealedLeaf]:
        """Yield the leaves of the sealed tree in their order, with the links of their entries."""
        ...

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence, with the personal data that is kept."""
        ...

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the journal as (canonical bytes, link), as it is kept."""
        ...

    def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Return the instances asked for, newest first."""
        ...

    def instance_counts(self, query: InstanceQuery, by: InstanceKey | None) -> Mapping[str, int]:
        """Count the instances asked for, under each key, or all of them under `""`."""
        ...

    def ids(self) -> Iterator[str]:
        """Yield the id of every instance."""
        ...

    def deviations(self, query: DeviationQuery) -> Page[Deviation]:
        """Return the deviations asked for, in the order in which they occurred."""
        ...

    def deviation_counts(self, query: DeviationQuery, by: DeviationKey | None) -> Mapping[str, int]:
        """Count the deviations asked for, under each key, or all of them under `""`."""
        ...

    def worklist(self, query: WorkQuery) -> Page[WorkItem]:
        """Return the work that waits, the soonest due first."""
        ...

    def delegations(self) -> Sequence[Delegation]:
        """Return every delegation that was ever given."""
        ...

    def keep_delegation(self, delegation: Delegation) -> None:
        """Keep a new delegation, or that one of this id was revoked.

        Raises: FieldError when the id is that of a delegation between others, forgotten ones too.
        """
        ...

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due; None when nothing is."""
        ...

    def digest(self, procedure: str, version: int) -> str | None:
        """Return the digest that a version of a procedure was pinned to; None when it was not yet."""
        ...

    def pin(self, procedure: str, version: int, digest: str) -> str:
        """Pin a version of a procedure to a digest, unless it is pinned; return the one that counts, durably."""
        ...

    def wants_rebuilding(self) -> str:
        """Say what of an older version of the store is to be told anew: `instances`, `work` of them, or nothing."""
        ...

    def rebuilt(self) -> None:
        """Note that all of them were."""
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...


def out_of_turn(instance: str) -> StoreError:
    """Return the error for entries that do not continue a journal, or repeat an answered command."""
    return StoreError(
        Text(zh=f"实例 {instance} 的留痕不连续", en=f"entries of {instance} do not go on from its last one"),
        Text(zh="重新读取后再试", en="load it again and decide anew"),
    )
