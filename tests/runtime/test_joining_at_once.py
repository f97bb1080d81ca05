"""Many hosts join at once: no connection of ours is held while one of theirs is waited for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.orm import Session

from svcflow import Catalog, Engine, VirtualClock
from svcflow.errors import StoreError
from svcflow.store.sqlite import errors as sqlite_errors
from svcflow.store.sqlite.backend import SqliteBackend

MANY = 40
"""More than a store has connections."""


class Waiting(Session):
    """A session whose connection is there when as many others ask for theirs."""

    barrier: threading.Barrier

    def connection(self, *args: object, **kwargs: object) -> Connection:
        self.barrier.wait(30)
        return super().connection(*args, **kwargs)  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'service.db'}"
    return str(request.getfixturevalue("postgres_url"))


def test_hosts_that_wait_for_each_other_all_join(url: str) -> None:
    """Forty sessions that join in one event loop, or thread by thread, do not wait for our connections."""
    with Engine(url, Catalog.shipped(), clock=VirtualClock(datetime(2026, 3, 2, tzinfo=UTC))) as engine:
        database = create_engine(url, pool_size=MANY)
        Waiting.barrier = threading.Barrier(MANY)

        def joined(_: int) -> str:
            with Waiting(database) as session, session.begin():
                return engine.on(session)._store.url

        with ThreadPoolExecutor(MANY) as threads:
            assert set(threads.map(joined, range(MANY))) == {engine._store.url}
        database.dispose()


def test_connections_that_nobody_gives_back_are_an_error_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for one in vain is told so; what the pool raises is nobody's to know."""
    monkeypatch.setattr(sqlite_errors, "POOL_TIMEOUT_S", 0.05)
    with Engine(f"sqlite:///{tmp_path / 's.db'}", Catalog.shipped()) as engine:
        backend = engine._store.backend
        assert isinstance(backend, SqliteBackend)
        held = [backend._database.connect() for _ in range(31)]  # the writer has one more
        with pytest.raises(
            StoreError, match=r"every connection to the store .* was in use for 0\.05 seconds"
        ):
            engine.instances()
        for connection in held:
            connection.close()
        assert list(engine.instances()) == []
