"""What was left alone for long is caught up with in parts, on every store: others get in between, nothing is other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from contract_cases import LI, NOON
from sqlalchemy import create_engine

from svcflow import AsyncEngine, Catalog, Engine, Procedure, StaleRevision, VirtualClock
from svcflow.errors import FarBehind, Refused
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition
from svcflow.runtime.filters import InstanceQuery
from svcflow.runtime.store import MAX_FACTS, Store

MINUTES = timedelta(minutes=1)
MISSED = 2 * MAX_FACTS + 500
"""How many minutes pass unseen: two whole parts and a half."""


def served(version: int = 1, **limits: Any) -> Procedure:
    """Tea every minute while somebody waits; `loop` goes round by itself every minute."""
    return Procedure(
        id="tea",
        version=version,
        roles=(Role("clerk"),),
        steps=(
            Step(
                "waiting",
                role="clerk",
                to=(
                    Transition("tea", "waiting"),
                    Transition("go", "gone", role="clerk"),
                    Transition("turn", "turning"),
                ),
            ),
            Step(
                "turning",
                within=TimeLimit(within="1m", on_overdue="turn"),
                to=(Transition("turn", "turning", clock="restart"), Transition("go", "gone")),
            ),
            Step("gone", end="completed"),
        ),
        limits=(TimeLimit(id="tea", step="waiting", every="1m", done_by="tea", **limits),),
    )


CATALOG = Catalog.of(served(), served(2))


class Watched:
    """A store that notes how many facts each transaction added, and calls `between` after each."""

    def __init__(self, store: Store) -> None:
        self.parts: list[int] = []
        self.between: Callable[[], object] = lambda: None
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def change(self, *asked: Any) -> None:
        self._noted(lambda: self._store.change(*asked))

    def sweep(self, *asked: Any) -> Any:
        return self._noted(lambda: self._store.sweep(*asked))

    def facts_kept(self) -> int:
        return sum(one.sequence for one in self._store.instances(InstanceQuery()))

    def _noted(self, act: Callable[[], Any]) -> Any:
        before = self.facts_kept()
        said = act()
        self.parts.append(self.facts_kept() - before)
        between, self.between = self.between, lambda: None
        between()
        return said


@pytest.fixture
def watched(store) -> Watched:
    return Watched(store)


@pytest.fixture
def engine(watched):
    """One instance that nobody saw to for some forty hours."""
    engine = Engine(watched, CATALOG, clock=VirtualClock(NOON))
    engine.start(("tea", 1), instance_id="i1")
    left_alone(engine)
    watched.parts.clear()
    return engine


def left_alone(engine: Engine, minutes: int = MISSED) -> None:
    engine.clock.advance(minutes * MINUTES + timedelta(seconds=30))


def test_a_tick_records_in_parts_what_became_due_long_ago(engine, watched):
    """No transaction holds more than one part; the facts are returned together, one for each minute."""
    facts = engine.tick()
    assert [fact.kind for fact in facts] == ["Overdue"] * MISSED
    assert facts == engine.journal("i1")[1:]
    assert max(watched.parts) == MAX_FACTS
    assert engine.tick() == ()
    assert engine.verify().ok


def test_a_command_is_judged_after_what_was_due_before_it(engine, watched):
    """A move comes after every minute that was missed; it stands in the last part, with the rest of them."""
    assert engine.fire("i1", "go", actor=LI, command_id="c-1").status == "ended"
    assert watched.parts == [MAX_FACTS, MAX_FACTS, MISSED - 2 * MAX_FACTS + 1]
    before = engine.journal("i1")
    assert engine.fire("i1", "go", actor=LI, command_id="c-1").status == "ended"
    assert engine.journal("i1") == before


def test_a_refused_command_leaves_what_was_due_before_it(engine):
    """The attempt stands behind all that time brought."""
    with pytest.raises(Refused):
        engine.resume("i1", actor=LI)
    kinds = [fact.kind for fact in engine.journal("i1")]
    assert kinds == ["Started", *["Overdue"] * MISSED, "Refused"]


def test_a_migration_and_a_recomputation_catch_up_first(engine, watched):
    """Both versions say the same of the past, however long that is."""
    assert engine.migrate("i1", 2, reason="new", actor=LI).version == 2
    left_alone(engine)
    engine.recompute(reason="calendar", actor=LI)
    assert max(watched.parts) <= MAX_FACTS + 5
    kinds = [fact.kind for fact in engine.journal("i1")]
    assert kinds.count("Overdue") == 2 * MISSED
    assert engine.verify().ok


def test_others_are_seen_to_between_two_parts(engine, watched):
    """A sweep brings everybody on by one part before anybody gets a second one."""
    engine.start(("tea", 1), instance_id="i2")
    left_alone(engine, 10)
    order = list(dict.fromkeys((fact.instance, fact.sequence // MAX_FACTS) for fact in engine.tick()))
    assert {name for name, _ in order} == {"i1", "i2"}
    assert len(engine.journal("i2")) == 11
    seen: list[int] = []
    left_alone(engine)
    watched.between = lambda: seen.append(engine.update("i2", actor=LI).sequence)
    watched.parts.clear()
    engine.tick()
    assert seen != []
    assert max(watched.parts) <= MAX_FACTS + 1


def test_many_that_are_due_share_a_transaction_up_to_one_part(engine, watched):
    """Instances of several facts each do not add up to more than one transaction is to hold."""
    engine.tick()
    for number in range(30):
        engine.start(("tea", 1), instance_id=f"n{number}")
    left_alone(engine, 77)
    watched.parts.clear()
    assert len(engine.tick()) == 31 * 77
    assert max(watched.parts) <= MAX_FACTS
    assert engine.verify().ok


def test_a_loop_of_deemed_moves_is_caught_up_with_in_parts(engine, watched):
    """Every turn is a breach, a move and its end: none is cut in two, and a retry goes on where it stopped."""
    engine.fire("i1", "turn", actor=LI)
    left_alone(engine, MAX_FACTS)
    watched.parts.clear()
    facts = engine.tick()
    assert [fact.kind for fact in facts].count("Moved") == MAX_FACTS
    assert max(watched.parts) <= MAX_FACTS
    assert engine.verify().ok


def test_the_revision_that_was_seen_holds_for_the_command_and_its_own_catching_up(engine):
    """What time itself moves does not make the caller's view stale; what somebody did in between does."""
    seen = engine.fire("i1", "turn", actor=LI).revision
    left_alone(engine, MAX_FACTS)
    assert engine.fire("i1", "go", actor=LI, step="turning", expected_revision=seen).status == "ended"


