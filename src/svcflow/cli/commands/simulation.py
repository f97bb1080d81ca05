"""Commands that run a procedure without a store: `svcflow simulate`, `conform`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from svcflow.bounds import MOST_SIMULATED
from svcflow.cli.catalog import find_mapping, find_procedure, find_scenario
from svcflow.cli.command import command, option
from svcflow.cli.errors import BAD_INPUT, FOUND
from svcflow.cli.language import Tongue
from svcflow.cli.options import severity_option, with_procedures
from svcflow.cli.output import paragraphs
from svcflow.cli.progress import progress
from svcflow.cli.session import CommandSession
from svcflow.cli.values import is_at_least
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import DEVIATIONS

if TYPE_CHECKING:
    from svcflow.analysis.conformance import CaseResult, Conformance


@command(
    "simulate",
    Text(
        zh="按一种情形（到达、用时、人手）模拟流程，给出用时、排队与超时的分布。同一种子得到同一结果。",
        en="Simulate a procedure under a scenario (arrivals, durations, staff): times, queues and overdue shares. "
        "The same seed gives the same result.",
    ),
    "svcflow simulate repair --instances 1000 --seed 7",
    "svcflow simulate repair.yaml --scenario busy.scenario.yaml --instances 10000 --json",
)
@click.argument("procedure", metavar="FILE|ID")
@option(
    "--instances",
    "-n",
    type=click.IntRange(1, MOST_SIMULATED),
    default=1_000,
    show_default=True,
    zh="模拟多少个实例",
    en="How many instances.",
)
@option("--seed", type=int, default=1, show_default=True, zh="随机种子", en="Seed of the random numbers.")
@option(
    "--scenario",
    metavar="FILE|ID",
    zh="情形；只有一种时可省略，没有时按声明的缺省情形",
    en="The scenario; may be left out when there is only one. Without any, a stated default is taken.",
)
@with_procedures
def simulate(
    session: CommandSession, *, procedure: str, instances: int, seed: int, scenario: str | None
) -> None:
    """Simulate a procedure."""
    from svcflow.kernel.compiled import calendars_of
    from svcflow.simulate import simulate

    declared, catalog = find_procedure(procedure, session.folder)
    situation = find_scenario(scenario, declared, catalog)
    with progress(declared.id) as advance:
        result = simulate(
            declared, instances, seed, scenario=situation, calendars=calendars_of(catalog), progress=advance
        )
    session.answer(lambda: json.loads(result.to_json()), lambda: result.table(session.lang))


@command(
    "conform",
    Text(
        zh="把 XES 事件日志（.xes 或 .xes.gz）逐案例对照流程，列出偏差与超时。对照表说明日志中的活动对应哪个流转。\n有达到 --severity 的偏差，或有事件未能重演时退出码为 1；没有案例可判定时为 3。",
        en="Hold an XES event log (.xes or .xes.gz) against a procedure, case by case: deviations and overdue limits. "
        "A mapping says which trigger each activity of the log stands for. Exits with 1 when a deviation is at least "
        "of --severity or an event could not be replayed, with 3 when no case could be judged.",
    ),
    "svcflow conform DomesticDeclarations.xes.gz --procedure expense_declaration",
    "svcflow conform log.xes --procedure repair.yaml --mapping repair.mapping.yaml --top 20",
)
@click.argument("log", type=click.Path(path_type=Path))
@option("--procedure", required=True, metavar="FILE|ID", zh="流程，以文件或编号给出", en="The procedure.")
@option(
    "--mapping",
    metavar="FILE|ID",
    zh="对照表；该流程只有一份时可省略",
    en="The mapping; may be left out when the procedure has only one.",
)
@option(
    "--top",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    zh="列出偏差最多的多少个案例",
    en="How many of the worst cases to list.",
)
@severity_option
@with_procedures
def conform(
    session: CommandSession, *, log: Path, procedure: str, mapping: str | None, top: int, severity: str
) -> int:
    """Check an event log against a procedure."""
    from svcflow.analysis.conform import conform
    from svcflow.kernel.compiled import calendars_of

    declared, catalog = find_procedure(procedure, session.folder)
    activities = find_mapping(mapping, declared, catalog)
    with progress(log.name) as advance:
        result = conform(log, declared, activities, calendars=calendars_of(catalog), progress=advance)
    worst = _worst(result, top)
    session.answer(
        lambda: {**result.to_json(), "worst": [each.case for each in worst]},
        lambda: paragraphs((result.table(session.lang), _cases(worst, session.lang))),
    )
    return _exit_code(result, severity)


def _exit_code(result: Conformance, severity: str) -> int:
    """Return the exit code: bad input where nothing was judged, a finding where events were not replayed."""
    if not result.judged:
        return BAD_INPUT
    if result.not_replayed or any(
        is_at_least(deviation.severity, severity) for deviation in result.deviations
    ):
        return FOUND
    return 0


def _worst(result: Conformance, top: int) -> list[CaseResult]:
    deviating = [each for each in result.results if each.deviations]
    return sorted(deviating, key=lambda each: (-len(each.deviations), each.case))[:top]


def _cases(worst: Iterable[CaseResult], lang: Tongue) -> str:
    rows = [
        (
            each.case,
            str(len(each.deviations)),
            (Text(zh="、", en=", ").in_(lang)).join(
                dict.fromkeys(DEVIATIONS[d.kind].in_(lang) for d in each.deviations)
            ),
        )
        for each in worst
    ]
    if not rows:
        return ""
    title = Text(zh="偏差最多的案例", en="Cases with most deviations").in_(lang)
    heads = [
        text.in_(lang)
        for text in (Text(zh="案例", en="Case"), Text(zh="偏差", en="Count"), Text(zh="种类", en="Kinds"))
    ]
    return f"{title}\n{table(heads, rows, right=heads[1:2], indent=0, flows=True)}"
