"""Limits and ladders as values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from svcflow.errors import DeclarationError
from svcflow.model.amount import Amount
from svcflow.model.limit import Row, Rung, TimeLimit
from svcflow.model.step import Step
from svcflow.text import Text


def test_a_rung_is_a_share_or_a_time_after_the_deadline():
    """`75%` is before it, `+30m` behind it, in the limit's own clock."""
    assert (Rung("75%").share, Rung("75%").after) == (Decimal("0.75"), None)
    assert (Rung("+30m").share, Rung("+30m").after) == (None, Amount(30, "m"))


@pytest.mark.parametrize("at", ["75", "-", "-10", "+", "+10", "%", "late"])
def test_what_is_no_point_of_a_ladder_is_refused(at):
    """The message says how one is written."""
    with pytest.raises(DeclarationError) as caught:
        Rung(at)
    assert caught.value.problems[0].remedy.zh


def test_a_limit_without_a_matrix_is_one_row():
    """Whoever computes deadlines looks at rows only."""
    assert TimeLimit(within="3h", source="D1").rows == (Row("3h", source="D1"),)
    assert TimeLimit(match=[Row("1h", "fee > 1"), Row("3h")]).rows[1] == Row("3h")


def test_a_step_s_limit_takes_its_name_and_what_is_done_from_the_step():
    """What the limit says itself goes first."""
    step = Step("a", name=Text(en="A"), within="3h", on_overdue="go", waits="recipient", at_most="2d")
    limit, wait = step.time_limits
    assert (limit.id, limit.step, limit.name, limit.on_overdue) == ("a", "a", Text(en="A"), "go")
    assert (wait.id, wait.stoppable, wait.on_overdue) == ("a.wait", False, None)
    own = Step(
        "a", within=TimeLimit(within="3h", id="own", name=Text(en="Own"), on_overdue="stop"), on_overdue="go"
    )
    assert [(x.id, x.name.en, x.on_overdue) for x in own.time_limits] == [("own", "Own", "stop")]
    alone = Step("a", waits="recipient", at_most="2d", on_overdue="go")
    assert alone.time_limits[0].on_overdue == "go"
    assert Step("a").time_limits == ()


@pytest.mark.parametrize("wrong", [{"severity": "huge"}, {"on_change": "never"}])
def test_a_closed_list_of_a_limit_is_closed(wrong):
    """Severity and what a change does are those of the declaration."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TimeLimit(within="3h", **wrong)
