"""Engine of the command line: it keeps what its commands recorded, to answer with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from svcflow.kernel.facts import Accepted, Explained, Fact, Rejected
from svcflow.kernel.lifecycle.deviations import Answer, Deviation, deviation_of
from svcflow.model.catalog import Catalog
from svcflow.runtime.clock import Clock
from svcflow.runtime.engine import Engine
from svcflow.runtime.qualifications import Qualifications

__all__ = ["Answers", "RecordingEngine", "answers_to"]

Answers = Mapping[tuple[str, int], Sequence[Answer]]
"""The answers to each deviation, by its instance and its number, in the order in which they were given."""


class RecordingEngine(Engine):
    """An engine that keeps the facts it recorded; those of other processes or of an earlier run are not among them."""

    def __init__(
        self,
        url: str,
        catalog: Catalog,
        *,
        clock: Clock | None = None,
        qualifications: Qualifications | None = None,
    ) -> None:
        self._new_facts: list[Fact] = []
        super().__init__(url, catalog, clock=clock, qualifications=qualifications)
        self._notifier.observers.append(self._new_facts.extend)

    def new_deviations(self, instance: str) -> tuple[Deviation, ...]:
        """Return the deviations of an instance that this engine recorded, as they stand now."""
        new = {
            fact.sequence
            for fact in self._new_facts
            if fact.instance == instance and deviation_of(fact, "", 0) is not None
        }
        if not new:
            return ()
        return tuple(
            deviation for deviation in self.deviations(instance=instance) if deviation.sequence in new
        )


def answers_to(engine: Engine, deviations: Iterable[Deviation]) -> Answers:
    """Return who explained, accepted or rejected these deviations.

    A store keeps only how a deviation stands; who answered is personal and stands in the journal, which is read
    for deviations that somebody answered to.
    """
    answers: dict[tuple[str, int], list[Answer]] = {}
    for instance in dict.fromkeys(
        deviation.instance for deviation in deviations if deviation.status != "open"
    ):
        for fact in engine.journal(instance):
            if isinstance(fact, Explained | Accepted | Rejected):
                answers.setdefault((instance, fact.deviation), []).append(fact)
    return answers
