"""A task: one visit of one step of one instance, from its asking for somebody to its end or withdrawal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from svcflow.kernel.compiled import CompiledMove
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER, Instance
from svcflow.simulate.plan import StepPlan

if TYPE_CHECKING:
    from svcflow.simulate.pool import RolePool

__all__ = ["Case", "Task"]

UNSTARTED = -1


@attrs.define(eq=False)
class Case:
    """Hold one simulated instance: where the kernel says it stands, its facts, and the work under way."""

    number: int
    instance: Instance
    facts: list[Fact]
    tasks: dict[str, Task] = attrs.field(factory=dict)
    visits: dict[str, int] = attrs.field(factory=dict)
    met: set[str] = attrs.field(factory=set)
    """Limits that were met on a visit which a later one has replaced: the instance knows the last visit only."""
    wake_us: int = NEVER
    """When the kernel will move the instance by itself, as far as is known."""


@attrs.define(eq=False)
class Task:
    """Hold one piece of work. `live` ends when the step is left, by whatever way."""

    case: Case
    plan: StepPlan
    visit: int
    amount_us: int
    choice: float
    row: CompiledMove | None
    pool: RolePool | None
    barred: tuple[str, ...]
    asked_us: int
    start_us: int = UNSTARTED
    member: int = 0
    live: bool = True
