"""The table of moves: one state machine of the transitions package for each procedure version."""

from __future__ import annotations

import pytest
import transitions
from kernel_cases import CALENDARS, Case, fork, line, move, procedure

from pages import ROOT
from svcflow.kernel import compile_procedure
from svcflow.kernel.compiled import Compiled, CompiledMove, CompiledStep, calendars_of
from svcflow.model.catalog import Catalog
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step

CATALOG = Catalog.from_folder(ROOT / "procedures")


def compiled(*steps: Step, **more: object) -> Compiled:
    return compile_procedure(procedure(*steps, **more), CALENDARS.__getitem__)


def test_moves_are_transitions_and_steps_are_states() -> None:
    """Guard, role, requirements and bound stand on the row that the machine has, and limits on its state."""
    rules = compiled(
        Step("asked", role="clerk", within="2wh", to=[
            move("decide", "granted", when="fee > 1", requires=["fee"], at_most=2),
            move("decide", "refused", role="chief"),
        ]),
        Step("granted", end="completed"),
        Step("refused", end="refused"),
        fields=[Field("fee", type="number")],
    )  # fmt: skip
    first, second = rules.machine.get_transitions("decide", source="asked")
    assert all(isinstance(row, transitions.Transition) for row in (first, second))
    assert isinstance(first, CompiledMove)
    assert isinstance(second, CompiledMove)
    assert (first.row, first.dest, first.role, str(first.move.when)) == (0, "granted", "clerk", "fee > 1")
    assert (first.move.requires, first.move.at_most) == (("fee",), 2)
    assert (second.row, second.dest, second.role) == (1, "refused", "chief")
    state = rules.machine.get_state("asked")
    assert isinstance(state, CompiledStep)
    assert [limit.id for limit in state.starts] == ["asked"]
    assert rules.machine.get_state("refused").final


@pytest.mark.parametrize("declared", CATALOG, ids=str)
def test_the_machine_is_the_only_table_of_moves(declared: Procedure) -> None:
    """What a step is left by is what the machine has for it, in declared order."""
    rules = compile_procedure(declared, calendars_of(CATALOG))
    assert rules.steps is rules.machine.states
    assert rules.triggers is rules.machine.events
    for step_id, step in declared.all_steps.items():
        assert [row.move for row in rules.exits(step_id)] == list(step.to)
        assert set(rules.steps[step_id].triggers) == set(rules.machine.get_triggers(step_id))
    assert not rules.machine.models


def test_a_look_up_adds_nothing_to_the_table() -> None:
    """All threads share the table of a version."""
    rules = compiled(*line("a", "b", "c"))
    assert rules.rows("b", "to_b") == ()
    assert rules.rows("b", "unheard_of") == ()
    with pytest.raises(KeyError):
        rules.triggers["to_b"].transitions["b"]
    assert list(rules.triggers["to_b"].transitions) == ["a"]


def test_a_trigger_may_be_called_state() -> None:
    """No name of the machine's own is taken from the procedure."""
    case = Case(procedure(Step("a", to=[move("state", "b")]), Step("b", end="completed")))
    case.fire("state")
    assert case.instance.status == "ended"


def test_the_end_of_a_branch_names_what_it_joins() -> None:
    rules = compiled(
        fork("both", move("done", "over"), one=line("a", "b"), two=line("c", "d")),
        Step("over", end="completed"),
    )
    assert [row.joins for row in rules.exits("a")] == ["both"]
    assert [row.joins for row in rules.exits("both")] == [""]
