"""`engine.on(connection)`: the engine inside a transaction of its host, on each way a host has a connection."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from svcflow import Actor, Catalog, Engine, Refused, StaleRevision, VirtualClock
from svcflow.errors import FieldError, StoreError, UnknownInstance
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Enforce, Step, Transition
from svcflow.runtime.joined_engine import DriverConnection, JoinedEngine
from svcflow.runtime.store import SWEEP_START
from waiting import PATIENCE_S, until, until_asleep

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LI = Actor("li.wei", {"clerk"})
ORDERS = "CREATE TABLE orders (note VARCHAR(40))"
DATABASES = ["sqlite", "postgresql"]
ON_SQLITE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
WAYS = ["connection", "session", "scoped", "driver"]

REPAIR = Procedure(
    id="repair",
    roles=(Role("clerk"),),
    fields=(Field("note"),),
    enforce=Enforce(role="refuse"),
    steps=(
        Step("reported", role="clerk", within="1h", to=(Transition("accept", "done"),)),
        Step("done", end="completed"),
    ),
)


@attrs.define
class Host:
    """A host with a table of its own beside the engine's, and one way of having a connection."""

    connection: Connection | Session | scoped_session[Session] | DriverConnection
    engine: Engine
    opened: Callable[[], Connection]

    def note(self, value: str) -> None:
        """Write into the host's own table, in the host's transaction."""
        statement = f"INSERT INTO orders VALUES ('{value}')"  # noqa: S608  # our own
        if isinstance(self.connection, Connection | Session | scoped_session):
            self.connection.execute(text(statement))
        else:
            self.connection.cursor().execute(statement)

    def notes(self) -> list[str]:
        """What the host's table holds for everybody else."""
        with self.opened() as other:
            return list(other.scalars(text("SELECT note FROM orders ORDER BY note")))

    def joined(self) -> JoinedEngine:
        return self.engine.on(self.connection)


@pytest.fixture(params=DATABASES)
def url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'service.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def engine(url) -> Iterator[Engine]:
    with Engine(url, REPAIR, clock=VirtualClock(NOON)) as made:
        yield made


@pytest.fixture
def database(url) -> Iterator[Database]:
    """The host's own way to the database."""
    made = create_engine(url)
    yield made
    made.dispose()


@pytest.fixture(params=WAYS)
def host(request, database, engine) -> Iterator[Host]:
    with database.begin() as connection:
        connection.execute(text(ORDERS))
    driver = database.raw_connection()
    session = sessionmaker(database)
    ways = {
        "connection": database.connect,
        "session": session,
        "scoped": lambda: scoped_session(session),
        "driver": lambda: driver.driver_connection,
    }
    connection = ways[request.param]()
    yield Host(connection, engine, database.connect)
    connection.rollback()
    if request.param != "driver":
        connection.close()
    driver.close()


def test_what_the_host_commits_is_durable(host):
    """The host's rows and the engine's are there together once the host has committed, and not before."""
    joined = host.joined()
    host.note("a")
    inst = joined.start("repair", actor=LI)
    assert (host.notes(), host.engine.instances()) == ([], ())
    host.connection.commit()
    assert (host.notes(), host.engine.instance(inst.id)) == (["a"], inst)
    assert host.engine.verify().ok


def test_a_tick_is_part_of_the_hosts_transaction(host):
    """What became due is recorded with the host's rows, or with neither; a recomputation too."""
    inst = host.engine.start("repair", actor=LI)
    host.engine.clock.advance(timedelta(hours=2))
    assert [fact.kind for fact in host.joined().tick()] == ["Overdue"]
    host.note("told")
    assert len(host.engine.journal(inst.id)) == 1
    host.connection.rollback()
    assert (host.notes(), len(host.engine.journal(inst.id))) == ([], 1)
    joined = host.joined()
    assert joined.recompute(reason="the calendar was corrected")[0].kind == "Overdue"
    assert joined.tick() == ()
    host.connection.commit()
    assert [fact.kind for fact in host.engine.journal(inst.id)] == ["Started", "Overdue"]
    assert host.engine.verify().ok


@ON_SQLITE
def test_after_a_tick_inside_the_next_instant_is_told(engine, database):
    """Who is told when to tick is told, with the transaction, what is due after that."""
    told: list[int] = []

    class Dispatcher:
        def tick_at(self, due_us: int, _: object) -> None:
            told.append(due_us)

        def deliver_at(self, *_: object) -> None:
            pytest.fail("there is nothing to deliver")

    engine.start("repair", actor=LI)
    engine.clock.advance(timedelta(minutes=30))
    engine.start("repair", actor=LI)
    engine.clock.advance(timedelta(minutes=45))
    engine.dispatch_by(Dispatcher())
    with database.connect() as connection:
        assert [fact.kind for fact in engine.on(connection).tick()] == ["Overdue"]
        connection.commit()
    assert told == [engine._store.next_due_us()]
    assert told[0] > engine.clock.now_us()


