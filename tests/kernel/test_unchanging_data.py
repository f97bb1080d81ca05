"""What an engine returns is the caller's to read, copy and write as JSON, not to change under the engine."""

from __future__ import annotations

import copy
import json
import pickle

import orjson
import pytest

from svcflow.kernel.unchanging import Unchanging


@pytest.fixture
def data() -> Unchanging[str, int]:
    return Unchanging({"fee": 20})


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
