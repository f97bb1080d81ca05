"""Reckoning deadlines once, after many facts, gives what reckoning after each of them gives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from svcflow.kernel import Compiled, Fact, Instance, compile_procedure, evolve, evolve_all, transact
from svcflow.kernel.commands import (
    Command,
    Extend,
    Fire,
    Hold,
    Recompute,
    Reschedule,
    Resume,
    Start,
    Update,
)
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Row, TimeLimit
from svcflow.model.procedure import HoldRule, Procedure
from svcflow.model.step import Step, Transition
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import to_us

MAPPING = {
    "calendar": "office",
    "timezone": "Asia/Shanghai",
    "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]},
    "covers": {"from": "2026-01-01", "to": "2026-12-31"},
}
CLOSED = {"holidays": [{"date": f"2026-03-{day:02}", "name": "closed"} for day in (4, 6, 12)]}
AS_ANNOUNCED, AS_CORRECTED = (WorkCalendar.from_mapping({**MAPPING, **more}) for more in ({}, CLOSED))
BEGIN_US = to_us(datetime(2026, 3, 2, 1, 0, tzinfo=UTC))  # Monday 09:00 in Shanghai
MINUTE_US = 60_000_000
ROWS = (Row("3wh", when='kind == "a"'), Row("20h", when='kind == "b"'), Row("2wd"))
LIMITS = (
    {"within": "8wh", "warn": ["50%"], "escalate": ["+2wh", "150%"], "extension": Extension("4wh")},
    {"within": "2wd", "warn": ["25%", "75%"], "extension": Extension("1wd")},
    {"within": "1wd", "visits": "each"},
    {"within": "1wd", "visits": "first"},
    {"within": "3cd", "escalate": ["100%"], "extension": Extension("2cd")},
    {"within": "30h", "warn": ["90%"], "escalate": ["+5h"]},
    {"within": "12wh", "stoppable": False},
    {"within": "1mo"},
    {"within": "0h"},
    {"at_least": "6wh"},
    {"by": "17:00", "cutoff": "15:00", "warn": ["-30m"]},
    {"before": "meeting - 2h", "warn": ["-30m"]},
    {"after": "meeting + 1wd"},
    {"match": ROWS, "on_change": "from_start"},
    {"match": ROWS, "on_change": "from_now"},
)
SPANS = (
    {"to": "end"},
    {"to_trigger": "back"},
    {"to_trigger": "tea"},
    {"to_trigger": "back", "within": "1wd", "if_reached": True, "visits": "each"},
    {"to": "work", "within": "4wh", "if_reached": True, "warn": ["50%"]},
)
UNSAID = dict.fromkeys(("by", "cutoff", "before", "after", "at_least", "extension")) | {
    "match": (),
    "warn": (),
    "escalate": (),
}
RECURRING = ({"every": "4wh", "done_by": "tea"}, {"every": "1wd", "done_by": "tea"})
COMMANDS: tuple[Command, ...] = (
    Fire("send"),
    Fire("send"),
    Fire("back"),
    Fire("again"),
    Fire("tea"),
    Fire("pass"),
    Hold("third_party"),
    Resume(),
    Update(data={"kind": "a"}),
    Update(data={"kind": "b"}),
    Update(data={"kind": "c"}),
    Reschedule("meeting", "2026-03-04T10:00:00+08:00"),
    Reschedule("meeting", "2026-03-09T16:00:00+08:00"),
    Reschedule("meeting", None),
    *(Extend(limit, "asked for") for limit in ("work", "check", "span", "whole")),
)


def alone(span: dict[str, object]) -> dict[str, object]:
    """The span, with nothing of another kind of target beside it."""
    return {**UNSAID, **span} if "if_reached" in span else span


gaps = st.sampled_from([0, 30, 60, 240, 600, 24 * 60, 3 * 24 * 60]).map(lambda n: n * MINUTE_US)
late = st.sampled_from([0, 0, 60, 30 * 24 * 60]).map(lambda n: n * MINUTE_US)


@st.composite
def procedures(draw: st.DrawFn) -> Procedure:
    """A step worked on and a step that checks or waits, with limits of any kind over each, a span and the whole."""
    work, check, span, whole = (TimeLimit(**draw(st.sampled_from(LIMITS))) for _ in range(4))
    often = draw(st.sampled_from(RECURRING))
    waits = draw(st.sampled_from([None, "recipient"]))
    return Procedure(
        id="any",
        calendar="office",
        fields=[Field("meeting", type="instant"), Field("kind", type="choice", choices=("a", "b", "c"))],
        holds=[HoldRule("third_party", at_most="10wh")],
        steps=[
            Step("work", within=work, to=[Transition("send", "check"), Transition("tea", "work")]),
            Step(
                "check",
                within=None if waits else check,
                waits=waits,
                at_most="2wd" if waits else None,
                to=[
                    Transition("back", "work"),
                    Transition("again", "work", clock="restart"),
                    Transition("pass", "end"),
                ],
            ),
            Step("end", end="completed"),
        ],
        limits=[
            attrs.evolve(span, id="span", from_="check", **draw(st.sampled_from(SPANS).map(alone))),
            attrs.evolve(whole, id="whole", visits="sum"),
            TimeLimit(id="often", from_="work", to="end", **often),
        ],
    )


class Journal(NamedTuple):
    """A procedure, where its instance stands, and how it came there; too long to be printed whole."""

    compiled: Compiled
    instance: Instance
    facts: tuple[Fact, ...]

    def __repr__(self) -> str:
        return f"Journal({self.compiled}, {[fact.kind for fact in self.facts]})"


@st.composite
def journals(draw: st.DrawFn) -> Journal:
    """A journal with holds, records made late and, perhaps, a calendar corrected on the way."""
    procedure = draw(procedures())
    known = compile_procedure(procedure, {"office": AS_ANNOUNCED}.__getitem__)
    outcome = transact(known, None, Start("i1"), BEGIN_US)
    facts, at_us = list(outcome.facts), BEGIN_US
    asked = draw(st.lists(st.tuples(gaps, late, st.sampled_from(COMMANDS)), min_size=4, max_size=16))
    corrected = draw(st.none() | st.integers(1, 8))
    for number, (gap_us, late_us, command) in enumerate(asked):
        at_us += gap_us
        if number == corrected:
            known = compile_procedure(procedure, {"office": AS_CORRECTED}.__getitem__)
            outcome = transact(known, outcome.instance, Recompute("corrected"), at_us)
            facts += outcome.facts
        if isinstance(command, Fire) and late_us:
            occurred_us = max(outcome.instance.revised_us, at_us - late_us)
            command = attrs.evolve(command, occurred_us=occurred_us)  # noqa: PLW2901  # the same, late
        outcome = transact(known, outcome.instance, command, at_us)
        facts += outcome.facts
    return Journal(known, outcome.instance, tuple(facts))


def one_by_one(known: Compiled, facts: tuple[Fact, ...]) -> Iterator[Instance]:
    instance = None
    for fact in facts:
        instance = evolve(known, instance, fact)
        yield instance


@settings(max_examples=settings.default.max_examples * 2)
@given(journals(), st.data())
def test_facts_one_by_one_and_all_at_once_give_the_same_instance(
    journal: tuple[Compiled, Instance, tuple[Fact, ...]], data: st.DataObject
):
    """Wherever a replay is cut, holds, late ends, annulled breaches, extensions and recomputed deadlines included."""
    known, _, facts = journal
    steps = list(one_by_one(known, facts))
    for count, instance in enumerate(steps, start=1):
        assert instance == evolve_all(known, None, facts[:count])
    cut = data.draw(st.integers(1, len(facts)))
    if cut < len(facts):
        assert evolve_all(known, steps[cut - 1], facts[cut:]) == steps[-1]


def test_the_journals_reach_what_they_are_meant_to():
    """Every way in which a deadline moves occurs, and breaches that a late record annuls do."""
    found: set[str] = set()

    @settings(max_examples=200, database=None, derandomize=True)  # the same ones in every loop
    @given(journals())
    def look(journal: tuple[Compiled, Instance, tuple[Fact, ...]]) -> None:
        for fact in journal[2]:
            found.add("Annulled" if fact.kind == "Settled" and fact.overrun_us < 0 else fact.kind)

    look()
    assert found >= {"Held", "Resumed", "Updated", "Rescheduled", "Extended", "Recomputed"}
    assert found >= {"Warned", "Escalated", "Overdue", "Settled", "Annulled"}
