"""The difference of two versions: nothing that is declared can change without being seen."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_strategies import procedures

import svcflow
from svcflow.model.amount import Amount
from svcflow.model.automatic_move import AutomaticMove
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.limit import Extension, Row, Rung, TimeLimit
from svcflow.model.procedure import (
    Certificate,
    Excellence,
    HoldRule,
    Indicator,
    Procedure,
    Role,
)
from svcflow.model.step import Branch, Enforce, Otherwise, Step, Transition
from svcflow.model.target import Anchor, ClockTime
from svcflow.text import Text

SOME = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
WHOLE = (Amount, Anchor, ClockTime, Guard, Text)
MARK = "§"


def places(node: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield the way to every attribute and item of a procedure, as deep as things go."""
    if attrs.has(type(node)) and not isinstance(node, WHOLE):
        for attribute in attrs.fields(type(node)):
            if not attribute.eq:  # it follows from the others
                continue
            name, value = attribute.name, getattr(node, attribute.name)
            of_parts = attrs.has(type(value)) and not isinstance(value, WHOLE)
            if not (of_parts or (name == "parallel" and not value)):  # no thing is made up where one belongs
                yield (*path, name)
            yield from places(value, (*path, name))
    elif isinstance(node, Mapping):
        for name, item in node.items():
            yield from ([(*path, name)] if not attrs.has(type(item)) else [])
            yield from places(item, (*path, name))
    elif isinstance(node, tuple):
        for number, item in enumerate(node):
            yield from places(item, (*path, number))


def altered(node: object, path: tuple[object, ...]) -> object:
    """A copy in which the value at the end of the way is another; no rule of the model is asked."""
    if not path:
        if isinstance(node, tuple) and any(attrs.has(type(item)) for item in node):
            return node[1:]
        if isinstance(node, int | float) and not isinstance(node, bool):
            return -node - 1
        return {**node, MARK: MARK} if isinstance(node, Mapping) else MARK
    here, rest = path[0], path[1:]
    if isinstance(node, Mapping):
        return {**node, here: altered(node[here], rest)}
    if isinstance(node, tuple):
        return tuple(altered(item, rest) if number == here else item for number, item in enumerate(node))
    made = copy.copy(node)
    object.__setattr__(made, here, altered(getattr(node, here), rest))
    for name in ("all_steps", "time_limits", "triggers"):
        getattr(made, "__dict__", {}).pop(name, None)
    return made


@given(procedures())
@SOME
def test_a_procedure_does_not_differ_from_itself(procedure):
    """Nothing is reported that is not there."""
    again = copy.deepcopy(procedure)
    found = svcflow.diff(procedure, again)
    assert not found
    assert found.text().endswith("no difference")
    assert {match.match for match in found.steps} == {"same"}


@given(procedures(), st.data())
@SOME
def test_any_attribute_that_changes_is_seen(procedure, data):
    """Whichever attribute of whichever thing is another, there is a change, in both languages and as JSON."""
    path = data.draw(st.sampled_from(list(places(procedure))))
    other = altered(procedure, path)
    found = svcflow.diff(procedure, other)
    assert found.changes
    assert svcflow.diff(other, procedure).changes
    for lang in ("zh", "en"):
        assert len(found.text(lang).splitlines()) > len(found.changes)
    assert json.loads(json.dumps(found.to_json()))["equal"] is False


@given(procedures(), procedures())
@SOME
def test_two_procedures_differ_when_they_are_not_equal(one, other):
    """The difference is empty exactly when they are equal."""
    assert bool(svcflow.diff(one, other)) == (one != other)


def asked(*more: Step, **given: object) -> Procedure:
    known = {
        "name": Text("提问", "Asked"),
        "to": [Transition("answer", "answered", requires=("note",))],
        "role": "desk",
        **given.pop("step", {}),
    }
    return Procedure(
        **{
            "id": "ask",
            "fields": [Field("note"), Field("kind", type="choice", choices=("a", "b"))],
            "roles": [Role("desk"), Role("chief")],
            "steps": [Step("asked", **known), *more, Step("answered", end="completed")],
            **given,
        }
    )


def lines(old: Procedure, new: Procedure, lang: str = "en") -> list[str]:
    return svcflow.diff(old, new).text(lang).splitlines()[1:]


