"""What the feed of every store promises, method by method."""

from __future__ import annotations

import threading

import pytest
from contract_cases import HOUR_US, LI, NOON_US, advance, put

from svcflow.errors import SubscriptionError
from svcflow.kernel import Fire
from svcflow.runtime.outbox.feed import (
    FEED_BATCH,
    DeliveryFailure,
    DeliveryProgress,
    SubscriptionPosition,
    SubscriptionStatus,
)
from waiting import PATIENCE_S

ALL: frozenset[str] = frozenset()


def places(found: object) -> list[tuple[str, int]]:
    return [(one.fact.instance, one.fact.sequence) for one in found]


def waiting(instance: str, sequence: int, at_us: int = 0, state: str = "waiting") -> DeliveryFailure:
    return DeliveryFailure(instance, sequence, 1, at_us, state, "no answer")


@pytest.fixture
def feed(store):
    """Return the feed of a store with r1 (started, moved), r2 (started), and r1 moved again; position 0 is `s`'s."""
    put(store, "r1")
    advance(store, "r1", Fire("accept", LI), NOON_US)
    put(store, "r2")
    advance(store, "r1", Fire("again", LI), NOON_US)
    store.feed.subscribe("s", 0)
    return store.feed


@pytest.fixture
def noted(feed):
    """Return the feed with `s` held by `me`."""
    assert feed.acquire("s", "me", 0, HOUR_US) == 0
    return feed


def note(
    feed, *failures: DeliveryFailure, done: tuple = (), position: int = 4, until_us: int = HOUR_US
) -> None:
    assert feed.record("s", "me", DeliveryProgress(position, failures, done), until_us)


def test_a_store_with_nothing_in_it_has_position_0(store):
    """settled_position begins at 0, and is then the position of the last fact."""
    assert store.feed.settled_position() == 0
    put(store, "r1")
    last = store.feed.settled_position()
    assert last > 0
    put(store, "r2")
    assert store.feed.settled_position() > last


def test_facts_of_all_instances_come_in_the_order_in_which_they_were_kept(feed, store):
    """read goes from one position to another, and says how far it looked; facts have their persons."""
    end = feed.settled_position()
    portion = feed.read("s", ALL, 0, end)
    assert places(portion.facts) == [("r1", 1), ("r1", 2), ("r2", 1), ("r1", 3)]
    assert portion.position == end
    positions = [one.position for one in portion.facts]
    assert positions == sorted(set(positions))
    assert places(feed.read("s", ALL, positions[1], positions[2]).facts) == [("r2", 1)]
    assert [one.fact for one in portion.facts if one.fact.instance == "r1"] == list(store.facts("r1"))
    assert portion.facts[1].fact.actor == "li"


def test_what_is_read_carries_what_the_journal_keeps(feed, store):
    """body is the canonical bytes, in which nobody is named."""
    portion = feed.read("s", ALL, 0, feed.settled_position())
    assert [one.body for one in portion.facts if one.fact.instance == "r1"] == [
        body for body, _ in store.rows("r1")
    ]
    assert all(b'"li"' not in one.body for one in portion.facts)


def test_facts_of_other_kinds_are_passed_over(feed):
    """read gives the kinds asked for, and its position is behind the others all the same."""
    end = feed.settled_position()
    portion = feed.read("s", frozenset({"Started"}), 0, end)
    assert (places(portion.facts), portion.position) == ([("r1", 1), ("r2", 1)], end)
    nothing = feed.read("s", frozenset({"Held"}), 0, end)
    assert (list(nothing.facts), nothing.position) == ([], end)


def test_a_kind_is_not_mistaken_for_what_stands_in_the_data(store):
    """Evidence named kind with the name of a fact in it is not that fact."""
    put(store, "r1")
    advance(store, "r1", Fire("accept", LI, evidence={"kind": "Held"}), NOON_US)
    store.feed.subscribe("s", 0)
    end = store.feed.settled_position()
    assert list(store.feed.read("s", frozenset({"Held"}), 0, end).facts) == []


