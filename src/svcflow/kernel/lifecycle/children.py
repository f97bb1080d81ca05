"""Children in the state of an instance: the instances of other procedures that its steps run.

A child is requested by the instance, started by the runtime, and its end is told back. What the runtime has yet to
do is due at `pending_us`: to start a child, to call one off whose step was left, or to tell the parent of an end.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import ChildEnded, ChildRequested, ChildStarted, ParentTold
from svcflow.kernel.instance import NEVER, Child, Draft, FrozenDict, Instance

_LONGEST_ID = 80


def child_id(parent: str, step: str, visit: int) -> str:
    """Return the id of the child that a step runs at its n-th visit: always the same one, so it is started once.

    >>> child_id("visit-7Q2M", "driving", 1)
    'visit-7Q2M.driving.1'
    """
    name = f"{parent}.{step}.{visit}"
    return name if len(name) <= _LONGEST_ID else f"{name[:55]}.{sha256(name.encode()).hexdigest()[:24]}"


def to_start(instance: Instance) -> tuple[str, ...]:
    """Return the children that have been requested and not started."""
    return tuple(
        name for name, child in instance.children.items() if child.state == "requested" and not child.left
    )


def to_call_off(instance: Instance) -> tuple[str, ...]:
    """Return the children that have not ended although their step was left."""
    return tuple(name for name, child in instance.children.items() if child.state != "ended" and child.left)


def owes_answer(state: Draft | Instance) -> bool:
    """Return whether the parent has yet to be told that this instance has ended."""
    return state.parent is not None and not state.parent.told and state.status == "ended"


def running_child(instance: Instance, step: str) -> str:
    """Return the child that an active step runs and that has not ended; empty without one."""
    return next(
        (
            name
            for name, child in instance.children.items()
            if child.step == step and not child.left and child.state != "ended"
        ),
        "",
    )


def child_in(draft: Draft, step: str) -> str:
    """Return the child that an active step runs now or has run at this visit; empty without one."""
    return next((name for name, child in draft.children.items() if child.step == step and not child.left), "")


def requested(compiled: Compiled, draft: Draft, fact: ChildRequested) -> None:  # noqa: ARG001  # the table's signature
    """Apply a request to the draft."""
    child = Child(fact.procedure, fact.step, fact.visit, "requested", fact.occurred_us)
    _set(draft, fact.child, child)


def started(compiled: Compiled, draft: Draft, fact: ChildStarted) -> None:  # noqa: ARG001  # see requested
    """Apply the start of a child to the draft of its parent."""
    _set(draft, fact.child, draft.children[fact.child]._replace(state="running"))


def ended(compiled: Compiled, draft: Draft, fact: ChildEnded) -> None:  # noqa: ARG001  # see requested
    """Apply the end of a child to the draft of its parent."""
    _set(draft, fact.child, draft.children[fact.child]._replace(state="ended", outcome=fact.outcome))


def told(compiled: Compiled, draft: Draft, fact: ParentTold) -> None:  # noqa: ARG001  # see requested
    """Apply to the draft of a child that its parent knows of its end."""
    if draft.parent is not None:
        draft.parent = draft.parent._replace(told=True)
    settle_pending(draft)


def leave(draft: Draft, steps: Iterable[str], at_us: int) -> None:
    """Mark the children of steps that are left: those that have not ended are to be called off."""
    left = set(steps)
    draft.children = FrozenDict(
        {
            name: child._replace(left=True, since_us=at_us)
            if child.step in left and not child.left
            else child
            for name, child in draft.children.items()
        }
    )
    settle_pending(draft)


def settle_pending(draft: Draft) -> None:
    """Set from when on the runtime has something to do about children or the parent."""
    due = [
        child.since_us
        for child in draft.children.values()
        if child.state == "requested" or (child.left and child.state != "ended")
    ]
    if owes_answer(draft) and draft.ended_us is not None:
        due.append(draft.ended_us)
    draft.pending_us = min(due, default=NEVER)


def _set(draft: Draft, name: str, child: Child) -> None:
    draft.children = FrozenDict({**draft.children, name: child})
    settle_pending(draft)
