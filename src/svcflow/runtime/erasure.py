"""Erasure of a person: their data beside the journals are deleted, and every chain still verifies.

The commitments in the journals then lead nowhere. What was decided stays decided, because nothing personal may
decide anything (see model/validation/references.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from svcflow.errors import PersonInUse
from svcflow.journal.canonical import from_bytes
from svcflow.journal.chain import chained
from svcflow.journal.personal_data import Commitments, count_in_clear, count_named
from svcflow.kernel.commands import Actor
from svcflow.kernel.facts import Erased
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.migration_target import VersionOf
from svcflow.kernel.lifecycle.work_items import work_of
from svcflow.kernel.moves.authorization import remembers_person
from svcflow.kernel.replay import replay
from svcflow.runtime.clock import Clock
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.queries import load
from svcflow.runtime.store import ChangeSet, LockedInstance, Store
from svcflow.text import Text


@attrs.frozen
class Forgotten:
    """Result of an erasure: the instances, and how many values beside their journals were erased.

    `in_clear` is the number of entries that still hold data of the person: of fields that were not personal when
    they were recorded, and are in any version that the catalog has. They cannot be erased. Nor can what was written
    before schema version 2, where persons stood in the clear: `named` is the number of entries that name the person,
    `named_in` the instances of those entries.
    """

    instances: tuple[str, ...]
    values: int
    in_clear: int = 0
    named: int = 0
    named_in: tuple[str, ...] = ()


def forget(
    store: Store,
    registry: ProcedureRegistry,
    clock: Clock,
    person: str,
    actor: Actor,
    *,
    open: bool,  # noqa: A002  # as `Engine.forget` says it
) -> Forgotten:
    """Erase a person everywhere in a store. Raises: PersonInUse while open instances need the person."""
    names = store.instances_of(person)
    instances = (load(store, name).instance for name in names)
    running = [instance for instance in instances if instance.status != "ended"]
    if not open:
        refuse_in_use([instance.id for instance in running])
    refuse_if_remembered(
        [instance.id for instance in running if remembers_person(registry.of(instance), instance, person)]
    )
    values = in_clear = 0
    for name in names:
        handler = ErasureHandler(registry.version, registry.catalog.personal, person, actor, clock)
        store.change(name, None, handler)
        values += handler.values
        in_clear += handler.in_clear
    store.scrub(person)
    bodies = ((name, store.rows(name)) for name in store.mentioning(person))
    counted = {name: count_named((body for body, _ in rows), person) for name, rows in bodies}
    named = {name: count for name, count in counted.items() if count}
    return Forgotten(tuple(names), values, in_clear, sum(named.values()), tuple(named))


class ErasureHandler:
    """Erases a person beside one journal, records that in the journal, and rebuilds the instance from the rest."""

    def __init__(
        self,
        version_of: VersionOf,
        personal_in: Callable[[str], frozenset[str]],
        person: str,
        actor: Actor,
        clock: Clock,
    ) -> None:
        self.values = self.in_clear = 0
        self._personal_in = personal_in
        self._version_of = version_of
        self._person = person
        self._actor = actor
        self._clock = clock

    def __call__(self, locked: LockedInstance) -> ChangeSet | None:
        """Return the instance without the person's data; None when there were none."""
        self.values = self.in_clear = 0
        instance = locked.instance
        theirs = sorted(
            token
            for token, secret in locked.journal.secrets.items()
            if secret and secret.person == self._person
        )
        if instance is None or not theirs:
            return None
        if remembers_person(
            self._version_of(instance.procedure, instance.version).under(instance.parameters),
            instance,
            self._person,
        ):
            refuse_if_remembered((instance.id,))
        commitments = Commitments({**locked.journal.secrets, **dict.fromkeys(theirs)})
        erased = self._fact(instance, theirs)
        entries = chained(locked.journal.head, (erased,), commitments)
        bodies, personal = locked.journal.bodies(), self._personal_in(instance.procedure)
        facts = [from_bytes(body, commitments) for body in bodies]
        self.values = len(theirs)
        self.in_clear = count_in_clear(
            bodies, personal, instance.recipient, locked.journal.secrets, self._person
        )
        rebuilt = replay(self._version_of, (*facts, erased))  # nothing personal decides on time
        # the deadlines are kept: a calendar may have been corrected since they were computed
        rebuilt = rebuilt._replace(stopwatches=instance.stopwatches, next_us=instance.next_us)
        return ChangeSet(
            rebuilt,
            entries,
            secrets=commitments.all_secrets(),
            work=work_of(
                self._version_of(rebuilt.procedure, rebuilt.version).under(rebuilt.parameters), rebuilt
            ),
            persons=frozenset(secret.person for secret in commitments.added.values()),
            forgotten=frozenset({self._person}),
        )

    def _fact(self, instance: Instance, tokens: Sequence[str]) -> Erased:
        # a clock that was set back does not go behind the last fact
        at_us = max(self._clock.now_us(), instance.updated_us)
        return Erased(
            instance.id,
            instance.sequence + 1,
            at_us,
            at_us,
            self._unless_erased(self._actor.id),
            tuple(tokens),
            behalf=self._unless_erased(self._actor.behalf),
        )

    def _unless_erased(self, person: str) -> str:
        """Return a person, or nobody for the one who is erased: the fact of the erasure must not name them."""
        return "" if person == self._person else person


def refuse_if_remembered(asking: Sequence[str]) -> None:
    """Raise PersonInUse when open instances have steps that another person than this one has to do (`not_by`)."""
    if asking:
        listed = _listed(asking)
        raise PersonInUse(
            Text(
                zh=f"{len(asking)} 个未结束的实例须由他人办理后续环节（not_by），仍须认得此人：{listed}",
                en=f"open instances in which another person has to go on (not_by) must know this one: {listed}",
            ),
            Text(
                zh="等其结束；或先由他人重办该环节，或变更到没有此项回避的版本",
                en="wait until they end, have the step done again by another, or migrate them to a version without not_by",
            ),
        )


def refuse_in_use(running: Sequence[str]) -> None:
    """Raise PersonInUse when instances that have not ended need the person."""
    if running:
        listed = _listed(running)
        raise PersonInUse(
            Text(
                zh=f"仍有 {len(running)} 个未结束的实例与此人有关：{listed}",
                en=f"still needed by {len(running)} open: {listed}",
            ),
            Text(
                zh="等其结束，或用 `open=True` 一并抹去",
                en="wait until they end, or erase it there too with `open=True`",
            ),
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
