"""An engine that listens to itself: it knows what the commands of this run recorded, and decides no more than others."""

from __future__ import annotations

from svcflow.kernel.facts import Fact
from svcflow.kernel.lifecycle.deviations import Deviation, deviation_of
from svcflow.model.catalog import Catalog
from svcflow.runtime.clock import Clock
from svcflow.runtime.engine import Engine

__all__ = ["ListeningEngine"]


class ListeningEngine(Engine):
    """Remember the facts of this run: those of other processes, and of an earlier run of a command, are none."""

    def __init__(self, url: str, catalog: Catalog, *, clock: Clock | None = None) -> None:
        self._heard: list[Fact] = []
        super().__init__(url, catalog, clock=clock)
        self._notifier.observers.append(self._heard.extend)

    def departures(self, instance: str) -> tuple[Deviation, ...]:
        """Return the deviations of an instance that were recorded in this run, as they stand now."""
        heard = {
            fact.sequence
            for fact in self._heard
            if fact.instance == instance and deviation_of(fact, "", 0) is not None
        }
        if not heard:
            return ()
        return tuple(one for one in self.deviations(instance=instance) if one.sequence in heard)
