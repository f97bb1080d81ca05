"""Exits that several steps share: they are written out, their mistakes are told once and where they are written."""

from __future__ import annotations

import time

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_strategies import procedures

from svcflow.errors import DeclarationError
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import digest, dump, form
from svcflow.model.yaml.parse import structure_procedure

SHARED = """
procedure: p
exits:
  decision: {agree: c, refuse: {step: refused, requires: [reason]}}
steps:
  a: {to: {like: decision, pass_on: b}}
  b: {to: {like: a, agree: {step: a, kind: rework}}}
  c: {to: {finish: end}}
  refused: {end: rejected}
  end: {end: completed}
"""
WRITTEN_OUT = """
procedure: p
steps:
  a: {to: {agree: c, refuse: {step: refused, requires: [reason]}, pass_on: b}}
  b: {to: {agree: {step: a, kind: rework}, refuse: {step: refused, requires: [reason]}, pass_on: b}}
  c: {to: {finish: end}}
  refused: {end: rejected}
  end: {end: completed}
"""


def loaded(text: str) -> Procedure:
    return parse_document(text, file="p.yaml").build(structure_procedure)


def told(text: str) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        loaded(text)
    assert all(problem.message.zh and problem.line for problem in caught.value.problems)
    return [problem.text("en").partition(" ")[2] for problem in caught.value.problems]


def test_shared_exits_are_read_as_if_they_stood_at_every_step():
    """One procedure and one digest, whichever way it is written; a step's own exit stands in the stead of a shared one."""
    shared, plain = loaded(SHARED), loaded(WRITTEN_OUT)
    assert shared == plain
    assert digest(shared) == digest(plain)
    assert loaded(dump(shared)) == shared
    assert shared.all_steps["b"].to[0] == Transition("agree", "a", kind="rework")


@given(procedures(), st.data())
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_any_procedure_may_share_the_exits_of_its_steps(procedure, data):
    """A set, or another step with the same exits, stands for what is written out."""
    written = orjson.loads(orjson.dumps(form(procedure)))
    leaving = [step.id for step in procedure.steps if step.to]
    step = data.draw(st.sampled_from(leaving or [None]))
    if step is None or step == "shared" or "shared" in procedure.all_steps:
        return
    exits = written["steps"][step]["to"]
    own = data.draw(st.lists(st.sampled_from(sorted(exits)), unique=True))
    written["exits"] = {"shared": dict(exits)}
    written["steps"][step]["to"] = {"like": "shared", **{trigger: exits[trigger] for trigger in own}}
    again = structure_procedure(written)
    assert again == procedure
    assert digest(again) == digest(procedure)


STEPS = "procedure: p\n%s\nsteps:\n  a: {to: %s}\n  b: {to: {on: end}}\n  end: {end: completed}\n"


@pytest.mark.parametrize(
    ("exits", "to", "said"),
    [
        ("", "{like: bb}", ["steps.a.to.like: there is no set of exits or step 'bb'; did you mean b?"]),
        ("", "{like: 3}", ["steps.a.to.like: there is no set of exits or step 3; there are: a, b, end"]),
        ("", "{like: a}", ["steps.a.to.like: these take each other's exits: a → a; write one of them out"]),
        ("", "{like: end}", ["steps.a.to.like: the step 'end' has no exits; name another step, or write the exits out"]),
        (
            "exits: {x: {like: y}, y: {like: x}}",
            "{like: x}",
            ["exits.y.like: these take each other's exits: x → y → x; write one of them out"],
        ),
        ("exits: {x: {go: b}}", "{go: b}", ["exits.x: no step takes these exits; write to: {like: x}, or drop it"]),
        ("exits: {b: {go: b}}", "{like: b}", ["exits.b: 'b' is the id of a step too; choose another name"]),
        ("exits: {x: b}", "{go: b}", ["exits.x: takes moves and where they lead; such as {go: end}"]),
        ("exits: [x]", "{go: b}", ["exits: takes sets of exits by their names"]),
        ("exits:", "{go: b}", ["exits: takes sets of exits by their names"]),
        ("exits: {x: {go: c}}", "{like: x}", ["exits.x.go: there is no step 'c'; there are: a, b, end"]),
        ("exits: {x: {go: {stp: b}}}", "{like: x}", ["exits.x.go.stp: there is no key 'stp' here; did you mean step?", "exits.x.go: the key 'step' is missing"]),
        ("exit: {x: {go: b}}", "{go: b}", ["exit: there is no key 'exit' here; did you mean exits?"]),
    ],
)  # fmt: skip
def test_a_mistake_of_sharing_is_told_at_its_place(exits, to, said):
    """With what was probably meant, in both languages."""
    assert sorted(told(STEPS % (exits, to))) == sorted(said)


def test_a_mistake_in_shared_exits_is_told_once_where_it_is_written():
    """Every step that takes them makes it, and it is one mistake; so for those of another step."""
    text = SHARED.replace("step: refused,", "step: refusde,")
    assert told(text) == ["exits.decision.refuse.step: there is no step 'refusde'; did you mean refused?"]
    text = STEPS.replace("{on: end}", "{on: ende}") % ("", "{like: b}")
    assert told(text) == ["steps.b.to.on: there is no step 'ende'; did you mean end?"]


def test_what_only_one_step_does_wrong_with_shared_exits_is_told_at_its_like():
    """Exits that lead out of the branch of one step are right for the others."""
    text = """
procedure: p
exits:
  out: {skip: end}
steps:
  a: {to: {like: out, go: both}}
  both: {to: {done: end}, parallel: {left: {steps: {b: {to: {like: out, ok: c}}, c: {end: done}}}}}
  end: {end: completed}
"""
    assert told(text) == [
        (
            "steps.both.parallel.left.steps.b.to.like: skip: 'end' lies outside this branch; a move cannot cross it; "
            "end the branch; 'done' joins them"
        )
    ]


def test_no_trigger_is_called_like():
    """Its document would be read as sharing exits."""
    with pytest.raises(DeclarationError, match="'like' is reserved"):
        Procedure(id="p", steps=[Step("a", to=[Transition("like", "end")]), Step("end", end="done")])


@pytest.mark.long
def test_exits_that_are_taken_by_many_are_bounded():
    """Neither a long row of sets nor large sets in many steps take long, and both are told."""
    chain = ", ".join(f"x{n}: {{like: x{n + 1}}}" for n in range(5000))
    began = time.perf_counter()
    assert any(
        "by way of more than" in line
        for line in told(STEPS % (f"exits: {{{chain}, x5000: {{go: b}}}}", "{like: x0}"))
    )
    moves = ", ".join(f"t{n}: end" for n in range(5000))
    takers = "\n".join(f"  s{n}: {{to: {{like: x}}}}" for n in range(1500))
    text = f"procedure: p\nexits:\n  x: {{{moves}}}\nsteps:\n{takers}\n  end: {{end: completed}}\n"
    assert any("come to more than 50000 transitions" in line for line in told(text))
    assert time.perf_counter() - began < 20
