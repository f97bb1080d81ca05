"""From plain data to a procedure: short forms, every mistake at once, the same as from Python."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import svcflow
from svcflow.errors import DeclarationError
from svcflow.model.field import Field
from svcflow.model.limit import Row, Rung, TimeLimit
from svcflow.model.procedure import HoldRule, Indicator, Procedure, Role
from svcflow.model.step import Branch, Enforce, Step, Transition
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.parse import structure_procedure
from svcflow.text import Text


def load(written: str) -> Procedure:
    return parse_document(written, file="p.yaml").build(structure_procedure)


def mistakes(written: str) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        load(written)
    for problem in caught.value.problems:
        assert problem.text("zh") != problem.text("en")
    return [problem.text() for problem in caught.value.problems]


WRITTEN = """\
procedure: visit
version: 2
name: {zh: 走访, en: Visit}
area: staff
owner: 离退休科
purpose: See to it
effective: 2026-01-01
recipients: [retirees]
calendar: cn_office
sources: {D1: a rule}
fields:
  kind: {type: choice, choices: [home, hospital], default: home}
  note:
roles:
  liaison: {zh: 联络员, en: Liaison}
  head: Head
enforce: {order: record}
holds:
  recipient: {at_most: 3wd, evidence: [notice]}
  statutory:
steps:
  planned:
    name: 计划
    role: liaison
    evidence: [plan]
    within: {wd: 2, source: D1, warn: [75%], escalate: [{at: +1wd, role: head}]}
    on_overdue: go
    to:
      go: visiting
      cancel: {step: cancelled, kind: exception, requires: [note], at_most: 1, enforce: {role: record}}
      pick: [{step: visiting, when: kind == "home"}, waiting]
  waiting: {waits: recipient, at_most: 5wd, to: {go: visiting}}
  visiting:
    not_by: planned
    within: 1.5h
    parallel:
      talk:
        name: Talk
        steps: {talking: {to: {talked: talk_over}}, talk_over: {end: done}}
      care: {steps: {caring: {within: {h: 2.5}, to: {cared: care_over}}, care_over: {end: done}}}
    to: {done: visited}
  visited: {end: completed}
  cancelled: {end: cancelled}
limits:
  - id: seen
    from: planned
    to: visited
    calendar: always
    match: [{when: kind == "home", within: 2d, source: D1}, {no_target: true}]
    severity: major
    on_change: from_now
  - {id: whole, wh: 40, recipient_facing: true, stoppable: false, warn: [{at: 50%, action: note}]}
indicators:
  coverage: {name: {zh: 覆盖率, en: Coverage}, of: seen, target: ">= 95%", source: proposal}
