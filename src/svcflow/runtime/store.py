"""What a store must do. The engine speaks to this protocol alone; it knows no file and no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from svcflow.errors import StoreError
from svcflow.journal.chain import Entry
from svcflow.kernel.deviations import Deviation
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance, Status
from svcflow.text import Text


class Kept(NamedTuple):
    """An instance as the store keeps it, with the last link of its journal."""

    instance: Instance
    head: bytes


class Answer(NamedTuple):
    """What a command came to when it first ran: the last sequence it wrote, and the refusal's if refused."""

    sequence: int
    refused: int


class InstanceQuery(NamedTuple):
    """Which instances are asked for; None means any. `limit` bounds the answer, newest first."""

    procedure: str | None = None
    status: Status | None = None
    limit: int = 1_000


class DeviationQuery(NamedTuple):
    """Which deviations are asked for; None means any. Instants are microseconds of UTC, `since` included."""

    instance: str | None = None
    procedure: str | None = None
    kind: str | None = None
    step: str | None = None
    role: str | None = None
    since_us: int | None = None
    until_us: int | None = None


class Transaction(Protocol):
    """One unit of work: all of it is kept, or none."""

    def load(self, instance: str) -> Kept | None:
        """Return the instance, locked for this transaction; None when there is none."""
        ...

    def answer(self, instance: str, command_id: str) -> Answer | None:
        """Return what a command of this id came to, if it ran before."""
        ...

    def facts(self, instance: str, until: int | None = None) -> Sequence[Fact]:
        """Return the instance's facts in order, up to a sequence."""
        ...

    def append(
        self, instance: Instance, entries: Sequence[Entry], *, command_id: str | None, refused: int
    ) -> None:
        """Write entries and the instance they leave; the first entry of an instance creates it.

        Once for an instance in one transaction. Raises: StoreError when they do not go on from the last one.
        """
        ...


class Store(Protocol):
    """Keep instances and journals. Safe to use from several threads."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a writing transaction; leaving it without an error makes it durable."""
        ...

    def load(self, instance: str) -> Kept | None:
        """Return the instance as last kept."""
        ...

    def facts(self, instance: str) -> Sequence[Fact]:
        """Return the instance's facts in order."""
        ...

    def rows(self, instance: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield the journal as (canonical bytes, link), as it is kept."""
        ...

    def instances(self, query: InstanceQuery) -> Sequence[Instance]:
        """Return the instances asked for, newest first."""
        ...

    def ids(self) -> Iterator[str]:
        """Yield the id of every instance."""
        ...

    def deviations(self, query: DeviationQuery) -> Sequence[Deviation]:
        """Return the deviations asked for, in the order in which they occurred."""
        ...

    def due(self, until_us: int, most: int) -> Sequence[str]:
        """Return instances for which something is due up to `until_us`, soonest first."""
        ...

    def next_due_us(self) -> int | None:
        """Return the next instant at which something is due; None when nothing is."""
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
