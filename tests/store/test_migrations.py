"""A database of every earlier version opens, verifies and goes on; one of a later version is refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import attrs
import pytest
from sqlalchemy import create_engine
from stored_play import CATALOG, CLERK, MORNING, play

from svcflow import Catalog, Engine, Procedure, VirtualClock
from svcflow.errors import ChangedProcedure, StoreError, UnknownProcedure
from svcflow.kernel.facts import Fact, Refused, Started
from svcflow.model.limit import TimeLimit
from svcflow.model.step import Step, Transition
from svcflow.store import schema
from waiting import PATIENCE_S

KEPT = {int(file.stem): file for file in Path(__file__).with_name("schemas").glob("*.sql")}
EARLIER = [file for number, file in sorted(KEPT.items()) if number < schema.VERSION]
WITHOUT_WORK = [file for file in EARLIER if int(file.stem) < 3]
"""Those whose work an engine tells anew."""
EVENING = MORNING + timedelta(minutes=30 + 9 * 60)


def test_every_earlier_version_is_kept():
    """A version of the schema without a database of it could not be tested."""
    assert {*range(1, schema.VERSION)} <= {*KEPT}


@pytest.fixture(params=EARLIER, ids=[f"version {file.stem}" for file in EARLIER])
def old(request, tmp_path):
    """A file as an earlier version left it."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as file:
        file.executescript(request.param.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def new(tmp_path):
    """The same play, kept by the present version."""
    path, clock = tmp_path / "new.db", VirtualClock(MORNING)
    with Engine(f"sqlite:///{path}", CATALOG, clock=clock) as engine:
        play(engine, clock)
    return path


def opened(path, catalog=CATALOG):
    return Engine(f"sqlite:///{path}", catalog, clock=VirtualClock(EVENING))


def rows(path, asked):
    with closing(sqlite3.connect(path)) as file:
        return file.execute(asked).fetchall()


def shape(path):
    """Every table with its columns and indexes."""
    names = [name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: (
            rows(path, f"PRAGMA table_info({name})"),
            sorted(
                (*index[1:], *rows(path, f"PRAGMA index_info({index[1]})"))
                for index in rows(path, f"PRAGMA index_list({name})")
            ),
        )
        for name in names
    }


def test_a_migrated_database_has_the_shape_of_a_new_one(old, new):
    """Tables, columns and indexes are the same, whichever version they come from."""
    opened(old).close()
    assert shape(old) == shape(new)
    assert rows(old, "SELECT name, value FROM svcflow_meta") == [("schema", str(schema.VERSION))]


def unworded(journal: tuple[Fact, ...]) -> list[Fact]:
    """A journal without the wording of refusals, which may change, and the marks of calendars, which came later."""
    bare = [attrs.evolve(one, zh="", en="") if isinstance(one, Refused) else one for one in journal]
    return [attrs.evolve(one, calendars={}) if isinstance(one, Started) else one for one in bare]


def test_a_migrated_database_holds_what_a_new_one_holds(old, new):
    """Instances, facts, deviations, work: all as if the present version had kept them."""
    with opened(old) as was, opened(new) as now:
        assert was.verify().ok
        assert was.verify().facts == now.verify().facts
        assert was.instances() == now.instances()
        assert was.deviations() == now.deviations()
        for one in was.instances():
            assert unworded(was.journal(one.id)) == unworded(now.journal(one.id))
    for asked in (
        "SELECT * FROM svcflow_work ORDER BY instance, step",
        "SELECT instance, sequence FROM svcflow_facts ORDER BY position",
        "SELECT * FROM svcflow_commands WHERE refused = 0 ORDER BY instance, command_id",
        "SELECT * FROM svcflow_procedures",
    ):
        assert rows(old, asked) == rows(new, asked) != []


def test_a_migrated_database_goes_on(old):
    """Its commands are known, its instances move and become overdue, and it still verifies."""
    with opened(old) as engine:
        assert engine.fire("late", "accept", actor=CLERK, command_id="accept-late").steps == ("working",)
        assert engine.fire("late", "again", actor=CLERK).steps == ("working",)
        engine.clock.advance(timedelta(days=30))
        assert {fact.kind for fact in engine.tick()} >= {"Overdue"}
        assert engine.start("repair", data={"place": "1-1"}, actor=CLERK).steps == ("reported",)
        assert engine.verify().ok


def test_it_is_said_what_of_a_person_stays_in_the_clear(old):
    """The journals of before there were commitments name persons for good: forgetting says in how many entries."""
    asked = 'SELECT instance FROM svcflow_facts WHERE instr(body, \'"actor":"li.wei"\') ORDER BY instance'
    plain = [name for (name,) in rows(old, asked)]
    with opened(old) as engine:
        forgotten = engine.forget("li.wei", open=True)
        assert bool(forgotten.values) != bool(plain)
        assert (forgotten.named, forgotten.named_in) == (len(plain), tuple(dict.fromkeys(plain)))
        engine.fire("late", "again", actor=CLERK)
        again = engine.forget("li.wei", open=True)
        assert (again.instances, again.values, again.named) == (("late",), 1, len(plain))
        assert engine.verify().ok


@pytest.mark.parametrize("old", WITHOUT_WORK, indirect=True, ids=[f"version {f.stem}" for f in WITHOUT_WORK])
def test_work_waits_for_a_catalog_that_knows_its_procedure(old):
    """An engine without the procedure opens; the next one that has it fills the work in, up to version 2."""
    with closing(sqlite3.connect(old)) as file, file:
        if "svcflow_work" in shape(old):
            file.execute("DELETE FROM svcflow_work")
    with opened(old, Catalog.of()) as engine:
        assert len(engine.instances()) == 4
        with pytest.raises(UnknownProcedure):
            engine.fire("late", "again", actor=CLERK)
    assert rows(old, "SELECT * FROM svcflow_work") == []
    opened(old).close()
    assert len(rows(old, "SELECT * FROM svcflow_work")) == 3


def test_a_migrated_database_is_pinned_to_its_procedures(old):
    """The first engine that knows the procedures pins them; other content under the same version is refused."""
    import attrs

    opened(old).close()
    other = Catalog.of(attrs.evolve(CATALOG["repair"], calendar="always"))
    with opened(old, other) as engine, pytest.raises(ChangedProcedure):
        engine.fire("late", "again", actor=CLERK)


OPENER = """
import sys
from svcflow.store import open_store
store = open_store(sys.argv[1])
print(len(list(store.ids())))
store.close()
"""


@pytest.mark.long
def test_processes_may_open_an_old_database_at_the_same_time(old):
    """Four processes find it old; one migrates it, the others go on with the result."""
    command = [sys.executable, "-W", "error", "-c", OPENER, f"sqlite:///{old}"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [one.communicate(timeout=PATIENCE_S)[0].strip() for one in running] == ["4"] * 4
    with opened(old) as engine:
        assert engine.verify().ok


def test_a_migration_that_fails_leaves_the_database_as_it_was(old):
    """All of a migration is one transaction."""
    with closing(sqlite3.connect(old)) as file:
        file.execute(
            "CREATE TRIGGER failing BEFORE UPDATE ON svcflow_meta BEGIN SELECT RAISE(ABORT, 'no'); END"
        )  # the last thing that a migration does
    before = rows(old, "SELECT * FROM sqlite_master")
    with pytest.raises(StoreError):
        opened(old)
    assert rows(old, "SELECT * FROM sqlite_master") == before


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_minimum_was_a_deadline_of_work_up_to_version_2(kind, request, tmp_path):
    """The work of open instances is told anew once, without reading a journal; a store that was never asked verifies."""
    sample = Procedure(
        id="sample",
        steps=(Step("kept", to=(Transition("throw", "end"),)), Step("end", end="completed")),
        limits=(TimeLimit(id="keep", step="kept", at_least="48h"),),
    )
    url = f"sqlite:///{tmp_path / 'a.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    with Engine(url, sample, clock=VirtualClock(MORNING)) as engine:
        engine.start("sample", instance_id="a")
        engine.fire(engine.start("sample", instance_id="b").id, "throw")
    bare = create_engine(url)
    with bare.begin() as connection:
        connection.execute(schema.work.update().values(due_us=1))
        connection.execute(schema.meta.update().where(schema.meta.c.name == "schema").values(value="2"))
    bare.dispose()
    with Engine(url, sample, clock=VirtualClock(MORNING)) as engine:
        assert [one.due_at for one in engine.worklist()] == [None]
        assert engine.verify().problems == ()
        assert engine._store.wants_rebuilding() == ""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_there_were_no_regular_starts_up_to_version_3(kind, request, tmp_path):
    """Their table is made, and an engine goes on with all that was there."""
    url = f"sqlite:///{tmp_path / 'a.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    clock = VirtualClock(MORNING)
    with Engine(url, CATALOG, clock=clock) as engine:
        play(engine, clock)
    bare = create_engine(url)
    with bare.begin() as connection:
        schema.starts.drop(connection)
        connection.execute(schema.meta.update().where(schema.meta.c.name == "schema").values(value="3"))
    bare.dispose()
    with Engine(url, CATALOG, clock=clock) as engine:
        assert list(engine._store.starts()) == []
        assert engine.verify().problems == ()
        assert engine.fire("late", "again", actor=CLERK).steps == ("working",)


@pytest.mark.parametrize("version", [str(schema.VERSION + 1), "0", "two"])
def test_an_unknown_version_is_refused(new, version):
    """A database of a later version is not touched, and the error says which version it has."""
    with closing(sqlite3.connect(new)) as file, file:
        file.execute("UPDATE svcflow_meta SET value = ? WHERE name = 'schema'", (version,))
    with pytest.raises(StoreError, match=rf"schema version {version}.*up to {schema.VERSION}.*upgrade"):
        opened(new)
    assert rows(new, "SELECT value FROM svcflow_meta") == [(version,)]
