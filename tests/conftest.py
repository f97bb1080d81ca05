"""Settings shared by all tests."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, settings

pytest_plugins = ("pytester", "database_server")

# The two processors of a small machine are shared: no deadline for one example, a bounded number of them. Where a
# change is judged (CI) they are the same ones each time, so that the change and not chance makes a test fail.
settings.register_profile(
    "normal",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "unshrunk", settings.get_profile("normal"), phases=(Phase.explicit, Phase.generate)
)  # whether a test fails, not why
settings.register_profile("quick", settings.get_profile("normal"), max_examples=30)


def pytest_configure(config: pytest.Config) -> None:
    """Try fewer examples in the first loop than where `-m` asks for what takes long too."""
    first = config.option.markexpr == "not long"
    settings.load_profile(os.environ.get("SVCFLOW_HYPOTHESIS", "quick" if first else "normal"))
    # the processes that share the tests have to call them alike, also where a name is that of a set
    os.environ.setdefault("PYTHONHASHSEED", str(random.randrange(2**32)))


def pytest_report_header() -> str:
    """Name what the order of sets hangs on, so that a run can be repeated."""
    return f"PYTHONHASHSEED={os.environ['PYTHONHASHSEED']}"


_MANY_TIMES = (
    "property", "test_oracle", "test_calendar_oracle", "test_check_graph_oracle", "test_drawing_property",
    "test_every_tampering", "test_many_timers", "test_power_cut", "test_simulation_theory",
)  # fmt: skip
"""Folders and modules that run the same code thousands of times: measuring coverage takes them three times as long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the coverage to the tests that were written for one promise each."""
    for item in items:
        if {item.path.parent.name, item.path.stem} & {*_MANY_TIMES}:
            item.add_marker(pytest.mark.no_cover)
