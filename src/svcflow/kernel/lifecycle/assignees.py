"""Assignments as the state keeps them: who has which active step, and until when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import ERASED, Assigned, Released
from svcflow.kernel.instance import Draft, FrozenDict, Instance

V = TypeVar("V")


def assignee_of(state: Draft | Instance, step: str, at_us: int) -> str:
    """Return who has a step at an instant; nobody when a delegation has ended by which they had it.

    Nor does anybody have what was an erased person's: nobody could be told to be that person.
    """
    who = state.assignees.get(step, "")
    if who and (who.startswith(ERASED) or has_lapsed(state, step, at_us)):
        return ""
    return who


def has_lapsed(state: Draft | Instance, step: str, at_us: int) -> bool:
    """Tell whether somebody had a step by a delegation that has ended."""
    return step in state.deputies and at_us >= state.deputies[step][1]


def assigned(compiled: Compiled, draft: Draft, fact: Assigned) -> None:  # noqa: ARG001  # the table's signature
    """Put a step down to a person."""
    draft.assignees = FrozenDict({**draft.assignees, fact.step: fact.to})
    if fact.until_us:
        giver = fact.behalf or fact.actor
        draft.deputies = FrozenDict({**draft.deputies, fact.step: (giver, fact.until_us)})
    elif draft.deputies:
        draft.deputies = _without(draft.deputies, (fact.step,))


def released(compiled: Compiled, draft: Draft, fact: Released) -> None:  # noqa: ARG001  # the table's signature
    """Put a step down to nobody."""
    end_assignments(draft, (fact.step,))


def end_assignments(draft: Draft, steps: Collection[str]) -> None:
    """Forget who had steps that are left; when they are entered again they are nobody's."""
    draft.assignees = _without(draft.assignees, steps)
    if draft.deputies:
        draft.deputies = _without(draft.deputies, steps)


def _without(known: Mapping[str, V], steps: Collection[str]) -> FrozenDict[str, V]:
    return FrozenDict({step: one for step, one in known.items() if step not in steps})
