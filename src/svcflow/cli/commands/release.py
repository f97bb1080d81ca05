"""`svcflow release`: let a step go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcflow.cli.command import argument, command, option
from svcflow.cli.moving import By, moving
from svcflow.cli.options import actor_option, step_option
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine


@command(
    "release",
    Text(
        zh="释放一个环节：有其岗位的人又都可以认领。",
        en="Let a step go, so that whoever has its role may take it.",
    ),
    'svcflow release repair-9 --db service.db --actor tech-2:technician --reason "called away"',
)
@argument("instance")
@step_option
@option("--reason", default="", metavar="REASON", wording=Text(zh="释放的原因", en="Why it is let go."))
@actor_option
@moving
def run(engine: Engine, instance: str, *, step: str | None, reason: str, by: By) -> Instance:
    """Release."""
    return engine.release(instance, step=step, reason=reason, **by)
