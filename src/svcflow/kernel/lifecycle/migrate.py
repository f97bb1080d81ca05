"""Commands that migrate an instance to another version, and revert that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from svcflow.errors import FieldError
from svcflow.kernel import refusals
from svcflow.kernel.commands import DueRule, Migrate, Revert
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import SYSTEM, Released, Settled
from svcflow.kernel.input_checks import accepted, is_given
from svcflow.kernel.instance import Draft
from svcflow.kernel.lifecycle.migration_target import MigrationTarget, mapped_limit, mapped_step
from svcflow.kernel.lifecycle.settled_changes import (
    record_settled_changes,
    settled_changes,
    settled_refusal,
)
from svcflow.kernel.moves.authorization import barred_step
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.calendar_fingerprints import fingerprints_of
from svcflow.kernel.transaction import Transaction
from svcflow.model.field import Field, Value
from svcflow.model.procedure import Procedure

Steps = Mapping[str, str]


def migrate(transaction: Transaction, command: Migrate) -> Refusal | None:
    """Migrate to another version. Raises: FieldError when `data` does not fit it; TypeError without a target."""
    target, source, draft = _target(transaction), transaction.compiled, transaction.draft
    into = target.compiled
    given = accepted(into.procedure, command.data, extra=())
    data = {**_defaults(source, into, draft, given), **given}
    changed = settled_changes(transaction, given)
    refusal = (
        _version_refusal(transaction, into)
        or _mapping_refusal(source, into, command.steps)
        or _placement_refusal(source, into, command.steps, draft.active)
        or _children_refusal(source, into, command.steps, draft)
        or _data_refusal(into.procedure, {**draft.data, **data})
        or settled_refusal(transaction, changed)
    )
    if refusal is None:
        steps = {old: new for old, new in command.steps.items() if old != new}
        record_settled_changes(transaction, command.actor.id, changed)
        _record(transaction, target, command, steps, due=command.due, data=data)
    return refusal


def revert(transaction: Transaction, command: Revert) -> Refusal | None:
    """Migrate back to the version before the last migration. Raises: TypeError without a target."""
    target, source, draft = _target(transaction), transaction.compiled, transaction.draft
    into, fact = target.compiled, target.reverted
    if fact is None:
        return refusals.no_migration_to_revert()
    sources = _sources(into, fact.steps)
    steps = {new: olds[0] for new, olds in sources.items() if len(olds) == 1 and olds[0] != new}
    data = _defaults(source, into, draft, {})
    refusal = (
        _way_back_refusal(sources, draft.active, fact.from_version)
        or _placement_refusal(source, into, steps, draft.active)
        or _children_refusal(source, into, steps, draft)
        or _data_refusal(into.procedure, {**draft.data, **data})
    )
    if refusal is None:
        _record(transaction, target, command, steps, data=data, reverts=fact.sequence)
    return refusal


def _target(transaction: Transaction) -> MigrationTarget:
    if transaction.target is None:
        raise TypeError("a migration needs both versions: give its `target`")
    return transaction.target


def _placement_refusal(
    source: Compiled, into: Compiled, steps: Steps, active: Iterable[str]
) -> Refusal | None:
    """Refuse unless every active step has a counterpart of the same nesting, and every new branch an active step."""
    active = tuple(active)
    taken: dict[str, str] = {}
    for name in active:
        refusal = _no_counterpart(source, into, steps, name) or _nested_otherwise(source, into, steps, name)
        if refusal is not None:
            return refusal
        scope = into.steps[mapped_step(steps, name)].scope
        if scope in taken:
            return refusals.two_in_one_branch(name, taken[scope], mapped_step(steps, name))
        taken[scope] = name
    for name in active:
        for first in into.steps[mapped_step(steps, name)].branches:
            scope = into.steps[first].scope
            if scope not in taken:
                return refusals.new_branch(name, scope.rpartition("/")[2], into.procedure.version)
    return None


def _children_refusal(source: Compiled, into: Compiled, steps: Steps, draft: Draft) -> Refusal | None:
    """Refuse while a child runs whose procedure the step does not run in the target version."""
    for name, child in draft.children.items():
        if not child.left and child.state != "ended":
            called = into.runs.get(mapped_step(steps, child.step))
            if called is None or called.procedure != child.procedure:
                return refusals.child_not_run(source, child.step, name, into.procedure.version)
    return None


def _record(
    transaction: Transaction,
    target: MigrationTarget,
    command: Migrate | Revert,
    steps: Steps,
    *,
    due: DueRule = "keep",
    data: Mapping[str, Value],
    reverts: int = 0,
) -> None:
    """Record the overruns of limits that end with the migration, then the migration; go on under its target."""
    source, into = transaction.compiled, target.compiled
    for watch in transaction.draft.stopwatches.values():
        gone = mapped_limit(steps, watch.limit) not in into.limits
        if gone and watch.overdue and not watch.verdict:
            limit = source.limits[watch.limit]
            ended = stopwatch.end(limit, watch, transaction.at_us, reached=False)
            over_us = stopwatch.overrun(limit, ended, transaction.at_us)
            transaction.record(
                Settled, transaction.at_us, SYSTEM, watch.limit, watch.visit, watch.due_us, over_us
            )
    held = {mapped_step(steps, step): source.steps[step].step.role for step in transaction.draft.assignees}
    transaction.record_migration(
        target,
        command.actor.id,
        transaction.draft.version,
        into.procedure.version,
        steps,
        due,
        command.reason,
        reverts,
        data,
        fingerprints_of(into),
        gives_way=True,
        parameters=into.parameters,
    )
    _release_assignments(transaction, held)
    transaction.exhausted += [(name, transaction.at_us) for name in _newly_deemed(source, into, steps)]


def _release_assignments(transaction: Transaction, held: Mapping[str, str | None]) -> None:
    """Release steps that are another role's now, or whose assignee may not do them: nobody else could do them."""
    compiled, draft = transaction.compiled, transaction.draft
    for step, was in held.items():
        role, who = compiled.steps[step].step.role, draft.assignees[step]
        giver, _ = draft.deputies.get(step, ("", 0))
        if role not in (None, was) or barred_step(compiled, draft, (step,), who, giver) is not None:
            transaction.record(Released, transaction.at_us, SYSTEM, step)


