"""`svcflow fire`: move an instance by a trigger."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from svcflow.cli.command import argument, command, option
from svcflow.cli.moving import By, moving
from svcflow.cli.options import actor_option, data_option, evidence_option
from svcflow.cli.values import INSTANT, Pair, once, typed
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine


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
@argument("instance")
@argument("trigger")
@actor_option
@data_option
@evidence_option
@option(
    "--override",
    metavar="REASON",
    wording=Text(
        zh="越过次序或条件的理由，会记为偏差", en="Go round the order or a guard; recorded as a deviation."
    ),
)
@option(
    "--step",
    metavar="STEP",
    wording=Text(
        zh="并行时指明从哪个环节流转", en="The step to leave, when several branches know the trigger."
    ),
)
@option(
    "--occurred-at",
    type=INSTANT,
    wording=Text(
        zh="补录：实际发生的时刻；时限按它判定",
        en="When it really happened, if before now; deadlines are judged by it.",
    ),
)
@moving
def run(
    engine: Engine,
    instance: str,
    *,
    trigger: str,
    data: tuple[Pair, ...],
    evidence: tuple[Pair, ...],
    override: str | None,
    step: str | None,
    occurred_at: datetime | None,
    by: By,
) -> Instance:
    """Fire."""
    kept = engine.instance(instance)
    return engine.fire(
        instance,
        trigger,
        data=typed(data, engine.catalog[kept.procedure, kept.version].fields),
        evidence=once(evidence),
        step=step,
        override=override,
        occurred_at=occurred_at,
        **by,
    )
