"""Requests for children by the steps that are active, the moves that their ends fire, and steps that wait for them."""

from __future__ import annotations

from svcflow.kernel import refusals
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import SYSTEM, ChildRequested
from svcflow.kernel.instance import Draft
from svcflow.kernel.lifecycle.children import child_id, child_in
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Transaction


def request_children(transaction: Transaction) -> None:
    """Record a request for each active step that runs another procedure and has no child at this visit."""
    draft = transaction.draft
    if draft.status == "ended":
        return
    for step, since_us in tuple(draft.active.items()):
        called = transaction.compiled.runs.get(step)
        if called is None or child_in(draft, step):
            continue
        visit = 1 + sum(child.step == step for child in draft.children.values())
        name = child_id(draft.id, step, visit)
        while name in draft.children:  # a migration has given this name's step to another
            visit += 1
            name = child_id(draft.id, step, visit)
        transaction.record(ChildRequested, since_us, SYSTEM, step, name, called.procedure, visit)


def call_off_refusal(compiled: Compiled, draft: Draft, leaving: str) -> Refusal | None:
    """Return the refusal to leave a step, or one inside it, whose child runs and may not be called off."""
    for name, child in draft.children.items():
        if child.left or child.state == "ended":
            continue
        called = compiled.runs.get(child.step)
        inside = child.step == leaving or leaving in compiled.around(child.step)
        if called is not None and called.on_call_off == "refuse" and inside:
            return refusals.child_runs(compiled, child.step, name)
    return None
