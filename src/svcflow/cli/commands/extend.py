"""`svcflow extend`: prolong a limit once."""

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
def run(
    engine: Engine, instance: str, *, limit: str, reason: str, evidence: tuple[Pair, ...], by: By
) -> Instance:
    """Extend."""
    return engine.extend(instance, limit, reason=reason, evidence=once(evidence), **by)
