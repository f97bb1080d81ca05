"""Every error can be handed to another process, as pools of workers and task queues do."""

from __future__ import annotations

import copy
import pickle

import pytest

from svcflow import errors
from svcflow.errors import DeclarationError, MissingExtra, Problem, Refused, SvcflowError
from svcflow.text import Text

WHAT, REMEDY = Text(zh="坏了", en="it broke"), Text(zh="修好它", en="mend it")
KINDS = [
    kind
    for kind in map(errors.__dict__.get, errors.__all__)
    if isinstance(kind, type) and issubclass(kind, SvcflowError)
]
MADE = {
    DeclarationError: lambda kind: kind([Problem(("steps", 0), WHAT, REMEDY, "a.yaml", 3, 5)]),
    Refused: lambda kind: kind("role", WHAT, REMEDY),
    MissingExtra: lambda kind: kind("dbos", WHAT),
}


def over_the_wire(error):
    return pickle.loads(pickle.dumps(error))  # noqa: S301  # our own


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("way", [copy.copy, over_the_wire], ids=["copy", "pickle"])
def test_an_error_says_the_same_after_a_journey(kind, way):
    """Class, code, both texts and what else it carries arrive whole."""
    made = MADE.get(kind, lambda kind: kind(WHAT, REMEDY))(kind)
    made.add_note("seen at noon")
    again = way(made)
    assert type(again) is kind
    assert (again.text("zh"), again.text("en"), str(again)) == (made.text("zh"), made.text("en"), str(made))
    assert vars(again) == vars(made)
