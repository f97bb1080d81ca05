"""The rules a move may break: who acts, what comes with it, how often. Who may act, `eligibility` says."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from svcflow.kernel.commands import Actor, Fire, is_named
from svcflow.kernel.compiled import CompiledMove
from svcflow.kernel.facts import DeviationKind
from svcflow.kernel.input_checks import is_given
from svcflow.kernel.moves.authorization import (
    barred_from,
    in_role,
    lacks,
    nameless,
    same_person,
    unnamed_for,
    wrong_role,
)
from svcflow.kernel.refusals import wanted
from svcflow.kernel.transaction import Ledger
from svcflow.model.field import Value
from svcflow.model.limit import Severity
from svcflow.model.step import DONE
from svcflow.model.wording import fields_listed
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


def standing_breaches(ledger: Ledger, command: Fire, row: CompiledMove, leaving: str) -> list[Breach]:
    """Return what closes a move to this actor whatever comes with the command; `leaving` is the step they leave."""
    usual = leaving == row.source and row.move.trigger != DONE
    left = () if usual else _passed_over(ledger, row, leaving)
    found = _who_breaches(ledger, command, row.role, left, (row.source, *left))
    bound = row.move.at_most
    if bound is not None and ledger.draft.counts.get(row.key, 0) >= bound:
        found.append(_over_bound(row, bound, ledger.draft.counts.get(row.key, 0)))
    return found


def entering_breaches(ledger: Ledger, command: Fire, row: CompiledMove, leaving: str) -> list[Breach]:
    """Return what closes the way into a parallel step that nobody was seen to enter: by `row`, from `leaving`."""
    steps = (row.source, leaving) if leaving != row.source else (leaving,)
    return _who_breaches(ledger, command, "", (leaving,), steps)


def _passed_over(ledger: Ledger, row: CompiledMove, leaving: str) -> tuple[str, ...]:
    """Return the active steps that a move leaves although its trigger is none of theirs."""
    steps, source = ledger.compiled.steps, row.source
    if leaving == source and not steps[source].branches:
        return ()
    inner = (name for name in ledger.draft.steps if leaving in ledger.compiled.inside(name))
    return (*((leaving,) if leaving != source else ()), *inner)


def _who_breaches(
    ledger: Ledger, command: Fire, role: str, left: tuple[str, ...], steps: tuple[str, ...]
) -> list[Breach]:
    """Return that the actor lacks a role, or may not do all the steps, which are done at once.

    `left` are the steps that are left out of order: whose they were is on record, and refuses nobody with a name,
    since the override is for who stands before somebody else's step. A replayed log has `skipped_step` for that.
    """
    compiled, who = ledger.compiled, command.actor
    found: list[Breach] = []
    if lacks(compiled, role, who):
        found.append(_wrong_role(ledger, command, role))
    if left and not compiled.foreign:
        roles = (compiled.steps[one].step.role or "" for one in left)
        theirs = next((one for one in roles if lacks(compiled, one, who)), None)
        if theirs is not None:
            breach = _wrong_role(ledger, command, theirs)
            found.append(attrs.evolve(breach, rule="order") if is_named(who.id) else breach)
    if compiled.told_apart and not compiled.told_apart.isdisjoint(steps):
        found += _separation(ledger, who, steps)
    return found


def _separation(ledger: Ledger, who: Actor, steps: tuple[str, ...]) -> tuple[Breach, ...]:
    """Return that the steps are for another person, or for somebody with a name to be told from others by."""
    compiled = ledger.compiled
    step = unnamed_for(compiled, who, *steps)
    if step is not None:
        return (Breach("role", "wrong_role", *nameless(compiled, step), {"unnamed": step}),)
    step = barred_from(compiled, ledger.draft, steps, who.id, who.behalf)
    if step is None:
        return ()
    detail = {"not_by": compiled.steps[step].step.not_by}
    return (Breach("role", "wrong_role", *same_person(compiled, ledger.draft, step), detail),)


def missing_breaches(
    ledger: Ledger, command: Fire, row: CompiledMove, leaving: str, data: Mapping[str, Value]
) -> list[Breach]:
    """Return what a move requires and did not come with it, or the step that is left owes and did not come in it."""
    found: list[Breach] = []
    if row.move.requires:
        came = command.evidence
        absent = [name for name in row.move.requires if name not in came and not is_given(data.get(name))]
        if absent:
            found.append(_missing_data(ledger, command, absent))
    owed = ledger.compiled.steps[leaving].step.evidence
    if owed:
        draft = ledger.draft
        since = draft.active.get(leaving, 0)
        absent = [n for n in owed if n not in command.evidence and draft.evidence.get(n, -1) < since]
        if absent:
            found.append(_missing_evidence(leaving, absent))
    return found


def _wrong_role(ledger: Ledger, command: Fire, role: str) -> Breach:
    what = Text(zh=command.trigger, en=command.trigger)
    message = wrong_role(ledger.compiled, what, role, command.actor)
    detail = {"needs": role, "has": sorted(command.actor.roles or ())}
    return Breach("role", "wrong_role", message, in_role(ledger.compiled, role, command.actor), detail)


def _over_bound(row: CompiledMove, bound: int, times: int) -> Breach:
    message = Text(
        zh=f"“{row.move.trigger}”最多 {bound} 次，已有 {times} 次",
        en=f"{row.move.trigger!r} may happen {bound} times and did {times} times",
    )
    return Breach("rework", "rework_over_bound", message, NO_TEXT, {"at_most": bound, "times": times + 1})


def _missing_data(ledger: Ledger, command: Fire, absent: list[str]) -> Breach:
    listed = fields_listed(absent, ledger.compiled.procedure.fields)
    message = Text(
        zh=f"“{command.trigger}”须提供 {listed.zh}", en=f"{command.trigger!r} requires {listed.en}"
    )
    ways = [_way(name, is_field=name in ledger.compiled.procedure.fields) for name in absent]
    remedy = Text(
        zh=f"用 {'、'.join(way.zh for way in ways)} 给出",
        en=f"give it with {', '.join(way.en for way in ways)}",
    )
    return Breach("requires", "missing_data", message, remedy, {"missing": absent})


def _way(name: str, *, is_field: bool) -> Text:
    """Say how what a move requires is given: a field as data, anything else as data or as evidence."""
    data, evidence = f'`data["{name}"]`', f'`evidence["{name}"]`'
    if is_field:
        return Text(zh=data, en=data)
    return Text(zh=f"{data} 或 {evidence}", en=f"{data} or {evidence}")


def _missing_evidence(leaving: str, absent: list[str]) -> Breach:
    listed = ", ".join(absent)
    message = Text(zh=f"离开“{leaving}”须附凭证 {listed}", en=f"leaving {leaving!r} owes evidence: {listed}")
    return Breach("evidence", "missing_evidence", message, wanted("evidence", absent), {"missing": absent})
