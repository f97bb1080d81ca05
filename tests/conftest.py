"""Settings shared by all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

pytest_plugins = ("pytester", "database_server")

# The two processors of a small machine are shared: no deadline for one example, a bounded number of them.
settings.register_profile("normal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "thorough", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "unshrunk", settings.get_profile("normal"), phases=(Phase.explicit, Phase.generate)
)  # whether a test fails, not why
settings.load_profile(os.environ.get("SVCFLOW_HYPOTHESIS", "normal"))
