"""Every test of this folder that asks for `store` runs on each store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from svcflow.runtime.store import Store
from svcflow.store import open_store


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store("memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'service.db'}")
    yield opened
    opened.close()
