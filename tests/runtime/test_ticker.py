"""The background thread: it wakes when something is due, and outlives what fails."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import pytest

from svcflow import Engine, VirtualClock
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.runtime.clock import SystemClock
from svcflow.runtime.ticker import Ticker
from waiting import until, until_asleep

PROCEDURE = Procedure(
    id="p",
    steps=(
        Step("a", within="1m", on_overdue="go", to=(Transition("go", "b"),)),
        Step("b", within="1m", to=(Transition("stop", "end"),)),
        Step("end", end="completed"),
    ),
)


class FastClock:
    """A minute passes in 50 ms of the machine's time, as the ticker sees it after each wake."""

    def __init__(self) -> None:
        self.begin_us = SystemClock().now_us()

    def now_us(self) -> int:
        return self.begin_us + (SystemClock().now_us() - self.begin_us) * 1_200


class Due:
    """Stand in front of a ticker: what is due, and how often it ticked."""

    def __init__(self, *instants: int | None) -> None:
        self.instants = list(instants)
        self.ticks = 0
        self.clock = SystemClock()
        self.fails = 0
        self.ticker = Ticker(self.tick, self.next_due_us, self.clock)

    def tick(self) -> tuple[()]:
        self.ticks += 1
        if self.fails:
            self.fails -= 1
            raise OSError("the store is away")
        return ()

    def next_due_us(self) -> int | None:
        return self.instants.pop(0) if self.instants else None


def test_what_is_due_is_recorded_while_it_runs():
    """Within `running()` limits pass without anybody calling tick; after it nothing more happens."""
    with Engine("memory://", PROCEDURE, clock=FastClock()) as engine:
        with engine.running():
            inst = engine.start("p")
            engine._ticker.notice(0)
            until(lambda: (engine._ticker.notice(0), len(engine.journal(inst.id)) >= 4)[1])
        assert engine.instance(inst.id).steps == ("b",)
        count = len(engine.journal(inst.id))
        time.sleep(0.1)
        assert len(engine.journal(inst.id)) == count


def test_a_moved_virtual_clock_is_noticed_at_once():
    """Whoever moves the clock of a test need not wait for the next minute of the machine's, nor tick."""
    clock = VirtualClock()
    with Engine("memory://", PROCEDURE, clock=clock) as engine:
        with engine.running():
            inst = engine.start("p")
            clock.advance(timedelta(seconds=61))
            until(lambda: engine.instance(inst.id).steps == ("b",))
            clock.advance(timedelta(seconds=61))
            until(lambda: len(engine.deviations()) == 2)
        assert clock._watchers == ()
        clock.advance(timedelta(days=1))  # nobody listens any more


def test_a_limit_of_nothing_is_overdue_as_soon_as_it_starts():
    """On the machine's own clock: the thread is woken by the start and records the breach."""
    now = Procedure(
        id="p", steps=(Step("a", within="0m", to=(Transition("go", "end"),)), Step("end", end="completed"))
    )
    with Engine("memory://", now) as engine, engine.running():
        until_asleep(engine._ticker)
        inst = engine.start("p")
        until(lambda: len(engine.journal(inst.id)) == 2)
        assert engine.journal(inst.id)[1].kind == "Overdue"


def test_it_sleeps_until_the_next_due_instant():
    """Two due instants 0.1 s ahead, one after the other, are two further ticks."""
    now_us = SystemClock().now_us()
    due = Due(now_us + 100_000, now_us + 200_000)
    with due.ticker:
        until(lambda: due.ticks == 3)
    assert SystemClock().now_us() >= now_us + 200_000


def test_it_is_woken_for_what_is_due_sooner_and_left_asleep_for_what_is_later():
    """notice wakes only when the new instant comes before the one it sleeps for."""
    now_us = SystemClock().now_us()
    due = Due(now_us + 300_000_000, now_us + 300_000_000, now_us + 300_000_000)
    with due.ticker:
        until(lambda: due.ticks == 1)
        until_asleep(due.ticker)
        due.ticker.notice(now_us + 400_000_000)
        time.sleep(0.1)
        assert due.ticks == 1
        due.ticker.notice(now_us + 200_000_000)
        until(lambda: due.ticks == 2)
    due.ticker.notice(0)
    assert due.ticks == 2


def test_what_becomes_due_while_it_looks_is_not_slept_over():
    """An instance noticed between the look for the next instant and the sleep wakes it again at once."""
    due = Due()

    def looking() -> int | None:
        if due.ticks == 1:
            due.ticker.notice(0)
        return None

    due.ticker._next_due_us = looking
    with due.ticker:
        until(lambda: due.ticks == 2)


def test_a_tick_that_fails_is_logged_kept_and_tried_again(caplog):
    """The thread outlives a store that is away; `failure` holds the error until it goes well."""
    due = Due()
    due.fails, due.ticker.retry_s = 2, 0.05
    with caplog.at_level(logging.ERROR, "svcflow"), due.ticker:
        until(lambda: due.ticker.failure is not None)
        until(lambda: due.ticks >= 3)
        until(lambda: due.ticker.failure is None)
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "trying again" in caplog.text


def test_one_engine_runs_one_thread():
    """A second `running()` inside the first is a mistake; after the first it may run again."""
    with Engine("memory://", PROCEDURE) as engine:
        with engine.running(), pytest.raises(RuntimeError, match="running already"), engine.running():
            pass
        with engine.running():
            pass


def test_closing_an_engine_ends_its_thread():
    """close() stops the thread and waits for it, also when it sleeps for long."""
    engine = Engine("memory://", PROCEDURE)
    engine.running().__enter__()
    thread = engine._ticker._thread
    until_asleep(engine._ticker)
    begin = time.monotonic()
    engine.close()
    assert not thread.is_alive()
    assert time.monotonic() - begin < 30  # it would have slept for 60
