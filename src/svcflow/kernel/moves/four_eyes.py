"""Who did which step, as `not_by` asks it. Bars nobody by itself.

A step was done by whoever left it, and for whom; going round the declared order, by whoever fired its trigger
from elsewhere as well. A parallel step was done by everybody who did a step inside it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Migrated, Moved
from svcflow.kernel.instance import Unchanging
from svcflow.kernel.lifecycle.version_change import Passage, step_name

Doers = Unchanging[str, tuple[str, ...]]
"""The persons who did each step."""


def noted(compiled: Compiled, known: Doers, fact: Moved, among: Container[str]) -> Doers:
    """Return who did which of the steps `among`, after one more move that somebody made."""
    who = (fact.actor, fact.behalf) if fact.behalf else (fact.actor,)
    new: dict[str, tuple[str, ...]] = {}
    for step in steps_done(compiled, fact):
        if step in among:
            before = known.get(step, ()) if compiled.steps[step].branches else ()
            new[step] = (*before, *(name for name in who if name not in before))
    return Unchanging({**known, **new}) if new else known


def renamed(passage: Passage, steps: Mapping[str, str], known: Mapping[str, tuple[str, ...]]) -> Doers:
    """Return who did which step by the names of the version gone over to.

    What is known of steps that it does not have stays, and yields: a later version may have them again.
    """
    kept = {
        name: who
        for name, who in known.items()
        if name not in passage.steps or name not in passage.into.steps
    }
    own: dict[str, tuple[str, ...]] = {}
    for name, who in known.items():
        if name in passage.steps:
            own[step_name(steps, name)] = (*own.get(step_name(steps, name), ()), *who)
    return Unchanging({**kept, **own})


def steps_done(compiled: Compiled, fact: Moved) -> tuple[str, ...]:
    """Return the steps that a move did; one may come twice."""
    done = (fact.step, *compiled.inside(fact.step))
    return (*done, fact.via, *compiled.inside(fact.via)) if fact.via else done


class Memory:
    """Follow a journal from its start, and remember who did every step, also under versions that did not ask."""

    def __init__(self) -> None:
        self._doers: Doers = Unchanging()
        self._moves: list[tuple[Compiled, Moved]] = []

    def moved(self, compiled: Compiled, fact: Moved) -> None:
        """Take in a move."""
        if fact.actor:
            self._moves.append((compiled, fact))

    def crossed(self, passage: Passage, fact: Migrated) -> None:
        """Take in a migration."""
        self._doers = renamed(passage, fact.steps, self.doers())

    def doers(self) -> Doers:
        """Return who did which step, by the names of the version the journal stands at."""
        for compiled, fact in self._moves:
            self._doers = noted(compiled, self._doers, fact, compiled.steps)
        self._moves = []
        return self._doers
