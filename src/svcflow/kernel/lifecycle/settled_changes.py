"""Changes of settled values by commands that are no moves: refused, or recorded with what they do."""

from __future__ import annotations

from collections.abc import Mapping

from svcflow.kernel import refusals
from svcflow.kernel.facts import Deviated
from svcflow.kernel.moves.rules import SEVERITY
from svcflow.kernel.moves.settled_values import changed_values
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Transaction
from svcflow.model.field import Value


def settled_changes(transaction: Transaction, data: Mapping[str, Value]) -> list[str]:
    """Return the settled fields that the data of a command would change."""
    draft = transaction.draft
    return changed_values(transaction.compiled, draft, data) if data and draft.settled else []


def settled_refusal(transaction: Transaction, changed: list[str]) -> Refusal | None:
    """Return the refusal of a command that would change settled fields, where the procedure refuses that."""
    refuses = changed and transaction.compiled.refuses_settled
    return refusals.settled_values(transaction.compiled, changed) if refuses else None


def record_settled_changes(transaction: Transaction, actor: str, changed: list[str]) -> None:
    """Record the deviation that settled fields were changed, if any were."""
    if changed:
        step = transaction.draft.steps[0]
        transaction.record(
            Deviated,
            transaction.at_us,
            actor,
            "settled_value_changed",
            step,
            SEVERITY["settled_value_changed"],
            role=transaction.compiled.steps[step].step.role or "",
            detail={"fields": changed},
        )