def _newly_deemed(source: Compiled, into: Compiled, steps: Steps) -> Iterator[str]:
    """Yield the limits whose end moves the instance under the target version, and did not before."""
    for name, old in source.limits.items():
        new = into.limits.get(mapped_limit(steps, name))
        if new is not None and new.fires is not None and old.fires is None:
            yield new.id


def _defaults(source: Compiled, into: Compiled, draft: Draft, given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the defaults of fields that are new, or newly required, and have no value."""
    old, held = source.procedure.fields, {**draft.data, **given}
    return {
        field.id: field.accept(field.default)
        for field in into.procedure.fields.values()
        if field.default is not None
        and not is_given(held.get(field.id))
        and (field.required or field.id not in old)
    }


def _version_refusal(transaction: Transaction, target: Compiled) -> Refusal | None:
    into = target.procedure
    if into.version == transaction.draft.version:
        return refusals.same_version(into.version)
    if into.effective is not None and target.calendar.date_us(transaction.at_us) < into.effective:
        return refusals.not_in_force(into, into.effective)
    return None


def _mapping_refusal(source: Compiled, into: Compiled, steps: Steps) -> Refusal | None:
    for names, known in ((steps, source), (steps.values(), into)):
        for name in names:
            if name not in known.steps:
                return refusals.unknown_step(known.procedure, name, known.steps)
    return None


def _no_counterpart(source: Compiled, into: Compiled, steps: Steps, name: str) -> Refusal | None:
    if mapped_step(steps, name) in into.steps:
        return None
    known = [step for step in into.steps if into.steps[step].scope == source.steps[name].scope]
    return refusals.no_counterpart(into.procedure, name, known or into.steps)


def _nested_otherwise(source: Compiled, into: Compiled, steps: Steps, name: str) -> Refusal | None:
    old, new = source.steps[name], into.steps[mapped_step(steps, name)]
    if new.parent != (mapped_step(steps, old.parent) if old.parent else ""):
        difference = refusals.OTHER_LEVEL
    elif bool(new.branches) != bool(old.branches):
        difference = refusals.PARALLEL_OTHERWISE
    elif (new.step.end is None) != (old.step.end is None):
        difference = refusals.END_OTHERWISE
    else:
        return None
    known = [
        step.step.id
        for step in into.steps.values()
        if step.scope == old.scope
        and bool(step.branches) == bool(old.branches)
        and (step.step.end is None) == (old.step.end is None)
    ]
    return refusals.nested_otherwise(name, new.step.id, difference, known)


def _sources(into: Compiled, steps: Steps) -> dict[str, list[str]]:
    """Return, for each step of the later version, the steps of the earlier one that were mapped to it."""
    sources: dict[str, list[str]] = {}
    for name in into.steps:
        sources.setdefault(mapped_step(steps, name), []).append(name)
    return sources


def _way_back_refusal(
    sources: Mapping[str, list[str]], active: Iterable[str], version: int
) -> Refusal | None:
    for name in active:
        earlier = sources.get(name, [])
        if len(earlier) != 1:
            return refusals.several_ways_back(name, version, earlier)
    return None


def _data_refusal(procedure: Procedure, data: Mapping[str, Value]) -> Refusal | None:
    """Refuse when a required field has no value, or a recorded value does not fit its field any more."""
    for field in procedure.fields.values():
        value = data.get(field.id)
        if field.required and not is_given(value):
            return refusals.field_required(procedure, field.id)
        if not field.personal and not _fits(field, value):  # what is personal may have been erased meanwhile
            return refusals.value_does_not_fit(procedure, field.id)
    return None


def _fits(field: Field, value: Value) -> bool:
    try:
        field.accept(value)
    except FieldError:
        return False
    return True
