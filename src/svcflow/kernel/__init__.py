"""The kernel: the only place that decides. Engine, simulation, log replay and tests drive it."""

from svcflow.kernel.commands import NOBODY, Actor, Command, Fire, Hold, Recipient, Resume, Start, Update
from svcflow.kernel.compiled import Compiled, compile_procedure
from svcflow.kernel.deadlines import Deadline, deadlines
from svcflow.kernel.decide import Outcome, decide, transact
from svcflow.kernel.deviations import Deviation, deviations_of
from svcflow.kernel.evolve import evolve, evolve_all
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance

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
    "Outcome",
    "Recipient",
    "Resume",
    "Start",
    "Update",
    "compile_procedure",
    "deadlines",
    "decide",
    "deviations_of",
    "evolve",
    "evolve_all",
    "transact",
]
