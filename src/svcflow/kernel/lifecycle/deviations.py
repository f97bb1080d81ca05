"""Deviations: the departures of an instance from its procedure, read from its facts. None is ever deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from svcflow.kernel.facts import (
    Accepted,
    Detail,
    Deviated,
    DeviationKind,
    DeviationStatus,
    Explained,
    Fact,
    Migrated,
    Overdue,
    Rejected,
    Settled,
    Started,
    to_datetime,
)
from svcflow.kernel.lifecycle.migration_target import mapped_limit
from svcflow.model.limit import Severity

Answer = Explained | Accepted | Rejected
STATUS_AFTER: Mapping[type[Fact], DeviationStatus] = {
    Explained: "explained",
    Accepted: "accepted",
    Rejected: "rejected",
}
"""Status of a deviation after each answer: the last one counts, so that no explanation goes unanswered."""


@attrs.frozen
class Deviation:
    """Hold one departure.

    `overrun` is measured in the limit's own clock and is None until the limit has ended; `due_us`,
    `visit` and `limit` are set for time limits only. `status` is where it stands after the last answer, and
    `explanation` the last reason given for it; whatever they are, it counts.
    """

    instance: str
    sequence: int
    procedure: str
    version: int
    kind: DeviationKind
    severity: Severity
    step: str
    role: str
    actor: str
    occurred_us: int
    limit: str = ""
    visit: int = 0
    due_us: int | None = None
    overrun_us: int | None = None
    trigger: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = attrs.field(factory=dict)
    status: DeviationStatus = "open"
    explanation: str = ""

    @property
    def annulled(self) -> bool:
        """Whether the end, recorded late, turned out to have been in time; it stays on record all the same."""
        return self.overrun_us is not None and self.overrun_us < 0

    @property
    def occurred_at(self) -> datetime:
        """When it happened; for a limit, its deadline."""
        return to_datetime(self.occurred_us)

    @property
    def due_at(self) -> datetime | None:
        """The deadline that was missed, if it was one."""
        return None if self.due_us is None else to_datetime(self.due_us)

    @property
    def overrun(self) -> timedelta | None:
        """By how much the deadline was missed; None until the limit has ended, nothing when annulled."""
        return None if self.overrun_us is None else timedelta(microseconds=max(0, self.overrun_us))


Missed = tuple[str, int, int | None]
"""The limit, visit and deadline by which the end of what was overdue finds it."""

DEVIATION_FACTS = frozenset((Overdue, Deviated, Settled, Explained, Accepted, Rejected))
"""The facts that a deviation comes from, or changes with."""


def deviations_of(facts: Iterable[Fact]) -> tuple[Deviation, ...]:
    """Return the deviations of one journal, in the order in which they were recorded."""
    found: dict[int, Deviation] = {}
    missed: dict[Missed, list[int]] = {}
    procedure, version = "", 0
    for fact in facts:
        if isinstance(fact, Started):
            procedure, version = fact.procedure, fact.version
        elif isinstance(fact, Settled):
            for sequence in missed.get((fact.limit, fact.visit, fact.due_us), ()):
                found[sequence] = attrs.evolve(found[sequence], overrun_us=fact.overrun_us)
        elif isinstance(fact, Explained | Accepted | Rejected):
            if fact.deviation in found:
                found[fact.deviation] = with_answer(found[fact.deviation], fact)
        elif isinstance(fact, Migrated):
            version, missed = fact.to_version, _mapped(missed, fact.steps)
        else:
            one = deviation_of(fact, procedure, version)
            if one is not None:
                found[one.sequence] = one
                missed.setdefault((one.limit, one.visit, one.due_us), []).append(one.sequence)
    return tuple(found.values())


def _mapped(missed: dict[Missed, list[int]], steps: Mapping[str, str]) -> dict[Missed, list[int]]:
    """Return deviations by what their limits are called now: a migration renames them, and their ends go by that name."""
    renamed: dict[Missed, list[int]] = {}
    for (limit, visit, due_us), sequences in missed.items():
        renamed.setdefault((mapped_limit(steps, limit), visit, due_us), []).extend(sequences)
    return renamed


def with_versions(facts: Iterable[Fact], version: int) -> Iterator[tuple[Fact, int]]:
    """Yield facts that were recorded together, each with the version it was recorded under, the last being `version`."""
    together = tuple(facts)
    crossed = [fact for fact in together if isinstance(fact, Migrated)]
    now = crossed[0].from_version if crossed else version
    for fact in together:
        now = fact.to_version if isinstance(fact, Migrated) else now
        yield fact, now


def deviation_of(fact: Fact, procedure: str, version: int) -> Deviation | None:
    """Return the deviation that a fact records, if it records one."""
    if not isinstance(fact, Overdue | Deviated):
        return None
    due_us: int | None = fact.due_us
    trigger, reason = "", ""
    detail: Detail = {}
    if isinstance(fact, Deviated):
        due_us = fact.due_us or None
        trigger, reason, detail = fact.trigger, fact.reason, fact.detail
    return Deviation(
        fact.instance,
        fact.sequence,
        procedure,
        version,
        fact.deviation,
        fact.severity,
        fact.step,
        fact.role,
        fact.actor,
        fact.occurred_us,
        fact.limit,
        fact.visit,
        due_us,
        trigger=trigger,
        reason=reason,
        detail=detail,
    )


def with_answer(one: Deviation, fact: Answer) -> Deviation:
    """Return a deviation as an answer leaves it; an answer to another one leaves it as it was."""
    if one.sequence != fact.deviation:
        return one
    explanation = fact.reason if isinstance(fact, Explained) else one.explanation
    return attrs.evolve(one, status=STATUS_AFTER[type(fact)], explanation=explanation)
