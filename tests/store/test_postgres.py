"""What only a store in PostgreSQL promises: its server, its connections, its positions, its one statement."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import attrs
import psycopg
import pytest
from sqlalchemy.engine import make_url
from stored_play import ASKED, CATALOG, CLERK, MORNING, play

from database_server import connected, kill
from svcflow import Engine, Recipient, VirtualClock
from svcflow.errors import StoreError
from svcflow.runtime.store import SWEEP_START
from svcflow.store import open_store, schema
from svcflow.store.postgres.bulk_statement import _COLLECTED
from svcflow.store.statements import Statements
from waiting import PATIENCE_S

ZHANG = Recipient("zhang", group="staff")


@pytest.fixture
def other(postgres_url):
    """A connection that is not the store's."""
    with connected(postgres_url) as connection:
        yield connection


def start(engine, name="r1", **more):
    return engine.start("repair", data=ASKED, recipient=ZHANG, actor=CLERK, instance_id=name, **more)


def contents(engine):
    """What stands beside the journals, without what chance puts there (salts, commitments)."""
    tables = (schema.commands, schema.work, schema.persons, schema.deviations)
    with engine._store._backend.reading() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(table.select())) for table in tables
        } | {"instances": engine.instances()}


def test_the_same_play_leaves_the_same_rows_as_on_sqlite(engine, tmp_path):
    """One statement keeps what the statements one by one keep: work, answers, persons, deviations and their ends."""
    with Engine(f"sqlite:///{tmp_path / 's.db'}", CATALOG, clock=VirtualClock(MORNING)) as embedded:
        for one in (engine, embedded):
            play(one, one.clock)
            start(one, "overdue and ended in one change")
            one.clock.advance(timedelta(days=9))
            one.fire("overdue and ended in one change", "accept", actor=CLERK)
            one.tick()
        assert contents(engine) == contents(embedded)
    assert any(one.overrun for one in engine.deviations())
    assert engine.verify().ok


def test_everything_a_change_keeps_has_its_part_in_the_one_statement():
    """A statement that a transaction writes by, and that the one statement does not know, would run by itself."""
    queries = {"find", "find_with_command", "find_command", "due", "journal", "missed", "digest"}
    elsewhere = {"settle", "add_procedure", "drop_mark"}  # no part of a change, or another way here
    assert attrs.fields_dict(Statements).keys() - queries - elsewhere == _COLLECTED.keys()


def test_whoever_was_slower_is_asked_again(engine, store):
    """A change whose instance moved on meanwhile is decided anew on what is there now, and nothing is lost."""
    start(engine)
    seen = []

    def overtaken(found):
        seen.append(found.instance.sequence)
        if len(seen) == 1:
            engine.update("r1", actor=CLERK, data={"place": "4-1"})

    with pytest.raises(StoreError):  # decided on an old state, and not willing to look again
        store.change("r1", None, _stubborn(engine, "r1"))
    store.change("r1", None, overtaken)
    assert seen == [2, 3]  # nothing to keep of what is remembered: it is read once, and nobody asks again
    assert engine.verify().ok


def _stubborn(engine, name):
    """Decide once, and say the same ever after; somebody else is faster before the first time is kept."""
    said = []

    def decide(found):
        if not said:
            said.append(_update(engine, found))
            engine.update(name, actor=CLERK, data={"place": "9-9"})
        return said[0]

    return decide


def _update(engine, found):
    from svcflow.kernel import Update, transact
    from svcflow.runtime.commands import decision_of

    compiled = engine._registry.of(found.instance)
    return decision_of(found, transact(compiled, found.instance, Update(CLERK), engine.clock.now_us()), None)


def test_nobody_starves_when_others_are_always_faster(engine, store):
    """After a few lost rounds the instance is locked: the next decision is kept."""
    start(engine)
    asked = []

    def unlucky(found):
        asked.append(found.instance.sequence)
        change = _update(engine, found)
        if len(asked) < 4:
            engine.update("r1", actor=CLERK, data={"place": f"{len(asked)}-1"})
        return change

    store.change("r1", None, unlucky)
    assert asked == [1, 2, 3, 4]
    assert store.load("r1").instance.sequence == 5
    assert engine.verify().ok


def test_personal_data_erased_meanwhile_do_not_come_back(engine, store, other):
    """A change that brings new personal data is decided anew when those that were found have changed."""
    start(engine)
    seen = []

    def decide(found):
        seen.append(dict(found.journal.secrets))
        if len(seen) == 1:
            other.execute("UPDATE svcflow_instances SET secrets = %s", (b'{"~x":null}',))
        from svcflow.kernel import Update, transact
        from svcflow.runtime.commands import decision_of

        compiled = engine._registry.of(found.instance)
        command = Update(CLERK, {"contact": "137 0000 0000"})
        return decision_of(found, transact(compiled, found.instance, command, engine.clock.now_us()), None)

    store.change("r1", None, decide)
    assert len(seen) == 2
    kept = store.secrets("r1")
    assert kept["~x"] is None
    assert not any(one and one.value == '"139 0000 0000"' for one in kept.values())