"""


def built() -> Procedure:
    talk = Branch(
        "talk", [Step("talking", to=[Transition("talked", "talk_over")]), Step("talk_over", end="done")]
    )
    care = Branch(
        "care",
        [Step("caring", within="2.5h", to=[Transition("cared", "care_over")]), Step("care_over", end="done")],
    )
    return Procedure(
        id="visit",
        version=2,
        name=Text("走访", "Visit"),
        area="staff",
        owner=Text(zh="离退休科"),
        purpose=Text(en="See to it"),
        effective=date(2026, 1, 1),
        recipients=["retirees"],
        calendar="cn_office",
        sources={"D1": "a rule"},
        fields=[Field("kind", type="choice", choices=["home", "hospital"], default="home"), Field("note")],
        roles={
            "liaison": Role("liaison", name=Text("联络员", "Liaison")),
            "head": Role("head", name=Text(en="Head")),
        },
        enforce=Enforce(order="record"),
        holds=[HoldRule("recipient", at_most="3wd", evidence=["notice"]), HoldRule("statutory")],
        steps=[
            Step(
                "planned",
                name=Text(zh="计划"),
                role="liaison",
                evidence=["plan"],
                within=TimeLimit(within="2wd", source="D1", warn=["75%"], escalate=[Rung("+1wd", "head")]),
                on_overdue="go",
                to=[
                    Transition("go", "visiting"),
                    Transition(
                        "cancel",
                        "cancelled",
                        kind="exception",
                        requires=["note"],
                        at_most=1,
                        enforce={"role": "record"},
                    ),
                    Transition("pick", "visiting", when='kind == "home"'),
                    Transition("pick", "waiting"),
                ],
            ),
            Step("waiting", waits="recipient", at_most="5wd", to=[Transition("go", "visiting")]),
            Step(
                "visiting",
                not_by="planned",
                within="1.5h",
                parallel=[Branch("talk", talk.steps, name=Text(en="Talk")), care],
                to=[Transition("done", "visited")],
            ),
            Step("visited", end="completed"),
            Step("cancelled", end="cancelled"),
        ],
        limits=[
            TimeLimit(
                id="seen",
                from_="planned",
                to="visited",
                calendar="always",
                match=[Row("2d", 'kind == "home"', "D1"), Row(no_target=True)],
                severity="major",
                on_change="from_now",
            ),
            TimeLimit(
                id="whole",
                within="40wh",
                recipient_facing=True,
                stoppable=False,
                warn=[Rung("50%", action="note")],
            ),
        ],
        indicators=[
            Indicator(
                "coverage", name=Text("覆盖率", "Coverage"), of="seen", target=">= 95%", source="proposal"
            )
        ],
    )


def test_yaml_and_python_give_equal_procedures():
    """Every short form stands for the same value a caller builds in Python."""
    assert load(WRITTEN) == built()


@pytest.mark.parametrize(
    "more",
    [
        {"steps": {"asked": {"end": "completed"}}},
        {"steps": [Step("asked", end="done")], "roles": {"clerk": "Clerk"}},
    ],
    ids=["steps", "roles"],
)
def test_what_a_document_would_say_is_no_object(more):
    """Mappings as in YAML, given in Python, are told as a mistake of the declaration with what to do instead."""
    with pytest.raises(DeclarationError, match=r"takes objects .*; read a file with svcflow.load"):
        Procedure(id="ask", **more)


def test_a_procedure_is_told_by_its_id_and_version():
    """It can stand in sets and messages."""
    assert str(built()) == "visit v2"
    assert len({built(), load(WRITTEN)}) == 1


def test_a_procedure_knows_all_its_steps_limits_and_triggers():
    """Branches are counted in; a step's limit has the step's id, a wait's has `.wait` behind it."""
    procedure = built()
    assert list(procedure.all_steps) == [
        "planned", "waiting", "visiting", "talking", "talk_over", "caring", "care_over", "visited", "cancelled"
    ]  # fmt: skip
    assert list(procedure.time_limits) == ["planned", "waiting.wait", "visiting", "caring", "seen", "whole"]
    assert procedure.triggers == {"go", "cancel", "pick", "talked", "cared", "done"}
    assert procedure.time_limits["planned"].on_overdue == "go"
    assert [limit.scope for limit in procedure.time_limits.values()] == ["step"] * 4 + ["span", "procedure"]


MISTAKEN = """\
procedure: visit
verson: 2
area: stuff
effective: 1 May
recipients: retirees
roles: {liaison: 5}
steps:
  planned:
    rol: liaison
    within: 1 day
    evidence: photo
    to: {go: {stop: visited}, ask: {step: visted}}
  visited:
    end: completed
    within: {wd: 2, by: "17:00"}
limits:
  - {id: x, from: planned, to: nowhere, within: 3h, warn: [soon]}
"""


def test_every_mistake_of_a_document_is_reported_at_once_with_its_place():
    """One reading shows all of them, in the order of the document, each with what to write instead."""
    assert mistakes(MISTAKEN) == [
        "p.yaml:2:9 verson: there is no key 'verson' here; did you mean version?",
        "p.yaml:3:7 area: 'stuff' is not allowed; did you mean staff?",
        "p.yaml:4:12 effective: takes a date such as 2026-01-01, not '1 May'",
        "p.yaml:5:13 recipients: takes a list such as [a, b], not 'retirees'; write [retirees]",
        "p.yaml:6:18 roles.liaison: takes text, or {zh: …, en: …}, not 5",
        "p.yaml:9:10 steps.planned.rol: there is no key 'rol' here; did you mean role?",
        (
            "p.yaml:10:13 steps.planned.within: '1 day' is ambiguous or no amount of time; "
            "write 1wd (working day), 1cd (calendar day), 24h or 8wh"
        ),
        "p.yaml:11:15 steps.planned.evidence: takes a list such as [a, b], not 'photo'; write [photo]",
        "p.yaml:12:10 steps.planned.to.go: the key 'step' is missing",
        "p.yaml:12:21 steps.planned.to.go.stop: there is no key 'stop' here; did you mean step?",
        "p.yaml:12:43 steps.planned.to.ask.step: there is no step 'visted'; did you mean visited?",
        (
            "p.yaml:13:3 steps.visited: a step with 'end' has no way on, limit, wait or evidence; "
            "drop 'end' or the rest"
        ),
        (
            "p.yaml:15:5 steps.visited.within: give one of within, by, before, after, at_least, every, or match; "
            "for example within: 2wd"
        ),
        "p.yaml:17:32 limits[0].to: there is no step 'nowhere'; there are: planned, visited, end",
        "p.yaml:17:60 limits[0].warn[0]: 'soon' is no point of a ladder; write 75%, +30m or -10m",
    ]


