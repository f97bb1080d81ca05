"""Commands: what somebody asks of an instance. Imperatives; they carry no time of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import attrs

from svcflow.model.field import Value
from svcflow.model.procedure import Group

DueRule = Literal["keep", "recompute"]
_NONE: Mapping[str, str] = {}


def _roles(roles: Iterable[str] | None) -> frozenset[str] | None:
    return None if roles is None else frozenset(roles)


@attrs.frozen
class Actor:
    """Name who acts and in which roles; `roles=None` means that the roles are not known (foreign logs)."""

    id: str
    roles: frozenset[str] | None = attrs.field(default=frozenset(), converter=_roles)


NOBODY = Actor("")


@attrs.frozen
class Recipient:
    """Name who is served, and of which group."""

    id: str
    group: Group | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(
            attrs.validators.in_(("leaders", "staff", "retirees", "logistics"))
        ),
    )


@attrs.frozen
class Start:
    """Begin an instance under the id that comes in."""

    instance: str
    data: Mapping[str, Value] = _NONE
    recipient: Recipient | None = None
    actor: Actor = NOBODY
    evidence: Mapping[str, str] = _NONE


@attrs.frozen
class Fire:
    """Move the instance by a trigger.

    `occurred_us` is when it happened, if that was before it is recorded. `step` names the active step when several branches know the trigger; `override` is the reason for going
    round the declared order or a guard.
    """

    trigger: str
    actor: Actor = NOBODY
    data: Mapping[str, Value] = _NONE
    evidence: Mapping[str, str] = _NONE
    step: str | None = None
    override: str | None = None
    occurred_us: int | None = None


@attrs.frozen
class Hold:
    """Stop the clocks that may stop, for a reason of the closed list."""

    reason: str
    actor: Actor = NOBODY
    evidence: Mapping[str, str] = _NONE


@attrs.frozen
class Resume:
    """End the hold."""

    actor: Actor = NOBODY


@attrs.frozen
class Update:
    """Add data or evidence without moving."""

    actor: Actor = NOBODY
    data: Mapping[str, Value] = _NONE
    evidence: Mapping[str, str] = _NONE


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
    reason: str
    actor: Actor = NOBODY
    evidence: Mapping[str, str] = _NONE


@attrs.frozen
class Recompute:
    """Reckon running deadlines anew, because a calendar was corrected or a year published."""

    reason: str
    actor: Actor = NOBODY


@attrs.frozen
class Migrate:
    """Take the instance over to another version of its procedure.

    `steps` maps steps of the version it leaves to steps of the other; one not named goes by its own id.
    Deadlines are kept, or reckoned anew by the new declaration; `data` gives what the version newly requires.
    """

    version: int
    steps: Mapping[str, str] = _NONE
    reason: str = ""
    due: DueRule = attrs.field(default="keep", validator=attrs.validators.in_(("keep", "recompute")))
    actor: Actor = NOBODY
    data: Mapping[str, Value] = _NONE


@attrs.frozen
class Revert:
    """Take the last migration back: the version before it, and its steps the other way round."""

    reason: str = ""
    actor: Actor = NOBODY


Command = Start | Fire | Hold | Resume | Update | Reschedule | Extend | Recompute | Migrate | Revert
