"""A user's own tests: how often limits will be breached, and what one late instance looks like.

Run it with `pytest examples/test_with_simulation.py`. The fixtures come with svcflow; nothing is imported for them.
"""

from __future__ import annotations

from datetime import datetime

import pytest

import svcflow
from svcflow.simulate import Simulation
from svcflow.testing import assert_deviation
from svcflow.testing.plugin import MakeEngine

CATALOG = svcflow.Catalog.shipped()
REPAIR = CATALOG["repair"]
USUAL = CATALOG.scenarios["repair_usual"]
DISPATCHER = svcflow.Actor("dispatcher-1", {"dispatcher"})
SEED = 20260302


@pytest.fixture(scope="module")
def usual_days() -> Simulation:
    """Simulate 500 requests of ordinary days once for all tests."""
    return svcflow.simulate(REPAIR, instances=500, seed=SEED, scenario=USUAL)


def test_few_requests_wait_too_long_for_a_dispatcher(usual_days: Simulation) -> None:
    """Even the upper end of the interval stays below the share that the unit accepts."""
    accepted = usual_days.breaches["accepted"]
    assert accepted.interval is not None
    assert accepted.interval[1] < 0.05


def test_every_simulated_request_ends(usual_days: Simulation) -> None:
    """No request is left open for ever."""
    assert usual_days.still_open == 0


def test_a_request_nobody_dispatches_is_overdue(
    svc_engine: MakeEngine, svc_clock: svcflow.VirtualClock
) -> None:
    """A request accepted on Monday and left alone is overdue at closing time on Tuesday."""
    svc_clock.move_to(datetime.fromisoformat("2026-03-02T09:00+08:00"))
    engine = svc_engine(REPAIR)
    instance = engine.start("repair", data={"place": "3-1204"}).id
    engine.fire(instance, "accept", actor=DISPATCHER)
    svc_clock.move_to(datetime.fromisoformat("2026-03-04T09:00+08:00"))
    engine.tick()
    late = assert_deviation(engine.journal(instance), "overdue", limit="accepted")
    assert late.due_at == datetime.fromisoformat("2026-03-03T17:30+08:00")
