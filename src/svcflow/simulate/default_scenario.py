"""Default scenario: what is assumed of a procedure, or of a step, for which no scenario says it.

It is an assumption, stated as such in every result; it is no measurement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from svcflow.bounds import LONGEST
from svcflow.model.amount import Amount, Unit
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Arrivals, Duration, Pool, Scenario
from svcflow.model.step import Step
from svcflow.text import Text

__all__ = ["STATED", "default_duration", "default_scenario"]

LOW, MODE, HIGH = Decimal("0.2"), Decimal("0.5"), Decimal("1.3")
UNLIMITED_STEP = Amount(30, "wm")
ARRIVAL = Amount(60, "wm")
LOAD = Decimal("0.7")
LEAST = 2
WORKING_DAY = 8 * 60
"""Minutes of work that a limit of one working day is taken to allow."""

STATED = Text(
    zh=(
        "本情形为默认假设，不是实测：各环节用时按其时限取三角分布（下限 0.2 倍、众数 0.5 倍、上限 1.3 倍，"
        "1 个工作日按 8 个工作小时计）；没有时限的环节固定 30 个工作分钟；到达间隔为指数分布，平均 60 个工作分钟；"
        "每个岗位一个人力池，人数取使平均负荷不超过 70% 的最小值，且不少于 2 人，按流程日历上班"
    ),
    en=(
        "this scenario is the default assumption, not a measurement: the time of a step is triangular over its "
        "limit (low 0.2, mode 0.5, high 1.3 of it; a working day counts as 8 working hours); a step without a "
        "limit takes 30 working minutes; the time between arrivals is exponential with a mean of 60 working "
        "minutes; each role has one pool, as many people as keep its mean load at 70 % or below and at least 2, "
        "who work by the procedure's calendar"
    ),
)


def default_scenario(procedure: Procedure) -> Scenario:
    """Return the default scenario of a procedure."""
    return Scenario(
        id=f"{procedure.id}_default",
        procedure=procedure.id,
        name=Text(zh="默认假设", en="Default assumption"),
        arrivals=Arrivals(
            between=Duration(distribution="exponential", mean=ARRIVAL), calendar=procedure.calendar
        ),
        durations={step.id: default_duration(step) for step in procedure.all_steps.values() if is_work(step)},
        pools={role: Pool(capacity=_capacity(work)) for role, work in _work(procedure).items()},
        stated=STATED.in_("zh+en"),
    )


def default_duration(step: Step) -> Duration:
    """Return the assumed time of one step: triangular over its limit, or 30 working minutes without one.

    Of a matrix the row that applies last, its default, is taken.
    """
    allowed = _minutes(step)
    if allowed is None:
        return Duration(distribution="constant", value=UNLIMITED_STEP)
    minutes, unit = allowed
    low, mode, high = (
        Amount(min(minutes * share, Decimal(LONGEST[unit])), unit) for share in (LOW, MODE, HIGH)
    )
    return Duration(distribution="triangular", low=low, mode=mode, high=high)


def is_work(step: Step) -> bool:
    """Return whether something is done in a step: not in one that ends, nor in one whose branches do the work."""
    return step.end is None and not step.parallel


def _minutes(step: Step) -> tuple[Decimal, Unit] | None:
    """Return the length of a step's limit, else that after which it moves on by itself, in minutes; None without one."""
    timers = (step.timer,) if step.timer is not None else ()
    limits = (*step.time_limits, *timers)
    amounts = [row.within for limit in limits for row in limit.rows[::-1] if row.within is not None]
    if not amounts:
        return None
    amount = amounts[0]
    match amount.family:
        case "elapsed":
            return Decimal(amount.us) / 60_000_000, "m"
        case "working":
            return Decimal(amount.us) / 60_000_000, "wm"
        case "working_days":
            return Decimal(amount.count * WORKING_DAY), "wm"
        case "calendar_days":
            return Decimal(amount.count * 24 * 60), "m"
    return Decimal(amount.count * 30 * 24 * 60), "m"


def _work(procedure: Procedure) -> Mapping[str, Decimal]:
    """Return the minutes of work of each role on one instance that visits each step once."""
    work = dict.fromkeys(procedure.roles, Decimal(0))
    for step in procedure.all_steps.values():
        role = (step.to[0].role if step.to else None) or step.role
        if role is not None and is_work(step) and step.waits is None:
            allowed = _minutes(step)
            # The mean of a triangular distribution is a third of the sum of its three parameters.
            minutes = UNLIMITED_STEP.value if allowed is None else allowed[0] * (LOW + MODE + HIGH) / 3
            work[role] += minutes
    return work


def _capacity(work: Decimal) -> int:
    return max(LEAST, math.ceil(work / (ARRIVAL.value * LOAD)))
