"""What can be asked about instances: the questions of an engine. None of them changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from os import PathLike
from typing import Unpack

from svcflow import explanation
from svcflow.bounds import LAST_US, refuse_length
from svcflow.errors import ChangedProcedure, StoreError, UnknownProcedure
from svcflow.explanation.explain import Explanation
from svcflow.journal.checkpoint import Checkpoint, newest
from svcflow.kernel.commands import Actor
from svcflow.kernel.facts import Fact, Migrated, to_datetime
from svcflow.kernel.instance import NEVER, Instance
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.lifecycle.work_items import soonest_due_us
from svcflow.kernel.moves import availability
from svcflow.kernel.moves.availability import Available
from svcflow.kernel.moves.row_choice import NO_DATA
from svcflow.kernel.storable import refuse_no_text
from svcflow.kernel.timing.deadlines import Deadline
from svcflow.kernel.timing.deadlines import deadlines as deadlines_of
from svcflow.kernel.timing.pinned_targets import Promises, promises
from svcflow.model.field import Value
from svcflow.runtime.command_checks import refuse_no_actor, refuse_no_instance
from svcflow.runtime.core import Core
from svcflow.runtime.engine_errors import unknown_instance
from svcflow.runtime.filters import (
    DeviationFilters,
    DeviationKey,
    InstanceFilters,
    InstanceKey,
    Page,
    WorkItem,
    bounded,
    cursor_from,
    deviations_asked,
    instances_asked,
    refuse_deviations_by,
    refuse_instances_by,
    work_asked,
)
from svcflow.runtime.integrity.verification import Progress, Verification, verify
from svcflow.text import Text
from svcflow.worktime.instants import amount_us


class Questions(Core):
    """Ask about instances, their deadlines, journals and deviations."""

    def instance(self, instance: str) -> Instance:
        """Return an instance as last recorded. Raises: UnknownInstance."""
        return self._kept(instance).instance

    def instances(
        self, *, limit: int | None = None, after: str | None = None, **filters: Unpack[InstanceFilters]
    ) -> Page[Instance]:
        """Return instances, newest first; `after` is that of the page before, for the next `limit` ones.

        Filters: procedure, status, step, role, recipient, group, data, since, until, due_before (see
        `InstanceFilters`).
        """
        cursor = cursor_from(after, (int, str))
        return self._store.instances(instances_asked(filters)._replace(limit=bounded(limit), after=cursor))

    def count_instances(self, **filters: Unpack[InstanceFilters]) -> int:
        """Return how many instances `instances` would give without a limit."""
        return self._store.instance_counts(instances_asked(filters), None)[""]

    def instance_counts(self, by: InstanceKey, **filters: Unpack[InstanceFilters]) -> Mapping[str, int]:
        """Return how many instances there are by procedure, status, step, role or group, the most first."""
        refuse_instances_by(by)
        return self._store.instance_counts(instances_asked(filters), by)

    def deadlines(self, instance: str, *, ended: bool = False) -> tuple[Deadline, ...]:
        """Return the deadlines as they are now, soonest first. Raises: UnknownInstance."""
        kept = self._kept(instance).instance
        promised = self._promised(kept)
        return deadlines_of(self._compiled(kept), kept, self.clock.now_us(), ended=ended, promised=promised)

    def _promised(self, instance: Instance) -> Promises:
        """Return what earlier versions promised; nothing where there is one version, so nobody was migrated.

        Nothing either where the catalog has not all versions that the journal names: a deadline does not hang on it.
        """
        if len(self.catalog.versions(instance.procedure)) < 2:
            return {}
        facts = self._store.facts(instance.id, instance.sequence)
        if not any(isinstance(fact, Migrated) for fact in facts):
            return {}
        try:
            return promises(self._standards.version, facts)
        except (UnknownProcedure, ChangedProcedure):
            return {}

    def explain(self, instance: str, limit: str) -> Explanation:
        """Return how a limit's deadline came to be, line by line. Raises: UnknownInstance, UnknownLimit."""
        refuse_no_text("limit", limit)
        kept = self._kept(instance).instance
        compiled, version_of = self._compiled(kept), self._standards.version
        return explanation.explain(
            compiled, self._store.facts(instance), limit, self.clock.now_us(), version_of
        )

    def available(
        self, instance: str, actor: Actor | None = None, *, data: Mapping[str, Value] = NO_DATA
    ) -> tuple[Available, ...]:
        """Return the triggers of the active steps, and why closed ones are; without an actor, for whomever it is.

        `data` is what is to come with the move: guards are asked with it, as `fire` asks them.

        Raises: UnknownInstance, FieldError.
        """
        if actor is not None:
            refuse_no_actor("actor", actor)
        kept = self._kept(instance).instance
        return availability.available(self._compiled(kept), kept, actor, self.clock.now_us(), data)

    def journal(self, instance: str) -> tuple[Fact, ...]:
        """Return the facts of an instance. Raises: UnknownInstance."""
        self._kept(instance)
        return tuple(self._store.facts(instance))

    def deviations(
        self, *, limit: int | None = None, after: str | None = None, **filters: Unpack[DeviationFilters]
    ) -> Page[Deviation]:
        """Return the recorded deviations, in the order in which they occurred. Call `tick()` first to be current.

        Filters: instance, procedure, kind, step, role, group, since, until, status (see `DeviationFilters`).
        """
        cursor = cursor_from(after, (int, str, int))
        return self._store.deviations(deviations_asked(filters)._replace(limit=bounded(limit), after=cursor))

    def count_deviations(self, **filters: Unpack[DeviationFilters]) -> int:
        """Return how many deviations `deviations` would give without a limit."""
        return self._store.deviation_counts(deviations_asked(filters), None)[""]

    def deviation_counts(self, by: DeviationKey, **filters: Unpack[DeviationFilters]) -> Mapping[str, int]:
        """Return how many deviations there are by procedure, kind, step, role, group or status, the most first."""
        refuse_deviations_by(by)
        return self._store.deviation_counts(deviations_asked(filters), by)

    def worklist(
        self,
        actor: Actor | None = None,
        *,
        role: str | None = None,
        procedure: str | None = None,
        due_before: datetime | None = None,
        limit: int = 1_000,
        after: str | None = None,
    ) -> Page[WorkItem]:
        """Return the work that waits, the soonest due first: an actor's own, a role's, or all of it.

        An actor's is what is assigned to them, and what nobody has yet in one of their roles. Of an actor who
        acts on somebody's behalf (see `acting`) it is what is assigned to that person, or free for the
        delegated roles. `due_before` asks for what has a running deadline before that instant. `after` is that
        of the page before, for the next `limit` items.

        Each item carries who is served and the data that are not personal, so that a page needs no other query.
        """
        cursor = cursor_from(after, (int, int, str, str))
        asked = work_asked(actor, role, procedure, due_before)
        asked = asked._replace(limit=bounded(limit), after=cursor, now_us=self.clock.now_us())
        return self._impersonal(self._store.worklist(asked))

    def overdue(
        self,
        actor: Actor | None = None,
        *,
        role: str | None = None,
        procedure: str | None = None,
        within: timedelta = timedelta(0),
        limit: int = 1_000,
        after: str | None = None,
    ) -> Page[WorkItem]:
        """Return the work whose deadline has passed, the longest overdue first; see `worklist`.

        `within` asks for what will be overdue in that much elapsed time too, unless it is done by then. What a
        deadline is late by, in its own clock, `deadlines` says; a limit that is held has none.
        """
        refuse_length("within", within)
        by = to_datetime(min(self.clock.now_us() + amount_us(within), LAST_US))
        return self.worklist(actor, role=role, procedure=procedure, due_before=by, limit=limit, after=after)

    def due_at(self, instance: Instance) -> datetime | None:
        """Return the soonest deadline that runs for an instance, without asking the store; None without any."""
        refuse_no_instance(instance)
        due_us = NEVER if instance.status == "ended" else soonest_due_us(self._compiled(instance), instance)
        return None if due_us == NEVER else to_datetime(due_us)

    def _impersonal(self, found: Page[WorkItem]) -> Page[WorkItem]:
        """Leave out the personal data of a page: a list is seen by more people than have the work."""
        personal = {name: self.catalog.personal(name) for name in {one.procedure for one in found}}
        return found.mapped(
            lambda one: one._replace(
                data={key: value for key, value in one.data.items() if key not in personal[one.procedure]}
            )
        )

    def verify(
        self,
        instance: str | None = None,
        *,
        checkpoint: Checkpoint | str | PathLike[str] | None = None,
        progress: Progress | None = None,
    ) -> Verification:
        """Check journals against their chains, and all that is kept beside them against the journals.

        Of all instances it checks too what the store keeps once for all: its seals, pinned procedures,
        subscriptions and delegations. docs/explanation/journal.md names the columns that nothing can tell.

        With a checkpoint, or the file that `seal` appends them to, what was sealed then is checked too: a cut
        tail, a deleted instance, a chain written anew. `progress` is told the number of instances done.
        Raises: UnknownInstance; StoreError when the file holds no checkpoint.
        """
        if instance is not None:
            refuse_no_text("instance", instance)
            if not any(rows.tables for rows in self._store.instance_rows(instance)):
                raise unknown_instance(instance)
        sealed = (
            checkpoint if checkpoint is None or isinstance(checkpoint, Checkpoint) else newest(checkpoint)
        )
        if checkpoint is not None and sealed is None:
            message = Text(zh=f"{checkpoint} 中没有检查点", en=f"there is no checkpoint in {checkpoint}")
            raise StoreError(message, Text(zh="用 svcflow seal 生成", en="make one with `svcflow seal`"))
        return verify(self._store, self._standards, instance, progress, sealed)
