"""Handlers of facts, on every store: at least once, in order per instance, tried again, given up."""

from __future__ import annotations

import functools
import json
import logging
import operator
import re
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from contract_cases import LI, NOON, engine_on

from svcflow import VirtualClock
from svcflow.errors import DeliveryError, StoreError, SubscriptionError, UnknownSubscription
from svcflow.runtime.outbox import delivery, outbox
from svcflow.runtime.outbox.delivery import Delivered
from svcflow.store import open_store
from svcflow.text import NO_TEXT, Text
from waiting import PATIENCE_S, until, until_asleep

SECOND = timedelta(seconds=1)


class Desk:
    """A handler that notes what it is given, and refuses what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []
        self.attempts: list[int] = []
        self.refuses: set[str] = set()

    def __call__(self, fact, delivery):
        self.attempts.append(delivery.attempt)
        if fact.instance in self.refuses:
            raise ConnectionError(f"no answer to {fact.kind}")
        self.got.append((fact.instance, fact.sequence))

    def take(self) -> list[tuple[str, int]]:
        taken, self.got = self.got, []
        return taken


@pytest.fixture
def clock():
    return VirtualClock(NOON)


@pytest.fixture
def engine(store, clock):
    return engine_on(store, clock)


@pytest.fixture
def desk(engine):
    """Return a handler of all facts, subscribed as `desk`."""
    made = Desk()
    engine.on_fact(name="desk", attempts=3)(made)
    return made


def start(engine, *names: str) -> None:
    for name in names:
        engine.start("repair", instance_id=name, actor=LI)


def standing(engine, name: str = "desk") -> tuple[int, int, int]:
    (one,) = (one for one in engine.subscriptions() if one.name == name)
    return one.lag, one.waiting, one.dead


def test_a_handler_is_given_the_facts_of_its_kinds_once(engine):
    """deliver gives what was recorded since the subscription was made; asked again, there is nothing."""
    start(engine, "r0")
    moved, every = [], []
    engine.on_fact("moved", name="moved")(moved.append)
    engine.on_fact(name="every")(every.append)
    start(engine, "r1")
    engine.fire("r1", "accept", actor=LI)
    assert engine.deliver() == Delivered(3)
    assert [fact.kind for fact in every] == ["Started", "Moved"]
    assert moved == [engine.journal("r1")[1]]
    assert engine.deliver() == Delivered()
    assert standing(engine, "moved") == standing(engine, "every") == (0, 0, 0)


def test_a_subscription_from_the_start_is_given_everything(engine):
    """since="start" begins with the first fact of the store."""
    start(engine, "r0", "r1")
    got = []
    engine.on_fact(name="late", since="start")(got.append)
    engine.deliver()
    assert [fact.instance for fact in got] == ["r0", "r1"]


def test_a_decorated_function_stays_what_it_is(engine):
    """The decorator returns the function; its name is the subscription's."""

    @engine.on_fact("started")
    def tell_chief(fact):
        return fact.instance

    start(engine, "r1")
    assert tell_chief(engine.journal("r1")[0]) == "r1"
    assert [one.name for one in engine.subscriptions()] == ["tell_chief"]


def test_a_name_is_used_once_in_an_engine(engine, desk):
    """A second handler under one name would share its cursor."""
    with pytest.raises(SubscriptionError, match="there is a subscription desk already"):
        engine.on_fact(name="desk")(desk)


def test_a_handler_that_raises_never_harms_the_transition(engine, desk, caplog):
    """fire and tick do not even know; the failure is logged, counted and kept."""
    desk.refuses = {"r1"}
    start(engine, "r1")
    before = engine.fire("r1", "accept", actor=LI)
    with caplog.at_level(logging.WARNING, "svcflow"):
        assert engine.deliver() == Delivered(0, 1, 0)
    assert "desk could not take r1/1 at attempt 1 of 3: ConnectionError at " in caplog.text
    assert "no answer" not in caplog.text
    assert engine.instance("r1") == before
    assert engine.fire("r1", "again", actor=LI).sequence == 3
    assert engine.verify().ok
    assert standing(engine) == (1, 2, 0)


