"""Commands that reschedule an instant, extend a limit, and recompute deadlines of corrected calendars."""

from __future__ import annotations

from svcflow.errors import FieldError
from svcflow.kernel import refusals
from svcflow.kernel.commands import Extend, Recompute, Reschedule
from svcflow.kernel.facts import Extended, Recomputed, Rescheduled
from svcflow.kernel.input_checks import require_reason
from svcflow.kernel.instance import STOPPED
from svcflow.kernel.lifecycle.settled_changes import (
    record_settled_changes,
    settled_changes,
    settled_refusal,
)
from svcflow.kernel.moves.authorization import lacks_role
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit, reach_of
from svcflow.kernel.transaction import Transaction
from svcflow.model.limit import Extension
from svcflow.nearest import nearest
from svcflow.text import Text, cut


def reschedule(transaction: Transaction, command: Reschedule) -> Refusal | None:
    """Move a scheduled instant. Raises: FieldError when the field is no declared instant."""
    field = transaction.compiled.procedure.fields.get(command.field)
    if field is None or field.type != "instant":
        instants = [f.id for f in transaction.compiled.procedure.fields.values() if f.type == "instant"]
        raise FieldError(
            Text(
                zh=f"“{cut(command.field)}”不是预约时间字段",
                en=f"{cut(command.field)!r} is no field of type instant",
            ),
            nearest(command.field, instants),
        )
    if field.personal:
        raise FieldError(
            Text(
                zh=f"“{command.field}”是个人信息，不是预约时间",
                en=f"{command.field!r} is personal data, which nothing is scheduled by",
            ),
            Text(zh="用 update 修改", en="change it by update"),
        )
    previous = transaction.draft.data.get(command.field)
    at = field.accept(command.at)
    changed = settled_changes(transaction, {field.id: at})
    refusal = settled_refusal(transaction, changed)
    if refusal is None:
        transaction.record(Rescheduled, transaction.at_us, command.actor.id, command.field, at, previous)
        record_settled_changes(transaction, command.actor.id, changed)
    return refusal


def extend(transaction: Transaction, command: Extend) -> Refusal | None:
    """Prolong a limit once, before its deadline. Raises: FieldError without a reason."""
    require_reason(command.reason)
    limit = transaction.compiled.limits.get(command.limit)
    if limit is None:
        return refusals.unknown_limit(
            transaction.compiled.procedure.id, command.limit, transaction.compiled.limits
        )
    extension = limit.limit.extension
    if extension is None:
        return refusals.no_extension(command.limit)
    refusal = _state_refusal(transaction, limit) or _grant_refusal(transaction, command, extension)
    if refusal is not None:
        return refusal
    watch = transaction.draft.stopwatches[limit.id]
    # A limit that stands still has no deadline: recorded is the one it would have, if it ran on at once.
    was_us = stopwatch.due(
        limit, stopwatch.resume(watch, transaction.at_us) if watch.open_us == STOPPED else watch
    )
    transaction.record(
        Extended,
        transaction.at_us,
        command.actor.id,
        limit.id,
        watch.visit,
        reach_of(extension.by),
        was_us,
        command.reason,
        dict(command.evidence),
    )
    return None


def recompute(transaction: Transaction, command: Recompute) -> Refusal | None:
    """Compute every running deadline anew and record those that changed, with both instants.

    Raises: FieldError without a reason.
    """
    require_reason(command.reason)
    for limit_id, watch in transaction.draft.stopwatches.items():
        if watch.verdict:
            continue
        due_us = stopwatch.recomputed_due(transaction.compiled.limits[limit_id], watch)
        if due_us != watch.due_us:
            transaction.record(
                Recomputed,
                transaction.at_us,
                command.actor.id,
                limit_id,
                watch.visit,
                watch.due_us,
                due_us,
                command.reason,
            )
    return None


def _state_refusal(transaction: Transaction, limit: CompiledLimit) -> Refusal | None:
    watch = transaction.draft.stopwatches.get(limit.id)
    if watch is None or watch.verdict:
        return refusals.limit_not_running(limit.id)
    if watch.overdue:
        return refusals.limit_overdue(limit.id)
    if limit.rows[watch.row].target is None:
        return refusals.limit_without_target(limit.id)
    if watch.extra or watch.kept:
        return refusals.already_extended(limit.id)
    return None


def _grant_refusal(transaction: Transaction, command: Extend, extension: Extension) -> Refusal | None:
    if extension.role is not None and lacks_role(transaction.compiled, extension.role, command.actor):
        return refusals.extension_for_role(transaction.compiled, extension.role)
    absent = [name for name in extension.evidence if name not in command.evidence]
    return refusals.extension_without_evidence(absent) if absent else None
