"""The outbox of an engine: handlers subscribe to facts, and are given them at least once, in order per instance.

A handler never harms a transition: it runs after the facts are kept, in a thread or in `deliver()`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import attrs

from svcflow.errors import SubscriptionError
from svcflow.kernel.facts import Fact, to_datetime
from svcflow.kernel.instance import NEVER
from svcflow.kernel.storable import refuse_no_text
from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure
from svcflow.runtime.clock import Clock
from svcflow.runtime.core import Core
from svcflow.runtime.outbox.delivery import Courier, Delivered
from svcflow.runtime.outbox.dispatcher import AT_ONCE, Dispatcher
from svcflow.runtime.outbox.feed import Parked, Standing
from svcflow.runtime.outbox.subscription import (
    Handler,
    Pace,
    Since,
    Subscription,
    refuse_bare,
    unknown_subscription,
)
from svcflow.runtime.store import Store
from svcflow.runtime.ticker import Running, Ticker
from svcflow.text import Text

_POLL_US = 1_000_000
"""How often a thread looks for what other processes recorded."""
_LEAST_US = 50_000
"""How soon it looks again, at the soonest, at what another worker has in hand."""
_BREATH_S = 0.02
"""How long a thread rests after a round: what is recorded meanwhile shares the two commits of the next one."""

H = TypeVar("H", bound=Handler)


@attrs.frozen
class DeadLetter:
    """Hold a fact that a subscription gave up, and what its handler raised last.

    `error` is its class and the place in the handler; only of a `DeliveryError` it is what the error says.
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


