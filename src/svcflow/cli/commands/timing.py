"""Commands of time limits: `svcflow reschedule`, `extend`, `recompute`, `tick`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.moving import By, moving
from svcflow.cli.options import actor_option, evidence_option, stored
from svcflow.cli.output import answer
from svcflow.cli.values import INSTANT, Pair, actor_or_nobody, once
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor
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
@argument("instance")
@argument("field")
@argument("when", metavar="INSTANT|none")
@actor_option
@moving
def reschedule(engine: Engine, instance: str, *, field: str, when: str, by: By) -> Instance:
    """Reschedule."""
    context = click.get_current_context()
    said = next(one for one in context.command.params if one.name == "when")
    at = None if when == "none" else INSTANT.convert(when, said, context)
    return engine.reschedule(instance, field, at, **by)


@command(
    "extend",
    Text(
        zh="延长一项时限：只能一次，须在到期之前，由声明的岗位提出。",
        en="Prolong a limit: once, before its deadline, by the role that the procedure declares.",
    ),
    'svcflow extend complaint-17 resolve --db service.db --reason "expert opinion pending" \\',
    "    --actor m-1:manager",
)
@argument("instance")
@argument("limit")
@option("--reason", required=True, metavar="REASON", wording=Text(zh="延长的理由", en="Why it is prolonged."))
@actor_option
@evidence_option
@moving
def extend(
    engine: Engine, instance: str, *, limit: str, reason: str, evidence: tuple[Pair, ...], by: By
) -> Instance:
    """Extend."""
    return engine.extend(instance, limit, reason=reason, evidence=once(evidence), **by)


@command(
    "recompute",
    Text(
        zh="日历更正或新一年公布之后，重算在办实例的截止时间；原来的时间与新的时间都留痕。",
        en="Reckon the deadlines of open instances anew after a calendar was corrected or a year published. Both "
        "the old and the new instant stay in the journal.",
    ),
    'svcflow recompute --db service.db --reason "arrangement of 2027 published"',
)
@option("--reason", required=True, metavar="REASON", wording=Text(zh="重算的理由", en="Why."))
@actor_option
@stored
@click.pass_context
def recompute(
    ctx: click.Context,
    *,
    reason: str,
    actor: Actor | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Recompute, and say which deadlines changed."""
    from svcflow.cli.recorded import recorded_json, recorded_text
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    nothing = Text(zh="截止时间没有变化", en="no deadline changed")
    with engine_at(db, folder, at) as engine:
        recorded = engine.recompute(reason=reason, actor=actor_or_nobody(actor))
        answer(
            asked,
            lambda: recorded_json(recorded),
            lambda: recorded_text(engine, recorded, asked.lang, nothing),
        )


@command(
    "tick",
    Text(
        zh="记录到现在为止到期的预警、升级、超时与自动流转。可由定时任务反复运行，何时运行不影响记录的内容。",
        en="Record every warning, escalation, overdue and automatic move that became due up to now. Meant for a "
        "scheduler; when it runs does not change what is recorded.",
    ),
    "svcflow tick --db service.db",
    "*/5 * * * *  svcflow tick --db /srv/service.db --json >> /srv/tick.log",
)
@stored
@click.pass_context
def tick(ctx: click.Context, *, db: str | None, folder: str | None, at: datetime | None) -> None:
    """Tick, and say what was recorded."""
    from svcflow.cli.recorded import recorded_json, recorded_text
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    nothing = Text(zh="没有到期事项", en="nothing was due")
    with engine_at(db, folder, at) as engine:
        recorded = engine.tick()
        answer(
            asked,
            lambda: recorded_json(recorded),
            lambda: recorded_text(engine, recorded, asked.lang, nothing),
        )
