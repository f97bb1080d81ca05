"""Every test of this folder that asks for `store` runs on each store, by `url` those that outlive a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from svcflow.runtime.store import Store
from svcflow.store import open_store


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store("memory://" if request.param == "memory" else url_of(request, tmp_path))
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request, tmp_path)


def url_of(request: pytest.FixtureRequest, folder: Path) -> str:
    """A store that is not there yet, of the kind a fixture's parameter names."""
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'service.db'}"
    return str(request.getfixturevalue("postgres_url"))
