"""Simulation of a procedure in a scenario: the function, and the assumptions its result rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

from svcflow.bounds import LARGEST, MOST_SIMULATED, SMALLEST, refuse_count
from svcflow.errors import CalendarCoverageError
from svcflow.kernel.facts import to_datetime
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Scenario
from svcflow.simulate.arrivals import arrivals_from, gaps_of, starts_of
from svcflow.simulate.default_scenario import STATED, default_scenario
from svcflow.simulate.field_values import guards_of
from svcflow.simulate.plan import SimulationPlan, make_plan
from svcflow.simulate.report import Simulation
from svcflow.simulate.run import MAX_VISITS, Progress, SimulationRun
from svcflow.simulate.sampling import Streams
from svcflow.simulate.scenario_validation import check_scenario
from svcflow.simulate.statistics import breaches_of, deviations_by_kind, durations_of, pool_use, step_times
from svcflow.text import Text
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.shipped_calendars import shipped_calendar

__all__ = ["assumptions_of", "simulate"]


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
    """Run instances of a procedure until they end, in virtual time, and return figures and journals.

    `scenario` is a scenario, the path of its file, or None for the stated default. The same arguments give
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
    situation = _scenario(procedure, scenario)
    check_scenario(situation, procedure, calendars)
    plan, streams = make_plan(procedure, situation, calendars), Streams(seed)
    gaps = gaps_of(plan, instances, streams)
    start_us, run = _run(plan, streams, gaps, starts_of(plan, gaps, start), progress)
    assumptions = assumptions_of(plan, None if start is not None else start_us)
    return _result(run, seed, start_us, assumptions)


def _run(
    plan: SimulationPlan,
    streams: Streams,
    gaps: Sequence[int],
    starts: Sequence[int],
    progress: Progress | None,
) -> tuple[int, SimulationRun]:
    """Run from the first of the starts that leaves the run room, and return the run with its start."""
    for start_us in starts[:-1]:
        run = SimulationRun(plan, arrivals_from(plan, start_us, gaps), streams, progress)
        try:
            run.go()
        except CalendarCoverageError:
            continue
        return start_us, run
    run = SimulationRun(plan, arrivals_from(plan, starts[-1], gaps), streams, progress)
    run.go()
    return starts[-1], run


def _scenario(procedure: Procedure, given: Scenario | Path | str | None) -> Scenario:
    if isinstance(given, Scenario):
        return given
    if given is None:
        return default_scenario(procedure)
    from svcflow.model.catalog import load_scenario  # noqa: PLC0415  # reading YAML is not for everybody

    return load_scenario(given)


def _result(run: SimulationRun, seed: int, start_us: int, assumptions: tuple[Text, ...]) -> Simulation:
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
        steps={name: durations for name, durations in steps.items() if durations is not None},
        pools={
            role: pool_use(pool, procedure.roles[role].name, start_us)
            for role, pool in run.pools.items()
            if pool.served
        },
        assumptions=assumptions,
        journals=journals,
    )


def assumptions_of(plan: SimulationPlan, chosen_us: int | None) -> tuple[Text, ...]:
    """Return what the run took for granted; `chosen_us` is the start it chose itself, None where one was given."""
    return (
        *_scenario_assumptions(plan),
        *_durations(plan),
        *_exits(plan),
        *_timers(plan),
        *_unset(plan),
        *_data(plan),
        *_pools(plan),
        *_start(plan, chosen_us),
        *_always(),
    )


def _scenario_assumptions(plan: SimulationPlan) -> Iterator[Text]:
    statement = plan.scenario.stated
    if statement == STATED.in_("zh+en"):
        yield STATED
    elif statement:
        yield Text(zh=f"情形 {plan.scenario.id}：{statement}", en=f"scenario {plan.scenario.id}: {statement}")


def _durations(plan: SimulationPlan) -> Iterator[Text]:
    missing = [name for name in plan.steps if name not in plan.scenario.durations]
    if missing:
        listed = ", ".join(missing)
        yield Text(
            zh=f"情形未给出用时，按默认假设（时限的三角分布，无时限者 30 个工作分钟）：{listed}",
            en=(
                "without a time in the scenario, taken as the default assumes (triangular over the limit, 30 "
                f"working minutes without one): {listed}"
            ),
        )


def _exits(plan: SimulationPlan) -> Iterator[Text]:
    missing = [name for name, step in plan.steps.items() if not step.shares and len(step.step.to) > 1]
    if missing:
        listed = ", ".join(missing)
        yield Text(
            zh=(
                "情形未给出去向比例：返工与例外各占 5%，其余中首个成立的正常流转占九成，"
                f"到时视为发生的流转，另有正常流转时留给时间：{listed}"
            ),
            en=(
                "without shares in the scenario: rework and exceptions in 5 % each, of the rest nine in ten by the "
                f"first open normal transition, deemed transitions left to time where another is normal: {listed}"
            ),
        )


