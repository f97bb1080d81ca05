"""What must hold of a procedure as a whole: one test for each problem, in YAML's words and Python's."""

from __future__ import annotations

import attrs
import pytest

from svcflow.errors import DeclarationError
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import Field
from svcflow.model.limit import Row, Rung, TimeLimit
from svcflow.model.procedure import (
    Certificate,
    Exclusion,
    HoldRule,
    Indicator,
    Procedure,
    Role,
)
from svcflow.model.source import source_keys
from svcflow.model.step import Branch, Otherwise, Step, Transition
from svcflow.model.validation import procedure
from svcflow.text import Text

END = Step("end", end="completed")


def told(**parts: object) -> list[str]:
    """Return the mistakes of a procedure built in Python, checked to speak both languages."""
    parts = {"id": "p", "steps": (Step("a", to=[Transition("go", "end")]), END), **parts}
    with pytest.raises(DeclarationError) as caught:
        Procedure(**parts)
    for problem in caught.value.problems:
        assert problem.message.zh
        assert problem.message.en
        assert problem.text("zh") != problem.text("en")
    return [problem.text() for problem in caught.value.problems]


def start(*to: Transition, **more: object) -> tuple[Step, Step]:
    return Step("a", to=to or [Transition("go", "end")], **more), END


def limited(**limit: object) -> dict[str, object]:
    return {"limits": [TimeLimit(**{"id": "x", "within": "3h", **limit})]}


IDENTIFIER = "is no identifier; use a-z, 0-9 and _{}; the wording goes into name"
PERSONAL = (
    "is personal data, which can be erased, and cannot decide anything; "
    "use a field that is nobody's own, such as recipient.group"
)
ONCE = "is gone through once and has no visits"
NOT_EARLIER = (
    "is not the better the earlier: early_is_better is for within and by; "
    "leave early_is_better out, or declare this as a limit of its own"
)
BRANCH_END = Step("over", end="done")


def forked(*steps: Step, to: tuple[Transition, ...] = (Transition("done", "end"),)) -> tuple[Step, Step]:
    return Step("a", parallel=[Branch("left", steps)], to=to), END


REFUSES = Otherwise("refuse", name=Text("规定", "The rule"))
INSTANT = Field("t", type="instant")
JOIN = AutomaticMove("done", after="1h")
MAY_BE_REFUSED = (
    "the automatic move may be refused when its instant comes: {}; "
    "give 'then' a trigger of its own without that, or end its rows with one that has no 'when'"
)

