"""A step may run another procedure: how that is written, and what is refused when both are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

import svcflow
from svcflow.errors import DeclarationError
from svcflow.model.catalog import Catalog, load
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.step import Branch, Step, Transition
from svcflow.model.subprocedure import SubProcedure
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import digest, dump
from svcflow.model.yaml.parse import structure_procedure

PARENT = """\
procedure: reception
fields: {arrives_at: {type: instant, required: true}, guests: {type: number}, name: {personal: true}, k: {type: choice, choices: [a, b]}}
steps:
  driving:
    runs: {%s}
    to: {go_on: received, stop: off}
  received: {end: completed}
  off: {end: cancelled}
"""
CHILD = """\
procedure: vehicle
fields: {pickup_at: {type: instant, required: true}, seats: {type: number}, rider: {}, k: {type: choice, choices: [a]}}
steps:
  asked: {to: {drive: driven}}
  driven: {end: completed}
"""
CAR = "procedure: vehicle, data: {pickup_at: arrives_at}, outcomes: {completed: go_on, cancelled: stop}"


def built(text: str) -> Procedure:
    return parse_document(text).build(structure_procedure)


def said(folder: Path, **files: str) -> list[str]:
    """Return what is said of a folder of documents, and be sure that Chinese says as much."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        Catalog.from_folder(folder)
    for problem in caught.value.problems:
        assert problem.message.zh
        assert bool(problem.remedy.zh) == bool(problem.remedy.en)
        assert problem.line
    return [problem.text("en").removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_what_a_step_runs_is_read_and_written():
    """All four keys, in a step of a branch too; `cancel` is not written."""
    runs = SubProcedure(
        "vehicle", data={"pickup_at": "arrives_at"}, outcomes={"completed": "go_on"}, on_call_off="refuse"
    )
    parent = built(
        PARENT
        % "procedure: vehicle, data: {pickup_at: arrives_at}, outcomes: {completed: go_on}, on_call_off: refuse"
    )
    assert parent.all_steps["driving"].runs == runs
    assert "on_call_off: refuse" in dump(parent)
    assert built(dump(parent)) == parent
    assert "on_call_off" not in dump(built(PARENT % CAR))
    inside = Step(
        "all",
        parallel=[
            Branch(
                "car", [Step("driving", runs=runs, to=[Transition("go_on", "in")]), Step("in", end="done")]
            )
        ],
        to=[Transition("done", "end")],
    )
    branched = Procedure(
        id="p", fields=[Field("arrives_at", type="instant")], steps=[inside, Step("end", end="completed")]
    )
    assert built(dump(branched)) == branched


def test_what_a_procedure_runs_is_part_of_its_digest():
    """A step that runs another procedure is another declaration."""
    assert len({digest(built(PARENT % CAR)), digest(built(PARENT % CAR.replace("stop", "go_on")))}) == 2


@pytest.mark.parametrize(
    ("runs", "problem"),
    [
        ("procedure: reception", "5:23 steps.driving.runs.procedure: a procedure cannot run itself; name another procedure"),
        ("procedure: V", "5:23 steps.driving.runs.procedure: 'V' is no identifier"),
        ("data: {}", "5:5 steps.driving.runs: the key 'procedure' is missing"),
        ("procedure: v, data: {x: arives_at}", "steps.driving.runs.data.x: there is no field 'arives_at'; did you mean arrives_at?"),
        ("procedure: v, outcomes: {completed: goon}", "steps.driving.runs.outcomes.completed: there is no trigger 'goon'; did you mean go_on?"),
        ("procedure: v, on_call_off: stop", "steps.driving.runs.on_call_off: "),
        ("procedure: v, outcome: {}", "steps.driving.runs.outcome: there is no key 'outcome' here; did you mean outcomes?"),
    ],
)  # fmt: skip
def test_a_mistake_inside_one_document_is_told_where_it_stands(runs, problem):
    """Without the other document: fields, triggers and keys that are not there."""
    with pytest.raises(DeclarationError) as caught:
        built(PARENT % runs)
    told = [one.text("en") for one in caught.value.problems]
    assert any(problem in text for text in told), told


def test_an_end_and_a_parallel_step_run_nothing():
    """They are left at once, or by their branches."""
    runs = SubProcedure("vehicle")
    branch = Branch("b", [Step("b1", to=[Transition("go", "b2")]), Step("b2", end="done")])
    for step in (
        Step("a", runs=runs, end="completed"),
        Step("a", runs=runs, parallel=[branch], to=[Transition("done", "z")]),
    ):
        with pytest.raises(DeclarationError, match="runs no procedure"):
            Procedure(id="p", steps=[step, Step("z", end="completed")])


def test_a_step_that_moves_on_by_itself_keeps_no_child():
    """When its instant comes nobody is there to be told that it may not be left; a child that is called off is."""
    text = (PARENT % f"{CAR}, on_call_off: refuse").replace(
        "    runs", "    then: {after: 2h, fire: stop}\n    runs"
    )
    with pytest.raises(
        DeclarationError, match=r"steps.driving.then: .* what driving runs may not be called off"
    ):
        built(text)
    assert built(text.replace("refuse", "cancel")).all_steps["driving"].then is not None


@pytest.mark.parametrize(
    ("runs", "problem"),
    [
        ("procedure: vehicel", "5:23 steps.driving.runs.procedure: the catalog has no procedure 'vehicel'; did you mean vehicle?"),
        ("procedure: vehicle", "5:5 steps.driving.runs: procedure vehicle requires the field pickup_at, and nothing gives it; write data: {pickup_at: field_of_this_procedure}"),
        ("procedure: vehicle, data: {pickup_at: guests}", "steps.driving.runs.data.pickup_at: guests is of type number; pickup_at of vehicle is of type instant; take a field of the same type"),
        (f"{CAR}, data: {{pickup_at: arrives_at, seat: guests}}".replace("data: {pickup_at: arrives_at}, outcomes", "outcomes"), "steps.driving.runs.data.seat: procedure vehicle has no field 'seat'; did you mean seats?"),
        ("procedure: vehicle, data: {pickup_at: arrives_at, rider: name}", "steps.driving.runs.data.rider: name is personal data and rider of vehicle is not"),
        ("procedure: vehicle, data: {pickup_at: arrives_at, k: k}", "steps.driving.runs.data.k: k of vehicle has no choice b; give both the same choices"),
        ("procedure: vehicle, data: {pickup_at: arrives_at}, outcomes: {compleated: go_on}", "steps.driving.runs.outcomes.compleated: no end of procedure vehicle has the outcome 'compleated'; did you mean completed?"),
    ],
)  # fmt: skip
def test_a_mistake_between_two_documents_is_told_where_it_stands(tmp_path, runs, problem):
    """The folder is read as a whole, and the mistake stands in the document that runs the other."""
    told = said(tmp_path, parent=PARENT % runs, child=CHILD)
    assert any(text.startswith("parent.yaml:") and problem in text for text in told), told


def test_procedures_that_run_each_other_are_refused(tmp_path):
    """Each is told the whole circle."""
    one = (
        "procedure: {0}\nsteps:\n  a: {{runs: {{procedure: {1}}}, to: {{go: e}}}}\n  e: {{end: completed}}\n"
    )
    told = said(tmp_path, p=one.format("p", "q"), q=one.format("q", "r"), r=one.format("r", "p"))
    assert [text.split(": ", 2)[2] for text in told if text.startswith("p.yaml:3:")] == [
        "p → q → r → p; drop one of these 'runs'"
    ]
    assert len(told) == 3


def test_a_step_of_a_parent_that_no_parent_has_is_refused(tmp_path):
    """`not_by: parent.x` names a step of a procedure that runs this one."""
    child = CHILD.replace("asked: {", "asked: {not_by: parent.plan, ")
    (text,) = said(tmp_path, parent=PARENT % CAR, child=child)
    assert text.startswith(
        "child.yaml:4:19 steps.asked.not_by: reception, which runs this procedure, has no step 'plan'"
    )
    (tmp_path / "child.yaml").write_text(child.replace("parent.plan", "parent.driving"), encoding="utf-8")
    assert len(Catalog.from_folder(tmp_path)) == 2
    assert load(tmp_path / "child.yaml").all_steps["asked"].not_by == ("parent.driving",)


def test_a_catalog_made_in_python_is_held_against_the_same_rules():
    """And so is that of an engine with one procedure only."""
    parent, child = built(PARENT % CAR), built(CHILD)
    assert len(Catalog.of(parent, child)) == 2
    with pytest.raises(DeclarationError, match="has no procedure 'vehicle'"):
        Catalog.of(parent)
    with pytest.raises(DeclarationError, match="has no procedure 'vehicle'"):
        svcflow.Engine("memory://", parent)


def test_a_change_of_what_a_step_runs_is_a_difference_that_breaks():
    """It came, it went, it is another one, or it may not be called off any more."""
    plain, car = built((PARENT % CAR).replace(f"    runs: {{{CAR}}}\n", "")), built(PARENT % CAR)
    for old, new in ((plain, car), (car, plain), (car, built(PARENT % CAR.replace("vehicle", "bus")))):
        assert svcflow.diff(old, new).breaking
    refusing = svcflow.diff(car, built(PARENT % f"{CAR}, on_call_off: refuse"))
    assert [(one.section, one.attribute) for one in refusing.breaking] == [("subprocedure", "on_call_off")]
    assert not svcflow.diff(car, built(PARENT % CAR.replace(", cancelled: stop", ""))).breaking
