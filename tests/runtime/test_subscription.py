"""Subscriptions: which facts they choose, what a handler is given, and how long it is tried."""

from __future__ import annotations

from datetime import timedelta

import pytest

from svcflow.errors import SubscriptionError
from svcflow.kernel.facts import FACTS, Deviated, Held, Overdue
from svcflow.runtime.outbox.feed import FeedEntry
from svcflow.runtime.outbox.retry_policy import RetryPolicy
from svcflow.runtime.outbox.subscription import FACT_KINDS, Delivery, FactFilter, Subscription
from svcflow.wording import DEVIATIONS

HELD = Held("r1", 2, 0, 0, "li", "recipient")
OVERDUE = Overdue("r1", 3, 0, 0, "", "reported", 1, "reported", 0)
WAITED = Overdue("r1", 3, 0, 0, "", "reported", 1, "reported", 0, "long_wait")
SKIPPED = Deviated("r1", 4, 0, 0, "", "skipped_step", "working", "minor")
FED = FeedEntry(7, HELD, b'{"kind":"Held","actor":"~0123456789012345678901234567890","reason":"recipient"}')
PACE = RetryPolicy()


@pytest.mark.parametrize(
    ("kinds", "chosen"),
    [
        ((), [HELD, OVERDUE, WAITED, SKIPPED]),
        (("held",), [HELD]),
        (("overdue",), [OVERDUE, WAITED]),
        (("long_wait",), [WAITED]),
        (("deviated",), [SKIPPED]),
        (("skipped_step", "held"), [HELD, SKIPPED]),
        (("wrong_role",), []),
    ],
)
def test_a_kind_is_that_of_a_fact_or_of_a_deviation(kinds, chosen):
    """`overdue` means the Overdue facts, of whatever deviation; other kinds of deviations the facts that record them."""
    wanted = FactFilter.of(kinds)
    assert [fact for fact in (HELD, OVERDUE, WAITED, SKIPPED) if wanted.admits(fact)] == chosen
    assert all(not wanted.read or fact.kind in wanted.read for fact in chosen)


def test_every_class_of_facts_and_kind_of_deviation_can_be_named():
    """No fact is without a kind to subscribe to."""
    assert {cls for kind in FACT_KINDS for cls in FactFilter.of([kind]).classes} == set(FACTS)
    assert all(FactFilter.of([kind]).read for kind in DEVIATIONS)


@pytest.mark.parametrize(
    ("kind", "zh", "en"),
    [
        ("overdu", "是否指 overdue", "did you mean overdue?"),
        ("Overdue", "是否指 overdue", "did you mean overdue?"),
        ("SkippedStep", "是否指 skipped_step", "did you mean skipped_step?"),
        ("xyz", "可用：started, moved", "there are: started, moved"),
    ],
)
def test_an_unknown_kind_is_answered_with_the_nearest(kind, zh, en):
    """A misspelt kind would never be delivered, so it is an error at once."""
    with pytest.raises(SubscriptionError) as raised:
        FactFilter.of([kind])
    assert zh in raised.value.text("zh")
    assert en in raised.value.text("en")


def test_a_handler_is_given_the_fact_and_the_delivery_if_it_takes_it():
    """One argument, or two; what has a default or is a keyword is the handler's own."""
    got: list[object] = []
    for number, handler in enumerate(
        (
            got.append,
            lambda fact, retries=3: got.append((fact, retries)),
            lambda *facts: got.append(facts),
            lambda fact, delivery: got.append((fact, delivery)),
        )
    ):
        Subscription.of(f"s{number}", (), handler, PACE).call(FED, 2)
    assert got == [HELD, (HELD, 3), (HELD,), (HELD, Delivery("s3", 2, 7))]


def test_the_record_of_a_delivery_names_nobody():
    """record is the fact as plain data; commitments to persons and personal fields are left out."""
    token = "~" + "a" * 32
    body = f'{{"kind":"Moved","actor":"{token}","behalf":"{token}","data":{{"p":{{"~":"x"}},"q":1}}}}'
    assert Delivery("s", 1, 1, body.encode()).record == {"kind": "Moved", "data": {"q": 1}}
    assert Delivery("s", 1, 1, b'{"kind":"Overdue","actor":""}').record == {"kind": "Overdue", "actor": ""}


def test_the_name_is_the_functions_unless_one_is_given():
    """A name is what the cursor is kept under."""

    def tell_chief(fact: object) -> None: ...

    assert Subscription.of(None, (), tell_chief, PACE).name == "tell_chief"
    assert Subscription.of("other", (), tell_chief, PACE).name == "other"


class Caller:
    async def __call__(self, fact: object) -> None: ...


async def later(fact: object) -> None: ...


@pytest.mark.parametrize(
    ("name", "handler", "zh", "en"),
    [
        (None, lambda _: None, "订阅名", "the name '<lambda>'"),
        ("a b", print, "订阅名", "the name 'a b'"),
        ("x" * 81, print, "订阅名", "give name="),
        ("s", later, "不能是 async", "never be awaited"),
        ("s", Caller(), "不能是 async", "never be awaited"),
    ],
    ids=["lambda", "space", "long", "async", "async object"],
)
def test_a_name_or_handler_that_will_not_do_is_refused(name, handler, zh, en):
    """Names are short words; a coroutine would be dropped unheard."""
    with pytest.raises(SubscriptionError) as raised:
        Subscription.of(name, (), handler, PACE)
    assert zh in raised.value.text("zh")
    assert en in raised.value.text("en")


def test_pauses_grow_fourfold_up_to_the_longest():
    """1 s, 4 s, 16 s … an hour: 83 minutes in all; many attempts do no harm."""
    pauses = [PACE.pause_after(attempts) // 1_000_000 for attempts in range(1, PACE.attempts)]
    assert pauses == [1, 4, 16, 64, 256, 1024, 3600]
    assert round(sum(pauses) / 60) == 83
    assert RetryPolicy(attempts=10**6).pause_after(10**6) == PACE.longest_us
    assert RetryPolicy(longest_us=0).pause_after(1) == 0


@pytest.mark.parametrize(
    ("attempts", "pause", "longest", "lease"),
    [(0, 1, 1, 1), (1, -1, 1, 1), (1, 1, -1, 1), (1, 1, 1, 0)],
)
def test_a_pace_that_cannot_be_is_refused(attempts, pause, longest, lease):
    """There is at least one attempt, and some time to make it in."""
    with pytest.raises(SubscriptionError):
        RetryPolicy.of(attempts, *(timedelta(seconds=one) for one in (pause, longest, lease)))
    assert RetryPolicy.of(1, timedelta(0), timedelta(0), timedelta(seconds=1)) == RetryPolicy(
        1, 0, 0, 1_000_000
    )