CASES = {
    "the id of a procedure": ({"id": "Repair!"}, f"procedure: 'Repair!' {IDENTIFIER.format('')}"),
    "the id of a step": (
        {"steps": (Step("报修", to=[Transition("go", "end")]), END)},
        f"steps.报修: '报修' {IDENTIFIER.format('')}",
    ),
    "the id of a role": ({"roles": [Role("A")]}, f"roles.A: 'A' {IDENTIFIER.format(', such as a')}"),
    "the id of a field": (
        {"fields": [Field("a b")]},
        f"fields.a b: 'a b' {IDENTIFIER.format(', such as a_b')}",
    ),
    "the id of a limit": (limited(id=""), f"limits[0].id: '' {IDENTIFIER.format('')}"),
    "the id of an indicator": (
        {"indicators": [Indicator("x-y")]},
        f"indicators.x-y: 'x-y' {IDENTIFIER.format(', such as x_y')}",
    ),
    "a trigger": (
        {"steps": start(Transition("Go", "end"))},
        f"steps.a.to.Go: 'Go' {IDENTIFIER.format(', such as go')}",
    ),
    "a tolerance in working days": (
        {"late_after": "1wd"},
        "late_after: late_after is elapsed time; it cannot be 1wd; use the units m h d",
    ),
    "version 0": ({"version": 0}, "version: versions count from 1"),
    "an unknown reason to hold": (
        {"holds": [HoldRule("illness")]},
        "holds.illness: there is no hold reason 'illness'; there are: recipient, third_party, statutory",
    ),
    "a field named recipient": (
        {"fields": [Field("recipient")]},
        "fields.recipient: 'recipient' is reserved for who is served; choose another name",
    ),
    "a choice without choices": (
        {"fields": [Field("f", type="choice")]},
        "fields.f: a choice field needs choices; add choices: [a, b]",
    ),
    "a default that does not fit": (
        {"fields": [Field("f", type="number", default="x")]},
        "fields.f.default: field f takes a number, not 'x'",
    ),
    "no steps": ({"steps": ()}, "steps: there are no steps"),
    "one step id twice": (
        {"steps": (*start(), Step("a", end="x"))},
        "steps.a: step id 'a' is used 2 times (branches included); choose another name",
    ),
    "an end with a way on": (
        {"steps": (Step("a", end="x", to=[Transition("go", "a")]),)},
        "steps.a: a step with 'end' has no way on, limit, wait or evidence; drop 'end' or the rest",
    ),
    "a wait's cap without a wait": (
        {"steps": start(at_most="3h")},
        "steps.a.at_most: 'at_most' belongs to a step that waits; write within, or add waits: third_party",
    ),
    "an end that moves on by itself": (
        {"steps": (*start(), Step("b", end="x", then=AutomaticMove("go", after="1h")))},
        "steps.b.then: a step with 'end' does not move on; drop 'end' or 'then'",
    ),
    "an automatic move at no instant": (
        {"steps": start(then=AutomaticMove("go"))},
        "steps.a.then: give one of after and at, or match; for example then: {after: 2wd, fire: close}",
    ),
    "an automatic move at two instants": (
        {"steps": start(then=AutomaticMove("go", after="1h", at="t")), "fields": [INSTANT]},
        "steps.a.then: give one of after and at, or match; for example then: {after: 2wd, fire: close}",
    ),
    "an automatic move after nothing": (
        {"steps": start(then=AutomaticMove("go", after="0m"))},
        "steps.a.then.after: 'after' cannot be zero; let the move before lead to the next step",
    ),
    "an automatic move that is not there": (
        {"steps": start(then=AutomaticMove("gone", after="1h"))},
        "steps.a.then.fire: there is no trigger 'gone'; did you mean go?",
    ),
    "an automatic move at a field that is not there": (
        {"steps": start(then=AutomaticMove("go", at="u")), "fields": [INSTANT]},
        "steps.a.then.at: there is no field 'u'; there are: t",
    ),
    "an automatic move at a field that is no instant": (
        {"steps": start(then=AutomaticMove("go", at="t - 1h")), "fields": [Field("t")]},
        "steps.a.then.at: field t is no instant; give it type: instant",
    ),
    "an automatic move at personal data": (
        {"steps": start(then=AutomaticMove("go", at="t")), "fields": [attrs.evolve(INSTANT, personal=True)]},
        f"steps.a.then.at: t {PERSONAL}",
    ),
    "an automatic move some calendar days before": (
        {"steps": start(then=AutomaticMove("go", at="t - 1cd")), "fields": [INSTANT]},
        "steps.a.then.at: an anchor does not reckon in 1cd; use the units m h d wm wh wd",
    ),
    "an automatic move whose matrix has no default": (
        {
            "steps": start(then=AutomaticMove("go", match=[MoveInstant("1h", when="n > 1")])),
            "fields": [Field("n", type="number")],
        },
        "steps.a.then.match[0]: the matrix has no default row; end it with a row that has no 'when'",
    ),
    "a row of an automatic move at no instant": (
        {"steps": start(then=AutomaticMove("go", match=[MoveInstant()]))},
        "steps.a.then.match[0]: each row has 'after' or 'at'",
    ),
    "an automatic move with a guard only": (
        {
            "steps": start(Transition("go", "end", when="n > 1"), then=AutomaticMove("go", after="1h")),
            "fields": [Field("n", type="number")],
        },
        "steps.a.then.fire: " + MAY_BE_REFUSED.format("every row of 'go' has a guard"),
    ),
    "an automatic move that requires": (
        {"steps": start(Transition("go", "end", requires=["why"]), then=AutomaticMove("go", after="1h"))},
        "steps.a.then.fire: " + MAY_BE_REFUSED.format("'go' has 'requires'"),
    ),
    "an automatic move with a bound that refuses": (
        {
            "steps": start(
                Transition("go", "a", at_most=1, enforce={"rework": "refuse"}),
                then=AutomaticMove("go", after="1h"),
            )
        },
        "steps.a.then.fire: " + MAY_BE_REFUSED.format("'go' has 'at_most'"),
    ),
    "an automatic move that ends a branch which may not be left": (
        {
            "steps": forked(
                Step("b", to=[Transition("go", "over")], then=AutomaticMove("go", after="1h")),
                BRANCH_END,
                to=(Transition("done", "end", when="n > 1"),),
            ),
            "fields": [Field("n", type="number")],
        },
        "steps.a.parallel.left.steps.b.then.fire: "
        + MAY_BE_REFUSED.format("'go' ends the branch, and every row of 'done' of a has a guard"),
    ),
    "an automatic move that on_overdue makes": (
        {"steps": start(within="2h", on_overdue="go", then=AutomaticMove("go", after="1h"))},
        (
            "steps.a.then.fire: on_overdue fires 'go' already; keep 'then' where nothing is overdue at that instant, "
            "on_overdue where the limit is"
        ),
    ),
    "an automatic done": (
        {
            "steps": (
                attrs.evolve(forked(Step("b", to=[Transition("go", "over")]), BRANCH_END)[0], then=JOIN),
                END,
            )
        },
        "steps.a.then.fire: 'done' is fired once all branches have ended; give the step another trigger, such as give_up",
    ),
    "an automatic move whose source is not listed": (
        {"steps": start(then=AutomaticMove("go", after="1h", source="D9"))},
        "steps.a.then.source: there is no source 'D9'; there are: proposal",
    ),
    "a branch without an end": (
        {"steps": forked(Step("b", to=[Transition("loop", "b")]))},
        "steps.a.parallel.left: the branch has no step that ends it; add a step with end: done",
    ),
    "a branch that starts at its end": (
        {"steps": forked(BRANCH_END)},
        "steps.a.parallel.left: a branch starts with a step in which something is done; put a step without 'end' first",
    ),
    "a branch without steps": (
        {"steps": forked()},
        "steps.a.parallel.left: a branch starts with a step in which something is done; put a step without 'end' first",
    ),
    "one branch id twice": (
        {
            "steps": (
                Step(
                    "a",
                    parallel=[
                        Branch("left", [Step("b", to=[Transition("x", "over")]), BRANCH_END]),
                        Branch("left", [Step("c", to=[Transition("y", "done")]), Step("done", end="done")]),
                    ],
                    to=[Transition("done", "end")],
                ),
                END,
            )
        },
        "steps.a.parallel.left: branch id 'left' is used 2 times; choose another name",
    ),
    "a parallel step that nothing follows": (
        {"steps": forked(Step("b", to=[Transition("x", "over")]), BRANCH_END, to=(Transition("go", "end"),))},
        "steps.a: a parallel step needs a transition 'done'; add to: {done: next_step}",
    ),
    "a move out of a branch": (
        {"steps": forked(Step("b", to=[Transition("x", "end")]), BRANCH_END)},
        (
            "steps.a.parallel.left.steps.b.to.x.step: 'end' lies outside this branch; a move cannot cross it; "
            "end the branch; 'done' joins them"
        ),
    ),
    "a move to nowhere": (
        {"steps": start(Transition("go", "ende"))},
        "steps.a.to.go.step: there is no step 'ende'; did you mean end?",
    ),
    "nothing left to refuse": (
        {"steps": start(Transition("go", "end", otherwise=REFUSES))},
        "steps.a.to.go[1]: a row has no guard, so nothing is left to refuse; give every row its 'when', or drop 'otherwise'",
    ),
    "a refusal by no rule": (
        {"steps": start(Transition("go", "end", when="True", otherwise=Otherwise("refuse")))},
        "steps.a.to.go[1]: a refusal says by which rule; add name: {zh: …, en: name of the rule}",
    ),
    "a refusal before the last row": (
        {
            "steps": start(
                Transition("go", "end", when="True", otherwise=REFUSES), Transition("go", "end", when="False")
            )
        },
        "steps.a.to.go: 'otherwise' comes with the last row of its trigger",
    ),
    "a refusal that is to be recorded": (
        {
            "steps": start(
                Transition("go", "end", when="True", otherwise=REFUSES, enforce={"guard": "record"})
            )
        },
        "steps.a.to.go[0].enforce.guard: this contradicts otherwise: refuse; drop one of the two",
    ),
    "an unknown role of a step": (
        {"steps": start(role="x")},
        "steps.a.role: there is no role 'x'; there are none",
    ),
    "an unknown role of a move": (
        {"steps": start(Transition("go", "end", role="x"))},
        "steps.a.to.go.role: there is no role 'x'; there are none",
    ),
    "an unknown step of another person": (
        {"steps": start(not_by="x")},
        "steps.a.not_by: there is no step 'x'; there are: a, end",
    ),
    "an unknown certificate": (
        {"certificates": [Certificate("licence")], "steps": start(qualified="license")},
        "steps.a.qualified: there is no certificate 'license'; did you mean licence?",
    ),
    "a certificate for an end": (
        {
            "certificates": [Certificate("licence")],
            "steps": [Step("a", to=[Transition("go", "end")]), Step("end", end="done", qualified="licence")],
        },
        "steps.end.qualified: nobody does this step, so nobody needs a certificate for it; give it to the steps in which somebody works",
    ),
    "a certificate that is no identifier": (
        {"certificates": [Certificate("The Licence")]},
        "certificates.The Licence: 'The Licence' is no identifier; use a-z, 0-9 and _, such as the_licence; the wording goes into name",
    ),
    "an unknown step among those of other persons": (
        {"steps": start(not_by=["a", "x"])},
        "steps.a.not_by[1]: there is no step 'x'; there are: a, end",
    ),
    "a step of another person named twice": (
        {"steps": start(not_by=["end", "end"])},
        "steps.a.not_by[1]: the step 'end' is named twice; name each step once",
    ),
    "something done when nothing is overdue": (
        {"steps": start(on_overdue="go")},
        "steps.a.on_overdue: there is no limit that could be overdue; add within",
    ),
    "an unknown trigger when a step is overdue": (
        {"steps": start(within="3h", on_overdue="goo")},
        "steps.a.within.on_overdue: there is no trigger 'goo'; did you mean go?",
    ),
    "an unknown trigger when a wait is overdue": (
        {"steps": start(waits="recipient", at_most="3h", on_overdue="goo")},
        "steps.a.at_most.on_overdue: there is no trigger 'goo'; did you mean go?",
    ),
    "a guard of no field": (
        {"steps": start(Transition("go", "end", when="fee > 1"))},
        "steps.a.to.go.when: guard 'fee > 1' names 'fee', which is no declared field; there are: recipient",
    ),
    "a guard of a personal field": (
        {
            "fields": [Field("phone", personal=True)],
            "steps": start(Transition("go", "end", when="phone == None")),
        },
        f"steps.a.to.go.when: phone {PERSONAL}",
    ),
    "a row's guard of who is served": (
        limited(within=None, match=[Row("3h", 'recipient.id == "x"'), Row("4h")]),
        f"limits[0].match[0].when: recipient.id {PERSONAL}",
    ),
    "an anchor that is personal": (
        {
            "fields": [Field("birthday_at", type="instant", personal=True)],
            **limited(within=None, before="birthday_at - 2h"),
        },
        f"limits[0].before: birthday_at {PERSONAL}",
    ),
    "an unknown rule": (
        {"steps": start(Transition("go", "end", enforce={"rol": "refuse"}))},
        "steps.a.to.go.enforce.rol: there is no rule 'rol'; did you mean role?",
    ),
    "an unknown way": (
        {"steps": start(Transition("go", "end", enforce={"role": "x"}))},
        "steps.a.to.go.enforce.role: there is no way 'x'; there are: refuse, record",
    ),
    "a limit's id twice": (
        {"limits": [TimeLimit(id="a", within="3h")], "steps": start(within="1h")},
        "limits[0].id: limit id 'a' is taken (a step's limit has the step's id); choose another name",
    ),
    "half a span": (
        limited(from_="a"),
        "limits[0]: 'from' and 'to' come together; give both, or neither for the whole procedure",
    ),
    "visits of the whole procedure": (
        limited(within="3h", visits="first"),
        f"limits[0].visits: the whole procedure {ONCE}; give a step, or from and to; or leave visits out",
    ),
    "a span from nowhere": (
        limited(from_="x", to="end"),
        "limits[0].from: there is no step 'x'; there are: a, end",
    ),
    "a span that ends twice": (
        limited(from_="a", to="end", to_trigger="go"),
        "limits[0].to_trigger: a limit ends by 'to' or by 'to_trigger', not by both; leave one of them out",
    ),
    "a span to no trigger": (
        limited(from_="a", to_trigger="gone"),
        "limits[0].to_trigger: there is no trigger 'gone'; did you mean go?",
    ),
    "a trigger without a start": (
        limited(to_trigger="go"),
        "limits[0]: 'from' and 'to' come together; give both, or neither for the whole procedure",
    ),
    "an appointed instant that is the better the earlier": (
        {
            "fields": [Field("visit_at", type="instant")],
            **limited(within=None, before="visit_at - 2h", early_is_better=True),
        },
        f"limits[0].early_is_better: 'before' {NOT_EARLIER}",
    ),
    "a row of a matrix that is the better the earlier": (
        {
            "fields": [Field("visit_at", type="instant"), Field("urgent", type="boolean")],
            **limited(
                within=None,
                early_is_better=True,
                match=[Row("3h", when="urgent"), Row(after="visit_at + 1wd")],
            ),
        },
        f"limits[0].match[1].after: 'after' {NOT_EARLIER}",
    ),
    "a minimum that is the better the earlier": (
        limited(within=None, at_least="3h", early_is_better=True),
        f"limits[0].early_is_better: 'at_least' {NOT_EARLIER}",
    ),
    "a span to nowhere": (
        limited(from_="a", to="x"),
        "limits[0].to: there is no step 'x'; there are: a, end",
    ),
    "a limit of no step": (
        limited(step="x"),
        "limits[0].step: there is no step 'x'; there are: a, end",
    ),
    "a limit without a time": (
        limited(within=None),
        "limits[0]: give one of within, by, before, after, at_least, every, or match; for example within: 2wd",
    ),
    "a limit with a time and a matrix": (
        limited(match=[Row("3h")]),
        "limits[0]: give one of within, by, before, after, at_least, every, or match; for example within: 2wd",
    ),
    "an unknown trigger of a limit": (
        limited(on_overdue="x"),
        "limits[0].on_overdue: there is no trigger 'x'; there are: go",
    ),
    "a row without a time": (
        limited(within=None, match=[Row()]),
        "limits[0].match[0]: each row has one kind of limit, or no_target: true",
    ),
    "a row with a time and none": (
        limited(within=None, match=[Row("3h", no_target=True)]),
        "limits[0].match[0]: each row has one kind of limit, or no_target: true",
    ),
    "a matrix without a default": (
        limited(within=None, match=[Row("3h", "recipient")]),
        "limits[0].match[0]: the matrix has no default row; end it with a row that has no 'when'",
    ),
    "a row that is never reached": (
        limited(within=None, match=[Row("3h"), Row("4h")]),
        "limits[0].match[0]: this row always matches; the rows after it are unreachable; move it to the end",
    ),
    "a row's guard of no field": (
        limited(within=None, match=[Row("3h", "fee"), Row("4h")]),
        "limits[0].match[0].when: guard 'fee' names 'fee', which is no declared field; there are: recipient",
    ),
    "a row's unknown source": (
        limited(within=None, match=[Row("4h", source="D9")]),
        "limits[0].match[0].source: there is no source 'D9'; there are: proposal",
    ),
    "an unknown role to warn": (
        limited(warn=[Rung("75%", "x")]),
        "limits[0].warn[0]: there is no role 'x'; there are none",
    ),
    "a rung on another clock": (
        limited(within="3wd", escalate=[Rung("+1h")]),
        "limits[0].escalate[0]: +1h does not run on the clock of the limit 3wd; use the units wm wh wd",
    ),
    "a rung in days on a limit in hours": (
        limited(within="3h", escalate=[Rung("+1cd")]),
        "limits[0].escalate[0]: +1cd does not run on the clock of the limit 3h; use the units m h d wm wh wd",
    ),
    "an elapsed rung before a counted deadline": (
        limited(within="3h", warn=[Rung("-1h")]),
        "limits[0].warn[0]: -1h is for by, before and after only; write a share of the limit, such as 75%, or working units, such as -1wd",
    ),
    "opening hours for no ladder": (
        limited(within="3h", in_opening_hours=True),
        "limits[0].in_opening_hours: there is no warn or escalate that could wait for an opening; write warn or escalate, or leave in_opening_hours out",
    ),
    "a rung under rows on two clocks": (
        limited(
            within=None, match=[Row("30m", "recipient.group == 'staff'"), Row("4wh")], escalate=[Rung("+1h")]
        ),
        "limits[0].escalate[0]: the rows run on different clocks, and +1h does not fit 4wh; write a share, such as 125% for one after the deadline; or use the working units wm wh wd; or units of one clock in all rows",
    ),
    "an unknown source": (
        limited(source="D1, proposal, D9"),
        "limits[0].source: there is no source 'D1'; there are: proposal",
    ),
    "a field that no trigger settles": (
        {"fields": [Field("f", settled_by="gone")]},
        "fields.f.settled_by: there is no trigger 'gone'; did you mean go?",
    ),
    "an indicator of no limit": (
        {"indicators": [Indicator("i", of="x")]},
        "indicators.i.of: there is no limit, rating, trigger or kind of deviation 'x'",
    ),
    "an indicator that counts what its kind has not": (
        {"indicators": [Indicator("i", of="overdue", numerator="met")]},
        "indicators.i.numerator: an indicator of a kind of deviation has no numerator 'met'; there are: instances, occurrences",
    ),
    "an indicator that counts without saying what": (
        {"indicators": [Indicator("i", denominator="ended")]},
        "indicators.i.denominator: denominator counts nothing without 'of'; write of: a limit, rating, trigger or kind of deviation",
    ),
    "a target that cannot be compared with": (
        {"indicators": [Indicator("i", target="≥95％")]},
        "indicators.i.target: '≥95％' cannot be compared with; write \">=95%\"",
    ),
    "a weight of nothing": (
        {"indicators": [Indicator("i", weight=0)]},
        "indicators.i.weight: a weight is above zero; write a number above zero, or leave the indicator out",
    ),
    "an exclusion by what is no field": (
        {"indicators": [Indicator("i", exclude=[Exclusion(when="fee > 1", reason=Text("免", "free"))])]},
        "indicators.i.exclude[0].when: guard 'fee > 1' names 'fee', which is no declared field; there are: recipient",
    ),
    "an exclusion without a reason": (
        {"indicators": [Indicator("i", exclude=[Exclusion(when="True", reason=Text(" ", ""))])]},
        "indicators.i.exclude[0].reason: an exclusion says why; write reason: {zh: …, en: …}",
    ),
    "a reason that is no rating's": (
        {"fields": [Field("a", reason="b"), Field("b")]},
        "fields.a.reason: only a rating has reason; leave reason out, or write type: rating",
    ),
    "a rating's reason that is no field": (
        {"fields": [Field("a", type="rating", reason="c"), Field("b")]},
        "fields.a.reason: there is no field 'c'; there are: a, b",
    ),
    "a rating's second rating that is none": (
        {"fields": [Field("a", type="rating", follow_up="b"), Field("b")]},
        "fields.a.follow_up: follow_up names another field of type rating; change the type of b, or name another field",
    ),
    "a rating followed up by itself": (
        {"fields": [Field("a", type="rating", follow_up="a")]},
        "fields.a.follow_up: follow_up names another field of type rating; change the type of a, or name another field",
    ),
    "a number that stands for a place": (
        {"fields": [Field("a", type="number", stands_for="place")]},
        "fields.a.stands_for: a field of type number cannot stand for a place; use a field of type choice or text",
    ),
    "two fields for one place": (
        {"fields": [Field("a", stands_for="place"), Field("b", stands_for="place")]},
        "fields.b.stands_for: a stands for the place already; keep one of them",
    ),
    "an indicator's unknown source": (
        {"indicators": [Indicator("i", source="D9")]},
        "indicators.i.source: there is no source 'D9'; there are: proposal",
    ),
}


