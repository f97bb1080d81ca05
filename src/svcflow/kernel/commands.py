"""Commands to an instance, named by imperatives. The instant of a command comes with the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args

import attrs

from svcflow.bounds import shown
from svcflow.errors import FieldError
from svcflow.model.field import Value
from svcflow.model.procedure import GROUPS, Group
from svcflow.nearest import nearest
from svcflow.text import Text, is_blank

DueRule = Literal["keep", "recompute"]
Certificates = Mapping[str, int]
"""Certificates that a person holds or held, each with when it ends, in microseconds; `NEVER` for one without an end."""
_NONE: Mapping[str, str] = {}
_NO_PERFORMERS: Mapping[str, tuple[str, ...]] = {}


def names_of(place: str, names: Iterable[str]) -> frozenset[str]:
    """Return names as a set. Raises: FieldError for one text, which would be taken for its letters, and for other types."""
    if isinstance(names, str):
        raise FieldError(
            Text(
                zh=f"{place}：须为一组名称，不能是一段文字 {shown(names)}",
                en=f"{place}: it takes several names, not the one text {shown(names)}",
            ),
            Text(zh=f"写成 {{{shown(names)}}}", en=f"write {{{shown(names)}}}"),
        )
    try:
        unique = frozenset(names)
    except TypeError:  # not iterable, or with items that have no hash
        unique = None
    if unique is None or not _TEXT.issuperset(map(type, unique)):
        kind = type(names).__name__
        raise FieldError(
            Text(
                zh=f"{place}：须为一组名称，不能是 {kind}",
                en=f"{place}: it takes several names, not this {kind}",
            ),
            Text(zh='写成 {"desk"}', en='write {"desk"}'),
        )
    return unique


def is_named(person: str) -> bool:
    """Return whether a person has a name: not blanks, fillers or control characters alone."""
    return not is_blank(person)


_TEXT = frozenset({str})


def _roles(roles: Iterable[str] | None) -> frozenset[str] | None:
    return None if roles is None else names_of("roles", roles)


def attached(evidence: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return the evidence that comes with a command, blank entries left out."""
    if not evidence or (type(evidence) is not dict and not isinstance(evidence, Mapping)):
        return _NONE if evidence is None else evidence  # the handler refuses what is no mapping
    for what in evidence.values():
        if isinstance(what, str) and is_blank(what):
            return {name: what for name, what in evidence.items() if not _is_blank(what)}
    return evidence


def _reason(reason: str) -> str:
    """Return a reason, empty if it is blank."""
    return "" if _is_blank(reason) else reason


def _optional_reason(reason: str | None) -> str | None:
    return None if reason is None or _is_blank(reason) else reason


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and is_blank(value)


