"""Kernel: pure decisions over a procedure and an instance, for the engine, simulation, replay and tests."""

import warnings

from svcflow.kernel.commands import (
    NOBODY,
    Actor,
    Command,
    Fire,
    Hold,
    Migrate,
    Recipient,
    Resume,
    Revert,
    Start,
    Update,
)
from svcflow.kernel.compiled import Compiled, compile_procedure
from svcflow.kernel.decide import Outcome, decide, transact
from svcflow.kernel.evolve import evolve, evolve_all
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import Deviation, deviations_of
from svcflow.kernel.lifecycle.migration_target import MigrationTarget, VersionOf
from svcflow.kernel.replay import migration_in_force, performers_of, replay
from svcflow.kernel.timing.deadlines import Deadline, deadlines

__all__ = [
    "NOBODY",
    "Actor",
    "Command",
    "Compiled",
    "Deadline",
    "Deviation",
    "Fact",
    "Fire",
    "Hold",
    "Instance",
    "Migrate",
    "MigrationTarget",
    "Outcome",
    "Recipient",
    "Resume",
    "Revert",
    "Start",
    "Update",
    "VersionOf",
    "compile_procedure",
    "deadlines",
    "decide",
    "deviations_of",
    "evolve",
    "evolve_all",
    "migration_in_force",
    "performers_of",
    "replay",
    "transact",
]


def __getattr__(name: str) -> object:
    if name == "who_did":  # the name that the changelog of earlier versions gave
        warnings.warn(
            "svcflow.kernel.who_did is called performers_of / svcflow.kernel.who_did 已改名为 performers_of",
            DeprecationWarning,
            stacklevel=2,
        )
        return performers_of
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
