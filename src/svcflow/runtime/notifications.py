"""What is made known of a commit: the ticker is woken, subscriptions and a dispatcher learn what there is to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER
from svcflow.runtime.outbox.dispatcher import AT_ONCE, Dispatcher
from svcflow.runtime.outbox.outbox import Outbox
from svcflow.runtime.store import Store
from svcflow.runtime.ticker import Ticker


class Notifier(Protocol):
    """What commands and sweeps call when a store has taken what they recorded."""

    def recorded(self, facts: Sequence[Fact], due_us: int) -> None:
        """Make known the facts of one instance, and when it is due next."""
        ...

    def swept(self, journals: Iterable[Sequence[Fact]]) -> None:
        """Make known the facts that a sweep recorded, instance by instance."""
        ...


class CommitNotifier:
    """Makes known what an engine committed; `observers` are called with the facts of each command and sweep."""

    def __init__(self, store: Store, ticker: Ticker, outbox: Outbox) -> None:
        self.dispatcher: Dispatcher | None = None
        self.observers: list[Callable[[Sequence[Fact]], None]] = []
        self._store = store
        self._ticker = ticker
        self._outbox = outbox

    def recorded(self, facts: Sequence[Fact], due_us: int) -> None:
        """Make known the facts of one instance, and when it is due next."""
        self._ticker.notice(due_us)
        if self.dispatcher is not None or self._outbox.workers or self.observers:
            self._tick_at(due_us, self._store)
            self._publish(facts)

    def swept(self, journals: Iterable[Sequence[Fact]]) -> None:
        """Make known the facts that a sweep recorded, and when the next one is due."""
        for facts in journals:
            self._publish(facts)
        if self.dispatcher is not None:
            due_us = self._store.next_due_us()
            self._tick_at(NEVER if due_us is None else due_us, self._store)

    def delivered(self) -> None:
        """Make known to a dispatcher when what could not be delivered is tried again."""
        if self.dispatcher is not None:
            self._deliver_at(self._outbox.next_us(), self._store)

    def expect(self, due_us: int, store: Store) -> None:
        """Make known an instant that `store`, joined to a host's transaction, will hold once the host commits."""
        self._ticker.expect(due_us)
        self._tick_at(due_us, store)

    def announce(self, facts: Sequence[Fact], store: Store) -> None:
        """Make known to a dispatcher that `store` holds facts for subscriptions of this engine."""
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
    """Makes known what was recorded in a host's transaction, which has yet to be committed.

    No subscription is woken: its thread would find nothing before the commit, and looks by itself once a second.
    """

    def __init__(self, store: Store, engine: CommitNotifier) -> None:
        self._store = store
        self._engine = engine

    def recorded(self, facts: Sequence[Fact], due_us: int) -> None:
        """Make known the facts of one instance, and when it is due next."""
        self._engine.expect(due_us, self._store)
        self._engine.announce(facts, self._store)

    def swept(self, journals: Iterable[Sequence[Fact]]) -> None:
        """Make known the facts that a sweep recorded, and when the next one is due."""
        for facts in journals:
            self._engine.announce(facts, self._store)
        due_us = self._store.next_due_us()
        if due_us is not None:
            self._engine.expect(due_us, self._store)
