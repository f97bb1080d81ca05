"""`qualified` asks who does a step for a certificate; what the register said comes with the command."""

from __future__ import annotations

import orjson
import pytest
from kernel_cases import CHIEF, CLERK, HOUR, MINUTE, MONDAY, Case, move, procedure, worker

from svcflow.journal.canonical import from_bytes, to_bytes
from svcflow.kernel import Actor
from svcflow.kernel.commands import Assign, Claim
from svcflow.kernel.instance import NEVER
from svcflow.kernel.moves.availability import available
from svcflow.model.procedure import Certificate, Procedure
from svcflow.model.step import Enforce, Step
from svcflow.text import Text
from svcflow.worktime.instants import to_us

LICENCE = Certificate("licence", name=Text("电工证", "Electrician's licence"))
LI = worker("li", "clerk")
SOON = to_us(MONDAY + 2 * HOUR)


def wiring(**enforce: str) -> Procedure:
    """Electrical work by a clerk with a licence, which the chief may call off."""
    return procedure(
        Step(
            "work",
            name=Text("接线", "Wiring"),
            role="clerk",
            qualified="licence",
            to=(move("finish", "check"), move("call_off", "end", role="chief", kind="exception")),
        ),
        Step("check", to=(move("confirm", "end"), move("again", "work", kind="rework"))),
        Step("end", end="completed"),
        certificates=[LICENCE],
        enforce=Enforce(**enforce),
    )


@pytest.mark.parametrize(
    ("held", "zh", "en"),
    [
        ({}, "名册中办理人没有此证", "by the register the person never held it"),
        ({"other": NEVER}, "名册中办理人没有此证", "by the register the person never held it"),
        ({"licence": SOON - 3 * 3_600_000_000}, "已于 2026-03-02T08:00+08:00 到期", "ended at 2026-03-02T08:00+08:00"),
        (None, "没有可查的持证名册", "there is no register to say who does"),
    ],
    ids=["never", "another", "expired", "no register"],
)  # fmt: skip
def test_who_does_not_hold_the_certificate_is_refused_and_told_why(held, zh, en):
    """Never held, held no more and nobody to ask are told apart, in both languages, with the certificate's name."""
    case = Case(wiring())
    case.fire("finish", actor=LI, certificates=held)
    assert (case.rule, case.instance.steps) == ("qualification", ("work",))
    assert zh in case.facts[-1].zh
    assert "“电工证”" in case.facts[-1].zh
    assert en in case.facts[-1].en
    assert "'Wiring' is for who holds \"Electrician's licence\"" in case.facts[-1].en
    assert case.outcome.remedy.zh
    assert case.outcome.remedy.en


def test_who_holds_it_passes_and_what_the_register_said_is_recorded():
    """Up to, not at, the instant at which it ends."""
    case = Case(wiring())
    case.fire("finish", actor=LI, certificates={"licence": SOON, "other": NEVER})
    assert case.rule == ""
    moved = case.facts[-1]
    assert moved.certificates == {"licence": SOON}
    assert from_bytes(to_bytes(moved)) == moved
    case.fire("again")
    case.fire("finish", after=MONDAY + 2 * HOUR - case.now, actor=LI, certificates={"licence": SOON})
    assert case.rule == "qualification"


@pytest.mark.parametrize(
    ("held", "detail"),
    [
        ({}, {"certificate": "licence"}),
        ({"licence": 7}, {"certificate": "licence", "until_us": 7}),
        (None, {"certificate": "licence", "register": False}),
    ],
)
def test_on_record_the_deviation_says_what_was_missing(held, detail):
    """With `enforce: {qualification: record}` the work goes on."""
    case = Case(wiring(qualification="record"))
    case.fire("finish", actor=LI, certificates=held)
    assert case.deviations == [("unqualified", "work")]
    assert case.of("Deviated")[-1].detail == detail
    assert case.of("Deviated")[-1].severity == "major"


def test_a_transition_of_another_role_is_not_the_work():
    """The chief calls it off without a licence."""
    case = Case(wiring())
    case.fire("call_off", actor=worker("boss", "chief"), certificates={})
    assert (case.rule, case.instance.status) == ("", "ended")
    assert case.of("Moved")[-1].certificates == {}


def test_nobody_in_particular_holds_nothing():
    """Without a name nobody can be looked up."""
    declared = wiring(role="record")
    case = Case(declared)
    case.fire("finish", actor=Actor("", ("clerk",)), certificates={"licence": NEVER})
    assert case.rule == "qualification"
    assert "it is not said who acts" in case.facts[-1].en


def test_work_recorded_late_is_judged_by_when_it_was_done():
    """The licence has ended since, and was held then."""
    case = Case(wiring())
    case.fire("finish", after=3 * HOUR, actor=LI, certificates={"licence": SOON}, occurred_us=SOON - 1)
    assert case.rule == ""


def test_a_claim_and_an_assignment_ask_for_it_too():
    """Of the person who is to have the step; where it is only recorded, they pass."""
    case = Case(wiring())
    case.do(Claim(actor=LI, certificates={}), MINUTE)
    assert case.rule == "qualification"
    case.do(Assign("work", "wang", certificates={}), MINUTE)
    assert case.rule == "qualification"
    case.do(Assign("work", "wang", certificates={"licence": NEVER}), MINUTE)
    assert case.instance.assignees == {"work": "wang"}
    case = Case(wiring(qualification="record"))
    case.do(Claim(actor=LI, certificates={}), MINUTE)
    assert case.rule == ""


def test_it_is_said_beforehand_why_a_trigger_is_closed():
    """By the same rule as firing; without an actor nobody is judged."""
    case = Case(wiring())
    at_us = to_us(case.now)
    (finish, _) = available(case.compiled, case.instance, LI, at_us, certificates={})
    assert (finish.trigger, finish.open, finish.rule) == ("finish", False, "qualification")
    (finish, _) = available(case.compiled, case.instance, LI, at_us, certificates={"licence": NEVER})
    assert finish.open
    (finish, _) = available(case.compiled, case.instance, None, at_us)
    assert finish.open


def test_a_log_of_another_system_tells_of_no_certificates():
    """Nothing is judged there."""
    case = Case(wiring(), enforce="record")
    case.fire("finish", actor=LI)
    assert case.deviations == []


def test_the_system_needs_no_certificate():
    """A move that is deemed made is nobody's work."""
    declared = procedure(
        Step(
            "work",
            role="clerk",
            qualified="licence",
            within="1h",
            on_overdue="finish",
            to=(move("finish", "end"),),
        ),
        Step("end", end="completed"),
        certificates=[LICENCE],
    )
    case = Case(declared)
    case.wait(5 * HOUR)
    assert case.instance.status == "ended"


def test_facts_of_procedures_without_certificates_have_the_bytes_they_had():
    """A default is left out, so that older journals lead where they led."""
    case = Case(
        procedure(Step("a", to=(move("go", "end"),)), Step("end", end="completed"), roles=(CLERK, CHIEF))
    )
    case.fire("go")
    assert "certificates" not in orjson.loads(to_bytes(case.facts[-1]))
