"""Versions: instances stay with the one they started under, until they are migrated. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import attrs

from svcflow.journal.canonical import from_bytes
from svcflow.journal.personal_data import Book, exposed
from svcflow.kernel.commands import NOBODY, Actor, DueRule, Migrate, Revert, names_of
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.input_checks import require_reason
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.version_change import VersionOf
from svcflow.model.catalog import asked_for
from svcflow.model.field import Value
from svcflow.runtime.carrying import Carrying
from svcflow.runtime.clock import Clock
from svcflow.runtime.core import Core
from svcflow.runtime.migration import MigrationPreview, passage_for, preview
from svcflow.runtime.payload import refuse_no_mapping, refuse_revision, refuse_unfit
from svcflow.runtime.store import PART, Found

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

    def _decided(self, found: Found, instance: Instance, now_us: int) -> tuple[Compiled, Outcome]:
        left = self._compiled_of(instance)
        caught_up = transact(left, instance, None, now_us, PART)
        if caught_up.behind:  # the whole journal is read once, when the command can be judged
            return left, caught_up
        book = Book(found.secrets)
        journal = (from_bytes(body, book) for body in found.journal())
        passage = passage_for(self._version_of, instance, self._crossing, journal)
        return passage, transact(passage, instance, self._crossing, now_us, PART)


def _left(version_of: VersionOf, instance: Instance) -> Compiled:
    return version_of(instance.procedure, instance.version)
