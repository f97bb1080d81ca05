"""What can be asked of instances: the commands of an engine, one method each."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from svcflow.kernel.commands import (
    NOBODY,
    Accept,
    Actor,
    Assign,
    Claim,
    Explain,
    Extend,
    Fire,
    Hold,
    Recipient,
    Reject,
    Release,
    Reschedule,
    Resume,
    Start,
    Update,
)
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.delegation import acting, delegated
from svcflow.kernel.storable import refuse_unfit_id
from svcflow.model.catalog import asked_for
from svcflow.model.field import Value
from svcflow.runtime.command_checks import COMMAND_ID, refuse_no_actor
from svcflow.runtime.core import Core
from svcflow.runtime.engine_errors import refuse_before_effective, refuse_too_long
from svcflow.runtime.handlers import Beginning
from svcflow.worktime.instants import given_us

_NONE: Mapping[str, str] = {}
_NEVER: Mapping[str, int] = {}


class Commands(Core):
    """Ask something of an instance. Every command may carry a `command_id`, which makes asking again safe."""

    def start(
        self,
        procedure: str | tuple[str, int],
        *,
        data: Mapping[str, Value] = _NONE,
        recipient: Recipient | None = None,
        actor: Actor = NOBODY,
        evidence: Mapping[str, str] = _NONE,
        instance_id: str | None = None,
        command_id: str | None = None,
    ) -> Instance:
        """Start an instance of the newest version of a procedure, or of `(id, version)`.

        Raises: UnknownProcedure, ChangedProcedure, FieldError; StoreError when `instance_id` is taken.
        """
        name, version = asked_for(procedure)
        compiled = self._standards.newest(name) if version is None else self._standards.version(name, version)
        if version is not None:
            refuse_too_long(compiled.procedure)
        if command_id is not None:
            refuse_unfit_id("command_id", command_id, COMMAND_ID)
        chosen = new_id(name, command_id) if instance_id is None else instance_id
        command = Start(chosen, data, recipient, actor, evidence)
        refuse_before_effective(compiled, self.clock.now_us())
        self._standards.pin(compiled)
        beginning = Beginning(compiled, command, command_id, self.clock)
        return self._ask(chosen, command, command_id, beginning)

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

        Guards are asked with `data`, and what the move requires comes with it, whatever stood there before.
        `occurred_at` is when it happened, if that was before now: deadlines are judged by it.

        Raises: Refused (its `rule` says which), UnknownTrigger, UnknownInstance, StaleRevision, FieldError.
        """
        command = Fire(trigger, actor, data, evidence, step, override, *_happened(occurred_at))
        return self._carry(instance, command, command_id, expected_revision)

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
        """Stop the clocks that may stop. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._carry(instance, Hold(reason, actor, evidence), command_id, expected_revision)

    def resume(
        self,
        instance: str,
        *,
        actor: Actor = NOBODY,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """End a hold. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._carry(instance, Resume(actor), command_id, expected_revision)

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
        return self._carry(instance, Update(actor, data, evidence), command_id, expected_revision)

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
        """Move a scheduled instant that limits refer to; None clears it.

        Raises: Refused, FieldError, UnknownInstance, StaleRevision, NaiveDatetime.
        """
        if at is not None:
            given_us(field, at)
        command = Reschedule(field, None if at is None else at.isoformat(), actor)
        return self._carry(instance, command, command_id, expected_revision)

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
        """Prolong a limit once, as it declares. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._carry(instance, Extend(limit, reason, actor, evidence), command_id, expected_revision)

    def claim(
        self,
        instance: str,
        *,
        actor: Actor,
        step: str | None = None,
        command_id: str | None = None,
        expected_revision: int | None = None,
    ) -> Instance:
        """Take a step for oneself; for somebody one acts for, until the delegation ends.

        Raises: Refused, UnknownInstance, StaleRevision.
        """
        command = Claim(step, self._still_acting(instance, actor))
        return self._carry(instance, command, command_id, expected_revision)

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
        """Give a step to a person, also one that somebody has.

        What a giver gives to who acts for them is theirs until the delegation ends.

        Raises: Refused, UnknownInstance, StaleRevision.
        """
        refuse_no_actor("actor", actor)
        ends = self._delegated(instance, actor, to)
        command = Assign(step, to, self._still_acting(instance, actor), reason, ends=ends)
        return self._carry(instance, command, command_id, expected_revision)

    def _still_acting(self, instance: str, actor: Actor) -> Actor:
        """Return the actor by the delegations in force now: one may have been revoked since it was looked up."""
        if not isinstance(actor, Actor) or not actor.ends:
            return actor
        known, procedure = self._store.delegations(), self._kept(instance).instance.procedure
        return acting(Actor(actor.id), actor.behalf, known, procedure, self.clock.now_us())

    def _delegated(self, instance: str, giver: Actor, to: str) -> Mapping[str, int]:
        """Return until when a person may act for who gives them a step, by role."""
        given = [one for one in self._store.delegations() if (one.giver, one.taker) == (giver.id, to)]
        if not given or giver.behalf:
            return _NEVER
        return delegated(given, giver.id, to, self._kept(instance).instance.procedure, self.clock.now_us())

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
        """Let a step go, so that whoever has its role may take it. Raises: Refused, UnknownInstance, StaleRevision."""
        return self._carry(instance, Release(step, actor, reason), command_id, expected_revision)

    def explain_deviation(
        self, instance: str, deviation: int, *, reason: str, actor: Actor, command_id: str | None = None
    ) -> Instance:
        """Say why a deviation came about; `deviation` is its `sequence`. Also of an instance that has ended.

        Raises: Refused, FieldError, UnknownInstance.
        """
        return self._carry(instance, Explain(deviation, reason, actor), command_id, None)

    def accept_deviation(
        self, instance: str, deviation: int, *, reason: str, actor: Actor, command_id: str | None = None
    ) -> Instance:
        """Accept what was explained: it is not held against who is responsible, and counts all the same.

        Who explained it may not judge it. Raises: Refused, FieldError, UnknownInstance.
        """
        return self._carry(instance, Accept(deviation, reason, actor), command_id, None)

    def reject_deviation(
        self, instance: str, deviation: int, *, reason: str, actor: Actor, command_id: str | None = None
    ) -> Instance:
        """Reject what was explained. Raises: Refused, FieldError, UnknownInstance."""
        return self._carry(instance, Reject(deviation, reason, actor), command_id, None)


def _happened(occurred_at: datetime | None) -> tuple[int | None, int]:
    """Return when something happened, and the offset in minutes in which that was written. Raises: as `given_us`."""
    if occurred_at is None:
        return None, 0
    occurred_us, offset = given_us("occurred_at", occurred_at), occurred_at.utcoffset()
    return occurred_us, 0 if offset is None else offset // timedelta(minutes=1)


_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(procedure: str, command_id: str | None) -> str:
    """Make an id people can read aloud; a repeated `command_id` finds the instance of its first run."""
    if command_id is not None:
        return _short(f"{procedure}-{command_id}")
    return f"{procedure}-{''.join(secrets.choice(_ALPHABET) for _ in range(12))}"


def _short(name: str) -> str:
    """Keep a name that fits the store; cut a longer one and tell it apart by its hash."""
    return name if len(name) <= 80 else f"{name[:55]}-{sha256(name.encode()).hexdigest()[:24]}"
