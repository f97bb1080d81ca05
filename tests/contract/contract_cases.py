"""The procedure that every store has to keep, and ways to fill and to read a store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from svcflow import Actor, Engine, VirtualClock
from svcflow.kernel import Instance, Start, compile_procedure, transact
from svcflow.kernel.commands import Command
from svcflow.kernel.compiled import calendars_of
from svcflow.kernel.decide import Outcome
from svcflow.model.catalog import Catalog
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Enforce, Step, Transition
from svcflow.model.yaml.dump import digest
from svcflow.runtime.commands import decision_of
from svcflow.runtime.store import SWEEP_START, ChangeSet, LockedInstance, Store, SweepPosition
from svcflow.runtime.stored_rows import InstanceRows

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


def started(name: str, at_us: int = NOON_US, procedure: str = "repair") -> ChangeSet:
    """An instance as it starts, kept nowhere yet."""
    compiled = COMPILED[procedure]
    change = decision_of(LockedInstance(None), transact(compiled, None, Start(name), at_us), None)
    assert change is not None
    return change


def put(store: Store, name: str, at_us: int = NOON_US, procedure: str = "repair") -> Instance:
    change = started(name, at_us, procedure)
    store.pin(procedure, 1, digest(CATALOG[procedure]))
    store.change(name, None, lambda _: change)
    return change.instance


def advance(
    store: Store, name: str, command: Command | None, at_us: int, command_id: str | None = None
) -> Outcome:
    """Carry a command to an instance that is kept."""
    outcomes = []

    def decide(found: LockedInstance) -> ChangeSet | None:
        compiled = COMPILED[found.instance.procedure]
        outcomes.append(transact(compiled, found.instance, command, at_us))
        return decision_of(found, outcomes[-1], command_id)

    store.change(name, command_id, decide)
    return outcomes[-1]


def found(store: Store, name: str, command_id: str | None = None) -> LockedInstance:
    """What the store finds of an instance, in a transaction that changes nothing."""
    seen: list[LockedInstance] = []
    store.change(name, command_id, seen.append)
    return seen[-1]


def due(store: Store, until_us: int, after: SweepPosition = SWEEP_START) -> list[str]:
    """The instances that one sweep looks at."""
    seen: list[str] = []
    store.sweep(until_us, after, lambda one: seen.append(one.instance.id))
    return seen


def rows_with(patched: pytest.MonkeyPatch, store: Store, **forged: object) -> None:
    """Let a store give rows of instances with other values in some columns."""
    names, given = store.columns["svcflow_instances"].names, store.instance_rows

    def rows(instance: str | None = None) -> Iterator[InstanceRows]:
        for one in given(instance):
            ((*record,),) = one.tables["svcflow_instances"]
            other = [forged.get(name, value) for name, value in zip(names, record, strict=True)]
            yield one._replace(tables={**one.tables, "svcflow_instances": [other]})

    patched.setattr(store, "instance_rows", rows)
