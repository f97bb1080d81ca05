"""Explain, accept and reject: what people answer to a deviation. An answer changes no count and deletes nothing."""

from __future__ import annotations

from svcflow.kernel import refusals
from svcflow.kernel.commands import Accept, Explain, Reject, is_named
from svcflow.kernel.facts import Accepted, Explained, Rejected
from svcflow.kernel.input_checks import require_reason
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Ledger


def explain(ledger: Ledger, command: Explain) -> Refusal | None:
    """Keep an explanation; a deviation may have several. Raises: FieldError."""
    require_reason(command.reason)
    if command.deviation not in ledger.draft.deviations:
        return refusals.no_deviation(command.deviation)
    ledger.record(Explained, ledger.at_us, command.actor.id, command.deviation, command.reason)
    return None


def judge(ledger: Ledger, command: Accept | Reject) -> Refusal | None:
    """Accept or reject what was explained; a later judgement replaces an earlier one. Raises: FieldError."""
    require_reason(command.reason)
    refusal = _may_not_judge(ledger, command)
    if refusal is None:
        kind = Accepted if isinstance(command, Accept) else Rejected
        ledger.record(kind, ledger.at_us, command.actor.id, command.deviation, command.reason)
    return refusal


def _may_not_judge(ledger: Ledger, command: Accept | Reject) -> Refusal | None:
    standing = ledger.draft.deviations.get(command.deviation)
    if standing is None:
        return refusals.no_deviation(command.deviation)
    if standing == "open":
        return refusals.unexplained()
    explainers = ledger.draft.explainers.get(command.deviation, ())
    who = command.actor
    if not is_named(who.id) or who.id in explainers or who.behalf in explainers:
        return refusals.explained_by_same_person()
    return None