@pytest.mark.parametrize(("parts", "problem"), CASES.values(), ids=CASES)
def test_a_procedure_built_in_python_is_refused_with(parts, problem):
    """Each rule of a procedure as a whole is told with its path and its remedy, in both languages."""
    assert problem in told(**parts)


def test_every_mistake_is_told_at_once():
    """A caller sees all of them, not the first."""
    assert len(told(id="P", version=0, roles=[Role("R")], steps=start(role="x", not_by="y"))) == 5


def test_sources_are_split_at_commas_of_either_script():
    """`D1, L7`, `D1，L7` and `D1、L7` name two sources."""
    assert source_keys("D1, L7") == source_keys("D1，L7") == source_keys("D1、L7") == ("D1", "L7")
    assert source_keys(None) == ()


@pytest.mark.parametrize(
    ("number", "said"), [("MAX_STEPS", "more than 1 steps"), ("MAX_TRANSITIONS", "more than 1 tr")]
)
def test_a_procedure_has_a_largest_size(monkeypatch, number, said):
    """A document cannot declare a machine without bound."""
    monkeypatch.setattr(procedure, number, 1)
    assert any(
        said in problem for problem in told(steps=start(Transition("go", "end"), Transition("no", "end")))
    )


@pytest.mark.parametrize("items", [[Field("a"), Field("a")], {"b": Field("a")}])
def test_an_item_is_kept_under_its_own_id_once(items):
    """A second field of a name does not silently replace the first."""
    assert "each id is used once and equals its key" in told(fields=items)[0]


@pytest.mark.parametrize("parts", [{"area": "garden"}, {"recipients": ["visitors"]}])
def test_a_closed_list_is_closed_in_python_too(parts):
    """Areas and groups of recipients are those of the declaration."""
    with pytest.raises(ValueError, match=r"garden|visitors"):
        Procedure(id="p", steps=start(), **parts)


def test_a_limit_may_be_any_of_the_clocks_that_exist():
    """Limits of every family with ladders on their own clock are taken."""
    for within, after in (("3h", "+1m"), ("3wh", "+1wm"), ("3wd", "+1wd"), ("3cd", "+1cd"), ("3mo", "+1mo")):
        Procedure(id="p", steps=start(), limits=[TimeLimit(id="x", within=within, escalate=[Rung(after)])])


def test_a_source_that_is_not_listed_is_told_once():
    """One forgotten line of `sources` is one mistake, however often it is cited."""
    limits = [TimeLimit(id=f"l{n}", within="1h", source="D7, D8" if n else "D7") for n in range(5)]
    assert [line for line in told(limits=limits) if "source" in line] == [
        "limits[0].source: there is no source 'D7'; there are: proposal",
        "limits[1].source: there is no source 'D8'; there are: proposal",
    ]
