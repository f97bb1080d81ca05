"""Answers to deviations as the state keeps them: where each deviation stands, and who explained it. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Accepted, DeviationStatus, Explained, Fact, Rejected
from svcflow.kernel.instance import Draft, FrozenDict

Answer = Explained | Accepted | Rejected
STANDS: Mapping[type[Fact], DeviationStatus] = {
    Explained: "explained",
    Accepted: "accepted",
    Rejected: "rejected",
}
"""Where a deviation stands after each answer: the last one counts, so that no explanation goes unanswered."""


def deviated(compiled: Compiled, draft: Draft, fact: Fact) -> None:  # noqa: ARG001  # the table's signature
    """Note that a fact records a deviation."""
    _own(draft)[fact.sequence] = "open"


def answered(compiled: Compiled, draft: Draft, fact: Answer) -> None:  # noqa: ARG001  # the table's signature
    """Note where a deviation stands now; each explainer is remembered."""
    _own(draft)[fact.deviation] = STANDS[type(fact)]
    if isinstance(fact, Explained):
        known = draft.explainers.get(fact.deviation, ())
        new = (name for name in (fact.actor, fact.behalf) if name and name not in known)
        draft.explainers = FrozenDict({**draft.explainers, fact.deviation: (*known, *new)})


def _own(draft: Draft) -> MutableMapping[int, DeviationStatus]:
    """Return the draft's own deviations: copied once, for there is one more at every missed occurrence."""
    if type(draft.deviations) is not dict:
        draft.deviations = {**draft.deviations}
    return draft.deviations