def test_later_facts_of_an_instance_wait_behind_one_that_failed(engine, desk, clock):
    """Others go on; when it is tried again and taken, the later ones follow in order."""
    desk.refuses = {"r1"}
    start(engine, "r1", "r2")
    engine.fire("r1", "accept", actor=LI)
    engine.fire("r2", "accept", actor=LI)
    assert engine.deliver() == Delivered(2, 1, 0)
    assert desk.take() == [("r2", 1), ("r2", 2)]
    engine.fire("r1", "again", actor=LI)
    desk.refuses = set()
    assert engine.deliver() == Delivered()  # it is not time yet, and what came goes in line
    assert standing(engine) == (0, 3, 0)
    clock.advance(SECOND)
    assert engine.deliver() == Delivered(3)
    assert desk.take() == [("r1", 1), ("r1", 2), ("r1", 3)]
    assert desk.attempts[-3:] == [2, 1, 1]
    assert standing(engine) == (0, 0, 0)


def test_after_its_last_attempt_a_fact_is_a_dead_letter_and_the_next_goes_on(engine, desk, clock, caplog):
    """Pauses grow; then it is given up with its error, and the later facts of its instance are tried."""
    desk.refuses = {"r1"}
    start(engine, "r1")
    engine.fire("r1", "accept", actor=LI)
    for pause in (0, 1, 4):
        clock.advance(timedelta(seconds=pause) - timedelta(microseconds=bool(pause)))
        if pause:
            assert engine.deliver() == Delivered()
            clock.advance(timedelta(microseconds=1))
        assert engine.deliver() == (Delivered(0, 1, 1) if pause == 4 else Delivered(0, 1, 0))
    (letter,) = engine.dead_letters()
    assert (letter.subscription, letter.fact, letter.attempts) == ("desk", engine.journal("r1")[0], 3)
    assert re.fullmatch(rf"ConnectionError at {__name__}\.Desk\.__call__:\d+", letter.error)
    assert letter.failed_at == clock.now
    assert "desk gives up r1/1" in caplog.text
    assert standing(engine) == (0, 1, 1)
    desk.refuses = set()
    clock.advance(SECOND)
    assert engine.deliver() == Delivered(1)
    assert desk.take() == [("r1", 2)]


def test_with_one_attempt_a_failure_holds_nobody_up(engine, clock):
    """attempts=1 gives up at once; the next fact of the instance is tried in the same round."""
    desk = Desk()
    desk.refuses = {"r1"}
    engine.on_fact(name="once", attempts=1)(desk)
    start(engine, "r1")
    engine.fire("r1", "accept", actor=LI)
    assert engine.deliver() == Delivered(0, 0, 2)
    assert [one.fact.sequence for one in engine.dead_letters("once")] == [1, 2]


def test_dead_letters_are_delivered_again_when_asked(engine, desk, clock):
    """redeliver puts those of a subscription, or of one instance, back; they begin anew."""
    desk.refuses = {"r1", "r2"}
    start(engine, "r1", "r2")
    for _ in range(3):
        engine.deliver()
        clock.advance(timedelta(hours=1))
    assert [one.fact.instance for one in engine.dead_letters()] == ["r1", "r2"]
    desk.refuses = set()
    assert engine.redeliver("desk", "r2") == 1
    assert engine.deliver() == Delivered(1)
    assert engine.redeliver("desk") == 1
    assert engine.deliver() == Delivered(1)
    assert desk.take() == [("r2", 1), ("r1", 1)]
    assert desk.attempts[-2:] == [1, 1]
    assert engine.redeliver("desk") == 0
    assert engine.dead_letters() == ()


def test_redeliver_tries_at_once_what_waits(engine, desk):
    """When a receiver is back nobody has to wait for the pause to end."""
    desk.refuses = {"r1"}
    start(engine, "r1")
    engine.deliver()
    desk.refuses = set()
    assert engine.redeliver("desk") == 0
    assert engine.deliver() == Delivered(1)


