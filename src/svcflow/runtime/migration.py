"""Migration of instances to another version of their procedure, and back, with a preview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import attrs

from svcflow.journal.canonical import from_bytes
from svcflow.journal.personal_data import Commitments, fields_in_clear
from svcflow.kernel.commands import Migrate, Revert, names_of
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.facts import Fact, Migrated, Refused
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.migration_target import (
    MigrationTarget,
    VersionOf,
    carried_parameters,
    mapped_limit,
    parameters_before,
)
from svcflow.kernel.replay import migration_in_force, performers_of
from svcflow.kernel.timing.deadlines import Deadline, deadlines
from svcflow.model.catalog import catalog_key
from svcflow.runtime.clock import Clock
from svcflow.runtime.command_checks import refuse_no_mapping, refuse_revision, refuse_unfit
from svcflow.runtime.commands import CommandExecutor, CommandHandler
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.queries import load
from svcflow.runtime.store import MAX_FACTS, LockedInstance, Store
from svcflow.text import NO_TEXT, Text

_PREVIEWED = "-"
"""Stands for the instances of a preview in the check of its command; each name is checked when it is loaded."""


class Migrator:
    """Migrates instances of a store, and previews what that would do."""

    def __init__(
        self, store: Store, registry: ProcedureRegistry, clock: Clock, executor: CommandExecutor
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._executor = executor

    def execute(
        self, instance: str, command: Migrate | Revert, command_id: str | None, expected: int | None
    ) -> Instance:
        """Execute a migration; its target is pinned first. Raises: as `CommandExecutor.execute`, UnknownProcedure."""
        if expected is not None:
            refuse_revision(expected)
        if isinstance(command, Migrate):
            refuse_no_mapping("steps", command.steps)
            procedure = load(self._store, instance).instance.procedure
            catalog_key((procedure, command.version))
            self._registry.pin(self._registry.version(procedure, command.version))
        handler = MigrationHandler(
            self._registry,
            instance,
            command,
            self._clock,
            command_id=command_id,
            expected=expected,
            in_parts=self._executor.in_parts,
        )
        return self._executor.run(handler)

    def preview(self, instances: str | Iterable[str], command: Migrate) -> tuple[MigrationPreview, ...]:
        """Return what a migration would do to each instance."""
        catalog_key(("", command.version))
        refuse_unfit(_PREVIEWED, command, None, self._executor.payload_limit)
        several = isinstance(instances, Iterable)
        names = (instances,) if isinstance(instances, str) else instances
        if not several:
            names = names_of("instances", names)  # raises, for it is no name either
        return tuple(self._preview(load(self._store, name).instance, command) for name in names)

    def _preview(self, instance: Instance, command: Migrate) -> MigrationPreview:
        previewed = preview(self._registry.version, instance, command, self._clock.now_us())
        personal = self._registry.version(instance.procedure, command.version).personal
        clear = fields_in_clear((body for body, _ in self._store.rows(instance.id)), personal)
        return attrs.evolve(previewed, exposed=tuple(sorted(clear)))


class MigrationHandler(CommandHandler):
    """Decides a migration with both versions, and with the journal as it is in the same transaction."""

    def __init__(
        self,
        registry: ProcedureRegistry,
        instance: str,
        command: Migrate | Revert,
        clock: Clock,
        *,
        command_id: str | None,
        expected: int | None,
        in_parts: bool,
    ) -> None:
        super().__init__(
            registry.of, instance, command, clock, command_id=command_id, expected=expected, in_parts=in_parts
        )
        self._registry = registry
        self._migration = command

    def _decide(self, locked: LockedInstance, instance: Instance, now_us: int) -> Outcome:
        source = self._registry.of(instance)
        caught_up = transact(source, instance, None, now_us, MAX_FACTS)
        if caught_up.behind:  # the whole journal is read once, when the command can be judged
            return caught_up
        commitments = Commitments(locked.journal.secrets)
        journal = (from_bytes(body, commitments) for body in locked.journal.bodies())
        target = target_of(self._registry.version, instance, self._migration, journal)
        return transact(source, instance, self._migration, now_us, MAX_FACTS, target=target)


LimitFate = Literal["kept", "moved", "ended", "started"]


@attrs.frozen
class LimitPreview:
    """What a migration does to one limit: `before` and `after` are its deadlines, None while it is on hold."""

    limit: str
    fate: LimitFate
    before: datetime | None
    after: datetime | None


@attrs.frozen
class MigrationPreview:
    """What a migration would do to one instance; `refused` is the rule that would refuse it, or `""`.

    `exposed` are fields that are personal in the other version and stand in the clear in the journal already.
    """

    instance: str
    from_version: int
    to_version: int
    steps_before: tuple[str, ...]
    steps_after: tuple[str, ...]
    limits: tuple[LimitPreview, ...]
    refused: str = ""
    why: Text = NO_TEXT
    remedy: Text = NO_TEXT
    exposed: tuple[str, ...] = ()


def target_of(
    version_of: VersionOf, instance: Instance, command: Migrate | Revert, journal: Iterable[Fact] = ()
) -> MigrationTarget:
    """Return the target of a migration; `journal` is the whole journal of the instance.

    Who did which step, and which migration there is to revert, is read from it.

    Raises: UnknownProcedure when the catalog lacks the version.
    """
    facts = tuple(journal)
    performers = performers_of(version_of, facts) if facts else None
    if isinstance(command, Migrate):
        source = version_of(instance.procedure, instance.version)
        into = version_of(instance.procedure, command.version)
        kept = carried_parameters(instance.parameters, source.procedure, into)
        return MigrationTarget(into.under(kept), performers=performers)
    fact = migration_in_force(facts)
    if fact is None:
        return MigrationTarget(source_of(version_of, instance), None, performers)
    into = version_of(instance.procedure, fact.from_version)
    return MigrationTarget(into.under(parameters_before(facts, fact)), fact, performers)


def source_of(version_of: VersionOf, instance: Instance) -> Compiled:
    """Return the version that an instance runs under, with the values pinned to it."""
    return version_of(instance.procedure, instance.version).under(instance.parameters)


def preview(
    version_of: VersionOf,
    instance: Instance,
    command: Migrate | Revert,
    at_us: int,
    journal: Iterable[Fact] = (),
) -> MigrationPreview:
    """Return what a migration would do, without doing it. Raises: UnknownProcedure, FieldError."""
    source = source_of(version_of, instance)
    target = target_of(version_of, instance, command, journal)
    current = transact(source, instance, None, at_us).instance
    outcome = transact(source, instance, command, at_us, target=target)
    unchanged = MigrationPreview(
        instance.id, instance.version, target.compiled.procedure.version, current.steps, current.steps, ()
    )
    if outcome.refused is not None:
        return _refused(unchanged, outcome.refused, outcome.remedy)
    steps = next(fact.steps for fact in outcome.facts if isinstance(fact, Migrated))
    before = {mapped_limit(steps, old.limit): old for old in deadlines(source, current, at_us)}
    after = {new.limit: new for new in deadlines(outcome.compiled, outcome.instance, at_us)}
    limits = tuple(_limits(before, after))
    return attrs.evolve(unchanged, steps_after=outcome.instance.steps, limits=limits)


def _refused(preview: MigrationPreview, fact: Refused, remedy: Text) -> MigrationPreview:
    return attrs.evolve(preview, refused=fact.rule, why=fact.reason, remedy=remedy)


def _limits(before: Mapping[str, Deadline], after: Mapping[str, Deadline]) -> Iterator[LimitPreview]:
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            yield LimitPreview(old.limit, "ended", old.due_at, None)
        else:
            held_otherwise = old.due_at is None and new.remaining != old.remaining
            kept = new.due_at == old.due_at and not held_otherwise
            yield LimitPreview(name, "kept" if kept else "moved", old.due_at, new.due_at)
    for name, new in after.items():
        if name not in before:
            yield LimitPreview(name, "started", None, new.due_at)
