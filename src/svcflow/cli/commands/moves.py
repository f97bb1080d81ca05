"""Commands that move an instance: `svcflow start`, `fire`, `update`, `hold`, `resume`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import attrs
import click

from svcflow.cli.command import command, option
from svcflow.cli.errors import WrongUsage
from svcflow.cli.instance_command import MoveArguments, answer_instance, move_command
from svcflow.cli.options import (
    actor_option,
    command_id_option,
    data_option,
    evidence_option,
    qualifications_option,
    reason_option,
    with_store,
)
from svcflow.cli.session import CommandSession, sqlite_file, url_of
from svcflow.cli.values import (
    INSTANT,
    PROCEDURE,
    RECIPIENT,
    Pair,
    ProcedureName,
    actor_or_nobody,
    once,
    typed,
)
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor, Recipient
    from svcflow.kernel.instance import Instance
    from svcflow.model.field import Field
    from svcflow.runtime.engine import Engine


@command(
    "start",
    Text(
        zh="启动流程的最新版（或 ID@版本）的一个实例。存储文件不存在时新建。",
        en="Start an instance of the newest version of a procedure (or of ID@VERSION). The store is made if missing.",
    ),
    "svcflow start repair --db service.db --data place=3-1204 --data priority=emergency \\",
    "    --recipient room-1204:staff --actor desk-1:dispatcher",
    "svcflow start complaint@1 --db service.db --data about=noise --id complaint-17 --json",
)
@click.argument("procedure", type=PROCEDURE)
@data_option
@option(
    "--recipient",
    type=RECIPIENT,
    metavar="ID:GROUP",
    zh="服务对象及类别（leaders、staff、retirees、logistics）",
    en="Who is served, and the group: leaders, staff, retirees, logistics.",
)
@actor_option
@evidence_option
@option(
    "--foreseen",
    is_flag=True,
    zh="服务对象尚未提出，由提供服务的岗位提前想到",
    en="The provider starts it before the recipient has voiced the need.",
)
@option("--id", "instance_id", metavar="ID", zh="自定实例编号", en="The instance's id, if you choose it.")
@command_id_option
@with_store
def start(
    session: CommandSession,
    *,
    procedure: ProcedureName,
    data: tuple[Pair, ...],
    recipient: Recipient | None,
    actor: Actor | None,
    evidence: tuple[Pair, ...],
    foreseen: bool,
    instance_id: str | None,
    command_id: str | None,
) -> None:
    """Start an instance; it is tried in memory first where the store has yet to be made."""

    def begin(engine: Engine) -> Instance:
        return engine.start(
            procedure,
            data=typed(data, engine.catalog[procedure].fields),
            recipient=recipient,
            actor=actor_or_nobody(actor),
            evidence=once(evidence),
            foreseen=foreseen,
            instance_id=instance_id,
            command_id=command_id,
        )

    file = sqlite_file(url_of(session.db or ""))
    if file is not None and not file.exists():
        with attrs.evolve(session, db="memory://").engine() as rehearsal:
            begin(rehearsal)  # what is refused here leaves no empty store behind
    with session.engine(create=True) as engine:
        answer_instance(session, engine, begin(engine))


@command(
    "fire",
    Text(
        zh="让实例流转。可用的流转见 svcflow show INSTANCE。被规则拒绝的尝试也会留痕。",
        en="Move an instance by a trigger; `svcflow show INSTANCE` lists those that are open. An attempt that a "
        "rule refuses is kept in the journal.",
    ),
    "svcflow fire complaint-17 acknowledge --db service.db --actor desk-1:desk",
    "svcflow fire repair-9 finish --db service.db --actor tech-2:technician --evidence photo=a1.jpg",
    'svcflow fire repair-9 arrive --db service.db --actor t:technician --override "already there"',
)
@click.argument("instance")
@click.argument("trigger")
@actor_option
@data_option
@evidence_option
@option(
    "--override",
    metavar="REASON",
    zh="越过次序或条件的理由，会记为偏差",
    en="Go round the order or a guard; recorded as a deviation.",
)
@option(
    "--step",
    metavar="STEP",
    zh="并行时指明从哪个环节流转",
    en="The step to leave, when several branches know the trigger.",
)
@option(
    "--occurred-at",
    type=INSTANT,
    zh="补录：实际发生的时刻；时限按它判定",
    en="When it really happened, if before now; deadlines are judged by it.",
)
@qualifications_option
@move_command
def fire(
    engine: Engine,
    instance: str,
    *,
    trigger: str,
    data: tuple[Pair, ...],
    evidence: tuple[Pair, ...],
    override: str | None,
    step: str | None,
    occurred_at: datetime | None,
    caller: MoveArguments,
) -> Instance:
    """Move an instance by a trigger."""
    return engine.fire(
        instance,
        trigger,
        data=typed(data, _fields(engine, instance)),
        evidence=once(evidence),
        step=step,
        override=override,
        occurred_at=occurred_at,
        **caller,
    )


@command(
    "update",
    Text(
        zh="补充或更正实例的字段，补交凭证，不流转。随字段而定的时限随之改变。",
        en="Add data or evidence to an instance, or correct its data, without moving it; limits that hang on a "
        "field follow.",
    ),
    "svcflow update repair-9 --db service.db --data priority=emergency --actor desk-1:dispatcher",
    "svcflow update repair-9 --db service.db --evidence photo=a1.jpg --actor tech-2:technician",
)
@click.argument("instance")
@actor_option
@data_option
@evidence_option
@move_command
def update(
    engine: Engine,
    instance: str,
    *,
    data: tuple[Pair, ...],
    evidence: tuple[Pair, ...],
    caller: MoveArguments,
) -> Instance:
    """Add data or evidence."""
    if not data and not evidence:
        raise WrongUsage(
            Text(zh="没有要补充的内容", en="there is nothing to add"),
            Text(zh="给出 --data 或 --evidence", en="give --data or --evidence"),
        )
    values = typed(data, _fields(engine, instance))
    return engine.update(instance, data=values, evidence=once(evidence), **caller)


@command(
    "hold",
    Text(
        zh="暂停实例：可停的时限停止计时，到恢复为止。事由取 recipient、third_party、statutory。",
        en="Hold an instance: the limits that may stop stand still until it is resumed. Reasons are recipient, "
        "third_party, statutory.",
    ),
    "svcflow hold repair-9 --db service.db --reason third_party --evidence notice=n-31",
)
@click.argument("instance")
@reason_option(zh="暂停的事由", en="Why it is held.")
@actor_option
@evidence_option
@move_command
def hold(
    engine: Engine, instance: str, *, reason: str, evidence: tuple[Pair, ...], caller: MoveArguments
) -> Instance:
    """Stop the clocks of an instance."""
    return engine.hold(instance, reason=reason, evidence=once(evidence), **caller)


@command(
    "resume",
    Text(zh="恢复暂停中的实例，时限继续计时。", en="Resume a held instance; its limits run on."),
    "svcflow resume repair-9 --db service.db --actor desk-1:dispatcher",
)
@click.argument("instance")
@actor_option
@move_command
def resume(engine: Engine, instance: str, *, caller: MoveArguments) -> Instance:
    """Let the clocks of a held instance run on."""
    return engine.resume(instance, **caller)


def _fields(engine: Engine, instance: str) -> Mapping[str, Field]:
    """Return the fields of an instance's procedure, in its version."""
    present = engine.instance(instance)
    return engine.catalog[present.procedure, present.version].fields
