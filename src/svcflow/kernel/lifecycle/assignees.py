"""Assignees of active steps in the state of an instance, and until when they have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import ERASED, Assigned, Released
from svcflow.kernel.instance import Draft, FrozenDict, Instance

V = TypeVar("V")


def assignee_of(state: Draft | Instance, step: str, at_us: int) -> str:
    """Return who has a step at an instant; nobody once the delegation has ended by which they had it.

    Nobody has the steps of a person who was erased, since nobody can be identified as that person.
    """
    who = state.assignees.get(step, "")
    if who and (who.startswith(ERASED) or has_lapsed(state, step, at_us)):
        return ""
    return who


def has_lapsed(state: Draft | Instance, step: str, at_us: int) -> bool:
    """Return whether somebody had a step by a delegation that has ended."""
    return step in state.deputies and at_us >= state.deputies[step][1]


def assigned(compiled: Compiled, draft: Draft, fact: Assigned) -> None:  # noqa: ARG001  # the table's signature
    """Apply an assignment to the draft."""
    draft.assignees = FrozenDict({**draft.assignees, fact.step: fact.to})
    if fact.until_us:
        giver = fact.behalf or fact.actor
        draft.deputies = FrozenDict({**draft.deputies, fact.step: (giver, fact.until_us)})
    elif draft.deputies:
        draft.deputies = _without(draft.deputies, (fact.step,))


def released(compiled: Compiled, draft: Draft, fact: Released) -> None:  # noqa: ARG001  # the table's signature
    """Apply a release to the draft."""
    end_assignments(draft, (fact.step,))


def end_assignments(draft: Draft, steps: Collection[str]) -> None:
    """Remove the assignees of steps that are left: entered again, a step is nobody's."""
    draft.assignees = _without(draft.assignees, steps)
    if draft.deputies:
        draft.deputies = _without(draft.deputies, steps)


def _without(known: Mapping[str, V], steps: Collection[str]) -> FrozenDict[str, V]:
    return FrozenDict({step: value for step, value in known.items() if step not in steps})
