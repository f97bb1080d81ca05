"""Deviations: departures of an instance from its procedure, read from its facts. None is ever deleted."""

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
    """One departure of an instance from its procedure.

    `overrun` is measured as the limit counts and is None until the limit has ended; `due_us`, `visit` and `limit`
    are set for time limits only, `due_us` for a missed regular start too. `status` is that after the last answer, and `explanation` the last reason given
    for it; whatever they are, the deviation counts.
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
        """Whether the limit ended in time after all, which was recorded late; the deviation stays on record."""
        return self.overrun_us is not None and self.overrun_us < 0

    @property
    def occurred_at(self) -> datetime:
        """When it happened; for a limit, its deadline, or when it was reached after that, where only this is judged."""
        return to_datetime(self.occurred_us)

    @property
    def due_at(self) -> datetime | None:
        """Deadline that was missed; None for deviations of other kinds."""
        return None if self.due_us is None else to_datetime(self.due_us)

    @property
    def overrun(self) -> timedelta | None:
        """By how much the deadline was missed; None until the limit has ended, nothing when annulled."""
        return None if self.overrun_us is None else timedelta(microseconds=max(0, self.overrun_us))


Missed = tuple[str, int, int | None]
"""Limit, visit and deadline, by which `Settled` refers to the `Overdue` before it."""

DEVIATION_FACTS = frozenset((Overdue, Deviated, Settled, Explained, Accepted, Rejected))
"""Facts that record a deviation or change one."""


def deviations_of(facts: Iterable[Fact]) -> tuple[Deviation, ...]:
    """Return the deviations of one journal, in the order in which they were recorded."""
    deviations: dict[int, Deviation] = {}
    missed: dict[Missed, list[int]] = {}
    procedure, version = "", 0
    for fact in facts:
        if isinstance(fact, Started):
            procedure, version = fact.procedure, fact.version
        elif isinstance(fact, Settled):
            for sequence in missed.get((fact.limit, fact.visit, fact.due_us), ()):
                deviations[sequence] = attrs.evolve(deviations[sequence], overrun_us=fact.overrun_us)
        elif isinstance(fact, Explained | Accepted | Rejected):
            if fact.deviation in deviations:
                deviations[fact.deviation] = with_answer(deviations[fact.deviation], fact)
        elif isinstance(fact, Migrated):
            version, missed = fact.to_version, _mapped(missed, fact.steps)
        else:
            new = deviation_of(fact, procedure, version)
            if new is not None:
                deviations[new.sequence] = new
                missed.setdefault((new.limit, new.visit, new.due_us), []).append(new.sequence)
    return tuple(deviations.values())


def _mapped(missed: dict[Missed, list[int]], steps: Mapping[str, str]) -> dict[Missed, list[int]]:
    """Return overdue deviations by the limit names of a migration's target, which later facts refer to."""
    mapped: dict[Missed, list[int]] = {}
    for (limit, visit, due_us), sequences in missed.items():
        mapped.setdefault((mapped_limit(steps, limit), visit, due_us), []).extend(sequences)
    return mapped


def with_versions(facts: Iterable[Fact], version: int) -> Iterator[tuple[Fact, int]]:
    """Yield facts that were recorded together, each with its version; `version` is that after the last one."""
    together = tuple(facts)
    migrations = [fact for fact in together if isinstance(fact, Migrated)]
    current = migrations[0].from_version if migrations else version
    for fact in together:
        current = fact.to_version if isinstance(fact, Migrated) else current
        yield fact, current


def deviation_of(fact: Fact, procedure: str, version: int) -> Deviation | None:
    """Return the deviation that a fact records; None if it records none."""
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


def with_answer(deviation: Deviation, fact: Answer) -> Deviation:
    """Return a deviation after an answer; unchanged if the answer is to another one."""
    if deviation.sequence != fact.deviation:
        return deviation
    explanation = fact.reason if isinstance(fact, Explained) else deviation.explanation
    return attrs.evolve(deviation, status=STATUS_AFTER[type(fact)], explanation=explanation)
