"""Statements on the driver's libpq: what goes over the wire comes back, and an error leaves nothing behind."""

from __future__ import annotations

import _thread
import sys
import threading

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from database_server import connected
from svcflow.store.postgres import prepared
from waiting import until

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
KINDS = {
    "text": TEXTS,
    "int4": st.integers(-(2**31), 2**31 - 1),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "bytea": st.binary(),
}


@pytest.fixture(scope="module")
def line(database_server):
    """A connection as the store has them."""
    with connected(database_server.url) as connection:
        connection.execute("SET client_encoding TO 'UTF8'")
        yield connection


def told(row):
    """Return values as the server writes them as texts."""
    return tuple(
        value if value is None else f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
        for value in row
    )


ROWS = st.tuples(*(values | st.none() for values in KINDS.values()))


@given(row=ROWS)
def test_a_value_comes_back_as_it_went(line, row):
    """Chinese, nothing at all, the least and the largest number: the server has what was meant."""
    columns = ", ".join(f"${place}::{kind}::text" for place, kind in enumerate(KINDS, 1))
    assert prepared.run(line, f"SELECT {columns}", row) == told(row)


@given(rows=st.lists(ROWS, min_size=1, max_size=4))
def test_an_array_comes_back_as_it_went(line, rows):
    """Each value stands where it stood, and what is missing is missing."""
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(KINDS, 1))
    sent = [prepared.array(kind, values) for kind, values in zip(KINDS, zip(*rows, strict=True), strict=True)]
    named = ", ".join(f"n.{kind}_::text" for kind in KINDS)
    listed = ", ".join(f"{kind}_" for kind in KINDS)
    asked = f"SELECT {named} FROM unnest({arrays}) WITH ORDINALITY AS n ({listed}, place)"  # noqa: S608  # names above
    for place, row in enumerate(rows, 1):
        assert prepared.run(line, f"{asked} WHERE place = {place}", sent) == told(row)


def test_a_statement_without_rows_has_no_first_one(line):
    """None is told from a row of nothing."""
    assert prepared.run(line, "SELECT $1::text WHERE false", ["x"]) is None
    assert prepared.run(line, "SELECT $1::text", [None]) == (None,)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT 1 / $1::int4", psycopg.errors.DivisionByZero),
        ("SELECT no_such_thing FROM pg_class WHERE $1::int4 = 0", psycopg.errors.UndefinedColumn),
    ],
    ids=["when run", "when prepared"],
)
def test_an_error_is_the_drivers_and_the_connection_goes_on(line, statement, kind):
    """An error has its class, by which it is told what to do; the next statement runs."""
    for _ in range(2):
        with pytest.raises(kind):
            prepared.run(line, statement, [0])
    assert prepared.run(line, "SELECT $1::int4", [7]) == ("7",)


def test_a_server_is_not_filled_with_statements(database_server):
    """After so many different ones the others are run unprepared, to the same effect."""
    with connected(database_server.url) as connection:
        for number in range(prepared.MAX_PREPARED + 3):
            assert prepared.run(connection, f"SELECT $1::int4 + {number}", [1]) == (str(number + 1),)
        held = connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'svcflow%'")
        assert held.fetchone() == (prepared.MAX_PREPARED,)


def test_a_wait_for_the_server_can_be_interrupted(line, database_server):
    """Ctrl-C ends the statement there too, and the connection can be used again."""
    main, server = threading.get_ident(), line.info.backend_pid

    def waits():
        """Say whether the server sleeps and we wait for it, inside of the driver."""
        asked = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
        sleeps = other.execute(asked, [server]).fetchone() == ("PgSleep",)
        return sleeps and sys._current_frames()[main].f_code.co_name == "wait"

    def interrupt():
        for _ in range(2):  # the second time it has been there for a while
            until(waits, "the statement is waited for")
        _thread.interrupt_main()

    with connected(database_server.url) as other:
        interrupting = threading.Thread(target=interrupt)
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            prepared.run(line, "SELECT pg_sleep($1::int4)::text", [600])
        interrupting.join()
    assert prepared.run(line, "SELECT $1::int4", [7]) == ("7",)


def names(connection):
    """Return how many statements the server keeps for us."""
    held = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'svcflow%'"
    return connection.execute(held).fetchone()[0]


def test_what_the_server_was_told_to_forget_is_prepared_again(database_server):
    """The driver tells it so when it rolls back: the statement is run all the same, and is prepared once."""
    with connected(database_server.url) as connection:
        for number in range(3):
            assert prepared.run(connection, "SELECT $1::int4", [number]) == (str(number),)
            assert names(connection) == 1
            connection.execute("DEALLOCATE ALL")


def test_nothing_is_prepared_inside_a_transaction(database_server):
    """A name that the server has forgotten would be the end of the transaction."""
    with connected(database_server.url) as connection:
        prepared.run(connection, "SELECT $1::int4", [1])
        connection.execute("DEALLOCATE ALL")
        connection.execute("BEGIN")
        for statement in ("SELECT $1::int4", "SELECT $1::int8"):
            assert prepared.run(connection, statement, [7]) == ("7",)
        assert names(connection) == 0


def test_whoever_was_interrupted_while_it_prepared_can_prepare_again(database_server, monkeypatch):
    """The server may have the statement all the same: the name is not used a second time."""
    received = prepared._received

    def interrupted(connection):
        received(connection)
        raise KeyboardInterrupt

    with connected(database_server.url) as connection:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(prepared, "_received", interrupted)
            with pytest.raises(KeyboardInterrupt):
                prepared.run(connection, "SELECT $1::int4", [1])
        assert prepared.run(connection, "SELECT $1::int4", [1]) == ("1",)
