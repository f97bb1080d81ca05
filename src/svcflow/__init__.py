"""svcflow: standardised service procedures, declared once; timed, recorded, drawn, simulated, checked."""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_WHERE = {
    "Catalog": "svcflow.model.catalog",
    "Procedure": "svcflow.model.procedure",
    "load": "svcflow.model.catalog",
    "load_mapping": "svcflow.model.catalog",
    "load_scenario": "svcflow.model.catalog",
}


def __getattr__(name: str) -> object:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module 'svcflow' has no attribute {name!r}")
    return getattr(importlib.import_module(where), name)
