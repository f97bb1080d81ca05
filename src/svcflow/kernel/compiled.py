"""A procedure made ready to run: the flat state machine, its rows, limits and calendars.

One `Compiled` serves all instances of a procedure version. It holds no instance and reads no clock.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import attrs
from transitions import Event, Machine, State

from svcflow.kernel.instance import NEVER, Booking
from svcflow.kernel.ladder import CompiledLimit, compile_limit
from svcflow.kernel.unchanging import Unchanging
from svcflow.model.field import Value
from svcflow.model.limit import TimeLimit, hold_limit, reason_of
from svcflow.model.procedure import Procedure
from svcflow.model.step import RECORD_ALL, Enforce, Enforcement, Step, Transition
from svcflow.worktime.calendar import WorkCalendar

_UNBOOKED = Booking(NEVER, "", moved=False)
Calendars = Callable[[str], WorkCalendar]


class Token:
    """Stand for an instance inside the state machine: one slot, no callbacks."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


class _SlimEvent(Event):
    """An event that takes its one transition, without logging and empty callbacks; guards were asked before.

    Measured: 3 times the speed of the plain event.
    """

    def trigger(self, model: Any, *args: object, **kwargs: object) -> bool:  # noqa: ARG002  # the library's signature
        rows = self.transitions.get(model.state)
        if not rows:
            return super().trigger(model)  # raises the library's MachineError
        model.state = rows[0].dest or model.state
        return True


class _FlatMachine(Machine):
    event_cls = _SlimEvent


@attrs.frozen(eq=False)
class CompiledMove:
    """Hold one row of one trigger from one step, with what its breach does."""

    move: Transition
    source: str
    row: int
    role: str
    enforce: Mapping[str, Enforcement]
    event: Any
    key: str
    joins: str
    """The parallel step of which the move ends a branch; empty for any other move."""

    def target(self) -> str:
        """Ask the state machine where the move leads."""
        token = Token(self.source)
        self.event.trigger(token)
        return token.state


@attrs.frozen(eq=False)
class CompiledStep:
    """Hold one step with its place, exits and the limits it starts, ends and reaches."""

    step: Step
    parent: str
    scope: str
    exits: Mapping[str, tuple[CompiledMove, ...]]
    around: tuple[str, ...]
    """The parallel steps around it, innermost first."""
    branches: tuple[str, ...]
    """First step of each branch; empty unless the step is parallel."""
    starts: tuple[CompiledLimit, ...]
    """Limits whose clock starts when the step is entered."""
    stops: tuple[CompiledLimit, ...]
    """Limits over this step, which end when it is left."""
    reaches: tuple[CompiledLimit, ...]
    """Spans that end when this step is entered."""


