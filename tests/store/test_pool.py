"""Connections to PostgreSQL: which of them are lent again at once, and that none is lent as it should not be."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.engine import make_url
from stored_play import ASKED, CATALOG, CLERK, MORNING

from database_server import connected
from svcflow import Engine, Recipient, VirtualClock
from svcflow.errors import StoreError
from svcflow.runtime.store import SWEEP_START
from svcflow.store.postgres import pool
from waiting import until


def with_setting(url, setting):
    """Return a URL whose connections have a setting of the server's."""
    query = make_url(url).query
    options = {"options": f"{query['options']} -c{setting}"}
    return make_url(url).update_query_dict(options).render_as_string(hide_password=False)


@pytest.fixture
def engine(engine):
    """One with an instance, r1."""
    engine.start("repair", data=ASKED, recipient=Recipient("zhang"), actor=CLERK, instance_id="r1")
    return engine


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
    monkeypatch.setattr(pool, "_IDLE_LIMIT_S", 0)
    server_processes("pg_terminate_backend(pid)")
    assert engine.update("r1", actor=CLERK).sequence == 3


def test_a_connection_that_the_server_closed_while_it_rested_is_noticed_at_once(engine, server_processes):
    """A server that is set to close what rests, or was started again, costs nobody a command."""
    engine.update("r1", actor=CLERK)
    server_processes("pg_terminate_backend(pid, 60000)")  # waits for their end
    assert engine.update("r1", actor=CLERK).sequence == 3
    server_processes("pg_terminate_backend(pid, 60000)")
    assert len(engine.instances()) == 1


def test_a_transaction_that_failed_is_not_lent_on(engine, store):
    """Whoever comes next has a connection on which nothing is begun."""

    def fails(found):
        raise LookupError(found.instance.id)

    with pytest.raises(LookupError, match="r1"):
        store.sweep(2**62, SWEEP_START, fails)
    engine.update("r1", actor=CLERK)
    assert len(engine.journal("r1")) == 2  # another connection sees it: it was committed


def test_a_store_closed_in_the_middle_of_a_change_leaves_no_connection_open(engine, store, server_processes):
    """It is asked to its end; the server keeps no process for a store that is closed."""
    store.change("r1", None, lambda _: store.close())
    until(lambda: server_processes("pid") == [], "the server has ended its processes")


def test_a_connection_that_rolled_back_has_its_statements_prepared_again(engine, store):
    """The driver has the server forget them all, its own and ours: no later command fails for it."""

    def fails(found):
        raise LookupError(found.instance.id)

    for _ in range(8):  # until the driver has prepared what finds an instance
        store.change("r1", None, lambda _: None)
    engine.update("r1", actor=CLERK)
    with pytest.raises(LookupError):
        store.sweep(2**62, SWEEP_START, fails)
    assert engine.update("r1", actor=CLERK).sequence == 3


def test_a_connection_whose_statements_somebody_else_removed_fails_once(engine, store):
    """What the driver takes for prepared is not asked for ever after."""
    for _ in range(8):
        store.change("r1", None, lambda _: None)
    with store._backend._pool.cursor() as cursor:
        cursor.execute("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$")
    with pytest.raises(StoreError, match="pool by session"):
        store.change("r1", None, lambda _: None)
    assert engine.update("r1", actor=CLERK).sequence == 2


def test_texts_are_written_as_they_are_whatever_encoding_the_url_names(postgres_url):
    """What one way of asking writes the other finds."""
    url = make_url(postgres_url).update_query_dict({"client_encoding": "LATIN1"})
    with Engine(url.render_as_string(hide_password=False), CATALOG, clock=VirtualClock(MORNING)) as engine:
        engine.start("repair", data=ASKED, actor=CLERK, instance_id="é报修")
        for _ in range(2):
            assert engine.fire("é报修", "accept", actor=CLERK, command_id="é接单").sequence == 2
        assert [one.id for one in engine.instances()] == ["é报修"]


def test_whoever_was_slower_is_asked_again_whatever_isolation_the_server_sets(postgres_url):
    """A stricter one would refuse the change instead."""
    with Engine(with_setting(postgres_url, "default_transaction_isolation=serializable"), CATALOG) as engine:
        engine.start("repair", data=ASKED, actor=CLERK, instance_id="r1")
        with engine._store._backend._pool.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("read committed",)


def test_more_threads_than_slots_wait_and_are_told(postgres_url, monkeypatch):
    """Whoever has a slot may ask the store while it decides; the others wait in a queue, and not for ever."""
    monkeypatch.setattr(pool, "_MAX_THREADS", 1)
    monkeypatch.setattr(pool, "_TIMEOUT_S", 0.02)
    said = []

    def decide(found):
        def other():
            with pytest.raises(StoreError, match="in use for") as late:
                engine.instances()
            said.append(late.value.remedy)

        one = threading.Thread(target=other)
        one.start()
        one.join()
        said.append(engine.instance("r1").status)

    with Engine(postgres_url, CATALOG, clock=VirtualClock(MORNING)) as engine:
        engine.start("repair", data=ASKED, actor=CLERK, instance_id="r1")
        engine._store.change("r1", None, decide)
        assert said[0]
        assert said[1] == "running"
        assert engine.update("r1", actor=CLERK).sequence == 2


@pytest.mark.parametrize(
    ("setting", "spoilt", "remedy"),
    [
        ("statement_timeout=20", "BEGIN; LOCK svcflow_instances", "statement_timeout"),
        ("lock_timeout=20", "BEGIN; LOCK svcflow_instances", "lock_timeout"),
        ("default_transaction_read_only=on", "SELECT 1", "primary"),
        ("geqo=on", "DROP TABLE svcflow_work CASCADE", "restore"),
        ("geqo=on", "ALTER TABLE svcflow_facts ADD CHECK (sequence < 2)", ""),
    ],
    ids=["too long", "locked", "read-only", "dropped", "something else"],
)
def test_what_a_server_refuses_is_said_with_what_to_do(postgres_url, engine, setting, spoilt, remedy):
    """Each is a StoreError in two languages, and keeps nothing; what nobody foresaw is told as the server says it."""
    with Engine(postgres_url, CATALOG, clock=VirtualClock(MORNING)) as refused:
        with refused._store._backend._pool.cursor() as cursor:
            cursor.execute(f"SET {setting}")  # of the connection that the next command has
        with connected(postgres_url) as other:
            other.execute(spoilt)
            with pytest.raises(StoreError) as error:
                refused.fire("r1", "accept", actor=CLERK)
        assert remedy in error.value.remedy.en
        assert bool(error.value.remedy.zh) == bool(remedy)
        assert len(refused.journal("r1")) == 1