BASE = "procedure: p\nfields: {fee: {type: number}}\nsteps:\n  a: {to: {go: b}}\n  b: {end: done}\n"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("id: q\n", "no key 'id' here; the id is the value of procedure"),
        ("version: '1'\n", "takes a whole number, not '1'"),
        ("version: 1.0\n", "takes a whole number, not 1.0"),
        ("name: 5\n", "takes text, or"),
        ("name: {zh: 5}\n", "takes text under zh and en"),
        ("name: {zh: a, cn: b}\n", "name.cn: there is no key 'cn' here; there are: zh, en"),
        ("effective: 20260101\n", "takes a date"),
        ("effective: 2026-W01-1\n", "takes a date"),
        ("effective: 2026-02-30\n", "takes a date"),
        ("recipients: {staff: true}\n", "takes a list"),
        ("recipients: [staf]\n", "recipients[0]: 'staf' is not allowed; did you mean staff?"),
        ("recipients: [zzz]\n", "write one of leaders, staff, retirees, logistics"),
        ("sources: text\n", "takes a mapping"),
        ("sources: {D1: 7}\n", "sources.D1: takes text, not 7"),
        ("sources: {D1: {zh: a, en: b}}\n", "write one wording here, without zh and en"),
        ("roles: [a]\n", "takes a mapping"),
        ("roles: {a: }\n", "takes text, or"),
        ("enforce: refuse\n", "takes a mapping"),
        ("enforce: {rol: refuse}\n", "did you mean role?"),
        ("enforce: {role: ignore}\n", "write one of refuse, record"),
        ("holds: {illness: {}}\n", "write one of recipient, third_party, statutory"),
        ("holds: {recipient: {reason: x}}\n", "no key 'reason'"),
        ("limits: 3h\n", "takes a list"),
        ("limits: {x: 3h}\n", "takes a list"),
        ("limits: [{id: x, h: 1, m: 2}]\n", "no key 'h' here"),
        ("limits: [{id: x, h: [1]}]\n", "no amount of time"),
        ("limits: [{id: x, within: 3h, warn: 75%}]\n", "takes a list"),
        ("limits: [{id: x, within: 3h, warn: [{role: a}]}]\n", "the key 'at' is missing"),
        ("limits: [{id: x, within: 3h, warn: [+soon]}]\n", "no amount of time"),
        ("limits: [{id: x, match: [3h]}]\n", "takes a mapping"),
        ("limits: [{id: x, match: [{when: [1], within: 3h}, {within: 4h}]}]\n", "takes a single value"),
        ("limits: [{id: x, match: [{when: fee >, within: 3h}, {within: 4h}]}]\n", "is no expression"),
        ("limits: [{id: x, match: [{when: fea > 1, within: 3h}, {within: 4h}]}]\n", "did you mean fee"),
        ("limits: [{id: x, within: 3h, stoppable: 1}]\n", "takes true or false"),
        ("indicators: {x: {target: 95}}\n", "takes text, not 95"),
        ("indicators: {x: {id: y}}\n", "no key 'id'"),
    ],
)
def test_a_value_of_the_wrong_shape_is_told_with_what_it_takes(written, said):
    """A lone text is no list of its letters, a list no expression, a number no text."""
    assert any(said in mistake for mistake in mistakes(BASE + written))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("go", "takes a mapping"),
        ("{to: b}", "moves and where they lead"),
        ("{to: {go: 5}}", "takes a mapping"),
        ("{to: {go: []}}", "takes the next step"),
        ("{to: {go: [b, {step: b, wen: fee > 1}]}}", "steps.a.to.go[1].wen: there is no key"),
        ("{to: {go: {trigger: x, step: b}}}", "no key 'trigger'"),
        ("{to: {go: {step: b, at_most: -1}}}", "at_most"),
        ("{to: {go: {step: b, at_most: 1.5}}}", "takes a whole number"),
        ("{to: {go: b}, waits: rain}", "write one of recipient, third_party, statutory"),
        ("{to: {go: b}, fee: 1}", "no key 'fee'"),
        ("{to: {go: b}, parallel: {x: {}}}", "the key 'steps' is missing"),
        ("{id: a, to: {go: b}}", "no key 'id'"),
    ],
)
def test_a_step_of_the_wrong_shape_is_told(step, said):
    """Steps and transitions are held to their keys."""
    written = BASE.replace("{to: {go: b}}", step)
    assert any(said in mistake for mistake in mistakes(written))


