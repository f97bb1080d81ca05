"""`svcflow assign`: give a step to a person."""

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
    "assign",
    Text(
        zh="把一个环节分派给某人，已有人办理的也可改派。此后只由其办理；是否有岗位，办理时再查。",
        en="Give a step to a person, also one that somebody has. From then on it is theirs alone; whether they have "
        "its role is asked when they act.",
    ),
    "svcflow assign repair-9 tech-2 --db service.db --actor desk-1:dispatcher",
    'svcflow assign repair-9 tech-3 --db service.db --reason "tech-2 is ill"',
)
@argument("instance")
@argument("person")
@step_option
@option(
    "--reason", default="", metavar="REASON", wording=Text(zh="分派的原因", en="Why it is given to them.")
)
@actor_option
@moving
def run(engine: Engine, instance: str, *, person: str, step: str | None, reason: str, by: By) -> Instance:
    """Assign."""
    return engine.assign(instance, person, step=step, reason=reason, **by)
