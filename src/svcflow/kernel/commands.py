"""Commands: what somebody asks of an instance. Imperatives; they carry no time of their own."""

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
_NONE: Mapping[str, str] = {}


def names_of(place: str, names: Iterable[str]) -> frozenset[str]:
    """Return several names; one text is iterable too, by letters. Raises: FieldError for that and what else is none."""
    if isinstance(names, str):
        raise FieldError(
            Text(
                zh=f"{place}：须为一组名称，不能是一段文字 {shown(names)}",
                en=f"{place}: it takes several names, not the one text {shown(names)}",
            ),
            Text(zh=f"写成 {{{shown(names)}}}", en=f"write {{{shown(names)}}}"),
        )
    try:
        found = frozenset(names)
    except TypeError:  # what cannot be gone through, or holds what is no name
        found = None
    if found is None or not _TEXT.issuperset(map(type, found)):
        kind = type(names).__name__
        raise FieldError(
            Text(
                zh=f"{place}：须为一组名称，不能是 {kind}",
                en=f"{place}: it takes several names, not this {kind}",
            ),
            Text(zh='写成 {"desk"}', en='write {"desk"}'),
        )
    return found


def is_named(person: str) -> bool:
    """Tell whether a person is named: by something that can be seen, not by blanks, fillers or controls alone."""
    return not is_blank(person)


_TEXT = frozenset({str})


def _roles(roles: Iterable[str] | None) -> frozenset[str] | None:
    return None if roles is None else names_of("roles", roles)


def attached(evidence: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return the evidence that comes with a command: what is blank is none."""
    if not evidence or (type(evidence) is not dict and not isinstance(evidence, Mapping)):
        return _NONE if evidence is None else evidence  # its carrier refuses what is no mapping
    for what in evidence.values():
        if isinstance(what, str) and is_blank(what):
            return {name: what for name, what in evidence.items() if not _is_blank(what)}
    return evidence


def _reason(reason: str) -> str:
    """Return a reason as it is kept: a blank one is none."""
    return "" if _is_blank(reason) else reason


def _optional_reason(reason: str | None) -> str | None:
    return None if reason is None or _is_blank(reason) else reason


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and is_blank(value)


def _one_of(known: tuple[str, ...]) -> Callable[[object, attrs.Attribute[Any], object], None]:
    """Return a validator that raises FieldError for a word that is none of these."""

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
    """Name who acts and in which roles; `roles=None` means that the roles are not known (foreign logs).

    What is not known passes no rule: only where a foreign log is replayed it is left unjudged. `behalf` is the
    person acted for, `ends` until when for each role; `svcflow.kernel.lifecycle.delegation.acting` gives such an actor.
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
    """Name who is served, and of which group."""

    id: str
    group: Group | None = attrs.field(default=None, validator=attrs.validators.optional(_one_of(GROUPS)))


@attrs.frozen
class Start:
    """Begin an instance under the id that comes in."""

    instance: str
    data: Mapping[str, Value] = _NONE
    recipient: Recipient | None = None
    actor: Actor = NOBODY
    evidence: Mapping[str, str] = attrs.field(default=_NONE, converter=attached)


@attrs.frozen
class Fire:
    """Move the instance by a trigger.

    `occurred_us` is when it happened, if that was before it is recorded, and `offset_minutes` the offset from UTC
    in which that was written, for messages about it. `step` names the active step when several branches know the
    trigger; `override` is the reason for going round the declared order or a guard.
    """

    trigger: str
    actor: Actor = NOBODY
    data: Mapping[str, Value] = _NONE
    evidence: Mapping[str, str] = attrs.field(default=_NONE, converter=attached)
    step: str | None = None
    override: str | None = attrs.field(default=None, converter=_optional_reason)
    occurred_us: int | None = None
    offset_minutes: int = 0


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
    """Ask for the one extension that a limit declares."""

    limit: str
    reason: str = attrs.field(converter=_reason)
    actor: Actor = NOBODY
    evidence: Mapping[str, str] = attrs.field(default=_NONE, converter=attached)


@attrs.frozen
class Recompute:
    """Reckon running deadlines anew, because a calendar was corrected or a year published."""

    reason: str = attrs.field(converter=_reason)
    actor: Actor = NOBODY


@attrs.frozen
class Claim:
    """Take a step for oneself; `step` names it when several are active."""

    step: str | None = None
    actor: Actor = NOBODY


@attrs.frozen
class Assign:
    """Give a step to a person, also one that somebody has; whether that person has the role shows when they act.

    `ends` is until when the actor has delegated each role to that person, if so.
    """

    step: str | None
    to: str
    actor: Actor = NOBODY
    reason: str = attrs.field(default="", converter=_reason)
    ends: Mapping[str, int] = attrs.field(factory=dict, kw_only=True)


@attrs.frozen
class Release:
    """Let a step go, so that whoever has its role may take it."""

    step: str | None = None
    actor: Actor = NOBODY
    reason: str = attrs.field(default="", converter=_reason)


@attrs.frozen
class Explain:
    """Say why a deviation came about; `deviation` is the sequence of the fact that records it."""

    deviation: int
    reason: str = attrs.field(converter=_reason)
    actor: Actor = NOBODY


@attrs.frozen
class Accept:
    """Accept the explanation of a deviation: it is not held against who is responsible. It still counts."""

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
    """Take the instance over to another version of its procedure.

    `steps` maps steps of the version it leaves to steps of the other; one not named goes by its own id.
    Deadlines are kept, or reckoned anew by the new declaration; `data` gives what the version newly requires.
    """

    version: int
    steps: Mapping[str, str] = _NONE
    reason: str = attrs.field(default="", converter=_reason)
    due: DueRule = attrs.field(default="keep", validator=_one_of(get_args(DueRule)))
    actor: Actor = NOBODY
    data: Mapping[str, Value] = _NONE


@attrs.frozen
class Revert:
    """Take the last migration back: the version before it, and its steps the other way round."""

    reason: str = attrs.field(default="", converter=_reason)
    actor: Actor = NOBODY


@attrs.frozen
class Recall:
    """Take back what `taker` has in these roles for `giver`, who revoked their delegation."""

    giver: str
    taker: str
    roles: frozenset[str]
    actor: Actor = NOBODY


Answering = Explain | Accept | Reject
"""What may still be asked of an instance that has ended."""

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
)
