"""What an engine tells whoever brings about, later and perhaps elsewhere, that it ticks and delivers.

A dispatcher decides nothing and keeps nothing of the engine's: to tick and to deliver too often, too late or
in several places at once changes nothing.
"""

from __future__ import annotations

from typing import Protocol

from svcflow.runtime.store import Store

AT_ONCE = 0


class Dispatcher(Protocol):
    """Have `Engine.tick()` and `Engine.deliver()` called at the instants it is told.

    `store` is where the reason stands: the engine's own store when it is committed, or a joined one while the
    host's transaction is open. In the host's transaction it may raise, and the host rolls back; what is
    committed it leaves alone.
    """

    def tick_at(self, due_us: int, store: Store) -> None:
        """Be told that something becomes due; once for each reason, so often for the same instant."""
        ...

    def deliver_at(self, due_us: int, store: Store) -> None:
        """Be told that there is something to deliver, `AT_ONCE` or from an instant on."""
        ...
