"""Plan of a simulation: procedure and scenario together, with what a run looks up of each step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import attrs

from svcflow.errors import CalendarCoverageError
from svcflow.kernel.compiled import Calendars, Compiled, CompiledStep, compile_procedure
from svcflow.kernel.timing.due import anchored_us
from svcflow.model.amount import DAY_US
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Pool, Scenario
from svcflow.model.step import Step
from svcflow.simulate.default_scenario import default_duration, is_work
from svcflow.simulate.field_values import (
    ValueSampler,
    early_enough,
    field_constants,
    guards_of,
    value_sampler,
)
from svcflow.simulate.sampling import Sampler, sampler
from svcflow.worktime.calendar import WorkCalendar

__all__ = ["SimulationPlan", "StepPlan", "make_plan"]


@attrs.frozen(eq=False)
class StepPlan:
    """How one step is worked on."""

    place: CompiledStep
    sample: Sampler
    working: WorkCalendar | None
    """The calendar in which the time runs; None for elapsed time."""
    shares: Mapping[str, float] | None
    deemed: frozenset[str]
    """The triggers of transitions that are deemed made when a limit passes."""
    timed: str
    """The trigger that the step fires by itself at an instant; empty for none."""

    @property
    def step(self) -> Step:
        """The declared step."""
        return self.place.step


@attrs.frozen(eq=False)
class SimulationPlan:
    """Everything that a run looks up."""

    compiled: Compiled
    scenario: Scenario
    calendar: WorkCalendar
    steps: Mapping[str, StepPlan]
    pools: Mapping[str, tuple[int | None, WorkCalendar]]
    """Capacity, None for no bound, and calendar of every role."""
    arrivals: WorkCalendar | None
    """The calendar in which the time between arrivals runs; None for elapsed time."""
    between: Sampler
    values: Mapping[str, ValueSampler]
    """How a value of each field is drawn."""
    sampled: tuple[str, ...]
    """The fields that get a value when an instance starts."""
    deemed: tuple[str, ...]
    """The limits and timers that move an instance by themselves when they pass."""

    def calendars(self) -> frozenset[WorkCalendar]:
        """Return every calendar that the run may need."""
        limits = self.compiled.limits.values()
        calendars = {self.calendar, *(row.calendar.calendar for limit in limits for row in limit.rows)}
        calendars.update(calendar for _, calendar in self.pools.values())
        return frozenset(calendars | ({self.arrivals} if self.arrivals else set()))


def make_plan(procedure: Procedure, scenario: Scenario, calendars: Calendars) -> SimulationPlan:
    """Return the plan of a procedure in a scenario. Raises: UnknownCalendar."""
    # What a step runs is not simulated: the time of the step, as the scenario gives it, stands for it.
    compiled = attrs.evolve(compile_procedure(procedure, calendars), runs={})
    between, own = scenario.arrivals.between, scenario.arrivals.calendar
    return SimulationPlan(
        compiled=compiled,
        scenario=scenario,
        calendar=calendars(procedure.calendar),
        steps={
            name: _step(compiled, scenario, name, calendars)
            for name in compiled.steps
            if _works(compiled, name)
        },
        pools={role: _pool(procedure, scenario.pools.get(role), calendars) for role in procedure.roles},
        arrivals=calendars(own or procedure.calendar) if own or between.working else None,
        between=sampler(between),
        values=_values(compiled, scenario),
        sampled=_sampled(compiled, scenario),
        deemed=tuple(name for name, limit in compiled.limits.items() if limit.fires),
    )


def never_closes(calendar: WorkCalendar, at_us: int) -> bool:
    """Return whether a calendar is open all through the week from `at_us`, and so sets no hours of work."""
    try:
        return calendar.between_us(at_us, at_us + 7 * DAY_US) == 7 * DAY_US
    except CalendarCoverageError:
        return False


def _works(compiled: Compiled, name: str) -> bool:
    return is_work(compiled.steps[name].step)


def _step(compiled: Compiled, scenario: Scenario, name: str, calendars: Calendars) -> StepPlan:
    place = compiled.steps[name]
    duration = scenario.durations.get(name) or default_duration(place.step)
    own = next((limit.calendar for limit in place.step.time_limits if limit.calendar), None)
    return StepPlan(
        place=place,
        sample=sampler(duration),
        working=calendars(own or compiled.procedure.calendar) if duration.working else None,
        shares=scenario.exits[name].shares if name in scenario.exits else None,
        deemed=frozenset(
            limit.limit.on_overdue
            for limit in compiled.limits.values()
            if limit.limit.on_overdue is not None and limit.limit.step in (None, name)
        ),
        timed=place.step.then.fire if place.step.then is not None else "",
    )


def _pool(procedure: Procedure, pool: Pool | None, calendars: Calendars) -> tuple[int | None, WorkCalendar]:
    if pool is None:
        return None, calendars(procedure.calendar)
    return pool.capacity, calendars(pool.calendar or procedure.calendar)


def _values(compiled: Compiled, scenario: Scenario) -> Mapping[str, ValueSampler]:
    constants = field_constants(compiled)
    values = {
        name: value_sampler(field, scenario.fields.get(name), constants.get(name, ()), compiled.calendar)
        for name, field in compiled.procedure.fields.items()
    }
    rule, notice = compiled.procedure.start, compiled.notice
    if notice is not None and rule is not None and rule.before is not None:
        before = rule.before
        if before.field not in scenario.fields:  # a scenario may have people ask late
            latest = partial(anchored_us, notice, before)
            values[before.field] = early_enough(values[before.field], latest)
    return values


def _sampled(compiled: Compiled, scenario: Scenario) -> tuple[str, ...]:
    """Return the fields that guards or the start ask for and no default fills, and those of the scenario's mixes.

    A mix of a field that only a move asks for is drawn with that move.
    """
    guarded = {name for guard in guards_of(compiled) for name in guard.names}
    asked = {name for place in compiled.steps for row in compiled.exits(place) for name in row.move.requires}
    fields = compiled.procedure.fields.values()
    rule = compiled.procedure.start
    early = guarded | {f.id for f in fields if f.required} | set(rule.requires if rule is not None else ())
    return tuple(
        field.id
        for field in fields
        if (field.id in early and (field.default is None or (rule is not None and field.id in rule.requires)))
        or (field.id in scenario.fields and (field.id in early or field.id not in asked))
    )
