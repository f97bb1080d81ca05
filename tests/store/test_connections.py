"""Connections to PostgreSQL: which of them are lent again at once, and that none is lent as it should not be."""

from __future__ import annotations

import time

import pytest
from sqlalchemy.engine import make_url
from stored_play import ASKED, CLERK

from database_server import connected
from svcflow import Recipient
from svcflow.runtime.store import BEGINNING
from svcflow.store import connections


@pytest.fixture(autouse=True)
def started(engine):
    """One instance, r1."""
    engine.start("repair", data=ASKED, recipient=Recipient("zhang"), actor=CLERK, instance_id="r1")


@pytest.fixture
def server_processes(store, database_server):
    """Return what asks something of the server's processes for the connections of the store."""
    name = make_url(store.url).query["application_name"]

    def ask(asked):
        rows = f"SELECT {asked} FROM pg_stat_activity WHERE application_name = %s"  # noqa: S608  # no input
        return other.execute(rows, [name]).fetchall()

    with connected(database_server.url) as other:
        yield ask


def test_a_connection_that_was_cut_off_while_it_rested_is_noticed(engine, server_processes, monkeypatch):
    """After a rest it is tried before it is lent: nobody's command fails for it."""
    engine.update("r1", actor=CLERK)
    monkeypatch.setattr(connections, "_RESTED_S", 0)
    server_processes("pg_terminate_backend(pid)")
    assert engine.update("r1", actor=CLERK).sequence == 3


def test_a_transaction_that_failed_is_not_lent_on(engine, store):
    """Whoever comes next has a connection on which nothing is begun."""

    def fails(found):
        raise LookupError(found.instance.id)

    with pytest.raises(LookupError, match="r1"):
        store.sweep(2**62, BEGINNING, fails)
    engine.update("r1", actor=CLERK)
    assert len(engine.journal("r1")) == 2  # another connection sees it: it was committed


def test_a_store_closed_in_the_middle_of_a_change_leaves_no_connection_open(engine, store, server_processes):
    """It is asked to its end; the server keeps no process for a store that is closed."""
    store.change("r1", None, lambda _: store.close())
    for _ in range(500):
        if not server_processes("pid"):
            break
        time.sleep(0.01)
    assert server_processes("pid") == []