@pytest.mark.parametrize("value", ["abc", "true", "[1]"])
def test_a_bound_of_a_field_is_a_number(value):
    """`minimum: true` and `minimum: abc` bound nothing."""
    written = BASE.replace("type: number", f"type: number, minimum: {value}")
    assert any("takes a number" in mistake for mistake in mistakes(written))


def test_a_default_is_one_value():
    """A list or mapping is no value a field can hold."""
    assert any("a single value" in m for m in mistakes(BASE.replace("type: number", "default: [1]")))


def test_missing_keys_are_all_named():
    """A procedure needs its id and steps."""
    with pytest.raises(DeclarationError) as caught:
        structure_procedure({})
    assert [problem.text() for problem in caught.value.problems] == [
        "the key 'procedure' is missing",
        "the key 'steps' is missing",
    ]


def test_a_mistake_of_shape_does_not_hide_a_name_that_refers_to_nothing():
    """The rest of the document is checked as if the mistaken parts were not there."""
    told = mistakes("procedure: p\nversion: x\nsteps:\n  a: {role: nobody, to: {go: c}}\n  b: {end: done}\n")
    assert len(told) == 3
    assert "there is no role 'nobody'" in told[1]
    assert "there is no step 'c'" in told[2]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("sources: {D1: {zh: a, en: b}}", "sources.D1"),
        ("roles: {clerk: [a]}\nsources: {D1: a}", "roles.clerk"),
    ],
)
def test_what_is_listed_in_the_wrong_shape_is_listed(written, place):
    """Who cites the source, or has the role, makes no mistake."""
    role = "clerk" if "roles" in written else ""
    steps = f"steps:\n  a: {{role: {role}, within: {{h: 1, source: D1}}, to: {{go: z}}}}\n  z: {{end: completed}}\n"
    told = mistakes(f"procedure: p\n{written}\n{steps}")
    assert len(told) == 1
    assert place in told[0]


def test_a_document_mistaken_throughout_still_ends():
    """When too little is left to check, what was found is all that is told."""
    assert mistakes("procedure: 5\nsteps: 5\n")


def test_the_lazy_names_of_the_package_are_the_model_s():
    """`svcflow.Procedure` is the class, and what is not there is an attribute error."""
    assert svcflow.Procedure is Procedure
    with pytest.raises(AttributeError, match="nothing"):
        _ = svcflow.nothing


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(
    ["a", "b", "3h", "1wd", "75%", "recipient", "go", "fee > 1", "done", "proposal"]
)  # fmt: skip
KEYS = [
    "name", "steps", "to", "within", "limits", "match", "when", "step", "fields", "roles", "holds", "recipient",
    "end", "parallel", "a", "b", "id", "from", "warn", "at", "enforce", "wd", "h", "type", "choices", "sources",
]  # fmt: skip
nodes = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@given(nodes, st.dictionaries(st.sampled_from(KEYS), nodes, max_size=4))
@settings(max_examples=300, deadline=2000)
def test_any_data_is_a_procedure_or_a_declaration_error(steps, more):
    """No shape of data gets out as another error."""
    try:
        made = structure_procedure({"procedure": "p", **more, "steps": steps})
    except DeclarationError:
        return
    assert isinstance(made, Procedure)