def _one_of(known: tuple[str, ...]) -> Callable[[object, attrs.Attribute[Any], object], None]:
    """Return a validator that raises FieldError for any other value."""

    def refuse_other(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value not in known:
            place = attribute.name
            raise FieldError(
                Text(zh=f"{place} 不能是 {shown(value)}", en=f"{place} cannot be {shown(value)}"),
                nearest(value, known),
            )

    return refuse_other


@attrs.frozen
class Actor:
    """Person who acts, and their roles; `roles=None` means that the roles are not known.

    Unknown roles satisfy no rule; only where a log of another system is replayed they are not judged. `behalf` is
    the person acted for, `ends` until when for each role: `svcflow.kernel.lifecycle.delegation.acting` makes such an
    actor.
    """

    id: str
    roles: frozenset[str] | None = attrs.field(default=frozenset(), converter=_roles)
    behalf: str = ""
    ends: Mapping[str, int] = attrs.field(factory=dict, eq=False, repr=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.behalf and (self.id == self.behalf or not (is_named(self.id) and is_named(self.behalf))):
            raise FieldError(
                Text(
                    zh="代办人须具名，且不是被代办人本人",
                    en="who acts for somebody is another person, by name",
                ),
                Text(zh="给出 id，或去掉 behalf", en="give an id, or leave behalf out"),
            )


NOBODY = Actor("")


@attrs.frozen
class Recipient:
    """Person who is served, and their group."""

    id: str
    group: Group | None = attrs.field(default=None, validator=attrs.validators.optional(_one_of(GROUPS)))


@attrs.frozen
class RegularOccurrence:
    """Occurrence of a regular start for which an instance begins; `missed` are those before it that were lost.

    `at` is the declared local date and time. Those missed are given with the instants at which they were due.
    """

    start: str
    at: str
    missed: tuple[tuple[str, int], ...] = ()


@attrs.frozen
class Start:
    """Start an instance under the id given; `occurrence` is that of a regular start, if it begins by itself.

    `foreseen` is set by whoever provides the service and starts it before the recipient has voiced the need.
    `parent` is the instance whose step `parent_step` runs it, `performers` are the persons who did the steps of it
    that this procedure asks about. `called_off` is set when the parent has left the step meanwhile: the id is used
    up, and the instance ends as it starts.
    """

    instance: str
    data: Mapping[str, Value] = _NONE
    recipient: Recipient | None = None
    actor: Actor = NOBODY
    evidence: Mapping[str, str] = attrs.field(default=_NONE, converter=attached)
    occurrence: RegularOccurrence | None = None
    parent: str = attrs.field(default="", kw_only=True)
    parent_step: str = attrs.field(default="", kw_only=True)
    performers: Mapping[str, tuple[str, ...]] = attrs.field(default=_NO_PERFORMERS, kw_only=True)
    called_off: bool = attrs.field(default=False, kw_only=True)
    foreseen: bool = attrs.field(default=False, converter=bool, kw_only=True)


@attrs.frozen
class Fire:
    """Move the instance by a trigger.

    `occurred_us` is when it happened, if that was before it is recorded, and `offset_minutes` the offset from UTC
    in which that was written, for messages about it. `step` names the active step when several branches have the
    trigger; `override` is the reason for going round the declared order or a guard. `certificates` are those of the
    actor, as the register said: None where no register was asked.
    """

    trigger: str
    actor: Actor = NOBODY
    data: Mapping[str, Value] = _NONE
    evidence: Mapping[str, str] = attrs.field(default=_NONE, converter=attached)
    step: str | None = None
    override: str | None = attrs.field(default=None, converter=_optional_reason)
    occurred_us: int | None = None
    offset_minutes: int = 0
    certificates: Certificates | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class Hold:
    """Stop the clocks that may stop, for a reason of the closed list."""

    reason: str
    actor: Actor = NOBODY
    evidence: Mapping[str, str] = attrs.field(default=_NONE, converter=attached)


@attrs.frozen
class Resume:
    """End the hold."""

    actor: Actor = NOBODY


@attrs.frozen
class Update:
    """Add data or evidence without moving."""

    actor: Actor = NOBODY
    data: Mapping[str, Value] = _NONE
    evidence: Mapping[str, str] = attrs.field(default=_NONE, converter=attached)


@attrs.frozen
class Reschedule:
    """Move a scheduled instant that limits refer to; `at` is ISO 8601 with its offset, or None to clear it."""

    field: str
    at: str | None
    actor: Actor = NOBODY


@attrs.frozen
class Extend:
    """Extend a limit, once, by what it declares."""

    limit: str
    reason: str = attrs.field(converter=_reason)
    actor: Actor = NOBODY
    evidence: Mapping[str, str] = attrs.field(default=_NONE, converter=attached)


@attrs.frozen
class Recompute:
    """Compute running deadlines anew, because a calendar was corrected or a year published."""

    reason: str = attrs.field(converter=_reason)
    actor: Actor = NOBODY


@attrs.frozen
class Claim:
    """Assign a step to the actor; `step` names it when several are active. `certificates` are as in `Fire`."""

    step: str | None = None
    actor: Actor = NOBODY
    certificates: Certificates | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class Assign:
    """Assign a step to a person, in place of its assignee if it has one. Their role is checked when they act.

    `ends` is until when the actor has delegated each role to that person, if so. `certificates` are that person's.
    """

    step: str | None
    to: str
    actor: Actor = NOBODY
    reason: str = attrs.field(default="", converter=_reason)
    ends: Mapping[str, int] = attrs.field(factory=dict, kw_only=True)
    certificates: Certificates | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class Release:
    """Release a step, so that whoever has its role may claim it."""

    step: str | None = None
    actor: Actor = NOBODY
    reason: str = attrs.field(default="", converter=_reason)


@attrs.frozen
class Explain:
    """Explain a deviation; `deviation` is the sequence of the fact that records it."""

    deviation: int
    reason: str = attrs.field(converter=_reason)
    actor: Actor = NOBODY


@attrs.frozen
class Accept:
    """Accept the explanation of a deviation, which still counts."""

    deviation: int
    reason: str = attrs.field(converter=_reason)
    actor: Actor = NOBODY


@attrs.frozen
class Reject:
    """Reject the explanation of a deviation."""

    deviation: int
    reason: str = attrs.field(converter=_reason)
    actor: Actor = NOBODY


@attrs.frozen
class Migrate:
    """Migrate the instance to another version of its procedure.

    `steps` maps steps of the source version to steps of the target version; one not named keeps its id.
    Deadlines are kept, or computed by the new declaration; `data` gives what the target version newly requires.
    """

    version: int
    steps: Mapping[str, str] = _NONE
    reason: str = attrs.field(default="", converter=_reason)
    due: DueRule = attrs.field(default="keep", validator=_one_of(get_args(DueRule)))
    actor: Actor = NOBODY
    data: Mapping[str, Value] = _NONE


@attrs.frozen
class Revert:
    """Migrate back to the version before the last migration, its mapping of steps reversed."""

    reason: str = attrs.field(default="", converter=_reason)
    actor: Actor = NOBODY


@attrs.frozen
class Recall:
    """Release the steps that `taker` has in these roles for `giver`, who revoked the delegation."""

    giver: str
    taker: str
    roles: frozenset[str]
    actor: Actor = NOBODY


@attrs.frozen
class RecordChildStart:
    """Record that a child has started, under this version of its procedure."""

    child: str
    version: int
    actor: Actor = NOBODY


@attrs.frozen
class RecordChildEnd:
    """Record that a child has ended; `ended_us` is when."""

    child: str
    outcome: str
    ended_us: int
    actor: Actor = NOBODY


@attrs.frozen
class CallOff:
    """End an instance because its parent has left the step that runs it."""

    actor: Actor = NOBODY


@attrs.frozen
class RecordParentTold:
    """Record that the parent knows of the end."""

    actor: Actor = NOBODY


BetweenInstances = RecordChildStart | RecordChildEnd | CallOff | RecordParentTold
"""Commands between a parent and a child, which the runtime gives; an instance takes them after it has ended, too."""

Answering = Explain | Accept | Reject
"""Commands that an instance takes after it has ended."""

Command = (
    Start
    | Fire
    | Hold
    | Resume
    | Update
    | Reschedule
    | Extend
    | Recompute
    | Claim
    | Assign
    | Release
    | Explain
    | Accept
    | Reject
    | Migrate
    | Revert
    | Recall
    | RecordChildStart
    | RecordChildEnd
    | CallOff
    | RecordParentTold
)
