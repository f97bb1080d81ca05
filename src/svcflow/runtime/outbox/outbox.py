"""Outbox of an engine: its subscriptions, which get each fact at least once, in order per instance.

A handler never harms a transition: it runs after the facts were committed, in a thread or in `deliver()`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

import attrs

from svcflow.errors import SubscriptionError
from svcflow.kernel.facts import Fact, to_datetime
from svcflow.kernel.instance import NEVER
from svcflow.kernel.storable import refuse_non_text
from svcflow.runtime.clock import Clock
from svcflow.runtime.outbox.delivery import Delivered, DeliveryWorker
from svcflow.runtime.outbox.feed import SubscriptionStatus, UndeliveredFact
from svcflow.runtime.outbox.subscription import Since, Subscription, unknown_subscription
from svcflow.runtime.store import Store
from svcflow.runtime.ticker import Running, Ticker
from svcflow.text import Text

_POLL_US = 1_000_000
"""How often a thread looks for facts of other processes, in microseconds."""
_LEAST_US = 50_000
"""How soon, at the soonest, it tries again to get the lease that another worker holds."""
_REST_S = 0.02
"""How long a thread rests after a round: what is recorded meanwhile shares the two commits of the next one."""


@attrs.frozen
class DeadLetter:
    """A fact that a subscription gave up, with the last error of its handler.

    `error` is the class of the error and the place in the handler; of a `DeliveryError` it is its text.
    """

    subscription: str
    fact: Fact
    position: int
    attempts: int
    error: str
    failed_us: int

    @property
    def failed_at(self) -> datetime:
        """When it was given up."""
        return to_datetime(self.failed_us)


class Outbox:
    """The subscriptions of one engine, each with the worker that delivers to it and the thread that runs the worker."""

    def __init__(self, store: Store, clock: Clock, running: Running) -> None:
        self._store = store
        self._clock = clock
        self._running = running
        self.workers: dict[str, DeliveryWorker] = {}
        self._threads: dict[str, Ticker] = {}

    def subscribe(self, subscription: Subscription, since: Since) -> None:
        """Add a subscription; a new one begins at the end of the feed, or at its beginning.

        Raises: SubscriptionError when this engine has one of that name.
        """
        name = subscription.name
        if name in self.workers:
            message = Text(zh=f"已有订阅 {name}", en=f"there is a subscription {name} already")
            raise SubscriptionError(message, Text(zh='用 name="…" 另取名', en='give another name="…"'))
        feed = self._store.feed
        feed.subscribe(name, feed.settled_position() if since == "now" else 0)
        worker = DeliveryWorker(feed, subscription, self._clock)
        thread = self._thread(worker)
        self.workers[name] = worker
        self._threads[name] = thread
        self._running.add(thread)

    def deliver(self) -> Delivered:
        """Deliver what there is by now."""
        total = Delivered()
        for worker in tuple(self.workers.values()):
            total += worker.deliver()
        return total

    def next_us(self) -> int:
        """Return when the next of what could not be delivered is tried again; `NEVER` when nothing waits."""
        waits = [worker.next_us() for worker in self.workers.values()]
        return min((due_us for due_us in waits if due_us is not None), default=NEVER)

    def statuses(self) -> Sequence[SubscriptionStatus]:
        """Return how every subscription of the store stands."""
        return self._store.feed.statuses()

    def dead_letters(self, subscription: str | None) -> tuple[DeadLetter, ...]:
        """Return the facts that were given up, of all subscriptions or one. Raises: UnknownSubscription."""
        if subscription is not None:
            self._refuse_unknown(subscription)
        dead = self._store.feed.undelivered("dead")
        return tuple(_letter(fact) for fact in dead if subscription in (None, fact.subscription))

    def redeliver(self, subscription: str, instance: str | None) -> int:
        """Put dead letters back in line; return how many there were. Raises: UnknownSubscription."""
        self._refuse_unknown(subscription)
        refuse_non_text("instance", instance, needed=False)
        count = self._store.feed.requeue(subscription, instance, self._clock.now_us())
        if subscription in self._threads:
            self._threads[subscription].notice(0)
        return count

    def unsubscribe(self, subscription: str, *, discard: bool) -> None:
        """Remove a subscription from the store, and end its thread.

        Raises: UnknownSubscription; SubscriptionError while there are dead letters, unless `discard`.
        """
        self._refuse_unknown(subscription)
        self._store.feed.remove(subscription, discard=discard)
        self.workers.pop(subscription, None)
        thread = self._threads.pop(subscription, None)
        if thread is not None:
            self._running.drop(thread)

    def wake(self, facts: Sequence[Fact]) -> None:
        """Wake the threads of the subscriptions that get any of these facts."""
        for name in self.subscribers(facts):
            thread = self._threads.get(name)
            if thread is not None:
                thread.notice(0)

    def subscribers(self, facts: Sequence[Fact]) -> list[str]:
        """Return the names of this engine's subscriptions that get any of these facts."""
        if not self.workers:
            return []
        workers = tuple(self.workers.items())  # another thread may subscribe meanwhile
        return [name for name, worker in workers if any(map(worker.subscription.filter.admits, facts))]

    def _thread(self, worker: DeliveryWorker) -> Ticker:
        def deliver() -> None:
            if worker.deliver(thread.may_proceed, thrifty=True).count:
                time.sleep(_REST_S)

        def next_us() -> int:
            now_us, waits_us = self._clock.now_us(), worker.next_us()
            soonest = now_us + _POLL_US if waits_us is None else min(waits_us, now_us + _POLL_US)
            return max(soonest, now_us + _LEAST_US)

        thread = Ticker(deliver, next_us, self._clock, worker.subscription.name)
        return thread

    def _refuse_unknown(self, subscription: str) -> None:
        refuse_non_text("subscription", subscription)
        known = [status.name for status in self._store.feed.statuses()]
        if subscription not in known:
            raise unknown_subscription(subscription, known)


def _letter(dead: UndeliveredFact) -> DeadLetter:
    entry = dead.entry
    return DeadLetter(dead.subscription, entry.fact, entry.position, dead.attempts, dead.error, dead.at_us)
