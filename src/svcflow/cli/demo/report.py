"""Report of the demonstration: what the engine holds at the end of the week, as JSON and as text."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path

import attrs

from svcflow.cli.commands.integrity import verification_json, verification_text
from svcflow.cli.demo.folder import DATABASE, RECORD
from svcflow.cli.demo.script import FINISH, MONDAY, ZONE
from svcflow.cli.journal_lines import journal_line
from svcflow.cli.json import Record, deadline_json, deviation_json, fact_json, instance_json
from svcflow.cli.language import Tongue
from svcflow.cli.names import NamesOf, ProcedureNames
from svcflow.cli.output import paragraphs
from svcflow.cli.tables import deadline_table, deviation_table, instance_table
from svcflow.drawing import draw
from svcflow.errors import DrawingError, MissingExtra
from svcflow.kernel import facts
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.timing.deadlines import Deadline
from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure
from svcflow.runtime.engine import Engine
from svcflow.runtime.integrity.verification import Verification
from svcflow.text import NO_TEXT, Lang, Text
from svcflow.text_table import WIDEST, broken, table
from svcflow.wording import weekday_time

__all__ = ["DemoReport", "Diagrams", "draw_all"]

_NOTABLE = (facts.Held, facts.Resumed, facts.Overdue, facts.Settled, facts.Deviated, facts.Refused)


@attrs.frozen
class Diagrams:
    """Names of the files that were drawn; `why` there is no PNG."""

    svg: tuple[str, ...]
    png: tuple[str, ...]
    router: str
    why: Text = NO_TEXT


@attrs.frozen(kw_only=True)
class DemoReport:
    """What the engine holds at the end of the week."""

    catalog: Catalog
    folder: Path
    commands: int
    instances: tuple[Instance, ...]
    deadlines: tuple[Deadline, ...]
    deviations: tuple[Deviation, ...]
    notable: tuple[Fact, ...]
    verification: Verification
    diagrams: Diagrams

    @classmethod
    def of(cls, engine: Engine, folder: Path, commands: int, diagrams: Diagrams) -> DemoReport:
        """Return the report of an engine."""
        instances = tuple(sorted(engine.instances(), key=lambda instance: (instance.started_us, instance.id)))
        running = [deadline for instance in instances for deadline in engine.deadlines(instance.id)]
        notable = [
            fact
            for instance in instances
            for fact in engine.journal(instance.id)
            if _is_notable(engine.catalog, instance, fact)
        ]
        return cls(
            catalog=engine.catalog,
            folder=folder,
            commands=commands,
            instances=instances,
            deadlines=tuple(sorted(running, key=_soonest)),
            deviations=engine.deviations(),
            notable=tuple(sorted(notable, key=lambda fact: (fact.occurred_us, fact.instance, fact.sequence))),
            verification=engine.verify(),
            diagrams=diagrams,
        )

    def to_json(self) -> Record:
        """Return the report as JSON, with keys that stay."""
        return {
            "folder": str(self.folder),
            "database": DATABASE,
            "from": MONDAY.isoformat(),
            "at": FINISH.isoformat(),
            "procedures": [procedure.id for procedure in self.catalog],
            "commands": self.commands,
            "notable": [fact_json(fact) for fact in self.notable],
            "instances": [instance_json(instance) for instance in self.instances],
            "deadlines": [deadline_json(deadline) for deadline in self.deadlines],
            "deviations": [deviation_json(deviation) for deviation in self.deviations],
            "verification": verification_json(self.verification),
            "diagrams": {
                "svg": list(self.diagrams.svg),
                "png": list(self.diagrams.png),
                "router": self.diagrams.router,
                "no_png": {"zh": self.diagrams.why.zh, "en": self.diagrams.why.en},
            },
            "next": self.next_commands(),
        }

    def text(self, lang: Tongue) -> str:
        """Return the report as text."""
        return paragraphs(self._parts(lang))

    def next_commands(self) -> list[str]:
        """Return commands to copy, which look at the store as of the end of the week."""
        store, at = shlex.quote(str(_shortest(self.folder) / DATABASE)), FINISH.isoformat(timespec="minutes")
        if sys.platform == "win32":
            first, last = f'$env:SVCFLOW_DB="{store}"; $env:SVCFLOW_AT="{at}"', "$env:SVCFLOW_AT=$null"
        else:
            first, last = f"export SVCFLOW_DB={store} SVCFLOW_AT={at}", "unset SVCFLOW_DB SVCFLOW_AT"
        return [
            first,
            "svcflow show repair-lift --journal",
            "svcflow show meeting-review",
            "svcflow fire repair-socket accept --actor desk-1:dispatcher",
            "svcflow deviations --severity critical",
            "svcflow check --severity warning",
            "svcflow simulate repair --instances 1000",
            last,
        ]

    def _parts(self, lang: Tongue) -> Iterator[str]:
        names_of = self._names_of(lang)
        procedures = len({(instance.procedure, instance.version) for instance in self.instances})
        first, last = (weekday_time(at, ZONE).in_(lang) for at in (MONDAY, FINISH))
        yield _said(
            lang,
            f"svcflow 演示：一个工作周，{first} 至 {last}（北京时间，虚拟时钟）\n"
            f"{procedures} 个流程，{len(self.instances)} 个实例，{self.commands} 次办理，{self.verification.facts} 条留痕；人和事均为虚构",
            f"svcflow demo: a working week, {first} to {last} (Asia/Shanghai, virtual clock)\n{procedures} procedures, {len(self.instances)} instances, "
            f"{self.commands} commands, {self.verification.facts} facts; people and events are made up",
        )
        yield _titled(lang, "值得注意", "What stood out", self._notable(names_of, lang))
        yield _titled(lang, "实例", "Instances", instance_table(self.instances, names_of, lang))
        versions = {instance.id: (instance.procedure, instance.version) for instance in self.instances}
        due = deadline_table(self.deadlines, lambda deadline: names_of(*versions[deadline.instance]), lang)
        yield _titled(lang, "未完成的时限，先到期的在前", "Open deadlines, soonest first", due)
        yield _titled(lang, "偏差", "Deviations", deviation_table(self.deviations, names_of, lang))
        yield _said(lang, "留痕", "Journal") + "\n  " + verification_text(self.verification, lang)
        yield _titled(lang, "文件", "Files", self._files(lang))
        yield _titled(lang, "接下来可以试试", "What to look at next", _indented(self.next_commands()))

    def _notable(self, names_of: NamesOf, lang: Tongue) -> str:
        versions = {instance.id: (instance.procedure, instance.version) for instance in self.instances}
        rows = []
        for fact in self.notable:
            names = names_of(*versions[fact.instance])
            rows.append((names.when(fact.occurred_at), fact.instance, journal_line(fact, names)))
        heads = (
            Text(zh="时间", en="When"),
            Text(zh="实例", en="Instance"),
            Text(zh="事项", en="What happened"),
        )
        return table([head.in_(lang) for head in heads], rows, flows=True)

    def _names_of(self, lang: Tongue) -> NamesOf:
        """Return the names of each procedure; instants stand in one zone, those of the week by their weekday."""

        def when(at: datetime, zone: tzinfo | None) -> str:
            return weekday_time(at, zone, dated=not MONDAY <= at <= FINISH).in_(lang)

        return lambda procedure, version: ProcedureNames(self.catalog[procedure, version], lang, ZONE, when)

    def _files(self, lang: Tongue) -> str:
        lines = [str(self.folder), f"  {DATABASE}  {RECORD}", "  " + "  ".join(self.diagrams.svg)]
        if self.diagrams.png:
            lines.append("  " + "  ".join(self.diagrams.png))
        else:
            why = _said(lang, f"没有 PNG：{self.diagrams.why.zh}", f"no PNG: {self.diagrams.why.en}")
            lines.extend(f"  {line}" for line in broken(why, WIDEST - 4))
        return _indented(lines)


def _is_notable(catalog: Catalog, instance: Instance, fact: Fact) -> bool:
    """Return whether a supervisor would want to hear of a fact: time, order, holds, refusals, rework, joined branches."""
    if isinstance(fact, facts.Moved):
        step = catalog[instance.procedure, instance.version].all_steps[fact.via or fact.step]
        kinds = {move.kind for move in step.to if move.trigger == fact.trigger}
        return "rework" in kinds or bool(step.parallel)
    return isinstance(fact, _NOTABLE)


def _soonest(deadline: Deadline) -> tuple[bool, datetime, str]:
    return (deadline.due_at is None, deadline.due_at or FINISH, deadline.instance)


def _shortest(folder: Path) -> Path:
    """Return the folder as it is reached from here, when it lies below."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _titled(lang: Tongue, zh: str, en: str, body: str) -> str:
    return f"{_said(lang, zh, en)}\n{body}"


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _said(lang: Tongue, zh: str, en: str) -> str:
    return Text(zh=zh, en=en).in_(lang)


def draw_all(
    procedures: Iterable[Procedure], folder: Path, lang: Lang, advance: Callable[[], None]
) -> Diagrams:
    """Draw procedures into a folder, as SVG and, where it can be made, as PNG. Raises: DrawingError."""
    svg, png, router, why = [], [], "", NO_TEXT
    for procedure in procedures:
        drawing = draw(procedure, lang=lang)
        router = drawing.router
        svg.append(drawing.save(folder / f"{procedure.id}.svg").name)
        if not why:
            try:
                png.append(drawing.save(folder / f"{procedure.id}.png").name)
            except (DrawingError, MissingExtra) as error:
                why = Text(zh=error.text("zh"), en=error.text("en"))
        advance()
    return Diagrams(tuple(svg), tuple(png), router, why)
