"""Replay: an instance rebuilt from its whole journal, through all the versions it ran under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.evolve import apply
from svcflow.kernel.facts import Fact, Migrated, Moved, Started
from svcflow.kernel.instance import Draft, Instance
from svcflow.kernel.lifecycle.migrated import apply_migration
from svcflow.kernel.lifecycle.migration_target import MigrationTarget, VersionOf
from svcflow.kernel.moves.four_eyes import Performers, StepPerformers


def replay(version_of: VersionOf, facts: Iterable[Fact]) -> Instance:
    """Return the instance that a whole journal leads to; `version_of` looks up the versions it names.

    Raises: ValueError when the journal does not begin with `Started`; what `version_of` raises.
    """
    draft = Draft.blank("")
    # deadlines are computed once for all facts under one version: calendar arithmetic is most of the cost of a replay
    for (compiled, target), entries in groupby(versions_along(version_of, facts), itemgetter(0, 1)):
        together = [fact for _, _, fact in entries]
        draft.id = together[0].instance
        if target is None:
            apply(compiled, draft, together)
        else:
            apply_under(compiled, target, draft, together[0])
    return draft.freeze()


def apply_under(compiled: Compiled, target: MigrationTarget | None, draft: Draft, fact: Fact) -> None:
    """Change the draft by one fact that `versions_along` yields."""
    if target is not None and isinstance(fact, Migrated):
        apply_migration(compiled, target, draft, fact)
    else:
        apply(compiled, draft, (fact,))


def performers_of(version_of: VersionOf, facts: Iterable[Fact]) -> Performers:
    """Return who did which step, of all steps, by the names of the version a whole journal has come to."""
    performers = StepPerformers()
    for _ in versions_along(version_of, facts, performers):
        pass
    return performers.known()


def versions_along(
    version_of: VersionOf, facts: Iterable[Fact], performers: StepPerformers | None = None
) -> Iterator[tuple[Compiled, MigrationTarget | None, Fact]]:
    """Yield each fact with the version it was recorded under, a migration with its target too."""
    compiled: Compiled | None = None
    performers = performers or StepPerformers()
    for fact in facts:
        if isinstance(fact, Started):
            compiled = version_of(fact.procedure, fact.version).under(fact.parameters)
            performers.start(fact)
        if compiled is None:
            raise ValueError(f"a journal begins with Started, not {fact.kind}")
        if isinstance(fact, Migrated):
            into = version_of(compiled.procedure.id, fact.to_version).under(fact.parameters)
            yield compiled, MigrationTarget(into, performers=performers.known()), fact
            performers.migrate(compiled, into, fact)
            compiled = into
        else:
            if isinstance(fact, Moved):
                performers.move(compiled, fact)
            yield compiled, None, fact


def migration_in_force(facts: Iterable[Fact]) -> Migrated | None:
    """Return the last migration that was not reverted; None when the instance runs under its first version."""
    in_force: list[Migrated] = []
    for fact in facts:
        if isinstance(fact, Migrated):
            in_force = [migration for migration in in_force if migration.sequence != fact.reverts]
            if not fact.reverts:
                in_force.append(fact)
    return in_force[-1] if in_force else None
