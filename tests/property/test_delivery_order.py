"""However handlers fail and workers die: every fact is delivered, in order per instance, and nobody waits for others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from svcflow import Engine, VirtualClock
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.store.memory.store import MemoryStore

PROCEDURE = Procedure(id="patrol", steps=(Step("walking", to=(Transition("go_on", "walking"),)),))
NAMES = ("r1", "r2", "r3")
ATTEMPTS = 3
MINUTE = timedelta(minutes=1)

Place = tuple[str, int]


class KilledError(BaseException):
    """The end of a process: nothing more is noted."""


class DyingFeed:
    """A feed whose worker may be dead, and then notes nothing."""

    def __init__(self, feed: object) -> None:
        self._feed = feed
        self.dying = False

    def record(self, *args: object) -> bool:
        if self.dying:
            raise KilledError
        return self._feed.record(*args)

    def __getattr__(self, name: str) -> object:
        return getattr(self._feed, name)


class Receiver:
    """A handler that refuses some instances, may be killed, and notes what came too early."""

    def __init__(self, engine: Engine, feed: DyingFeed) -> None:
        self.engine = engine
        self.feed = feed
        self.refuses: frozenset[str] = frozenset()
        self.ever_refused: set[str] = set()
        self.left = -1
        self.taken: set[Place] = set()
        self.too_early: list[object] = []

    def __call__(self, fact: object) -> None:
        if self.left == 0:
            self.feed.dying = True
            raise KilledError
        self.left -= 1
        if fact.instance in self.refuses:
            self.ever_refused.add(fact.instance)
            raise ConnectionError
        dead = {(one.fact.instance, one.fact.sequence) for one in self.engine.dead_letters()}
        earlier = {(fact.instance, sequence) for sequence in range(1, fact.sequence)}
        if not earlier <= self.taken | dead:
            self.too_early.append(fact)
        self.taken.add((fact.instance, fact.sequence))


DELIVERIES = st.tuples(st.frozensets(st.sampled_from(NAMES)), st.integers(-1, 6))
ACTIONS = st.one_of(
    st.sampled_from(NAMES).map(lambda name: ("record", name)),
    DELIVERIES.map(lambda how: ("deliver", how)),
    st.sampled_from((1, 5, 70, 4_000)).map(lambda seconds: ("wait", seconds)),
    st.just(("redeliver", None)),
)


def recorded(engine: Engine) -> Iterator[Place]:
    for one in engine.instances():
        yield from ((one.id, sequence) for sequence in range(1, one.sequence + 1))


def act(receiver: Receiver, clock: VirtualClock, action: str, what: object) -> None:
    engine = receiver.engine
    if action == "record":
        if engine._store.load(what) is None:
            engine.start("patrol", instance_id=what)
        else:
            engine.fire(what, "go_on")
    elif action == "wait":
        clock.advance(timedelta(seconds=what))
    elif action == "redeliver":
        engine.redeliver("desk")
    else:
        deliver(receiver, clock, *what)


def deliver(receiver: Receiver, clock: VirtualClock, refuses: frozenset[str], left: int) -> None:
    """Deliver while some are refused; a worker that dies keeps its lease until it runs out."""
    receiver.refuses, receiver.left = refuses, left
    try:
        receiver.engine.deliver()
    except KilledError:
        receiver.feed.dying = False
        clock.advance(MINUTE)
        return
    well = [name for name in NAMES if name not in receiver.ever_refused]
    missing = {place for place in recorded(receiver.engine) if place[0] in well} - receiver.taken
    assert not missing, "an instance that was never refused waited for another"


@given(st.lists(ACTIONS, max_size=40))
def test_every_fact_is_delivered_in_order_and_others_are_not_delayed(actions):
    """Random failures, pauses, deaths and redeliveries; in the end nothing is missing and nothing is dead."""
    clock, store = VirtualClock(), MemoryStore()
    store.feed = feed = DyingFeed(store.feed)
    engine = Engine(store, PROCEDURE, clock=clock)
    receiver = Receiver(engine, feed)
    engine.on_fact(name="desk", attempts=ATTEMPTS)(receiver)
    for action, what in actions:
        act(receiver, clock, action, what)
    deliver(receiver, clock, frozenset(), -1)
    engine.redeliver("desk")
    deliver(receiver, clock, frozenset(), -1)
    assert set(recorded(engine)) == receiver.taken
    assert not receiver.too_early, "it came before an earlier one of its instance"
    assert [(one.lag, one.waiting, one.dead) for one in engine.subscriptions()] == [(0, 0, 0)]
