"""The rules a move may break: who acts, what comes with it, how often. Who may act, `eligibility` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from svcflow.kernel.commands import Fire
from svcflow.kernel.compiled import CompiledMove
from svcflow.kernel.eligibility import barred_from, in_role, lacks, same_person, wrong_role
from svcflow.kernel.facts import DeviationKind
from svcflow.kernel.ledger import Ledger
from svcflow.kernel.refusal import wanted
from svcflow.kernel.values import is_given
from svcflow.model.field import Value
from svcflow.model.limit import Severity
from svcflow.text import NO_TEXT, Text

SEVERITY: Mapping[DeviationKind, Severity] = {
    "skipped_step": "major",
    "out_of_order": "major",
    "wrong_role": "major",
    "missing_evidence": "major",
    "missing_data": "minor",
    "rework_over_bound": "minor",
    "guard": "major",
}


@attrs.frozen
class Breach:
    """Name one rule that a move breaks, and what its record would say."""

    rule: str
    deviation: DeviationKind
    message: Text
    remedy: Text
    detail: Mapping[str, object]


def standing_breaches(ledger: Ledger, command: Fire, row: CompiledMove, leaving: str) -> Iterator[Breach]:
    """Yield what closes a move to this actor whatever comes with the command; `leaving` is the step they leave."""
    if lacks(row.role, command.actor):
        yield _wrong_role(ledger, command, row)
    if ledger.draft.left_by:
        yield from barred_breaches(ledger, command, row.source, leaving)
    if row.move.at_most is not None and ledger.draft.counts.get(row.key, 0) >= row.move.at_most:
        yield _over_bound(row, row.move.at_most, ledger.draft.counts.get(row.key, 0))


def barred_breaches(ledger: Ledger, command: Fire, *steps: str) -> Iterator[Breach]:
    """Yield that the actor may do none of the steps, because they did another one; once is enough."""
    compiled, draft, who = ledger.compiled, ledger.draft, command.actor
    barred = (barred_from(compiled, draft, step, who.id, who.behalf) for step in steps)
    step = next((one for one in barred if one is not None), None)
    if step is not None:
        detail = {"not_by": compiled.steps[step].step.not_by}
        yield Breach("role", "wrong_role", *same_person(compiled, draft, step), detail)


def missing_breaches(
    ledger: Ledger, command: Fire, row: CompiledMove, leaving: str, data: Mapping[str, Value]
) -> Iterator[Breach]:
    """Yield what a move requires and did not come with it, or the step that is left owes and did not come in it."""
    if row.move.requires:
        came = {*command.evidence, *(name for name, value in data.items() if is_given(value))}
        absent = [name for name in row.move.requires if name not in came]
        if absent:
            yield _missing_data(command, absent)
    owed = ledger.compiled.steps[leaving].step.evidence
    if owed:
        draft = ledger.draft
        since = draft.active.get(leaving, 0)
        absent = [n for n in owed if n not in command.evidence and draft.evidence.get(n, -1) < since]
        if absent:
            yield _missing_evidence(leaving, absent)


def _wrong_role(ledger: Ledger, command: Fire, row: CompiledMove) -> Breach:
    what = Text(zh=command.trigger, en=command.trigger)
    message = wrong_role(ledger.compiled, what, row.role, command.actor)
    detail = {"needs": row.role, "has": sorted(command.actor.roles or ())}
    return Breach("role", "wrong_role", message, in_role(row.role), detail)


def _over_bound(row: CompiledMove, bound: int, times: int) -> Breach:
    message = Text(
        zh=f"“{row.move.trigger}”最多 {bound} 次，已有 {times} 次",
        en=f"{row.move.trigger!r} may happen {bound} times and did {times} times",
    )
    return Breach("rework", "rework_over_bound", message, NO_TEXT, {"at_most": bound, "times": times + 1})


def _missing_data(command: Fire, absent: list[str]) -> Breach:
    listed = ", ".join(absent)
    message = Text(zh=f"“{command.trigger}”须提供 {listed}", en=f"{command.trigger!r} requires {listed}")
    data, evidence = wanted("data", absent), wanted("evidence", absent)
    remedy = Text(zh=f"{data.zh}，或{evidence.zh}", en=f"{data.en}, or {evidence.en}")
    return Breach("requires", "missing_data", message, remedy, {"missing": absent})


def _missing_evidence(leaving: str, absent: list[str]) -> Breach:
    listed = ", ".join(absent)
    message = Text(zh=f"离开“{leaving}”须附凭证 {listed}", en=f"leaving {leaving!r} owes evidence: {listed}")
    return Breach("evidence", "missing_evidence", message, wanted("evidence", absent), {"missing": absent})
