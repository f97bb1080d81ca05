"""The engine beyond what its stores promise: time, reading, errors, closing."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy

from svcflow import Actor, AsyncEngine, Engine, Recipient, VirtualClock
from svcflow.errors import (
    AutomaticLoop,
    CalendarCoverageError,
    DeclarationError,
    StoreError,
    UnknownInstance,
    UnknownProcedure,
)
from svcflow.model.catalog import Catalog
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Step, Transition
from svcflow.runtime.clock import SystemClock
from svcflow.store import open_store
from svcflow.worktime.calendar import WorkCalendar

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LI = Actor("li", roles={"clerk"})


def repair(version: int = 1, within: str = "1h") -> Procedure:
    return Procedure(
        id="repair",
        version=version,
        roles=(Role("clerk"), Role("chief")),
        steps=(
            Step(
                "reported",
                role="clerk",
                within=TimeLimit(within=within, warn=("50%",)),
                to=(Transition("accept", "working"), Transition("reject", "closed", role="chief")),
            ),
            Step("working", role="clerk", within="2h", to=(Transition("close", "closed"),)),
            Step("closed", end="completed"),
        ),
        limits=(TimeLimit(id="whole", within="10h"),),
    )


def looping() -> Procedure:
    """Moves by itself without end as soon as its first minute is over."""
    return Procedure(
        id="looping",
        steps=(
            Step("wait", within="1m", on_overdue="go", to=(Transition("go", "a"),)),
            Step("a", within="0m", on_overdue="on", to=(Transition("on", "b", clock="restart"),)),
            Step(
                "b",
                within="0m",
                on_overdue="back",
                to=(Transition("back", "a", clock="restart"), Transition("stop", "end")),
            ),
            Step("end", end="completed"),
        ),
    )


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def engine(clock):
    with Engine("memory://", repair(), clock=clock) as made:
        yield made


def test_a_tick_after_a_long_sleep_records_everything_at_its_instant(engine, clock):
    """Warnings and breaches are stamped when they were due, recorded when the tick came."""
    inst = engine.start("repair", actor=LI)
    clock.advance(100 * HOUR)
    facts = engine.tick()
    assert [(fact.kind, (fact.occurred_at - NOON) / HOUR) for fact in facts] == [
        ("Warned", 0.5),
        ("Overdue", 1.0),
        ("Overdue", 10.0),
    ]
    assert {fact.recorded_at for fact in facts} == {NOON + 100 * HOUR}
    assert engine.tick() == ()
    assert engine.journal(inst.id)[1:] == facts


def test_a_tick_serves_more_instances_than_one_batch(engine, clock):
    """Everything due is recorded, whatever the size of a batch."""
    for n in range(1_050):
        engine.start("repair", instance_id=f"r{n}")
    clock.advance(HOUR)
    assert len(engine.tick()) == 1_050


def test_one_instance_that_cannot_go_on_keeps_no_other_from_its_time(clock):
    """A poisoned instance raises its error after all others were served; it stays as it was."""
    with Engine("memory://", Catalog.of(repair(), looping()), clock=clock) as engine:
        poisoned = engine.start("looping")
        well = [engine.start("repair").id for _ in range(3)]
        clock.advance(2 * HOUR)
        for _ in range(2):
            with pytest.raises(AutomaticLoop):
                engine.tick()
            assert [len(engine.journal(name)) for name in well] == [3, 3, 3]
        assert len(engine.journal(poisoned.id)) == 1
        assert engine.verify().ok


def test_a_catalog_that_lacks_a_calendar_opens_no_store(tmp_path):
    """It is refused before a database is made, so that none is left behind."""
    step = Step("a", within="1wd", to=(Transition("go", "b"),))
    procedure = Procedure(id="p", calendar="nowhere", steps=(step, Step("b", end="completed")))
    with pytest.raises(DeclarationError, match="nowhere"):
        Engine(f"sqlite:///{tmp_path / 'p.db'}", Catalog.of(procedure))
    assert list(tmp_path.iterdir()) == []


def test_an_instance_before_its_calendars_coverage_keeps_no_other_from_its_time(clock):
    """A calendar that begins later is the error of the instances that need it, not of all."""
    short = {
        "calendar": "always",
        "timezone": "UTC",
        "weekly": {"mon-sun": ["08:00-20:00"]},
        "covers": {"from": "2026-03-05", "to": "2026-12-31"},
    }
    procedure = Procedure(
        id="p",
        steps=(
            Step("a", within="1h", on_overdue="go", to=(Transition("go", "b"),)),
            Step("b", within=TimeLimit(within="50wh"), to=(Transition("stop", "end"),)),
            Step("end", end="completed"),
        ),
    )
    with Engine("memory://", Catalog.of(repair(), procedure), clock=clock) as engine:
        engine._registry._calendars = lambda _: WorkCalendar.from_mapping(short)
        engine.start("p")
        inst = engine.start("repair")
        clock.advance(2 * HOUR)
        with pytest.raises(CalendarCoverageError):
            engine.tick()
        assert len(engine.journal(inst.id)) == 3


def test_a_store_that_fails_ends_a_tick_at_once(clock, tmp_path):
    """A broken store is nobody's instance: the tick does not try a thousand times."""
    file = tmp_path / "service.db"
    with Engine(f"sqlite:///{file}", repair(), clock=clock) as engine:
        engine.start("repair")
        clock.advance(2 * HOUR)
        base = sqlite3.connect(file)
        base.execute("DROP TABLE svcflow_facts")
        base.commit()
        base.close()
        with pytest.raises(StoreError, match="svcflow_facts"):
            engine.tick()


