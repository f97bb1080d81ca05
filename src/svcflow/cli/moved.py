"""What is said after a command: where the instance stands, its open deadlines, and what departed from its procedure."""

from __future__ import annotations

from svcflow.cli.departures import departures_json, departures_text
from svcflow.cli.json import Record, deadline_json, instance_json
from svcflow.cli.language import Tongue
from svcflow.cli.listening import ListeningEngine
from svcflow.cli.names import Names
from svcflow.cli.output import paragraphs
from svcflow.cli.session import names_of
from svcflow.cli.tables import deadline_table
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.assignees import assignee_of
from svcflow.runtime.engine import Engine
from svcflow.text import Text

__all__ = ["moved_json", "moved_text", "standing"]


def moved_json(engine: ListeningEngine, instance: Instance) -> Record:
    """Return the instance, its open deadlines, and the deviations that this command recorded."""
    return {
        "instance": instance_json(instance, engine.clock.now_us()),
        "deadlines": [deadline_json(one) for one in engine.deadlines(instance.id)],
        "deviations": departures_json(engine.departures(instance.id)),
    }


def moved_text(engine: ListeningEngine, instance: Instance, lang: Tongue) -> str:
    """Say where the instance stands, what is due, and from what this command departed."""
    names = names_of(engine, instance.procedure, instance.version, lang)
    found = engine.deadlines(instance.id)
    due = deadline_table(found, lambda _: names, lang, whose=False) if found else ""
    departed = departures_text(engine, engine.departures(instance.id), lang)
    return paragraphs((standing(engine, instance, lang), due, departed))


def standing(engine: Engine, instance: Instance, lang: Tongue) -> str:
    """Return one line: id, procedure, status, steps and who has them, revision."""
    names = names_of(engine, instance.procedure, instance.version, lang)
    reason = names.reason(instance.hold) if instance.hold else ""
    hold = Text(zh=f"（{reason}）", en=f" ({reason})").in_(lang) if reason else ""
    now_us = engine.clock.now_us()
    steps = names.joined(_held(step, assignee_of(instance, step, now_us), names) for step in instance.steps)
    zh = f"{instance.id}  {names.title()}  {names.status(instance)}{hold}：{steps}（修订号 {instance.revision}）"
    en = f"{instance.id}  {names.title()}  {names.status(instance)}{hold}: {steps} (revision {instance.revision})"
    return Text(zh=zh, en=en).in_(lang)


def _held(step: str, who: str, names: Names) -> str:
    """Name a step, and who has it if anybody does."""
    name = names.step(step)
    if not who:
        return name
    return Text(zh=f"{name}（{who} 办理）", en=f"{name} (with {who})").in_(names.lang)
