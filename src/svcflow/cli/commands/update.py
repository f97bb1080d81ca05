"""`svcflow update`: add data or evidence to an instance without moving it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcflow.cli.command import argument, command
from svcflow.cli.errors import WrongUsage
from svcflow.cli.moving import By, moving
from svcflow.cli.options import actor_option, data_option, evidence_option
from svcflow.cli.values import Pair, once, typed
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine


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
@argument("instance")
@actor_option
@data_option
@evidence_option
@moving
def run(
    engine: Engine, instance: str, *, data: tuple[Pair, ...], evidence: tuple[Pair, ...], by: By
) -> Instance:
    """Update."""
    if not data and not evidence:
        raise WrongUsage(
            Text(zh="没有要补充的内容", en="there is nothing to add"),
            Text(zh="给出 --data 或 --evidence", en="give --data or --evidence"),
        )
    kept = engine.instance(instance)
    fields = engine.catalog[kept.procedure, kept.version].fields
    return engine.update(instance, data=typed(data, fields), evidence=once(evidence), **by)