def test_a_subscription_that_is_not_there_is_an_error_with_the_nearest(engine, desk):
    """redeliver and dead_letters of a name misspelt would do nothing."""
    for ask in (engine.redeliver, engine.dead_letters):
        with pytest.raises(UnknownSubscription, match="did you mean desk"):
            ask("dsk")
    with pytest.raises(LookupError):
        engine_on(open_store("memory://")).redeliver("desk")


def test_an_error_that_no_database_can_hold_is_kept_all_the_same(engine, clock):
    """A zero byte, half a character, a text without end, an error that cannot say what it is."""

    class Mute(DeliveryError):
        def __str__(self) -> str:
            raise ZeroDivisionError

    errors = iter([DeliveryError(Text(zh="", en="a\0b\ud800" + "x" * 5_000)), Mute(NO_TEXT)])

    @engine.on_fact(attempts=1)
    def odd(fact):
        raise next(errors)

    start(engine, "r1", "r2")
    assert engine.deliver() == Delivered(0, 0, 2)
    first, second = (one.error for one in engine.dead_letters())
    assert first.startswith("svcflow.errors.DeliveryError: a?b\\ud800xxx")
    assert len(first) == 1_000
    assert "Mute" in second


def test_what_an_error_quotes_is_neither_kept_nor_logged(engine, clock, caplog):
    """A dead letter cannot be erased with a person: it holds a class and a place, while waiting and when given up."""

    @engine.on_fact(name="quotes", attempts=2)
    def quotes(fact):
        json.loads(f"{fact.actor} lives at 3-1204")

    @engine.on_fact(name="vouches", attempts=1)
    def vouches(fact):
        raise DeliveryError(Text(zh="无应答", en="451 from the mail server"))

    start(engine, "r1")
    for _ in range(2):
        engine.deliver()
        clock.advance(SECOND)
    given_up = {one.subscription: one.error for one in engine.dead_letters()}
    assert given_up["vouches"] == "svcflow.errors.DeliveryError: 451 from the mail server"
    assert re.fullmatch(
        rf"json\.decoder\.JSONDecodeError at {__name__}\..*<locals>\.quotes:\d+", given_up["quotes"]
    )
    assert "3-1204" not in caplog.text


def test_an_error_from_a_borrowed_function_names_where_it_was_raised(engine):
    """Of a handler whose own module is not among the frames, the innermost place is named."""
    engine.on_fact("started", name="borrowed", attempts=1)(functools.partial(operator.truediv, 1))
    start(engine, "r1")
    engine.deliver()
    (letter,) = engine.dead_letters()
    assert letter.error.startswith("TypeError at svcflow.runtime.")


def test_what_a_handler_itself_records_is_delivered_the_next_time(engine):
    """A handler may fire; one round ends where the facts ended when it began, so that it does end."""

    @engine.on_fact("moved", name="echo")
    def echo(fact):
        engine.fire(fact.instance, "again", actor=LI)

    start(engine, "r1")
    engine.fire("r1", "accept", actor=LI)
    assert [engine.deliver().count for _ in range(3)] == [1, 1, 1]
    assert engine.instance("r1").sequence == 5


def test_an_interruption_keeps_what_was_delivered_and_gives_the_lease_back(engine):
    """Ctrl-C in a handler: what it had is not delivered again, what it was at is, and nobody waits."""
    got = []

    @engine.on_fact(name="desk")
    def handler(fact):
        got.append(fact.instance)
        if got == ["r1", "r2"]:
            raise KeyboardInterrupt

    start(engine, "r1", "r2", "r3")
    with pytest.raises(KeyboardInterrupt):
        engine.deliver()
    assert engine.deliver() == Delivered(2)
    assert got == ["r1", "r2", "r2", "r3"]


