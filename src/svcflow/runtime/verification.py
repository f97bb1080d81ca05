"""Verification: every journal against its chain, and every kept instance against its journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from svcflow.errors import CorruptJournal, SvcflowError
from svcflow.journal.chain import verified
from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.seal import verified_against
from svcflow.kernel.deviations import Deviation, deviations_of
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance
from svcflow.kernel.marks import but_for_reckoning, corrected
from svcflow.kernel.replay import replay
from svcflow.runtime.query import DeviationQuery
from svcflow.runtime.standards import Standards
from svcflow.runtime.store import Found, Store
from svcflow.text import NO_TEXT, Text

Progress = Callable[[int], None]


@attrs.frozen
class Verification:
    """Hold what was checked and what was found wrong; `problems` pairs an instance with its error.

    `notes` pairs an instance with what could not be checked, and why; nothing is wrong with it.
    """

    instances: int
    facts: int
    problems: tuple[tuple[str, SvcflowError], ...]
    notes: tuple[tuple[str, Text], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.problems


def verify(
    store: Store,
    standards: Standards,
    instances: Iterable[str],
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Verification:
    """Check journals and projections, and all of them against a checkpoint; what is wrong is collected."""
    facts, count = 0, 0
    problems: list[tuple[str, SvcflowError]] = []
    notes: list[tuple[str, Text]] = []
    for instance in instances:
        count += 1
        try:
            found, note = _verify(store, standards, instance)
            facts += found
            notes += [(instance, note)] if note else []
        except SvcflowError as error:
            problems.append((instance, error))
        if progress is not None:
            progress(count)
    if checkpoint is not None:
        problems += verified_against(checkpoint, store.leaves(), store.link_at)
    return Verification(count, facts, tuple(problems), tuple(notes))


def _verify(store: Store, standards: Standards, instance: str) -> tuple[int, Text]:
    """Return how many facts were found right, and a note. What looks wrong is looked at again while nobody writes."""
    try:
        return _checked(store, standards, instance)
    except CorruptJournal:
        again: list[tuple[int, Text]] = []

        def look(_: Found) -> None:
            again.append(_checked(store, standards, instance))

        store.change(instance, None, look)
        return again[-1]


def _checked(store: Store, standards: Standards, instance: str) -> tuple[int, Text]:
    kept = store.load(instance)
    if kept is None:
        message = Text(zh=f"没有实例 {instance} 的记录", en=f"instance {instance} is not kept")
        raise CorruptJournal(message, _RESTORE)
    facts = tuple(verified(instance, store.rows(instance), kept.head, store.secrets(instance)))
    note = _compared(standards, kept.instance, facts)
    if sorted(store.deviations(DeviationQuery(instance)), key=_order) != sorted(
        deviations_of(facts), key=_order
    ):
        raise CorruptJournal(
            Text(
                zh=f"实例 {instance} 的偏差记录与其留痕不符",
                en=f"the deviations kept of {instance} are not those of its journal",
            ),
            _RESTORE,
        )
    return len(facts), note


def _compared(standards: Standards, kept: Instance, facts: tuple[Fact, ...]) -> Text:
    """Return what could not be compared of a kept instance. Raises: CorruptJournal when it is not what facts lead to."""
    told = _replayed(standards, kept.id, facts)
    if told == kept:
        return NO_TEXT
    calendars = corrected(standards.version, facts)
    if not calendars or but_for_reckoning(told) != but_for_reckoning(kept):
        raise CorruptJournal(
            Text(
                zh=f"实例 {kept.id} 的记录与其留痕不符",
                en=f"instance {kept.id} is not what its journal leads to",
            ),
            _RESTORE,
        )
    listed = ", ".join(calendars)
    return Text(
        zh=f"日历 {listed} 此后更正过；所存截止时间按当时的日历计算，无从核对",
        en=f"corrected since: calendar {listed}; the deadlines kept are by what it said then, and cannot be checked",
    )


def _replayed(standards: Standards, instance: str, facts: tuple[Fact, ...]) -> Instance:
    """Return where the facts lead, through all versions they name.

    Raises: CorruptJournal when a version does not know their steps; UnknownProcedure when there is none.
    """
    try:
        return replay(standards.version, facts)
    except SvcflowError:
        raise
    except (LookupError, TypeError, ValueError) as error:
        message = Text(
            zh=f"实例 {instance} 的留痕无法重演：{error!r}",
            en=f"the journal of {instance} cannot be replayed: {error!r}",
        )
        raise CorruptJournal(message) from error


def _order(one: Deviation) -> int:
    return one.sequence


_RESTORE = Text(zh="以留痕为准；从备份恢复", en="the journal is right; restore the instance from a backup")
