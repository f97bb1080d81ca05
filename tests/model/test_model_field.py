"""Fields take what fits them, and say what they take."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from svcflow.errors import FieldError
from svcflow.model.field import MAX_TEXT, Field, defaults
from svcflow.text import Text


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        (Field("f", type="choice", choices=["a", "b"]), "b", "b"),
        (Field("f", type="choice", choices={"a": Text("甲", "A")}), "a", "a"),
        (Field("f", type="rating"), "very_dissatisfied", "very_dissatisfied"),
        (Field("f"), "楼道", "楼道"),
        (Field("f", type="number", minimum=0, maximum=5), 5, 5),
        (Field("f", type="number"), Decimal("2.50"), 2.5),
        (Field("f", type="number"), Decimal(3), 3),
        (Field("f", type="instant"), "2026-03-02T14:00:00+08:00", "2026-03-02T14:00:00+08:00"),
        (Field("f", type="instant"), datetime(2026, 3, 2, tzinfo=UTC), "2026-03-02T00:00:00+00:00"),
        (Field("f", type="boolean"), False, False),
        (Field("f", type="boolean"), None, None),
    ],
)
def test_a_field_keeps_a_value_that_fits(field, value, kept):
    """Values are kept plain, so that they can be journalled."""
    assert field.accept(value) == kept
    assert type(field.accept(value)) is type(kept)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (Field("f", type="choice", choices=["a", "b"]), "c", "one of a, b"),
        (Field("f", type="choice", choices=["a", "b"]), ["a"], "one of a, b"),
        (Field("f", type="rating"), 5, "one of very_satisfied, satisfied, fair, "),
        (Field("f"), 5, "takes text"),
        (Field("f"), "x" * (MAX_TEXT + 1), "longer than"),
        (Field("f", type="number"), "5", "takes a number"),
        (Field("f", type="number"), True, "takes a number"),
        (Field("f", type="number"), float("inf"), "takes a number"),
        (Field("f", type="number"), 2**63, "takes a number, not one beyond 64 bits"),
        (Field("f", type="number"), -(10**400), "takes a number, not one beyond 64 bits"),
        (Field("f", type="number"), Decimal("1e999999999"), "takes a number, not a value of type Decimal"),
        (Field("f", type="number"), Decimal("sNaN"), "takes a number, not a value of type Decimal"),
        (Field("f", type="number"), Decimal("-Infinity"), "takes a number, not a value of type Decimal"),
        (Field("f"), 10**400, "takes text, not one beyond 64 bits"),
        (Field("f"), ["a"], "takes text, not a value of type list"),
        (Field("f", type="number", minimum=0), -1, "must be at least 0"),
        (Field("f", type="number", maximum=5), 6, "must be at most 5"),
        (Field("f", type="instant"), "2026-03-02T14:00:00", "with its zone"),
        (Field("f", type="instant"), "tomorrow", "with its zone"),
        (Field("f", type="boolean"), 1, "true or false"),
    ],
)
def test_a_field_refuses_a_value_that_does_not_fit(field, value, said):
    """The message names the field and what it takes, in both languages."""
    with pytest.raises(FieldError, match=said) as caught:
        field.accept(value)
    assert "字段 f" in caught.value.text("zh")


def test_only_declared_defaults_are_given():
    """A field without a default is absent, not empty."""
    fields = {"a": Field("a", default="x"), "b": Field("b")}
    assert defaults(fields) == {"a": "x"}
