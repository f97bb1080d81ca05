"""Command of the demonstration: `svcflow demo`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import command, option
from svcflow.cli.language import Tongue
from svcflow.cli.options import with_form
from svcflow.cli.progress import progress
from svcflow.cli.session import CommandSession
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.cli.demo.report import DemoReport


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
    "target",
    type=click.Path(path_type=Path),
    default=Path("svcflow-demo"),
    show_default=True,
    zh="写入的文件夹",
    en="The folder to write.",
)
@with_form
def demo(session: CommandSession, *, target: Path) -> None:
    """Run the demonstration."""
    report = _play(Path.cwd() / target, session.lang)
    session.answer(report.to_json, lambda: report.text(session.lang))


def _play(folder: Path, lang: Tongue) -> DemoReport:
    from svcflow.cli.demo.folder import DATABASE, RECORD, prepared
    from svcflow.cli.demo.report import DemoReport, draw_all
    from svcflow.cli.demo.script import MONDAY, play
    from svcflow.cli.demo.week import week
    from svcflow.model.catalog import Catalog
    from svcflow.runtime.clock import VirtualClock
    from svcflow.runtime.engine import Engine

    catalog = Catalog.shipped()
    procedures = [procedure.id for procedure in catalog]
    with prepared(folder, procedures) as made, progress("svcflow demo") as advance:
        clock = VirtualClock(MONDAY)
        with Engine(f"sqlite:///{made / DATABASE}", catalog, clock=clock) as engine:
            commands = week()
            play(engine, clock, commands, lang)
            steps = iter(range(1, len(procedures) + 1))
            diagrams = draw_all(catalog, made, lang, lambda: advance(next(steps), len(procedures)))
            report = DemoReport.of(engine, folder, len(commands), diagrams)
        record = json.dumps(report.to_json(), ensure_ascii=False, indent=2)
        (made / RECORD).write_text(f"{record}\n", encoding="utf-8")
    return report
