"""`svcflow simulate`: a procedure under a scenario."""

from __future__ import annotations

import json

import click

from svcflow.bounds import MOST_SIMULATED
from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.options import spoken, with_procedures
from svcflow.cli.output import answer
from svcflow.text import Text


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
@argument("procedure", metavar="FILE|ID")
@option(
    "--instances",
    "-n",
    type=click.IntRange(1, MOST_SIMULATED),
    default=1_000,
    show_default=True,
    wording=Text(zh="模拟多少个实例", en="How many instances."),
)
@option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    wording=Text(zh="随机种子", en="Seed of the random numbers."),
)
@option(
    "--scenario",
    metavar="FILE|ID",
    wording=Text(
        zh="情形；只有一种时可省略，没有时按声明的缺省情形",
        en="The scenario; may be left out when there is only one. Without any, a stated default is taken.",
    ),
)
@with_procedures
@spoken
@click.pass_context
def run(
    ctx: click.Context, *, procedure: str, instances: int, seed: int, scenario: str | None, folder: str | None
) -> None:
    """Simulate, and show the results."""
    from svcflow.cli.declared import find_procedure, find_scenario
    from svcflow.cli.progress import progress
    from svcflow.kernel.compiled import calendars_of
    from svcflow.simulate import simulate

    asked = asked_of(ctx)
    found = find_procedure(procedure, folder)
    situation = find_scenario(scenario, found)
    with progress(found.procedure.id) as advance:
        result = simulate(
            found.procedure,
            instances,
            seed,
            scenario=situation,
            calendars=calendars_of(found.catalog),
            progress=advance,
        )
    answer(asked, lambda: json.loads(result.to_json()), lambda: result.table(asked.lang))
