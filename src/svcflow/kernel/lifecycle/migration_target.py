"""Target version of a migration, and the names that steps and limits have there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import attrs

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Fact, Migrated, Started
from svcflow.model.limit import step_of, step_of_timer, timer_of_step, wait_limit
from svcflow.model.parameter import Written, quantity
from svcflow.model.procedure import Procedure

VersionOf = Callable[[str, int], Compiled]
"""Look-up of a compiled procedure version by procedure id and version number."""


Parameters = Mapping[str, Written]
"""Values in force of parameters, by name, as facts write them."""


@attrs.frozen(eq=False)
class MigrationTarget:
    """Version that an instance is migrated to, with what only the whole journal of the instance tells.

    `reverted` is the migration that a `Revert` takes back. `performers` are the persons who did each step, by the
    step names of the source version; None when the journal was not read.
    """

    compiled: Compiled
    reverted: Migrated | None = None
    performers: Mapping[str, tuple[str, ...]] | None = None


def carried_parameters(pinned: Parameters, source: Procedure, into: Compiled) -> Parameters:
    """Return the values of parameters that an instance has in another version.

    It keeps what was pinned to it as far as the other version takes that, and gets the values in force now of
    parameters that are new there.
    """
    declared = into.procedure.parameters
    kept = {
        name: value
        for name, value in pinned.items()
        if name in declared and declared[name].refuses(quantity(value)) is None
    }
    new = {name: value for name, value in into.parameters.items() if name not in source.parameters}
    values = {**new, **kept}
    return {name: value for name, value in values.items() if quantity(value) != declared[name].value}


def parameters_before(facts: Iterable[Fact], migration: Migrated) -> Parameters:
    """Return the values of parameters that were pinned to an instance before one of its migrations."""
    before = [
        fact.parameters
        for fact in facts
        if isinstance(fact, Started | Migrated) and fact.sequence < migration.sequence
    ]
    return before[-1]


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
