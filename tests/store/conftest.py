"""A store in PostgreSQL, and an engine on it: what several modules of this folder ask of the place they are lent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stored_play import CATALOG, MORNING

from svcflow import Engine, VirtualClock
from svcflow.runtime.store import Store
from svcflow.store import open_store


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    opened = open_store(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def engine(store: Store) -> Engine:
    return Engine(store, CATALOG, clock=VirtualClock(MORNING))
