"""`svcflow outbox`: subscriptions, what waits, dead letters, and putting them back."""

from __future__ import annotations

import pytest
from cli_answers import parsed

from svcflow import Engine, VirtualClock
from svcflow.kernel.facts import to_datetime
from svcflow.model.catalog import Catalog


@pytest.fixture
def failing(svc, lamp, folder, tmp_path) -> None:
    """Give the store of `lamp` a subscription `desk` with a dead letter, and one `chief` that has all."""
    clock = VirtualClock(to_datetime(1_772_500_000_000_000))
    with Engine(f"sqlite:///{tmp_path / 's.db'}", Catalog.from_folder(folder), clock=clock) as engine:

        @engine.on_fact(name="desk", since="start", attempts=1)
        def desk(fact):
            raise ConnectionError("no answer")

        engine.on_fact(name="chief")(print)
        engine.deliver()


def test_without_subscriptions_it_says_so(svc, lamp):
    """The answer is a sentence in the asked language, and empty lists as JSON."""
    assert svc("outbox").stdout.strip() == "no subscriptions"
    assert svc("outbox", "--lang", "zh").stdout.strip() == "没有订阅"
    assert parsed(svc("outbox", "--json")) == {"subscriptions": [], "dead_letters": []}


def test_it_lists_subscriptions_and_dead_letters_and_leaves_with_1(svc, failing):
    """Each with its cursor, lag, waiting and dead; below them what was given up, and why."""
    said = svc("outbox", exit_code=1).stdout
    lines = [line.split() for line in said.splitlines() if line.strip()]
    assert lines[0] == ["Subscription", "Cursor", "Lag", "Waiting", "Dead"]
    assert lines[2:4] == [["chief", "1", "0", "0", "0"], ["desk", "1", "0", "0", "1"]]
    assert ["desk", "lamp-1", "1", "Started", "1"] in [line[:5] for line in lines]
    assert "ConnectionError at" in said
    assert "no answer" not in said
    assert "死信" in svc("outbox", "--lang", "zh", exit_code=1).stdout


def test_json_has_every_value(svc, failing):
    """Keys that stay, and the fact as elsewhere."""
    data = parsed(svc("outbox", "--json", exit_code=1))
    assert data["subscriptions"][1] == {"name": "desk", "position": 1, "lag": 0, "waiting": 0, "dead": 1}
    (letter,) = data["dead_letters"]
    assert letter["fact"]["kind"] == "Started"
    assert (letter["subscription"], letter["position"], letter["attempts"]) == ("desk", 1, 1)
    assert letter["error"].startswith("ConnectionError at test_cli_outbox.")
    assert letter["failed_at"] == "2026-03-03T01:06:40+00:00"


def test_retry_puts_dead_letters_back_in_line(svc, failing):
    """They wait for the service then; a name misspelt is an error with the nearest."""
    assert svc("outbox", "--retry", "desk").stdout.strip() == "1 dead letter put back in line"
    assert parsed(svc("outbox", "--json"))["subscriptions"][1]["waiting"] == 1
    assert svc("outbox", "--retry", "desk", "--lang", "zh").stdout.strip() == "已放回 0 条死信"
    assert parsed(svc("outbox", "--retry", "desk", "--json")) == {"redelivered": 0}
    assert "did you mean desk?" in svc("outbox", "--retry", "dsk", exit_code=3).stderr


def test_a_subscription_is_ended(svc, failing):
    """One with dead letters only with --discard; the other stays. What does not go together is a usage error."""
    assert "dead letters: 1" in svc("outbox", "--unsubscribe", "desk", exit_code=3).stderr
    assert svc("outbox", "--unsubscribe", "desk", "--discard").stdout.strip() == "unsubscribed: desk"
    assert parsed(svc("outbox", "--unsubscribe", "chief", "--json")) == {"unsubscribed": "chief"}
    assert svc("outbox", "--lang", "zh").stdout.strip() == "没有订阅"
    assert "do not go together" in svc("outbox", "--unsubscribe", "a", "--retry", "b", exit_code=2).stderr
    assert "--discard 只用于" in svc("outbox", "--discard", "--lang", "zh", exit_code=2).stderr
