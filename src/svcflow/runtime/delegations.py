"""Absence: who acts for whom, and until when. The register of an engine; the kernel holds the bounds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from secrets import token_hex

import attrs

from svcflow.errors import FieldError
from svcflow.kernel.commands import Actor, Recall
from svcflow.kernel.lifecycle import delegation as delegation_of
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.kernel.storable import refuse_misfit, refuse_no_text, refuse_unfit_id, refuse_unfit_name
from svcflow.runtime.command_checks import INSTANCE_ID, PERSON, refuse_large, refuse_no_actor
from svcflow.runtime.core import Core
from svcflow.runtime.engine_errors import another_delegation
from svcflow.runtime.filters import WorkQuery
from svcflow.text import Text
from svcflow.worktime.instants import given_us


class Delegations(Core):
    """Let one person act for another, in some of their roles, for a bounded time."""

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

        Both then count as having done what is done on behalf, so that `not_by` holds for either.
        Given again under the same `delegation_id` it is the same delegation.

        Raises: Refused (rule `delegation`), FieldError, NaiveDatetime.
        """
        refuse_no_actor("giver", giver)
        refuse_unfit_name("giver", giver.id, PERSON)
        refuse_unfit_name("taker", taker, PERSON)
        refuse_no_text("delegation_id", delegation_id, needed=False)
        given = delegation_of.delegate(
            giver,
            taker,
            delegation_id=f"delegation-{token_hex(6)}" if delegation_id is None else delegation_id,
            roles=roles,
            procedures=procedures,
            since_us=given_us("since", since),
            until_us=given_us("until", until),
        )
        _refuse_unfit(given, self._payload_limit)
        for known in self._store.delegations():
            if known.id == given.id:
                if attrs.evolve(known, revoked_us=None) != given:
                    raise another_delegation(given.id)
                return known
        self._store.keep_delegation(given)
        return given

    def revoke(self, delegation: str) -> Delegation:
        """End a delegation now; it stays on record. What the taker has by it is open to its role again.

        Raises: FieldError when there is none of this id.
        """
        refuse_no_text("delegation", delegation)
        for known in self._store.delegations():
            if known.id == delegation:
                revoked = (
                    known
                    if known.revoked_us is not None
                    else attrs.evolve(known, revoked_us=self.clock.now_us())
                )
                self._store.keep_delegation(revoked)
                self._recall(
                    revoked
                )  # asked again it is done again: what did not come to its end is made up for
                return revoked
        message = Text(zh=f"没有委托“{delegation}”", en=f"there is no delegation {delegation!r}")
        raise FieldError(message, Text(zh="用 `delegations` 查看", en="see `delegations`"))

    def _recall(self, revoked: Delegation) -> None:
        """Give back what the taker of a delegation has claimed by it; what another one in force covers stays theirs."""
        giver, taker, now_us = revoked.giver, revoked.taker, self.clock.now_us()
        names = {one.instance for one in self._store.worklist(WorkQuery(assignee=taker))}
        known = self._store.delegations()
        for name in sorted(names):
            kept = self._store.load(name)
            theirs = () if kept is None else kept.instance.deputies.values()
            until_us = max((until for whose, until in theirs if whose == giver), default=0)
            if kept is None or not until_us or not revoked.is_for(kept.instance.procedure):
                continue
            left = delegation_of.delegated(known, giver, taker, kept.instance.procedure, now_us)
            gone = frozenset(role for role in revoked.roles if left.get(role, 0) < until_us)
            if gone:
                self._carry(name, Recall(giver, taker, gone), None, None)

    def delegations(self, *, giver: str | None = None, taker: str | None = None) -> tuple[Delegation, ...]:
        """Return every delegation that was given, revoked ones too."""
        return tuple(
            one
            for one in self._store.delegations()
            if giver in (None, one.giver) and taker in (None, one.taker)
        )

    def acting(self, actor: Actor, giver: str, procedure: str) -> Actor:
        """Return the actor as who they are while they act for `giver`: with the delegated roles only.

        Raises: Refused (rule `delegation`) when nothing that `giver` delegated to them is in force now.
        """
        refuse_no_actor("actor", actor)
        refuse_no_text("giver", giver)
        refuse_no_text("procedure", procedure)
        return delegation_of.acting(actor, giver, self._store.delegations(), procedure, self.clock.now_us())


def _refuse_unfit(given: Delegation, limit: int) -> None:
    """Raise FieldError when a name in a delegation cannot be kept, or all of them are too large."""
    refuse_unfit_id("delegation_id", given.id, INSTANCE_ID)
    for place, names in (("roles", given.roles), ("procedures", given.procedures)):
        for name in sorted(names):
            refuse_misfit(place, name)
    refuse_large((*given.roles, *given.procedures), limit)
