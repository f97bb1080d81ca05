"""State of an instance: a value that the store and every caller may share, and a draft of it for changes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import datetime
from itertools import accumulate, islice
from operator import attrgetter, sub
from typing import Any, Literal, NamedTuple, NoReturn, TypeVar

import attrs

from svcflow.kernel.facts import DeviationStatus, to_datetime
from svcflow.model.field import Value

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """Dict that cannot be changed in place; it is read, copied and written as JSON as any dict.

    >>> FrozenDict({"fee": 20})["fee"]
    20
    >>> dict(FrozenDict({"fee": 20}), fee=30)
    {'fee': 30}
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        """Refuse any change. Raises: TypeError."""
        raise TypeError(
            "an instance is not changed in place: ask the engine to (update, fire), or copy its data"
        )

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict[K, V]], tuple[dict[K, V]]]:
        """Return how to copy and pickle it: made anew, because setting item by item, as for a dict, is refused."""
        return type(self), (dict(self),)


Status = Literal["running", "held", "ended"]
Verdict = Literal["", "met", "late", "early", "cancelled"]
NEVER = 2**63 - 1
STOPPED = -1
NOT_COMPUTED = -(2**63)
"""Stands for a due instant that is yet to be computed after a change; before every instant."""
Run = tuple[int, int]


class Stopwatch(NamedTuple):
    """State of one limit on one instance.

    `started_us` is where counting begins, `attached_us` when the present target was attached. `anchor_us` is
    the scheduled instant the target refers to, `NEVER` without one; `extra` is what an extension added, or what
    keeps the deadline of an earlier version: `kept` is that part, which another row of the limit gives up.
    `runs` are the closed intervals [start, end) in which it ran, `open_us` the start of the one that
    still runs (`STOPPED` when none does). `due_us` is `NEVER` while nothing is due. `fired` has a bit for
    each rung of the ladder that fired; `next_us` is the instant of the next one.
    """

    limit: str
    visit: int
    row: int
    started_us: int
    attached_us: int
    anchor_us: int
    extra: int
    runs: tuple[Run, ...]
    open_us: int
    due_us: int
    fired: int
    next_us: int
    overdue: bool
    verdict: Verdict
    kept: int = 0


class Booking(NamedTuple):
    """Who set a scheduled instant last, on whose behalf, and when: `NEVER` while nobody did.

    `moved` means that it had been set before.
    """

    at_us: int
    actor: str
    moved: bool
    behalf: str = ""


ChildState = Literal["requested", "running", "ended"]


class Child(NamedTuple):
    """Instance of another procedure that a step runs, the n-th at this step (`visit`), and how far it is.

    `left` means that the step was left since: a child that has not ended then is called off. `since_us` is when it was
    requested, or when its step was left.
    """

    procedure: str
    step: str
    visit: int
    state: ChildState
    since_us: int
    left: bool = False
    outcome: str = ""


class Parent(NamedTuple):
    """Instance whose step runs this one; `told` once it knows of the end of this one."""

    id: str
    step: str
    told: bool = False


