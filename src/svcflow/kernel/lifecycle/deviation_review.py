"""Explain, accept and reject: what people answer to a deviation. An answer changes no count and deletes nothing."""

from __future__ import annotations

from svcflow.kernel.commands import Accept, Explain, Reject, is_named
from svcflow.kernel.facts import Accepted, Explained, Rejected
from svcflow.kernel.input_checks import require_reason
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Ledger
from svcflow.text import Text


def explain(ledger: Ledger, command: Explain) -> Refusal | None:
    """Keep an explanation; a deviation may have several. Raises: FieldError."""
    require_reason(command.reason)
    if command.deviation not in ledger.draft.deviations:
        return _unknown(command.deviation)
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
        return _unknown(command.deviation)
    if standing == "open":
        return Refusal(
            "unexplained",
            Text(zh="该偏差尚无说明", en="nobody has explained this deviation"),
            Text(zh="先说明原因", en="explain it first"),
        )
    explainers = ledger.draft.explainers.get(command.deviation, ())
    who = command.actor
    if not is_named(who.id) or who.id in explainers or who.behalf in explainers:
        return Refusal(
            "same_person",
            Text(zh="说明与认定不能是同一人", en="who explained a deviation may not accept or reject it"),
            Text(zh="由另一位具名人员认定", en="let another person judge it, by name"),
        )
    return None


def _unknown(deviation: int) -> Refusal:
    return Refusal(
        "deviation",
        Text(zh=f"第 {deviation} 条留痕不是偏差", en=f"entry {deviation} of the journal is no deviation"),
        Text(zh="以 `deviation` 给出偏差的序号", en="give the number of a deviation as `deviation`"),
    )
