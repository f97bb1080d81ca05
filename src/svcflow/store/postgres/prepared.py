"""Prepared statements on the driver's libpq, with parameters encoded here: a measured fast path.

The driver's cursor adapts any type to any other. Here are four types, and a statement says by casts which one a
parameter is. The statement of one change takes a client 0.62 of the processor time that it takes by the driver's cursor
(18 of 29 µs, psycopg 3.3): `python benchmarks/postgres.py` prints it as "client, one statement".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import count
from struct import pack
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from psycopg import errors, generators
from psycopg.pq import ExecStatus, TransactionStatus

from svcflow.store.statements import Value

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGresult

MAX_PREPARED = 100
"""How many statements are prepared on one connection, at most; the driver prepares as many of its own."""

_TEXT, _BINARY = 0, 1
_NULL = pack(">i", -1)
_OIDS = {"text": 25, "int4": 23, "int8": 20, "bytea": 17}
_INTEGERS = {"int4": partial(pack, ">ii", 4), "int8": partial(pack, ">iq", 8)}
_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()
"""The names of the statements that each open connection has prepared. No lock: a connection is lent to one thread."""

_numbers = count()
"""No name is used twice: after an interrupt it is not known whether the server has prepared the statement."""


def run(
    connection: psycopg.Connection[Any], statement: str, values: Sequence[Value]
) -> tuple[str | None, ...] | None:
    """Run a statement with `$1`, `$2`, … for the values; return its first row as texts, None when there is none.

    Raises: psycopg.Error, as the driver's cursor would; on a connection in autocommit nothing was kept then.
    """
    parameters = [value if value is None or type(value) is bytes else str(value).encode() for value in values]
    formats = [_BINARY if type(value) is bytes else _TEXT for value in values]
    try:
        result = _execute(connection, statement, parameters, formats)
    except errors.InvalidSqlStatementName:
        # The driver sends DEALLOCATE ALL when it rolls back. This is safe to repeat: outside of a transaction nothing
        # was done, and inside of one no statement is prepared (see `_statement_name`).
        del _prepared[connection]
        result = _execute(connection, statement, parameters, formats)
    if not result.ntuples:
        return None
    return tuple(_decoded(result.get_value(0, column)) for column in range(result.nfields))


def array(kind: str, values: Sequence[Value]) -> bytes:
    """Return values of a type as a one-dimensional array, in the server's binary format (`array_send`)."""
    # dimensions, whether there may be NULLs, type of the elements; then length and lower bound of the dimension
    head = pack(">iiIii", 1, 1, _OIDS[kind], len(values), 1)
    return head + b"".join([_element(kind, value) for value in values])


def _element(kind: str, value: Value) -> bytes:
    if value is None:
        return _NULL
    if isinstance(value, int):
        return _INTEGERS[kind](value)
    body = value if isinstance(value, bytes) else value.encode()
    return pack(">i", len(body)) + body


def _execute(
    connection: psycopg.Connection[Any],
    statement: str,
    parameters: Sequence[bytes | None],
    formats: Sequence[int],
) -> PGresult:
    name = _statement_name(connection, statement)
    if name is None:
        connection.pgconn.send_query_params(statement.encode(), parameters, param_formats=formats)
    else:
        connection.pgconn.send_query_prepared(name, parameters, formats)
    return _received(connection)


def _statement_name(connection: psycopg.Connection[Any], statement: str) -> bytes | None:
    """Return the name of a statement prepared on this connection; None where it is sent as text.

    That is when the server has enough of them, and inside a transaction, which a name that the server has forgotten
    would abort.
    """
    if connection.pgconn.transaction_status != TransactionStatus.IDLE:
        return None
    names = _prepared.setdefault(connection, {})
    name = names.get(statement)
    if name is None and len(names) < MAX_PREPARED:
        name = f"svcflow_{next(_numbers)}".encode()
        connection.pgconn.send_prepare(name, statement.encode())
        _received(connection)
        names[statement] = name  # not before the server has answered
    return name


def _received(connection: psycopg.Connection[Any]) -> PGresult:
    result: PGresult = connection.wait(generators.execute(connection.pgconn))[-1]
    if result.status == ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(result)
    return result


def _decoded(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
