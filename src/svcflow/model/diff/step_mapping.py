"""Proposed mapping of old steps to new ones: the same id, or the likeliest new name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import attrs

from svcflow.model.procedure import Procedure
from svcflow.model.step import Step

Match = Literal["same", "renamed", "gone"]
_LIKELY = 0.5


@attrs.frozen
class StepMatch:
    """What one old step became; `candidates` are steps of the new version at its place, likeliest first."""

    step: str
    match: Match
    to: str = ""
    candidates: tuple[str, ...] = ()


def matches(old: Procedure, new: Procedure) -> tuple[StepMatch, ...]:
    """Return what each old step became; none is proposed for two."""
    return tuple(_matches(old.steps, new.steps))


def _matches(before: Iterable[Step], after: Iterable[Step]) -> Iterator[StepMatch]:
    """Match steps of one place, then those of the branches of what became what."""
    left = {step.id: step for step in after}
    lost = [step for step in before if step.id not in left]
    names = {step.id for step in before}
    fresh = [step for step in left.values() if step.id not in names]
    proposed = _proposed(lost, fresh)
    for step in before:
        match = StepMatch(step.id, "same", step.id) if step.id in left else proposed[step.id]
        yield match
        other = left.get(match.to)
        for branch in step.parallel:
            inner = {
                candidate.id: candidate.steps for candidate in (other.parallel if other is not None else ())
            }
            yield from _matches(branch.steps, inner.get(branch.id, ()))


def _proposed(lost: Iterable[Step], fresh: Iterable[Step]) -> Mapping[str, StepMatch]:
    """Propose a new name for each lost step: the likeliest pairs first, each new step once."""
    scores = {(one.id, other.id): _likeness(one, other) for one in lost for other in fresh}
    taken: dict[str, str] = {}
    for (name, other), score in sorted(scores.items(), key=lambda pair: -pair[1]):
        if score >= _LIKELY and name not in taken and other not in taken.values():
            taken[name] = other
    proposed = {}
    for step in lost:
        ranked = sorted(
            (other for name, other in scores if name == step.id), key=lambda o: -scores[step.id, o]
        )
        to = taken.get(step.id, "")
        proposed[step.id] = StepMatch(step.id, "renamed" if to else "gone", to, tuple(ranked[:3]))
    return proposed


def _likeness(one: Step, other: Step) -> float:
    """Return how alike two steps are, from 0 to 1: by their names, roles, ways on and ids."""
    if bool(one.parallel) != bool(other.parallel) or (one.end is None) != (other.end is None):
        return 0.0
    named = bool(one.name) and one.name == other.name
    ways, others = {move.trigger for move in one.to}, {move.trigger for move in other.to}
    shared = len(ways & others) / len(ways | others) if ways | others else float(one.end == other.end)
    by_id = difflib.SequenceMatcher(None, one.id, other.id).ratio()
    return 0.5 * named + 0.25 * shared + 0.1 * (one.role == other.role) + 0.25 * by_id
