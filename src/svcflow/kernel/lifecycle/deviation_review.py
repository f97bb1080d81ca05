"""Commands that explain, accept and reject a deviation. It counts whatever is answered."""

from __future__ import annotations

from svcflow.kernel import refusals
from svcflow.kernel.commands import Accept, Explain, Reject, is_named
from svcflow.kernel.facts import Accepted, Explained, Rejected
from svcflow.kernel.input_checks import require_reason
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Transaction


def explain(transaction: Transaction, command: Explain) -> Refusal | None:
    """Record an explanation; a deviation may have several. Raises: FieldError."""
    require_reason(command.reason)
    if command.deviation not in transaction.draft.deviations:
        return refusals.no_deviation(command.deviation)
    transaction.record(Explained, transaction.at_us, command.actor.id, command.deviation, command.reason)
    return None


def judge(transaction: Transaction, command: Accept | Reject) -> Refusal | None:
    """Record that an explanation is accepted or rejected; a later judgement replaces an earlier one. Raises: FieldError."""
    require_reason(command.reason)
    refusal = _judgement_refusal(transaction, command)
    if refusal is None:
        kind = Accepted if isinstance(command, Accept) else Rejected
        transaction.record(kind, transaction.at_us, command.actor.id, command.deviation, command.reason)
    return refusal


def _judgement_refusal(transaction: Transaction, command: Accept | Reject) -> Refusal | None:
    status = transaction.draft.deviations.get(command.deviation)
    if status is None:
        return refusals.no_deviation(command.deviation)
    if status == "open":
        return refusals.unexplained()
    explainers = transaction.draft.explainers.get(command.deviation, ())
    who = command.actor
    if not is_named(who.id) or who.id in explainers or who.behalf in explainers:
        return refusals.explained_by_same_person()
    return None