def test_a_delegation_is_part_of_the_hosts_transaction(host):
    """Given and revoked with the host's rows, or with neither; one of a taken id leaves the transaction as it was."""
    given = {"roles": {"clerk"}, "since": NOON, "until": NOON + timedelta(days=1), "delegation_id": "d1"}
    joined = host.joined()
    joined.delegate(LI, "wang", **given)
    assert joined.acting(Actor("wang"), "li.wei", "repair").behalf == "li.wei"
    assert host.engine.delegations() == ()
    host.connection.rollback()
    assert host.joined().delegations() == ()
    joined = host.joined()
    host.note("a")
    kept = joined.delegate(LI, "wang", **given)
    with pytest.raises(FieldError, match="d1 is another delegation"):
        joined.delegate(LI, "chen", **given)
    host.connection.commit()
    assert (host.notes(), host.engine.delegations()) == (["a"], (kept,))
    host.joined().revoke("d1")
    host.connection.commit()
    assert host.engine.delegations()[0].revoked_at == NOON


def test_a_migration_is_part_of_the_hosts_transaction(url, database):
    """An instance is over in the other version when the host commits, and stays where it was when it rolls back."""
    both = Catalog.of(REPAIR, attrs.evolve(REPAIR, version=2))
    with Engine(url, both, clock=VirtualClock(NOON)) as engine, database.connect() as connection:
        inst = engine.start(("repair", 1), actor=LI)
        for end, version in ((connection.rollback, 1), (connection.commit, 2)):
            assert engine.on(connection).migrate(inst.id, 2, reason="new rules", actor=LI).version == 2
            end()
            assert engine.instance(inst.id).version == version
        assert engine.verify().ok


def test_what_the_engine_alone_does_is_listed_with_the_reason():
    """Every method that the joined engine has not stands in the table of the page, and no other."""
    page = (Path(__file__).parents[2] / "docs/how-to/join-a-transaction.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    public, joined = (
        {name for name in dir(kind) if not name.startswith("_")} for kind in (Engine, JoinedEngine)
    )
    assert sorted(listed) == sorted(public - joined)
    assert all(len(row.split("|")[2]) > 20 for row in rows)
    assert joined <= public


def test_what_the_host_rolls_back_is_gone(host):
    """A roll-back takes the instance, its facts and the answer of its command with it."""
    joined = host.joined()
    inst = joined.start("repair", actor=LI, command_id="c-1")
    host.note("a")
    host.connection.rollback()
    assert host.engine.instances() == ()
    with pytest.raises(UnknownInstance):
        host.engine.journal(inst.id)
    again = host.joined().start("repair", actor=LI, command_id="c-1")
    host.connection.commit()
    assert (again.id, len(host.engine.journal(again.id)), host.notes()) == (inst.id, 1, [])


def test_the_first_thing_done_in_a_transaction_does_not_commit_it(host):
    """A savepoint before anything else would be a transaction by itself; there is one around it."""
    joined = host.joined()
    joined.start("repair", actor=LI)
    joined.start("repair", actor=LI)
    host.connection.rollback()
    assert host.engine.instances() == ()


def test_questions_see_what_the_host_has_not_committed(host):
    """instance, instances, journal, deadlines and deviations answer from inside the transaction."""
    joined = host.joined()
    inst = joined.start("repair", actor=LI, data={"note": "x"})
    moved = joined.fire(inst.id, "accept", actor=LI)
    assert joined.instance(inst.id) == moved
    assert joined.instances() == (moved,)
    assert [fact.kind for fact in joined.journal(inst.id)] == ["Started", "Moved"]
    assert [one.state for one in joined.deadlines(inst.id, ended=True)] == ["met"]
    assert joined.deviations() == ()
    assert joined.verify().ok


def test_a_command_that_fails_leaves_the_hosts_transaction_as_it_was(host):
    """An error undoes its own change only: what the host did before is committed with what it does after."""
    joined = host.joined()
    host.note("before")
    inst = joined.start("repair", actor=LI)
    with pytest.raises(FieldError):
        joined.update(inst.id, data={"nothing": 1}, actor=LI)
    with pytest.raises(StaleRevision):
        joined.fire(inst.id, "accept", actor=LI, expected_revision=99)
    with pytest.raises(StoreError):
        joined.start("repair", instance_id=inst.id)
    host.note("later")
    host.connection.commit()
    assert host.notes() == ["before", "later"]
    assert len(host.engine.journal(inst.id)) == 1


