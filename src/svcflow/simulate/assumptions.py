"""Assumptions: what a run took for granted, in words, so that no figure is read for more than it is."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.kernel.facts import to_datetime
from svcflow.simulate.default_scenario import STATED
from svcflow.simulate.plan import Plan
from svcflow.simulate.run import MAX_VISITS
from svcflow.text import Text

__all__ = ["assumptions_of"]


def assumptions_of(plan: Plan, chosen_us: int | None) -> tuple[Text, ...]:
    """Return everything a reader of the result has to know; `chosen_us` is a start that nobody asked for."""
    return (
        *_scenario(plan),
        *_durations(plan),
        *_exits(plan),
        *_data(plan),
        *_pools(plan),
        *_start(plan, chosen_us),
        *_always(),
    )


def _scenario(plan: Plan) -> Iterator[Text]:
    stated = plan.scenario.stated
    if stated == STATED.in_("zh+en"):
        yield STATED
    elif stated:
        yield Text(zh=f"情形 {plan.scenario.id}：{stated}", en=f"scenario {plan.scenario.id}: {stated}")


def _durations(plan: Plan) -> Iterator[Text]:
    left_out = [name for name in plan.steps if name not in plan.scenario.durations]
    if left_out:
        listed = ", ".join(left_out)
        yield Text(
            zh=f"情形未给出用时，按默认假设（时限的三角分布，无时限者 30 个工作分钟）：{listed}",
            en=(
                "without a time in the scenario, taken as the default assumes (triangular over the limit, 30 "
                f"working minutes without one): {listed}"
            ),
        )


def _exits(plan: Plan) -> Iterator[Text]:
    left_out = [name for name, step in plan.steps.items() if not step.shares and len(step.step.to) > 1]
    if left_out:
        listed = ", ".join(left_out)
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


def _data(plan: Plan) -> Iterator[Text]:
    if plan.sampled:
        listed = ", ".join(field.id for field in plan.sampled)
        yield Text(
            zh=f"字段取值随机：选项等可能，数字在范围内均匀（无上限者取 1000 以内）：{listed}",
            en=(
                "fields drawn at random, choices equally likely, numbers evenly over their range (1,000 where it "
                f"has no end): {listed}"
            ),
        )
    yield Text(
        zh="必需的数据与凭证总是齐备；岗位与回避要求总是遵守",
        en="required data and evidence always come; roles and not_by are always kept",
    )


def _pools(plan: Plan) -> Iterator[Text]:
    left_out = [role for role in plan.pools if role not in plan.scenario.pools]
    if left_out:
        listed = ", ".join(left_out)
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


def _start(plan: Plan, chosen_us: int | None) -> Iterator[Text]:
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
