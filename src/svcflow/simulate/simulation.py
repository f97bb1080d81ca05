"""Simulate: a procedure and a scenario in, a result out. The declaration runs as it stands, on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

from svcflow.bounds import LARGEST, MOST_SIMULATED, SMALLEST, refuse_count
from svcflow.errors import CalendarCoverageError
from svcflow.kernel.facts import to_datetime
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Scenario
from svcflow.simulate.arrivals import arrivals_from, gaps_of, starts_of
from svcflow.simulate.assumptions import assumptions_of
from svcflow.simulate.default_scenario import default_scenario
from svcflow.simulate.plan import Plan, make_plan
from svcflow.simulate.report import Simulation
from svcflow.simulate.run import Progress, Run
from svcflow.simulate.sampling import Streams
from svcflow.simulate.scenario_validation import check_scenario
from svcflow.simulate.statistics import breaches_of, deviations_by_kind, durations_of, pool_use, step_times
from svcflow.text import Text
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.shipped import shipped_calendar

__all__ = ["simulate"]


def simulate(
    procedure: Procedure,
    instances: int = 1_000,
    seed: int = 0,
    *,
    scenario: Scenario | Path | str | None = None,
    calendars: Callable[[str], WorkCalendar] = shipped_calendar,
    start: datetime | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Run so many instances of a procedure until they end, in virtual time, and measure what came of it.

    `scenario` is one, the path of a scenario file, or None for the stated default. The same arguments give
    the same facts. Without `start` the run begins at 08:30, in the time of the procedure's calendar, on the
    first Monday from 4 January of a year in which the calendars leave room: 2026 or the latest before it, and
    when queues grow so long that the run outlasts a calendar after all, an earlier one (`progress` then counts
    from the beginning).

    Raises:
        DeclarationError: the scenario names what the procedure does not have; every mistake is listed.
        FieldError: `instances`, `seed` or `start` is out of the bounds.
        CalendarCoverageError: the run outlasts what a calendar covers.
        NaiveDatetime: `start` has no time zone.

    """
    refuse_count("instances", instances, 1, MOST_SIMULATED)
    refuse_count("seed", seed, SMALLEST, LARGEST)
    chosen = _scenario(procedure, scenario)
    check_scenario(chosen, procedure, calendars)
    plan, streams = make_plan(procedure, chosen, calendars), Streams(seed)
    gaps = gaps_of(plan, instances, streams)
    start_us, run = _run(plan, streams, gaps, starts_of(plan, gaps, start), progress)
    assumptions = assumptions_of(plan, None if start is not None else start_us)
    return _result(run, seed, start_us, assumptions)


def _run(
    plan: Plan, streams: Streams, gaps: Sequence[int], starts: Sequence[int], progress: Progress | None
) -> tuple[int, Run]:
    """Run from the first of the starts that leaves the run room, and return it with its start."""
    for start_us in starts[:-1]:
        run = Run(plan, arrivals_from(plan, start_us, gaps), streams, progress)
        try:
            run.go()
        except CalendarCoverageError:
            continue
        return start_us, run
    run = Run(plan, arrivals_from(plan, starts[-1], gaps), streams, progress)
    run.go()
    return starts[-1], run


def _scenario(procedure: Procedure, given: Scenario | Path | str | None) -> Scenario:
    if isinstance(given, Scenario):
        return given
    if given is None:
        return default_scenario(procedure)
    from svcflow.model.catalog import load_scenario  # noqa: PLC0415  # reading YAML is not for everybody

    return load_scenario(given)


def _result(run: Run, seed: int, start_us: int, assumptions: tuple[Text, ...]) -> Simulation:
    plan, procedure = run.plan, run.compiled.procedure
    journals = {case.instance.id: tuple(case.facts) for case in run.cases}
    whole = [
        (i.started_us, i.ended_us) for i in (case.instance for case in run.cases) if i.ended_us is not None
    ]
    steps = {
        name: durations_of(spans, plan.calendar)
        for name, spans in step_times(run.compiled, journals.values()).items()
    }
    return Simulation(
        procedure=procedure,
        scenario=plan.scenario,
        seed=seed,
        instances=len(run.cases),
        ended=run.ended,
        started_at=to_datetime(start_us),
        finished_at=to_datetime(run.now_us),
        events=run.events,
        breaches=breaches_of(run.compiled, run.cases),
        deviations=deviations_by_kind(chain.from_iterable(journals.values())),
        whole=durations_of(whole, plan.calendar),
        steps={name: one for name, one in steps.items() if one is not None},
        pools={
            role: pool_use(pool, procedure.roles[role].name, start_us)
            for role, pool in run.pools.items()
            if pool.served
        },
        assumptions=assumptions,
        journals=journals,
    )
