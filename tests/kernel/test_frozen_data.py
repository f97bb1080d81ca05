"""What an engine returns is the caller's to read, copy and write as JSON, not to change under the engine."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime

import orjson
import pytest

from svcflow import Actor, Engine, Procedure, VirtualClock
from svcflow.kernel.instance import BLANK, FrozenDict
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CLERK = Actor("li.wei", roles={"clerk"})
ERRAND = Procedure(
    id="errand",
    roles=(Role("clerk"),),
    steps=(
        Step("asked", role="clerk", within="1h", to=(Transition("go", "done", at_most=3),)),
        Step("done", role="clerk", within="1h", to=(Transition("close", "closed"),)),
        Step("closed", end="completed"),
    ),
)


@pytest.fixture
def data() -> FrozenDict[str, int]:
    return FrozenDict({"fee": 20})


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.__setitem__("fee", 30),
        lambda data: data.__delitem__("fee"),
        lambda data: data.update(fee=30),
        lambda data: data.pop("fee"),
        lambda data: data.popitem(),
        lambda data: data.clear(),
        lambda data: data.setdefault("place", 1),
        lambda data: data.__ior__({"fee": 30}),
    ],
    ids=["set", "delete", "update", "pop", "popitem", "clear", "setdefault", "or"],
)
def test_no_change_goes_through(data, change):
    """Each way to change a dict is refused, and says what to do instead."""
    with pytest.raises(TypeError, match="ask the engine"):
        change(data)
    assert data == {"fee": 20}


def test_it_is_a_dict_for_everybody_else(data):
    """It compares, copies, pickles and becomes JSON like a dict."""
    assert json.loads(json.dumps(data)) == orjson.loads(orjson.dumps(data)) == data == {"fee": 20}
    assert copy.deepcopy(data) == copy.copy(data) == pickle.loads(pickle.dumps(data)) == data  # noqa: S301  # our own
    assert data | {"fee": 30} == {"fee": 30}


@pytest.mark.parametrize("name", [name for name in BLANK._fields if isinstance(getattr(BLANK, name), dict)])
@pytest.mark.parametrize("url", ["memory://", "sqlite:///{}/s.db"])
def test_nothing_that_an_instance_holds_can_be_changed(tmp_path, url, name):
    """Started, moved or loaded: what is written into it is refused, and reaches neither the store nor another one."""
    with Engine(url.format(tmp_path), ERRAND, clock=VirtualClock(MORNING)) as engine:
        started = engine.start("errand", actor=CLERK, instance_id="e1")
        engine.claim("e1", actor=CLERK)
        moved = engine.fire("e1", "go", actor=CLERK)
        for instance in (started, moved, engine.instance("e1")):
            with pytest.raises(TypeError, match="ask the engine"):
                getattr(instance, name)["x"] = "y"
        assert engine.verify().ok


def test_the_old_name_of_the_stopwatches_warns():
    """`Instance.clocks` was never documented, and is answered all the same."""
    with Engine("memory://", ERRAND, clock=VirtualClock(MORNING)) as engine:
        started = engine.start("errand", actor=CLERK)
        with pytest.warns(DeprecationWarning, match="stopwatches"):
            assert started.clocks is started.stopwatches