def test_deadlines_in_each_state(engine, clock):
    """running, paused, overdue, met and late, with what is left of each."""
    inst = engine.start("repair", actor=LI)

    def states(*, ended: bool = False) -> dict[str, tuple[str, timedelta | None]]:
        return {one.limit: (one.state, one.remaining) for one in engine.deadlines(inst.id, ended=ended)}

    clock.advance(HOUR / 2)
    assert states() == {"reported": ("running", HOUR / 2), "whole": ("running", 9.5 * HOUR)}
    engine.hold(inst.id, reason="recipient")
    clock.advance(HOUR)
    assert states() == {"reported": ("paused", HOUR / 2), "whole": ("paused", 9.5 * HOUR)}
    assert {one.due_at for one in engine.deadlines(inst.id)} == {None}
    engine.resume(inst.id)
    clock.advance(HOUR)
    assert states()["reported"] == ("overdue", -HOUR / 2)
    engine.fire(inst.id, "accept", actor=LI)
    engine.fire(inst.id, "close", actor=LI)
    assert states() == {}
    assert states(ended=True) == {
        "reported": ("late", None), "working": ("met", None), "whole": ("met", None),
    }  # fmt: skip


def test_available_says_what_is_open_and_why_the_rest_is_not(engine):
    """Each trigger of the step, with the rule that closes it to this actor."""
    inst = engine.start("repair", actor=LI)
    found = {one.trigger: (one.open, one.rule) for one in engine.available(inst.id, LI)}
    assert found == {"accept": (True, ""), "reject": (False, "role")}


def test_available_with_data_is_asked_alike_of_every_engine(tmp_path):
    """The engine, one in a host's transaction and one for asyncio judge guards by the data that are to come."""
    rows = (
        Transition("submit", "checked", when="amount > 1000", requires=("plan",)),
        Transition("submit", "closed"),
    )
    steps = (
        Step("asked", to=rows),
        Step("checked", to=(Transition("approve", "closed"),)),
        Step("closed", end="completed"),
    )
    asking = Procedure(id="asking", fields=[Field("amount", type="number", default=0)], steps=steps)
    url = f"sqlite:///{tmp_path / 'asking.db'}"
    with Engine(url, asking) as engine:
        name = engine.start("asking").id
        joined = sqlalchemy.create_engine(url)
        with joined.begin() as host:
            told = [
                engine.available(name, LI, data={"amount": 5000}),
                engine.on(host).available(name, LI, data={"amount": 5000}),
            ]
        joined.dispose()

    async def ask() -> None:
        async with AsyncEngine(url, asking) as waited:
            told.append(await waited.available(name, LI, data={"amount": 5000}))
            assert [one.to for one in await waited.available(name, LI)] == ["closed"]

    asyncio.run(ask())
    assert [[(one.to, one.requires) for one in found] for found in told] == [[("checked", ("plan",))]] * 3


def test_an_unknown_instance_is_one_everywhere(engine):
    """Every question and command about an id nobody started raises UnknownInstance."""
    for ask in (
        engine.instance,
        engine.deadlines,
        engine.journal,
        engine.verify,
        engine.resume,
        engine.update,
        lambda name: engine.available(name, LI),
        lambda name: engine.fire(name, "accept"),
        lambda name: engine.hold(name, reason="recipient"),
    ):
        with pytest.raises(UnknownInstance, match="r9"):
            ask("r9")
    assert issubclass(UnknownInstance, LookupError)


def test_unknown_procedures_and_versions_are_told(engine):
    """Neither an unknown name nor an unknown version starts anything."""
    for procedure in ("gardening", ("repair", 7)):
        with pytest.raises(UnknownProcedure):
            engine.start(procedure)
    assert engine.instances() == ()


def test_an_instance_keeps_the_version_it_started_with(clock):
    """A new version holds for new instances; the old ones go on under theirs."""
    store = open_store("memory://")
    old = Engine(store, repair(), clock=clock).start("repair")
    engine = Engine(store, Catalog.of(repair(), repair(2, within="5h")), clock=clock)
    assert engine.start("repair").version == 2
    assert engine.start(("repair", 1)).version == 1
    assert engine.deadlines(old.id)[0].due_at == NOON + HOUR
    with Engine(store, repair(2), clock=clock) as without, pytest.raises(UnknownProcedure):
        without.deadlines(old.id)