@attrs.frozen(eq=False, repr=False)
class Compiled:
    """Hold everything `decide` and `evolve` need to know of one procedure version."""

    procedure: Procedure
    calendar: WorkCalendar
    first: str
    steps: Mapping[str, CompiledStep]
    limits: Mapping[str, CompiledLimit]
    by_trigger: Mapping[str, tuple[tuple[CompiledMove, ...], ...]]
    uses_recipient: bool
    rematch: tuple[str, ...]
    """Limits whose matrix or anchor has to be asked again when data change."""
    watched: frozenset[str]
    """Steps whose doer is remembered, because another step may not be done by the same person."""
    told_apart: frozenset[str]
    """Steps that not everybody may do, or whose doer is remembered: they themselves, or what is around them."""
    pairs: Mapping[str, frozenset[str]]
    """For each step, those in branches side by side with it that its doer may not do: either may be done first."""
    occurrences: Mapping[str, tuple[str, ...]]
    """For each trigger, the recurring limits of which it is one occurrence."""
    personal: frozenset[str]
    """Data fields that are somebody's own, and are kept beside the journal."""
    unbooked: Unchanging[str, Booking]
    """The data fields that are scheduled instants, before anybody set them."""
    defaults: Mapping[str, Value]
    """What the data of an instance are where none come with its start."""
    foreign: bool = False
    """Whether logs of other systems are replayed: who acted and in which role may be unknown there, and is unjudged."""
    marks: dict[str, str] = attrs.field(factory=dict, repr=False)
    """What its calendars say, once it was asked: see `kernel.marks`."""
    _standings: dict[tuple[str, ...], tuple[tuple[str, ...], bool]] = attrs.field(factory=dict, repr=False)
    _paths: dict[tuple[str, str], tuple[str, ...] | None] = attrs.field(factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.procedure})"

    @property
    def remembered(self) -> frozenset[str]:
        """Steps whose doer may bar somebody: what another step excludes, and what excludes one side by side with it."""
        return self.watched.union(*self.pairs.values())

    def way(self, start: str, goal: str) -> tuple[str, ...] | None:
        """Return the steps skipped by jumping from `start` to `goal`, `goal` included; None when none leads there.

        The shortest way over normal transitions counts; exceptions are taken when there is no other.
        """
        key = (start, goal)
        if key not in self._paths:
            self._paths[key] = self._search(start, goal, {"normal"}) or self._search(
                start, goal, {"normal", "exception"}
            )
        return self._paths[key]

    def _search(self, start: str, goal: str, kinds: set[str]) -> tuple[str, ...] | None:
        seen = {start: ""}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            if here == goal:
                return tuple(_back(seen, goal))[::-1]
            for rows in self.steps[here].exits.values():
                for row in rows:
                    if row.move.kind in kinds and row.move.step not in seen:
                        seen[row.move.step] = here
                        queue.append(row.move.step)
        return None

    def standing(self, active: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Return in which steps an instance stands, and whether it only waits, when these are active."""
        found = self._standings.get(active)
        if found is None:
            leaves = [name for name in active if not self.steps[name].branches]
            working = [name for name in leaves if self.steps[name].step.end is None]
            waits = bool(working) and all(self.steps[name].step.waits is not None for name in working)
            found = self._standings[active] = tuple(working or leaves), waits
        return found

    def inside(self, step: str) -> tuple[str, ...]:
        """Return the parallel steps around `step`, innermost first."""
        return self.steps[step].around


def _back(seen: Mapping[str, str], goal: str) -> Iterator[str]:
    while seen[goal]:
        yield goal
        goal = seen[goal]


def compile_procedure(
    procedure: Procedure, calendars: Calendars, *, enforce: Literal["declared", "record"] = "declared"
) -> Compiled:
    """Make a procedure ready to run; `enforce="record"` lets every breach through, as foreign logs need.

    Raises: UnknownCalendar.
    """
    rules = RECORD_ALL if enforce == "record" else None
    limits = {limit.id: _limit(procedure, limit, calendars) for limit in _limits(procedure)}
    machine = _machine(procedure)
    ends = _Ends.of(procedure, limits.values())
    steps = {item.step.id: item for item in _walk(procedure, machine, ends, rules, steps=procedure.steps)}
    by_trigger: dict[str, list[tuple[CompiledMove, ...]]] = {}
    for step in steps.values():
        for trigger, rows in step.exits.items():
            by_trigger.setdefault(trigger, []).append(rows)
    occurrences: dict[str, list[str]] = {}
    for limit in limits.values():
        if limit.limit.done_by:
            occurrences.setdefault(limit.limit.done_by, []).append(limit.id)
    guards = [row.move.when for step in steps.values() for rows in step.exits.values() for row in rows]
    guards += [row.guard for limit in limits.values() for row in limit.rows]
    others = {name: step.step.not_by for name, step in steps.items() if step.step.not_by is not None}
    watched, apart = frozenset(others.values()), {*others.keys(), *others.values()}
    return Compiled(
        procedure,
        calendars(procedure.calendar),
        procedure.steps[0].id,
        steps,
        limits,
        {trigger: tuple(rows) for trigger, rows in by_trigger.items()},
        any(guard is not None and "recipient" in guard.names for guard in guards),
        tuple(name for name, limit in limits.items() if limit.varies),
        watched,
        frozenset(name for name, step in steps.items() if not apart.isdisjoint((name, *step.around))),
        _pairs(steps),
        {trigger: tuple(names) for trigger, names in occurrences.items()},
        frozenset(field.id for field in procedure.fields.values() if field.personal),
        Unchanging(dict.fromkeys(sorted(_scheduled(procedure)), _UNBOOKED)),
        {f.id: f.accept(f.default) for f in procedure.fields.values() if f.default is not None},
        foreign=enforce == "record",
    )


def _scheduled(procedure: Procedure) -> Iterator[str]:
    """Yield the fields that are scheduled instants: a later version may hang limits on what none hangs on yet."""
    return (field.id for field in procedure.fields.values() if field.type == "instant" and not field.personal)


def _pairs(steps: Mapping[str, CompiledStep]) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name, step in steps.items():
        other = step.step.not_by
        if other is not None:
            mine, theirs = dict(_branches(steps, name)), dict(_branches(steps, other))
            if any(mine[parallel] != theirs[parallel] for parallel in mine.keys() & theirs.keys()):
                found[other] = found.get(other, frozenset()) | {name}
    return found


def _branches(steps: Mapping[str, CompiledStep], name: str) -> Iterator[tuple[str, str]]:
    """Yield the parallel steps around a step, with the branch of each that it is in."""
    while steps[name].parent:
        yield steps[name].parent, steps[name].scope
        name = steps[name].parent


def _limits(procedure: Procedure) -> Iterator[TimeLimit]:
    yield from procedure.time_limits.values()
    for rule in procedure.holds:
        if rule.at_most is not None:
            yield TimeLimit(id=hold_limit(rule.reason), within=rule.at_most, stoppable=False)


def _limit(procedure: Procedure, limit: TimeLimit, calendars: Calendars) -> CompiledLimit:
    step = procedure.all_steps.get(limit.step or "")
    waits = step is not None and step.waits is not None
    return compile_limit(limit, calendars(limit.calendar or procedure.calendar), waits=waits)


def _machine(procedure: Procedure) -> _FlatMachine:
    machine = _FlatMachine(
        model=None,
        states=[State(name) for name in procedure.all_steps],
        initial=procedure.steps[0].id,
        auto_transitions=False,
    )
    for step in procedure.all_steps.values():
        for event, _, move in _events(step):
            machine.add_transition(event, step.id, move.step)
    return machine


def _events(step: Step) -> Iterator[tuple[str, int, Transition]]:
    """Yield each move with its event and its row; rows of one trigger are told apart, because guards are asked by us."""
    rows: Counter[str] = Counter()
    for move in step.to:
        row = rows[move.trigger]
        rows[move.trigger] += 1
        yield f"{move.trigger}#{row}" if row else move.trigger, row, move


@attrs.frozen
class _Ends:
    """Limits by the step at which something happens to them, so that no step asks all of them."""

    starts: Mapping[str | None, list[CompiledLimit]]
    stops: Mapping[str | None, list[CompiledLimit]]
    reaches: Mapping[str | None, list[CompiledLimit]]

    @classmethod
    def of(cls, procedure: Procedure, limits: Iterable[CompiledLimit]) -> _Ends:
        ends = cls(defaultdict(list), defaultdict(list), defaultdict(list))
        for limit in limits:
            ends.starts[_starts(procedure, limit.limit)].append(limit)
            ends.stops[limit.limit.step].append(limit)
            ends.reaches[limit.limit.to].append(limit)
        return ends


def _walk(
    procedure: Procedure,
    machine: _FlatMachine,
    ends: _Ends,
    rules: Enforce | None,
    *,
    steps: tuple[Step, ...],
    around: tuple[str, ...] = (),
    scope: str = "",
) -> Iterator[CompiledStep]:
    parent = around[0] if around else ""
    for step in steps:
        yield CompiledStep(
            step=step,
            parent=parent,
            scope=scope,
            exits=_exits(procedure, step, machine, rules, parent),
            around=around,
            branches=tuple(branch.steps[0].id for branch in step.parallel),
            starts=tuple(ends.starts[step.id]),
            stops=tuple(ends.stops[step.id]),
            reaches=tuple(ends.reaches[step.id]),
        )
        for branch in step.parallel:
            place = f"{step.id}/{branch.id}"
            inner = (step.id, *around)
            yield from _walk(procedure, machine, ends, rules, steps=branch.steps, around=inner, scope=place)


def _starts(procedure: Procedure, limit: TimeLimit) -> str | None:
    if limit.scope == "step":
        return limit.step
    if limit.scope == "span":
        return limit.from_
    return None if reason_of(limit.id) else procedure.steps[0].id


def _exits(
    procedure: Procedure, step: Step, machine: _FlatMachine, rules: Enforce | None, parent: str
) -> Mapping[str, tuple[CompiledMove, ...]]:
    exits: dict[str, list[CompiledMove]] = {}
    enforce = attrs.asdict(rules or procedure.enforce)
    for event, row, move in _events(step):
        compiled = CompiledMove(
            move=move,
            source=step.id,
            row=row,
            role=move.role or step.role or "",
            enforce=enforce if rules else {**enforce, **move.enforce},
            event=machine.events[event],
            key=f"{step.id}.{move.trigger}.{move.step}",
            joins=parent if procedure.all_steps[move.step].end is not None else "",
        )
        exits.setdefault(move.trigger, []).append(compiled)
    return {trigger: tuple(rows) for trigger, rows in exits.items()}