def test_a_time_limit_that_changed_is_told_as_it_is_written():
    """48wh → 24wh, with the way to it."""
    old, new = asked(step={"within": "48wh"}), asked(step={"within": "24wh"}, version=2)
    assert lines(old, new) == ["≠ version: 1 → 2", "≠ step asked › limit asked › within: 48wh → 24wh"]
    assert lines(old, new, "zh")[1] == "≠ 环节 asked › 时限 asked › within：48wh → 24wh"
    title = svcflow.diff(old, new).text("zh").splitlines()[0]
    assert title == "ask v1 → ask v2：2 处不同，0 处影响在办实例"


SPAN = TimeLimit(
    id="whole", within="2wd", warn=["75%"], escalate=[Rung("+1wd", "chief")], extension=Extension("1wd")
)
RICH = {
    "limits": [SPAN],
    "holds": [HoldRule("recipient", at_most="5wd", evidence=["letter"])],
    "enforce": Enforce(evidence="record"),
    "indicators": [Indicator("speed", of="whole", target="95%", name=Text("快", "Speed"))],
    "sources": {"D1": "a book"},
}
LAPSING = (Transition("lapse", "answered"),)
CASES = [
    (RICH, {**RICH, "limits": [], "indicators": []}, "－ limit whole: id: whole, within: 2wd, warn: 75%, escalate: at: +1wd, role: chief, extension: by: 1wd", False),
    ({}, {"limits": [TimeLimit(id="whole", within="1h", name=Text("全程", "Whole"))]}, "＋ limit whole: Whole", False),
    (RICH, {**RICH, "limits": [attrs.evolve(SPAN, warn=["50%"])]}, "＋ limit whole › rung 50%: 50%", False),
    (RICH, {**RICH, "limits": [attrs.evolve(SPAN, warn=[])]}, "－ limit whole › rung 75%: 75%", False),
    (RICH, {**RICH, "limits": [attrs.evolve(SPAN, extension=Extension("2wd"))]}, "≠ limit whole › extension › by: 1wd → 2wd", False),
    (RICH, {**RICH, "limits": [attrs.evolve(SPAN, stoppable=False)]}, "≠ limit whole › stoppable: true → false", False),
    (RICH, {**RICH, "holds": []}, "－ hold recipient: at_most: 5wd, evidence: letter", True),
    (RICH, {**RICH, "enforce": Enforce(evidence="refuse")}, "≠ enforcement › evidence: record → refuse", True),
    (RICH, {**RICH, "enforce": Enforce(evidence="record", role="record")}, "≠ enforcement › role: refuse → record", False),
    (RICH, {**RICH, "indicators": []}, "－ indicator speed: Speed", False),
    (RICH, {**RICH, "sources": {"D1": "a page"}}, "≠ source D1 › title: a book → a page", False),
    (RICH, {**RICH, "sources": {}}, "－ source D1: a book", False),
    ({}, RICH | {"limits": [], "indicators": []}, "＋ source D1: a book", False),
    ({}, {"roles": [Role("desk")]}, "－ role chief", True),
    ({}, {"fields": [Field("note")]}, "－ field kind: type: choice, choices: a, b", True),
    ({}, {"fields": [Field("note", required=True), Field("kind", type="choice", choices=("a", "b"))]}, "≠ field note › required: false → true", True),
    ({}, {"fields": [Field("note", personal=True), Field("kind", type="choice", choices=("a", "b"))]}, "≠ field note › personal: false → true", True),
    ({}, {"fields": [Field("note"), Field("kind", type="choice", choices={"a": Text("甲", "A"), "b": Text()})]}, "＋ field kind › choices.a: A", False),
    ({}, {"fields": [Field("note"), Field("kind", type="choice", choices=("b", "a"))]}, "≠ field kind › choices: a, b → b, a", False),
    ({}, {"excellence": Excellence()}, "＋ excellence: cost_effect: none", False),
    ({}, {"fields": [Field("note"), Field("kind", type="choice", choices=("a",))]}, "≠ field kind › choices: a, b → a", True),
    ({}, {"fields": [Field("note"), Field("kind", type="choice", choices=("a", "b", "c"))]}, "≠ field kind › choices: a, b → a, b, c", False),
    ({}, {"fields": [Field("note"), Field("kind"), Field("x", required=True)]}, "＋ field x: type: text, required: true", True),
    ({}, {"fields": [Field("note"), Field("kind"), Field("x", required=True, default="1")]}, "＋ field x: type: text, default: 1, required: true", False),
    ({"step": {"to": LAPSING}}, {"step": {"to": LAPSING, "then": AutomaticMove("lapse", after="2wd")}}, "＋ step asked › automatic move: after: 2wd, fire: lapse", True),
    ({"step": {"to": LAPSING, "then": AutomaticMove("lapse", after="2wd")}}, {"step": {"to": LAPSING, "then": AutomaticMove("lapse", after="3wd")}}, "≠ step asked › automatic move › after: 2wd → 3wd", False),
    ({}, {"step": {"role": "chief"}}, "≠ step asked › role: desk → chief", True),
    ({}, {"step": {"role": None}}, "－ step asked › role: desk", False),
    ({}, {"step": {"evidence": ("photo",)}}, "＋ step asked › evidence: photo", True),
    ({}, {"fields": [Field("note", settled_by="answer"), Field("kind", type="choice", choices=("a", "b"))]}, "＋ field note › settled_by: answer", True),
    (RICH, {**RICH, "enforce": Enforce(evidence="record", settled="record")}, "≠ enforcement › settled: refuse → record", False),
    ({"certificates": [Certificate("c", name=Text("证", "Licence"))]}, {"certificates": [Certificate("c", name=Text("证", "Licence"))], "step": {"qualified": "c"}}, "＋ step asked › qualified: c", True),
    ({"certificates": [Certificate("c", name=Text("证", "Licence"))]}, {}, "－ certificate c: Licence", False),
    ({}, {"step": {"not_by": "answered"}}, "＋ step asked › not_by: answered", True),
    ({"step": {"not_by": "answered"}}, {"step": {"not_by": ["answered", "asked"]}}, "≠ step asked › not_by: answered → answered, asked", True),
    ({"step": {"not_by": ["answered", "asked"]}}, {"step": {"not_by": "asked"}}, "≠ step asked › not_by: answered, asked → asked", False),
    ({}, {"step": {"name": Text("问", "Asked")}}, "≠ step asked › name: Asked → Asked", False),
    ({}, {"step": {"to": [Transition("reply", "answered")]}}, "－ step asked › transition answer: step: answered, requires: note", True),
    ({}, {"step": {"to": [Transition("answer", "asked", requires=("note",))]}}, "≠ step asked › transition answer › step: answered → asked", False),
    ({}, {"step": {"to": [Transition("answer", "answered", requires=("note", "kind"))]}}, "≠ step asked › transition answer › requires: note → note, kind", True),
    ({}, {"step": {"to": [Transition("answer", "answered", requires=("note",), when='kind == "a"')]}}, '＋ step asked › transition answer › when: kind == "a"', True),
    ({}, {"step": {"to": [Transition("answer", "answered", requires=("note",), at_most=2)]}}, "＋ step asked › transition answer › at_most: 2", True),
    ({}, {"step": {"to": [Transition("answer", "answered", requires=("note",), enforce={"role": "record"})]}}, "＋ step asked › transition answer › enforce.role: record", False),
    (
        {"step": {"to": [Transition("answer", "answered", when="True")]}},
        {"step": {"to": [Transition("answer", "answered", when="True", otherwise=Otherwise("refuse", name=Text("规定", "The rule")))]}},
        "＋ step asked › transition answer › otherwise refuse: The rule",
        True,
    ),
    ({}, {"fields": [Field("note"), Field("kind", type="number", minimum=2)]}, "＋ field kind › minimum: 2", True),
    ({}, {"calendar": "cn_office"}, "≠ calendar: always → cn_office", False),
    ({}, {"id": "beg"}, "≠ id: ask → beg", True),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said", "breaking"), CASES, ids=[case[2][:60] for case in CASES])
def test_a_change_is_told_with_its_mark_and_whether_it_breaks(old, new, said, breaking):
    """＋ added, － removed, ≠ changed; what running instances may stumble over is marked below it."""
    found = lines(asked(**old), asked(**new))
    said = said.replace("Asked → Asked", '{"zh": "提问", "en": "Asked"} → {"zh": "问", "en": "Asked"}')
    assert said in found, "\n".join(found)
    after = [*found, ""][found.index(said) + 1]
    assert after.startswith("  ! ") == breaking


def test_the_order_of_steps_and_rows_is_part_of_it():
    """The first step is where an instance starts, and the first row that holds is taken."""
    one, other = Step("one", to=[Transition("x", "other")]), Step("other", to=[Transition("y", "answered")])
    assert "≠ steps (order): asked, one, other, answered → asked, other, one, answered" in lines(
        asked(one, other), asked(other, one)
    )
    rows = (Row("1h", 'kind == "a"'), Row("2h", 'kind == "b"'), Row("3h"))
    limits = [TimeLimit(id="w", match=order) for order in (rows, (rows[1], rows[0], rows[2]))]
    old, new = (asked(limits=[one]) for one in limits)
    assert lines(old, new) == [
        '≠ limit w › match (order): kind == "a", kind == "b", — → kind == "b", kind == "a", —'
    ]


def test_true_is_not_one():
    """A default that changes from 1 to true is a change."""
    old, new = (asked(fields=[Field("note", default=value), Field("kind")]) for value in ("1", "true"))
    assert lines(old, new) == ["≠ field note › default: 1 → true"]
    made = altered(old, ("fields", "note", "default"))
    one, true = copy.copy(made.fields["note"]), copy.copy(made.fields["note"])
    object.__setattr__(one, "default", 1)
    object.__setattr__(true, "default", True)  # the attribute's value
    a, b = copy.copy(made), copy.copy(made)
    object.__setattr__(a, "fields", {**made.fields, "note": one})
    object.__setattr__(b, "fields", {**made.fields, "note": true})
    assert svcflow.diff(a, b).changes


def test_a_renamed_step_is_proposed_for_the_mapping():
    """Alike by name, ways on, role and id; a step that is like none has no counterpart."""

    def with_step(step: Step) -> Procedure:
        return asked(step, step={"to": [Transition("answer", step.id, requires=("note",))]})

    given = {"name": Text("已核", "Checked"), "to": [Transition("ok", "answered")]}
    old, new = (
        with_step(Step("checked", within="48wh", **given)),
        with_step(Step("verified", within="24wh", role="chief", **given)),
    )
    found = svcflow.diff(old, new)
    assert found.mapping == {"checked": "verified"}
    assert "  checked → verified (probably renamed)" in found.text().splitlines()
    told = found.text("zh").splitlines()
    assert told[told.index("  checked → verified (疑似改名)") + 1 :] == [
        "    ＋ 环节 verified › role：chief",
        "      ! 办理的岗位变了",
        "    ≠ 环节 verified › 时限 verified › within：48wh → 24wh",
    ]
    as_data = next(one for one in found.to_json()["steps"] if one["to"] == "verified")
    assert [one["attribute"] for one in as_data["changes"]] == ["role", "within"]
    odd = with_step(Step("zzz", role="chief", to=[Transition("q", "asked"), Transition("r", "answered")]))
    gone = svcflow.diff(old, odd)
    assert gone.mapping == {}
    assert "  checked → ? (no counterpart; or zzz)" in gone.text().splitlines()
    assert [one.section for one in gone.breaking] == ["step"]


def test_steps_of_branches_are_matched_inside_what_became_of_their_step():
    """A parallel step that was renamed takes the steps of its branches along; a branch that is gone leaves them without."""

    def forked(name: str, inner: str, branch: str = "a") -> Procedure:
        end = Step("a_end", end="x")
        step = Step(
            name,
            name=Text("并行", "Both"),
            parallel=[Branch(branch, (Step(inner, name=Text("甲"), to=[Transition("go", "a_end")]), end))],
            to=[Transition("done", "answered")],
        )
        return asked(step, step={"to": [Transition("answer", name, requires=("note",))]})

    found = svcflow.diff(forked("both", "a1"), forked("all", "a9"))
    assert found.mapping == {"both": "all", "a1": "a9"}
    gone = svcflow.diff(forked("both", "a1"), forked("both", "a1", "b"))
    assert [one.step for one in gone.steps if one.match == "gone"] == ["a1", "a_end"]
    assert sorted(one.section for one in gone.breaking) == ["branch", "branch"]


def test_the_difference_as_data_has_keys_that_stay():
    """Old, new, equal, changes with both languages, and steps."""
    found = svcflow.diff(asked(), asked(step={"role": "chief"})).to_json()
    assert set(found) == {"old", "new", "equal", "changes", "steps"}
    assert found["changes"] == [
        {
            "kind": "changed",
            "section": "step",
            "name": "asked",
            "attribute": "role",
            "path": ["steps", "asked", "role"],
            "before": "desk",
            "after": "chief",
            "breaking": True,
            "why": {"zh": "办理的岗位变了", "en": "another role has to act"},
        }
    ]
    assert found["steps"][0] == {
        "step": "asked",
        "match": "same",
        "to": "asked",
        "candidates": [],
        "changes": [],
    }
