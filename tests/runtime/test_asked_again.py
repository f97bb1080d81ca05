"""What a store asks more than once: what the last asking came to is what is told, because that was kept."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from svcflow import Actor, Engine, Procedure, Recipient, VirtualClock
from svcflow.kernel.commands import NOBODY
from svcflow.model.field import Field
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition
from svcflow.runtime.erasure import ErasureHandler
from svcflow.runtime.store import LockedInstance, Store
from svcflow.runtime.sweeps import SweepHandler
from svcflow.store import open_store

MORNING = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
CLERK = Actor("li.wei", roles={"clerk"})
ERRAND = Procedure(
    id="errand",
    roles=(Role("clerk"),),
    fields=(Field("phone", personal=True),),
    steps=(
        Step("asked", role="clerk", within="1h", to=(Transition("close", "closed"),)),
        Step("closed", end="done"),
    ),
)


def found_of(store: Store, name: str) -> LockedInstance:
    """Return what a change of an instance is told."""
    seen: list[LockedInstance] = []
    store.change(name, None, seen.append)
    return seen[-1]


def test_a_sweep_tells_of_an_instance_what_was_kept_last() -> None:
    """The first asking was on an instance that had ended by the second: nothing of it was recorded."""
    store = open_store("memory://")
    with Engine(store, ERRAND, clock=VirtualClock(MORNING)) as engine:
        engine.start("errand", actor=CLERK, instance_id="e1")
        open_, sweeping = (
            found_of(store, "e1"),
            SweepHandler(engine._registry.of, engine.clock.now_us() + 2**33),
        )
        assert sweeping(open_) is not None
        assert sweeping.recorded() != ()
        engine.fire("e1", "close", actor=CLERK)
        assert sweeping(found_of(store, "e1")) is None
        assert sweeping.recorded() == ()


def test_forgetting_counts_what_was_erased_last() -> None:
    """Somebody else had erased the values by the second asking: this one erased none."""
    store = open_store("memory://")
    with Engine(store, ERRAND, clock=VirtualClock(MORNING)) as engine:
        engine.start("errand", data={"phone": "139"}, recipient=Recipient("zhang"), instance_id="e1")
        known = found_of(store, "e1")
        forgetting = ErasureHandler(
            engine._registry.version, lambda _: frozenset(), "zhang", NOBODY, engine.clock
        )
        assert forgetting(known) is not None
        assert forgetting.values == 2
        engine.forget("zhang", open=True)
        assert forgetting(found_of(store, "e1")) is None
        assert forgetting.values == 0
