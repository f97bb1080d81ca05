"""Versions: instances stay with the one they started under, until they are migrated. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from svcflow.kernel.commands import NOBODY, Actor, DueRule, Migrate, Revert
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.instance import Instance
from svcflow.model.field import Value
from svcflow.runtime.carrying import Carrying
from svcflow.runtime.core import Core
from svcflow.runtime.migration import MigrationPreview, passage_for, preview

_NONE: Mapping[str, str] = {}


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
        command = Migrate(version, steps, "", due, actor, data)
        names = (instances,) if isinstance(instances, str) else instances
        now_us = self.clock.now_us()
        return tuple(
            preview(self._standards.version, self._kept(name).instance, command, now_us) for name in names
        )

    def _cross(
        self, instance: str, command: Migrate | Revert, command_id: str | None, expected: int | None
    ) -> Instance:
        def passage(found: Instance) -> Compiled:
            journal = self._store.facts(found.id) if isinstance(command, Revert) else ()
            return passage_for(self._standards.version, found, command, journal)

        carrying = Carrying(passage, instance, command, self.clock, command_id=command_id, expected=expected)
        self._store.change(instance, command_id, carrying)
        return self._answered(instance, carrying)