class Instance(NamedTuple):
    """State of one instance; a named tuple, because one is made for every command. It cannot be changed in place.

    `sequence` is that of its last fact; `revision` that of the last fact by which somebody changed its state: a
    warning, a refused attempt, an assignment or an answer to a deviation does not make a caller's view stale.
    `left_by` are the persons who left a step, and whom they acted for; `assignees` who has an active step;
    `deputies`, for steps that somebody has by a delegation, the giver and when it ends; `deviations` the status of
    each deviation, by the sequence of its fact; `bookings` who set which scheduled instant, unless the journal is
    older than bookings; `settled` the fields whose value a move has settled; `parameters` the values in force of
    parameters that are not those its version declares. `parent` is the instance whose step runs this one; `children`
    are those that its own steps have run, by id; `pending_us` is from when on the runtime has something to do about
    them, `NEVER` mostly.
    """

    id: str
    procedure: str
    version: int
    status: Status
    outcome: str
    steps: tuple[str, ...]
    data: Mapping[str, Value]
    evidence: Mapping[str, int]
    recipient: str
    group: str
    revision: int
    sequence: int
    started_us: int
    updated_us: int
    revised_us: int
    ended_us: int | None
    hold: str
    paused: bool
    active: Mapping[str, int]
    stopwatches: Mapping[str, Stopwatch]
    counts: Mapping[str, int]
    left_by: Mapping[str, tuple[str, ...]]
    next_us: int
    assignees: Mapping[str, str]
    deviations: Mapping[int, DeviationStatus]
    explainers: Mapping[int, tuple[str, ...]]
    bookings: Mapping[str, Booking]
    deputies: Mapping[str, tuple[str, int]]
    settled: tuple[str, ...]
    parameters: Mapping[str, int | float | str]
    parent: Parent | None
    children: Mapping[str, Child]
    pending_us: int

    @property
    def clocks(self) -> Mapping[str, Stopwatch]:
        """Deprecated name of `stopwatches`."""
        warnings.warn("Instance.clocks is called Instance.stopwatches", DeprecationWarning, stacklevel=2)
        return self.stopwatches

    @property
    def started_at(self) -> datetime:
        """When the instance started."""
        return to_datetime(self.started_us)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None while it is open."""
        return None if self.ended_us is None else to_datetime(self.ended_us)


FIELDS = Instance._fields
_values = attrgetter(*FIELDS)


# The fields are declared a second time: a named tuple is immutable, and mypy cannot type a class generated from it.
@attrs.define(eq=False)
class Draft:
    """Instance to which facts are being applied; never leaves the kernel.

    `active` is the draft's own and is changed in place; `stopwatches` is copied before its first change since
    deadlines were computed, `deviations` before its first change since it was frozen. The other mappings are
    replaced as a whole by frozen ones.
    """

    id: str
    procedure: str
    version: int
    status: Status
    outcome: str
    steps: tuple[str, ...]
    data: FrozenDict[str, Value]
    evidence: FrozenDict[str, int]
    recipient: str
    group: str
    revision: int
    sequence: int
    started_us: int
    updated_us: int
    revised_us: int
    ended_us: int | None
    hold: str
    paused: bool
    active: dict[str, int]
    stopwatches: dict[str, Stopwatch]
    counts: FrozenDict[str, int]
    left_by: FrozenDict[str, tuple[str, ...]]
    next_us: int
    assignees: FrozenDict[str, str]
    deviations: Mapping[int, DeviationStatus]
    explainers: FrozenDict[int, tuple[str, ...]]
    bookings: FrozenDict[str, Booking]
    deputies: FrozenDict[str, tuple[str, int]]
    settled: tuple[str, ...]
    parameters: FrozenDict[str, int | float | str]
    parent: Parent | None
    children: FrozenDict[str, Child]
    pending_us: int

    @classmethod
    def of(cls, instance: Instance) -> Draft:
        """Return a draft that starts as `instance`."""
        draft = cls(*instance)  # type: ignore[arg-type]  # two of the mappings are dicts here, see above
        draft.active = dict(instance.active)
        if draft.pending_us != NEVER:  # here `next_us` is of the stopwatches alone, see `freeze`
            draft.next_us = min((watch.next_us for watch in draft.stopwatches.values()), default=NEVER)
        return draft

    @classmethod
    def blank(cls, instance: str) -> Draft:
        """Return a draft to which no fact has been applied."""
        draft = cls.of(BLANK)
        draft.id = instance
        return draft

    def freeze(self) -> Instance:
        """Return the instance as it is now, which later changes of the draft leave alone."""
        own, self.active = self.active, FrozenDict(self.active)
        if type(self.stopwatches) is dict and self.next_us != NOT_COMPUTED:
            self.stopwatches = FrozenDict(self.stopwatches)
        if type(self.deviations) is dict:
            self.deviations = FrozenDict(self.deviations)
        instance: Instance = tuple.__new__(Instance, _values(self))
        if self.pending_us < self.next_us:
            instance = instance._replace(next_us=self.pending_us)
        self.active = own
        return instance


BLANK = Instance(
    id="",
    procedure="",
    version=0,
    status="running",
    outcome="",
    steps=(),
    data=FrozenDict(),
    evidence=FrozenDict(),
    recipient="",
    group="",
    revision=0,
    sequence=0,
    started_us=0,
    updated_us=0,
    revised_us=0,
    ended_us=None,
    hold="",
    paused=False,
    active=FrozenDict(),
    stopwatches=FrozenDict(),
    counts=FrozenDict(),
    left_by=FrozenDict(),
    next_us=NEVER,
    assignees=FrozenDict(),
    deviations=FrozenDict(),
    explainers=FrozenDict(),
    bookings=FrozenDict(),
    deputies=FrozenDict(),
    settled=(),
    parameters=FrozenDict(),
    parent=None,
    children=FrozenDict(),
    pending_us=NEVER,
)


def to_state(instance: Instance) -> list[Any]:
    """Return the instance as plain JSON values, in the order of its fields."""
    state: list[Any] = list(instance)
    state[_STOPWATCHES] = list(map(tuple, instance.stopwatches.values()))
    # Keys of JSON objects are texts; those of these two mappings are numbers, so they are stored as lists.
    state[_DEVIATIONS] = _rows(instance.deviations) if instance.deviations else []
    state[_EXPLAINERS] = list(instance.explainers.items()) if instance.explainers else []
    if instance.bookings:
        state[_BOOKINGS] = {field: tuple(booking) for field, booking in instance.bookings.items()}
    if instance.parent is None and not instance.children:
        # Most instances have no relatives, and no values of their own: their states are written as before.
        del state[_PARENT if instance.parameters else _PARAMETERS :]
    else:
        state[_PARENT] = None if instance.parent is None else tuple(instance.parent)
        state[_CHILDREN] = {name: tuple(child) for name, child in instance.children.items()}
    return state


def from_state(state: list[Any]) -> Instance:
    """Return the instance that `to_state` wrote, also after a round trip through JSON.

    A state written before fields were added at the end is read with those fields empty.

    Raises: ValueError or TypeError when it is none.
    """
    fields = list(state)
    if not _FIRST_FIELDS <= len(fields) <= len(FIELDS):
        raise ValueError(f"an instance has {len(FIELDS)} fields, not {len(fields)}")
    fields += BLANK[len(fields) :]
    fields[_STEPS] = tuple(fields[_STEPS])
    fields[_STOPWATCHES] = {row[0]: _stopwatch(row) for row in fields[_STOPWATCHES]}
    if fields[_LEFT_BY]:
        fields[_LEFT_BY] = {step: _leavers(who) for step, who in fields[_LEFT_BY].items()}
    if fields[_DEVIATIONS]:
        fields[_DEVIATIONS] = _statuses(fields[_DEVIATIONS])
    if fields[_EXPLAINERS]:
        fields[_EXPLAINERS] = {sequence: tuple(who) for sequence, who in fields[_EXPLAINERS]}
    if fields[_BOOKINGS]:
        fields[_BOOKINGS] = {field: Booking(*row) for field, row in fields[_BOOKINGS].items()}
    if fields[_DEPUTIES]:
        fields[_DEPUTIES] = {step: (giver, until_us) for step, (giver, until_us) in fields[_DEPUTIES].items()}
    fields[_SETTLED] = tuple(fields[_SETTLED])
    if fields[_PARENT] is not None:
        fields[_PARENT] = Parent(*fields[_PARENT])
    if fields[_CHILDREN]:
        fields[_CHILDREN] = {name: Child(*row) for name, row in fields[_CHILDREN].items()}
    for place in _MAPPINGS:
        fields[place] = _NOTHING if fields[place] == _NOTHING else FrozenDict(fields[place])
    return tuple.__new__(Instance, fields)


_NOTHING: Mapping[Any, Any] = FrozenDict()
"""Most mappings of most instances are empty."""


_STEPS, _STOPWATCHES, _RUNS = (
    FIELDS.index("steps"),
    FIELDS.index("stopwatches"),
    Stopwatch._fields.index("runs"),
)
_STOPWATCH_FIELDS = len(Stopwatch._fields)
_MAPPINGS = [place for place, kept in enumerate(BLANK) if isinstance(kept, FrozenDict)]
_LEFT_BY, _DEVIATIONS = FIELDS.index("left_by"), FIELDS.index("deviations")
_EXPLAINERS, _BOOKINGS = FIELDS.index("explainers"), FIELDS.index("bookings")
_DEPUTIES, _SETTLED = FIELDS.index("deputies"), FIELDS.index("settled")
_PARENT, _CHILDREN = FIELDS.index("parent"), FIELDS.index("children")
_FIRST_FIELDS = FIELDS.index("next_us") + 1
"""How many fields the first version had."""
_PARAMETERS = FIELDS.index("parameters")


def _stopwatch(row: list[Any]) -> Stopwatch:
    runs: tuple[Run, ...] = tuple([(start, end) for start, end in row[_RUNS]]) if row[_RUNS] else ()
    later = () if len(row) == _STOPWATCH_FIELDS else (0,)  # `kept` came later
    return tuple.__new__(Stopwatch, (*row[:_RUNS], runs, *row[_RUNS + 1 :], *later))


def _rows(statuses: Mapping[int, DeviationStatus]) -> list[list[Any]]:
    """Return a row for each status: its name, 0, and the sequences, each as the distance from the one before.

    A neglected recurrence has thousands of deviations: this takes two bytes for each instead of fourteen.
    """
    rows: list[list[Any]] = []
    distinct = set(statuses.values())
    for status in sorted(distinct):
        sequences = (
            [number for number in statuses if statuses[number] == status] if len(distinct) > 1 else statuses
        )
        numbers = (0, *sequences)
        rows.append([status, 0, *map(sub, numbers[1:], numbers)])
    return rows


def _statuses(rows: list[list[Any]]) -> dict[int, DeviationStatus]:
    """Return the status of each deviation; the first versions wrote a pair for each."""
    if isinstance(rows[0][0], int):
        return dict(rows)
    statuses: dict[int, DeviationStatus] = {}
    for status, *distances in rows:
        statuses.update(dict.fromkeys(islice(accumulate(distances), 1, None), status))
    return statuses


def _leavers(who: str | list[str]) -> tuple[str, ...]:
    """Return who left a step; states older than delegations hold one name instead of a list."""
    return (who,) if isinstance(who, str) else tuple(who)
