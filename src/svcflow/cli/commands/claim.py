"""`svcflow claim`: take a step for oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcflow.cli.command import argument, command
from svcflow.cli.moving import By, moving
from svcflow.cli.options import named_actor_option, step_option
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine


@command(
    "claim",
    Text(
        zh="认领一个环节：此后只由认领人办理，直到释放、改派或离开该环节。须有该环节的岗位。",
        en="Take a step: from then on it is yours alone, until it is released, assigned anew or left. You need the "
        "step's role.",
    ),
    "svcflow claim repair-9 --db service.db --actor tech-2:technician",
    "svcflow claim repair-9 --db service.db --actor tech-2 --for tech-1",
)
@argument("instance")
@step_option
@named_actor_option
@moving
def run(engine: Engine, instance: str, *, step: str | None, by: By) -> Instance:
    """Claim."""
    return engine.claim(instance, step=step, **by)
