"""The digest of a procedure is the same for the same content, and stays so from version to version."""

from __future__ import annotations

import attrs
import pytest

from svcflow import Catalog, load
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Step, Transition
from svcflow.model.yaml.dump import digest, dump
from svcflow.text import Text

ASK = Procedure(
    id="ask",
    roles=(Role("clerk"),),
    steps=(
        Step(
            "asked",
            name=Text("提问", "Asked"),
            role="clerk",
            within="2wh",
            to=(Transition("answer", "done"),),
        ),
        Step("done", end="completed"),
    ),
)


def test_a_digest_stays():
    """Stores keep it: a library that reckoned another one could not go on with any of their instances."""
    assert digest(ASK) == "5cab60b71a9efb194fec24e071977ae6d92d4e89f1fbfef516d8afa7110d74dd"


@pytest.mark.parametrize("procedure", list(Catalog.shipped()), ids=str)
def test_written_and_read_again_it_is_the_same(procedure, tmp_path):
    """Whether a procedure was loaded from a file or built in Python makes no difference."""
    (tmp_path / "p.yaml").write_text(dump(procedure), encoding="utf-8")
    assert digest(load(tmp_path / "p.yaml")) == digest(procedure)


@pytest.mark.parametrize(
    "changed",
    [{"calendar": "cn_office"}, {"version": 2}, {"steps": ASK.steps[::-1]}, {"name": Text("问", "Ask")}],
    ids=["calendar", "version", "order of steps", "name"],
)
def test_other_content_has_another_digest(changed):
    """Whatever differs, the order of steps too, makes another digest."""
    assert digest(attrs.evolve(ASK, **changed)) != digest(ASK)
