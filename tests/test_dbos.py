"""`svcflow.dbos`: DBOS says when an engine ticks and delivers, decides nothing, and may lose what it has."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import attrs
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy import Engine as Database
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from svcflow import Actor, Engine
from svcflow.errors import DispatchError, MissingExtra
from svcflow.model.field import Field
from svcflow.model.limit import Rung, TimeLimit
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Step, Transition
from waiting import until, until_asleep

dbos = pytest.importorskip("dbos")

from svcflow.dbos import DbosDispatcher  # noqa: E402  # it needs the package

LI = Actor("li.wei", {"clerk"})
ON_SQLITE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
QUICK = timedelta(seconds=0.05)
SOON = Procedure(
    id="repair",
    roles=(Role("clerk"),),
    fields=(Field("note"),),
    steps=(
        Step("reported", role="clerk", within="0.005m", to=(Transition("accept", "done"),)),
        Step("done", end="completed"),
    ),
)


@attrs.frozen
class Place:
    """Where the engine and DBOS keep their tables: one database."""

    url: str
    system: str
    schema: str

    @contextmanager
    def opened(self) -> Iterator[Connection]:
        database = create_engine(self.system)
        with database.begin() as connection:
            yield connection
        database.dispose()

    def queued(self, kind: str = "%") -> int:
        """How many workflows DBOS holds, whatever has become of them."""
        with self.opened() as connection:
            return connection.execute(
                text(f"SELECT count(*) FROM {self.table} WHERE name LIKE :kind"),  # noqa: S608
                {"kind": f"svcflow.{kind}"},
            ).scalar_one()

    def lose(self) -> None:
        """Take everything out of DBOS's queues."""
        with self.opened() as connection:
            connection.execute(text(f"DELETE FROM {self.table}"))  # noqa: S608

    @property
    def table(self) -> str:
        prefix = "" if self.system.startswith("sqlite") else f"{self.schema}."
        return f"{prefix}workflow_status"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path) -> Iterator[Place]:
    if request.param == "sqlite":
        file = f"sqlite:///{tmp_path / 'service.db'}"
        yield Place(f"{file}?shared=true", file, "dbos")
        return
    url = request.getfixturevalue("postgres_url")
    schema = f"{make_url(url).query['application_name']}_dbos"
    yield Place(url, url, schema)
    request.getfixturevalue("database_server").administer(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """DBOS looks once a second for what is due; a test does not wait so long."""
    monkeypatch.setattr("dbos._workflow_commands._BACKGROUND_JOBS_INTERVAL_SEC", 0.05)


@pytest.fixture
def engine(place) -> Iterator[Engine]:
    with Engine(place.url, SOON) as made:
        yield made


@pytest.fixture
def database(place) -> Iterator[Database]:
    made = create_engine(place.system)
    yield made
    made.dispose()


@contextmanager
def launched(place: Place, version: str = "svcflow") -> Iterator[Callable[[Engine], None]]:
    """DBOS over the system database of a place; ended with all it has registered."""
    config = {
        "name": "service",
        "system_database_url": place.system,
        "dbos_system_schema": place.schema,
        "application_version": version,
        "use_listen_notify": False,
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": 0.05,  # how long its end is waited for
    }
    dbos.DBOS(config=config)
    try:
        yield dbos.DBOS.launch
    finally:
        dbos.DBOS.destroy(destroy_registry=True)


@contextmanager
def dispatched(
    engine: Engine, place: Place, *, sweep: timedelta = timedelta(minutes=1), poll: timedelta = QUICK
) -> Iterator[DbosDispatcher]:
    with launched(place) as launch:
        dispatcher = DbosDispatcher(engine, place.system, schema=place.schema, sweep=sweep, poll=poll)
        known(place, poll)
        launch()
        with dispatcher:
            for sweep_of in dispatcher._running._tickers:
                until_asleep(sweep_of)  # what is done from here on, DBOS does
            yield dispatcher


def known(place: Place, poll: timedelta) -> None:
    """Have queues stand there already, as after the first launch: of a new one DBOS learns after a second."""
    dbos.DBOS.migrate(place.system, schema=place.schema)
    client = dbos.DBOSClient(system_database_url=place.system, dbos_system_schema=place.schema)
    for queue in ("svcflow.tick", "svcflow.deliver"):
        client.register_queue(queue, polling_interval_sec=poll.total_seconds())
    client.destroy()


def wait_for(told: Callable[[], object], what: str) -> None:
    until(told, what)


def kinds(engine: Engine, instance: str) -> list[str]:
    return [fact.kind for fact in engine.journal(instance)]


def test_a_deadline_is_recorded_through_dbos(engine, place):
    """Nobody ticks in the background but a workflow; what becomes due is recorded once, at its instant."""
    with dispatched(engine, place):
        inst = engine.start("repair", actor=LI)
        (deadline,) = engine.deadlines(inst.id)
        wait_for(lambda: len(engine.journal(inst.id)) > 1, "no workflow ticked")
        assert kinds(engine, inst.id) == ["Started", "Overdue"]
        assert engine.journal(inst.id)[1].occurred_at == deadline.due_at
        wait_for(lambda: dbos.DBOS.list_workflows(name="svcflow.tick", status="SUCCESS"), "it did not end")
        (done,) = dbos.DBOS.list_workflows(name="svcflow.tick")
        assert (done.output, done.input["args"], done.app_version) == (1, (), "svcflow")


def test_a_fact_is_delivered_through_dbos(engine, place):
    """A handler is given what a command records, and what a tick of DBOS records, without a thread of ours."""
    given: list[str] = []
    engine.on_fact(name="desk")(lambda fact: given.append(fact.kind))
    with dispatched(engine, place):
        engine.start("repair", actor=LI)
        wait_for(lambda: given == ["Started", "Overdue"], f"delivered: {given}")
        wait_for(lambda: place.queued("deliver") == 2, "not one for each")


@ON_SQLITE
def test_each_tick_queues_the_next_instant(place):
    """A warning by one workflow, the breach by another: nobody asked the engine for anything in between."""
    limit = TimeLimit(within="0.02m", warn=(Rung("50%"),))
    warned = attrs.evolve(SOON, steps=(attrs.evolve(SOON.steps[0], within=limit), SOON.steps[1]))
    with Engine(place.url, warned) as engine, dispatched(engine, place):
        inst = engine.start("repair", actor=LI)
        wait_for(lambda: len(engine.journal(inst.id)) > 2, "the next instant was not queued")
        assert kinds(engine, inst.id) == ["Started", "Warned", "Overdue"]


@ON_SQLITE
def test_a_failed_delivery_is_queued_again(engine, place):
    """What a handler refuses waits in DBOS for the next attempt."""
    given: list[int] = []

    @engine.on_fact("started", name="desk", pause=timedelta(seconds=0.2))
    def desk(fact: object, delivery: object) -> None:
        given.append(delivery.attempt)
        if delivery.attempt == 1:
            raise ConnectionError

    with dispatched(engine, place):
        engine.start("repair", actor=LI)
        wait_for(lambda: given == [1, 2], f"attempts: {given}")


def test_what_the_host_commits_or_rolls_back_is_queued_or_not(engine, place, database):
    """In a host's transaction the queue shares its fate, on each way a host has a connection."""
    engine.on_fact(name="desk")(repr)
    driver = database.raw_connection()
    with dispatched(engine, place, poll=timedelta(minutes=1)):
        ways = (database.connect(), Session(database), driver.driver_connection)
        for number, host in enumerate(ways):
            for end, count in ((host.rollback, number), (host.commit, number + 1)):
                engine.on(host).start("repair", actor=LI)
                end()
                assert (place.queued("tick"), place.queued("deliver")) == (count, count)
                assert len(engine.instances()) == count
        for host in ways[:2]:
            host.close()
    driver.close()


def test_what_a_host_committed_is_done_through_dbos(engine, place, database):
    """A limit and a delivery that a host's transaction asked for come about."""
    given: list[str] = []
    engine.on_fact(name="desk")(lambda fact: given.append(fact.kind))
    with dispatched(engine, place):
        with database.begin() as connection:
            engine.on(connection).start("repair", actor=LI)
        wait_for(lambda: given == ["Started", "Overdue"], f"delivered: {given}")


def test_what_dbos_lost_is_swept_up(engine, place):
    """With its queues emptied nothing of ours is missing: it is recorded and delivered by the sweep."""
    given: list[str] = []
    engine.on_fact(name="desk")(lambda fact: given.append(fact.kind))
    with dispatched(engine, place, sweep=timedelta(seconds=0.3), poll=timedelta(minutes=1)):
        inst = engine.start("repair", actor=LI)
        assert place.queued() > 0
        place.lose()
        wait_for(lambda: given == ["Started", "Overdue"], f"delivered: {given}")
        assert kinds(engine, inst.id) == given
        assert dbos.DBOS.list_workflows(status="SUCCESS") == []


def test_a_workflow_that_runs_twice_records_nothing_twice(engine, place):
    """DBOS runs a workflow again after a crash; the second run finds nothing to do."""
    given: list[str] = []
    engine.on_fact(name="desk")(lambda fact: given.append(fact.kind))
    with dispatched(engine, place):
        inst = engine.start("repair", actor=LI)
        wait_for(lambda: given == ["Started", "Overdue"], f"delivered: {given}")
        for name in ("svcflow.tick", "svcflow.deliver"):
            (first, *_) = dbos.DBOS.list_workflows(name=name)
            again = dbos.DBOS.fork_workflow(first.workflow_id, 1, queue_name=name)
            assert again.get_result(polling_interval_sec=0.05) == 0
    assert given == kinds(engine, inst.id) == ["Started", "Overdue"]


@ON_SQLITE
def test_an_instant_is_queued_once(place):
    """Transitions that leave the next due instant as it is add no workflow to the queue."""
    # the deadline must not pass meanwhile, however slow the machine is
    later = attrs.evolve(SOON, steps=(attrs.evolve(SOON.steps[0], within="1h"), SOON.steps[1]))
    with Engine(place.url, later) as engine, dispatched(engine, place, poll=timedelta(minutes=1)):
        inst = engine.start("repair", actor=LI)
        engine.update(inst.id, data={"note": "x"}, actor=LI)
        engine.recompute(reason="a year published", actor=LI)
        assert engine.instance(inst.id).next_us == engine._store.next_due_us()
        assert place.queued("tick") == 1


@ON_SQLITE
def test_a_command_is_done_though_dbos_is_away(engine, place, caplog):
    """What is committed does not wait for DBOS and does not fail by it; the log says so, the sweep does it."""
    with dispatched(engine, place, sweep=timedelta(seconds=0.3)):
        with place.opened() as connection:
            connection.execute(text("ALTER TABLE workflow_status RENAME TO gone"))
        inst = engine.start("repair", actor=LI)
        assert "DBOS took no svcflow.tick; the sweep does it" in caplog.text
        wait_for(lambda: len(engine.journal(inst.id)) > 1, "nobody swept")


@ON_SQLITE
def test_dbos_in_another_database_cannot_join(engine, place, database, tmp_path):
    """Where DBOS has its tables elsewhere, a host's transaction cannot hold both, and is told."""
    elsewhere = attrs.evolve(place, system=f"sqlite:///{tmp_path / 'dbos.db'}")
    with dispatched(engine, elsewhere), database.connect() as connection:
        with pytest.raises(DispatchError, match="must have its system database where the store is") as told:
            engine.on(connection).start("repair", actor=LI)
        assert "同一数据库" in told.value.text("zh")
        connection.rollback()
    assert engine.instances() == ()


@ON_SQLITE
def test_another_version_of_the_application_is_refused(engine, place):
    """Under a version that changes with a deploy, DBOS would leave alone what was queued before it."""
    with launched(place, version="4711") as launch:
        dispatcher = DbosDispatcher(engine, place.system)
        launch()
        with pytest.raises(DispatchError, match="application_version '4711', not 'svcflow'"):
            dispatcher.start()
        dispatcher.stop()


@ON_SQLITE
def test_what_was_queued_before_a_deploy_is_run_after_it(engine, place):
    """A process that begins anew, with the same version, runs what an earlier one left in the queue."""
    with dispatched(engine, place) as dispatcher:
        dispatcher.tick_at(engine.clock.now_us() + 1_000_000, engine._store)
        (queued,) = dbos.DBOS.list_workflows(name="svcflow.tick")
    with dispatched(engine, place):
        wait_for(lambda: dbos.DBOS.list_workflows(status="SUCCESS"), "it was orphaned")
        assert [one.workflow_id for one in dbos.DBOS.list_workflows()] == [queued.workflow_id]


def test_without_the_package_the_extra_is_named(monkeypatch):
    """Whoever has not installed DBOS is told what to install."""
    monkeypatch.setitem(sys.modules, "dbos", None)
    monkeypatch.delitem(sys.modules, "svcflow.dbos")
    with pytest.raises(MissingExtra, match=r"svcflow\[dbos\]"):
        importlib.import_module("svcflow.dbos")
