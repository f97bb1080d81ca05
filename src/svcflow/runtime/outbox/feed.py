"""The feed: the facts of all instances in the order in which they were kept, and how far each subscription is.

It is what a store gives to those who deliver. It knows no handlers, and does not say when to try again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from svcflow.kernel.facts import Fact

FEED_BATCH = 500
"""How many facts are looked at in one reading, at most."""

DeliveryState = Literal["waiting", "blocked", "dead"]
"""Due at an instant; behind another fact of its instance; given up."""


class FeedEntry(NamedTuple):
    """Hold one fact of the feed; `body` is what the journal keeps of it, with no personal data.

    `behind` says that earlier facts of its instance still wait to be delivered.
    """

    position: int
    fact: Fact
    body: bytes
    behind: bool = False


class FeedBatch(NamedTuple):
    """Hold what one reading came to: how far it looked, and the facts it was asked for."""

    position: int
    facts: Sequence[FeedEntry]


class UndeliveredFact(NamedTuple):
    """Hold one fact that could not be delivered yet.

    `at_us` is when it is tried again; of a dead one, when it was given up.
    """

    subscription: str
    fed: FeedEntry
    attempts: int
    at_us: int
    error: str


class DeliveryFailure(NamedTuple):
    """Say what is to be noted of a fact that was not delivered."""

    instance: str
    sequence: int
    attempts: int
    at_us: int
    state: DeliveryState
    error: str


class DeliveryProgress(NamedTuple):
    """Hold what is to be kept together: the cursor, what failed, and what left its line."""

    position: int
    failures: Sequence[DeliveryFailure] = ()
    done: Sequence[tuple[str, int]] = ()

    @property
    def instances(self) -> Sequence[str]:
        """Whose lines they change."""
        return sorted({one.instance for one in self.failures} | {instance for instance, _ in self.done})


class SubscriptionStatus(NamedTuple):
    """Say how a subscription stands: its cursor, how many facts it has not looked at, what waits, what is dead."""

    name: str
    position: int
    lag: int
    waiting: int
    dead: int


class SubscriptionPosition(NamedTuple):
    """Hold what a glance at a subscription shows: its cursor, and when the next of what waits is due."""

    position: int
    next_us: int | None


class Feed(Protocol):
    """Read the facts of all instances, and keep how far each subscription is. Safe to use from several threads."""

    def settled_position(self) -> int:
        """Return the position up to which nothing can be added any more; 0 when there is nothing."""
        ...

    def subscribe(self, name: str, position: int) -> None:
        """Create a subscription that stands at a position, unless there is one of that name."""
        ...

    def standings(self) -> Sequence[SubscriptionStatus]:
        """Return how each subscription stands, by name."""
        ...

    def remove(self, name: str, *, discard: bool) -> None:
        """Remove a subscription, if there is one, and everything that is kept of it.

        Raises: SubscriptionError while there are facts that it gave up, unless `discard`.
        """
        ...

    def look(self, name: str) -> SubscriptionPosition | None:
        """Return where a subscription stands, and when what waits is next due; None when it was removed."""
        ...

    def take(self, name: str, owner: str, now_us: int, until_us: int) -> int | None:
        """Take the lease of a subscription up to an instant; return its cursor, None when another holds it."""
        ...

    def note(self, name: str, owner: str, notes: DeliveryProgress, until_us: int) -> bool:
        """Keep what was done, and the lease up to an instant (0 gives it back).

        Keeps nothing and returns False when another worker has taken the lease meanwhile.
        """
        ...

    def read(self, name: str, kinds: frozenset[str], after: int, until: int) -> FeedBatch:
        """Return facts of these kinds (none: of all) behind a position and up to another, `FEED_BATCH` at most."""
        ...

    def due(self, name: str, now_us: int) -> Sequence[UndeliveredFact]:
        """Return what is to be tried again now, soonest first, `FEED_BATCH` at most; of an instance the first only."""
        ...

    def parked(self, state: DeliveryState) -> Sequence[UndeliveredFact]:
        """Return what is kept in a state, by subscription and position."""
        ...

    def revive(self, name: str, instance: str | None, now_us: int) -> int:
        """Put dead facts back in line and make what waits due now; return how many were dead."""
        ...