def test_two_sweeps_at_once_share_what_is_due(engine, store, postgres_url):
    """What one sweep has in hand the other leaves alone, and waits for nothing."""
    start(engine, "r1")
    start(engine, "r2")
    second, seen = open_store(postgres_url), []

    def inside(found):
        seen.append(found.instance.id)
        if len(seen) == 1:
            assert second.sweep(2**62, SWEEP_START, lambda _: seen.append("twice")) is None

    store.sweep(2**62, SWEEP_START, inside)
    second.close()
    assert seen == ["r1", "r2"]


def test_many_sweepers_fire_each_timer_once(engine, postgres_url):
    """Four engines tick at once: every instance is overdue once, and every fact is returned by one of them."""
    for number in range(60):
        start(engine, f"r{number}")
    engines = [
        Engine(postgres_url, CATALOG, clock=VirtualClock(MORNING + timedelta(days=9))) for _ in range(4)
    ]
    ticks = []
    threads = [threading.Thread(target=lambda one=one: ticks.append(one.tick())) for one in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in engines:
        one.close()
    facts = [(fact.instance, fact.sequence) for tick in ticks for fact in tick]
    assert len(facts) == len(set(facts)) == sum(len(engine.journal(f"r{number}")) - 1 for number in range(60))
    assert {name for name, _ in facts} == {f"r{number}" for number in range(60)}
    assert engine.verify().ok


WORKER = """
import sys
sys.path.insert(0, sys.argv[3])
from datetime import timedelta
from stored_play import CATALOG, CLERK, MORNING
from svcflow import Engine, VirtualClock
clock = VirtualClock(MORNING)
with Engine(sys.argv[1], CATALOG, clock=clock) as engine:
    for turn in range(12):
        name = f"own-{sys.argv[2]}-{turn}"
        engine.start("repair", data={"place": "1"}, actor=CLERK, instance_id=name)
        engine.fire(name, "accept", actor=CLERK, command_id=f"a-{turn}")
        for fact in engine.tick():
            print(fact.instance, fact.sequence)
        engine.fire("shared", "again", actor=CLERK, command_id=f"{name}")
        clock.advance(timedelta(hours=5))
"""


@pytest.mark.long
def test_four_processes_command_and_tick_at_once(engine, postgres_url):
    """Nothing is lost, nothing is done twice, no fact is told by two ticks, and everything verifies."""
    start(engine, "shared")
    engine.fire("shared", "accept", actor=CLERK)
    for number in range(40):
        start(engine, f"r{number}")
    command = [sys.executable, "-W", "error", "-c", WORKER, postgres_url]
    here = str(Path(__file__).parent)
    running = [
        subprocess.Popen([*command, str(n), here], stdout=subprocess.PIPE, text=True) for n in range(4)
    ]
    told = [line for process in running for line in process.communicate(timeout=PATIENCE_S)[0].splitlines()]
    assert [process.returncode for process in running] == [0] * 4
    assert len(told) == len(set(told)) >= 40
    assert [fact.kind for fact in engine.journal("shared")].count("Moved") == 1 + 4 * 12
    for number in range(40):
        kinds = [fact.kind for fact in engine.journal(f"r{number}")]
        assert (kinds[0], kinds.count("Started"), kinds.count("Overdue")) == ("Started", 1, 1)
    assert len(engine.instances()) == 1 + 40 + 4 * 12
    assert engine.verify().ok


def test_a_position_is_settled_when_no_earlier_one_can_appear(engine, store, other):
    """A later position committed first is not read past an earlier one, whichever transaction is the older."""
    backend = store._backend
    assert backend.settled_position() == 0
    start(engine)
    assert backend.settled_position() == 1
    adding = "INSERT INTO svcflow_facts (instance, sequence, body, link) VALUES (%s, 1, '', '')"
    other.execute("BEGIN")
    other.execute(adding, ("slow",))  # takes position 2, and is not seen
    start(engine, "r3")  # takes position 3, and is
    assert [backend.settled_position() for _ in range(3)] == [1] * 3
    other.execute(adding, ("slow again",))  # position 4, of the older transaction
    start(engine, "r5")
    assert backend.settled_position() == 1
    other.execute("COMMIT")
    assert backend.settled_position() == 3
    assert backend.settled_position() == 5


def test_an_older_transaction_that_goes_on_holds_up_what_it_may_still_precede(
    engine, store, other, postgres_url
):
    """A transaction with a lower number may take a higher position: the number alone settles nothing."""
    backend = store._backend
    adding = "INSERT INTO svcflow_facts (instance, sequence, body, link) VALUES (%s, 1, '', '')"
    other.execute("BEGIN; SELECT pg_current_xact_id()")
    with connected(postgres_url) as younger:
        younger.execute("BEGIN")
        younger.execute(adding, ("younger",))  # position 1
        other.execute(adding, ("older",))  # position 2
        other.execute("COMMIT")
        assert backend.settled_position() == 0
        younger.execute("COMMIT")
    assert backend.settled_position() == 2


def test_a_database_may_hold_other_tables_too(postgres_url, other):
    """Tables of another program are left alone."""
    other.execute("CREATE TABLE somebody (x int)")
    open_store(postgres_url).close()
    assert other.execute("SELECT count(*) FROM somebody").fetchone() == (0,)


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [("DROP TABLE svcflow_meta", "a part of our tables"), ("UPDATE svcflow_meta SET value = '9'", "schema version 9")],
)  # fmt: skip
def test_tables_that_are_not_ours_to_use_are_refused(postgres_url, other, spoilt, said):
    """Half of our tables, or those of a newer version, are refused and stay as they are."""
    open_store(postgres_url).close()
    other.execute(spoilt)
    with pytest.raises(StoreError, match=said) as refused:
        open_store(postgres_url)
    assert refused.value.remedy
    assert f"{schema.VERSION}" in refused.value.text() or "part" in refused.value.text()


