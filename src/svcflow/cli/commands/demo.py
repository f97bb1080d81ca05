"""`svcflow demo`: a working week of example services, and what there is to see of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import asked_of, command, option
from svcflow.cli.language import Tongue
from svcflow.cli.options import spoken
from svcflow.cli.output import answer
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.cli.demo.outcome import Outcome


@command(
    "demo",
    Text(
        zh="在一个文件夹里演示一周的业务：启动实例、办理、暂停、超时、返工、越序、拒绝，\n然后列出实例、时限与偏差，校验留痕，画出全部流程图。几秒钟完成，不触及别的文件。",
        en="Run a working week of example services in a folder of its own: instances are started, moved, held, late, "
        "reworked, refused; then instances, deadlines and deviations are listed, the journal verified and every "
        "procedure drawn. Takes a few seconds and touches nothing else.",
    ),
    "svcflow demo",
    "svcflow demo --folder look --lang zh",
    "svcflow demo --json | python -m json.tool",
)
@option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("svcflow-demo"),
    show_default=True,
    wording=Text(zh="写入的文件夹", en="The folder to write."),
)
@spoken
@click.pass_context
def demo(ctx: click.Context, *, folder: Path) -> None:
    """Run the demonstration."""
    asked = asked_of(ctx)
    outcome = _run(Path.cwd() / folder, asked.lang)
    answer(asked, outcome.to_json, lambda: outcome.text(asked.lang))


def _run(folder: Path, lang: Tongue) -> Outcome:
    from svcflow.cli.demo.diagrams import drawn
    from svcflow.cli.demo.folder import DATABASE, RECORD, prepared
    from svcflow.cli.demo.outcome import Outcome
    from svcflow.cli.demo.play import play
    from svcflow.cli.demo.scene import MONDAY
    from svcflow.cli.progress import progress
    from svcflow.model.catalog import Catalog
    from svcflow.runtime.clock import VirtualClock
    from svcflow.runtime.engine import Engine

    catalog = Catalog.shipped()
    known = [procedure.id for procedure in catalog]
    with prepared(folder, known) as made, progress("svcflow demo") as advance:
        clock = VirtualClock(MONDAY)
        with Engine(f"sqlite:///{made / DATABASE}", catalog, clock=clock) as engine:
            commands = play(engine, clock, lang)
            steps = iter(range(1, len(known) + 1))
            diagrams = drawn(catalog, made, lang, lambda: advance(next(steps), len(known)))
            outcome = Outcome.of(engine, folder, commands, diagrams)
        record = json.dumps(outcome.to_json(), ensure_ascii=False, indent=2)
        (made / RECORD).write_text(f"{record}\n", encoding="utf-8")
    return outcome
