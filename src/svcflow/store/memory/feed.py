"""Feed of a store in memory: positions are indexes of a list, queues are dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count, islice
from threading import RLock

from svcflow.kernel.facts import Fact
from svcflow.runtime.outbox.feed import (
    FEED_BATCH,
    DeliveryFailure,
    DeliveryProgress,
    DeliveryState,
    FeedBatch,
    FeedEntry,
    SubscriptionPosition,
    SubscriptionStatus,
    UndeliveredFact,
)
from svcflow.runtime.outbox.subscription import undelivered
from svcflow.runtime.stored_rows import Row
from svcflow.store.memory import rows
from svcflow.store.memory.journal import MemoryJournal

Queue = dict[int, DeliveryFailure]
"""The facts of one instance that one subscription has passed and not delivered, by sequence."""


class _SubscriptionState:
    """Position, lease and queues of one subscription."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.owner = ""
        self.lease_until_us = 0
        self.queues: dict[str, Queue] = {}

    def heads(self) -> Iterable[DeliveryFailure]:
        """Return the first undelivered fact of each queue."""
        return (head for queue in self.queues.values() if (head := _head(queue)) is not None)

    def undelivered(self) -> list[DeliveryFailure]:
        """Return the facts of all queues."""
        return [failure for queue in self.queues.values() for failure in queue.values()]


_NONE = _SubscriptionState(0)
"""Stands for a subscription that was removed while a worker was reading from it."""


