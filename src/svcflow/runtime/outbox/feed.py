"""Port of the feed: the facts of all instances in the order of their commits, and the state of each subscription.

Stores implement it; the workers of `delivery` use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from svcflow.kernel.facts import Fact

FEED_BATCH = 500
"""How many facts one reading looks at, at most."""

DeliveryState = Literal["waiting", "blocked", "dead"]
"""Due at an instant; behind another fact of its instance; given up."""


class FeedEntry(NamedTuple):
    """One fact of the feed; `body` holds its canonical bytes in the journal, without personal data.

    `behind` is true while earlier facts of its instance wait to be delivered.
    """

    position: int
    fact: Fact
    body: bytes
    behind: bool = False


class FeedBatch(NamedTuple):
    """Result of one reading: the position up to which it looked, and the facts of the kinds it was to return."""

    position: int
    facts: Sequence[FeedEntry]


class UndeliveredFact(NamedTuple):
    """A fact that one subscription has not taken yet.

    `at_us` is when it is tried again; of a dead one, when it was given up.
    """

    subscription: str
    entry: FeedEntry
    attempts: int
    at_us: int
    error: str


class DeliveryFailure(NamedTuple):
    """What a feed records of a fact that was not delivered."""

    instance: str
    sequence: int
    attempts: int
    at_us: int
    state: DeliveryState
    error: str


class DeliveryProgress(NamedTuple):
    """Changes to a subscription that are recorded together: its cursor, facts that failed, and facts done at last."""

    position: int
    failures: Sequence[DeliveryFailure] = ()
    done: Sequence[tuple[str, int]] = ()

    @property
    def instances(self) -> Sequence[str]:
        """The instances whose undelivered facts change."""
        failed = {failure.instance for failure in self.failures}
        return sorted(failed | {instance for instance, _ in self.done})


class SubscriptionStatus(NamedTuple):
    """Status of a subscription: its cursor, and how many facts lie ahead of it, wait to be tried again, are dead."""

    name: str
    position: int
    lag: int
    waiting: int
    dead: int


class SubscriptionPosition(NamedTuple):
    """Cursor of a subscription, and when the next fact that waits is tried again; None when none waits."""

    position: int
    next_us: int | None


class Feed(Protocol):
    """Facts of all instances, and the state of each subscription. Safe to use from several threads."""

    def settled_position(self) -> int:
        """Return the position up to which nothing can be added any more; 0 for an empty feed."""
        ...

    def subscribe(self, name: str, position: int) -> None:
        """Create a subscription at a position; one that exists is left as it is."""
        ...

    def statuses(self) -> Sequence[SubscriptionStatus]:
        """Return the status of each subscription, by name."""
        ...

    def remove(self, name: str, *, discard: bool) -> None:
        """Remove a subscription with its undelivered facts; do nothing when there is none of that name.

        Raises: SubscriptionError while it has dead facts, unless `discard`.
        """
        ...

    def position_of(self, name: str) -> SubscriptionPosition | None:
        """Return the position of a subscription; None when it was removed."""
        ...

    def acquire(self, name: str, owner: str, now_us: int, until_us: int) -> int | None:
        """Acquire the lease of a subscription up to an instant.

        Return its cursor; None when another owner holds the lease, or the subscription was removed.
        """
        ...

    def record(self, name: str, owner: str, notes: DeliveryProgress, until_us: int) -> bool:
        """Record progress and extend the lease up to an instant; 0 releases it.

        Record nothing and return False when another owner has the lease by now.
        """
        ...

    def read(self, name: str, kinds: frozenset[str], after: int, until: int) -> FeedBatch:
        """Return facts of some kinds, of all for an empty set, behind one position and up to another.

        One reading looks at `FEED_BATCH` facts at most.
        """
        ...

    def due(self, name: str, now_us: int) -> Sequence[UndeliveredFact]:
        """Return the facts to try again now, soonest first, the first of each instance only.

        At most `FEED_BATCH` are returned.
        """
        ...

    def undelivered(self, state: DeliveryState) -> Sequence[UndeliveredFact]:
        """Return the facts in a state, by subscription and position."""
        ...

    def requeue(self, name: str, instance: str | None, now_us: int) -> int:
        """Put dead facts, of one instance or all, back in line, and make those that wait due now.

        Return how many were dead.
        """
        ...
