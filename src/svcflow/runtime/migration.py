"""Versions: instances stay with the one they started under, until they are migrated. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Literal

import attrs

from svcflow.journal.canonical import from_bytes
from svcflow.journal.personal_data import Commitments, exposed
from svcflow.kernel.commands import NOBODY, Actor, DueRule, Migrate, Revert, names_of
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.facts import Fact, Migrated, Refused
from svcflow.kernel.input_checks import require_reason
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.version_change import MigrationTarget, VersionOf, mapped_limit
from svcflow.kernel.replay import migration_in_force, performers_of
from svcflow.kernel.timing.deadlines import Deadline, deadlines
from svcflow.model.catalog import asked_for
from svcflow.model.field import Value
from svcflow.runtime.clock import Clock
from svcflow.runtime.command_checks import refuse_no_mapping, refuse_revision, refuse_unfit
from svcflow.runtime.core import Core
from svcflow.runtime.handlers import Carrying
from svcflow.runtime.store import PART, Found
from svcflow.text import NO_TEXT, Text

_NONE: Mapping[str, str] = {}
_PREVIEWED = "-"
"""Stands for the instances of which a preview is asked; each is looked at by its own name."""


class Migrations(Core):
    """Take instances over to another version of their procedure, and back."""

    def migrate(
        self,
        instance: str,
        version: int,
        *,
        reason: str,
        steps: Mapping[str, str] = _NONE,
        due: DueRule = "keep",
        data: Mapping[str, Value] = _NONE,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Take an instance over to another version; `steps` says where steps go that are called otherwise there.

        Deadlines stay what they are unless `due="recompute"`. See `preview_migration`, and `svcflow.diff`,
        whose `mapping` is a proposal for `steps`.

        Raises: Refused (rule `migration`), UnknownProcedure, FieldError, UnknownInstance, StaleRevision.
        """
        require_reason(reason)
        command = Migrate(version, steps, reason, due, actor, data)
        return self._cross(instance, command, command_id, expected_revision)

    def revert_migration(
        self,
        instance: str,
        *,
        reason: str,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Take the last migration back, while every active step has a way back. Raises: as `migrate`."""
        require_reason(reason)
        return self._cross(instance, Revert(reason, actor), command_id, expected_revision)

    def preview_migration(
        self,
        instances: str | Iterable[str],
        version: int,
        *,
        steps: Mapping[str, str] = _NONE,
        due: DueRule = "keep",
        data: Mapping[str, Value] = _NONE,
        actor: Actor = NOBODY,
    ) -> tuple[MigrationPreview, ...]:
        """Say what `migrate` would do to each instance, doing nothing.

        Raises: UnknownProcedure, FieldError, UnknownInstance.
        """
        asked_for(("", version))
        command = Migrate(version, steps, "", due, actor, data)
        refuse_unfit(_PREVIEWED, command, None, self._payload_limit)
        named = isinstance(instances, Iterable)
        names = (
            (instances,)
            if isinstance(instances, str)
            else instances
            if named
            else names_of("instances", instances)
        )
        return tuple(self._preview(self._kept(name).instance, command) for name in names)

    def _preview(self, instance: Instance, command: Migrate) -> MigrationPreview:
        seen = preview(self._standards.version, instance, command, self.clock.now_us())
        personal = self._standards.version(instance.procedure, command.version).personal
        clear = exposed((body for body, _ in self._store.rows(instance.id)), personal)
        return attrs.evolve(seen, exposed=tuple(sorted(clear)))

    def _cross(
        self, instance: str, command: Migrate | Revert, command_id: str | None, expected: int | None
    ) -> Instance:
        if expected is not None:
            refuse_revision(expected)
        if isinstance(command, Migrate):
            refuse_no_mapping("steps", command.steps)
            procedure = self._kept(instance).instance.procedure
            asked_for((procedure, command.version))
            self._standards.pin(self._standards.version(procedure, command.version))
        crossing = Crossing(
            self._standards.version,
            instance,
            command,
            self.clock,
            command_id=command_id,
            expected=expected,
            in_parts=self._in_parts,
        )
        return self._ask(instance, command, command_id, crossing)


class Crossing(Carrying):
    """Carry a migration: decided with both versions, and by the journal as it is in the same transaction."""

    def __init__(
        self,
        version_of: VersionOf,
        instance: str,
        command: Migrate | Revert,
        clock: Clock,
        *,
        command_id: str | None,
        expected: int | None,
        in_parts: bool,
    ) -> None:
        left = partial(_left, version_of)
        super().__init__(
            left, instance, command, clock, command_id=command_id, expected=expected, in_parts=in_parts
        )
        self._version_of = version_of
        self._crossing = command

    def _decided(self, found: Found, instance: Instance, now_us: int) -> Outcome:
        left = self._compiled_of(instance)
        caught_up = transact(left, instance, None, now_us, PART)
        if caught_up.behind:  # the whole journal is read once, when the command can be judged
            return caught_up
        book = Commitments(found.journal.secrets)
        journal = (from_bytes(body, book) for body in found.journal.bodies())
        target = target_of(self._version_of, instance, self._crossing, journal)
        return transact(left, instance, self._crossing, now_us, PART, target=target)


def _left(version_of: VersionOf, instance: Instance) -> Compiled:
    return version_of(instance.procedure, instance.version)


LimitFate = Literal["kept", "moved", "ended", "started"]


@attrs.frozen
class LimitPreview:
    """Hold what becomes of one limit: `before` and `after` are its deadlines, None while it stands still."""

    limit: str
    fate: LimitFate
    before: datetime | None
    after: datetime | None


@attrs.frozen
class MigrationPreview:
    """Hold what a migration would do to one instance; `refused` is the rule that would refuse it, or nothing.

    `exposed` are fields that are personal in the other version, and stand in the clear in the journal already.
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
    """Return the target of a migration; `journal` is the instance's, whole.

    It tells who did which step, and which migration there is to take back.

    Raises: UnknownProcedure without that version.
    """
    facts = tuple(journal)
    performers = performers_of(version_of, facts) if facts else None
    if isinstance(command, Migrate):
        return MigrationTarget(version_of(instance.procedure, command.version), performers=performers)
    fact = migration_in_force(facts)
    version = instance.version if fact is None else fact.from_version
    return MigrationTarget(version_of(instance.procedure, version), fact, performers)


def preview(
    version_of: VersionOf,
    instance: Instance,
    command: Migrate | Revert,
    at_us: int,
    journal: Iterable[Fact] = (),
) -> MigrationPreview:
    """Say what a migration would do, doing nothing. Raises: UnknownProcedure, FieldError."""
    source = version_of(instance.procedure, instance.version)
    target = target_of(version_of, instance, command, journal)
    left = transact(source, instance, None, at_us).instance
    outcome = transact(source, instance, command, at_us, target=target)
    known = MigrationPreview(
        instance.id, instance.version, target.compiled.procedure.version, left.steps, left.steps, ()
    )
    if outcome.refused is not None:
        return _refused(known, outcome.refused, outcome.remedy)
    steps = next(fact.steps for fact in outcome.facts if isinstance(fact, Migrated))
    before = {mapped_limit(steps, one.limit): one for one in deadlines(source, left, at_us)}
    after = {one.limit: one for one in deadlines(outcome.compiled, outcome.instance, at_us)}
    limits = tuple(_limits(before, after))
    return attrs.evolve(known, steps_after=outcome.instance.steps, limits=limits)


def _refused(known: MigrationPreview, fact: Refused, remedy: Text) -> MigrationPreview:
    return attrs.evolve(known, refused=fact.rule, why=fact.reason, remedy=remedy)


def _limits(before: Mapping[str, Deadline], after: Mapping[str, Deadline]) -> Iterator[LimitPreview]:
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            yield LimitPreview(old.limit, "ended", old.due_at, None)
        else:
            still = old.due_at is None and new.remaining != old.remaining
            kept = new.due_at == old.due_at and not still
            yield LimitPreview(name, "kept" if kept else "moved", old.due_at, new.due_at)
    for name, new in after.items():
        if name not in before:
            yield LimitPreview(name, "started", None, new.due_at)
