"""Decision: the facts that follow from a procedure, an instance, a command and an instant. Pure.

No clock, file, random source or environment is read. Every fact that time brought comes before those of the
command, with the instant at which it became due, so that the journal does not depend on when ticks ran.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from svcflow.kernel import refusals
from svcflow.kernel.commands import (
    Accept,
    Answering,
    Assign,
    BetweenInstances,
    CallOff,
    Claim,
    Command,
    Explain,
    Extend,
    Fire,
    Hold,
    Migrate,
    Recall,
    Recompute,
    RecordChildEnd,
    RecordChildStart,
    RecordParentTold,
    RegularOccurrence,
    Reject,
    Release,
    Reschedule,
    Resume,
    Revert,
    Start,
    Update,
)
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import SYSTEM, CalledOff, Deviated, Fact, Held, Refused, Resumed, Started, Updated
from svcflow.kernel.input_checks import accepted, require_fields
from svcflow.kernel.instance import NEVER, Draft, Instance
from svcflow.kernel.lifecycle.assignment import assign, claim, recall, release
from svcflow.kernel.lifecycle.deviation_review import explain, judge
from svcflow.kernel.lifecycle.migrate import migrate, revert
from svcflow.kernel.lifecycle.migration_target import MigrationTarget
from svcflow.kernel.lifecycle.reschedule import extend, recompute, reschedule
from svcflow.kernel.lifecycle.settled_changes import (
    record_settled_changes,
    settled_changes,
    settled_refusal,
)
from svcflow.kernel.lifecycle.subprocedures import (
    call_off,
    record_child_end,
    record_child_start,
    record_parent_told,
)
from svcflow.kernel.moves.fire import fire
from svcflow.kernel.moves.rules import SEVERITY
from svcflow.kernel.moves.start import record_start_breaches, start_breaches
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.timing.calendar_fingerprints import fingerprints_of
from svcflow.kernel.timing.elapse import pass_time, settle_limits
from svcflow.kernel.transaction import Transaction
from svcflow.model.procedure import Procedure
from svcflow.model.step import HOLD_REASONS
from svcflow.text import NO_TEXT, Text, cut


class Outcome(NamedTuple):
    """Result of a decision: the facts, the instance after them, and the refusal if there was one.

    `compiled` is the version that the instance runs under after them: another one after a migration. `behind` means
    that facts that time brought filled the decision: the command has yet to be judged.
    """

    facts: tuple[Fact, ...]
    instance: Instance
    compiled: Compiled
    refused: Refused | None = None
    remedy: Text = NO_TEXT
    behind: bool = False


def decide(
    compiled: Compiled,
    instance: Instance | None,
    command: Command | None,
    at_us: int,
    *,
    target: MigrationTarget | None = None,
) -> tuple[Fact, ...]:
    """Return the facts that follow from `command` at `at_us`; without a command, those that time brought.

    `at_us` before the last fact of the instance counts as the instant of that fact: a journal never runs
    backwards. `target` is the version that `Migrate` and `Revert` lead to.

    Raises: UnknownTrigger, FieldError (both are mistakes of the caller and leave no fact); Refused for a start that
    a rule stands against, when there is no journal yet to keep it in; TypeError for a migration without `target`.
    """
    return transact(compiled, instance, command, at_us, target=target).facts


def transact(
    compiled: Compiled,
    instance: Instance | None,
    command: Command | None,
    at_us: int,
    most: int = NEVER,
    *,
    target: MigrationTarget | None = None,
) -> Outcome:
    """Decide as `decide` does, and return the instance after the facts too, so that nothing is applied twice.

    `most` bounds the facts that time brings. While the outcome is `behind`, decide again with its instance: however
    many decisions it takes, the facts are the same.
    """
    if instance is None:
        assert isinstance(command, Start)  # noqa: S101  # drivers start what does not exist
        who = command.actor
        transaction = Transaction(compiled, Draft.blank(command.instance), at_us, who.id, who.behalf)
        _start(transaction, command)
        pass_time(transaction, most)
        return Outcome(tuple(transaction.facts), transaction.draft.freeze(), compiled)
    if command is None and instance.next_us > max(at_us, instance.updated_us):
        return Outcome((), instance, compiled)
    transaction = Transaction(compiled, Draft.of(instance), at_us, target=target)
    if not pass_time(transaction, most):
        return Outcome(tuple(transaction.facts), transaction.draft.freeze(), compiled, behind=True)
    if command is not None:
        transaction.act_for(command.actor.id, command.actor.behalf)
    refusal = _judge(transaction, command) if command is not None else None
    refused = _record_refusal(transaction, command, refusal) if refusal is not None else None
    if not transaction.facts:
        return Outcome((), instance, compiled)
    # The command may make something due at its own instant: a limit of nothing, a deadline set in the past.
    pass_time(transaction, most)
    remedy = refusal.remedy if refusal is not None else NO_TEXT
    return Outcome(
        tuple(transaction.facts), transaction.draft.freeze(), transaction.compiled, refused, remedy
    )


def _judge(transaction: Transaction, command: Command) -> Refusal | None:
    if transaction.draft.status == "ended" and not isinstance(command, Answering | Recall | BetweenInstances):
        return refusals.ended(transaction.draft.outcome)
    return _COMMANDS[type(command)](transaction, command)


def _record_refusal(transaction: Transaction, command: Command | None, refusal: Refusal) -> Refused:
    message = refusal.message.bounded()
    fact = transaction.record(
        Refused,
        transaction.at_us,
        command.actor.id if command is not None else "",
        type(command).__name__,
        refusal.rule,
        message.in_("zh"),
        message.in_("en"),
        cut(refusal.step),
        cut(command.trigger) if isinstance(command, Fire) else "",
    )
    assert isinstance(fact, Refused)  # noqa: S101  # for the type checker
    return fact


def _start(transaction: Transaction, command: Start) -> None:
    procedure = transaction.compiled.procedure
    data = accepted(procedure, command.data, extra=())
    given = {**transaction.compiled.defaults, **data}
    if not command.called_off:
        require_fields(procedure, given, data)
    recipient, occurrence = command.recipient, command.occurrence
    breaches = start_breaches(transaction, command, given) if _is_asked(procedure, command) else ()
    transaction.record(
        Started,
        transaction.recorded_us,
        command.actor.id,
        procedure.id,
        procedure.version,
        transaction.compiled.first,
        given,
        dict(command.evidence),
        recipient.id if recipient else "",
        (recipient.group or "") if recipient else "",
        fingerprints_of(transaction.compiled),
        books=bool(transaction.compiled.unbooked),
        start=occurrence.start if occurrence else "",
        occurrence=occurrence.at if occurrence else "",
        parent=command.parent,
        parent_step=command.parent_step,
        performers=command.performers,
        parameters=transaction.compiled.parameters,
        foreseen=command.foreseen,
    )
    record_start_breaches(transaction, command.actor, breaches)
    if occurrence is not None:
        _record_missed(transaction, occurrence)
    if command.called_off:
        transaction.record(CalledOff, transaction.recorded_us, SYSTEM)


def _is_asked(procedure: Procedure, command: Start) -> bool:
    """Return whether somebody asks for the instance: nobody does where it begins by itself, or a parent runs it."""
    return (
        command.occurrence is None
        and not command.parent
        and (procedure.start is not None or command.foreseen)
    )


def _record_missed(transaction: Transaction, occurrence: RegularOccurrence) -> None:
    """Record each occurrence of the regular start before this one that was lost: by nobody, since nothing ran then."""
    for at, due_us in occurrence.missed:
        transaction.record(
            Deviated,
            transaction.at_us,
            SYSTEM,
            "missed_start",
            transaction.compiled.first,
            SEVERITY["missed_start"],
            detail={"start": occurrence.start, "occurrence": at},
            due_us=due_us,
        )


def _hold(transaction: Transaction, command: Hold) -> Refusal | None:
    draft = transaction.draft
    if draft.status == "held":
        return refusals.already_held(draft.hold)
    rules = {rule.reason: rule for rule in transaction.compiled.procedure.holds}
    reasons = tuple(rules) or HOLD_REASONS
    if command.reason not in reasons:
        return refusals.unknown_hold_reason(command.reason, reasons)
    rule = rules.get(command.reason)
    absent = [name for name in (rule.evidence if rule else ()) if name not in command.evidence]
    if absent:
        return refusals.hold_without_evidence(absent)
    transaction.record(Held, transaction.at_us, command.actor.id, command.reason, dict(command.evidence))
    return None


def _resume(transaction: Transaction, command: Resume) -> Refusal | None:
    if transaction.draft.status != "held":
        return refusals.not_held()
    before = transaction.draft.stopwatches
    transaction.record(Resumed, transaction.at_us, command.actor.id, transaction.draft.hold)
    settle_limits(transaction, before, transaction.at_us, command.actor.id)
    return None


def _update(transaction: Transaction, command: Update) -> Refusal | None:
    data = accepted(transaction.compiled.procedure, command.data, extra=())
    changed = settled_changes(transaction, data)
    refusal = settled_refusal(transaction, changed)
    if refusal is None:
        transaction.record(Updated, transaction.at_us, command.actor.id, data, dict(command.evidence))
        record_settled_changes(transaction, command.actor.id, changed)
    return refusal


def _start_again(transaction: Transaction, command: Start) -> Refusal | None:  # noqa: ARG001  # the table's signature
    return refusals.started()


_COMMANDS: Mapping[type[Any], Callable[[Transaction, Any], Refusal | None]] = {
    Start: _start_again,
    Fire: fire,
    Hold: _hold,
    Resume: _resume,
    Update: _update,
    Reschedule: reschedule,
    Extend: extend,
    Recompute: recompute,
    Claim: claim,
    Assign: assign,
    Release: release,
    Explain: explain,
    Accept: judge,
    Reject: judge,
    Migrate: migrate,
    Revert: revert,
    Recall: recall,
    RecordChildStart: record_child_start,
    RecordChildEnd: record_child_end,
    CallOff: call_off,
    RecordParentTold: record_parent_told,
}
