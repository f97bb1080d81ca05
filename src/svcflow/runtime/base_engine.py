"""Base of the engines: every command and query, in transactions of its own or in one of a host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from os import PathLike
from secrets import token_hex
from typing import Unpack

from svcflow.bounds import LARGEST, LAST_US, refuse_length
from svcflow.explanation.explain import Explanation
from svcflow.journal.checkpoint import Checkpoint
from svcflow.kernel.commands import (
    NOBODY,
    Accept,
    Actor,
    Assign,
    Claim,
    DueRule,
    Explain,
    Extend,
    Fire,
    Hold,
    Migrate,
    Recipient,
    Recompute,
    Reject,
    Release,
    Reschedule,
    Resume,
    Revert,
    Start,
    Update,
)
from svcflow.kernel.facts import Fact, to_datetime
from svcflow.kernel.input_checks import require_reason
from svcflow.kernel.instance import NEVER, Instance
from svcflow.kernel.lifecycle.delegation import Delegation, delegate
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.moves.availability import Available
from svcflow.kernel.moves.rules import NO_DATA
from svcflow.kernel.storable import refuse_non_text, refuse_unfit_id, refuse_unfit_name
from svcflow.kernel.timing.coming_moves import ComingMove
from svcflow.kernel.timing.deadlines import Deadline
from svcflow.model.catalog import catalog_key
from svcflow.model.field import Value
from svcflow.runtime.child_runner import ChildRunner
from svcflow.runtime.clock import Clock
from svcflow.runtime.command_checks import (
    COMMAND_ID,
    PERSON,
    refuse_no_actor,
    refuse_no_instance,
    refuse_unfit,
)
from svcflow.runtime.commands import CommandExecutor, new_id
from svcflow.runtime.delegations import DelegationRegister
from svcflow.runtime.engine_errors import refuse_before_effective, refuse_too_long
from svcflow.runtime.filters import (
    DeviationFilters,
    DeviationKey,
    InstanceFilters,
    InstanceKey,
    Page,
    WorkItem,
    bounded,
    cursor_from,
    deviation_query,
    instance_query,
    refuse_deviations_by,
    refuse_instances_by,
    work_query,
)
from svcflow.runtime.integrity.verification import Progress, Verification
from svcflow.runtime.migration import MigrationPreview, Migrator
from svcflow.runtime.notifications import Notifier
from svcflow.runtime.observability import telemetry
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.qualifications import Qualifications
from svcflow.runtime.queries import Queries
from svcflow.runtime.store import Store
from svcflow.runtime.sweeps import Sweeper
from svcflow.worktime.instants import amount_us, given_us

_NONE: Mapping[str, str] = {}


class BaseEngine:
    """Commands and queries over a store. Every command may carry a `command_id`, which makes a repetition safe."""

    def __init__(
        self,
        store: Store,
        registry: ProcedureRegistry,
        clock: Clock,
        notifier: Notifier,
        *,
        payload_limit: int,
        in_parts: bool,
        qualifications: Qualifications | None = None,
    ) -> None:
        self.catalog = registry.catalog
        self.clock: Clock = clock
        self._store = store
        self._registry = registry
        self._telemetry = telemetry()
        self._executor = CommandExecutor(
            store,
            registry,
            clock,
            notifier,
            self._telemetry,
            payload_limit=payload_limit,
            in_parts=in_parts,
            qualifications=qualifications,
        )
        children = ChildRunner(
            store,
            registry,
            clock,
            CommandExecutor(
                store, registry, clock, notifier, self._telemetry, payload_limit=LARGEST, in_parts=in_parts
            ),
        )
        if in_parts:  # in a transaction of a host nothing follows: the engine's tick does it after the commit
            self._executor.follow_up = children.after_command
        self._sweeper = Sweeper(
            store, registry, clock, notifier, self._telemetry, in_parts=in_parts, children=children
        )
        self._delegations = DelegationRegister(store, clock, self._executor)
        self._migrator = Migrator(store, registry, clock, self._executor)
        self._queries = Queries(store, registry, clock, qualifications)

    def start(
        self,
        procedure: str | tuple[str, int],
        *,
        data: Mapping[str, Value] = _NONE,
        recipient: Recipient | None = None,
        actor: Actor = NOBODY,
        evidence: Mapping[str, str] = _NONE,
        foreseen: bool = False,
        instance_id: str | None = None,
        command_id: str | None = None,
    ) -> Instance:
        """Start an instance of the newest version of a procedure, or of `(id, version)`.

        `foreseen` is for whoever provides the service, and starts it before the recipient has voiced the need.

        Raises: UnknownProcedure, ChangedProcedure, FieldError; Refused by the procedure's `start`, or before its
        effective date; StoreError when `instance_id` is taken.
        """
        name, version = catalog_key(procedure)
        compiled = self._registry.newest(name) if version is None else self._registry.version(name, version)
        if version is not None:
            refuse_too_long(compiled.procedure)
        if command_id is not None:
            refuse_unfit_id("command_id", command_id, COMMAND_ID)
        chosen = new_id(name, command_id) if instance_id is None else instance_id
        command = Start(chosen, data, recipient, actor, evidence, foreseen=foreseen)
        refuse_before_effective(compiled, self.clock.now_us())
        return self._executor.start(compiled, command, command_id)

    def fire(
        self,
        instance: str,
        trigger: str,
        *,
        actor: Actor = NOBODY,
        data: Mapping[str, Value] = _NONE,
        evidence: Mapping[str, str] = _NONE,
        step: str | None = None,
        override: str | None = None,
        occurred_at: datetime | None = None,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Move an instance by a trigger; `override` is the reason for going round the declared order.

        Guards are evaluated with `data`; fields and evidence that the move requires have to come with it, also when
        the instance has them from before. `occurred_at` is when it happened, if that was before now: deadlines are
        judged by it.

        Raises: Refused (its `rule` says which), UnknownTrigger, UnknownInstance, StaleRevision, FieldError.
        """
        occurred_us, offset = (None, 0) if occurred_at is None else _happened(occurred_at)
        command = Fire(trigger, actor, data, evidence, step, override, occurred_us, offset)
        return self._executor.execute(instance, command, command_id, expected_revision)

    def hold(
        self,
        instance: str,
        *,
        reason: str,
        actor: Actor = NOBODY,
        evidence: Mapping[str, str] = _NONE,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Stop the limits that a hold stops. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._executor.execute(instance, Hold(reason, actor, evidence), command_id, expected_revision)

    def resume(
        self,
        instance: str,
        *,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """End a hold. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._executor.execute(instance, Resume(actor), command_id, expected_revision)

    def update(
        self,
        instance: str,
        *,
        data: Mapping[str, Value] = _NONE,
        evidence: Mapping[str, str] = _NONE,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Add data or evidence without moving; a required field cannot be emptied.

        Raises: Refused, FieldError, UnknownInstance, StaleRevision.
        """
        return self._executor.execute(instance, Update(actor, data, evidence), command_id, expected_revision)

    def reschedule(
        self,
        instance: str,
        field: str,
        at: datetime | None,
        *,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Change the appointed instant in a field that limits refer to; None clears it.

        Raises: Refused, FieldError, UnknownInstance, StaleRevision, NaiveDatetime.
        """
        if at is not None:
            given_us(field, at)
        command = Reschedule(field, None if at is None else at.isoformat(), actor)
        return self._executor.execute(instance, command, command_id, expected_revision)

    def extend(
        self,
        instance: str,
        limit: str,
        *,
        reason: str,
        actor: Actor = NOBODY,
        evidence: Mapping[str, str] = _NONE,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Prolong a limit, once, by what it declares. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._executor.execute(
            instance, Extend(limit, reason, actor, evidence), command_id, expected_revision
        )

    def claim(
        self,
        instance: str,
        *,
        actor: Actor,
        step: str | None = None,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Assign a step to the actor; to one who acts on behalf of somebody, until the delegation ends.

        Raises: Refused, UnknownInstance, StaleRevision.
        """
        command = Claim(step, self._delegations.renewed(instance, actor))
        return self._executor.execute(instance, command, command_id, expected_revision)

    def assign(
        self,
        instance: str,
        to: str,
        *,
        step: str | None = None,
        reason: str = "",
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Assign a step to a person, also one that another person has.

        A step that somebody assigns to a person who acts for them is that person's until the delegation ends.

        Raises: Refused, UnknownInstance, StaleRevision.
        """
        refuse_no_actor("actor", actor)
        ends = self._delegations.ends(instance, actor, to)
        command = Assign(step, to, self._delegations.renewed(instance, actor), reason, ends=ends)
        return self._executor.execute(instance, command, command_id, expected_revision)

    def release(
        self,
        instance: str,
        *,
        step: str | None = None,
        reason: str = "",
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Remove the assignment of a step, so that anybody with its role may claim it.

        Raises: Refused, UnknownInstance, StaleRevision.
        """
        return self._executor.execute(instance, Release(step, actor, reason), command_id, expected_revision)

    def explain_deviation(
        self, instance: str, deviation: int, *, reason: str, actor: Actor, command_id: str | None = None
    ) -> Instance:
        """Record why a deviation came about; `deviation` is its `sequence`. The instance may have ended.

        Raises: Refused, FieldError, UnknownInstance.
        """
        return self._executor.execute(instance, Explain(deviation, reason, actor), command_id)

    def accept_deviation(
        self, instance: str, deviation: int, *, reason: str, actor: Actor, command_id: str | None = None
    ) -> Instance:
        """Accept an explanation: the deviation is excused, and counts all the same.

        The person who explained it may not judge it. Raises: Refused, FieldError, UnknownInstance.
        """
        return self._executor.execute(instance, Accept(deviation, reason, actor), command_id)

    def reject_deviation(
        self, instance: str, deviation: int, *, reason: str, actor: Actor, command_id: str | None = None
    ) -> Instance:
        """Reject an explanation. Raises: Refused, FieldError, UnknownInstance."""
        return self._executor.execute(instance, Reject(deviation, reason, actor), command_id)

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
        """Migrate an instance to another version; `steps` maps steps to those that have another name there.

        Deadlines stay as they are unless `due="recompute"`. See `preview_migration`, and `svcflow.diff`, whose
        `mapping` is a proposal for `steps`.

        Raises: Refused (rule `migration`), UnknownProcedure, FieldError, UnknownInstance, StaleRevision.
        """
        require_reason(reason)
        command = Migrate(version, steps, reason, due, actor, data)
        return self._migrator.execute(instance, command, command_id, expected_revision)

    def revert_migration(
        self,
        instance: str,
        *,
        reason: str,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Revert the last migration, while every active step has a way back. Raises: as `migrate`."""
        require_reason(reason)
        return self._migrator.execute(instance, Revert(reason, actor), command_id, expected_revision)

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
        """Return what `migrate` would do to each instance, without doing it.

        Raises: UnknownProcedure, FieldError, UnknownInstance.
        """
        return self._migrator.preview(instances, Migrate(version, steps, "", due, actor, data))

    def delegate(
        self,
        giver: Actor,
        taker: str,
        *,
        roles: Iterable[str],
        since: datetime,
        until: datetime,
        procedures: Iterable[str] = (),
        delegation_id: str | None = None,
    ) -> Delegation:
        """Let `taker` act for `giver` from `since` up to `until`, in own roles of the giver only.

        Both then count as having done what is done on behalf, so that `not_by` holds for either. Repeated under the
        same `delegation_id`, it is the same delegation.

        Raises: Refused (rule `delegation`), FieldError, NaiveDatetime.
        """
        refuse_no_actor("giver", giver)
        refuse_unfit_name("giver", giver.id, PERSON)
        refuse_unfit_name("taker", taker, PERSON)
        refuse_non_text("delegation_id", delegation_id, needed=False)
        delegation = delegate(
            giver,
            taker,
            delegation_id=f"delegation-{token_hex(6)}" if delegation_id is None else delegation_id,
            roles=roles,
            procedures=procedures,
            since_us=given_us("since", since),
            until_us=given_us("until", until),
        )
        return self._delegations.add(delegation)

    def revoke(self, delegation: str) -> Delegation:
        """End a delegation now; it stays on record. Steps that the taker has by it are open to their role again.

        Raises: FieldError when there is none of this id.
        """
        return self._delegations.revoke(delegation)

    def delegations(self, *, giver: str | None = None, taker: str | None = None) -> tuple[Delegation, ...]:
        """Return every delegation, of one giver or taker if named, revoked ones too."""
        return self._delegations.all(giver=giver, taker=taker)

    def acting(self, actor: Actor, giver: str, procedure: str) -> Actor:
        """Return the actor on behalf of `giver`: with the delegated roles only.

        Raises: Refused (rule `delegation`) when nothing that `giver` delegated to them is in force now.
        """
        refuse_no_actor("actor", actor)
        refuse_non_text("giver", giver)
        refuse_non_text("procedure", procedure)
        return self._delegations.acting(actor, giver, procedure)

    def instance(self, instance: str) -> Instance:
        """Return an instance as last recorded. Raises: UnknownInstance."""
        return self._queries.instance(instance)

    def instances(
        self, *, limit: int | None = None, after: str | None = None, **filters: Unpack[InstanceFilters]
    ) -> Page[Instance]:
        """Return a page of instances, newest first; for the next page, `after` is that of the page before.

        Filters: procedure, status, step, role, recipient, group, data, since, until, due_before (see
        `InstanceFilters`).
        """
        cursor = cursor_from(after, (int, str))
        return self._store.instances(instance_query(filters)._replace(limit=bounded(limit), after=cursor))

    def count_instances(self, **filters: Unpack[InstanceFilters]) -> int:
        """Return how many instances there are."""
        return self._store.instance_counts(instance_query(filters), None)[""]

    def instance_counts(self, by: InstanceKey, **filters: Unpack[InstanceFilters]) -> Mapping[str, int]:
        """Return how many instances there are by procedure, status, step, role or group, the most first."""
        refuse_instances_by(by)
        return self._store.instance_counts(instance_query(filters), by)

    def deadlines(self, instance: str, *, ended: bool = False) -> tuple[Deadline, ...]:
        """Return the deadlines as they are now, soonest first. Raises: UnknownInstance."""
        return self._queries.deadlines(instance, ended=ended)

    def coming_moves(self, instance: str) -> tuple[ComingMove, ...]:
        """Return what the active steps will do by themselves, soonest first. Raises: UnknownInstance."""
        return self._queries.coming_moves(instance)

    def explain(self, instance: str, limit: str) -> Explanation:
        """Return how a limit's deadline came to be, or the instant of an automatic move, line by line.

        Raises: UnknownInstance, UnknownLimit.
        """
        refuse_non_text("limit", limit)
        return self._queries.explain(instance, limit)

    def available(
        self, instance: str, actor: Actor | None = None, *, data: Mapping[str, Value] = NO_DATA
    ) -> tuple[Available, ...]:
        """Return the triggers of the active steps, each open or with the reasons why it is closed to an actor.

        Without an actor, roles are left out of account. `data` are those to come with the move: guards are evaluated
        with them, as `fire` does.

        Raises: UnknownInstance, FieldError.
        """
        if actor is not None:
            refuse_no_actor("actor", actor)
        return self._queries.available(instance, actor, data)

    def journal(self, instance: str) -> tuple[Fact, ...]:
        """Return the facts of an instance. Raises: UnknownInstance."""
        return self._queries.journal(instance)

    def deviations(
        self, *, limit: int | None = None, after: str | None = None, **filters: Unpack[DeviationFilters]
    ) -> Page[Deviation]:
        """Return a page of deviations, in the order in which they occurred. Call `tick()` first to be current.

        Filters: instance, procedure, kind, step, role, group, since, until, status (see `DeviationFilters`).
        """
        cursor = cursor_from(after, (int, str, int))
        return self._store.deviations(deviation_query(filters)._replace(limit=bounded(limit), after=cursor))

    def count_deviations(self, **filters: Unpack[DeviationFilters]) -> int:
        """Return how many deviations there are."""
        return self._store.deviation_counts(deviation_query(filters), None)[""]

    def deviation_counts(self, by: DeviationKey, **filters: Unpack[DeviationFilters]) -> Mapping[str, int]:
        """Return how many deviations there are by procedure, kind, step, role, group or status, the most first."""
        refuse_deviations_by(by)
        return self._store.deviation_counts(deviation_query(filters), by)

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
        """Return a page of the work that waits, the soonest due first: an actor's own, a role's, or all of it.

        An actor's own are the steps assigned to them, and those of their roles that nobody has yet; of an actor on
        behalf of somebody (see `acting`), those assigned to that person, or open to the delegated roles.
        `due_before` narrows it to running deadlines before that instant. For the next page, `after` is that of the
        page before.

        Each item has its recipient and the data that are not personal, so that a page needs no other query.
        """
        cursor = cursor_from(after, (int, int, str, str))
        query = work_query(actor, role, procedure, due_before)
        query = query._replace(limit=bounded(limit), after=cursor, now_us=self.clock.now_us())
        return self._queries.worklist(query)

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
        """Return a page of the work whose deadline has passed, the longest overdue first; see `worklist`.

        `within` adds what will be overdue in that much elapsed time, unless it is done by then. By how much a
        deadline is overdue, in its own time, is in `deadlines`; a limit on hold has no deadline.
        """
        refuse_length("within", within)
        by = to_datetime(min(self.clock.now_us() + amount_us(within), LAST_US))
        return self.worklist(actor, role=role, procedure=procedure, due_before=by, limit=limit, after=after)

    def due_at(self, instance: Instance) -> datetime | None:
        """Return the soonest running deadline of an instance, without reading the store; None when none runs."""
        refuse_no_instance(instance)
        due_us = self._queries.due_us(instance)
        return None if due_us == NEVER else to_datetime(due_us)

    def verify(
        self,
        instance: str | None = None,
        *,
        checkpoint: Checkpoint | str | PathLike[str] | None = None,
        progress: Progress | None = None,
    ) -> Verification:
        """Check journals against their chains, and the rows beside them against the journals.

        Without an instance, what the store holds once for all is checked too: seals, pinned procedures,
        subscriptions and delegations. docs/explanation/journal.md names the columns that nothing is compared with.

        With a checkpoint, or the file that `seal` appends them to, what was sealed then is checked too: a cut
        tail, a deleted instance, a chain written anew. `progress` is called with the number of instances done.
        Raises: UnknownInstance; StoreError when the file holds no checkpoint.
        """
        return self._queries.verify(instance, checkpoint, progress)

    def tick(self) -> tuple[Fact, ...]:
        """Record everything that became due up to now; return the facts.

        An error of one instance does not stop the others: the first is raised when all are done. What became due
        long ago is recorded in parts of 1,000 facts at most, each in a transaction of its own, and the other
        instances have their turn in between.
        """
        return self._sweeper.tick()

    def recompute(self, *, reason: str, actor: Actor = NOBODY) -> tuple[Fact, ...]:
        """Compute every running deadline anew after a calendar was corrected or a year was published.

        Returns the facts: one `Recomputed` for each deadline that changed, and what became due by it.
        """
        require_reason(reason)
        command = Recompute(reason, actor)
        refuse_unfit("", command, None, self._executor.payload_limit)
        return self._sweeper.recompute(command)


def _happened(occurred_at: datetime) -> tuple[int, int]:
    """Return an instant in microseconds, and the offset from UTC in minutes in which it was written.

    Raises: FieldError, NaiveDatetime.
    """
    occurred_us, offset = given_us("occurred_at", occurred_at), occurred_at.utcoffset()
    return occurred_us, 0 if offset is None else offset // timedelta(minutes=1)
