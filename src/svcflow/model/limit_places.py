"""The time limits of a procedure with the places at which they are declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from svcflow.errors import Path
from svcflow.model.limit import TimeLimit
from svcflow.model.step import Step

if TYPE_CHECKING:
    from svcflow.model.procedure import Procedure

__all__ = ["limit_places"]


def limit_places(procedure: Procedure) -> Iterator[tuple[Path, TimeLimit]]:
    """Yield each limit that is written out: those of steps, those of steps in branches, then the others."""
    yield from _of_steps(procedure.steps, ("steps",))
    for place, limit in enumerate(procedure.limits):
        yield ("limits", place), limit


def _of_steps(steps: Iterable[Step], base: Path) -> Iterator[tuple[Path, TimeLimit]]:
    for step in steps:
        path = (*base, step.id)
        if step.within is not None:
            yield (*path, "within"), step.within
        for branch in step.parallel:
            yield from _of_steps(branch.steps, (*path, "parallel", branch.id, "steps"))