def test_a_change_that_breaks_off_half_way_leaves_no_half(host, monkeypatch):
    """The facts are written before the work; when the second fails the first is not there either."""
    joined = host.joined()
    inst = joined.start("repair", actor=LI)

    def broken(*_: object, **__: object) -> None:
        raise OSError("away")

    monkeypatch.setattr("svcflow.store.unit_of_work.UnitOfWork._save_work", broken)
    with pytest.raises(OSError, match="away"):
        joined.fire(inst.id, "accept", actor=LI)
    monkeypatch.undo()
    assert len(joined.journal(inst.id)) == 1
    host.connection.commit()
    assert host.engine.instance(inst.id) == inst
    assert host.engine.verify().ok


def test_a_refused_attempt_is_kept_when_the_host_commits(host):
    """Refused is raised as ever; whether the attempt stays on record is the host's to say."""
    inst = host.engine.start("repair", actor=LI)
    for end, kept in ((host.connection.rollback, 1), (host.connection.commit, 2)):
        with pytest.raises(Refused) as refused:
            host.joined().fire(inst.id, "accept", actor=Actor("zhang"))
        assert refused.value.rule == "role"
        end()
        assert len(host.engine.journal(inst.id)) == kept


@ON_SQLITE
def test_a_host_without_a_transaction_is_told_so(engine, database):
    """Where each statement commits by itself there is nothing to join."""
    database = database.execution_options(isolation_level="AUTOCOMMIT")
    driver = sqlite3.connect(database.url.database, isolation_level=None)
    with database.connect() as connection:
        for one in (connection, driver):
            with pytest.raises(StoreError, match="no transaction open"):
                engine.on(one).start("repair", actor=LI)
    driver.execute("BEGIN")
    engine.on(driver).start("repair", actor=LI)
    driver.rollback()
    driver.close()
    assert engine.instances() == ()


