"""Run of a simulation: events in virtual time, each put through the same kernel that production uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import chain, count
from typing import Any

from svcflow.bounds import LAST_DAY, LAST_US
from svcflow.errors import CalendarCoverageError, Refused
from svcflow.kernel.commands import Actor, Command, Fire, Recipient, Start
from svcflow.kernel.compiled import CompiledMove
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.facts import Fact, Moved
from svcflow.kernel.input_checks import is_given
from svcflow.kernel.instance import NEVER, STOPPED, Instance
from svcflow.kernel.moves.authorization import excluded_persons
from svcflow.model.field import Value
from svcflow.simulate.branching import choose_exit, hangs_on_data, open_row
from svcflow.simulate.field_values import PLACEHOLDER
from svcflow.simulate.plan import SimulationPlan, StepPlan, never_closes
from svcflow.simulate.resources import RolePool, SimulatedCase, Task
from svcflow.simulate.sampling import Streams
from svcflow.simulate.statistics import replaced_met
from svcflow.text import Text

__all__ = ["MAX_VISITS", "Progress", "SimulationRun"]

Progress = Callable[[int, int], None]
"""Called with how many instances have ended and how many there are."""

MAX_VISITS = 1_000
"""A step that one instance enters more often is not worked on again, so that every run ends."""

DURATION, EXIT, MEMBER = 0, 1, 2
SOMEBODY = "somebody"
"""Who acts where neither step nor transition names a role; another of that name where another person has to."""


_TOO_LONG = Text(zh=f"模拟超出 {LAST_DAY}", en=f"the run goes on past {LAST_DAY}")
BEYOND = Text(
    zh="减少流程实例数，用 start 早些开始，或延长日历的覆盖范围",
    en="simulate fewer instances, begin earlier with start=, or let the calendar cover more years",
)


class SimulationRun:
    """One run of a plan. `arrivals_us` are the instants at which instances start, in order."""

    def __init__(
        self,
        plan: SimulationPlan,
        arrivals_us: Sequence[int],
        streams: Streams,
        progress: Progress | None = None,
    ) -> None:
        self.plan, self.compiled, self.streams = plan, plan.compiled, streams
        self.arrivals_us = arrivals_us
        self.pools = {role: RolePool(role, *pool, arrivals_us[-1]) for role, pool in plan.pools.items()}
        self.cases: list[SimulatedCase] = []
        self.now_us = arrivals_us[0]
        self.events = 0
        self.ended = 0
        self._progress = progress
        self._never_closes = {
            role: never_closes(pool.calendar, self.now_us) for role, pool in self.pools.items()
        }
        self._width = len(str(len(arrivals_us)))
        self._heap: list[tuple[int, int, Callable[[Any], None], Any]] = []
        self._pushed = 0
        self.at(arrivals_us[0], self.arrive, 0)

    def at(self, at_us: int, act: Callable[[Any], None], subject: object) -> None:
        """Schedule an event; those of one instant happen in the order in which they were scheduled.

        Raises: CalendarCoverageError past the last instant that svcflow admits.
        """
        if at_us > LAST_US:
            raise CalendarCoverageError(_TOO_LONG, BEYOND)
        self._pushed += 1
        heappush(self._heap, (at_us, self._pushed, act, subject))

    def go(self) -> None:
        """Process every event. Raises: CalendarCoverageError when the run outlasts a calendar."""
        heap = self._heap
        try:
            while heap:
                self.now_us, _, act, subject = heappop(heap)
                self.events += 1
                act(subject)
        except CalendarCoverageError as error:
            raise CalendarCoverageError(error.message, BEYOND) from error

    def arrive(self, place: int) -> None:
        """Start the next instance, and schedule the one after it."""
        number, now_us = place + 1, self.now_us
        if number < len(self.arrivals_us):
            self.at(self.arrivals_us[number], self.arrive, number)
        outcome = transact(self.compiled, None, self._start(number), now_us)
        case = SimulatedCase(number, outcome.instance, [])
        self.cases.append(case)
        self._follow(case, outcome)

    def finish(self, task: Task) -> None:
        """End a piece of work and fire what it leads to, unless the step was left before."""
        # A limit that passed by now moves the instance first: the kernel records time before a command.
        if task.case.wake_us <= self.now_us:
            self.advance(task.case, None)
        if task.live:
            row = self._row_now(task)
            if row is None:
                self._withdraw(task)
            else:
                self.advance(task.case, self._fire(task, row))

    def wake(self, case: SimulatedCase) -> None:
        """Make the move that is deemed made now, unless the instance moved on before."""
        if case.wake_us == self.now_us:
            self.advance(case, None)

    def tick(self, case: SimulatedCase) -> None:
        """Record what became due. Nothing else changes by it, whenever it happens."""
        self.advance(case, None)

    def advance(self, case: SimulatedCase, command: Command | None) -> None:
        """Put a command through the kernel and go on from what it recorded."""
        outcome = transact(self.compiled, case.instance, command, self.now_us)
        refused = outcome.refused
        if refused is not None:  # a defect of this package: commands are made to be accepted
            raise Refused(refused.rule, refused.reason, outcome.remedy)
        self._follow(case, outcome)

    def _start(self, number: int) -> Start:
        name = f"{number:0{self._width}d}"
        procedure = self.compiled.procedure
        group = procedure.recipients[int(self.streams.of(number, "group")[0] * len(procedure.recipients))]
        recipient, rule = f"recipient-{name}", procedure.start
        owed = () if rule is None else tuple(item for item in rule.requires if item not in procedure.fields)
        return Start(
            instance=f"{procedure.id}-{name}",
            data={field: self._value(number, field) for field in self.plan.sampled},
            recipient=Recipient(recipient, group),
            actor=Actor(recipient, () if rule is None or rule.role is None else (rule.role,)),
            evidence=dict.fromkeys(owed, PLACEHOLDER),
        )

    def _value(self, number: int, field: str) -> Value:
        uniform = self.streams.of(number, f"field {field}")[0]
        return self.plan.values[field](uniform, self.arrivals_us[number - 1])

    def _fire(self, task: Task, row: CompiledMove) -> Fire:
        fields = self.compiled.procedure.fields
        data = {name: self._required(task.case, name) for name in row.move.requires if name in fields}
        attached = (*task.plan.step.evidence, *(name for name in row.move.requires if name not in fields))
        evidence = dict.fromkeys(attached, PLACEHOLDER)
        held = dict.fromkeys(self.compiled.certificates, NEVER)  # as roles, certificates are always there
        return Fire(row.move.trigger, self._actor(task, row), data, evidence, row.source, certificates=held)

    def _required(self, case: SimulatedCase, field: str) -> Value:
        """Return the value of a field that a move requires: the present one, sent again, or one drawn at random."""
        value = case.instance.data.get(field)
        drawn_now = field in self.plan.scenario.fields and field not in self.plan.sampled
        drawn_now = drawn_now and field not in case.instance.settled  # what is settled is sent as it is
        return value if is_given(value) and not drawn_now else self._value(case.number, field)

    def _actor(self, task: Task, row: CompiledMove) -> Actor:
        barred = excluded_persons(self.compiled, task.case.instance, row.source)
        if not row.role:
            others = (f"{SOMEBODY}-{place}" for place in count(2))
            return Actor(next(name for name in chain((SOMEBODY,), others) if name not in barred))
        if task.pool is not None and task.pool.role == row.role:
            return Actor(task.pool.actor(task), (row.role,))
        capacity = self.pools[row.role].capacity or 1
        number = self.streams.of(task.case.number, row.source, task.visit)[MEMBER]
        first, most = int(number * capacity), max(2, capacity)  # whoever waits is no member of the pool
        places = chain((1 + (first + more) % most for more in range(most)), count(most + 1))
        names = (f"{row.role}-{place}" for place in places)
        return Actor(next(name for name in names if name not in barred), (row.role,))

    def _row_now(self, task: Task) -> CompiledMove | None:
        """Return the transition chosen when work began, or another when data have closed it since."""
        row, plan, instance = task.row, task.plan, task.case.instance
        if row is None or not hangs_on_data(row):
            return row
        open_now = open_row(self.compiled, instance, plan.place, row.move.trigger)
        return open_now or choose_exit(self.compiled, instance, plan, task.choice)

    def _follow(self, case: SimulatedCase, outcome: Outcome) -> None:
        """Withdraw the work of steps that were left, and begin that of steps that were entered."""
        if not outcome.facts:
            return
        case.facts += outcome.facts
        if case.instance.stopwatches is not outcome.instance.stopwatches:
            case.met.update(replaced_met(self.compiled, case.instance, outcome.instance, outcome.facts))
        case.instance = outcome.instance
        self._leave(case, outcome.facts)
        if outcome.instance.status == "ended":
            self._end()
        else:
            for name in outcome.instance.steps:
                plan = self.plan.steps.get(name)
                if plan is not None and name not in case.tasks:
                    self._begin(case, name, plan)
        self._schedule_wake(case)

    def _leave(self, case: SimulatedCase, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, Moved) and fact.step in case.tasks:
                self._withdraw(case.tasks.pop(fact.step))
        for name in [name for name in case.tasks if name not in case.instance.active]:
            self._withdraw(case.tasks.pop(name))

    def _withdraw(self, task: Task) -> None:
        task.live = False
        if task.pool is not None:
            task.pool.release(task, self.now_us)
            self._serve(task.pool)

    def _end(self) -> None:
        self.ended += 1
        if self._progress is not None:
            self._progress(self.ended, len(self.arrivals_us))

    def _begin(self, case: SimulatedCase, name: str, plan: StepPlan) -> None:
        visit = case.visits[name] = case.visits.get(name, 0) + 1
        numbers = self.streams.of(case.number, name, visit)
        row = choose_exit(self.compiled, case.instance, plan, numbers[EXIT])
        if visit > MAX_VISITS:
            row = None
        pool = self.pools[row.role] if row is not None and row.role and plan.step.waits is None else None
        barred = excluded_persons(self.compiled, case.instance, name)
        amount_us = plan.sample(numbers[DURATION])
        task = Task(case, plan, visit, amount_us, numbers[EXIT], row, pool, barred, self.now_us)
        case.tasks[name] = task
        if pool is not None:
            pool.ask(task)
            self._serve(pool)
        elif row is not None:
            self.at(self._done_at(task, self.now_us), self.finish, task)

    def _serve(self, pool: RolePool) -> None:
        for task in pool.begin(self.now_us):
            self.at(self._done_at(task, task.start_us), self.finish, task)

    def _done_at(self, task: Task, start_us: int) -> int:
        """Return when work that starts at an instant is done: in the hours of its pool, else of its duration."""
        own, pool = task.plan.working, task.pool
        if pool is not None and not (own is not None and self._never_closes[pool.role]):
            return pool.calendar.add_us(start_us, task.amount_us)
        return start_us + task.amount_us if own is None else own.add_us(start_us, task.amount_us)

    def _schedule_wake(self, case: SimulatedCase) -> None:
        """Schedule waking the instance when a limit passes that moves it; a limit is passed only after its instant."""
        if not self.plan.deemed:
            return
        soonest = min((_passes(case.instance, name) for name in self.plan.deemed), default=NEVER)
        if soonest != case.wake_us:
            case.wake_us = soonest
            if soonest != NEVER:
                self.at(max(soonest, self.now_us), self.wake, case)


def _passes(instance: Instance, limit: str) -> int:
    watch = instance.stopwatches.get(limit)
    if watch is None or watch.open_us == STOPPED or watch.overdue or watch.due_us == NEVER:
        return NEVER
    return watch.due_us + 1  # a limit is met at its very deadline
