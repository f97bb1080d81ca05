"""What became due while a clock stood still, or before it ran on, is recorded in order and at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from svcflow import Catalog, Engine, Procedure, VirtualClock
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import HoldRule
from svcflow.model.step import Step, Transition

MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)


def version(number: int, within: str, warn: tuple[str, ...] = ()) -> Procedure:
    steps = (
        Step(
            "work",
            within=TimeLimit(within=within, warn=warn),
            to=(Transition("again", "work"), Transition("go", "over")),
        ),
        Step("over", end="completed"),
    )
    return Procedure(
        id="p", version=number, calendar="cn_office", holds=(HoldRule("recipient"),), steps=steps
    )


def engine_with(*versions: Procedure) -> Engine:
    return Engine("memory://", Catalog.of(*versions), clock=VirtualClock(MORNING))


@pytest.mark.parametrize(
    ("within", "later", "due", "asked"),
    [
        (("30wh", "25%"), ("1mo", "25%"), "keep", ("50 migrate", "30 again", "30 again")),
        (("30h",), ("1wd", "25%", "75%"), "keep", ("1 migrate", "1 again", "5 again", "80 hold")),
        (("4cd",), ("30h", "25%", "75%"), "recompute", ("25 hold", "5 migrate", "80 resume")),
    ],
    ids=["over at the migration", "over in an earlier run", "shorter in a hold"],
)
def test_what_a_migration_left_due_is_recorded_in_its_order(within, later, due, asked):
    """Parts of a limit that was over before the clock ran on are behind it: nothing is stamped before what stands there."""
    engine = engine_with(version(1, within[0], within[1:]), version(2, later[0], later[1:]))
    engine.start(("p", 1), instance_id="i1")
    for hours, act in map(str.split, asked):
        engine.clock.advance(timedelta(hours=int(hours)))
        match act:
            case "migrate":
                engine.migrate("i1", version=2, due=due, reason="edition 2")
            case "again":
                engine.fire("i1", "again")
            case "hold":
                engine.hold("i1", reason="recipient")
            case "resume":
                engine.resume("i1")
    engine.clock.advance(timedelta(days=60))
    engine.tick()
    journal = engine.journal("i1")
    assert "Overdue" in {fact.kind for fact in journal}
    assert all(a.occurred_at <= b.occurred_at for a, b in pairwise(journal))


@pytest.mark.parametrize("later", ["1mo", "2wd", "2cd", "1wh", "90m"])
@pytest.mark.parametrize("within", ["30wh", "30h", "3wd", "4cd", "1mo"])
def test_a_hold_never_brings_a_kept_deadline_forward(within, later):
    """Kept over a migration that counts otherwise, a deadline is where it was or later after a hold, in whatever units."""
    engine = engine_with(version(1, within), version(2, later))
    engine.start(("p", 1), instance_id="i1")
    (before,) = engine.deadlines("i1")
    engine.clock.advance(timedelta(hours=1))
    engine.migrate("i1", version=2, reason="edition 2")
    assert engine.deadlines("i1")[0].due_at == before.due_at
    engine.clock.advance(timedelta(hours=2))
    engine.hold("i1", reason="recipient")
    engine.clock.advance(timedelta(hours=1))
    engine.resume("i1")
    assert engine.deadlines("i1")[0].due_at >= before.due_at
