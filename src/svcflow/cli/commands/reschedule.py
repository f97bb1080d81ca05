"""`svcflow reschedule`: move a scheduled instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, command
from svcflow.cli.moving import By, moving
from svcflow.cli.options import actor_option
from svcflow.cli.values import INSTANT
from svcflow.text import Text

if TYPE_CHECKING:
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
def run(engine: Engine, instance: str, *, field: str, when: str, by: By) -> Instance:
    """Reschedule."""
    context = click.get_current_context()
    said = next(one for one in context.command.params if one.name == "when")
    at = None if when == "none" else INSTANT.convert(when, said, context)
    return engine.reschedule(instance, field, at, **by)
