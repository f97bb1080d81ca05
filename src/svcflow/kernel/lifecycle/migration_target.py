"""Target version of a migration, and the names that steps and limits have there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Migrated
from svcflow.model.limit import step_of, step_of_timer, timer_of_step, wait_limit

VersionOf = Callable[[str, int], Compiled]
"""Look-up of a compiled procedure version by procedure id and version number."""


@attrs.frozen(eq=False)
class MigrationTarget:
    """Version that an instance is migrated to, with what only the whole journal of the instance tells.

    `reverted` is the migration that a `Revert` takes back. `performers` are the persons who did each step, by the
    step names of the source version; None when the journal was not read.
    """

    compiled: Compiled
    reverted: Migrated | None = None
    performers: Mapping[str, tuple[str, ...]] | None = None


def mapped_step(steps: Mapping[str, str], name: str) -> str:
    """Return the name that a step of the source version has in the target version."""
    return steps.get(name, name)


def mapped_limit(steps: Mapping[str, str], name: str) -> str:
    """Return the name that a limit has in the target version: one named after a step goes with it."""
    timed = step_of_timer(name)
    if timed in steps:
        return timer_of_step(steps[timed])
    step, waits = step_of(name)
    if step not in steps:
        return name
    return wait_limit(steps[step]) if waits else steps[step]
