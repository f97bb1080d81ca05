"""Whoever changes a store behind the engine's back is found out by `verify`."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from contract_cases import CATALOG, LI, NOON, declared, engine_on

from svcflow import Engine, VirtualClock
from svcflow.errors import CorruptJournal
from svcflow.journal import GENESIS, chained
from svcflow.kernel import Update, compile_procedure, transact
from svcflow.kernel.compiled import calendars_of
from svcflow.runtime.store import ChangeSet

HOUR = timedelta(hours=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with two instances; r1 has eight facts, two of them deviations."""
    clock = VirtualClock(NOON)
    path = tmp_path / "service.db"
    with Engine(f"sqlite:///{path}", CATALOG, clock=clock) as engine:
        for name in ("r1", "r2"):
            engine.start("repair", actor=LI, instance_id=name)
            clock.advance(2 * HOUR)
            engine.fire(name, "accept", actor=LI)
            clock.advance(HOUR)
            engine.fire(name, "again", actor=LI)
        clock.advance(2 * HOUR)
        engine.fire("r1", "close", actor=LI)
        assert engine.verify().ok
        assert len(engine.journal("r1")) == 8
    return path


def tampered(path: Path, *statements: tuple[str, ...]) -> list[str]:
    """Run statements on the file; return the instances in which verification then finds a problem."""
    base = sqlite3.connect(path)
    for statement, *values in statements:
        base.execute(statement, values)
    base.commit()
    base.close()
    with Engine(f"sqlite:///{path}", CATALOG) as engine:
        result = engine.verify()
        assert all(isinstance(error, CorruptJournal) and error.text("zh") for _, error in result.problems)
        return [name for name, _ in result.problems]


def rows(path: Path, name: str = "r1") -> list[tuple[int, bytes, bytes]]:
    base = sqlite3.connect(path)
    found = base.execute(
        "SELECT sequence, body, link FROM svcflow_facts WHERE instance = ? ORDER BY sequence", (name,)
    ).fetchall()
    base.close()
    return found


def test_every_flipped_bit_of_a_body_or_link_is_found(file):
    """One bit of any byte, in any entry: the chain does not fit any more."""
    missed = []
    with Engine(f"sqlite:///{file}", CATALOG) as engine:
        base = sqlite3.connect(file)
        for sequence, body, link in rows(file):
            for column, value in (("body", body), ("link", link)):
                for place in range(0, len(value), 7):
                    bit = 1 << (place % 8)
                    wrong = value[:place] + bytes([value[place] ^ bit]) + value[place + 1 :]
                    where = f"UPDATE svcflow_facts SET {column} = ? WHERE instance = 'r1' AND sequence = ?"  # noqa: S608  # two names of our own
                    base.execute(where, (wrong, sequence))
                    base.commit()
                    if [name for name, _ in engine.verify().problems] != ["r1"]:
                        missed.append((sequence, column, place))
                    base.execute(where, (value, sequence))
        base.commit()
        base.close()
        assert engine.verify().ok
    assert missed == []


@pytest.mark.parametrize("sequence", [1, 3, 8])
def test_a_deleted_entry_is_found(file, sequence):
    """The first, one in the middle, the last: a cut tail disagrees with the instance's head."""
    assert tampered(file, ("DELETE FROM svcflow_facts WHERE instance = 'r1' AND sequence = ?", sequence)) == [
        "r1"
    ]


def test_a_tail_cut_together_with_its_head_is_found(file):
    """Cutting the tail and setting the head back leaves an instance that is ahead of its journal."""
    link = rows(file)[6][2]
    assert tampered(
        file,
        ("DELETE FROM svcflow_facts WHERE instance = 'r1' AND sequence = 8",),
        ("UPDATE svcflow_instances SET head = ? WHERE id = 'r1'", link),
    ) == ["r1"]


def test_an_inserted_entry_is_found(file):
    """An entry put in at the end, with a link that fits, is one more than the instance knows."""
    _, body, link = rows(file)[-1]
    added = sha256(link + body).digest()
    assert tampered(file, ("INSERT INTO svcflow_facts VALUES (NULL, 'r1', 9, ?, ?)", body, added)) == ["r1"]


def test_swapped_entries_are_found(file):
    """Two entries in each other's place do not fit their links."""
    kept = rows(file)
    change = "UPDATE svcflow_facts SET body = ?, link = ? WHERE instance = 'r1' AND sequence = ?"
    assert tampered(file, (change, *kept[3][1:], 5), (change, *kept[4][1:], 4)) == ["r1"]


