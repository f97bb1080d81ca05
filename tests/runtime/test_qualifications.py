"""An engine asks the register of the host, outside of any transaction, and keeps with the move what it said."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from svcflow import Actor, AsyncEngine, Engine, Refused, VirtualClock
from svcflow.errors import FieldError, NaiveDatetime
from svcflow.kernel.instance import NEVER
from svcflow.model.procedure import Certificate, Procedure, Role
from svcflow.model.step import Step, Transition

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LI = Actor("li", {"tech"})
WORK = Procedure(
    id="work",
    roles=[Role("tech")],
    certificates=[Certificate("licence"), Certificate("medical")],
    steps=[
        Step("first", role="tech", qualified="licence", to=[Transition("finish", "second")]),
        Step("second", role="tech", qualified="medical", to=[Transition("close", "end")]),
        Step("end", end="completed"),
    ],
)


def until(answers: dict[tuple[str, str], datetime | None]):
    asked = []

    def register(person: str, certificate: str) -> datetime | None:
        asked.append((person, certificate))
        return answers.get((person, certificate))

    register.asked = asked
    return register


@pytest.fixture(params=["memory://", "sqlite"])
def url(request, tmp_path) -> str:
    return request.param if "://" in request.param else f"sqlite:///{tmp_path / 's.db'}"


def started(url: str, register) -> Engine:
    engine = Engine(url, WORK, clock=VirtualClock(NOW), qualifications=register)
    engine.start("work", instance_id="a")
    return engine


def test_the_register_decides_and_is_not_asked_again(url):
    """The journal replays and verifies the same after the register has changed."""
    answers = {("li", "licence"): NOW + timedelta(days=1), ("li", "medical"): NOW - timedelta(days=1)}
    register = until(answers)
    with started(url, register) as engine:
        engine.fire("a", "finish", actor=LI)
        assert sorted(register.asked) == [("li", "licence"), ("li", "medical")]
        with pytest.raises(Refused, match="that of the person ended at") as refused:
            engine.fire("a", "close", actor=LI)
        assert refused.value.rule == "qualification"
        count = len(register.asked)
        answers.clear()
        assert engine.verify().ok
        moved = engine.journal("a")[1]
        assert list(moved.certificates) == ["licence"]
        assert len(register.asked) == count


def test_without_a_register_the_refusal_says_so(url):
    """Nobody passes in silence."""
    with started(url, None) as engine, pytest.raises(Refused, match="there is no register") as refused:
        engine.fire("a", "finish", actor=LI)
    assert "qualifications=" in refused.value.remedy.en


def test_claims_assignments_and_offers_ask_it_too(url):
    """Of the person who is to have the step."""
    register = until({("li", "licence"): datetime.max.replace(tzinfo=UTC)})
    with started(url, register) as engine:
        assert [one.open for one in engine.available("a", LI)] == [True]
        assert [one.rule for one in engine.available("a", Actor("wang", {"tech"}))] == ["qualification"]
        with pytest.raises(Refused, match="never held it"):
            engine.assign("a", "wang", actor=LI)
        with pytest.raises(Refused, match="never held it"):
            engine.claim("a", actor=Actor("wang", {"tech"}))
        assert engine.claim("a", actor=LI).assignees == {"first": "li"}
        assert engine.fire("a", "finish", actor=LI, command_id="once").steps == ("second",)
        assert engine.fire("a", "finish", actor=LI, command_id="once").steps == ("second",)
        assert engine.journal("a")[-1].certificates == {"licence": NEVER}


def test_a_repeated_command_asks_nobody(url):
    """It gets the answer of its first run."""
    register = until({("li", "licence"): NOW + timedelta(days=1)})
    with started(url, register) as engine:
        engine.fire("a", "finish", actor=LI, command_id="once")
        register.asked.clear()
        engine.fire("a", "finish", actor=LI, command_id="once")
        assert register.asked == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [(date(2027, 1, 1), FieldError), (True, FieldError), (datetime(2027, 1, 1), NaiveDatetime)],  # noqa: DTZ001  # that is what is refused
)
def test_an_answer_that_is_no_instant_is_refused(url, answer, error):
    """A date ends at another hour in every zone: nothing is guessed, and nothing is recorded."""
    with started(url, lambda *_: answer) as engine:
        with pytest.raises(error):
            engine.fire("a", "finish", actor=LI)
        assert len(engine.journal("a")) == 1


def test_what_the_register_raises_reaches_the_caller(url):
    """A register that cannot be reached decides nothing."""

    def broken(*_: str) -> None:
        raise ConnectionError("register")

    with started(url, broken) as engine:
        with pytest.raises(ConnectionError):
            engine.fire("a", "finish", actor=LI)
        assert len(engine.journal("a")) == 1


def test_the_engine_for_asyncio_and_one_in_a_transaction_of_a_host_ask_it_too(tmp_path):
    """Whichever engine a host uses, the register is the same."""
    register = until({("li", "licence"): NOW + timedelta(days=1), ("li", "medical"): NOW + timedelta(days=1)})
    url = f"sqlite:///{tmp_path / 's.db'}"

    async def first() -> None:
        async with AsyncEngine(url, WORK, clock=VirtualClock(NOW), qualifications=register) as engine:
            await engine.start("work", instance_id="a")
            await engine.fire("a", "finish", actor=LI)

    asyncio.run(first())
    import sqlite3

    with Engine(url, WORK, clock=VirtualClock(NOW), qualifications=register) as engine:
        host = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
        host.execute("BEGIN IMMEDIATE")
        assert engine.on(host).fire("a", "close", actor=LI).status == "ended"
        host.execute("COMMIT")
        host.close()
        assert engine.instance("a").status == "ended"
