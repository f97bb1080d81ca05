"""Statements that a server has prepared, run on the driver's libpq with parameters as they go over the wire.

It takes a half of the time that the driver's cursor takes for the same statement: that one adapts any type to any
other. Here are four types, and a statement says by casts what it wants. It knows no table, and lends no connection.
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

MOST = 100
"""How many statements a server keeps for one connection; the driver keeps as many of its own."""

_TEXT, _BINARY = 0, 1
_NULL = pack(">i", -1)
_OIDS = {"text": 25, "int4": 23, "int8": 20, "bytea": 17}
_INTEGERS = {"int4": partial(pack, ">ii", 4), "int8": partial(pack, ">iq", 8)}
_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()
"""The names of the statements that each open connection has prepared. It is lent to one thread at a time."""

_numbers = count()
"""No name is given twice: whoever was interrupted while a statement was prepared does not know whether it was."""


def run(
    connection: psycopg.Connection[Any], statement: str, values: Sequence[Value]
) -> tuple[str | None, ...] | None:
    """Run a statement with `$1`, `$2`, … for the values; return its first row as texts, None when there is none.

    Raises: psycopg.Error as the driver's cursor would; of a connection in autocommit nothing was kept then.
    """
    sent = [value if value is None or type(value) is bytes else str(value).encode() for value in values]
    formats = [_BINARY if type(value) is bytes else _TEXT for value in values]
    try:
        result = _ran(connection, statement, sent, formats)
    except errors.InvalidSqlStatementName:  # a driver that rolls back has the server forget them all
        del _prepared[connection]
        result = _ran(connection, statement, sent, formats)
    if not result.ntuples:
        return None
    return tuple(_text(result.get_value(0, column)) for column in range(result.nfields))


def array(kind: str, values: Sequence[Value]) -> bytes:
    """Return values of a type as an array, in the server's binary format."""
    head = pack(">iiIii", 1, 1, _OIDS[kind], len(values), 1)
    return head + b"".join([_element(kind, value) for value in values])


def _element(kind: str, value: Value) -> bytes:
    if value is None:
        return _NULL
    if isinstance(value, int):
        return _INTEGERS[kind](value)
    body = value if isinstance(value, bytes) else value.encode()
    return pack(">i", len(body)) + body


def _ran(
    connection: psycopg.Connection[Any],
    statement: str,
    sent: Sequence[bytes | None],
    formats: Sequence[int],
) -> PGresult:
    name = _named(connection, statement)
    if name is None:
        connection.pgconn.send_query_params(statement.encode(), sent, param_formats=formats)
    else:
        connection.pgconn.send_query_prepared(name, sent, formats)
    return _received(connection)


def _named(connection: psycopg.Connection[Any], statement: str) -> bytes | None:
    """Return the name of a statement, prepared on this connection; None where it is better not to be.

    That is when the server holds enough of them, and inside a transaction: a name that is forgotten would end it.
    """
    if connection.pgconn.transaction_status != TransactionStatus.IDLE:
        return None
    names = _prepared.setdefault(connection, {})
    name = names.get(statement)
    if name is None and len(names) < MOST:
        name = f"svcflow_{next(_numbers)}".encode()
        connection.pgconn.send_prepare(name, statement.encode())
        _received(connection)
        names[statement] = name
    return name


def _received(connection: psycopg.Connection[Any]) -> PGresult:
    result: PGresult = connection.wait(generators.execute(connection.pgconn))[-1]
    if result.status == ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(result)
    return result


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