@ON_SQLITE
def test_transactions_that_the_host_begins_by_event_are_joined(engine, database):
    """SQLAlchemy's way around the driver's own transactions, BEGIN by event, works too."""
    event.listen(database, "connect", lambda driver, _: setattr(driver, "isolation_level", None))
    event.listen(database, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    with database.connect() as connection, connection.begin() as transaction:
        engine.on(connection).start("repair", actor=LI)
        transaction.rollback()
    assert engine.instances() == ()


def test_another_database_is_refused(engine, tmp_path):
    """A file of somebody else, one that holds a service of its own, and one in memory are not the engine's."""
    Engine(f"sqlite:///{tmp_path / 'other.db'}", REPAIR).close()
    for name in (str(tmp_path / "other.db"), str(tmp_path / "empty.db"), ":memory:"):
        connection = sqlite3.connect(name)
        with pytest.raises(StoreError, match="does not lead to") as refused:
            engine.on(connection)
        connection.close()
        assert "用引擎所在数据库的连接" in refused.value.text("zh")


def test_what_is_no_connection_is_refused(engine, database):
    """A SQLAlchemy engine, an ended connection and a store in memory are answered with what to do."""
    with pytest.raises(StoreError, match="give a Connection or Session"):
        engine.on(database)
    connection = database.connect()
    connection.close()
    with pytest.raises(StoreError, match="closed; roll it back and try again"):
        engine.on(connection)
    with (
        Engine("memory://", REPAIR) as memory,
        database.connect() as opened,
        pytest.raises(StoreError, match="memory"),
    ):
        memory.on(opened)


def test_a_transaction_that_is_broken_says_so(engine, database):
    """What SQLAlchemy or the driver complains of is a StoreError with their words in it."""
    with database.connect() as connection:
        joined = engine.on(connection)
        if database.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # its driver lets a definition commit by itself
        connection.exec_driver_sql("DROP TABLE svcflow_work")
        with pytest.raises(StoreError, match=r"(no such table: |relation \")svcflow_work"):
            joined.start("repair", actor=LI)
        connection.rollback()
        joined.start("repair", actor=LI)
        connection.commit()
    assert len(engine.instances()) == 1


@ON_SQLITE
def test_rows_of_the_hosts_own_kind_do_no_harm(engine, database):
    """A driver's connection may give rows in any form; the engine reads its own."""
    driver = sqlite3.connect(database.url.database)
    driver.row_factory = lambda cursor, row: {
        name[0]: value for name, value in zip(cursor.description, row, strict=True)
    }
    joined = engine.on(driver)
    inst = joined.start("repair", actor=LI)
    assert joined.fire(inst.id, "accept", actor=LI).status == "ended"
    assert joined.instances()[0].id == inst.id
    driver.rollback()
    driver.close()


@ON_SQLITE
def test_the_engines_own_command_waits_for_the_host(engine, database):
    """SQLite has one writer: while the host's transaction is open the engine's own command waits, then goes on."""
    done: list[str] = []
    with database.connect() as connection:
        engine.on(connection).start("repair", actor=LI, instance_id="hosts")
        thread = threading.Thread(target=lambda: done.append(engine.start("repair", actor=LI).id))
        thread.start()
        time.sleep(0.1)
        assert done == []
        connection.commit()
    thread.join(PATIENCE_S)
    assert len(done) == 1
    assert len(engine.instances()) == 2


def test_the_ticker_wakes_for_what_the_host_committed(url, database):
    """A limit that the host's transaction began is recorded on time, though nobody tells of the commit."""
    soon = attrs.evolve(
        REPAIR, steps=(Step("reported", within="0.005m", to=(Transition("accept", "done"),)), REPAIR.steps[1])
    )
    with Engine(url, soon) as engine, engine.running():
        until_asleep(engine._ticker)
        with database.connect() as connection:
            inst = engine.on(connection).start("repair", actor=LI)
            connection.commit()
        until(lambda: len(engine.journal(inst.id)) == 2, "the ticker wakes")
        assert engine.journal(inst.id)[1].kind == "Overdue"


def test_an_instant_that_nobody_committed_is_looked_at_once(url, database):
    """After a roll-back the ticker finds nothing at the instant, and sleeps on."""
    with Engine(url, REPAIR) as engine, engine.running():
        ticker = engine._ticker
        with database.connect() as connection:
            joined = engine.on(connection)
            engine._notifier.expect(engine.clock.now_us() + 50_000, joined._store)
            connection.rollback()
        until(lambda: ticker._expected_us > 2**62, "it is expected no more")
        assert ticker.failure is None


def test_a_file_of_the_host_is_shared_when_that_is_said(tmp_path):
    """Tables of a host keep the engine out of a file, unless the URL says that it is shared."""
    path = tmp_path / "site.db"
    connection = sqlite3.connect(path)
    connection.execute(ORDERS)
    connection.commit()
    with pytest.raises(StoreError, match=r"write \?shared=true"):
        Engine(f"sqlite:///{path}", REPAIR)
    for _ in range(2):
        with Engine(f"sqlite:///{path}?shared=true", REPAIR) as engine:
            engine.on(connection).start("repair", actor=LI)
            connection.commit()
    assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM svcflow_facts").fetchone() == (2,)
    connection.close()


@ON_SQLITE
def test_a_transaction_that_has_seen_what_is_no_longer_so_is_told(engine, database):
    """A host that read before somebody else wrote cannot write on SQLite; after a roll-back it can."""
    inst = engine.start("repair", actor=LI)
    driver = sqlite3.connect(database.url.database, isolation_level=None)
    for reads, goes in ((True, False), (False, True)):
        driver.execute("BEGIN")
        if reads:
            driver.execute("SELECT count(*) FROM svcflow_facts").fetchall()
        joined = engine.on(driver)
        engine.update(inst.id, data={"note": "x"}, actor=LI)
        if goes:
            assert joined.fire(inst.id, "accept", actor=LI).status == "ended"
            driver.execute("COMMIT")
        else:
            with pytest.raises(StoreError, match="database is locked; roll it back and try again"):
                joined.fire(inst.id, "accept", actor=LI)
            driver.execute("ROLLBACK")
    driver.close()
    assert engine.instance(inst.id).status == "ended"
    assert engine.verify().ok


def test_a_sweep_in_the_hosts_transaction_is_part_of_it(engine, database):
    """The store that is joined does all that a store does about instances; upkeep it leaves to the engine's own."""
    inst = engine.start("repair", actor=LI)
    seen: list[str] = []
    with database.connect() as connection:
        store = engine.on(connection)._store
        store.sweep(2**62, SWEEP_START, lambda found: seen.append(found.instance.id))
        for upkeep in (lambda: store.seal(0), lambda: store.scrub("li.wei"), store.backend.scrub):
            with pytest.raises(StoreError, match="ask the engine itself"):
                upkeep()
        store.close()
        connection.rollback()
    assert seen == [inst.id]


def test_a_start_that_somebody_else_was_faster_with_gives_their_answer(engine, database):
    """Two hosts start under one command_id at the same time: there is one instance, and both get it."""
    made: list[str] = []

    def start() -> None:
        with database.connect() as connection:
            made.append(engine.on(connection).start("repair", actor=LI, command_id="c-1").id)
            connection.commit()

    with database.connect() as connection:
        first = engine.on(connection).start("repair", actor=LI, command_id="c-1")
        thread = threading.Thread(target=start)
        thread.start()
        time.sleep(0.2)
        assert made == []
        connection.commit()
    thread.join(PATIENCE_S)
    assert made == [first.id]
    assert len(engine.journal(first.id)) == 1