def test_two_workers_do_not_deliver_the_same(store, clock):
    """While one has a subscription, the other delivers nothing; when it is done, what is left is delivered once."""
    inside, go = threading.Event(), threading.Event()
    got: list[tuple[str, str]] = []
    engines = {name: engine_on(store, clock) for name in ("a", "b")}
    for name, engine in engines.items():

        @engine.on_fact(name="desk")
        def handler(fact, *, name=name):
            got.append((name, fact.instance))
            inside.set()
            assert go.wait(PATIENCE_S)

    start(engines["a"], "r1", "r2")
    first = threading.Thread(target=engines["a"].deliver)
    first.start()
    assert inside.wait(PATIENCE_S)
    assert engines["b"].deliver() == Delivered()
    go.set()
    first.join()
    assert got == [("a", "r1"), ("a", "r2")]
    start(engines["a"], "r3")
    assert engines["b"].deliver() == Delivered(1)
    assert engines["a"].deliver() == Delivered()


def test_many_workers_at_once_deliver_each_fact_once(store):
    """Eight threads deliver as often as they can while facts are recorded: each comes once, in order."""
    engine = engine_on(store)
    got: list[tuple[str, int]] = []
    engine.on_fact(name="desk")(lambda fact: got.append((fact.instance, fact.sequence)))
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            engine.deliver()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for number in range(30):
        start(engine, f"r{number}")
        engine.fire(f"r{number}", "accept", actor=LI)
    done.set()
    for worker in workers:
        worker.join()
    engine.deliver()
    assert sorted(got) == sorted((f"r{number}", sequence) for number in range(30) for sequence in (1, 2))
    assert all(got.index((name, 1)) < got.index((name, 2)) for name, _ in got)


def test_a_lease_that_ran_out_is_taken_over(store, clock, caplog, monkeypatch):
    """A worker that hangs longer than its lease is overtaken; what it then says counts for nothing, and it stops."""
    monkeypatch.setattr(delivery, "RECORD_S", 0.0)
    inside, go = threading.Event(), threading.Event()
    slow, quick = engine_on(store, clock), engine_on(store, clock)
    got: list[str] = []
    hung_at: list[str] = []

    @slow.on_fact(name="desk", lease=timedelta(seconds=5))
    def hang(fact):
        hung_at.append(fact.instance)
        inside.set()
        assert go.wait(PATIENCE_S)
        raise ValueError("too late to say so")

    quick.on_fact(name="desk")(lambda fact: got.append(fact.instance))
    start(slow, "r1", "r2")
    hung = threading.Thread(target=slow.deliver)
    hung.start()
    assert inside.wait(PATIENCE_S)
    clock.advance(timedelta(seconds=4.9))
    assert quick.deliver() == Delivered()
    clock.advance(timedelta(seconds=0.1))
    assert quick.deliver() == Delivered(2)
    go.set()
    hung.join()
    assert got == ["r1", "r2"]
    assert hung_at == ["r1"]
    assert "the lease ran out" in caplog.text
    assert standing(quick) == (0, 0, 0)


def test_a_slow_handler_is_noted_after_each_fact(store, clock, monkeypatch):
    """What took longer than RECORD_S is on record before the next fact: another worker goes on behind it."""
    monkeypatch.setattr(delivery, "RECORD_S", 0.0)
    engine = engine_on(store, clock)
    seen: list[int] = []
    engine.on_fact(name="desk")(lambda _: seen.append(store.feed.position_of("desk").position))
    start(engine, "r1", "r2", "r3")
    engine.deliver()
    assert seen == [0, 1, 2]


def test_a_running_engine_delivers_at_once_what_it_records(engine, desk, clock, monkeypatch):
    """The thread is woken by a command and by a tick; it does not only look now and then."""
    monkeypatch.setattr(outbox, "_POLL_US", 3_600_000_000)
    with engine.running():
        until_asleep(engine._outbox._threads["desk"])
        start(engine, "r1")
        until(lambda: desk.got == [("r1", 1)])
        clock.advance(timedelta(hours=2))
        engine.tick()
        until(lambda: desk.got == [("r1", 1), ("r1", 2)])
    start(engine, "r3")
    time.sleep(0.1)
    assert len(desk.got) == 2


