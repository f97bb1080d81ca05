"""Assignments as the state keeps them: who has which active step. Decides nothing."""

from __future__ import annotations

from collections.abc import Collection

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Assigned, Released
from svcflow.kernel.instance import Draft


def assigned(compiled: Compiled, draft: Draft, fact: Assigned) -> None:  # noqa: ARG001  # the table's signature
    """Put a step down to a person."""
    draft.assignees = {**draft.assignees, fact.step: fact.to}


def released(compiled: Compiled, draft: Draft, fact: Released) -> None:  # noqa: ARG001  # the table's signature
    """Put a step down to nobody."""
    end_assignments(draft, (fact.step,))


def end_assignments(draft: Draft, steps: Collection[str]) -> None:
    """Forget who had steps that are left; when they are entered again they are nobody's."""
    draft.assignees = {step: who for step, who in draft.assignees.items() if step not in steps}