def test_a_journal_of_another_instance_is_found(file):
    """A whole valid journal under another id names the wrong instance."""
    assert tampered(
        file,
        ("DELETE FROM svcflow_facts WHERE instance = 'r2'",),
        ("UPDATE svcflow_facts SET instance = 'r2' WHERE instance = 'r1'",),
        ("UPDATE svcflow_instances SET head = ? WHERE id = 'r2'", rows(file)[-1][2]),
    ) == ["r1", "r2"]


@pytest.mark.parametrize(
    "wrong",
    [b'{"kind":"Moved"}', b"[1]", b"\xff", b'{"kind":"Imagined"}', b'"x"',
     b'{"actor":"","instance":"r1","kind":"Moved","occurred_us":0,"recorded_us":0,"sequence":8,"step":"a","to":"b","trigger":"c"}'],
)  # fmt: skip
def test_a_chain_written_anew_with_something_that_is_no_fact_is_found(file, wrong):
    """Links and head made to fit do not help an entry that cannot be read or replayed."""
    kept = rows(file)
    link = sha256(kept[6][2] + wrong).digest()
    assert tampered(
        file,
        ("UPDATE svcflow_facts SET body = ?, link = ? WHERE instance = 'r1' AND sequence = 8", wrong, link),
        ("UPDATE svcflow_instances SET head = ? WHERE id = 'r1'", link),
    ) == ["r1"]


def test_a_changed_projection_is_found(file):
    """An instance whose kept state is not what its journal leads to."""
    base = sqlite3.connect(file)
    state = orjson.loads(base.execute("SELECT state FROM svcflow_instances WHERE id = 'r1'").fetchone()[0])
    base.close()
    state[4] = "rejected"
    assert tampered(
        file, ("UPDATE svcflow_instances SET state = ? WHERE id = 'r1'", orjson.dumps(state))
    ) == ["r1"]


@pytest.mark.parametrize("state", [b"", b"{}", b"[]", b"nonsense", b"null", b"[1, 2, 3]"])
def test_a_state_that_cannot_be_read_is_found(file, state):
    """Verification reports what it cannot read and goes on with the next instance."""
    assert tampered(file, ("UPDATE svcflow_instances SET state = ? WHERE id = 'r1'", state)) == ["r1"]


@pytest.mark.parametrize(
    ("column", "value"),
    [("status", "running"), ("next_us", 1), ("sequence", 3), ("procedure", "moving"), ("version", 2),
     ("started_us", 0)],
)  # fmt: skip
def test_a_changed_column_is_found(file, column, value):
    """The columns by which instances are found have to say what the state says."""
    change = f"UPDATE svcflow_instances SET {column} = ? WHERE id = 'r1'"  # noqa: S608  # names of our own
    assert tampered(file, (change, value)) == ["r1"]


def test_a_deleted_instance_is_found_by_its_journal(file):
    """A journal whose instance is gone is named."""
    assert tampered(file, ("DELETE FROM svcflow_instances WHERE id = 'r1'",)) == ["r1"]


def test_a_deviation_hushed_up_is_found(file):
    """Deviations are kept beside the journal; deleting or shortening one disagrees with it."""
    assert tampered(file, ("DELETE FROM svcflow_deviations WHERE instance = 'r1' AND sequence = 2",)) == [
        "r1"
    ]
    assert tampered(file, ("UPDATE svcflow_deviations SET overrun_us = 0 WHERE instance = 'r2'",)) == [
        "r1",
        "r2",
    ]


def test_a_timer_that_leads_nowhere_does_not_keep_a_tick_from_ending(file):
    """A due instant set too early in the store costs one look, not an endless loop."""
    base = sqlite3.connect(file)
    base.execute("UPDATE svcflow_instances SET next_us = 0 WHERE id = 'r1'")
    base.commit()
    base.close()
    with Engine(f"sqlite:///{file}", CATALOG, clock=VirtualClock(NOON + 20 * HOUR)) as engine:
        assert {fact.instance for fact in engine.tick()} == {"r2"}


def test_tampering_in_memory_is_found_too(store):
    """The promise holds for every store: an instance that its journal does not lead to."""
    engine = engine_on(store)
    engine.start("repair", actor=LI, instance_id="r1")
    kept = store.load("r1")
    compiled = compile_procedure(declared(), calendars_of(CATALOG))
    outcome = transact(compiled, kept.instance, Update(LI, {"note": "x"}), kept.instance.started_us)
    store.change("r1", None, lambda _: ChangeSet(outcome.instance, chained(GENESIS, outcome.facts)))
    assert [name for name, _ in engine.verify().problems] == ["r1"]
    assert [name for name, _ in engine.verify("r1").problems] == ["r1"]
