"""`svcflow hold`: stop the clocks of an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcflow.cli.command import argument, command, option
from svcflow.cli.moving import By, moving
from svcflow.cli.options import actor_option, evidence_option
from svcflow.cli.values import Pair, once
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.instance import Instance
    from svcflow.runtime.engine import Engine


@command(
    "hold",
    Text(
        zh="暂停实例：可停的时限停止计时，到恢复为止。事由取 recipient、third_party、statutory。",
        en="Hold an instance: the limits that may stop stand still until it is resumed. Reasons are recipient, "
        "third_party, statutory.",
    ),
    "svcflow hold repair-9 --db service.db --reason third_party --evidence notice=n-31",
)
@argument("instance")
@option("--reason", required=True, metavar="REASON", wording=Text(zh="暂停的事由", en="Why it is held."))
@actor_option
@evidence_option
@moving
def run(engine: Engine, instance: str, *, reason: str, evidence: tuple[Pair, ...], by: By) -> Instance:
    """Hold."""
    return engine.hold(instance, reason=reason, evidence=once(evidence), **by)
