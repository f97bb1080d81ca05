"""Every column of every table is held against something by `verify`, or named in the documentation as what nothing tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from contract_cases import CATALOG, COMPILED, LI, NOON, engine_on
from sqlalchemy import Column, Connection, Table, and_

from svcflow import Actor, Engine, Recipient, Refused, VirtualClock
from svcflow.errors import ChangedProcedure, CorruptJournal, SvcflowError
from svcflow.journal import verified
from svcflow.kernel import evolve
from svcflow.kernel.lifecycle.deviations import deviations_of
from svcflow.runtime.filters import DeviationQuery
from svcflow.runtime.start_positions import StartPosition
from svcflow.store import open_store, schema, seals, table_rows
from svcflow.store.memory import rows as memory_rows
from svcflow.store.sql import SqlStore

HOUR = timedelta(hours=1)
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "journal.md"
Row = Mapping[str, object]
TABLES = schema.metadata.sorted_tables
ROWS: Mapping[str, Callable[[Table], object]] = {"svcflow_meta": lambda table: table.c.name == "origin"}
"""The row that is changed, where it is not the first one."""


def named() -> frozenset[str]:
    """The columns, and tables whose rows, nothing tells: as the page says."""
    text = PAGE.read_text(encoding="utf-8")
    section = re.search(r"^## What nothing tells$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    return frozenset(re.findall(r"^\| `(svcflow_[\w.]+)`", section[1], re.MULTILINE))


NAMED = named()


def refuse(*_: object) -> None:
    raise ConnectionError


@pytest.fixture
def filled(url: str) -> Iterator[Engine]:
    """A store with rows in every table: overdue and answered, assigned, delegated, undelivered, dead, sealed."""
    clock = VirtualClock(NOON)
    with engine_on(open_store(url), clock) as engine:
        engine.delegate(LI, "wang", roles=["clerk"], since=NOON, until=NOON + 9 * HOUR, delegation_id="d1")
        engine.on_fact(name="slow", attempts=3)(refuse)
        engine.on_fact(name="dead", attempts=1)(refuse)
        for name in ("r1", "r2"):
            engine.start("repair", actor=LI, recipient=Recipient("zhang", group="staff"), instance_id=name,
                         command_id=f"start {name}")  # fmt: skip
            clock.advance(2 * HOUR)
            engine.fire(name, "accept", actor=LI, command_id=f"accept {name}")
        with pytest.raises(Refused):
            engine.fire("r1", "accept", actor=LI, command_id="again")
        engine.explain_deviation("r1", 2, reason="the lift", actor=LI)
        engine.claim("r1", actor=Actor("chen", roles={"chief"}))
        engine._store.keep_start(None, StartPosition("repair", "monthly", 1, 0, "2026-01-05T08:30"))
        engine.deliver()
        engine.seal()
        engine.fire("r2", "again", actor=LI)
        assert engine.verify().ok
        yield engine


def other(column: Column, value: object) -> object:
    """Another value of the same kind."""
    if value is None:
        return b"{}" if column.name == "secrets" else 1
    if isinstance(value, int):
        return value + 1_000_003
    return value[:-1] + bytes([value[-1] ^ 1]) if isinstance(value, bytes) else f"{value}x"


def store_of(engine: Engine) -> SqlStore:
    assert isinstance(engine._store, SqlStore)
    return engine._store


def changed(engine: Engine, act: Callable[[Connection], object]) -> None:
    with store_of(engine).backend.exclusive() as connection:
        act(connection)


def first(engine: Engine, table: Table) -> Row:
    asked = table.select().order_by(*table.primary_key)
    if table.name in ROWS:
        asked = asked.where(ROWS[table.name](table))
    with store_of(engine).backend.reading() as connection:
        return dict(connection.execute(asked).first()._mapping)


def here(table: Table, row: Row) -> object:
    return and_(*(column == row[column.name] for column in table.primary_key))


def is_found(engine: Engine, table: Table, column: str | None = None) -> bool:
    """Whether verification names the table, and the column if one is given and it says which."""
    return any(_is_of(name, error, table.name, column) for name, error in engine.verify().problems)


def _is_of(name: str, error: SvcflowError, table: str, column: str | None) -> bool:
    if isinstance(error, ChangedProcedure):
        return table == "svcflow_procedures"
    assert error.text("zh") != error.text("en")
    at, where = getattr(error, "table", ""), getattr(error, "column", "")
    return at == table and (
        column in (None, where) or not where or table in ("svcflow_facts", "svcflow_leaves")
    )


def test_every_column_is_verified_or_named(filled):
    """One value of each column is another: the problem names table and column, or the page names the column."""
    missed = []
    for table in TABLES:
        for column in table.c:
            row = first(filled, table)
            forged = {**row, column.name: other(column, row[column.name])}
            changed(
                filled,
                lambda on, t=table, r=row, f=forged: on.execute(t.update().where(here(t, r)).values(f)),
            )
            if not is_found(filled, table, column.name):
                missed.append(f"{table.name}.{column.name}")
            changed(
                filled,
                lambda on, t=table, r=row, f=forged: on.execute(t.update().where(here(t, f)).values(r)),
            )
    assert set(missed) <= NAMED
    assert filled.verify().ok


def test_every_missing_row_is_found_or_named(filled):
    """The first row of each table is gone."""
    missed = []
    for table in TABLES:
        row = first(filled, table)
        changed(filled, lambda on, t=table, r=row: on.execute(t.delete().where(here(t, r))))
        if not is_found(filled, table):
            missed.append(table.name)
        changed(filled, lambda on, t=table, r=row: on.execute(t.insert().values(r)))
    assert set(missed) <= NAMED
    assert filled.verify().ok


def test_every_surplus_row_is_found_or_named(filled):
    """The first row of each table is there once more, under another key."""
    missed = []
    for table in TABLES:
        row = first(filled, table)
        last = [*table.primary_key][-1]
        added = {**row, last.name: other(last, row[last.name])}
        if table is schema.facts:
            added["sequence"] = 1_000
        changed(filled, lambda on, t=table, a=added: on.execute(t.insert().values(a)))
        if not any(is_found(filled, one) for one in (table, schema.instances)):
            missed.append(table.name)
        changed(filled, lambda on, t=table, a=added: on.execute(t.delete().where(here(t, a))))
    assert set(missed) <= NAMED
    assert filled.verify().ok


def test_what_the_page_names_is_there():
    """A column that is no more, or a table, is not named."""
    known = {table.name for table in TABLES} | {
        f"{table.name}.{one.name}" for table in TABLES for one in table.c
    }
    assert NAMED
    assert known >= NAMED


def test_the_rows_of_a_store_in_memory_are_those_of_the_tables():
    """Both give the same columns, so that the same rules are held against them."""
    for name, columns in memory_rows.COLUMNS.items():
        kept = table_rows.COLUMNS[name]
        assert (sorted(columns.names), columns.key) == (sorted(kept.names), kept.key)
        assert columns.names[: columns.key] == kept.names[: kept.key]
        assert columns.names == kept.names


def test_a_sound_store_in_memory_verifies_too():
    """Commands, deliveries and work of a store in memory are held against its journals."""
    clock = VirtualClock(NOON)
    engine = Engine("memory://", CATALOG, clock=clock)
    engine.on_fact(name="slow", attempts=3)(refuse)
    engine.start("repair", actor=LI, instance_id="r1", command_id="k")
    engine.delegate(LI, "wang", roles=["clerk"], since=NOON, until=NOON + HOUR)
    engine.deliver()
    engine.seal()
    assert engine.verify().ok
    engine._store._journals["r1"]._work = (engine.instance("r1"), ())
    ((name, error),) = engine.verify().problems
    assert (name, error.table, error.column) == ("r1", "svcflow_work", "")


def slowly(engine: Engine, name: str) -> bool:
    """Whether an instance is in order: loaded by itself, its facts applied one by one."""
    store = engine._store
    try:
        kept = store.load(name)
        facts = list(verified(name, store.rows(name), kept.head, store.secrets(name)))
        instance = None
        for fact in facts:
            instance = evolve(COMPILED["repair"], instance, fact)
    except CorruptJournal:
        return False
    asked = store.deviations(DeviationQuery(name))
    told = sorted(deviations_of(facts), key=lambda one: one.sequence)
    return instance == kept.instance and sorted(asked, key=lambda one: one.sequence) == told


FORGED = {
    "nothing": "UPDATE svcflow_seals SET sealed_us = 0",
    "a state": "UPDATE svcflow_instances SET state = (SELECT state FROM svcflow_instances WHERE id = 'r1') WHERE id = 'r2'",
    "a column": "UPDATE svcflow_instances SET status = 'ended' WHERE id = 'r2'",
    "an entry": "DELETE FROM svcflow_facts WHERE instance = 'r1' AND sequence = 3",
    "an overrun": "UPDATE svcflow_deviations SET overrun_us = 7 WHERE instance = 'r2'",
    "a head": "UPDATE svcflow_instances SET head = (SELECT link FROM svcflow_facts WHERE instance = 'r1' AND sequence = 1)",
}


@pytest.mark.parametrize("what", FORGED)
def test_reading_by_pages_finds_what_looking_at_each_instance_finds(filled, what, monkeypatch):
    """However many instances are read at once, and one by one, the same ones are in order, with as many facts."""
    changed(filled, lambda on: on.exec_driver_sql(FORGED[what]))
    wrong = {name for name in ("r1", "r2") if not slowly(filled, name)}
    assert bool(wrong) == (what != "nothing")
    whole = filled.verify()
    assert {name for name, _ in whole.problems if name.startswith("r")} == wrong
    assert {name for name in ("r1", "r2") if not filled.verify(name).ok} == wrong
    for page in (1, 2, 3):
        for module, bound in ((table_rows, "_INSTANCES"), (table_rows, "_FACTS"), (seals, "_LEAVES")):
            monkeypatch.setattr(module, bound, page)
        paged = filled.verify()
        assert (paged.instances, paged.facts) == (whole.instances, whole.facts)
        assert [(name, str(error)) for name, error in paged.problems] == [
            (name, str(error)) for name, error in whole.problems
        ]


def test_instances_are_read_when_they_are_asked_for(filled, monkeypatch):
    """One page is in memory at a time: the first instance is given before the second page is read."""
    monkeypatch.setattr(table_rows, "_INSTANCES", 1)
    pages, page = [], table_rows._page
    monkeypatch.setattr(table_rows, "_page", lambda *given: pages.append(1) or page(*given))
    given = filled._store.instance_rows()
    assert (next(given).instance, len(pages)) == ("r1", 1)
    assert [one.instance for one in given] == ["r2"]


def test_rows_behind_the_last_instance_are_seen_by_pages_too(filled, monkeypatch):
    """What is kept of an instance that sorts before the first, between two or after the last has no instance."""
    monkeypatch.setattr(table_rows, "_INSTANCES", 1)
    for name in ("", "r11", "zz"):
        changed(
            filled, lambda on, n=name: on.execute(schema.persons.insert().values(person="li", instance=n))
        )
    found = {(name, error.table) for name, error in filled.verify().problems}
    assert found == {(name, "svcflow_persons") for name in ("", "r11", "zz")}


def test_sealing_state_that_cannot_be_read_or_is_another_stores_is_found(filled):
    """A frontier that is none, a store that lost its name, and one that is called otherwise than its checkpoint."""
    sealed = filled.seal()
    last = schema.seals.c.size == sealed.size
    name = schema.meta.c.name == "origin"
    for change, at in (
        (schema.seals.update().where(last).values(frontier=b""), ("svcflow_seals", "frontier")),
        (schema.meta.update().where(name).values(value="another"), ("svcflow_meta", "value")),
        (schema.meta.delete().where(name), ("svcflow_meta", "")),
    ):
        changed(filled, lambda on, change=change: on.execute(change))
        problems = filled.verify(checkpoint=sealed).problems
        assert at in {(error.table, error.column) for _, error in problems}


def test_entries_numbered_or_placed_otherwise_are_found(filled):
    """The chain says nothing of numbers and positions: those of all entries of a journal moved on by one, or swapped."""
    facts, own = schema.facts, schema.facts.c.instance == "r1"
    before = filled._store.last_position()
    for column, by in ((facts.c.sequence, 100), (facts.c.position, before)):
        first_one = own if column is facts.c.sequence else own & (facts.c.sequence == 1)
        changed(
            filled,
            lambda on, c=column, n=by, w=first_one: on.execute(facts.update().where(w).values({c: c + n})),
        )
        found = {(error.table, error.column) for name, error in filled.verify().problems if name == "r1"}
        assert ("svcflow_facts", column.name) in found
        changed(
            filled,
            lambda on, c=column, n=by, w=own: on.execute(
                facts.update().where(w & (c > n)).values({c: c - n})
            ),
        )
    assert filled.verify().ok


def test_a_delegation_that_nobody_could_give_is_found(filled):
    """One without roles, to oneself, or that ends before it begins; one of an erased person is passed over."""
    for forged in ({"roles": "[]"}, {"taker": "li"}, {"until_us": 0}, {"roles": "nonsense"}):
        row = first(filled, schema.delegations)
        changed(filled, lambda on, f=forged: on.execute(schema.delegations.update().values(f)))
        ((name, error),) = filled.verify().problems
        assert (name, error.table, error.row) == ("svcflow_delegations", "svcflow_delegations", "d1")
        changed(filled, lambda on, r=row: on.execute(schema.delegations.update().values(r)))
    changed(filled, lambda on: on.execute(schema.delegations.update().values(giver="")))
    assert filled.verify().ok
