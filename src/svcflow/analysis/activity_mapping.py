"""Activity mapping: what the events of a foreign log mean in the words of one procedure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Self
from zoneinfo import ZoneInfo

import attrs

from svcflow.errors import DeclarationError, Path, Problem
from svcflow.model.log_mapping import LogMapping, zone_problem
from svcflow.model.procedure import Procedure
from svcflow.nearest import nearest
from svcflow.text import Text

__all__ = ["ActivityMapping", "EventSignature", "MappedEvent", "MappedSequence"]

EventSignature = tuple[str, str, str]
"""What a mapping reads of an event: activity, role and lifecycle."""


@attrs.frozen
class MappedEvent:
    """Meaning of one event for the procedure; `index` is the event's place in its case, by time.

    `trigger` is None for an activity that can only start an instance, `roles` None when the role is unknown.
    """

    index: int
    activity: str
    trigger: str | None
    roles: frozenset[str] | None


@attrs.frozen
class MappedSequence:
    """Meaning of a sequence of events, with how many of its events mean nothing, by activity."""

    events: tuple[MappedEvent, ...]
    starts: bool
    """Whether the first event is itself the start, so that it fires nothing."""
    unmapped: Mapping[str, int]
    ignored: Mapping[str, int]
    unfinished: Mapping[str, int]
    """Events of another lifecycle than `complete`, by lifecycle."""

    @property
    def activities(self) -> tuple[str, ...]:
        """The activities that are replayed, in their order."""
        return tuple(event.activity for event in self.events)


@attrs.frozen
class ActivityMapping:
    """Mapping that has been checked against its procedure."""

    mapping: LogMapping
    zone: ZoneInfo

    @classmethod
    def of(cls, procedure: Procedure, mapping: LogMapping) -> Self:
        """Return the checked mapping. Raises: DeclarationError listing every mistake, each with a suggestion."""
        problems = list(_problems(procedure, mapping))
        if problems:
            raise DeclarationError(problems)
        return cls(mapping, ZoneInfo(mapping.zone))

    def sequence(self, signatures: Iterable[EventSignature]) -> MappedSequence:
        """Return the meaning of the events of one case, which come in their order."""
        events: list[MappedEvent] = []
        counts: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
        unmapped, ignored, unfinished = counts
        for index, (activity, role, lifecycle) in enumerate(signatures):
            if lifecycle != "complete":
                unfinished[lifecycle] += 1
            elif activity in self.mapping.ignore:
                ignored[activity] += 1
            elif self._is_mapped(activity):
                mapped_role = self.mapping.roles.get(role)
                roles = None if mapped_role is None else frozenset((mapped_role,))
                events.append(MappedEvent(index, activity, self.mapping.activities.get(activity), roles))
            else:
                unmapped[activity] += 1
        starts = bool(events) and events[0].activity in self.mapping.starts
        return MappedSequence(tuple(events), starts, *counts)

    def _is_mapped(self, activity: str) -> bool:
        return activity in self.mapping.activities or activity in self.mapping.starts


def _problems(procedure: Procedure, mapping: LogMapping) -> Iterator[Problem]:
    if mapping.procedure != procedure.id:
        message = Text(
            zh=f"对照表写给流程 {mapping.procedure}，不是 {procedure.id}",
            en=f"the mapping is for procedure {mapping.procedure!r}, not {procedure.id!r}",
        )
        yield Problem(
            ("procedure",),
            message,
            Text(
                zh=f"改用 {mapping.procedure} 流程，或换一份对照表",
                en=f"give procedure {mapping.procedure}, or another mapping",
            ),
        )
        return  # the names of another procedure would all be wrong
    if mapping.version not in (None, procedure.version):
        yield Problem(
            ("version",),
            Text(
                zh=f"对照表写给第 {mapping.version} 版，流程是第 {procedure.version} 版",
                en=f"the mapping is for version {mapping.version}, the procedure is version {procedure.version}",
            ),
            Text(
                zh="核对后改写 version，或删去这一行",
                en="check it and correct version, or leave it out",
            ),
        )
    triggers = procedure.triggers
    for activity, trigger in mapping.activities.items():
        if trigger not in triggers:
            yield _unknown(("activities", activity), "流转", "trigger", trigger, triggers)
    for written, role in mapping.roles.items():
        if role not in procedure.roles:
            yield _unknown(("roles", written), "岗位", "role", role, procedure.roles)
    for place, activity in enumerate(mapping.ignore):
        if activity in mapping.activities or activity in mapping.starts:
            message = Text(zh=f"“{activity}”既有对应又被忽略", en=f"{activity!r} is both mapped and ignored")
            yield Problem(("ignore", place), message, Text(zh="二者留一", en="keep one of the two"))
    yield from zone_problem(mapping.zone)


def _unknown(path: Path, zh: str, en: str, name: str, known: Collection[str]) -> Problem:
    return Problem(
        path,
        Text(zh=f"流程没有{zh}“{name}”", en=f"the procedure has no {en} {name!r}"),
        nearest(name, sorted(known)),
    )
