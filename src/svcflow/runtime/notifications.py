"""Notifications of a commit: the ticker and subscriptions are woken, a dispatcher learns what to call and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER
from svcflow.runtime.outbox.outbox import Outbox
from svcflow.runtime.store import Store
from svcflow.runtime.ticker import Ticker

AT_ONCE = 0
"""The instant given to a dispatcher for what is due already."""


class Dispatcher(Protocol):
    """Scheduler outside the engine that has `Engine.tick()` and `Engine.deliver()` called at given instants.

    To call them too often, too late or in several places at once changes nothing. `store` is where the reason
    stands: the engine's own store when it is committed, or a joined one while the host's transaction is open. In
    the host's transaction a dispatcher may raise, and the host rolls back; what is committed it leaves alone.
    """

    def tick_at(self, due_us: int, store: Store) -> None:
        """Schedule a tick. Called once for each reason, so several times for one instant."""
        ...

    def deliver_at(self, due_us: int, store: Store) -> None:
        """Schedule a delivery, `AT_ONCE` or from an instant on."""
        ...


class Notifier(Protocol):
    """What the executor of commands and the sweeper call after a store has taken what they recorded."""

    def recorded(self, facts: Sequence[Fact], due_us: int) -> None:
        """Notify of facts of one instance, and of when it is due next."""
        ...

    def swept(self, journals: Iterable[Sequence[Fact]]) -> None:
        """Notify of the facts that a sweep recorded, instance by instance."""
        ...


class CommitNotifier:
    """Notifier of an engine's own commits; `observers` are called with the facts of each command and sweep."""

    def __init__(self, store: Store, ticker: Ticker, outbox: Outbox) -> None:
        self.dispatcher: Dispatcher | None = None
        self.observers: list[Callable[[Sequence[Fact]], None]] = []
        self._store = store
        self._ticker = ticker
        self._outbox = outbox

    def recorded(self, facts: Sequence[Fact], due_us: int) -> None:
        """Notify of facts of one instance, and of when it is due next."""
        self._ticker.notice(due_us)
        # this runs after every command: where nobody listens, nothing else is called
        if self.dispatcher is not None or self._outbox.workers or self.observers:
            self._tick_at(due_us, self._store)
            self._publish(facts)

    def swept(self, journals: Iterable[Sequence[Fact]]) -> None:
        """Notify of the facts that a sweep recorded, and of when something is due next."""
        for facts in journals:
            self._publish(facts)
        if self.dispatcher is not None:
            due_us = self._store.next_due_us()
            self._tick_at(NEVER if due_us is None else due_us, self._store)

    def starts_next(self, due_us: int) -> None:
        """Tell a dispatcher when the next regular start is due."""
        self._tick_at(due_us, self._store)

    def delivered(self) -> None:
        """Tell a dispatcher when what could not be delivered is tried again."""
        if self.dispatcher is not None:
            self._deliver_at(self._outbox.next_us(), self._store)

    def expect(self, due_us: int, store: Store) -> None:
        """Wake the ticker at an instant that stands in `store` alone until the host commits, and tell a dispatcher."""
        self._ticker.expect(due_us)
        self._tick_at(due_us, store)

    def announce(self, facts: Sequence[Fact], store: Store) -> None:
        """Tell a dispatcher that `store` holds facts for subscriptions of this engine."""
        if self.dispatcher is not None and self._outbox.subscribers(facts):
            self._deliver_at(AT_ONCE, store)

    def _publish(self, facts: Sequence[Fact]) -> None:
        for observer in self.observers:
            observer(facts)
        self._outbox.wake(facts)
        self.announce(facts, self._store)

    def _tick_at(self, due_us: int, store: Store) -> None:
        if self.dispatcher is not None and due_us < NEVER:
            self.dispatcher.tick_at(due_us, store)

    def _deliver_at(self, due_us: int, store: Store) -> None:
        if self.dispatcher is not None and due_us < NEVER:
            self.dispatcher.deliver_at(due_us, store)


class JoinedNotifier:
    """Notifier of what was recorded in a host's transaction, which has yet to be committed.

    No subscription is woken: its thread would find nothing before the commit, and looks by itself once a second.
    """

    def __init__(self, store: Store, engine: CommitNotifier) -> None:
        self._store = store
        self._engine = engine

    def recorded(self, facts: Sequence[Fact], due_us: int) -> None:
        """Notify of facts of one instance, and of when it is due next."""
        self._engine.expect(due_us, self._store)
        self._engine.announce(facts, self._store)

    def swept(self, journals: Iterable[Sequence[Fact]]) -> None:
        """Notify of the facts that a sweep recorded, and of when something is due next."""
        for facts in journals:
            self._engine.announce(facts, self._store)
        due_us = self._store.next_due_us()
        if due_us is not None:
            self._engine.expect(due_us, self._store)
