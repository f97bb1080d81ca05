"""A migration before it is made: the versions it needs, and what it would do. Stores nothing, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import attrs

from svcflow.kernel.commands import Migrate, Revert
from svcflow.kernel.decide import transact
from svcflow.kernel.facts import Fact, Migrated, Refused
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.version_change import Passage, VersionOf, limit_name
from svcflow.kernel.replay import migration_in_force, who_did
from svcflow.kernel.timing.deadlines import Deadline, deadlines
from svcflow.text import NO_TEXT, Text

LimitFate = Literal["kept", "moved", "ended", "started"]


@attrs.frozen
class LimitPreview:
    """Hold what becomes of one limit: `before` and `after` are its deadlines, None while it stands still."""

    limit: str
    fate: LimitFate
    before: datetime | None
    after: datetime | None


@attrs.frozen
class MigrationPreview:
    """Hold what a migration would do to one instance; `refused` is the rule that would refuse it, or nothing.

    `exposed` are fields that are personal in the other version, and stand in the clear in the journal already.
    """

    instance: str
    from_version: int
    to_version: int
    steps_before: tuple[str, ...]
    steps_after: tuple[str, ...]
    limits: tuple[LimitPreview, ...]
    refused: str = ""
    why: Text = NO_TEXT
    remedy: Text = NO_TEXT
    exposed: tuple[str, ...] = ()


def passage_for(
    version_of: VersionOf, instance: Instance, command: Migrate | Revert, journal: Iterable[Fact] = ()
) -> Passage:
    """Return the two versions a migration is decided with; `journal` is the instance's, whole.

    It tells who did which step, and which migration there is to take back.

    Raises: UnknownProcedure without that version.
    """
    left, facts = version_of(instance.procedure, instance.version), tuple(journal)
    doers = who_did(version_of, facts) if facts else None
    if isinstance(command, Migrate):
        return Passage.between(left, version_of(instance.procedure, command.version), doers=doers)
    fact = migration_in_force(facts)
    if fact is None:
        return Passage.between(left, left, doers=doers)
    return Passage.between(left, version_of(instance.procedure, fact.from_version), fact, doers=doers)


def preview(
    version_of: VersionOf,
    instance: Instance,
    command: Migrate | Revert,
    at_us: int,
    journal: Iterable[Fact] = (),
) -> MigrationPreview:
    """Say what a migration would do, doing nothing. Raises: UnknownProcedure, FieldError."""
    passage = passage_for(version_of, instance, command, journal)
    left = transact(passage, instance, None, at_us).instance
    outcome = transact(passage, instance, command, at_us)
    known = MigrationPreview(
        instance.id, instance.version, passage.into.procedure.version, left.steps, left.steps, ()
    )
    if outcome.refused is not None:
        return _refused(known, outcome.refused, outcome.remedy)
    steps = next(fact.steps for fact in outcome.facts if isinstance(fact, Migrated))
    before = {limit_name(steps, one.limit): one for one in deadlines(passage, left, at_us)}
    after = {one.limit: one for one in deadlines(passage.into, outcome.instance, at_us)}
    limits = tuple(_limits(before, after))
    return attrs.evolve(known, steps_after=outcome.instance.steps, limits=limits)


def _refused(known: MigrationPreview, fact: Refused, remedy: Text) -> MigrationPreview:
    return attrs.evolve(known, refused=fact.rule, why=fact.reason, remedy=remedy)


def _limits(before: Mapping[str, Deadline], after: Mapping[str, Deadline]) -> Iterator[LimitPreview]:
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            yield LimitPreview(old.limit, "ended", old.due_at, None)
        else:
            still = old.due_at is None and new.remaining != old.remaining
            kept = new.due_at == old.due_at and not still
            yield LimitPreview(name, "kept" if kept else "moved", old.due_at, new.due_at)
    for name, new in after.items():
        if name not in before:
            yield LimitPreview(name, "started", None, new.due_at)
