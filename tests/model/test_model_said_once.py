"""What an end is called that succeeds, the trigger of a join and the ids of unnamed limits are said in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

import svcflow
from svcflow.checks.path_weights import limit_path
from svcflow.drawing.scene.edges import main_path
from svcflow.kernel.lifecycle.migration_target import mapped_limit
from svcflow.model.limit import TimeLimit, hold_limit, reason_of, step_of, wait_limit
from svcflow.model.procedure import Procedure
from svcflow.model.step import SUCCESSES, Step, Transition

SOURCE = Path(svcflow.__file__).parent


def two_ends(outcome: str) -> Procedure:
    first = Step(
        "asked", within="1h", to=(Transition("turn_down", "refused"), Transition("answer", "answered"))
    )
    whole = TimeLimit(id="whole", within="1d")
    return Procedure(
        id="p",
        calendar="always",
        steps=(first, Step("refused", end="rejected"), Step("answered", end=outcome)),
        limits=(whole,),
    )


@pytest.mark.parametrize("outcome", sorted(SUCCESSES))
def test_checks_and_drawings_agree_which_end_is_a_success(outcome):
    """The main line leads to it, whole-procedure limits are measured to it, its sign is the target."""
    procedure = two_ends(outcome)
    assert main_path(procedure.steps)[-1] == "answered"
    assert limit_path(procedure, procedure.limits[0]).targets == ("answered",)
    drawn = svcflow.draw(procedure, lang="en").svg
    assert drawn.count('class="done"') == drawn.count('class="gone"') == 1


def test_limits_that_nobody_names_are_told_by_their_ids():
    """A hold's by its reason, a wait's by its step, which they follow when it is renamed."""
    assert reason_of(hold_limit("statutory")) == "statutory"
    assert reason_of("whole") == reason_of(wait_limit("parts")) == ""
    assert (step_of(wait_limit("parts")), step_of("parts")) == (("parts", True), ("parts", False))
    assert mapped_limit({"parts": "waiting"}, wait_limit("parts")) == wait_limit("waiting")
    assert Step("parts", waits="recipient", at_most="2d").time_limits[0].id == wait_limit("parts")


@pytest.mark.parametrize("written", ['"hold."', '".wait"', 'DONE = "done"', '"completed", "done"'])
def test_they_are_written_in_one_module_only(written):
    """A second copy is a second rule."""
    found = [path.name for path in SOURCE.rglob("*.py") if written in path.read_text(encoding="utf-8")]
    assert len(found) == 1, found
