"""The register of delegations: who acts for whom, in which roles, and until when."""

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
    """The delegations that a store keeps; the bounds of each are the kernel's."""

    def __init__(self, store: Store, clock: Clock, executor: CommandExecutor) -> None:
        self._store = store
        self._clock = clock
        self._executor = executor

    def add(self, delegation: Delegation) -> Delegation:
        """Keep a delegation; return the one kept under its id, which may have been revoked meanwhile.

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
            one
            for one in self._store.delegations()
            if giver in (None, one.giver) and taker in (None, one.taker)
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
        """Return until when a person may act for who gives them a step, in microseconds, by role."""
        given = [one for one in self._store.delegations() if (one.giver, one.taker) == (giver.id, taker)]
        if not given or giver.behalf:
            return {}
        return delegated(given, giver.id, taker, self._procedure(instance), self._clock.now_us())

    def _find(self, delegation: str) -> Delegation | None:
        return next((one for one in self._store.delegations() if one.id == delegation), None)

    def _procedure(self, instance: str) -> str:
        return load(self._store, instance).instance.procedure

    def _recall(self, revoked: Delegation) -> None:
        """Give back what the taker of a delegation has claimed by it; what another one in force covers stays theirs."""
        giver, taker, now_us = revoked.giver, revoked.taker, self._clock.now_us()
        names = {item.instance for item in self._store.worklist(WorkQuery(assignee=taker))}
        known = self._store.delegations()
        for name in sorted(names):
            kept = self._store.load(name)
            theirs = () if kept is None else kept.instance.deputies.values()
            until_us = max((until for whose, until in theirs if whose == giver), default=0)
            if kept is None or not until_us or not revoked.is_for(kept.instance.procedure):
                continue
            left = delegated(known, giver, taker, kept.instance.procedure, now_us)
            gone = frozenset(role for role in revoked.roles if left.get(role, 0) < until_us)
            if gone:
                self._executor.execute(name, Recall(giver, taker, gone))


def _refuse_unfit(delegation: Delegation, limit: int) -> None:
    """Raise FieldError when a name in a delegation cannot be kept, or all of them are too large."""
    refuse_unfit_id("delegation_id", delegation.id, INSTANCE_ID)
    for place, names in (("roles", delegation.roles), ("procedures", delegation.procedures)):
        for name in sorted(names):
            refuse_unstorable(place, name)
    refuse_large((*delegation.roles, *delegation.procedures), limit)