def _unset(plan: SimulationPlan) -> Iterator[Text]:
    """Yield which limits cannot be judged, because nobody sets the instant that they hang on."""
    compiled = plan.compiled
    asked = {name for place in compiled.steps for row in compiled.exits(place) for name in row.move.requires}
    given = {*plan.sampled, *compiled.defaults, *asked}
    unset = [name for name, limit in compiled.limits.items() if not limit.anchors <= given]
    if unset:
        listed = ", ".join(unset)
        yield Text(
            zh=f"预约时间没有取值的时限与自动流转不判定、不发生，可在情形的 fields 中给出：{listed}",
            en=f"limits and automatic moves whose instant nobody sets are neither judged nor made; fields of the scenario may give it: {listed}",
        )


def _timers(plan: SimulationPlan) -> Iterator[Text]:
    timed = [name for name, step in plan.steps.items() if step.timed]
    if timed:
        listed = ", ".join(timed)
        yield Text(
            zh=f"自动流转（then）只在到时发生，不计超时：{listed}",
            en=f"automatic moves (then) are made at their instant only, and nothing is overdue by them: {listed}",
        )


def _data(plan: SimulationPlan) -> Iterator[Text]:
    if plan.scenario.fields:
        mixed = ", ".join(plan.scenario.fields)
        yield Text(
            zh=f"字段取值按情形所给的比例或分布，超出字段上下限者取其界：{mixed}",
            en=f"fields drawn by the mix of the scenario, what lies beyond a field's bounds at the bound: {mixed}",
        )
    drawn = ", ".join(name for name in plan.sampled if name not in plan.scenario.fields)
    if drawn:
        yield Text(
            zh=f"情形未给出比例的字段取值随机：选项等可能，数字在条件所用界限的上下均匀：{drawn}",
            en=(
                "fields without a mix in the scenario drawn at random, choices equally likely, numbers evenly around "
                f"the constants of the guards: {drawn}"
            ),
        )
    running = ", ".join(step.id for step in plan.compiled.procedure.all_steps.values() if step.runs)
    if running:
        yield Text(
            zh=f"子流程不另行模拟，以所在环节的时长计：{running}",
            en=f"sub-procedures not simulated themselves, but as the time of the step that runs them: {running}",
        )
    kept = ", ".join(_defaulted(plan))
    if kept:
        yield Text(zh=f"字段取默认值：{kept}", en=f"fields left at their default: {kept}")
    yield Text(
        zh="必需的数据与凭证总是齐备；岗位、回避与持证要求总是遵守",
        en="required data and evidence always come; roles, not_by and certificates are always kept",
    )


def _defaulted(plan: SimulationPlan) -> Iterator[str]:
    """Yield the fields that guards name and that have their default in every instance."""
    guarded = {name for guard in guards_of(plan.compiled) for name in guard.names}
    for field in plan.compiled.procedure.fields.values():
        if field.id in guarded and field.default is not None and field.id not in plan.scenario.fields:
            yield field.id


def _pools(plan: SimulationPlan) -> Iterator[Text]:
    missing = [role for role in plan.pools if role not in plan.scenario.pools]
    if missing:
        listed = ", ".join(missing)
        yield Text(
            zh=f"情形未给出人力池，不限人数：{listed}",
            en=f"without a pool in the scenario, never short of people: {listed}",
        )
    yield Text(
        zh="先到先办；人力池只在其日历的开放时间办理，未办完的下次开放时接着办；环节的工作由所取流转的岗位承担；等待环节不占人力",
        en=(
            "first come, first served; a pool works in its calendar's open hours only and goes on with unfinished "
            "work at the next opening; the work of a step falls to the role of the transition it leads to; a step "
            "that waits keeps nobody busy"
        ),
    )


def _start(plan: SimulationPlan, chosen_us: int | None) -> Iterator[Text]:
    if chosen_us is not None:
        at = to_datetime(chosen_us).astimezone(plan.calendar.timezone).isoformat(timespec="minutes")
        yield Text(
            zh=f"未给出开始时间，取 {at}（该年 1 月 4 日起第一个星期一 08:30，所在年份日历容得下，不晚于 2026 年）",
            en=(
                f"without a start, begun at {at} (08:30 on the first Monday from 4 January of a year, not "
                "after 2026, in which the calendars leave room)"
            ),
        )


def _always() -> Iterator[Text]:
    yield Text(
        zh=f"开始时没有在办的工作，不截去预热期；负荷只计到最后一个到达；不模拟暂停；同一环节进入超过 {MAX_VISITS} 次即不再办理",
        en=(
            "begun with no work under way and no warm-up cut off; load is told until the last arrival; no holds; a step entered more than "
            f"{MAX_VISITS:,} times by one instance is not worked on again"
        ),
    )
    yield Text(
        zh="置信区间把各流程实例视为相互独立；排队使其相关时，区间偏窄",
        en="intervals take instances as independent; where queues tie them together they are too narrow",
    )
