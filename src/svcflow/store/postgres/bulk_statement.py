"""One statement of PostgreSQL for all that changes keep: one round trip, whole or not at all.

A `BulkStatement` is a `UnitOfWork` that notes what it would run and runs it together. Each kind of note becomes
rows, and one part of the statement takes them; every part goes by the instances that did change. It knows
no connection and does not say what is kept: that is `UnitOfWork`'s.
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
    """Find at once, note what is to be kept, and keep it when told to.

    `stamp` tells one writing of an instance's row from any other: until something is kept, the one it has to
    be as (None: any), and then the one that was written.
    """

    __slots__ = ("_notes", "stamp")

    def __init__(self, cursor: DBAPICursor, statements: Statements, stamp: str | None = None) -> None:
        super().__init__(cursor, statements)
        self.stamp = stamp
        self._notes: dict[str, list[dict[str, Value]]] = {}

    def keep_noted(self) -> bool:
        """Run what was noted; False when one of the instances had changed since it was found.

        In autocommit of one change nothing is kept then; with several a transaction has to be rolled back.
        """
        notes, self._notes = self._notes, {}
        if not notes:
            return True
        statement = _written(tuple((name, len(notes[name]) == 1) for name in _NOTED if name in notes))
        values = [value for name, columns in statement.names for value in _values(notes[name], columns)]
        kept, self.stamp = prepared.run(self._cursor.connection, statement.sql, values) or ("0", None)
        return int(kept or 0) == len(notes.get("create", ())) + len(notes.get("change", ()))

    def keep(self, found: LockedInstance, change: ChangeSet) -> None:
        """Note a change down. Raises: StoreError when its entries do not go on from what was found."""
        super().keep(found, change)
        if change.secrets is not None and found.instance is not None:
            self._notes["change"][-1]["seen"] = to_bytes(found.journal.secrets)

    def _run(self, statement: Statement, **values: Value) -> DBAPICursor:
        if statement.name not in _NOTED:
            return super()._run(statement, **values)
        self._amend(statement.name, values)
        if statement.name == "change":
            values |= {"seen": None, "stamp": self.stamp}
        if statement.name != "keep_secrets":  # `change` takes them along: one row changes once in a statement
            self._notes.setdefault(statement.name, []).append(values)
        return self._cursor

    def _settle(self, fact: Settled) -> None:
        """Note by how much a deadline was missed; one whose limit a migration renamed is found by the journal."""
        of: Row = {"limit": fact.limit, "visit": fact.visit, "due_us": fact.due_us}
        rows = self._run(self._statements.missed, instance=fact.instance, **of).fetchall()
        for (sequence,) in rows:
            named: Row = {"instance": fact.instance, "sequence": sequence}
            self._run(self._statements.settle_one, overrun_us=fact.overrun_us, **named)
        if rows:
            return
        new = [row["body"] for row in self._notes["add_fact"] if row["instance"] == fact.instance]
        self._settle_renamed(fact.instance, (body for body in new if isinstance(body, bytes)))

    def _run_once(self, statement: Statement, **values: Value) -> None:
        self._run(statement, **values)  # whether it changed one is seen when all is kept

    def _amend(self, name: str, values: Row) -> None:
        """Amend the deviations noted so far: a part sees nothing of what another part of the statement adds."""
        if name == "settle_one":
            settled = {column: values[column] for column in ("instance", "sequence")}
            self._amended(settled, {"overrun_us": values["overrun_us"]})
        elif name == "answer":
            kept = {"explanation": values["explanation"]} if values["explanation"] is not None else {}
            found = {"instance": values["instance"], "sequence": values["deviation"]}
            self._amended(found, {"status": values["status"], **kept})

    def _amended(self, found: Row, changed: Row) -> None:
        for row in self._notes.get("add_deviation", ()):
            if found.items() <= row.items():
                row.update(changed)


def _values(rows: Sequence[Row], columns: Sequence[str]) -> list[Value]:
    """Return the parameters of some rows: the values of one, or an array for each column of several."""
    if len(rows) == 1:
        return [rows[0][name] for name in columns]
    return [prepared.array(_TYPES[name], [row[name] for row in rows]) for name in columns]


class _BulkSql(NamedTuple):
    """A statement, and its parameters in their order: kinds of notes, with the columns of their rows."""

    sql: str
    names: tuple[tuple[str, tuple[str, ...]], ...]


@lru_cache(maxsize=512)
def _written(shape: tuple[tuple[str, bool], ...]) -> _BulkSql:
    """Return the statement for notes of some kinds, one or several rows of each."""
    kinds = dict(shape)
    kept = "1, stamp" if kinds.get("change") or kinds.get("create") else "count(*), max(stamp)"
    parts = ", ".join(part for name in kinds for part in _part(name, kinds))
    sql = f"WITH {parts} SELECT {kept} FROM changed"  # noqa: S608  # our own names
    first = dict.fromkeys(kinds, 1)  # the number of the first parameter of each kind
    for name, after in pairwise(kinds):
        first[after] = first[name] + len(_NOTED[name])
    sql = _ROWS.sub(lambda found: _rows(found[1], first[found[1]], one=kinds[found[1]]), sql)
    return _BulkSql(sql, tuple((name, _NOTED[name]) for name in kinds))


def _rows(name: str, first: int, *, one: bool) -> str:
    """Write rows as a table. One row stands as constants, which are planned like a plain statement."""
    columns = _NOTED[name]
    values = [f"${place}::{_TYPES[column]}" for place, column in enumerate(columns, first)]
    if one:
        named = ", ".join(f'{value} AS "{column}"' for value, column in zip(values, columns, strict=True))
        return f"(SELECT {named}, 1 AS place)"
    arrays = ", ".join(f"{value}[]" for value in values)
    return f"(SELECT * FROM unnest({arrays}) WITH ORDINALITY AS n ({_listed(columns)}, place))"  # noqa: S608  # as above


def _part(name: str, kinds: Mapping[str, bool]) -> list[str]:
    """Write what is done with the rows of one kind of note."""
    if name == "drop_work":
        return [f"{name} AS ({_DROP_WORK}{_UNLESS_ADDED if 'add_work' in kinds else ''})"]
    if name in _INSERTED:
        table, conflict = _INSERTED[name]
        return [f"{name} AS ({_insert(name, table, 'JOIN changed ON changed.id = n.instance')} {conflict})"]
    return [_WRITTEN[name]]


def _insert(name: str, table: Table, joined: str) -> str:
    columns = _NOTED[name]
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
"""`seen` are the secrets that were found: personal data that were erased meanwhile do not come back. `stamp` is
the transaction that wrote the row that was found, and its head, because a server that took over from another
one numbers transactions anew."""

_CHANGING = ("status", "version", "next_us", "sequence", "head", "state")
_CHANGED = ", ".join(f"{column} = n.{column}" for column in _CHANGING)
_NOTED: Mapping[str, tuple[str, ...]] = {
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
"""The statements of a `UnitOfWork` that are noted, and the columns of their rows; what changes instances comes first."""

_UNLESS_DONE = "sequence = CASE WHEN o.refused <> 0 THEN excluded.sequence END"
"""A command takes the place of a refusal that an earlier version kept; over one that was done it is an error."""

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
"""Where the rows of a kind of note stand in a part."""

_STAMP = "o.xmin::text || o.head::text"
_WRITTEN: Mapping[str, str] = {
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
_UNLESS_ADDED = (
    " AND NOT EXISTS (SELECT FROM add_work_rows AS a WHERE a.instance = o.instance AND a.step = o.step)"
)
