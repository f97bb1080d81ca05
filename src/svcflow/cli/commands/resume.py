"""`svcflow resume`: let the clocks of a held instance run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcflow.cli.command import argument, command
from svcflow.cli.moving import By, moving
from svcflow.cli.options import actor_option
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine


@command(
    "resume",
    Text(zh="恢复暂停中的实例，时限继续计时。", en="Resume a held instance; its limits run on."),
    "svcflow resume repair-9 --db service.db --actor desk-1:dispatcher",
)
@argument("instance")
@actor_option
@moving
def run(engine: Engine, instance: str, *, by: By) -> Instance:
    """Resume."""
    return engine.resume(instance, **by)
