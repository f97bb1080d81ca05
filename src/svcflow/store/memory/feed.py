"""The feed of a store in memory: positions are places in a list, lines are dictionaries."""

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

Line = dict[int, DeliveryFailure]
"""The facts of one instance that one subscription has passed and not delivered, by sequence."""


class _SubscriptionState:
    """Hold how far one subscription is, and its lines."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.owner = ""
        self.lease_until_us = 0
        self.lines: dict[str, Line] = {}

    def heads(self) -> Iterable[DeliveryFailure]:
        """Return what waits at the head of each line."""
        return (head for line in self.lines.values() if (head := _head(line)) is not None)

    def kept(self) -> list[DeliveryFailure]:
        """Return all that is in lines."""
        return [one for line in self.lines.values() for one in line.values()]


_NONE = _SubscriptionState(0)
"""Stands for one that was removed while somebody was at it."""


class MemoryFeed:
    """Keep subscriptions beside the journals of a store in memory, behind its lock."""

    def __init__(self, lock: RLock, journals: Mapping[str, MemoryJournal]) -> None:
        self._lock = lock
        self._journals = journals
        self._log: list[tuple[str, int]] = []
        self._positions: dict[tuple[str, int], int] = {}
        self._subscriptions: dict[str, _SubscriptionState] = {}

    def add(self, facts: Iterable[Fact]) -> None:
        """Take in facts that were just kept."""
        for fact in facts:
            self._log.append((fact.instance, fact.sequence))

    @property
    def positions(self) -> Mapping[tuple[str, int], int]:
        """The position of each fact, by instance and sequence."""
        known = len(self._positions)
        if known < len(self._log):  # seldom asked for, so they are counted then
            self._positions.update(zip(self._log[known:], count(known + 1), strict=False))
        return self._positions

    def settled_position(self) -> int:
        """Return the last position."""
        return len(self._log)

    def subscribe(self, name: str, position: int) -> None:
        """Create a subscription that stands at a position, unless there is one of that name."""
        with self._lock:
            self._subscriptions.setdefault(name, _SubscriptionState(position))

    def statuses(self) -> Sequence[SubscriptionStatus]:
        """Return how each subscription stands, by name."""
        with self._lock:
            return [self._standing(name, one) for name, one in sorted(self._subscriptions.items())]

    def remove(self, name: str, *, discard: bool) -> None:
        """Remove a subscription, if there is one, and everything that is kept of it."""
        with self._lock:
            one = self._subscriptions.get(name, _NONE)
            dead = sum(each.state == "dead" for each in one.kept())
            if dead and not discard:
                raise undelivered(name, dead)
            self._subscriptions.pop(name, None)

    def position_of(self, name: str) -> SubscriptionPosition | None:
        """Return where a subscription stands, and when what waits is next due; None when it was removed."""
        with self._lock:
            one = self._subscriptions.get(name)
            if one is None:
                return None
            return SubscriptionPosition(one.position, min((head.at_us for head in one.heads()), default=None))

    def acquire(self, name: str, owner: str, now_us: int, until_us: int) -> int | None:
        """Take the lease of a subscription up to an instant; return its cursor, None when another holds it."""
        with self._lock:
            one = self._subscriptions.get(name)
            if one is None or (one.owner and one.lease_until_us > now_us):
                return None
            one.owner, one.lease_until_us = owner, until_us
            return one.position

    def record(self, name: str, owner: str, notes: DeliveryProgress, until_us: int) -> bool:
        """Keep what was done, and the lease up to an instant (0 gives it back)."""
        with self._lock:
            one = self._subscriptions.get(name)
            if one is None or one.owner != owner:
                return False
            one.owner, one.position, one.lease_until_us = owner if until_us else "", notes.position, until_us
            for failure in notes.failures:
                one.lines.setdefault(failure.instance, {})[failure.sequence] = failure
            for instance, sequence in notes.done:
                del one.lines[instance][sequence]
                if not one.lines[instance]:
                    del one.lines[instance]
            return True

    def read(self, name: str, kinds: frozenset[str], after: int, until: int) -> FeedBatch:
        """Return facts of these kinds (none: of all) behind a position and up to another."""
        with self._lock:
            lines = self._subscriptions.get(name, _NONE).lines
            last = min(until, after + FEED_BATCH, len(self._log))
            fed = [
                self._fed(key, behind=_head(lines.get(key[0], {})) is not None)
                for key in islice(self._log, after, last)
            ]
        return FeedBatch(last, [one for one in fed if not kinds or one.fact.kind in kinds])

    def due(self, name: str, now_us: int) -> Sequence[UndeliveredFact]:
        """Return what is to be tried again now, soonest first; of an instance the first only."""
        with self._lock:
            heads = [head for head in self._subscriptions.get(name, _NONE).heads() if head.at_us <= now_us]
            heads.sort(key=lambda head: (head.at_us, head.instance))
            return [self._parked(name, head) for head in heads[:FEED_BATCH]]

    def undelivered(self, state: DeliveryState) -> Sequence[UndeliveredFact]:
        """Return what is kept in a state, by subscription and position."""
        with self._lock:
            found = [
                self._parked(name, failure)
                for name, one in self._subscriptions.items()
                for failure in one.kept()
                if failure.state == state
            ]
        return sorted(found, key=lambda one: (one.subscription, one.entry.position))

    def requeue(self, name: str, instance: str | None, now_us: int) -> int:
        """Put dead facts back in line and make what waits due now; return how many were dead."""
        with self._lock:
            some = [one for one in self._subscriptions[name].kept() if instance in (None, one.instance)]
            for one in some:
                line = self._subscriptions[name].lines[one.instance]
                if one.state == "dead":
                    line[one.sequence] = one._replace(state="waiting", attempts=0, at_us=now_us)
                elif one.state == "waiting":
                    line[one.sequence] = one._replace(at_us=now_us)
            return sum(one.state == "dead" for one in some)

    def subscriptions(self) -> Sequence[Row]:
        """Return how each subscription stands, as rows of their table."""
        return [
            (name, one.position, one.owner, one.lease_until_us) for name, one in self._subscriptions.items()
        ]

    def deliveries(self, instance: str) -> Sequence[Row]:
        """Return what waits of an instance, as rows of their table."""
        return [
            rows.of_delivery(name, failure)
            for name, one in sorted(self._subscriptions.items())
            for _, failure in sorted(one.lines.get(instance, {}).items())
        ]

    def _standing(self, name: str, one: _SubscriptionState) -> SubscriptionStatus:
        kept = one.kept()
        dead = sum(each.state == "dead" for each in kept)
        return SubscriptionStatus(name, one.position, len(self._log) - one.position, len(kept) - dead, dead)

    def _fed(self, key: tuple[str, int], *, behind: bool = False) -> FeedEntry:
        entry = self._journals[key[0]].entries()[key[1] - 1]
        return FeedEntry(self.positions[key], entry.fact, entry.body, behind)

    def _parked(self, name: str, one: DeliveryFailure) -> UndeliveredFact:
        return UndeliveredFact(
            name, self._fed((one.instance, one.sequence)), one.attempts, one.at_us, one.error
        )


def _head(line: Line) -> DeliveryFailure | None:
    """Return the first fact of a line that is not dead."""
    first = min((sequence for sequence, one in line.items() if one.state != "dead"), default=None)
    return None if first is None else line[first]
