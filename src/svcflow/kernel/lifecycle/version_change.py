"""A passage: the version an instance leaves, with the one it goes over to. Carries nothing over by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import attrs

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Migrated
from svcflow.model.limit import step_of, wait_limit

VersionOf = Callable[[str, int], Compiled]
"""How a driver finds a version of a procedure by id and version, made ready to run."""


@attrs.frozen(eq=False, repr=False)
class Passage(Compiled):
    """Be the version that is left, and know the one gone over to; `takes_back` is the migration to be reverted.

    `doers` is who did which step, as the whole journal tells it by the names of the version that is left; None
    when it was not looked at.
    """

    into: Compiled = attrs.field(kw_only=True)
    takes_back: Migrated | None = attrs.field(default=None, kw_only=True)
    doers: Mapping[str, tuple[str, ...]] | None = attrs.field(default=None, kw_only=True)

    @classmethod
    def between(
        cls,
        left: Compiled,
        into: Compiled,
        takes_back: Migrated | None = None,
        *,
        doers: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Self:
        """Join two versions of one procedure."""
        fields: dict[str, Any] = {str(one.alias): getattr(left, one.name) for one in attrs.fields(Compiled)}
        return cls(**fields, into=into, takes_back=takes_back, doers=doers)


def version_after(compiled: Compiled, version: int) -> Compiled:
    """Return the version under which an instance goes on after a decision that may have been a migration."""
    if isinstance(compiled, Passage) and compiled.into.procedure.version == version:
        return compiled.into
    return compiled


def passage_of(compiled: Compiled) -> Passage:
    """Return what a driver gave as a passage. Raises: TypeError when it gave one version only."""
    if not isinstance(compiled, Passage):
        raise TypeError("a migration needs both versions: use replay() or Passage.between()")
    return compiled


def step_name(steps: Mapping[str, str], name: str) -> str:
    """Return what a step is called in the version gone over to."""
    return steps.get(name, name)


def limit_name(steps: Mapping[str, str], name: str) -> str:
    """Return what a limit is called there: one named after a step goes with it."""
    step, waits = step_of(name)
    if step not in steps:
        return name
    return wait_limit(steps[step]) if waits else steps[step]