def test_deviations_are_asked_for_with_datetimes(engine, clock):
    """since and until are aware datetimes; since is included."""
    inst = engine.start("repair", recipient=Recipient("zhang", "staff"))
    clock.advance(2 * HOUR)
    engine.tick()
    assert [one.limit for one in engine.deviations(since=NOON + HOUR, until=NOON + 2 * HOUR)] == ["reported"]
    assert engine.deviations(until=NOON + HOUR) == ()
    assert len(engine.deviations(instance=inst.id, procedure="repair", kind="overdue", step="reported", role="clerk")) == 1  # fmt: skip


def test_ids_can_be_read_aloud(engine):
    """An id is the procedure and twelve letters and digits that are not mistaken for each other."""
    made = {engine.start("repair").id for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"repair-[0-9A-HJKMNP-TV-Z]{12}", one) for one in made)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "memory:/", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "redis://x"]
)
def test_a_url_of_no_store_is_a_store_error(url):
    """Only stores that exist are opened; the error says what to write."""
    with pytest.raises(StoreError) as error:
        Engine(url, repair())
    assert error.value.text("zh") != error.value.text("en")


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path):
    """Neither text nor another program's database is written to."""
    text, other, newer = tmp_path / "a.db", tmp_path / "b.db", tmp_path / "c.db"
    text.write_text("this is no database, but long enough to look like one" * 30)
    base = sqlite3.connect(other)
    base.execute("CREATE TABLE theirs (x)")
    base.commit()
    base.close()
    Engine(f"sqlite:///{newer}", repair()).close()
    base = sqlite3.connect(newer)
    base.execute("UPDATE svcflow_meta SET value = '99'")
    base.commit()
    base.close()
    before = [path.read_bytes() for path in (text, other)]
    for path, said in ((text, "not a database"), (other, "something else"), (newer, "version 99")):
        with pytest.raises(StoreError, match=said):
            Engine(f"sqlite:///{path}", repair())
    assert [path.read_bytes() for path in (text, other)] == before
    with pytest.raises(StoreError, match="folder exists"):
        Engine(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}", repair())


def test_a_closed_engine_says_so(clock, tmp_path):
    """After close a command is a StoreError, not a fault of the driver; closing twice is harmless."""
    engine = Engine(f"sqlite:///{tmp_path / 'service.db'}", repair(), clock=clock)
    inst = engine.start("repair")
    engine.close()
    engine.close()
    with pytest.raises(StoreError):
        engine.fire(inst.id, "accept", actor=LI)


def test_verification_shows_its_progress(engine):
    """progress is called with the number of instances done."""
    for _ in range(3):
        engine.start("repair")
    seen: list[int] = []
    result = engine.verify(progress=seen.append)
    assert (seen, result.instances, result.facts, result.ok) == ([1, 2, 3], 3, 3, True)


def test_the_system_clock_tells_the_time_in_microseconds():
    """Between two readings of the machine's clock lies ours."""
    before = datetime.now(UTC)
    now = datetime.fromtimestamp(SystemClock().now_us() / 1e6, UTC)
    assert before - timedelta(milliseconds=1) <= now <= datetime.now(UTC) + timedelta(milliseconds=1)


def test_a_virtual_clock_stands_still_until_moved_and_never_goes_back(clock):
    """advance, advance_working and move_to go forward only."""
    assert clock.now == NOON
    assert clock.advance(HOUR) == NOON + HOUR
    always = WorkCalendar.from_mapping(
        {"calendar": "day", "timezone": "UTC", "weekly": {"mon-sun": ["08:00-14:00"]}}
    )
    assert clock.advance_working(2 * HOUR, always) == NOON + 21 * HOUR
    assert clock.move_to(clock.now) == clock.now
    for back in (lambda: clock.advance(-HOUR), lambda: clock.move_to(NOON)):
        with pytest.raises(ValueError, match=r"does not go back|it takes a length of time from 0"):
            back()


def test_a_clock_set_back_does_not_turn_the_journal_round():
    """The engine's clock may jump an hour back: facts never do."""

    class Jumping:
        us = 10_000_000_000

        def now_us(self) -> int:
            return self.us

    jumping = Jumping()
    with Engine("memory://", repair(), clock=jumping) as engine:
        inst = engine.start("repair")
        jumping.us -= 3_600_000_000
        engine.fire(inst.id, "accept", actor=LI)
        assert [one.remaining for one in engine.deadlines(inst.id)] == [2 * HOUR, 10 * HOUR]
        moved = engine.journal(inst.id)[1]
        assert (moved.occurred_us, moved.recorded_us) == (10_000_000_000, 6_400_000_000)
        assert engine.verify().ok


def test_engines_are_used_from_many_threads_at_first_use():
    """Procedures compile once, also when many threads ask for them at the same time."""
    with Engine("memory://", Catalog.of(*(repair(n) for n in range(1, 6)))) as engine:
        begin = threading.Barrier(8)
        failures: list[BaseException] = []

        def use() -> None:
            begin.wait()
            try:
                for n in range(1, 6):
                    engine.start(("repair", n))
            except BaseException as error:  # noqa: BLE001  # told below
                failures.append(error)

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(engine.instances()) == 40