def test_a_reading_ends_after_a_portion(store):
    """At most FEED_BATCH facts are looked at; the next reading goes on behind them, and nothing is left out."""
    for number in range(FEED_BATCH + 2):
        put(store, f"r{number:04}")
    store.feed.subscribe("s", 0)
    end = store.feed.settled_position()
    first = store.feed.read("s", ALL, 0, end)
    rest = store.feed.read("s", ALL, first.position, end)
    assert (len(first.facts), len(rest.facts), rest.position) == (FEED_BATCH, 2, end)
    assert places([*first.facts, *rest.facts]) == [(f"r{number:04}", 1) for number in range(FEED_BATCH + 2)]


def test_a_subscription_is_created_once(feed):
    """subscribe leaves one of that name where it stands."""
    feed.subscribe("t", 3)
    feed.subscribe("s", 2)
    feed.subscribe("t", 0)
    assert [(one.name, one.position) for one in feed.statuses()] == [("s", 0), ("t", 3)]
    assert feed.position_of("t") == SubscriptionPosition(3, None)


def test_one_worker_has_a_subscription_at_a_time(feed):
    """take gives the cursor to the first; others get nothing until it is given back or its time is over."""
    assert feed.acquire("s", "a", 100, 200) == 0
    assert feed.acquire("s", "b", 150, 250) is None
    assert feed.acquire("s", "b", 200, 300) == 0
    assert not feed.record("s", "a", DeliveryProgress(4), 400)
    assert feed.position_of("s").position == 0
    assert feed.record("s", "b", DeliveryProgress(2), 0)
    assert feed.acquire("s", "c", 201, 300) == 2


def test_a_note_prolongs_the_lease(feed):
    """Who notes keeps the subscription up to the new instant."""
    assert feed.acquire("s", "a", 0, 100) == 0
    assert feed.record("s", "a", DeliveryProgress(1), 200)
    assert feed.acquire("s", "b", 150, 300) is None


def test_of_many_who_take_at_once_one_gets_it(feed):
    """The lease is taken by one statement: sixteen threads, one winner."""
    won: list[int | None] = []
    begin = threading.Barrier(16)

    def take(number: int) -> None:
        begin.wait(PATIENCE_S)
        won.append(feed.acquire("s", f"w{number}", 0, HOUR_US))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won, key=str) == [0, *[None] * 15]


def test_nothing_is_kept_of_what_a_worker_notes_without_the_lease(feed):
    """Cursor, failures and done facts are kept together or not at all."""
    assert not feed.record("s", "me", DeliveryProgress(4, [waiting("r1", 1)]), HOUR_US)
    assert feed.statuses() == [SubscriptionStatus("s", 0, 4, 0, 0)]
    assert list(feed.due("s", NOON_US)) == []


def test_what_failed_is_due_at_its_instant(noted):
    """due gives what waits, soonest first, with its fact, attempts and error; look says when the next is."""
    note(noted, waiting("r1", 1, 200), waiting("r2", 1, 100))
    assert noted.position_of("s") == SubscriptionPosition(4, 100)
    assert list(noted.due("s", 99)) == []
    assert places(one.entry for one in noted.due("s", 100)) == [("r2", 1)]
    found = noted.due("s", 200)
    assert places(one.entry for one in found) == [("r2", 1), ("r1", 1)]
    assert (found[0].subscription, found[0].attempts, found[0].at_us, found[0].error) == (
        "s",
        1,
        100,
        "no answer",
    )


def test_what_stands_behind_becomes_due_when_the_first_has_gone(noted):
    """A blocked fact is not due while an earlier one of its instance waits; done or dead, it lets it go on."""
    note(noted, waiting("r1", 1, 100), waiting("r1", 2, 0, "blocked"), waiting("r1", 3, 0, "blocked"))
    assert places(one.entry for one in noted.due("s", NOON_US)) == [("r1", 1)]
    note(noted, done=(("r1", 1),))
    assert places(one.entry for one in noted.due("s", NOON_US)) == [("r1", 2)]
    note(noted, waiting("r1", 2, 100, "dead"))
    assert places(one.entry for one in noted.due("s", NOON_US)) == [("r1", 3)]
    note(noted, done=(("r1", 3),))
    assert list(noted.due("s", NOON_US)) == []
    assert noted.position_of("s") == SubscriptionPosition(4, None)