class MemoryFeed:
    """Feed on the journals of a store in memory, behind its lock."""

    def __init__(self, lock: RLock, journals: Mapping[str, MemoryJournal]) -> None:
        self._lock = lock
        self._journals = journals
        self._log: list[tuple[str, int]] = []
        self._positions: dict[tuple[str, int], int] = {}
        self._subscriptions: dict[str, _SubscriptionState] = {}

    def add(self, facts: Iterable[Fact]) -> None:
        """Append facts that were just written."""
        for fact in facts:
            self._log.append((fact.instance, fact.sequence))

    @property
    def positions(self) -> Mapping[tuple[str, int], int]:
        """The position of each fact, by instance and sequence."""
        known = len(self._positions)
        if known < len(self._log):  # seldom read, so they are counted then
            self._positions.update(zip(self._log[known:], count(known + 1), strict=False))
        return self._positions

    def settled_position(self) -> int:
        """Return the last position; 0 for an empty feed."""
        return len(self._log)

    def subscribe(self, name: str, position: int) -> None:
        """Create a subscription at a position; one that exists is left as it is."""
        with self._lock:
            self._subscriptions.setdefault(name, _SubscriptionState(position))

    def statuses(self) -> Sequence[SubscriptionStatus]:
        """Return the status of each subscription, by name."""
        with self._lock:
            return [
                self._status(name, subscription) for name, subscription in sorted(self._subscriptions.items())
            ]

    def remove(self, name: str, *, discard: bool) -> None:
        """Remove a subscription with its undelivered facts; do nothing when there is none of that name."""
        with self._lock:
            subscription = self._subscriptions.get(name, _NONE)
            dead = sum(failure.state == "dead" for failure in subscription.undelivered())
            if dead and not discard:
                raise undelivered(name, dead)
            self._subscriptions.pop(name, None)

    def position_of(self, name: str) -> SubscriptionPosition | None:
        """Return the position of a subscription; None when it was removed."""
        with self._lock:
            subscription = self._subscriptions.get(name)
            if subscription is None:
                return None
            return SubscriptionPosition(
                subscription.position, min((head.at_us for head in subscription.heads()), default=None)
            )

    def acquire(self, name: str, owner: str, now_us: int, until_us: int) -> int | None:
        """Acquire the lease of a subscription up to an instant; return its cursor, None when another worker holds it."""
        with self._lock:
            subscription = self._subscriptions.get(name)
            if subscription is None or (subscription.owner and subscription.lease_until_us > now_us):
                return None
            subscription.owner, subscription.lease_until_us = owner, until_us
            return subscription.position

    def record(self, name: str, owner: str, notes: DeliveryProgress, until_us: int) -> bool:
        """Record progress and extend the lease up to an instant; 0 releases it."""
        with self._lock:
            subscription = self._subscriptions.get(name)
            if subscription is None or subscription.owner != owner:
                return False
            subscription.owner = owner if until_us else ""
            subscription.position, subscription.lease_until_us = notes.position, until_us
            for failure in notes.failures:
                subscription.queues.setdefault(failure.instance, {})[failure.sequence] = failure
            for instance, sequence in notes.done:
                del subscription.queues[instance][sequence]
                if not subscription.queues[instance]:
                    del subscription.queues[instance]
            return True

    def read(self, name: str, kinds: frozenset[str], after: int, until: int) -> FeedBatch:
        """Return facts of some kinds, of all for an empty set, behind one position and up to another."""
        with self._lock:
            queues = self._subscriptions.get(name, _NONE).queues
            last = min(until, after + FEED_BATCH, len(self._log))
            entries = [
                self._entry(key, behind=_head(queues.get(key[0], {})) is not None)
                for key in islice(self._log, after, last)
            ]
        return FeedBatch(last, [entry for entry in entries if not kinds or entry.fact.kind in kinds])

    def due(self, name: str, now_us: int) -> Sequence[UndeliveredFact]:
        """Return the facts to try again now, soonest first, the first of each instance only."""
        with self._lock:
            heads = [head for head in self._subscriptions.get(name, _NONE).heads() if head.at_us <= now_us]
            heads.sort(key=lambda head: (head.at_us, head.instance))
            return [self._undelivered(name, head) for head in heads[:FEED_BATCH]]

    def undelivered(self, state: DeliveryState) -> Sequence[UndeliveredFact]:
        """Return the facts in a state, by subscription and position."""
        with self._lock:
            facts = [
                self._undelivered(name, failure)
                for name, subscription in self._subscriptions.items()
                for failure in subscription.undelivered()
                if failure.state == state
            ]
        return sorted(facts, key=lambda fact: (fact.subscription, fact.entry.position))

    def requeue(self, name: str, instance: str | None, now_us: int) -> int:
        """Put dead facts back in their queues and make those that wait due now; return how many were dead."""
        with self._lock:
            subscription = self._subscriptions[name]
            chosen = [
                failure for failure in subscription.undelivered() if instance in (None, failure.instance)
            ]
            for failure in chosen:
                queue = subscription.queues[failure.instance]
                if failure.state == "dead":
                    queue[failure.sequence] = failure._replace(state="waiting", attempts=0, at_us=now_us)
                elif failure.state == "waiting":
                    queue[failure.sequence] = failure._replace(at_us=now_us)
            return sum(failure.state == "dead" for failure in chosen)

    def subscriptions(self) -> Sequence[Row]:
        """Return the rows of the subscriptions."""
        return [
            (name, subscription.position, subscription.owner, subscription.lease_until_us)
            for name, subscription in self._subscriptions.items()
        ]

    def deliveries(self, instance: str) -> Sequence[Row]:
        """Return the rows of the undelivered facts of an instance."""
        return [
            rows.of_delivery(name, failure)
            for name, subscription in sorted(self._subscriptions.items())
            for _, failure in sorted(subscription.queues.get(instance, {}).items())
        ]

    def _status(self, name: str, subscription: _SubscriptionState) -> SubscriptionStatus:
        failures = subscription.undelivered()
        dead = sum(failure.state == "dead" for failure in failures)
        lag = len(self._log) - subscription.position
        return SubscriptionStatus(name, subscription.position, lag, len(failures) - dead, dead)

    def _entry(self, key: tuple[str, int], *, behind: bool = False) -> FeedEntry:
        entry = self._journals[key[0]].entries()[key[1] - 1]
        return FeedEntry(self.positions[key], entry.fact, entry.body, behind)

    def _undelivered(self, name: str, failure: DeliveryFailure) -> UndeliveredFact:
        entry = self._entry((failure.instance, failure.sequence))
        return UndeliveredFact(name, entry, failure.attempts, failure.at_us, failure.error)


def _head(queue: Queue) -> DeliveryFailure | None:
    """Return the first fact of a queue that is not dead."""
    alive = (sequence for sequence, failure in queue.items() if failure.state != "dead")
    first = min(alive, default=None)
    return None if first is None else queue[first]
