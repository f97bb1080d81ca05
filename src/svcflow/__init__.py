"""svcflow: standardised service procedures, declared once; timed, recorded, drawn, simulated, checked.

The public surface is what `__all__` lists; each name is imported when it is first used, so that
`import svcflow` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from svcflow import deprecated_paths

if TYPE_CHECKING:
    from svcflow.analysis.conform import conform
    from svcflow.checks import Finding, check
    from svcflow.drawing import draw
    from svcflow.errors import DeclarationError, Refused, StaleRevision, SvcflowError
    from svcflow.kernel import facts
    from svcflow.kernel.commands import Actor, Recipient
    from svcflow.kernel.facts import Fact
    from svcflow.kernel.instance import Instance
    from svcflow.kernel.lifecycle.delegation import Delegation
    from svcflow.kernel.lifecycle.deviations import Deviation
    from svcflow.kernel.timing.deadlines import Deadline
    from svcflow.machine import from_machine, to_machine
    from svcflow.model.catalog import (
        Catalog,
        load,
        load_mapping,
        load_parameters,
        load_qualifications,
        load_scenario,
    )
    from svcflow.model.diff.compare import Difference, diff
    from svcflow.model.procedure import Procedure
    from svcflow.model.yaml.dump import dump
    from svcflow.runtime.async_engine import AsyncEngine
    from svcflow.runtime.clock import VirtualClock
    from svcflow.runtime.engine import Engine
    from svcflow.runtime.filters import Page, WorkItem
    from svcflow.runtime.outbox.subscription import Delivery
    from svcflow.simulate import simulate
    from svcflow.text import Text

__version__ = "0.1.0"

_WHERE = {
    "Actor": "kernel.commands",
    "AsyncEngine": "runtime.async_engine",
    "Catalog": "model.catalog",
    "Deadline": "kernel.timing.deadlines",
    "DeclarationError": "errors",
    "Delegation": "kernel.lifecycle.delegation",
    "Delivery": "runtime.outbox.subscription",
    "Deviation": "kernel.lifecycle.deviations",
    "Difference": "model.diff.compare",
    "Engine": "runtime.engine",
    "Fact": "kernel.facts",
    "Finding": "checks",
    "Instance": "kernel.instance",
    "Page": "runtime.filters",
    "Procedure": "model.procedure",
    "Recipient": "kernel.commands",
    "Refused": "errors",
    "StaleRevision": "errors",
    "SvcflowError": "errors",
    "Text": "text",
    "VirtualClock": "runtime.clock",
    "WorkItem": "runtime.filters",
    "check": "checks",
    "conform": "analysis.conform",
    "diff": "model.diff.compare",
    "draw": "drawing",
    "dump": "model.yaml.dump",
    "facts": "kernel",
    "from_machine": "machine",
    "load": "model.catalog",
    "load_mapping": "model.catalog",
    "load_parameters": "model.catalog",
    "load_qualifications": "model.catalog",
    "load_scenario": "model.catalog",
    "simulate": "simulate",
    "to_machine": "machine",
}

__all__ = [  # the names are the keys above
    "Actor",
    "AsyncEngine",
    "Catalog",
    "Deadline",
    "DeclarationError",
    "Delegation",
    "Delivery",
    "Deviation",
    "Difference",
    "Engine",
    "Fact",
    "Finding",
    "Instance",
    "Page",
    "Procedure",
    "Recipient",
    "Refused",
    "StaleRevision",
    "SvcflowError",
    "Text",
    "VirtualClock",
    "WorkItem",
    "check",
    "conform",
    "diff",
    "draw",
    "dump",
    "facts",
    "from_machine",
    "load",
    "load_mapping",
    "load_parameters",
    "load_qualifications",
    "load_scenario",
    "simulate",
    "to_machine",
]


_MODULES = ("cloudevents", "errors", "testing", "worktime")
"""Modules that users reach as `svcflow.worktime.WorkCalendar`, imported when first used."""


deprecated_paths.install()


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"svcflow.{name}")
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module 'svcflow' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"svcflow.{where}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