def test_a_fact_behind_others_says_so_when_it_is_read(noted):
    """behind is true for later facts of an instance that has a line; a dead letter is no line."""

    def behind() -> list[bool]:
        return [one.behind for one in noted.read("s", ALL, 2, 4).facts]

    assert behind() == [False, False]
    note(noted, waiting("r1", 1))
    assert behind() == [False, True]
    note(noted, waiting("r1", 1, 0, "dead"))
    assert behind() == [False, False]


def test_a_subscription_knows_its_own_lines_only(noted):
    """What failed for one subscription is neither due for another nor in front of its facts."""
    noted.subscribe("t", 0)
    note(noted, waiting("r1", 1))
    assert list(noted.due("t", NOON_US)) == []
    assert not any(one.behind for one in noted.read("t", ALL, 0, 4).facts)
    assert noted.statuses() == [SubscriptionStatus("s", 4, 0, 1, 0), SubscriptionStatus("t", 0, 4, 0, 0)]


def test_dead_letters_are_put_back_in_line_in_order(noted):
    """revive makes them due again with no attempts; of an instance the first comes first, and what waited after it."""
    note(noted, waiting("r1", 1, 7, "dead"), waiting("r1", 2, 8, "dead"), waiting("r1", 3, NOON_US * 2))
    assert [(one.entry.fact.sequence, one.at_us) for one in noted.undelivered("dead")] == [(1, 7), (2, 8)]
    assert noted.requeue("s", None, NOON_US) == 2
    assert list(noted.undelivered("dead")) == []
    for sequence in (1, 2, 3):
        (one,) = noted.due("s", NOON_US)
        assert (one.entry.fact.sequence, one.attempts) == (sequence, 1 if sequence == 3 else 0)
        note(noted, done=(("r1", sequence),))
    assert noted.position_of("s").next_us is None


def test_the_dead_letters_of_one_instance_are_put_back_alone(noted):
    """revive with an instance leaves the others where they are."""
    note(noted, waiting("r1", 1, 0, "dead"), waiting("r2", 1, 0, "dead"))
    assert noted.requeue("s", "r2", NOON_US) == 1
    assert places(one.entry for one in noted.undelivered("dead")) == [("r1", 1)]
    assert places(one.entry for one in noted.due("s", NOON_US)) == [("r2", 1)]


def test_standings_count_what_waits_and_what_is_dead(noted):
    """lag is what was not looked at; waiting counts what is in line, blocked facts too."""
    failures = (waiting("r1", 1), waiting("r1", 2, 0, "blocked"), waiting("r2", 1, 0, "dead"))
    note(noted, *failures, position=3)
    assert noted.statuses() == [SubscriptionStatus("s", 3, 1, 2, 1)]


def test_a_removed_subscription_leaves_nothing(noted):
    """Its cursor, its lease, what waited; whoever was at it is told that it is not theirs any more."""
    note(noted, waiting("r1", 1), waiting("r1", 2, state="blocked"))
    noted.subscribe("other", 3)
    noted.remove("s", discard=False)
    assert [one.name for one in noted.statuses()] == ["other"]
    assert noted.position_of("s") is None
    assert noted.acquire("s", "you", 0, HOUR_US) is None
    assert not noted.record("s", "me", DeliveryProgress(4, (waiting("r2", 1),)), HOUR_US)
    assert (list(noted.due("s", HOUR_US)), list(noted.undelivered("waiting"))) == ([], [])
    assert places(noted.read("s", ALL, 0, noted.settled_position()).facts)[0] == ("r1", 1)
    noted.remove("s", discard=False)
    noted.subscribe("s", 2)
    assert noted.acquire("s", "you", 0, HOUR_US) == 2
    assert noted.statuses()[1][3:] == (0, 0)


def test_a_subscription_with_dead_letters_is_removed_only_when_they_are_discarded(noted):
    """Refused, it is as it was, lease and all."""
    note(noted, waiting("r1", 1, state="dead"), waiting("r2", 1))
    with pytest.raises(SubscriptionError, match="s still has dead letters: 1; deliver them again"):
        noted.remove("s", discard=False)
    assert noted.acquire("s", "you", 0, HOUR_US) is None
    assert noted.statuses() == [SubscriptionStatus("s", 4, noted.statuses()[0].lag, 1, 1)]
    noted.remove("s", discard=True)
    assert noted.statuses() == list(noted.undelivered("dead")) == []
