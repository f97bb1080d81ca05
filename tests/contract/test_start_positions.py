"""Positions of regular starts, on every store: one of several that go on from one position does."""

from __future__ import annotations

import pytest
from contract_cases import engine_on

from svcflow.runtime.start_positions import StartPosition
from svcflow.runtime.store import Store

FIRST = StartPosition("repair", "monthly", 1, 7)
PENDING = FIRST._replace(pending="2026-01-05T08:30", salt="0" * 32)


def test_a_position_is_kept_and_goes_on(store: Store):
    """None is there at first; each goes on from the one before."""
    assert list(store.starts()) == []
    assert store.keep_start(None, FIRST)
    assert store.keep_start(FIRST, PENDING)
    assert list(store.starts()) == [PENDING]


def test_who_comes_from_another_position_writes_nothing(store: Store):
    """Whoever was slower is told so, and reads again."""
    assert store.keep_start(None, FIRST)
    assert not store.keep_start(None, PENDING)
    assert store.keep_start(FIRST, PENDING)
    assert not store.keep_start(FIRST, FIRST._replace(done="2026-01-05T08:30"))
    assert list(store.starts()) == [PENDING]


def test_positions_come_by_procedure_and_start(store: Store):
    """In the same order from every store."""
    named = [("b", "x"), ("a", "y"), ("a", "x")]
    for procedure, start in named:
        assert store.keep_start(None, FIRST._replace(procedure=procedure, start=start))
    assert [(one.procedure, one.start) for one in store.starts()] == sorted(named)


@pytest.mark.parametrize(
    ("forged", "column"),
    [
        ({"done": "soon"}, "done"),
        ({"pending": "2026-01-05"}, "pending"),
        ({"done": "2026-02-05T08:30"}, "pending"),
        ({"tried": "2026-02-05T08:30"}, "tried"),
        ({"salt": ""}, "salt"),
        ({"pending": ""}, "salt"),
        ({"version": 0}, "version"),
    ],
)
def test_a_position_that_cannot_be_is_found(store: Store, forged: dict[str, object], column: str):
    """`verify` names table, column and start."""
    store.keep_start(None, PENDING._replace(**forged))
    problems = engine_on(store).verify().problems
    assert {(name, error.table, error.row) for name, error in problems} == {
        ("svcflow_starts", "svcflow_starts", "repair monthly")
    }
    assert column in {error.column for _, error in problems}
