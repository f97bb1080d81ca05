"""Procedure version made ready to run: one table of moves (a state machine), limits and calendars.

One `Compiled` serves all instances of a version, from all threads: nothing in the machine changes once it is made.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal

import attrs
import transitions
from transitions import Event, Machine, State

from svcflow.kernel.facts import Fact, Moved
from svcflow.kernel.instance import NEVER, Booking, FrozenDict
from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.kernel.timing.compiled_limit import CompiledLimit, compile_limit
from svcflow.model.catalog import Catalog
from svcflow.model.field import Value
from svcflow.model.limit import TimeLimit, hold_limit, reason_of
from svcflow.model.parameter import Written
from svcflow.model.procedure import Procedure
from svcflow.model.step import RECORD_ALL, Enforce, Enforcement, Step, Transition
from svcflow.model.subprocedure import SubProcedure
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.shipped_calendars import shipped_calendar

_UNBOOKED = Booking(NEVER, "", moved=False)
Calendars = Callable[[str], WorkCalendar]


class CompiledMove(transitions.Transition):
    """One row of one trigger out of one step, with what its breach does: a transition of the state machine.

    Its guard is `move.when`. The kernel evaluates it, so that a refusal can name the one that failed: the machine's
    own `conditions` stay empty.
    """

    dest: str

    def __init__(  # noqa: PLR0917  # the library passes the first seven by position
        self,
        source: str,
        dest: str,
        conditions: Any = None,
        unless: Any = None,
        before: Any = None,
        after: Any = None,
        prepare: Any = None,
        *,
        move: Transition,
        row: int,
        role: str,
        enforce: Mapping[str, Enforcement],
        joins: str,
    ) -> None:
        super().__init__(source, dest, conditions, unless, before, after, prepare)
        self.move = move
        self.row = row
        self.role = role
        self.enforce = enforce
        self.joins = joins
        """The parallel step of which the move ends a branch; empty for any other move."""
        self.key = f"{source}.{move.trigger}.{dest}"


class CompiledTrigger(Event):
    """One trigger, with its rows by the step that they leave, in the order in which they are declared."""

    transitions: defaultdict[str, list[CompiledMove]]  # type: ignore[assignment]  # the machine makes no others


class CompiledStep(State):
    """One step with its place and the limits it starts, ends and reaches: a state of the state machine."""

    def __init__(
        self,
        step: Step,
        *,
        scope: str,
        around: tuple[str, ...],
        starts: tuple[CompiledLimit, ...],
        stops: tuple[CompiledLimit, ...],
        reaches: tuple[CompiledLimit, ...],
    ) -> None:
        super().__init__(step.id, final=step.end is not None)
        self.step = step
        self.scope = scope
        self.around = around
        """The parallel steps around it, innermost first."""
        self.parent = around[0] if around else ""
        self.branches = tuple(branch.steps[0].id for branch in step.parallel)
        """First step of each branch; empty unless the step is parallel."""
        self.triggers = tuple(dict.fromkeys(move.trigger for move in step.to))
        """The triggers that leave it, as declared; their rows are asked of `Compiled.rows`."""
        self.starts = starts
        """Limits that start when the step is entered."""
        self.stops = stops
        """Limits over this step, which end when it is left."""
        self.reaches = reaches
        """Spans that end when this step is entered."""


class ProcedureMachine(Machine):
    """The flat state machine of a procedure version: the one table of its moves. It has no models."""

    state_cls = CompiledStep
    transition_cls = CompiledMove
    event_cls = CompiledTrigger

    states: OrderedDict[str, CompiledStep]  # type: ignore[assignment]  # it makes no others
    events: OrderedDict[str, CompiledTrigger]  # type: ignore[assignment]


@attrs.frozen(eq=False, repr=False)
class Compiled:
    """Procedure version with what `decide` and `evolve` look up in it."""

    procedure: Procedure
    calendar: WorkCalendar
    first: str
    machine: ProcedureMachine
    steps: Mapping[str, CompiledStep]
    """The states of the machine."""
    triggers: Mapping[str, CompiledTrigger]
    """The events of the machine."""
    limits: Mapping[str, CompiledLimit]
    """Everything a stopwatch runs for: limits, the caps of holds, the timers of automatic moves."""
    uses_recipient: bool
    rematch: tuple[str, ...]
    """Limits whose matrix or anchor is evaluated again when data change."""
    excluded: frozenset[str]
    """Steps whose performer is remembered, because another step may not be done by the same person."""
    separated: frozenset[str]
    """Steps that `not_by` concerns, by themselves or by a parallel step around them: it names them or they have one."""
    pairs: Mapping[str, frozenset[str]]
    """For each step, those in parallel branches that its performer may not do: either may be done first."""
    occurrences: Mapping[str, tuple[str, ...]]
    """For each trigger, the recurring limits of which it is one occurrence."""
    personal: frozenset[str]
    """Data fields with personal data, which are stored beside the journal."""
    unbooked: FrozenDict[str, Booking]
    """Bookings of the data fields that are scheduled instants, before anybody set them."""
    defaults: Mapping[str, Value]
    """Data of an instance where none come with its start."""
    reached_by: Mapping[str, tuple[CompiledLimit, ...]]
    """For each trigger, the spans that end when it is fired."""
    settling: Mapping[str, tuple[str, ...]]
    """For each trigger, the data fields whose values it settles."""
    unsettled: Mapping[str, frozenset[str]]
    """For each such field, the steps before that trigger: a rework that leads to one of them opens the value again."""
    certificates: frozenset[str]
    """Certificates that steps ask for."""
    parameters: FrozenDict[str, Written]
    """The values in force of parameters that are not those declared."""
    calendars: Calendars = attrs.field(repr=False)
    runs: Mapping[str, SubProcedure] = attrs.field(factory=dict)
    """What steps run, by step; nothing where logs of other systems are replayed."""
    notice: BusinessTime | None = None
    """Clock of the notice that a start has to give; None where none is declared."""
    foreign: bool = False
    """Whether logs of other systems are replayed: an actor or role that is unknown there is not judged."""
    calendar_fingerprints: dict[str, str] = attrs.field(factory=dict, repr=False)
    """Fingerprints of its calendars, once they were asked for."""
    _positions: dict[tuple[str, ...], tuple[tuple[str, ...], bool]] = attrs.field(factory=dict, repr=False)
    _paths: dict[tuple[str, str], tuple[str, ...] | None] = attrs.field(factory=dict, repr=False)
    _variants: dict[tuple[tuple[str, Written], ...], Compiled] = attrs.field(factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.procedure})"

    def under(self, parameters: Mapping[str, Written]) -> Compiled:
        """Return the version with the values of its parameters that are pinned to an instance.

        Raises: DeclarationError when they are none of this version.
        """
        if parameters == self.parameters:
            return self
        key = tuple(sorted(parameters.items()))
        known = self._variants.get(key)
        if known is None:
            procedure = self.procedure.with_parameters(parameters)
            made = compile_procedure(
                procedure, self.calendars, enforce="record" if self.foreign else "declared"
            )
            known = self._variants.setdefault(key, made)
        return known

    @property
    def refuses_settled(self) -> bool:
        """Whether a command, other than a move, that would change a settled value is refused, and not recorded."""
        return not self.foreign and self.procedure.enforce.settled == "refuse"

    @property
    def remembered(self) -> frozenset[str]:
        """Steps whose performer may bar somebody: those that another step excludes, or that exclude one in a parallel branch."""
        return self.excluded.union(*self.pairs.values())

    def rows(self, step: str, trigger: str) -> Sequence[CompiledMove]:
        """Return the rows of a trigger out of a step, in declared order; none where the step has no such trigger."""
        known = self.triggers.get(trigger)
        return () if known is None else known.transitions.get(step, ())

    def exits(self, step: str) -> Iterator[CompiledMove]:
        """Yield every row out of a step, in declared order."""
        for trigger in self.steps[step].triggers:
            yield from self.triggers[trigger].transitions[step]

    def reaches(self, facts: Iterable[Fact], limit: CompiledLimit) -> bool:
        """Return whether facts of one decision reach the end of a span."""
        return any(
            fact.trigger == limit.limit.to_trigger or self._is_reached(limit, fact.to)
            for fact in facts
            if isinstance(fact, Moved)
        )

    def _is_reached(self, limit: CompiledLimit, entered: str) -> bool:
        place = self.steps[entered]
        ends = limit.to_end and place.step.end is not None and not place.parent
        return ends or limit in place.reaches or any(self._is_reached(limit, step) for step in place.branches)

    def steps_skipped(self, start: str, goal: str) -> tuple[str, ...] | None:
        """Return the steps skipped by jumping from `start` to `goal`, `goal` included; None when no way leads there.

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
            for row in self.exits(here):
                if row.move.kind in kinds and row.dest not in seen:
                    seen[row.dest] = here
                    queue.append(row.dest)
        return None

    def position(self, active: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Return the steps of an instance, and whether it only waits, when these are active."""
        cached = self._positions.get(active)
        if cached is None:
            leaves = [name for name in active if not self.steps[name].branches]
            working = [name for name in leaves if self.steps[name].step.end is None]
            waits = bool(working) and all(self.steps[name].step.waits is not None for name in working)
            cached = self._positions[active] = tuple(working or leaves), waits
        return cached

    def around(self, step: str) -> tuple[str, ...]:
        """Return the parallel steps around `step`, innermost first."""
        return self.steps[step].around


def _back(seen: Mapping[str, str], goal: str) -> Iterator[str]:
    while seen[goal]:
        yield goal
        goal = seen[goal]


def compile_procedure(
    procedure: Procedure, calendars: Calendars, *, enforce: Literal["declared", "record"] = "declared"
) -> Compiled:
    """Return a procedure made ready to run; `enforce="record"` refuses nothing, for logs of other systems.

    Raises: UnknownCalendar.
    """
    rules = RECORD_ALL if enforce == "record" else None
    limits = {limit.id: _limit(procedure, limit, calendars) for limit in _limits(procedure)}
    limits |= {timer.id: timer for timer in _timers(procedure, calendars)}
    machine = _machine(procedure, _Ends.of(procedure, limits.values()), rules)
    steps = machine.states
    occurrences: dict[str, list[str]] = {}
    for limit in limits.values():
        if limit.limit.done_by:
            occurrences.setdefault(limit.limit.done_by, []).append(limit.id)
    guards = [move.when for step in procedure.all_steps.values() for move in step.to]
    guards += [row.guard for limit in limits.values() for row in limit.rows]
    excluded = frozenset(other for step in steps.values() for other in step.step.not_by)
    apart = {*excluded, *(name for name, step in steps.items() if step.step.not_by)}
    return Compiled(
        procedure,
        calendars(procedure.calendar),
        procedure.steps[0].id,
        machine,
        steps,
        machine.events,
        limits,
        any(guard is not None and "recipient" in guard.names for guard in guards),
        tuple(name for name, limit in limits.items() if limit.varies),
        excluded,
        frozenset(name for name, step in steps.items() if not apart.isdisjoint((name, *step.around))),
        _pairs(steps),
        {trigger: tuple(names) for trigger, names in occurrences.items()},
        frozenset(field.id for field in procedure.fields.values() if field.personal),
        FrozenDict(dict.fromkeys(sorted(_scheduled(procedure)), _UNBOOKED)),
        {f.id: f.accept(f.default) for f in procedure.fields.values() if f.default is not None},
        _reached_by(limits.values()),
        _settling(procedure),
        {
            f.id: _before(machine, procedure.steps[0].id, f.settled_by)
            for f in procedure.fields.values()
            if f.settled_by is not None
        },
        frozenset(step.step.qualified for step in steps.values() if step.step.qualified is not None),
        FrozenDict(procedure.overridden),
        calendars,
        runs={name: step.step.runs for name, step in steps.items() if step.step.runs and not rules},
        notice=_notice(procedure, calendars),
        foreign=enforce == "record",
    )


def _reached_by(limits: Iterable[CompiledLimit]) -> Mapping[str, tuple[CompiledLimit, ...]]:
    reached_by: dict[str, tuple[CompiledLimit, ...]] = {}
    for limit in limits:
        trigger = limit.limit.to_trigger
        if trigger is not None:
            reached_by[trigger] = (*reached_by.get(trigger, ()), limit)
    return reached_by


def _settling(procedure: Procedure) -> Mapping[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    for field in procedure.fields.values():
        if field.settled_by is not None:
            fields[field.settled_by] = (*fields.get(field.settled_by, ()), field.id)
    return fields


def _before(machine: ProcedureMachine, first: str, trigger: str) -> frozenset[str]:
    """Return the steps that come before a trigger: one reaches it from them, and them from the start without it.

    Work that goes round by other moves than rework would else have every step before every other.
    """
    sources = frozenset(machine.events[trigger].transitions)
    back: dict[str, set[str]] = {}
    for name in machine.states:
        for dest in _ways(machine, name):
            back.setdefault(dest, set()).add(name)
    leading = _reached(sources, lambda name: back.get(name, ()))
    return leading & _reached((first,), lambda name: _ways(machine, name, trigger)) | sources


def _ways(machine: ProcedureMachine, name: str, without: str = "") -> Iterator[str]:
    """Yield the steps that follow by any move but rework, those inside a parallel step and those behind it included."""
    state = machine.states[name]
    yield from state.branches
    for step in (name, *state.around):
        for move in machine.states[step].step.to:
            if move.kind != "rework" and move.trigger != without:
                yield move.step


def _reached(starts: Iterable[str], after: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """Return the steps that are reached from some, these included."""
    seen = set(starts)
    queue = deque(seen)
    while queue:
        for name in after(queue.popleft()):
            if name not in seen:
                seen.add(name)
                queue.append(name)
    return frozenset(seen)


def _notice(procedure: Procedure, calendars: Calendars) -> BusinessTime | None:
    rule = procedure.start
    if rule is None or rule.before is None:
        return None
    return BusinessTime(calendars(rule.calendar or procedure.calendar))


def _scheduled(procedure: Procedure) -> Iterator[str]:
    """Yield the fields that are scheduled instants, also without a limit: a later version may have one."""
    return (field.id for field in procedure.fields.values() if field.type == "instant" and not field.personal)


def _pairs(steps: Mapping[str, CompiledStep]) -> Mapping[str, frozenset[str]]:
    pairs: dict[str, frozenset[str]] = {}
    for name, step in steps.items():
        for other in step.step.not_by:
            if other not in steps:  # a step of the parent
                continue
            own, excluded = dict(_branches(steps, name)), dict(_branches(steps, other))
            if any(own[parallel] != excluded[parallel] for parallel in own.keys() & excluded.keys()):
                pairs[other] = pairs.get(other, frozenset()) | {name}
    return pairs


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
    to_end = limit.lasts_to_end(procedure.all_steps)
    return compile_limit(limit, calendars, procedure.calendar, waits=waits, to_end=to_end)


def _timers(procedure: Procedure, calendars: Calendars) -> Iterator[CompiledLimit]:
    for step in procedure.all_steps.values():
        if step.then is not None and step.timer is not None:
            yield compile_limit(
                step.timer,
                calendars,
                procedure.calendar,
                waits=step.waits is not None,
                then=step.then.fire,
            )


def _machine(procedure: Procedure, ends: _Ends, rules: Enforce | None) -> ProcedureMachine:
    machine = ProcedureMachine(
        model=None,
        states=list(_steps(ends, procedure.steps)),
        initial=procedure.steps[0].id,
        auto_transitions=False,
        model_attribute="",  # no trigger may be called as the attribute, and "state" is a good name for one
    )
    enforce = attrs.asdict(rules or procedure.enforce)
    for name, state in machine.states.items():
        rows: Counter[str] = Counter()
        refusing = {move.trigger for move in state.step.to if move.otherwise is not None}
        for move in state.step.to:
            # a set of guards that means to refuse does so whatever the procedure says of guards
            closed: Mapping[str, Enforcement] = {"guard": "refuse"} if move.trigger in refusing else {}
            machine.add_transition(
                move.trigger,
                name,
                move.step,
                move=move,
                row=rows[move.trigger],
                role=move.role or state.step.role or "",
                enforce=enforce if rules else {**enforce, **move.enforce, **closed},
                joins=state.parent if procedure.all_steps[move.step].end is not None else "",
            )
            rows[move.trigger] += 1
    for event in machine.events.values():
        event.transitions.default_factory = None  # all threads share the table: a look-up must not add to it
    return machine


@attrs.frozen
class _Ends:
    """Limits by the step at which they start, stop or are reached, so that compiling is linear in the steps."""

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


def _steps(
    ends: _Ends, steps: tuple[Step, ...], around: tuple[str, ...] = (), scope: str = ""
) -> Iterator[CompiledStep]:
    for step in steps:
        yield CompiledStep(
            step,
            scope=scope,
            around=around,
            starts=tuple(ends.starts[step.id]),
            stops=tuple(ends.stops[step.id]),
            reaches=tuple(ends.reaches[step.id]),
        )
        for branch in step.parallel:
            yield from _steps(ends, branch.steps, (step.id, *around), f"{step.id}/{branch.id}")


def _starts(procedure: Procedure, limit: TimeLimit) -> str | None:
    if limit.scope == "step":
        return limit.step
    if limit.scope == "span":
        return limit.from_
    return None if reason_of(limit.id) else procedure.steps[0].id


def calendars_of(catalog: Catalog) -> Calendars:
    """Return the look-up of calendars by name for one catalog.

    The look-up raises UnknownCalendar, or DeclarationError when the calendar's document is wrong.
    """

    @cache
    def look_up(name: str) -> WorkCalendar:
        if name in catalog.calendars:
            return catalog.calendar_document(name).build(WorkCalendar.from_mapping)
        return shipped_calendar(name)

    return look_up
