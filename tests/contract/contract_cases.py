"""The procedure that every store has to keep, and ways to fill and to read a store."""

from __future__ import annotations

from datetime import UTC, datetime

from svcflow import Actor, Engine, VirtualClock
from svcflow.journal import GENESIS, Entry, chained
from svcflow.kernel import Instance, Start, compile_procedure, transact
from svcflow.kernel.calendars import calendars_of
from svcflow.model.catalog import Catalog
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Enforce, Step, Transition
from svcflow.runtime.store import Store

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOON_US = 1_772_452_800_000_000
HOUR_US = 3_600_000_000
LI = Actor("li", roles={"clerk"})


def declared(name: str = "repair") -> Procedure:
    """Reported within an hour; worked on any number of times (`again`), overdue after two; then closed."""
    return Procedure(
        id=name,
        roles=(Role("clerk"), Role("chief")),
        fields=(Field("note"),),
        enforce=Enforce(order="refuse"),
        steps=(
            Step("reported", role="clerk", within="1h", to=(Transition("accept", "working"),)),
            Step(
                "working",
                role="chief",
                within=TimeLimit(within="2h", severity="major"),
                to=(
                    Transition("again", "working", role="clerk"),
                    Transition("close", "closed", role="clerk"),
                ),
            ),
            Step("closed", end="completed"),
        ),
    )


CATALOG = Catalog.of(declared(), declared("moving"))
COMPILED = {p.id: compile_procedure(p, calendars_of(CATALOG)) for p in CATALOG}


def engine_on(store: Store | str, clock: VirtualClock | None = None) -> Engine:
    return Engine(store, CATALOG, clock=clock or VirtualClock(NOON))


def started(name: str, at_us: int = NOON_US, procedure: str = "repair") -> tuple[Instance, tuple[Entry, ...]]:
    """An instance as it starts, with its entries, kept nowhere yet."""
    outcome = transact(COMPILED[procedure], None, Start(name), at_us)
    return outcome.instance, chained(GENESIS, outcome.facts)


def put(store: Store, name: str, at_us: int = NOON_US, procedure: str = "repair") -> Instance:
    instance, entries = started(name, at_us, procedure)
    with store.transaction() as work:
        work.append(instance, entries, command_id=None, refused=0)
    return instance
