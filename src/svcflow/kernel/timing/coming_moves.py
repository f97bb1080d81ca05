"""Automatic moves that the active steps of an instance will make by themselves. Computed, never stored."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import transact
from svcflow.kernel.facts import to_datetime
from svcflow.kernel.instance import NEVER, Instance


class ComingMove(NamedTuple):
    """Automatic move that an active step makes unless it is left before.

    `at` is None while its clock stands still or its instant is not set. A `provisional` one lies past what its
    calendar covers. `timer` is the name by which `explain` tells how the instant came to be.
    """

    instance: str
    timer: str
    step: str
    trigger: str
    at: datetime | None
    provisional: bool


def coming_moves(compiled: Compiled, instance: Instance, at_us: int) -> tuple[ComingMove, ...]:
    """Return the automatic moves that are to come as of `at_us`, soonest first, those without an instant last."""
    present = transact(compiled, instance, None, at_us).instance
    running = [watch for watch in present.stopwatches.values() if not watch.verdict]
    running.sort(key=lambda watch: (watch.due_us, watch.limit))
    made: list[ComingMove] = []
    for watch in running:
        timer = compiled.limits.get(watch.limit)  # some are of an earlier version only
        if timer is not None and timer.is_timer:
            due_us, calendar = watch.due_us, timer.rows[watch.row].calendar
            made.append(
                ComingMove(
                    present.id,
                    timer.id,
                    timer.limit.step or "",
                    timer.fires or "",
                    None if due_us == NEVER else to_datetime(due_us),
                    due_us != NEVER and calendar.provisional(due_us),
                )
            )
    return tuple(made)
