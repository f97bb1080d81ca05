"""The engine: runs the procedures of a catalog over a store. It decides nothing."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from svcflow.kernel.commands import NOBODY, Actor, Recompute
from svcflow.kernel.facts import Fact
from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure
from svcflow.runtime.carrying import Sweeping
from svcflow.runtime.clock import Clock
from svcflow.runtime.commanding import Commands
from svcflow.runtime.questions import Questions
from svcflow.runtime.store import BEGINNING, Place, Store
from svcflow.runtime.timers import Ticker


class Engine(Commands, Questions):
    """Run the procedures of a catalog over a store; safe to use from several threads.

    `url` is `memory://`, `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/DATABASE`. Use it as a context manager, or call `close()`.
    Every command may carry a `command_id`: asked again, it gives the first answer again and does nothing.
    """

    def __init__(self, url: str | Store, catalog: Catalog | Procedure, *, clock: Clock | None = None) -> None:
        super().__init__(_open(url) if isinstance(url, str) else url, catalog, clock)
        self._ticker = Ticker(self.tick, self._store.next_due_us, self.clock)

    def tick(self) -> tuple[Fact, ...]:
        """Record everything that became due up to now; return the facts.

        An instance that cannot be brought up to now keeps none of the others from it: the first such error
        is raised when they are done.
        """
        now_us = self.clock.now_us()
        sweeping = Sweeping(self._compiled, now_us)
        place: Place | None = BEGINNING
        while place is not None:
            place = self._store.sweep(now_us, place, sweeping)
        return sweeping.recorded()

    def recompute(self, *, reason: str, actor: Actor = NOBODY) -> tuple[Fact, ...]:
        """Reckon every running deadline anew after a calendar was corrected or a year published.

        Returns the facts: one `Recomputed` for each deadline that changed, and what became due by it.
        """
        sweeping = Sweeping(self._compiled, self.clock.now_us(), Recompute(reason, actor))
        for name in self._store.ids():
            self._store.change(name, None, sweeping)
        return sweeping.recorded()

    def running(self) -> Ticker:
        """Return a context manager: a background thread that ticks at each next due instant."""
        return self._ticker

    def close(self) -> None:
        """Stop the background thread and give back files and connections."""
        self._ticker.stop()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _notice(self, due_us: int) -> None:
        self._ticker.notice(due_us)


def _open(url: str) -> Store:
    from svcflow.store import open_store  # noqa: PLC0415  # stores stand below; which one, the URL says

    return open_store(url)
