"""Replies to deviations: who explained, accepted or rejected one, and why, as the journals say it.

A store keeps where a deviation stands; who answered is personal, so that only a journal knows it, or knows that
it was erased. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from svcflow.cli.language import Tongue
from svcflow.kernel.facts import Accepted, Explained, Fact, Rejected
from svcflow.kernel.lifecycle.deviations import STATUS_AFTER, Answer, Deviation
from svcflow.runtime.engine import Engine
from svcflow.text import Text
from svcflow.wording import DEVIATION_STATUSES, word

__all__ = ["Replies", "replies_json", "replies_text", "replies_to", "who"]

Replies = Mapping[tuple[str, int], Sequence[Answer]]
"""The answers to each deviation, named by its instance and its number, in the order in which they were given."""


def replies_to(engine: Engine, found: Iterable[Deviation]) -> Replies:
    """Read the answers to these deviations; of those that nobody answered to no journal is read."""
    given: dict[tuple[str, int], list[Answer]] = {}
    for instance in dict.fromkeys(one.instance for one in found if one.status != "open"):
        for fact in engine.journal(instance):
            if isinstance(fact, Explained | Accepted | Rejected):
                given.setdefault((instance, fact.deviation), []).append(fact)
    return given


def replies_json(given: Iterable[Answer]) -> list[dict[str, object]]:
    """Return who answered what; `behalf` is null where nobody was acted for."""
    return [
        {
            "status": STATUS_AFTER[type(one)],
            "actor": one.actor,
            "behalf": one.behalf or None,
            "reason": one.reason,
            "occurred_at": one.occurred_at.isoformat(),
        }
        for one in given
    ]


def replies_text(given: Iterable[Answer], lang: Tongue) -> str:
    """Say who answered what: `explained by li: the lift stood still; accepted by chen: seen`."""
    return ("；" if lang == "zh" else "; ").join(_said(one, lang) for one in given)


def who(fact: Fact, lang: Tongue) -> str:
    """Name who acted, and for whom."""
    if not fact.behalf:
        return fact.actor
    return Text(zh=f"{fact.actor} 代 {fact.behalf}", en=f"{fact.actor} for {fact.behalf}").in_(lang)


def _said(one: Answer, lang: Tongue) -> str:
    standing, by = word(DEVIATION_STATUSES, STATUS_AFTER[type(one)]).in_(lang), who(one, lang)
    return Text(zh=f"{standing}（{by}）：{one.reason}", en=f"{standing} by {by}: {one.reason}").in_(lang)
