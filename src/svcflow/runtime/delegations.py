"""Register of delegations: who acts for whom, in which roles, and until when."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from svcflow.errors import FieldError
from svcflow.kernel.commands import Actor, Recall
from svcflow.kernel.lifecycle.delegation import Delegation, acting, delegated
from svcflow.kernel.storable import refuse_non_text, refuse_unfit_id, refuse_unstorable
from svcflow.runtime.clock import Clock
from svcflow.runtime.command_checks import INSTANCE_ID, refuse_large
from svcflow.runtime.commands import CommandExecutor
from svcflow.runtime.engine_errors import another_delegation
from svcflow.runtime.filters import WorkQuery
from svcflow.runtime.queries import load
from svcflow.runtime.store import Store
from svcflow.text import Text


class DelegationRegister:
    """Register of the delegations of a store; what bounds each of them is the kernel's."""

    def __init__(self, store: Store, clock: Clock, executor: CommandExecutor) -> None:
        self._store = store
        self._clock = clock
        self._executor = executor

    def add(self, delegation: Delegation) -> Delegation:
        """Add a delegation; return the one of its id, which may have been revoked since it was added first.

        Raises: FieldError when its names cannot be kept, or when the id is that of another delegation.
        """
        _refuse_unfit(delegation, self._executor.payload_limit)
        known = self._find(delegation.id)
        if known is None:
            self._store.keep_delegation(delegation)
            return delegation
        if attrs.evolve(known, revoked_us=None) != delegation:
            raise another_delegation(delegation.id)
        return known

    def revoke(self, delegation: str) -> Delegation:
        """End a delegation now. Raises: FieldError when there is none of this id."""
        refuse_non_text("delegation", delegation)
        known = self._find(delegation)
        if known is None:
            message = Text(zh=f"没有委托“{delegation}”", en=f"there is no delegation {delegation!r}")
            raise FieldError(message, Text(zh="用 `delegations` 查看", en="see `delegations`"))
        if known.revoked_us is None:
            known = attrs.evolve(known, revoked_us=self._clock.now_us())
        self._store.keep_delegation(known)
        # also of one that was revoked before: what a process that died meanwhile did not recall is recalled now
        self._recall(known)
        return known

    def all(self, *, giver: str | None = None, taker: str | None = None) -> tuple[Delegation, ...]:
        """Return every delegation of a giver or taker, revoked ones too."""
        return tuple(
            delegation
            for delegation in self._store.delegations()
            if giver in (None, delegation.giver) and taker in (None, delegation.taker)
        )

    def acting(self, actor: Actor, giver: str, procedure: str) -> Actor:
        """Return an actor with the roles that are delegated by `giver` now. Raises: Refused when there are none."""
        return acting(actor, giver, self._store.delegations(), procedure, self._clock.now_us())

    def renewed(self, instance: str, actor: Actor) -> Actor:
        """Return an actor by the delegations in force now: one may have been revoked since it was looked up."""
        if not isinstance(actor, Actor) or not actor.ends:
            return actor
        return self.acting(Actor(actor.id), actor.behalf, self._procedure(instance))

    def ends(self, instance: str, giver: Actor, taker: str) -> Mapping[str, int]:
        """Return by role until when a person may act for the one who assigns them a step, in microseconds."""
        theirs = [
            known for known in self._store.delegations() if (known.giver, known.taker) == (giver.id, taker)
        ]
        if not theirs or giver.behalf:
            return {}
        return delegated(theirs, giver.id, taker, self._procedure(instance), self._clock.now_us())

    def _find(self, delegation: str) -> Delegation | None:
        return next((known for known in self._store.delegations() if known.id == delegation), None)

    def _procedure(self, instance: str) -> str:
        return load(self._store, instance).instance.procedure

    def _recall(self, revoked: Delegation) -> None:
        """Take back what the taker claimed by a delegation, but for what another one in force covers."""
        giver, taker, now_us = revoked.giver, revoked.taker, self._clock.now_us()
        names = {item.instance for item in self._store.worklist(WorkQuery(assignee=taker))}
        known = self._store.delegations()
        for name in sorted(names):
            stored = self._store.load(name)
            if stored is None:
                continue
            procedure, claims = stored.instance.procedure, stored.instance.deputies.values()
            until_us = max((until for principal, until in claims if principal == giver), default=0)
            if not until_us or not revoked.is_for(procedure):
                continue
            in_force = delegated(known, giver, taker, procedure, now_us)
            lost = frozenset(role for role in revoked.roles if in_force.get(role, 0) < until_us)
            if lost:
                self._executor.execute(name, Recall(giver, taker, lost))


def _refuse_unfit(delegation: Delegation, limit: int) -> None:
    """Raise FieldError when a name in a delegation cannot be stored, or all of them are too long."""
    refuse_unfit_id("delegation_id", delegation.id, INSTANCE_ID)
    for place, names in (("roles", delegation.roles), ("procedures", delegation.procedures)):
        for name in sorted(names):
            refuse_unstorable(place, name)
    refuse_large((*delegation.roles, *delegation.procedures), limit)