class Outbox(Core):
    """Publish facts to handlers."""

    def __init__(
        self, store: Store, catalog: Catalog | Procedure, clock: Clock | None, *, payload_limit: int
    ) -> None:
        super().__init__(store, catalog, clock, payload_limit=payload_limit)
        self._running = Running()
        self._couriers: dict[str, Courier] = {}
        self._messengers: dict[str, Ticker] = {}
        self._dispatcher: Dispatcher | None = None

    def on_fact(
        self,
        *kinds: str,
        name: str | None = None,
        since: Since = "now",
        attempts: int = 8,
        pause: timedelta = timedelta(seconds=1),
        longest_pause: timedelta = timedelta(hours=1),
        lease: timedelta = timedelta(minutes=1),
    ) -> Callable[[H], H]:
        """Return a decorator: the function is given each fact of these kinds, all facts when none is named.

        A kind is that of a fact (`overdue`, `moved`) or of a deviation (`skipped_step`). How far a
        subscription has come is kept under its `name`, by default the function's. A new one begins with what
        is recorded from now on, or with `since="start"` with the first fact there is. A fact whose handler
        raises is tried `attempts` times; the first pause is `pause`, each further one four times the last.
        A handler that takes longer than `lease` may be called by another worker at the same time.

        Raises: SubscriptionError.
        """
        refuse_bare(kinds)

        def subscribe(handler: H) -> H:
            pace = Pace.of(attempts, pause, longest_pause, lease)
            subscription = Subscription.of(name, kinds, handler, pace)
            if subscription.name in self._couriers:
                message = Text(
                    zh=f"已有订阅 {subscription.name}",
                    en=f"there is a subscription {subscription.name} already",
                )
                raise SubscriptionError(message, Text(zh='用 name="…" 另取名', en='give another name="…"'))
            feed = self._store.feed
            feed.subscribe(subscription.name, feed.settled_position() if since == "now" else 0)
            self._add(Courier(feed, subscription, self.clock))
            return handler

        return subscribe

    def deliver(self) -> Delivered:
        """Deliver what is to be delivered by now; what another worker is at is left to it."""
        total = Delivered()
        for courier in tuple(self._couriers.values()):
            total += courier.deliver()
        if self._dispatcher is not None:
            waits = [courier.next_us() for courier in self._couriers.values()]
            self._deliver_at(min((one for one in waits if one is not None), default=NEVER), self._store)
        return total

    def dispatch_by(self, dispatcher: Dispatcher | None) -> None:
        """Tell a dispatcher from now on when to tick and to deliver; None tells nobody any more."""
        self._dispatcher = dispatcher

    def subscriptions(self) -> tuple[Standing, ...]:
        """Return how every subscription of the store stands, those of other programs too."""
        return tuple(self._store.feed.standings())

    def dead_letters(self, subscription: str | None = None) -> tuple[DeadLetter, ...]:
        """Return the facts that were given up, in order, of all subscriptions or one. Raises: UnknownSubscription."""
        if subscription is not None:
            self._refuse_unknown(subscription)
        dead = self._store.feed.parked("dead")
        return tuple(_letter(one) for one in dead if subscription in (None, one.subscription))

    def redeliver(self, subscription: str, instance: str | None = None) -> int:
        """Put the dead letters of a subscription back in line, and make what waits due now; return how many were dead.

        Raises: UnknownSubscription.
        """
        self._refuse_unknown(subscription)
        refuse_no_text("instance", instance, needed=False)
        count = self._store.feed.revive(subscription, instance, self.clock.now_us())
        if subscription in self._messengers:
            self._messengers[subscription].notice(0)
        return count

    def unsubscribe(self, subscription: str, *, discard: bool = False) -> None:
        """End a subscription: how far it is, what waits and, with `discard`, what it gave up are kept no longer.

        The handler of this engine is not called any more, those of other processes neither; the fact in hand is
        waited for. A program that subscribes under the name begins anew.

        Raises: UnknownSubscription; SubscriptionError while there are dead letters, unless `discard`.
        """
        self._refuse_unknown(subscription)
        self._store.feed.remove(subscription, discard=discard)
        self._couriers.pop(subscription, None)
        messenger = self._messengers.pop(subscription, None)
        if messenger is not None:
            self._running.drop(messenger)

    def _add(self, courier: Courier) -> None:
        name = courier.subscription.name

        def deliver() -> None:
            if courier.deliver(messenger.goes_on, thrifty=True).count:
                time.sleep(_BREATH_S)

        def next_us() -> int:
            now_us, waits_us = self.clock.now_us(), courier.next_us()
            soonest = now_us + _POLL_US if waits_us is None else min(waits_us, now_us + _POLL_US)
            return max(soonest, now_us + _LEAST_US)

        messenger = Ticker(deliver, next_us, self.clock, name)
        self._couriers[name] = courier
        self._messengers[name] = messenger
        self._running.add(messenger)

    def _recorded(self, facts: Sequence[Fact]) -> None:
        for name in self._addressed(facts):
            messenger = self._messengers.get(name)
            if messenger is not None:
                messenger.notice(0)
        self._announce(self._store, facts)

    def _announce(self, store: Store, facts: Sequence[Fact]) -> None:
        if self._dispatcher is not None and self._addressed(facts):
            self._deliver_at(AT_ONCE, store)

    def _deliver_at(self, due_us: int, store: Store) -> None:
        if self._dispatcher is not None and due_us < NEVER:
            self._dispatcher.deliver_at(due_us, store)

    def _tick_at(self, due_us: int, store: Store) -> None:
        if self._dispatcher is not None and due_us < NEVER:
            self._dispatcher.tick_at(due_us, store)

    def _addressed(self, facts: Sequence[Fact]) -> list[str]:
        """Return the subscriptions of this engine that want any of these."""
        if not self._couriers:
            return []
        couriers = tuple(self._couriers.items())
        return [name for name, one in couriers if any(map(one.subscription.wanted.admits, facts))]

    def _refuse_unknown(self, subscription: str) -> None:
        refuse_no_text("subscription", subscription)
        known = [one.name for one in self._store.feed.standings()]
        if subscription not in known:
            raise unknown_subscription(subscription, known)


def _letter(one: Parked) -> DeadLetter:
    return DeadLetter(one.subscription, one.fed.fact, one.fed.position, one.attempts, one.error, one.at_us)
