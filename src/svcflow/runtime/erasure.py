"""Forgetting a person: their data beside the journals are erased, and every chain still verifies.

The journals keep commitments that lead nowhere any more. What was decided stays decided, because nothing
personal may decide anything (see model/validation/references.py).
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
    """Hold what was erased: the instances, and how many values beside their journals.

    `in_clear` is how many entries still hold data of theirs: of fields that were not personal yet when they
    were recorded, in any version of the procedure that the catalog has. They cannot be erased. Nor can what was
    written before schema version 2, where persons stood in the clear: `named` is how many entries name the
    person, `named_in` the instances whose journals they are in.
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
    refuse_if_asked_about(
        [instance.id for instance in running if remembers_person(registry.of(instance), instance, person)]
    )
    values = in_clear = 0
    for name in names:
        forgetting = ErasureHandler(registry.version, registry.catalog.personal, person, actor, clock)
        store.change(name, None, forgetting)
        values += forgetting.values
        in_clear += forgetting.in_clear
    store.scrub(person)
    bodies = ((name, store.rows(name)) for name in store.mentioning(person))
    counted = {name: count_named((body for body, _ in rows), person) for name, rows in bodies}
    named = {name: count for name, count in counted.items() if count}
    return Forgotten(tuple(names), values, in_clear, sum(named.values()), tuple(named))


class ErasureHandler:
    """Erase a person beside one journal, note that in the journal, and rebuild the instance from the rest."""

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

    def __call__(self, found: LockedInstance) -> ChangeSet | None:
        """Return the instance without the person's data; None when there were none."""
        self.values = self.in_clear = 0
        instance = found.instance
        theirs = sorted(
            token for token, one in found.journal.secrets.items() if one and one.person == self._person
        )
        if instance is None or not theirs:
            return None
        if remembers_person(self._version_of(instance.procedure, instance.version), instance, self._person):
            refuse_if_asked_about((instance.id,))
        commitments = Commitments({**found.journal.secrets, **dict.fromkeys(theirs)})
        at_us = max(self._clock.now_us(), instance.updated_us)
        erased = Erased(
            instance.id,
            instance.sequence + 1,
            at_us,
            at_us,
            self._but_them(self._actor.id),
            tuple(theirs),
            behalf=self._but_them(self._actor.behalf),
        )
        entries = chained(found.journal.head, (erased,), commitments)
        bodies, personal = found.journal.bodies(), self._personal_in(instance.procedure)
        facts = [from_bytes(body, commitments) for body in bodies]
        self.values = len(theirs)
        self.in_clear = count_in_clear(
            bodies, personal, instance.recipient, found.journal.secrets, self._person
        )
        rebuilt = replay(self._version_of, (*facts, erased))  # nothing personal decides on time
        rebuilt = rebuilt._replace(stopwatches=instance.stopwatches, next_us=instance.next_us)
        return ChangeSet(
            rebuilt,
            entries,
            secrets=commitments.all_secrets(),
            work=work_of(self._version_of(rebuilt.procedure, rebuilt.version), rebuilt),
            persons=frozenset(one.person for one in commitments.added.values()),
            forgotten=frozenset({self._person}),
        )

    def _but_them(self, person: str) -> str:
        """Leave out who is to be forgotten, also where they ask for it themselves."""
        return "" if person == self._person else person


def refuse_if_asked_about(asking: Sequence[str]) -> None:
    """Raise PersonInUse when, in open instances, another person than this one has to do a step (`not_by`)."""
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
    """Raise PersonInUse when instances that still run need to know the person."""
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
