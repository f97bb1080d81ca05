"""The rule of a start: who may ask, what comes with it, how early, and what a provider foresees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import CALENDARS, MICRO, MINUTE, MONDAY, Case, line, procedure, worker

from svcflow.errors import Refused
from svcflow.kernel import NOBODY, Actor, Start, compile_procedure, transact
from svcflow.kernel.commands import RegularOccurrence
from svcflow.kernel.facts import Deviated, Started
from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.kernel.timing.due import anchored_us
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure, Role, StartRule
from svcflow.model.step import ENFORCE, Enforce
from svcflow.model.target import Anchor
from svcflow.text import Text
from svcflow.worktime.instants import to_us

ASKER = worker("li", "asker")
CAR = Field("pickup_at", type="instant", required=True, name=Text("用车时间", "Pick-up"))


def car(enforce: Enforce = ENFORCE, **rule: object) -> Procedure:
    known = {"role": "asker", "name": Text("申请", "Request"), "before": "pickup_at - 30m", **rule}
    return procedure(
        *line("asked", "end"),
        fields=(CAR, Field("why")),
        roles=(Role("asker"), Role("clerk")),
        enforce=enforce,
        start=StartRule(**known),
    )


def at(after: timedelta) -> dict[str, str]:
    return {"pickup_at": (MONDAY + after).isoformat()}


def asked(declared: Procedure, after: timedelta = 60 * MINUTE, **more: object) -> Case:
    return Case(declared, **{"actor": ASKER, "data": at(after), **more})


def test_who_asks_at_the_very_instant_is_in_time():
    """A microsecond later it is short notice, of who asked and of nobody else."""
    assert asked(car(), 30 * MINUTE).deviations == []
    late = asked(car(), 30 * MINUTE - MICRO)
    assert late.deviations == [("short_notice", "asked")]
    assert [one.actor for one in late.of("Deviated")] == ["li"]


def test_short_notice_says_until_when_one_could_ask():
    """The fact has the latest instant, and the severity of something that is no failing of the service."""
    case = asked(car(), 20 * MINUTE, actor=Actor("li", ("asker",), "sun"))
    (fact,) = case.of("Deviated")
    assert isinstance(fact, Deviated)
    latest_us = to_us(MONDAY - 10 * MINUTE)
    assert fact.detail == {"field": "pickup_at", "latest_us": latest_us}
    assert (fact.severity, fact.role, fact.actor, fact.behalf) == ("minor", "asker", "li", "sun")


def test_a_late_request_is_refused_where_the_procedure_says_so():
    """The refusal names the instant and what to do; nothing is kept, for there is no journal yet."""
    with pytest.raises(Refused) as caught:
        asked(car(Enforce(start="refuse")), 20 * MINUTE)
    assert caught.value.rule == "start"
    assert "Mon 2026-03-02 08:50" in caught.value.message.en
    assert "2026-03-02 周一 08:50" in caught.value.message.zh
    assert 'data["pickup_at"]' in caught.value.remedy.en
    assert asked(car(Enforce(start="refuse"))).deviations == []


def test_notice_is_counted_on_the_calendar_of_the_start():
    """Four working hours before Monday 10:00 is Friday afternoon."""
    rule = {"before": "pickup_at - 4wh"}
    assert asked(car(**rule)).deviations == [("short_notice", "asked")]
    assert asked(car(**rule, calendar="always")).deviations == [("short_notice", "asked")]
    assert asked(car(**rule, calendar="always"), 5 * 60 * MINUTE).deviations == []
    assert asked(car(**rule), 5 * 60 * MINUTE).deviations == [
        ("short_notice", "asked")
    ]  # lunch is no working time
    assert asked(car(**rule), 6 * 60 * MINUTE).deviations == []


@pytest.mark.parametrize("actor", [worker("li", "clerk"), worker("", "asker"), worker("li"), NOBODY])
def test_who_may_not_ask_is_refused_or_recorded(actor: Actor):
    """The rule is `role`, as for a move."""
    with pytest.raises(Refused) as caught:
        asked(car(), actor=actor)
    assert (caught.value.rule, "Request" in caught.value.message.en) == ("role", True)
    case = asked(car(Enforce(role="record")), actor=actor)
    assert case.deviations == [("wrong_role", "asked")]
    assert case.of("Deviated")[0].detail == {"needs": "asker", "has": sorted(actor.roles or ())}


def test_what_the_start_requires_comes_with_it():
    """A field as data, anything else as data or evidence; blank is nothing."""
    declared = car(requires=("why", "letter"))
    with pytest.raises(Refused) as caught:
        asked(declared, data={**at(60 * MINUTE), "why": " "})
    assert (caught.value.rule, "why, letter" in caught.value.message.en) == ("requires", True)
    given = {"data": {**at(60 * MINUTE), "why": "trip"}, "evidence": {"letter": "l1"}}
    assert asked(declared, **given).deviations == []
    recorded = asked(car(Enforce(requires="record"), requires=("why",)))
    assert recorded.of("Deviated")[0].detail == {"missing": ["why"]}


def test_what_a_provider_foresees_is_marked_and_never_late():
    """Nobody has asked, so nobody asked late; the start says that it was foreseen."""
    case = asked(car(foreseen=True), MINUTE, actor=worker("wang", "clerk"), foreseen=True)
    (started,) = case.facts
    assert isinstance(started, Started)
    assert started.foreseen
    assert not asked(car(foreseen=True)).facts[0].foreseen


def test_only_who_provides_the_service_foresees():
    """Who asks does not foresee; and a procedure that does not say so lets nobody."""
    with pytest.raises(Refused) as caught:
        asked(car(foreseen=True), foreseen=True)
    assert caught.value.rule == "role"
    recorded = asked(car(Enforce(role="record"), foreseen=True), foreseen=True)
    assert recorded.deviations == [("wrong_role", "asked")]
    for declared in (car(Enforce(start="record")), procedure(*line("asked", "end"), fields=(CAR,))):
        with pytest.raises(Refused) as caught:
            asked(declared, actor=worker("wang", "clerk"), foreseen=True)
        assert caught.value.rule == "start"


def test_no_rule_asks_nothing():
    """A procedure without one starts by anybody, as ever."""
    case = Case(procedure(*line("asked", "end")))
    assert case.kinds == ["Started"]


def test_a_log_of_another_system_that_names_no_role_is_not_judged():
    """Unknown roles satisfy no rule elsewhere; there they break none."""
    case = Case(car(), enforce="record", actor=Actor("li", None), data=at(60 * MINUTE))
    assert case.deviations == []
    case = Case(car(), enforce="record", actor=worker("li", "clerk"), data=at(60 * MINUTE))
    assert case.deviations == [("wrong_role", "asked")]


@given(
    st.sampled_from(["", " - 30m", " - 2h", " - 1d", " - 90wm", " - 4wh", " - 1wd", " - 3wd"]),
    st.integers(0, 20 * 24 * 60),
    st.sampled_from(["office", "always"]),
)
def test_a_start_is_late_exactly_when_the_latest_instant_has_passed(before: str, minutes: int, calendar: str):
    """Whatever the amount and the calendar: as limits count it, and once."""
    compiled = compile_procedure(car(before=f"pickup_at{before}", calendar=calendar), CALENDARS.__getitem__)
    data = at(minutes * MINUTE)
    outcome = transact(compiled, None, Start("i1", data, None, ASKER), to_us(MONDAY))
    scheduled_us = to_us(MONDAY + minutes * MINUTE)
    latest_us = anchored_us(
        BusinessTime(CALENDARS[calendar]), Anchor.parse(f"pickup_at{before}"), scheduled_us
    )
    late = [fact for fact in outcome.facts if isinstance(fact, Deviated) and fact.deviation == "short_notice"]
    assert len(late) == (latest_us < to_us(MONDAY))


def test_of_what_nobody_asks_for_nothing_is_asked():
    """An instance that begins by itself, or that a parent runs, breaks no rule of the start."""
    compiled = compile_procedure(car(Enforce(start="refuse")), CALENDARS.__getitem__)
    for more in (
        {"occurrence": RegularOccurrence("daily", "2026-03-02T09:00")},
        {"parent": "r1", "parent_step": "drive"},
    ):
        outcome = transact(compiled, None, Start("i1", at(MINUTE), None, NOBODY, **more), to_us(MONDAY))
        assert [fact.kind for fact in outcome.facts] == ["Started"]
