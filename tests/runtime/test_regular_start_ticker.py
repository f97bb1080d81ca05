"""Regular starts in the background: the thread wakes for them, and a dispatcher is told when."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from svcflow import AsyncEngine, Engine, Recipient, VirtualClock
from svcflow.errors import FieldError
from svcflow.model.procedure import Procedure
from svcflow.model.regular_start import RegularStart
from svcflow.model.step import Step, Transition
from svcflow.runtime.store import Store
from svcflow.worktime.instants import to_us
from waiting import until

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def procedure(*starts: RegularStart) -> Procedure:
    return Procedure(
        id="visit",
        starts=starts,
        steps=(Step("planned", to=(Transition("visit", "done"),)), Step("done", end="completed")),
    )


DAILY = procedure(RegularStart(every="1cd", at="08:30"))
EACH = procedure(RegularStart(every="1cd", at="08:30", for_="residents"))


def test_the_thread_begins_what_is_due_when_the_clock_reaches_it():
    """Day after day, once each, without anybody calling tick."""
    clock = VirtualClock(MONDAY)
    with Engine("memory://", DAILY, clock=clock) as engine, engine.running():
        until(engine._store.starts)
        for day in range(3):
            clock.move_to(MONDAY + timedelta(days=day, hours=9))
            until(lambda count=day + 1: engine.count_instances() == count)
        assert engine.count_deviations() == 0


def test_the_thread_sleeps_until_the_next_occurrence():
    """The next due instant is that of a limit or of a regular start, whichever comes first."""
    with Engine("memory://", DAILY, clock=VirtualClock(MONDAY)) as engine:
        assert engine._next_due_us() is None
        engine.tick()
        assert engine._next_due_us() == to_us(MONDAY + 8.5 * HOUR)
        assert engine.tick() == ()
        assert engine._next_due_us() == to_us(MONDAY + 8.5 * HOUR)


def test_without_regular_starts_nothing_is_to_come():
    """Neither is anything asked of the store."""
    with Engine("memory://", procedure(), clock=VirtualClock(MONDAY)) as engine:
        engine.tick()
        assert engine._next_due_us() is None
        assert engine.coming_starts(MONDAY + 8 * HOUR) == ()
        with pytest.raises(FieldError, match="residents"):
            engine.recipients("residents")(print)


def test_the_engine_for_asyncio_has_them_too():
    """The function is a plain one; it runs in a thread."""

    async def begin() -> None:
        clock = VirtualClock(MONDAY)
        async with AsyncEngine("memory://", EACH, clock=clock) as engine:

            @engine.recipients()
            def residents(_: datetime) -> list[tuple[Recipient, dict[str, str]]]:
                return [(Recipient("li"), {})]

            await engine.tick()
            clock.advance(9 * HOUR)
            assert [fact.kind for fact in await engine.tick()] == ["Started"]
            (coming,) = await engine.coming_starts(MONDAY + 33 * HOUR)
            assert coming.recipients == "residents"

    asyncio.run(begin())


def test_a_function_that_is_registered_late_begins_what_waits():
    """The thread is woken; until then nothing is due, so that it does not spin."""
    clock = VirtualClock(MONDAY)
    with Engine("memory://", EACH, clock=clock) as engine:
        engine.tick()
        clock.advance(9 * HOUR)
        assert engine.tick() == ()
        assert engine._next_due_us() == to_us(MONDAY + 32.5 * HOUR)
        with engine.running():
            engine.recipients("residents")(lambda _: [(Recipient("li"), {})])
            until(lambda: engine.count_instances(recipient="li") == 1)


def test_what_failed_is_due_again_when_it_is_to_be_retried():
    """Less and less often while it fails, and never less than once an hour."""
    clock = VirtualClock(MONDAY)

    def broken(_: datetime) -> list[tuple[Recipient, dict[str, str]]]:
        raise OSError

    with Engine("memory://", EACH, clock=clock) as engine:
        engine.recipients("residents")(broken)
        engine.tick()
        clock.move_to(MONDAY + 8.5 * HOUR)
        waits = []
        for _ in range(30):
            engine.tick()
            (position,) = engine._store.starts()
            waits.append(position.retry_us - clock.now_us())
            clock.move_to(datetime.fromtimestamp(position.retry_us / 1_000_000, UTC))
        minute = 60_000_000
        assert waits[0] == minute
        assert waits == sorted(waits)
        assert waits[-1] == 60 * minute


class Schedule:
    """A dispatcher that only notes what it is told."""

    def __init__(self) -> None:
        self.ticks: list[int] = []

    def tick_at(self, due_us: int, store: Store) -> None:  # noqa: ARG002  # the protocol's
        self.ticks.append(due_us)

    def deliver_at(self, due_us: int, store: Store) -> None: ...


def test_a_dispatcher_is_told_when_the_next_one_is_due():
    """As it is told of time limits."""
    schedule = Schedule()
    with Engine("memory://", DAILY, clock=VirtualClock(MONDAY)) as engine:
        engine.dispatch_by(schedule)
        engine.tick()
        assert schedule.ticks[-1] == to_us(MONDAY + 8.5 * HOUR)


def test_an_instance_that_began_by_itself_is_delivered_as_any_other():
    """Subscribers learn of it."""
    seen = []
    clock = VirtualClock(MONDAY)
    with Engine("memory://", DAILY, clock=clock) as engine:
        engine.on_fact("started", name="seen")(seen.append)
        engine.tick()
        clock.advance(9 * HOUR)
        engine.tick()
        engine.deliver()
    assert [fact.occurrence for fact in seen] == ["2026-01-05T08:30"]
