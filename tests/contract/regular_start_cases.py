"""A procedure that begins by itself, and ways to run it over a store on several engines."""

from __future__ import annotations

from datetime import UTC, datetime

from svcflow import Engine, VirtualClock
from svcflow.model.catalog import Catalog
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.regular_start import RegularStart
from svcflow.model.step import Step, Transition
from svcflow.runtime.store import Store

MONDAY = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)


def visits(*starts: RegularStart, version: int = 1, **more: object) -> Procedure:
    return Procedure(
        id="visit",
        version=version,
        fields=(Field("place"),),
        starts=starts,
        steps=(
            Step("planned", within="1d", to=(Transition("visit", "done"),)),
            Step("done", end="completed"),
        ),
        **more,
    )


def daily(**more: object) -> RegularStart:
    return RegularStart(**{"every": "1cd", "at": "08:30", **more})


def engine_at(store: Store | str, at: datetime, *procedures: Procedure) -> Engine:
    """An engine of its own over a store, as another process would have it."""
    return Engine(store, Catalog.of(*(procedures or (visits(daily()),))), clock=VirtualClock(at))


def ticked(store: Store | str, at: datetime, *procedures: Procedure) -> list[str]:
    """Tick an engine of its own at an instant; return the instances that began."""
    facts = engine_at(store, at, *procedures).tick()
    return [fact.instance for fact in facts if fact.kind == "Started"]
