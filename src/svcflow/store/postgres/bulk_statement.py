"""One PostgreSQL statement for everything that changes write: one round trip, applied as a whole or not at all.

The statement is a `WITH` query. Its first part updates or inserts the instances and returns those that did change; the
other parts join them, so that nothing is written of an instance that somebody else changed first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table
from sqlalchemy.engine.interfaces import DBAPICursor

from svcflow.journal.personal_data import to_bytes
from svcflow.kernel.facts import Settled
from svcflow.runtime.store import ChangeSet, LockedInstance
from svcflow.store import schema
from svcflow.store.postgres import prepared
from svcflow.store.statements import Row, Statement, Statements, Value
from svcflow.store.unit_of_work import UnitOfWork


class BulkStatement(UnitOfWork):
    """Unit of work that reads at once, collects what is to be written, and writes it in one statement.

    `stamp` identifies one version of an instance's row: before writing, the version that has to be there (None: any),
    afterwards the one that was written.
    """

    __slots__ = ("_pending", "stamp")

    def __init__(self, cursor: DBAPICursor, statements: Statements, stamp: str | None = None) -> None:
        super().__init__(cursor, statements)
        self.stamp = stamp
        self._pending: dict[str, list[dict[str, Value]]] = {}

    def execute(self) -> bool:
        """Write what was collected; False when one of the instances was changed since it was read.

        Then nothing of that instance was written. Of several changes the others were: roll the transaction back.
        """
        rows, self._pending = self._pending, {}
        if not rows:
            return True
        statement = _bulk_sql(tuple((name, len(rows[name]) == 1) for name in _COLLECTED if name in rows))
        values = [value for name, columns in statement.names for value in _values(rows[name], columns)]
        changed, self.stamp = prepared.run(self._cursor.connection, statement.sql, values) or ("0", None)
        return int(changed or 0) == len(rows.get("create", ())) + len(rows.get("change", ()))

    def save(self, locked: LockedInstance, change: ChangeSet) -> None:
        """Collect what a change writes. Raises: StoreError when its entries do not continue the journal."""
        super().save(locked, change)
        if change.secrets is not None and locked.instance is not None:
            self._pending["change"][-1]["seen"] = to_bytes(locked.journal.secrets)

    def _run(self, statement: Statement, **values: Value) -> DBAPICursor:
        if statement.name not in _COLLECTED:
            return super()._run(statement, **values)
        self._amend(statement.name, values)
        if statement.name == "change":
            values |= {"seen": None, "stamp": self.stamp}
        # `change` takes the secrets along: PostgreSQL updates a row only once in one statement
        if statement.name != "keep_secrets":
            self._pending.setdefault(statement.name, []).append(values)
        return self._cursor

    def _settle(self, fact: Settled) -> None:
        """Set by how much a deadline was missed; a deviation whose limit a migration renamed is found by the journal."""
        of: Row = {"limit": fact.limit, "visit": fact.visit, "due_us": fact.due_us}
        rows = self._run(self._statements.missed, instance=fact.instance, **of).fetchall()
        for (sequence,) in rows:
            named: Row = {"instance": fact.instance, "sequence": sequence}
            self._run(self._statements.settle_one, overrun_us=fact.overrun_us, **named)
        if rows:
            return
        new = [row["body"] for row in self._pending["add_fact"] if row["instance"] == fact.instance]
        self._settle_renamed(fact.instance, (body for body in new if isinstance(body, bytes)))

    def _run_for_one(self, statement: Statement, **values: Value) -> None:
        self._run(statement, **values)  # `execute` sees whether it changed one

    def _amend(self, name: str, values: Row) -> None:
        """Change the deviations collected so far: a part of a statement does not see the rows that another part inserts."""
        if name == "settle_one":
            key = {column: values[column] for column in ("instance", "sequence")}
            self._amend_deviation(key, {"overrun_us": values["overrun_us"]})
        elif name == "answer":
            explained = {"explanation": values["explanation"]} if values["explanation"] is not None else {}
            key = {"instance": values["instance"], "sequence": values["deviation"]}
            self._amend_deviation(key, {"status": values["status"], **explained})

    def _amend_deviation(self, key: Row, columns: Row) -> None:
        for row in self._pending.get("add_deviation", ()):
            if key.items() <= row.items():
                row.update(columns)


def _values(rows: Sequence[Row], columns: Sequence[str]) -> list[Value]:
    """Return the parameters of some rows: the values of one, or an array for each column of several."""
    if len(rows) == 1:
        return [rows[0][name] for name in columns]
    return [prepared.array(_TYPES[name], [row[name] for row in rows]) for name in columns]


class _BulkSql(NamedTuple):
    """A statement, and its parameters in their order: kinds of rows, with their columns."""

    sql: str
    names: tuple[tuple[str, tuple[str, ...]], ...]


@lru_cache(maxsize=512)
def _bulk_sql(shape: tuple[tuple[str, bool], ...]) -> _BulkSql:
    """Return the statement that writes some kinds of rows; `shape` pairs each kind with whether it is a single row."""
    kinds = dict(shape)
    columns = "1, stamp" if kinds.get("change") or kinds.get("create") else "count(*), max(stamp)"
    parts = ", ".join(part for name in kinds for part in _part(name, kinds))
    sql = f"WITH {parts} SELECT {columns} FROM changed"  # noqa: S608  # our own names
    first = dict.fromkeys(kinds, 1)  # the number of the first parameter of each kind
    for name, after in pairwise(kinds):
        first[after] = first[name] + len(_COLLECTED[name])
    sql = _ROWS.sub(lambda match: _rows(match[1], first[match[1]], one=kinds[match[1]]), sql)
    return _BulkSql(sql, tuple((name, _COLLECTED[name]) for name in kinds))


def _rows(name: str, first: int, *, one: bool) -> str:
    """Return the SQL of a table of rows. A single row is given as constants, which are planned like a plain statement."""
    columns = _COLLECTED[name]
    values = [f"${place}::{_TYPES[column]}" for place, column in enumerate(columns, first)]
    if one:
        named = ", ".join(f'{value} AS "{column}"' for value, column in zip(values, columns, strict=True))
        return f"(SELECT {named}, 1 AS place)"
    arrays = ", ".join(f"{value}[]" for value in values)
    return f"(SELECT * FROM unnest({arrays}) WITH ORDINALITY AS n ({_listed(columns)}, place))"  # noqa: S608  # as above


def _part(name: str, kinds: Mapping[str, bool]) -> list[str]:
    """Return the parts of the statement that write one kind of rows."""
    if name == "drop_work":
        return [f"{name} AS ({_DROP_WORK}{_UNLESS_ADDED if 'add_work' in kinds else ''})"]
    if name in _INSERTED:
        table, conflict = _INSERTED[name]
        return [f"{name} AS ({_insert(name, table, 'JOIN changed ON changed.id = n.instance')} {conflict})"]
    return [_CHANGES[name]]


def _insert(name: str, table: Table, joined: str) -> str:
    columns = _COLLECTED[name]
    chosen = ", ".join(f'n."{column}"' for column in columns)
    return (
        f"INSERT INTO {table.name} AS o ({_listed(columns)}) "  # noqa: S608  # names of our own
        f"SELECT {chosen} FROM {name}_rows AS n {joined} ORDER BY n.place"
    )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _type(column: Column[object]) -> str:
    kinds = {BigInteger: "int8", Integer: "int4", LargeBinary: "bytea"}
    return next((name for kind, name in kinds.items() if isinstance(column.type, kind)), "text")


def _columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.c if column.name != "position")


_TABLES = (
    schema.instances, schema.facts, schema.commands, schema.deviations, schema.work, schema.persons
)  # fmt: skip
_TYPES = {column.name: _type(column) for table in _TABLES for column in table.c} | {
    "before": "int4",
    "seen": "bytea",
    "deviation": "int4",
    "stamp": "text",
}
"""`seen` are the secrets that were read: the row has to hold them still, or personal data that were erased meanwhile would
come back. `stamp` is the row's version: the transaction that wrote it (`xmin`), and the head of the journal, because a
server that takes over from another one may give the same number to another transaction."""

_CHANGING = ("status", "version", "next_us", "sequence", "head", "state")
_CHANGED = ", ".join(f"{column} = n.{column}" for column in _CHANGING)
_COLLECTED: Mapping[str, tuple[str, ...]] = {
    "create": _columns(schema.instances),
    "change": ("id", "before", *_CHANGING, "secrets", "seen", "stamp"),
    "keep_secrets": (),
    "add_fact": _columns(schema.facts),
    "add_person": _columns(schema.persons),
    "add_deviation": _columns(schema.deviations),
    "drop_person": _columns(schema.persons),
    "settle_one": ("instance", "sequence", "overrun_us"),
    "answer": ("instance", "deviation", "status", "explanation"),
    "add_command": _columns(schema.commands),
    "drop_work": ("instance",),
    "add_work": _columns(schema.work),
}
"""The statements of a `UnitOfWork` that are collected, and the columns of their rows. What changes instances comes first:
the other parts join `changed`."""

_UNLESS_DONE = "sequence = CASE WHEN o.refused <> 0 THEN excluded.sequence END"
"""A command replaces a refusal that an earlier version kept. Over one that was done the sequence becomes NULL, which the
column does not take: `DoneBefore` is raised, and nothing of the statement is applied."""

_INSERTED: Mapping[str, tuple[Table, str]] = {
    "add_fact": (schema.facts, ""),
    "add_person": (schema.persons, "ON CONFLICT DO NOTHING"),
    "add_deviation": (schema.deviations, ""),
    "add_command": (
        schema.commands,
        f"ON CONFLICT (instance, command_id) DO UPDATE SET refused = excluded.refused, {_UNLESS_DONE}",
    ),
    "add_work": (
        schema.work,
        "ON CONFLICT (instance, step) DO UPDATE SET "
        + ", ".join(f'"{name}" = excluded."{name}"' for name in _columns(schema.work)),
    ),
}
_ROWS = re.compile(r"(\w+)_rows\b")
"""Where the table of a kind of rows is put in."""

_STAMP = "o.xmin::text || o.head::text"
_CHANGES: Mapping[str, str] = {
    "create": f"changed AS ({_insert('create', schema.instances, '')} ON CONFLICT DO NOTHING RETURNING id, {_STAMP} AS stamp)",
    "change": (
        f"changed AS (UPDATE svcflow_instances AS o SET {_CHANGED}, secrets = coalesce(n.secrets, o.secrets)"  # noqa: S608  # as above
        " FROM change_rows AS n WHERE o.id = n.id AND o.sequence = n.before"
        f" AND (n.stamp IS NULL OR {_STAMP} = n.stamp)"
        f" AND (n.secrets IS NULL OR coalesce(o.secrets, '{{}}') = n.seen) RETURNING o.id, {_STAMP} AS stamp)"
    ),
    "settle_one": (
        "settle_one AS (UPDATE svcflow_deviations AS o SET overrun_us = n.overrun_us"
        " FROM settle_one_rows AS n JOIN changed ON changed.id = n.instance"
        " WHERE o.instance = n.instance AND o.sequence = n.sequence)"
    ),
    "answer": (
        "answer AS (UPDATE svcflow_deviations AS o"
        " SET status = n.status, explanation = coalesce(n.explanation, o.explanation)"
        " FROM answer_rows AS n JOIN changed ON changed.id = n.instance"
        " WHERE o.instance = n.instance AND o.sequence = n.deviation)"
    ),
    "drop_person": (
        "drop_person AS (DELETE FROM svcflow_persons AS o USING drop_person_rows AS n"
        " JOIN changed ON changed.id = n.instance WHERE o.person = n.person AND o.instance = n.instance)"
    ),
}
_DROP_WORK = (
    "DELETE FROM svcflow_work AS o USING drop_work_rows AS n JOIN changed ON changed.id = n.instance"
    " WHERE o.instance = n.instance"
)
# All parts see the table as it was before the statement, and of two that change one row only one takes effect.
_UNLESS_ADDED = (
    " AND NOT EXISTS (SELECT FROM add_work_rows AS a WHERE a.instance = o.instance AND a.step = o.step)"
)
