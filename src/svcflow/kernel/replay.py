"""Replay: an instance rebuilt from its whole journal, through all the versions it ran under. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.evolve import apply_all
from svcflow.kernel.facts import Fact, Migrated, Moved, Started
from svcflow.kernel.instance import Draft, Instance
from svcflow.kernel.lifecycle.version_change import Passage, VersionOf
from svcflow.kernel.moves.four_eyes import Doers, Memory


def replay(version_of: VersionOf, facts: Iterable[Fact]) -> Instance:
    """Return where a whole journal leads; `version_of` finds the versions it names.

    Raises: ValueError when the journal does not begin with its start; what `version_of` raises.
    """
    draft = Draft.blank("")
    # facts under one version are reckoned once, at their end: calendar arithmetic is most of the cost of a replay
    for compiled, along in groupby(versions_along(version_of, facts), itemgetter(0)):
        run = [fact for _, fact in along]
        draft.id = run[0].instance
        apply_all(compiled, draft, run)
    return draft.freeze()


def who_did(version_of: VersionOf, facts: Iterable[Fact]) -> Doers:
    """Return who did which step, of all steps, by the names of the version a whole journal stands at."""
    memory = Memory()
    for _ in versions_along(version_of, facts, memory):
        pass
    return memory.doers()


def versions_along(
    version_of: VersionOf, facts: Iterable[Fact], memory: Memory | None = None
) -> Iterator[tuple[Compiled, Fact]]:
    """Yield each fact with the version it is to be applied under; a migration with the passage it makes."""
    compiled: Compiled | None = None
    memory = memory or Memory()
    for fact in facts:
        if isinstance(fact, Started):
            compiled = version_of(fact.procedure, fact.version)
        if compiled is None:
            raise ValueError(f"a journal begins with Started, not {fact.kind}")
        if isinstance(fact, Migrated):
            into = version_of(compiled.procedure.id, fact.to_version)
            passage = Passage.between(compiled, into, doers=memory.doers())
            yield passage, fact
            memory.crossed(passage, fact)
            compiled = into
        else:
            if isinstance(fact, Moved):
                memory.moved(compiled, fact)
            yield compiled, fact


def migration_in_force(facts: Iterable[Fact]) -> Migrated | None:
    """Return the last migration that was not taken back; None when the instance is where it started."""
    standing: list[Migrated] = []
    for fact in facts:
        if isinstance(fact, Migrated):
            standing = [one for one in standing if one.sequence != fact.reverts]
            if not fact.reverts:
                standing.append(fact)
    return standing[-1] if standing else None
