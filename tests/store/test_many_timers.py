"""Many open timers in one file: after reopening each fires, once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from stored_play import CATALOG, CLERK, MORNING

from svcflow import Engine, VirtualClock
from svcflow.kernel import Start, compile_procedure, transact
from svcflow.kernel.compiled import calendars_of
from svcflow.runtime.commands import decision_of
from svcflow.runtime.store import LockedInstance
from svcflow.store import open_store
from svcflow.store.unit_of_work import UnitOfWork
from svcflow.worktime.instants import to_us

pytestmark = pytest.mark.long

TIMERS = 10_000


def test_ten_thousand_open_timers_fire_once_each(tmp_path):
    """What became due while nobody ran is found after reopening: everything, in one tick, nothing twice."""
    url = f"sqlite:///{tmp_path / 's.db'}"
    compiled = compile_procedure(CATALOG["repair"], calendars_of(CATALOG))
    store = open_store(url)

    def start_all(work: UnitOfWork) -> None:
        for number in range(TIMERS):
            outcome = transact(compiled, None, Start(f"r{number}", actor=CLERK), to_us(MORNING) + number)
            work.save(LockedInstance(None), decision_of(LockedInstance(None), outcome, None))

    store.backend.write(start_all)
    store.close()
    clock = VirtualClock(MORNING + timedelta(hours=1, microseconds=TIMERS // 2))
    with Engine(url, CATALOG, clock=clock) as engine:
        assert len(engine.tick()) == TIMERS // 2
        clock.advance(timedelta(hours=1))
        fired = engine.tick()
        assert len(fired) == TIMERS // 2
        assert engine.tick() == ()
        assert {fact.kind for fact in fired} == {"Overdue"}
        told = Counter(one.instance for one in engine.deviations(kind="overdue"))
        assert len(told) == TIMERS
        assert set(told.values()) == {1}