def test_a_running_engine_tries_again_and_finds_what_others_recorded(engine, desk, clock):
    """A failed fact comes when its pause is over, one of another process when it looks the next time."""
    with engine.running():
        desk.refuses = {"r1"}
        start(engine, "r1")
        until(lambda: standing(engine) == (0, 1, 0))
        desk.refuses = set()
        clock.advance(SECOND)
        until(lambda: desk.got == [("r1", 1)])
        start(engine_on(engine._store, clock), "r2")
        until(lambda: desk.got[-1] == ("r2", 1))


def test_facts_recorded_in_quick_succession_share_a_round(engine, desk, monkeypatch):
    """The thread rests for a moment after each round, so that a busy service is not written to twice per fact."""
    resting, recorded = threading.Event(), threading.Event()
    breath = SimpleNamespace(sleep=lambda _: (resting.set(), recorded.wait(PATIENCE_S)))
    monkeypatch.setattr(outbox, "time", breath)
    feed, rounds = engine._store.feed, []
    acquire = feed.acquire
    monkeypatch.setattr(feed, "acquire", lambda *args: rounds.append(args) or acquire(*args))
    with engine.running():
        start(engine, "r1")
        assert resting.wait(PATIENCE_S)
        for number in range(2, 12):
            start(engine, f"r{number}")
        recorded.set()
        until(lambda: len(desk.got) == 11)
    assert len(rounds) <= 3


def test_redeliver_wakes_a_running_engine(engine, desk, clock, monkeypatch):
    """What is put back in line is not left until the thread looks the next time."""
    monkeypatch.setattr(outbox, "_POLL_US", 3_600_000_000)
    desk.refuses = {"r1"}
    start(engine, "r1")
    for _ in range(3):
        engine.deliver()
        clock.advance(10 * SECOND)
    desk.refuses = set()
    with engine.running():
        until_asleep(engine._outbox._threads["desk"])
        engine.redeliver("desk")
        until(lambda: desk.got == [("r1", 1)])


def test_a_slow_handler_keeps_neither_time_limits_nor_others_waiting(engine):
    """Each subscription has its thread: while one hangs, a limit passes and another handler hears of it."""
    inside, go, heard = threading.Event(), threading.Event(), threading.Event()

    @engine.on_fact("started", name="slow")
    def slow(fact):
        inside.set()
        assert go.wait(PATIENCE_S)

    engine.on_fact("overdue", name="chief")(lambda _: heard.set())
    with engine.running() as running:
        start(engine, "r1")
        assert inside.wait(PATIENCE_S)
        engine.clock.advance(timedelta(hours=2))
        engine._ticker.notice(0)
        assert heard.wait(PATIENCE_S)
        go.set()
    assert running.failure is None


def test_a_subscription_made_while_it_runs_is_delivered_too(engine):
    """on_fact inside running() starts its thread."""
    heard = threading.Event()
    with engine.running():
        engine.on_fact(name="late")(lambda _: heard.set())
        start(engine, "r1")
        assert heard.wait(PATIENCE_S)


def test_stopping_waits_for_the_fact_in_hand_only(engine):
    """Leaving running() does not deliver a whole backlog first."""
    got, stopped = [], []

    @engine.on_fact(name="slow")
    def slow(fact):
        got.append(fact.instance)
        if not stopped:
            until(lambda: not engine._outbox._threads["slow"].may_proceed(), "it is told to stop")

    start(engine, *(f"r{number:02}" for number in range(40)))
    with engine.running():
        until(lambda: got)
    stopped.append(True)
    assert len(got) == 1
    assert engine.deliver().count == 39


def test_a_quiet_subscription_writes_nothing_while_others_are_busy(engine, desk):
    """A thread whose kinds do not occur leaves its cursor; a call to deliver moves it."""
    engine.on_fact("held", name="quiet")(desk)
    courier_of = engine._outbox.workers["quiet"]
    start(engine, "r1", "r2")
    assert courier_of.deliver(thrifty=True) == Delivered()
    assert standing(engine, "quiet") == (2, 0, 0)
    engine.hold("r1", reason="recipient", actor=LI)
    assert courier_of.deliver(thrifty=True) == Delivered(1)
    assert standing(engine, "quiet") == (0, 0, 0)
    start(engine, "r3")
    engine.deliver()
    assert standing(engine, "quiet") == (0, 0, 0)


