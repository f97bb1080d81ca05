"""Rules that a move may break: its guard, who acts, what comes with it, how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from svcflow.errors import GuardError
from svcflow.kernel import refusals
from svcflow.kernel.commands import Actor, Fire, is_named
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.evolve import guard_data
from svcflow.kernel.facts import DeviationKind
from svcflow.kernel.input_checks import is_given
from svcflow.kernel.instance import Draft
from svcflow.kernel.moves.authorization import barred_step, lacks_role, same_person, step_needing_name
from svcflow.kernel.moves.qualification import asked_certificate, unqualified
from svcflow.kernel.moves.settled_values import changed_by_move
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Transaction
from svcflow.model.field import Value
from svcflow.model.limit import Severity
from svcflow.model.step import DONE
from svcflow.text import NO_TEXT, Text

SEVERITY: Mapping[DeviationKind, Severity] = {
    "skipped_step": "major",
    "out_of_order": "major",
    "wrong_role": "major",
    "missing_evidence": "major",
    "missing_data": "minor",
    "rework_over_bound": "minor",
    "guard": "major",
    "missed_start": "major",
    "settled_value_changed": "major",
    "unqualified": "major",
    "short_notice": "minor",
}


@attrs.frozen
class Breach:
    """Rule that a move breaks: the refusal, or the deviation where the procedure says to record it."""

    refusal: Refusal
    deviation: DeviationKind
    detail: Mapping[str, object]


def standing_breaches(
    transaction: Transaction, command: Fire, row: CompiledMove, leaving: str
) -> list[Breach]:
    """Return the breaches of a move by the actor whatever comes with the command; `leaving` is the step it leaves."""
    compiled = transaction.compiled
    usual = leaving == row.source and row.move.trigger != DONE
    left = () if usual else _steps_passed_over(transaction, row, leaving)
    breaches = _actor_breaches(transaction, command, row.role, left, (row.source, *left))
    if compiled.certificates and not compiled.foreign:  # no log of another system tells of certificates
        breaches += _qualification(transaction, command, row)
    bound = row.move.at_most
    if bound is not None and transaction.draft.counts.get(row.key, 0) >= bound:
        breaches.append(_over_bound(row, bound, transaction.draft.counts.get(row.key, 0)))
    return breaches


def entering_breaches(
    transaction: Transaction, command: Fire, row: CompiledMove, leaving: str
) -> list[Breach]:
    """Return the breaches of entering, by `row` from `leaving`, a parallel step that a trigger inside it implies."""
    steps = (row.source, leaving) if leaving != row.source else (leaving,)
    return _actor_breaches(transaction, command, "", (leaving,), steps)


def _steps_passed_over(transaction: Transaction, row: CompiledMove, leaving: str) -> tuple[str, ...]:
    """Return the active steps that a move leaves although its trigger is not declared there."""
    steps, source = transaction.compiled.steps, row.source
    if leaving == source and not steps[source].branches:
        return ()
    inner = (name for name in transaction.draft.steps if leaving in transaction.compiled.around(name))
    return (*((leaving,) if leaving != source else ()), *inner)


def _actor_breaches(
    transaction: Transaction, command: Fire, role: str, left: tuple[str, ...], steps: tuple[str, ...]
) -> list[Breach]:
    """Return the breaches that the actor lacks a role, or may not do one of `steps`, which one move does.

    `left` are the steps that are left out of order: that they were another role's is recorded, but refuses nobody
    with a name, since the override is for who stands before somebody else's step. A log of another system has
    `skipped_step` for that.
    """
    compiled, who = transaction.compiled, command.actor
    breaches: list[Breach] = []
    if lacks_role(compiled, role, who):
        breaches.append(_wrong_role(transaction, command, role))
    if left and not compiled.foreign:
        roles = (compiled.steps[name].step.role or "" for name in left)
        theirs = next((needed for needed in roles if lacks_role(compiled, needed, who)), None)
        if theirs is not None:
            breach = _wrong_role(transaction, command, theirs)
            if is_named(who.id):
                breach = attrs.evolve(breach, refusal=attrs.evolve(breach.refusal, rule="order"))
            breaches.append(breach)
    if compiled.separated and not compiled.separated.isdisjoint(steps):
        breaches += _separation(transaction, who, steps)
    return breaches


def _qualification(transaction: Transaction, command: Fire, row: CompiledMove) -> tuple[Breach, ...]:
    """Return the breach that the actor lacks the certificate which the step asks for, when the move happened."""
    compiled = transaction.compiled
    certificate = asked_certificate(compiled, row)
    if certificate is None:
        return ()
    at_us = transaction.at_us if command.occurred_us is None else command.occurred_us
    lacking = unqualified(
        compiled, row.source, certificate, command.actor.id, held=command.certificates, at_us=at_us
    )
    return () if lacking is None else (Breach(lacking.refusal, "unqualified", lacking.detail),)


def _separation(transaction: Transaction, who: Actor, steps: tuple[str, ...]) -> tuple[Breach, ...]:
    """Return the breach that a step is for another person, or for an actor with a name."""
    compiled = transaction.compiled
    step = step_needing_name(compiled, who, *steps)
    if step is not None:
        return (Breach(refusals.unnamed_actor(compiled, step), "wrong_role", {"unnamed": step}),)
    barred = barred_step(compiled, transaction.draft, steps, who.id, who.behalf)
    if barred is None:
        return ()
    refusal = same_person(compiled, transaction.draft, barred)
    return (Breach(refusal, "wrong_role", {"not_by": barred.other}),)


def missing_breaches(
    transaction: Transaction, command: Fire, row: CompiledMove, leaving: str, data: Mapping[str, Value]
) -> list[Breach]:
    """Return the breaches of data that a move requires or may not change, and of evidence that the step it leaves owes."""
    breaches: list[Breach] = []
    if row.move.requires:
        came = command.evidence
        absent = [name for name in row.move.requires if name not in came and not is_given(data.get(name))]
        if absent:
            breaches.append(_missing_data(transaction, command, absent))
    owed = transaction.compiled.steps[leaving].step.evidence
    if owed:
        draft = transaction.draft
        since = draft.active.get(leaving, 0)
        absent = [n for n in owed if n not in command.evidence and draft.evidence.get(n, -1) < since]
        if absent:
            breaches.append(_missing_evidence(leaving, absent))
    if data and transaction.draft.settled:
        breaches += settled_breaches(transaction, row, data)
    return breaches


def settled_breaches(transaction: Transaction, row: CompiledMove, data: Mapping[str, Value]) -> list[Breach]:
    """Return the breach that the data of a move would change values that an earlier one has settled."""
    draft, compiled = transaction.draft, transaction.compiled
    changed = changed_by_move(compiled, draft, data, row)
    if not changed:
        return []
    return [Breach(refusals.settled_values(compiled, changed), "settled_value_changed", {"fields": changed})]


def _wrong_role(transaction: Transaction, command: Fire, role: str) -> Breach:
    what, who = Text(zh=command.trigger, en=command.trigger), command.actor
    detail = {"needs": role, "has": sorted(who.roles or ())}
    return Breach(refusals.wrong_role(transaction.compiled, what, role, who), "wrong_role", detail)


def _over_bound(row: CompiledMove, bound: int, times: int) -> Breach:
    refusal = refusals.over_bound(row.move.trigger, bound, times)
    return Breach(refusal, "rework_over_bound", {"at_most": bound, "times": times + 1})


def _missing_data(transaction: Transaction, command: Fire, absent: list[str]) -> Breach:
    what = Text(zh=command.trigger, en=command.trigger)
    refusal = refusals.missing_data(what, absent, transaction.compiled.procedure.fields)
    return Breach(refusal, "missing_data", {"missing": absent})


def _missing_evidence(leaving: str, absent: list[str]) -> Breach:
    return Breach(refusals.missing_evidence(leaving, absent), "missing_evidence", {"missing": absent})


Data = Mapping[str, Value]
NO_DATA: Data = {}


def choose_row(
    compiled: Compiled, draft: Draft, rows: Sequence[CompiledMove], data: Data = NO_DATA
) -> tuple[CompiledMove, Breach | None]:
    """Return the first row whose guard holds, or the first row and the breach that none does.

    `data` is what comes with the command; it takes precedence over the data of the instance.
    """
    first = rows[0]
    if first.move.when is None:
        return first, None
    known = {**guard_data(compiled, draft), **data} if data else guard_data(compiled, draft)
    undecided: dict[int, Text] = {}
    for place, row in enumerate(rows):
        guard = row.move.when
        try:
            if guard is None or guard.holds(known):
                return row, None
        except GuardError as error:
            undecided[place] = error.message
    fields = compiled.procedure.fields
    why = [
        undecided.get(place) or refusals.guard_untrue(row.move.when, fields, data)
        for place, row in enumerate(rows)
        if row.move.when is not None
    ]
    otherwise = rows[-1].move.otherwise
    rule = NO_TEXT if otherwise is None else otherwise.name
    return first, _guard_breach(rows, refusals.no_guard_holds(why, rule))


def joins_after(
    compiled: Compiled, draft: Draft, move: CompiledMove, leaving: str, data: Data = NO_DATA
) -> Iterator[tuple[CompiledMove, Breach | None]]:
    """Yield the row of each `done` that the kernel fires once the move is made, inner ones first."""
    left = leaving
    while move.joins:
        places = (compiled.steps[name] for name in draft.active if name != left)
        if any(place.parent == move.joins and place.step.end is None for place in places):
            return
        left = move.joins
        move, breach = choose_row(compiled, draft, compiled.rows(left, DONE), data)
        yield move, breach


def join_refusal(
    compiled: Compiled, draft: Draft, move: CompiledMove, leaving: str, data: Data = NO_DATA
) -> Refusal | None:
    """Return the refusal of a move that would end the last branch, while a guard of `done` refuses to go on."""
    for row, breach in joins_after(compiled, draft, move, leaving, data):
        if breach is not None and row.enforce["guard"] == "refuse":
            return refusals.cannot_join(row.source, breach.refusal)
    return None


def leads_elsewhere(rows: Sequence[CompiledMove], taken: CompiledMove) -> Breach:
    """Return the breach of taking another row than the one that the data select."""
    return _guard_breach(rows, refusals.leads_elsewhere(taken.move.trigger, taken.dest))


def _guard_breach(rows: Sequence[CompiledMove], refusal: Refusal) -> Breach:
    return Breach(refusal, "guard", {"guards": [str(row.move.when or "") for row in rows]})