def test_a_server_that_is_not_there_is_said_with_what_to_do(database_server):
    """No server, no database: a StoreError in two languages, without the password."""
    with pytest.raises(StoreError) as absent:
        open_store("postgresql+psycopg://me:hush@127.0.0.1:9/service")
    assert "see that the server runs, and that address, port" in absent.value.text()
    assert "看服务器是否在运行，地址、端口" in absent.value.text("zh")
    assert "command" not in absent.value.text()
    assert "hush" not in absent.value.text("zh+en")
    nowhere = database_server.url.replace("/postgres?", "/nowhere?")
    with pytest.raises(StoreError, match="nowhere"):
        open_store(nowhere)


@pytest.mark.parametrize(
    "error",
    [socket.gaierror(-2, "Name or service not known"), psycopg.errors.ConnectionTimeout("timeout expired")],
    ids=["no such host", "no answer"],
)
def test_an_address_where_nothing_answers_is_no_command_that_may_be_done(error, monkeypatch):
    """Nothing was asked yet, so the remedy is about the address and does not speak of a command."""

    def fail(*args, **more):
        raise error

    monkeypatch.setattr("socket.getaddrinfo", fail)
    with pytest.raises(StoreError, match="address, port, user and database are right") as absent:
        open_store("postgresql+psycopg://me:hush@db.example/service")
    assert "command" not in absent.value.text()


def test_a_commit_is_on_disk_whatever_the_servers_setting(store, other, postgres_url):
    """synchronous_commit is switched on where the server has it off."""
    (user,) = other.execute("SELECT current_user").fetchone()
    asking = "SHOW synchronous_commit"
    other.execute(f"ALTER ROLE {user} SET synchronous_commit = off")
    try:
        with connected(postgres_url) as careless:
            assert careless.execute(asking).fetchone() == ("off",)
        again = open_store(postgres_url)
        with again._backend.reading() as connection:
            assert connection.exec_driver_sql(asking).scalar() == "on"
        again.close()
    finally:
        other.execute(f"ALTER ROLE {user} RESET synchronous_commit")


WITHOUT_PSYCOPG = """
import sys
sys.modules["psycopg"] = None
from svcflow.store import open_store
try:
    open_store("postgresql+psycopg://localhost/service")
except ImportError as error:
    print(error.code, error)
"""


def test_without_the_driver_the_extra_is_named():
    """svcflow[postgres] is what to install."""
    said = subprocess.run([sys.executable, "-c", WITHOUT_PSYCOPG], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("missing-extra ")
    assert "svcflow[postgres]" in said.stdout


def test_a_connection_lost_in_the_middle_is_an_error_that_may_be_asked_again(engine, store, database_server):
    """The command says what to do; asked again with its command_id it is done once."""
    start(engine)

    name = make_url(store.url).query["application_name"]

    def cut(found):
        database_server.administer(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'"  # noqa: S608  # no input
        )
        return _update(engine, found)

    with pytest.raises(StoreError, match="command_id") as lost:
        store.change("r1", None, cut)
    assert "command_id" in lost.value.text("zh")
    assert engine.update("r1", actor=CLERK, command_id="u-1").sequence == 2
    assert engine.update("r1", actor=CLERK, command_id="u-1").sequence == 2


def test_the_store_goes_on_when_its_server_was_killed_and_started_again(mortal_server):
    """While it is down every command is a StoreError; afterwards the same engine works, and all is there."""
    with Engine(mortal_server.get_uri(driver="psycopg"), CATALOG, clock=VirtualClock(MORNING)) as engine:
        start(engine, command_id="c-1")
        with ExitStack() as several:
            for _ in range(6):
                several.enter_context(engine._store._backend.reading())
        kill(mortal_server)
        for ask in (lambda: start(engine, "r2", command_id="c-2"), engine.tick):
            with pytest.raises(StoreError, match="see that the server runs"):
                ask()
        mortal_server.ensure_postgres_running()
        assert start(engine, "r2", command_id="c-2").id == "r2"
        assert start(engine, command_id="c-1").sequence == 1
        assert engine.verify().ok
