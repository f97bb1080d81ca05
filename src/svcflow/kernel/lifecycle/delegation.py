"""Delegation: one person lets another act for them, in some of their roles, for a bounded time.

What was delegated cannot be delegated on. Delegations are stored by the runtime.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from svcflow.errors import FieldError
from svcflow.kernel import refusals
from svcflow.kernel.commands import Actor, is_named, names_of
from svcflow.kernel.facts import to_datetime
from svcflow.text import Text

MOST_DAYS = 366
"""Longest duration of a delegation: for longer, a person needs the role itself."""

_MOST_US = MOST_DAYS * 86_400_000_000


def _roles(roles: Iterable[str]) -> frozenset[str]:
    return names_of("roles", roles)


def _procedures(procedures: Iterable[str]) -> frozenset[str]:
    return names_of("procedures", procedures)


@attrs.frozen
class Delegation:
    """Right of `taker` to act for `giver` in `roles`, from `since_us` up to, not at, `until_us`.

    Without `procedures` it is for all of them. From `revoked_us` on it is over.

    Raises: FieldError naming everything that is wrong.
    """

    id: str
    giver: str
    taker: str
    roles: frozenset[str] = attrs.field(converter=_roles)
    procedures: frozenset[str] = attrs.field(converter=_procedures)
    since_us: int
    until_us: int
    revoked_us: int | None = None

    def __attrs_post_init__(self) -> None:
        wrong = tuple(self._mistakes())
        if wrong:
            raise FieldError(
                Text(zh="；".join(text.zh for text in wrong), en="; ".join(text.en for text in wrong))
            )

    def covers(self, at_us: int, procedure: str) -> bool:
        """Return whether it is in force at an instant for a procedure."""
        until_us = self.until_us if self.revoked_us is None else min(self.until_us, self.revoked_us)
        return self.since_us <= at_us < until_us and self.is_for(procedure)

    def is_for(self, procedure: str) -> bool:
        """Return whether it was given for a procedure, in force or not."""
        return not self.procedures or procedure in self.procedures

    @property
    def since_at(self) -> datetime:
        """From when on it is in force."""
        return to_datetime(self.since_us)

    @property
    def until_at(self) -> datetime:
        """When it is over, unless it is revoked before."""
        return to_datetime(self.until_us)

    @property
    def revoked_at(self) -> datetime | None:
        """When it was revoked; None if it was not."""
        return None if self.revoked_us is None else to_datetime(self.revoked_us)

    def _mistakes(self) -> Iterator[Text]:
        if not (is_named(self.giver) and is_named(self.taker)):
            yield Text(zh="委托人与受托人都须具名", en="giver and taker both have to be named")
        elif self.giver == self.taker:
            yield Text(zh="不能委托给本人", en="nobody delegates to themselves")
        if not self.roles:
            yield Text(zh="至少委托一个岗位", en="at least one role has to be delegated")
        if "" in self.roles or "" in self.procedures:
            yield Text(zh="岗位与流程须具名", en="roles and procedures have to be named")
        if self.since_us >= self.until_us:
            yield Text(zh="委托的终止须晚于起始", en="a delegation has to end after it begins")
        elif self.until_us - self.since_us > _MOST_US:
            yield Text(
                zh=f"委托期限最长 {MOST_DAYS} 天", en=f"a delegation may last {MOST_DAYS} days at most"
            )


def delegate(
    giver: Actor,
    taker: str,
    *,
    delegation_id: str,
    roles: Iterable[str],
    procedures: Iterable[str] = (),
    since_us: int,
    until_us: int,
) -> Delegation:
    """Return the delegation that an actor gives, in roles of their own only.

    Raises: Refused (rule `delegation`) when a role is not theirs or they act for somebody else; FieldError.
    """
    if giver.behalf:
        raise refusals.delegated_on(refusals.LET_GIVER_DELEGATE)
    given = names_of("roles", roles)
    strange = sorted(given - (giver.roles or frozenset()))
    if strange:
        raise refusals.roles_of_others(strange)
    return Delegation(
        delegation_id, giver.id, taker, given, names_of("procedures", procedures), since_us, until_us
    )


def acting(actor: Actor, giver: str, delegations: Iterable[Delegation], procedure: str, at_us: int) -> Actor:
    """Return the actor as they act for `giver`: in the delegated roles only, each until its delegation ends.

    Raises: Refused (rule `delegation`) when nothing `giver` delegated to them is in force.
    """
    if actor.behalf:
        raise refusals.delegated_on(refusals.ACT_AS_ONESELF)
    ends = delegated(delegations, giver, actor.id, procedure, at_us)
    if not ends:
        raise refusals.no_delegation(procedure)
    return Actor(actor.id, ends, giver, ends=ends)


def delegated(
    delegations: Iterable[Delegation], giver: str, taker: str, procedure: str, at_us: int
) -> Mapping[str, int]:
    """Return the roles in which `taker` may act for `giver` at an instant, each with the latest instant that ends it."""
    ends: dict[str, int] = {}
    for delegation in delegations:
        if (delegation.giver, delegation.taker) == (giver, taker) and delegation.covers(at_us, procedure):
            ends |= {role: max(delegation.until_us, ends.get(role, 0)) for role in delegation.roles}
    return ends
