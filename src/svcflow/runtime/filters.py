"""Filters, queries and pages: which instances, deviations and work a query is for, and how much of them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Self, TypedDict, TypeVar, get_args

import orjson

from svcflow.bounds import LARGEST, SMALLEST, shown
from svcflow.errors import FieldError
from svcflow.kernel.commands import Actor, is_named
from svcflow.kernel.facts import DeviationKind, DeviationStatus, to_datetime
from svcflow.kernel.instance import NEVER, Instance, Status
from svcflow.kernel.lifecycle.children import running_child
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.lifecycle.work_items import Work
from svcflow.kernel.storable import refuse_non_text, refuse_unstorable
from svcflow.model.field import Value
from svcflow.model.procedure import GROUPS, Group
from svcflow.nearest import nearest
from svcflow.runtime.command_checks import refuse_no_actor, refuse_no_mapping
from svcflow.text import Text
from svcflow.worktime.instants import optional_given_us

T = TypeVar("T", Instance, Deviation, "WorkItem")
Cursor = tuple[int | str, ...]
InstanceKey = Literal["procedure", "status", "step", "role", "group"]
DeviationKey = Literal["procedure", "kind", "step", "role", "group", "status"]
_Words = Mapping[str, tuple[str, ...]]
_INSTANCE_WORDS: _Words = {"status": get_args(Status), "group": GROUPS}
_DEVIATION_WORDS: _Words = {
    "kind": get_args(DeviationKind),
    "status": get_args(DeviationStatus),
    "group": GROUPS,
}
_INSTANTS = ("since", "until", "due_before")
_LARGEST = 2**62
_NO_DATA: Mapping[str, Value] = {}


class InstanceFilters(TypedDict, total=False):
    """Filters of instances; what is left out, or None, means any.

    `step` and `role` are of the work that waits now, `data` are fields and the values they must have, `since`
    (included) and `until` (not included) bound the start. `due_before` selects those with a running
    deadline before that instant; with the present instant, those that are overdue.
    """

    procedure: str | None
    status: Status | None
    step: str | None
    role: str | None
    recipient: str | None
    group: Group | None
    data: Mapping[str, Value]
    since: datetime | None
    until: datetime | None
    due_before: datetime | None


class DeviationFilters(TypedDict, total=False):
    """Filters of deviations; what is left out, or None, means any.

    `group` is the recipient's; `since` (included) and `until` (not included) bound when they occurred.
    """

    instance: str | None
    procedure: str | None
    kind: str | None
    step: str | None
    role: str | None
    group: Group | None
    since: datetime | None
    until: datetime | None
    status: DeviationStatus | None


class InstanceQuery(NamedTuple):
    """Query for instances, newest first, at most `limit`, behind `after` (start and id)."""

    procedure: str | None = None
    status: Status | None = None
    limit: int | None = None
    step: str | None = None
    role: str | None = None
    recipient: str | None = None
    group: Group | None = None
    data: Mapping[str, Value] = _NO_DATA
    since_us: int | None = None
    until_us: int | None = None
    after: Cursor | None = None
    due_before_us: int | None = None


class DeviationQuery(NamedTuple):
    """Query for deviations, as they occurred, at most `limit`, behind `after` (instant, instance, number)."""

    instance: str | None = None
    procedure: str | None = None
    kind: str | None = None
    step: str | None = None
    role: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    group: Group | None = None
    limit: int | None = None
    after: Cursor | None = None
    status: DeviationStatus | None = None


class WorkQuery(NamedTuple):
    """Query for work: what these roles have that nobody has claimed, or what this person has; None means any.

    The soonest due first, at most `limit`, behind `after` (due instant, since when, instance, step). `due_before_us`
    narrows it to deadlines before that instant. `now_us` decides which delegations have ended, by which somebody had
    a step.
    """

    roles: frozenset[str] | None = None
    assignee: str | None = None
    procedure: str | None = None
    limit: int | None = None
    after: Cursor | None = None
    due_before_us: int | None = None
    now_us: int = 0


class WorkItem(NamedTuple):
    """One step of one instance that waits to be done, with the parts of the instance that a page of work shows.

    `assignee` is empty while nobody has it; `due_us` is the soonest deadline that runs for it, or `NEVER`.
    `recipient` and `group` are those of the instance; `data` are its fields that are personal in no version. `child` is
    the instance that the step runs now, and `parent` the one whose step runs this instance.
    """

    instance: str
    procedure: str
    version: int
    step: str
    role: str
    assignee: str
    entered_us: int
    due_us: int
    recipient: str = ""
    group: str = ""
    data: Mapping[str, Value] = _NO_DATA
    child: str = ""
    parent: str = ""

    @property
    def entered_at(self) -> datetime:
        """Since when it waits."""
        return to_datetime(self.entered_us)

    @property
    def due_at(self) -> datetime | None:
        """When it is due; None when no deadline runs."""
        return None if self.due_us == NEVER else to_datetime(self.due_us)


def work_item(instance: Instance, work: Work) -> WorkItem:
    """Return the work of one step with the parts of its instance that a page shows."""
    return WorkItem(
        instance.id,
        instance.procedure,
        instance.version,
        *work,
        recipient=instance.recipient,
        group=instance.group,
        data=instance.data,
        child=running_child(instance, work.step) if instance.children else "",
        parent="" if instance.parent is None else instance.parent.id,
    )


class Page(tuple[T, ...]):  # noqa: SLOT001  # a tuple has no room for slots
    """One page of the items of a query; `after` is the cursor of the next page, None when there is none."""

    after: str | None

    @classmethod
    def of(cls, items: Sequence[T], limit: int | None) -> Self:
        """Return the page of items that were selected with one more than `limit`."""
        whole = limit is None or len(items) <= limit
        page = cls(items if whole else items[:limit])
        page.after = None if whole else _encoded(cursor_of(page[-1]))
        return page

    def mapped(self, change: Callable[[T], T]) -> Self:
        """Return the page with each item changed, and the same cursor."""
        page = type(self)(map(change, self))
        page.after = self.after
        return page


def instance_query(filters: InstanceFilters) -> InstanceQuery:
    """Return the query for some filters. Raises: FieldError, NaiveDatetime; TypeError for a filter there is not."""
    return InstanceQuery(**_filters(dict(filters), _INSTANCE_WORDS))


def deviation_query(filters: DeviationFilters) -> DeviationQuery:
    """Return the query for some filters. Raises: FieldError, NaiveDatetime; TypeError for a filter there is not."""
    return DeviationQuery(**_filters(dict(filters), _DEVIATION_WORDS))


def work_query(
    actor: Actor | None, role: str | None, procedure: str | None, due_before: datetime | None = None
) -> WorkQuery:
    """Return the query for the work of an actor, of a role or of everybody. Raises: FieldError, NaiveDatetime."""
    due_before_us = optional_given_us("due_before", due_before)
    if actor is not None:
        refuse_no_actor("actor", actor)
    own_roles = None if actor is None else actor.roles or frozenset()
    if actor is not None and not is_named(actor.id):  # roles beside no name are nobody's
        own_roles = frozenset()
    for place, name in (
        ("role", role),
        ("procedure", procedure),
        *(("actor.roles", name) for name in own_roles or ()),
    ):
        refuse_non_text(place, name, needed=False)
    if actor is None or own_roles is None:
        roles = None if role is None else frozenset({role})
        return WorkQuery(roles, None, procedure, due_before_us=due_before_us)
    assignee = actor.behalf or actor.id
    refuse_non_text("actor", assignee)
    roles = own_roles if role is None else own_roles & {role}
    return WorkQuery(roles, assignee, procedure, due_before_us=due_before_us)


def cursor_of(item: Instance | Deviation | WorkItem) -> Cursor:
    """Return the place of an item in the order of its query."""
    if isinstance(item, Instance):
        return (item.started_us, item.id)
    if isinstance(item, WorkItem):
        return (item.due_us, item.entered_us, item.instance, item.step)
    return (item.occurred_us, item.instance, item.sequence)


def cursor_from(after: str | None, kinds: tuple[type, ...]) -> Cursor | None:
    """Return the cursor that `Page.after` encodes, with parts of these types. Raises: FieldError when it is none."""
    if after is None:
        return None
    try:
        parts: Any = orjson.loads(urlsafe_b64decode(after))
        if [type(part) for part in parts] == list(kinds) and all(_is_storable(part) for part in parts):
            return tuple(parts)
    except (ValueError, TypeError):
        pass
    raise FieldError(
        Text(zh=f"{shown(after)} 不是页标", en=f"{shown(after)} is no cursor"),
        Text(zh="用上一页给出的 `after`", en="take the `after` that the page before gave"),
    )


def bounded(limit: int | None) -> int | None:
    """Return how many items a page may hold. Raises: FieldError unless that is a whole number, one at least."""
    if limit is None or (type(limit) is int and 0 < limit < _LARGEST):
        return limit
    message = Text(zh=f"一页不能是 {shown(limit)} 项", en=f"a page cannot hold {shown(limit)} items")
    remedy = Text(zh="`limit` 须为整数，至少为 1", en="let `limit` be a whole number, 1 at least")
    raise FieldError(message, remedy)


def _is_storable(part: int | str) -> bool:
    return "\0" not in part if isinstance(part, str) else SMALLEST <= part <= LARGEST


def counted(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts, the greatest first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _encoded(cursor: Cursor) -> str:
    return urlsafe_b64encode(orjson.dumps(cursor)).decode()


def refuse_instances_by(by: str) -> None:
    """Raise FieldError when instances cannot be counted by that."""
    _refuse_unknown("by", by, get_args(InstanceKey))


def refuse_deviations_by(by: str) -> None:
    """Raise FieldError when deviations cannot be counted by that."""
    _refuse_unknown("by", by, get_args(DeviationKey))


def _refuse_unknown(place: str, word: object, known: Sequence[str]) -> None:
    if word not in known:
        raise FieldError(
            Text(zh=f"{place} 不能是 {shown(word)}", en=f"{place} cannot be {shown(word)}"),
            nearest(word, known),
        )


def _filters(given: dict[str, Any], words: _Words) -> dict[str, Any]:
    for name, value in given.items():
        if isinstance(value, str):
            refuse_unstorable(name, value)
        if name in words and value is not None:
            _refuse_unknown(name, value, words[name])
        elif name == "data":
            refuse_no_mapping(name, value)
            refuse_unstorable(name, value)
        elif name not in _INSTANTS:
            refuse_non_text(name, value, needed=False)
    for name in _INSTANTS:
        if name in given:
            given[f"{name}_us"] = optional_given_us(name, given.pop(name))
    return given
