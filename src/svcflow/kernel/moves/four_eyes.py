"""Performers of steps, for `not_by` (the four-eyes principle).

A step was done by whoever left it, and by the person they acted for; going round the declared order, by whoever
fired its trigger from elsewhere as well. A parallel step was done by everybody who did a step inside it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Migrated, Moved, Started
from svcflow.kernel.instance import FrozenDict
from svcflow.kernel.lifecycle.migration_target import mapped_step
from svcflow.model.subprocedure import OF_PARENT

Performers = FrozenDict[str, tuple[str, ...]]
"""Persons who did each step."""


def performers_after(compiled: Compiled, known: Performers, fact: Moved, among: Container[str]) -> Performers:
    """Return the performers of the steps `among` after one more move."""
    who = (fact.actor, fact.behalf) if fact.behalf else (fact.actor,)
    new: dict[str, tuple[str, ...]] = {}
    for step in steps_done(compiled, fact):
        if step in among:
            before = known.get(step, ()) if compiled.steps[step].branches else ()
            new[step] = (*before, *(name for name in who if name not in before))
    return FrozenDict({**known, **new}) if new else known


def mapped_performers(
    source: Compiled, target: Compiled, steps: Mapping[str, str], known: Mapping[str, tuple[str, ...]]
) -> Performers:
    """Return who did which step by the step names of the target version of a migration.

    Performers of steps that it does not have are kept, since a later version may have them again.
    """
    kept = {name: who for name, who in known.items() if name not in source.steps or name not in target.steps}
    own: dict[str, tuple[str, ...]] = {}
    for name, who in known.items():
        if name in source.steps:
            step = mapped_step(steps, name)
            own[step] = (*own.get(step, ()), *who)
    return FrozenDict({**kept, **own})


def steps_done(compiled: Compiled, fact: Moved) -> tuple[str, ...]:
    """Return the steps that a move did; one may come twice."""
    done = (fact.step, *compiled.around(fact.step))
    return (*done, fact.via, *compiled.around(fact.via)) if fact.via else done


def steps_of_parent(compiled: Compiled) -> Mapping[str, str]:
    """Return the steps of a parent whose performers a procedure asks about, by how `not_by` writes them."""
    return {name: name.removeprefix(OF_PARENT) for name in compiled.excluded if name.startswith(OF_PARENT)}


class StepPerformers:
    """Who did every step of a journal that is followed from its start, also under versions that did not ask."""

    def __init__(self) -> None:
        self._performers: Performers = FrozenDict()
        self._moves: list[tuple[Compiled, Moved]] = []

    def start(self, fact: Started) -> None:
        """Take in the start: who did steps of the parent is known from then on."""
        self._performers = FrozenDict(fact.performers)

    def move(self, compiled: Compiled, fact: Moved) -> None:
        """Take in a move."""
        if fact.actor:
            self._moves.append((compiled, fact))

    def migrate(self, source: Compiled, target: Compiled, fact: Migrated) -> None:
        """Take in a migration."""
        self._performers = mapped_performers(source, target, fact.steps, self.known())

    def known(self) -> Performers:
        """Return who did which step, by the step names of the version the journal has come to."""
        for compiled, fact in self._moves:
            self._performers = performers_after(compiled, self._performers, fact, compiled.steps)
        self._moves = []
        return self._performers
