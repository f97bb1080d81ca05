"""Procedures as state machines of the package `transitions`, and back."""

from svcflow.machine.conditions import MachineModel
from svcflow.machine.export import to_machine
from svcflow.machine.skeleton import from_machine

__all__ = ["MachineModel", "from_machine", "to_machine"]