def test_a_quiet_subscription_is_moved_on_after_a_portion(engine, desk, monkeypatch):
    """So that it never has to look at more than that twice."""
    monkeypatch.setattr(delivery, "FEED_BATCH", 3)
    engine.on_fact("held", name="quiet")(desk)
    start(engine, "r1", "r2")
    engine._outbox.workers["quiet"].deliver(thrifty=True)
    assert standing(engine, "quiet") == (2, 0, 0)
    start(engine, "r3")
    engine._outbox.workers["quiet"].deliver(thrifty=True)
    assert standing(engine, "quiet") == (0, 0, 0)


def test_a_store_that_is_closed_says_so(engine, desk):
    """deliver on a closed SQL store is a StoreError, as everything is."""
    engine.close()
    if type(engine._store).__name__ == "MemoryStore":
        assert engine.deliver() == Delivered()
    else:
        with pytest.raises(StoreError, match="is closed"):
            engine.deliver()


def test_a_subscription_that_ended_is_delivered_no_more(engine, desk, clock, caplog):
    """Neither here nor by another program that has the handler, which says so once; other subscriptions go on."""
    elsewhere, others = Desk(), []
    program = engine_on(engine._store, clock)
    program.on_fact(name="desk")(elsewhere)
    program.on_fact(name="other")(others.append)
    desk.refuses = {"r1"}
    start(engine, "r1", "r2")
    engine.deliver()
    engine.unsubscribe("desk")
    assert [one.name for one in engine.subscriptions()] == ["other"]
    start(engine, "r3")
    clock.advance(SECOND)
    with caplog.at_level(logging.WARNING, "svcflow"):
        caplog.clear()
        assert [program.deliver().count, program.deliver().count] == [3, 0]
    assert (desk.got, elsewhere.got) == ([("r2", 1)], [])
    assert [one.message for one in caplog.records] == [
        "desk was unsubscribed; its handler is not called any more"
    ]
    with pytest.raises(UnknownSubscription, match="there are: other"):
        engine.unsubscribe("desk")
    again = Desk()
    engine.on_fact(name="desk")(again)
    start(engine, "r4")
    engine.deliver()
    assert again.got == [("r4", 1)]


def test_dead_letters_keep_a_subscription_unless_they_are_discarded(engine, desk, clock):
    """Refused, the handler is called on; then all that is kept of it goes."""
    desk.refuses = {"r1"}
    start(engine, "r1")
    for _ in range(3):
        engine.deliver()
        clock.advance(4 * SECOND)
    with pytest.raises(SubscriptionError, match=r"desk still has dead letters: 1; .* discard=True"):
        engine.unsubscribe("desk")
    start(engine, "r2")
    assert engine.deliver() == Delivered(1)
    engine.unsubscribe("desk", discard=True)
    assert engine.subscriptions() == engine.dead_letters() == ()


def test_a_handler_may_end_its_own_subscription_while_the_engine_runs(engine):
    """Its thread ends after the fact in hand, and waits for nobody; whoever else ends one waits for its thread."""
    got, ended = [], threading.Event()
    engine.on_fact(name="other")(lambda _: None)

    @engine.on_fact(name="once")
    def once(fact):
        got.append(fact.instance)
        engine.unsubscribe("once")
        ended.set()

    with engine.running() as running:
        (its,) = (one for one in threading.enumerate() if one.name == "svcflow-once")
        start(engine, "r1")
        assert ended.wait(PATIENCE_S)
        its.join(PATIENCE_S)
        assert not its.is_alive()
        engine.unsubscribe("other")
        assert "svcflow-other" not in [one.name for one in threading.enumerate()]
        start(engine, "r2")
        assert running.failure is None
    assert got == ["r1"]
    assert engine.subscriptions() == ()