def test_somebody_who_comes_in_between_makes_the_view_stale(engine, watched):
    """The command is not judged on a state that its sender has not seen."""
    seen = engine.instance("i1").revision
    other = Engine(watched._store, CATALOG, clock=VirtualClock(NOON))
    watched.between = lambda: other.update("i1", actor=LI)
    with pytest.raises(StaleRevision):
        engine.fire("i1", "go", actor=LI, expected_revision=seen)


@pytest.mark.parametrize("minutes", [MAX_FACTS - 1, MAX_FACTS, MAX_FACTS + 1])
def test_the_bound_itself_is_one_part(engine, watched, minutes):
    """So many facts are recorded with the command, one more in a transaction before."""
    engine.tick()
    engine.start(("tea", 1), instance_id="i2")
    left_alone(engine, minutes)
    watched.parts.clear()
    engine.update("i2", actor=LI)
    assert watched.parts == ([minutes + 1] if minutes <= MAX_FACTS else [MAX_FACTS, 2])


@pytest.mark.parametrize("days", [2, pytest.param(45, marks=pytest.mark.long)])
def test_an_engine_made_anew_catches_up_with_what_weeks_have_missed(url, days):
    """What a service left alone over its holidays has missed is recorded when it is opened again."""
    with Engine(url, CATALOG, clock=VirtualClock(NOON)) as engine:
        engine.start("tea", instance_id="i1")
    clock = VirtualClock(NOON)
    clock.advance(timedelta(days=days))
    with Engine(url, CATALOG, clock=clock) as engine:
        assert len(engine.tick()) == days * 24 * 60 - 1
        assert engine.count_deviations(kind="missed_occurrence") == days * 24 * 60 - 1
        assert engine.verify().ok


def test_the_engine_for_asyncio_catches_up_as_well(store):
    """A command that is awaited comes after all that was due."""

    async def updated() -> int:
        engine = AsyncEngine(store, CATALOG, clock=VirtualClock(NOON))
        await engine.start(("tea", 1), instance_id="i1")
        left_alone(engine.engine)
        return (await engine.update("i1", actor=LI)).sequence

    assert asyncio.run(updated()) == MISSED + 2


def test_a_host_is_told_to_tick_first(url):
    """Inside a host's transaction there is one transaction only: nothing is done, and the error says what to do."""
    with Engine(url, CATALOG, clock=VirtualClock(NOON)) as engine:
        engine.start(("tea", 1), instance_id="i1")
        left_alone(engine)
        database = create_engine(url)
        with database.begin() as connection:
            joined = engine.on(connection)
            for ask in (
                lambda: joined.fire("i1", "go", actor=LI),
                lambda: joined.migrate("i1", 2, reason="new", actor=LI),
                joined.tick,
                lambda: joined.recompute(reason="calendar", actor=LI),
            ):
                with pytest.raises(FarBehind, match=r"1,000 facts are due on i1.*tick"):
                    ask()
            assert joined.start("tea", instance_id="i2").steps == ("waiting",)
            assert len(joined.deadlines("i1")) == 1  # a question keeps nothing
        assert len(engine.journal("i1")) == 1
        engine.tick()
        with database.begin() as connection:
            assert engine.on(connection).fire("i1", "go", actor=LI).status == "ended"
        database.dispose()


def test_a_tick_of_a_host_is_bounded_as_a_whole(url):
    """Many instances with a little due each are as much as one with much."""
    with Engine(url, CATALOG, clock=VirtualClock(NOON)) as engine:
        for number in range(30):
            engine.start(("tea", 1), instance_id=f"i{number}")
        left_alone(engine, 70)
        database = create_engine(url)
        with pytest.raises(FarBehind, match="1,000 facts are due:"), database.begin() as connection:
            engine.on(connection).tick()
        assert len(engine.journal("i1")) == 1
        assert len(engine.tick()) == 30 * 70
        database.dispose()
