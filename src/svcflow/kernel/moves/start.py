"""Rules that a start may break: who may ask, what comes with it, and how early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from svcflow.errors import Refused
from svcflow.kernel import refusals
from svcflow.kernel.commands import Actor, Start, is_named
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Deviated
from svcflow.kernel.input_checks import is_given
from svcflow.kernel.instance import NEVER
from svcflow.kernel.moves.authorization import lacks_role
from svcflow.kernel.moves.rules import SEVERITY, Breach
from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.kernel.timing.due import anchored_us
from svcflow.kernel.transaction import Transaction
from svcflow.model.field import Value
from svcflow.model.start_rule import StartRule
from svcflow.model.target import Anchor
from svcflow.worktime.instants import to_us

_NOTHING = StartRule()


def start_breaches(transaction: Transaction, command: Start, data: Mapping[str, Value]) -> tuple[Breach, ...]:
    """Return the breaches of the start that are recorded; `data` are those of the instance.

    Raises: Refused for the first breach that the procedure refuses. No journal keeps it, for there is none yet.
    """
    compiled = transaction.compiled
    rule, enforce = compiled.procedure.start or _NOTHING, compiled.procedure.enforce
    if command.foreseen and not rule.foreseen:
        raise _refused(refusals.not_foreseen(compiled.procedure))
    breaches = tuple(_breaches(compiled, rule, command, data, transaction.at_us))
    for breach in breaches:
        if getattr(enforce, breach.refusal.rule) == "refuse" and not compiled.foreign:
            raise _refused(breach.refusal)
    return breaches


def record_start_breaches(transaction: Transaction, actor: Actor, breaches: tuple[Breach, ...]) -> None:
    """Record each breach of the start as a deviation of who asked."""
    rule = transaction.compiled.procedure.start
    for breach in breaches:
        transaction.record(
            Deviated,
            transaction.at_us,
            actor.id,
            breach.deviation,
            transaction.compiled.first,
            SEVERITY[breach.deviation],
            role=(rule.role if rule is not None else None) or "",
            detail=breach.detail,
        )


def _breaches(
    compiled: Compiled, rule: StartRule, command: Start, data: Mapping[str, Value], at_us: int
) -> Iterator[Breach]:
    who, name = command.actor, refusals.start_name(rule)
    if command.foreseen:
        if not _provides(compiled, rule, who):
            yield Breach(refusals.foreseen_by_other(name, who), "wrong_role", _has(who))
    elif rule.role is not None and lacks_role(compiled, rule.role, who):
        detail = {"needs": rule.role, **_has(who)}
        yield Breach(refusals.wrong_role(compiled, name, rule.role, who), "wrong_role", detail)
    came = command.evidence
    absent = [item for item in rule.requires if item not in came and not is_given(command.data.get(item))]
    if absent:
        refusal = refusals.missing_data(name, absent, compiled.procedure.fields)
        yield Breach(refusal, "missing_data", {"missing": absent})
    # Nobody asks late for what was foreseen: nobody has asked.
    if rule.before is not None and compiled.notice is not None and not command.foreseen:
        latest_us = _latest_us(rule.before, compiled.notice, data)
        if latest_us < at_us:  # whoever asks at the very instant is in time
            field = rule.before.field
            refusal = refusals.short_notice(compiled, rule, field, latest_us)
            yield Breach(refusal, "short_notice", {"field": field, "latest_us": latest_us})


def _latest_us(before: Anchor, notice: BusinessTime, data: Mapping[str, Value]) -> int:
    """Return the latest instant at which one may ask; `NEVER` where nothing is scheduled."""
    scheduled = data.get(before.field)
    if not is_given(scheduled):
        return NEVER
    return anchored_us(notice, before, to_us(datetime.fromisoformat(str(scheduled))))


def _provides(compiled: Compiled, rule: StartRule, actor: Actor) -> bool:
    """Return whether an actor has a role other than that of those who ask."""
    return is_named(actor.id) and bool(
        (actor.roles or frozenset()) & (set(compiled.procedure.roles) - {rule.role})
    )


def _has(actor: Actor) -> dict[str, object]:
    return {"has": sorted(actor.roles or ())}


def _refused(refusal: refusals.Refusal) -> Refused:
    return Refused(refusal.rule, refusal.message, refusal.remedy)
