"""What looks unwise between a procedure and those that its steps run."""

from __future__ import annotations

import attrs

from svcflow.checks import Finding, check
from svcflow.model.catalog import Catalog
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.model.subprocedure import SubProcedure

CODES = ("given-maybe-empty", "outcome-unheard", "deemed-move-owes")
CHILD = Procedure(
    id="child",
    fields=[Field("at", required=True), Field("note")],
    steps=[
        Step("a", to=[Transition("do", "b"), Transition("no", "c")]),
        Step("b", end="completed"),
        Step("c", end="rejected"),
    ],
)


def parent(field: Field, runs: SubProcedure, requires: tuple[str, ...] = ()) -> Procedure:
    return Procedure(
        id="parent",
        fields=[field],
        steps=[
            Step("first", to=[Transition("go", "second", requires=requires)]),
            Step("second", runs=runs, to=[Transition("on", "end"), Transition("back", "first")]),
            Step("end", end="completed"),
        ],
    )


def found(procedure: Procedure) -> dict[str, Finding]:
    findings = check(procedure, procedures=Catalog.of(procedure, CHILD))
    return {one.code: one for one in findings if one.code in CODES}


def test_an_outcome_that_fires_nothing_is_noted() -> None:
    """The end of the child would leave its parent where it is; one that was called off has left it already."""
    runs = SubProcedure("child", data={"at": "at"}, outcomes={"completed": "on"})
    finding = found(parent(Field("at", required=True), runs))["outcome-unheard"]
    assert finding.path == ("steps", "second", "runs", "outcomes")
    assert "rejected" in finding.message.en
    heard = attrs.evolve(runs, outcomes={"completed": "on", "rejected": "back"})
    assert found(parent(Field("at", required=True), heard)) == {}


def test_a_required_field_from_one_that_may_be_empty_is_warned_of() -> None:
    """The child could not start; a value that is required, given by default or asked for by a move is there."""
    runs = SubProcedure("child", data={"at": "at"}, outcomes={"completed": "on", "rejected": "back"})
    assert found(parent(Field("at"), runs))["given-maybe-empty"].path == (
        "steps",
        "second",
        "runs",
        "data",
        "at",
    )
    assert found(parent(Field("at", required=True), runs)) == {}
    assert found(parent(Field("at", default="x"), runs)) == {}
    assert found(parent(Field("at"), runs, requires=("at",))) == {}


def test_what_runs_unknown_procedures_is_checked_by_itself() -> None:
    """Without the others nothing is said of them."""
    runs = SubProcedure("child", data={"at": "at"})
    assert not [one for one in check(parent(Field("at"), runs)) if one.code in CODES]


def test_a_move_that_the_end_of_a_child_makes_owes_what_it_requires() -> None:
    """Nobody is there to supply it."""
    runs = SubProcedure("child", data={"at": "at"}, outcomes={"completed": "on", "rejected": "back"})
    declared = parent(Field("at", required=True), runs)
    steps = [
        attrs.evolve(step, to=[attrs.evolve(move, requires=("photo",)) for move in step.to])
        for step in declared.steps
    ]
    assert found(attrs.evolve(declared, steps=steps))["deemed-move-owes"].path[:2] == ("steps", "second")
