"""Absence: delegations as a table and as JSON values. It says whether one is in force, and lets nobody act by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from svcflow.cli.json import Record
from svcflow.cli.language import Tongue
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import DELEGATION_STATUSES, shared_zone, timestamp, word

__all__ = ["delegation_json", "delegation_table"]

_DELEGATION = (
    Text(zh="编号", en="Id"),
    Text(zh="委托人", en="Giver"),
    Text(zh="受托人", en="Taker"),
    Text(zh="自", en="From"),
    Text(zh="至", en="Until"),
    Text(zh="状态", en="Status"),
    Text(zh="流程", en="Procedures"),
    Text(zh="岗位", en="Roles"),
)


def delegation_table(found: Iterable[Delegation], lang: Tongue, now: datetime) -> str:
    """Return the table of delegations; instants stand on this computer's clock, as they are read."""
    heads: Sequence[str] = [head.in_(lang) for head in _DELEGATION]
    return table(heads, [_delegation(one, lang, now) for one in found], whole=heads[:6], flows=True)


def delegation_json(one: Delegation, now: datetime) -> Record:
    """Return a delegation; without `procedures` it holds for all of them."""
    return {
        "id": one.id,
        "giver": one.giver,
        "taker": one.taker,
        "roles": sorted(one.roles),
        "procedures": sorted(one.procedures),
        "since_at": one.since_at.isoformat(),
        "until_at": one.until_at.isoformat(),
        "revoked_at": None if one.revoked_at is None else one.revoked_at.isoformat(),
        "status": _standing(one, now),
    }


def _delegation(one: Delegation, lang: Tongue, now: datetime) -> tuple[str, ...]:
    zone = shared_zone(())
    return (
        one.id,
        one.giver,
        one.taker,
        timestamp(one.since_at, zone, now=now),
        timestamp(one.until_at, zone, now=now),
        word(DELEGATION_STATUSES, _standing(one, now)).in_(lang),
        ", ".join(sorted(one.procedures)),
        ", ".join(sorted(one.roles)),
    )


def _standing(one: Delegation, now: datetime) -> Literal["coming", "in_force", "over", "revoked"]:
    if one.revoked_at is not None:
        return "revoked"
    if now < one.since_at:
        return "coming"
    return "in_force" if now < one.until_at else "over"
