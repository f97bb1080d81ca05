"""Values of parameters in force are pinned to each instance when it starts, alike on every store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from svcflow import Actor, Catalog, Engine, Procedure, VirtualClock
from svcflow.errors import DeclarationError
from svcflow.kernel.replay import replay
from svcflow.model.field import Field
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.parameter import Overrides, Parameter
from svcflow.model.step import Step, Transition
from svcflow.runtime.store import Store
from svcflow.text import Text

HOUR = timedelta(hours=1)
CLERK = Actor("li")


def declared(version: int = 1, **values: object) -> Procedure:
    written = {"reply": "4h", "threshold": 100, **values}
    asked = Step(
        "asked",
        within=TimeLimit(match=[Row("reply", when="fee >= threshold"), Row("8h")]),
        to=[Transition("answer", "answered", when="fee < threshold"), Transition("refer", "answered")],
    )
    return Procedure(
        id="inquiry",
        version=version,
        parameters=[Parameter(name, value=value) for name, value in written.items()],
        fields=[Field("fee", type="number", default=100)],
        steps=[asked, Step("answered", end="completed")],
    )


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def opened(store: Store, clock: VirtualClock, *procedures: Procedure) -> Engine:
    return Engine(store, Catalog.of(*procedures), clock=clock)


def hours(engine: Engine, instance: str, clock: VirtualClock) -> float:
    (deadline,) = engine.deadlines(instance)
    return (deadline.due_at - engine.instance(instance).started_at) / HOUR


def test_another_value_holds_for_instances_that_start_after_it(store, clock):
    """Version and digest stay; what began before keeps its deadline and its guards."""
    first = opened(store, clock, declared())
    first.start("inquiry", actor=CLERK, instance_id="old")
    second = opened(store, clock, declared().with_parameters({"reply": "2h", "threshold": 200}))
    second.start("inquiry", actor=CLERK, instance_id="new", data={"fee": 250})
    third = opened(store, clock, declared().with_parameters({"reply": "1h"}))
    assert [hours(third, name, clock) for name in ("old", "new")] == [4, 2]
    assert dict(third.instance("old").parameters) == {}
    assert dict(third.instance("new").parameters) == {"reply": "2h", "threshold": 200}
    third.update("new", data={"fee": 150}, actor=CLERK)  # below its own threshold
    assert hours(third, "new", clock) == 8
    assert third.fire("new", "answer", actor=CLERK).status == "ended"
    assert third.verify().ok


def test_the_journal_says_which_values_were_pinned_and_replays_by_them(store, clock):
    """A journal whose values are the declared ones says nothing of them."""
    engine = opened(store, clock, declared().with_parameters({"reply": "2h", "threshold": 100}))
    engine.start("inquiry", actor=CLERK, instance_id="i")
    (started,) = engine.journal("i")
    assert dict(started.parameters) == {"reply": "2h"}
    later = opened(store, clock, declared())
    assert replay(later._registry.version, later.journal("i")) == later.instance("i")
    plain = opened(store, clock, declared())
    plain.start("inquiry", actor=CLERK, instance_id="plain")
    assert not plain.journal("plain")[0].parameters


def test_a_migrated_instance_keeps_its_values_and_gets_them_back(store, clock):
    """What was pinned goes along; a parameter that is new has the value in force; a way back leads to what was."""
    opened(store, clock, declared().with_parameters({"reply": "2h"})).start(
        "inquiry", actor=CLERK, instance_id="i"
    )
    newer = declared(2, reply="6h", grace="1h").with_parameters(
        {"reply": "3h", "grace": "5h", "threshold": 7}
    )
    engine = opened(store, clock, declared(), newer)
    (seen,) = engine.preview_migration("i", 2)
    over = engine.migrate("i", 2, due="recompute", reason="second edition", actor=CLERK)
    assert dict(over.parameters) == {"reply": "2h", "grace": "5h"}
    assert seen.limits[0].after == engine.deadlines("i")[0].due_at
    assert hours(engine, "i", clock) == 2
    back = engine.revert_migration("i", reason="too early", actor=CLERK)
    assert (back.version, dict(back.parameters)) == (1, {"reply": "2h"})
    assert engine.verify().ok


def test_an_explanation_says_which_parameter_set_the_deadline(store, clock):
    """Who asks why reads the value that was pinned, and who set it where that is known."""
    values = Overrides(id="inquiry", institution=Text("服务中心", "The centre"), values={"reply": "2h"})
    engine = opened(store, clock, declared().with_parameters(values))
    engine.start("inquiry", actor=CLERK, instance_id="i")
    told = engine.explain("i", "asked").text("en").splitlines()
    assert told[1:3] == [
        "parameter: threshold 100",
        "parameter: reply 2 hours (set by The centre, the procedure says 4 hours)",
    ]


def test_values_that_the_version_does_not_take_are_refused(store, clock):
    """Nothing runs under values that the procedure cannot have, wherever they were written."""
    compiled = opened(store, clock, declared())._registry.newest("inquiry")
    for values in ({"nothing": 1}, {"reply": "2wd"}, {"threshold": "1h"}):
        with pytest.raises(DeclarationError):
            compiled.under(values)
    assert compiled.under({}) is compiled
    assert compiled.under({"reply": "2h"}) is compiled.under({"reply": "2h"})
