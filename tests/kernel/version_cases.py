"""One instance that goes over from version to version of a small procedure."""

from __future__ import annotations

from datetime import timedelta

import attrs
from kernel_cases import CALENDARS, MINUTE, Case

from svcflow.kernel import (
    Migrate,
    MigrationTarget,
    Outcome,
    Revert,
    compile_procedure,
    migration_in_force,
    performers_of,
    replay,
    transact,
)
from svcflow.kernel.instance import Stopwatch
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.worktime.instants import to_us


class VersionedCase(Case):
    """Start under the first of the versions; every state is held against a replay of the whole journal."""

    def __init__(self, *versions: Procedure, **start: object) -> None:
        numbered = [attrs.evolve(one, version=place) for place, one in enumerate(versions, 1)]
        self.versions = {one.version: compile_procedure(one, CALENDARS.__getitem__) for one in numbered}
        super().__init__(numbered[0], **start)

    def version_of(self, name: str, version: int):
        assert name == "sample"
        return self.versions[version]

    def migrate(self, version: int = 2, after: timedelta = MINUTE, **more: object) -> Outcome:
        self.now += after
        return self._cross(Migrate(version, **more))

    def revert(self, after: timedelta = MINUTE, **more: object) -> Outcome:
        self.now += after
        return self._cross(Revert(**more))

    def clock(self, limit: str) -> Stopwatch:
        return self.instance.stopwatches[limit]

    def _cross(self, command: Migrate | Revert) -> Outcome:
        back = migration_in_force(self.facts)
        version = command.version if isinstance(command, Migrate) else back.from_version if back else 1
        target = MigrationTarget(self.versions[version], back, performers_of(self.version_of, self.facts))
        return self._keep(transact(self.compiled, self.instance, command, to_us(self.now), target=target))

    def _do(self, command) -> Outcome:
        self.compiled = self.versions[self.instance.version] if self.instance else self.versions[1]
        return self._keep(transact(self.compiled, self.instance, command, to_us(self.now)))

    def _keep(self, outcome: Outcome) -> Outcome:
        self.outcome, self.instance = outcome, outcome.instance
        self.facts += outcome.facts
        assert outcome.compiled is self.versions[self.instance.version]
        self.compiled = outcome.compiled
        assert replay(self.version_of, self.facts) == self.instance
        return outcome


def limit(within: str, **more: object) -> TimeLimit:
    return TimeLimit(within=within, **more)
