"""Simulation of a procedure in a scenario, by the same kernel that production uses."""

from __future__ import annotations

import sys
from types import ModuleType

from svcflow.simulate.default_scenario import default_scenario
from svcflow.simulate.report import Simulation
from svcflow.simulate.simulation import simulate
from svcflow.simulate.statistics import Breaches, Durations, PoolUse, Spread

__all__ = ["Breaches", "Durations", "PoolUse", "Simulation", "Spread", "default_scenario", "simulate"]


class _Callable(ModuleType):
    """Module that can be called: `svcflow.simulate(…)` works also where this package was imported before that function was asked for.

    Importing a package sets its name in its parent, and the public function has the package's name.
    """

    __call__ = staticmethod(simulate)


sys.modules[__name__].__class__ = _Callable
