"""Commands that claim, assign, release and recall a step. Who may assign is for the host to check."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from svcflow.errors import FieldError
from svcflow.kernel import refusals
from svcflow.kernel.commands import Assign, Claim, Recall, Release, is_named
from svcflow.kernel.facts import SYSTEM, Assigned, Released
from svcflow.kernel.lifecycle.assignees import assignee_of
from svcflow.kernel.moves.authorization import (
    barred_step,
    claim_refusal,
    qualification_refusal,
    same_person,
)
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Transaction
from svcflow.text import Text


def claim(transaction: Transaction, command: Claim) -> Refusal | None:
    """Assign the step to the actor, if the rules let them have it. Raises: FieldError."""
    who = command.actor
    _require_person(who.id)
    step = _active_step(transaction, command.step)
    if isinstance(step, Refusal):
        return step
    refusal = claim_refusal(transaction, step, who, command.certificates)
    if refusal is None:
        until_us = _until_us(transaction, step, who.ends)
        transaction.record(Assigned, transaction.at_us, who.id, step, who.id, "", until_us)
    return refusal


def assign(transaction: Transaction, command: Assign) -> Refusal | None:
    """Assign the step to a person, in place of whoever had it. Raises: FieldError."""
    _require_person(command.to)
    step = _active_step(transaction, command.step)
    if isinstance(step, Refusal):
        return step
    barred = barred_step(transaction.compiled, transaction.draft, (step,), command.to)
    if barred is not None:
        return attrs.evolve(same_person(transaction.compiled, transaction.draft, barred), step=step)
    refusal = qualification_refusal(transaction, step, command.to, command.certificates)
    if refusal is not None:
        return refusal
    who = command.actor
    ends = who.ends if who.id == command.to else command.ends
    until_us = _until_us(transaction, step, ends)
    transaction.record(Assigned, transaction.at_us, who.id, step, command.to, command.reason, until_us)
    return None


def recall(transaction: Transaction, command: Recall) -> None:
    """Release the steps that a deputy has by a delegation that was revoked."""
    draft = transaction.draft
    for step, (giver, _) in tuple(draft.deputies.items()):
        role = transaction.compiled.steps[step].step.role
        if (giver, draft.assignees[step]) == (command.giver, command.taker) and role in command.roles:
            transaction.record(Released, transaction.at_us, SYSTEM, step)


def release(transaction: Transaction, command: Release) -> Refusal | None:
    """Release the step from whoever has it."""
    step = _active_step(transaction, command.step)
    if isinstance(step, Refusal):
        return step
    if not assignee_of(transaction.draft, step, transaction.at_us):
        return refusals.not_assigned(transaction.compiled, step)
    transaction.record(Released, transaction.at_us, command.actor.id, step, command.reason)
    return None


def _until_us(transaction: Transaction, step: str, ends: Mapping[str, int]) -> int:
    """Return when the delegation ends by which somebody has a step; 0 without one."""
    return ends.get(transaction.compiled.steps[step].step.role or "", 0) if ends else 0


def _require_person(person: str) -> None:
    if not is_named(person):
        raise FieldError(
            Text(zh="没有指明由谁办理", en="it is not said who is to have the step"),
            Text(zh="以 `to` 给出人员标识", en="name a person by id as `to`"),
        )


def _active_step(transaction: Transaction, step: str | None) -> str | Refusal:
    """Return the active step of a command, or why there is none."""
    compiled, present = transaction.compiled, transaction.draft.steps
    if step is None and len(present) == 1:
        return present[0]
    if step is None:
        return refusals.several_steps(present)
    if step not in transaction.draft.active or compiled.steps[step].step.end is not None:
        return refusals.step_not_active(step, present)
    return step
