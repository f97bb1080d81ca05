"""Facts: the entries of an instance's journal. Immutable, named by what happened.

Instants are integer microseconds of UTC (`*_us`); `occurred_at` and `recorded_at` give them as aware
datetimes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import attrs

from svcflow.model.field import Value
from svcflow.model.limit import Severity
from svcflow.text import Text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SYSTEM = ""
"""Actor of what the system did by itself."""
ERASED = "erased-"
"""Prefix of the pseudonym that stands in the place of an erased person."""

DeviationKind = Literal[
    "overdue",
    "long_wait",
    "skipped_step",
    "out_of_order",
    "wrong_role",
    "missing_evidence",
    "missing_data",
    "rework_over_bound",
    "guard",
    "too_early",
    "missed_occurrence",
    "breached_on_attach",
    "short_notice",
    "infeasible_on_reschedule",
    "late_record",
    "missed_start",
    "settled_value_changed",
    "unqualified",
]
DeviationStatus = Literal["open", "explained", "accepted", "rejected"]
Detail = Mapping[str, Any]
_NONE: Mapping[str, Any] = {}
_FIRST_SHOWN_US = (datetime(1, 1, 2, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
_LAST_SHOWN_US = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) - 1


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts)


def _tuples(persons: Mapping[str, Iterable[str]]) -> Mapping[str, tuple[str, ...]]:
    return {step: tuple(who) for step, who in persons.items()} if persons else _NONE


def to_datetime(us: int) -> datetime:
    """Return the instant as an aware datetime in UTC.

    Stores written before instants had bounds may hold any year: an instant out of bounds becomes the first or the
    last day that every time zone can write.
    """
    if not _FIRST_SHOWN_US <= us <= _LAST_SHOWN_US:
        us = _LAST_SHOWN_US if us > 0 else _FIRST_SHOWN_US
    return EPOCH + timedelta(0, 0, us)


@attrs.frozen
class Fact:
    """Fields of every entry; `sequence` counts from 1 in each instance, `behalf` is who was acted for."""

    instance: str
    sequence: int
    occurred_us: int
    recorded_us: int
    actor: str
    behalf: str = attrs.field(default="", kw_only=True)

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""
        return to_datetime(self.occurred_us)

    @property
    def recorded_at(self) -> datetime:
        """When it was written down."""
        return to_datetime(self.recorded_us)

    @property
    def kind(self) -> str:
        """The name of the fact, as it stands in journals."""
        return type(self).__name__


@attrs.frozen
class Started(Fact):
    """The instance began in the first step of its pinned procedure version.

    `calendars` marks what each calendar said then, by its id. `books` says that the instance remembers who set its
    scheduled instants and when; those of older journals do not. One that began by itself names its regular `start` and
    the `occurrence`, by its declared local date and time. `parent` is the instance whose step
    `parent_step` runs this one, `performers` who did the steps of it that this procedure asks about. `parameters` are
    the values in force of parameters that are not those the version declares. `foreseen` says that whoever provides
    the service started it before the recipient had voiced the need.
    """

    procedure: str
    version: int
    step: str
    data: Mapping[str, Value] = _NONE
    evidence: Mapping[str, str] = _NONE
    recipient: str = ""
    group: str = ""
    calendars: Mapping[str, str] = _NONE
    books: bool = False
    start: str = ""
    occurrence: str = ""
    parent: str = ""
    parent_step: str = ""
    performers: Mapping[str, tuple[str, ...]] = attrs.field(default=_NONE, converter=_tuples)
    parameters: Mapping[str, int | float | str] = _NONE
    foreseen: bool = False


@attrs.frozen
class Moved(Fact):
    """The instance left `step` by `trigger` and entered `to`.

    `via` is the declared source of the transition when the move went round the declared order; `override`
    the reason given for that. `paired` says that who did steps which others side by side with them exclude is
    remembered; journals written before did not. `timed` says that the step moved on by itself because the instant of
    its `then` had come, and not because a limit was overdue. `certificates` has the one that the step asked of the
    actor, with when it ends, as the register said. `child` is the child whose end moved the instance.
    """

    step: str
    trigger: str
    to: str
    role: str = ""
    data: Mapping[str, Value] = _NONE
    evidence: Mapping[str, str] = _NONE
    automatic: bool = False
    via: str = ""
    override: str = ""
    row: int = 0
    paired: bool = False
    timed: bool = False
    certificates: Mapping[str, int] = _NONE
    child: str = ""


@attrs.frozen
class Updated(Fact):
    """Data or evidence was added without a move."""

    data: Mapping[str, Value] = _NONE
    evidence: Mapping[str, str] = _NONE


@attrs.frozen
class Rescheduled(Fact):
    """A scheduled instant was moved; `previous` is empty when there was none."""

    field: str
    at: Value
    previous: Value = None


@attrs.frozen
class Extended(Fact):
    """A limit was prolonged once; `was_us` is the deadline it had, which stays on record.

    Of a limit that stands still it is the deadline it would have had, had its clock run on at once.
    """

    limit: str
    visit: int
    extra: int
    was_us: int
    reason: str = ""
    evidence: Mapping[str, str] = _NONE


@attrs.frozen
class Recomputed(Fact):
    """A deadline was reckoned anew after its calendar was corrected; both are kept."""

    limit: str
    visit: int
    was_us: int
    due_us: int
    reason: str = ""


@attrs.frozen
class Migrated(Fact):
    """The instance went over to another version of its procedure.

    `steps` maps steps of the version it left to those of the other, where their ids differ; `data` is what
    the version newly required. `reverts` is the sequence of the migration that this one takes back. `calendars`
    marks what each calendar of the other version said then. `gives_way` says that a deadline that is kept gives way
    once another row of its limit applies; in journals older than this field it changes what that row counts.
    `parameters` are, as of `Started`, the values in force from then on.
    """

    from_version: int
    to_version: int
    steps: Mapping[str, str] = _NONE
    due: Literal["keep", "recompute"] = "keep"
    reason: str = ""
    reverts: int = 0
    data: Mapping[str, Value] = _NONE
    calendars: Mapping[str, str] = _NONE
    gives_way: bool = False
    parameters: Mapping[str, int | float | str] = _NONE


@attrs.frozen
class Held(Fact):
    """The instance was put on hold; the clocks that may stop stand still."""

    reason: str
    evidence: Mapping[str, str] = _NONE


@attrs.frozen
class Resumed(Fact):
    """The hold ended; the clocks run on."""

    reason: str


@attrs.frozen
class Warned(Fact):
    """A warning rung of a limit was reached; `at` is the rung as declared."""

    limit: str
    visit: int
    at: str
    due_us: int
    role: str = ""


@attrs.frozen
class Escalated(Fact):
    """An escalation rung of a limit was reached."""

    limit: str
    visit: int
    at: str
    due_us: int
    role: str = ""
    action: str = ""


@attrs.frozen
class Overdue(Fact):
    """A deadline passed while the limit still ran: a deviation of kind `overdue` or `long_wait`."""

    limit: str
    visit: int
    step: str
    due_us: int
    deviation: DeviationKind = "overdue"
    severity: Severity = "minor"
    role: str = ""


@attrs.frozen
class Settled(Fact):
    """An overdue limit ended; `overrun_us` is measured in the limit's own clock.

    It may be 0 (the office was closed all along), and is negative when the end, recorded late, turns out to
    have been in time: the breach is then annulled. It is the elapsed time to the first instant that would
    have been late.
    """

    limit: str
    visit: int
    due_us: int
    overrun_us: int


@attrs.frozen
class Deviated(Fact):
    """The instance departed from its procedure otherwise than by time."""

    deviation: DeviationKind
    step: str
    severity: Severity
    trigger: str = ""
    role: str = ""
    reason: str = ""
    detail: Detail = _NONE
    limit: str = ""
    visit: int = 0
    due_us: int = 0


@attrs.frozen
class Refused(Fact):
    """A command was refused by a rule; the attempt is kept."""

    command: str
    rule: str
    zh: str
    en: str
    step: str = ""
    trigger: str = ""

    @property
    def reason(self) -> Text:
        """Why it was refused."""
        return Text(zh=self.zh, en=self.en)


@attrs.frozen
class Assigned(Fact):
    """An active step was given to the person `to`; a claim is one whose `to` is the actor.

    `until_us` is when the delegation ends by which they have it; from then on it is nobody's. 0 when there is none.
    """

    step: str
    to: str
    reason: str = ""
    until_us: int = 0

    @property
    def claimed(self) -> bool:
        """Whether the actor took the step for themselves."""
        return self.to == self.actor


@attrs.frozen
class Released(Fact):
    """A step that was assigned is open again to whoever has its role."""

    step: str
    reason: str = ""


@attrs.frozen
class Explained(Fact):
    """Somebody said why a deviation came about; `deviation` is the sequence of the fact that records it."""

    deviation: int
    reason: str


@attrs.frozen
class Accepted(Fact):
    """The explanation of a deviation was accepted. It changes to whom the deviation is put down, not that it counts."""

    deviation: int
    reason: str


@attrs.frozen
class Rejected(Fact):
    """The explanation of a deviation was rejected."""

    deviation: int
    reason: str


@attrs.frozen
class ChildRequested(Fact):
    """A step was entered that runs another procedure: an instance of it, the child, is to be started.

    Its data are those of this instance when it starts, as `runs` maps them. `visit` counts the visits of the step.
    """

    step: str
    child: str
    procedure: str
    visit: int = 1


@attrs.frozen
class ChildStarted(Fact):
    """A child was started, under this version of its procedure."""

    step: str
    child: str
    version: int


@attrs.frozen
class ChildEnded(Fact):
    """A child ended; a move that follows from it by itself comes next."""

    step: str
    child: str
    outcome: str


@attrs.frozen
class CalledOff(Fact):
    """The instance ended because its parent had left the step that runs it. Its outcome is `cancelled`."""


@attrs.frozen
class ParentTold(Fact):
    """The parent has recorded the end of this instance."""


@attrs.frozen
class Erased(Fact):
    """Personal data beside the journal were erased; `commitments` are those that lead nowhere from now on."""

    commitments: tuple[str, ...] = attrs.field(default=(), converter=_texts)


FACTS: Mapping[str, type[Fact]] = {
    cls.__name__: cls
    for cls in (
        Started,
        Moved,
        Updated,
        Rescheduled,
        Extended,
        Recomputed,
        Migrated,
        Held,
        Resumed,
        Warned,
        Escalated,
        Overdue,
        Settled,
        Deviated,
        Refused,
        Assigned,
        Released,
        Explained,
        Accepted,
        Rejected,
        ChildRequested,
        ChildStarted,
        ChildEnded,
        CalledOff,
        ParentTold,
        Erased,
    )
}
