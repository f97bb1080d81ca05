"""Commands of time limits: `svcflow reschedule`, `extend`, `recompute`, `tick`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import command
from svcflow.cli.instance_command import MoveArguments, move_command
from svcflow.cli.options import actor_option, evidence_option, reason_option, with_store
from svcflow.cli.session import CommandSession
from svcflow.cli.values import INSTANT, Pair, actor_or_nobody, once
from svcflow.text import Text
from svcflow.text_table import table

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor
    from svcflow.kernel.facts import Fact
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine


@command(
    "reschedule",
    Text(
        zh="改期：移动预约时间字段，跟着它的截止时间随之移动。写 none 表示时间未定。",
        en="Move a scheduled instant; the deadlines that refer to it follow. Write none when it is not known yet.",
    ),
    "svcflow reschedule meeting-3 meeting_start 2026-03-05T14:00+08:00 --db service.db \\",
    "    --actor org-1:organiser",
)
@click.argument("instance")
@click.argument("field")
@click.argument("when", metavar="INSTANT|none")
@actor_option
@move_command
def reschedule(engine: Engine, instance: str, *, field: str, when: str, caller: MoveArguments) -> Instance:
    """Move a scheduled instant."""
    ctx = click.get_current_context()
    parameter = next(each for each in ctx.command.params if each.name == "when")
    at = None if when == "none" else INSTANT.convert(when, parameter, ctx)
    return engine.reschedule(instance, field, at, **caller)


@command(
    "extend",
    Text(
        zh="延长一项时限：只能一次，须在到期之前，由声明的岗位提出。",
        en="Prolong a limit: once, before its deadline, by the role that the procedure declares.",
    ),
    'svcflow extend complaint-17 resolve --db service.db --reason "expert opinion pending" \\',
    "    --actor m-1:manager",
)
@click.argument("instance")
@click.argument("limit")
@reason_option(zh="延长的理由", en="Why it is prolonged.")
@actor_option
@evidence_option
@move_command
def extend(
    engine: Engine,
    instance: str,
    *,
    limit: str,
    reason: str,
    evidence: tuple[Pair, ...],
    caller: MoveArguments,
) -> Instance:
    """Prolong a limit."""
    return engine.extend(instance, limit, reason=reason, evidence=once(evidence), **caller)


@command(
    "recompute",
    Text(
        zh="日历更正或新一年公布之后，重算在办实例的截止时间；原来的时间与新的时间都留痕。",
        en="Reckon the deadlines of open instances anew after a calendar was corrected or a year published. Both "
        "the old and the new instant stay in the journal.",
    ),
    'svcflow recompute --db service.db --reason "arrangement of 2027 published"',
)
@reason_option(zh="重算的理由", en="Why.")
@actor_option
@with_store
def recompute(session: CommandSession, *, reason: str, actor: Actor | None) -> None:
    """Reckon the deadlines of open instances anew."""
    with session.engine() as engine:
        facts = engine.recompute(reason=reason, actor=actor_or_nobody(actor))
        _answer_facts(session, engine, facts, nothing=Text(zh="截止时间没有变化", en="no deadline changed"))


@command(
    "tick",
    Text(
        zh="记录到现在为止到期的预警、升级、超时与自动流转，并启动到时的定期启动（见 svcflow starts）。可由定时任务反复运行，何时运行不影响记录的内容。",
        en="Record every warning, escalation, overdue and automatic move that became due up to now, and begin what is to "
        "begin by itself (see svcflow starts). Meant for a scheduler; when it runs does not change what is recorded.",
    ),
    "svcflow tick --db service.db",
    "*/5 * * * *  svcflow tick --db /srv/service.db --json >> /srv/tick.log",
)
@with_store
def tick(session: CommandSession) -> None:
    """Record what became due."""
    with session.engine() as engine:
        _answer_facts(session, engine, engine.tick(), nothing=Text(zh="没有到期事项", en="nothing was due"))


_HEADS = (Text(zh="实例", en="Instance"), Text(zh="时间", en="When"), Text(zh="事项", en="What happened"))


def _answer_facts(session: CommandSession, engine: Engine, facts: Sequence[Fact], *, nothing: Text) -> None:
    """Answer with facts of several instances; the text without any is `nothing`."""
    from svcflow.cli.journal_lines import journal_line
    from svcflow.cli.json import fact_json
    from svcflow.cli.names import names_in, versions_of

    def text() -> str:
        if not facts:
            return nothing.in_(session.lang)
        instances = {name: engine.instance(name) for name in {fact.instance for fact in facts}}
        names_of, rows = names_in(engine, versions_of(instances.values()), session.lang), []
        for fact in facts:
            instance = instances[fact.instance]
            names = names_of(instance.procedure, instance.version)
            rows.append((fact.instance, names.when(fact.occurred_at), journal_line(fact, names)))
        return table([head.in_(session.lang) for head in _HEADS], rows, flows=True)

    session.answer(lambda: {"recorded": [fact_json(fact) for fact in facts]}, text)
