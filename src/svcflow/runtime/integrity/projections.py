"""Comparison of the rows beside a journal with what the journal leads to, column by column.

The rows of most tables follow from values of the kernel whose attributes have the names of the columns, so that a
column that is added there is compared too. Columns with a rule of their own are in the functions below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from svcflow.errors import CorruptJournal
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Fact, Refused
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.lifecycle.work_items import work_of
from svcflow.runtime.stored_rows import Columns, InstanceRows, Row
from svcflow.text import Text

INSTANCES, FACTS, COMMANDS = "svcflow_instances", "svcflow_facts", "svcflow_commands"
DEVIATIONS, WORK, PERSONS = "svcflow_deviations", "svcflow_work", "svcflow_persons"
DELIVERIES = "svcflow_deliveries"

RESTORE = Text(zh="以留痕为准；从备份恢复", en="the journal is right; restore the instance from a backup")

_STATES = ("waiting", "blocked", "dead")
_APART = frozenset({"head", "state", "secrets"})
"""Columns of instances that are compared with the chain, the replay and the commitments instead."""

_LONGEST = 60


class ExpectedState(NamedTuple):
    """What the journal of one instance leads to."""

    instance: Instance
    facts: Sequence[Fact]
    deviations: Sequence[Deviation]
    compiled: Compiled
    persons: frozenset[str]


_Rows = Mapping[tuple[Any, ...], tuple[Any, ...]]
"""Rows by their primary key, their first columns."""


class PersonRow(NamedTuple):
    """A row of the table of persons whose data stand beside a journal."""

    person: str


_VALUES: Mapping[str, Callable[[ExpectedState], Iterable[object]]] = {
    INSTANCES: lambda expected: (expected.instance,),
    DEVIATIONS: lambda expected: expected.deviations,
    WORK: lambda expected: work_of(expected.compiled, expected.instance),
    PERSONS: lambda expected: (PersonRow(person) for person in expected.persons),
}
"""The values that the rows of each table follow from."""


class Projections:
    """Comparison of the rows of instances with what their journals lead to.

    `positions` are the cursors of the subscriptions.
    """

    def __init__(self, columns: Mapping[str, Columns], positions: Mapping[str, int]) -> None:
        self._positions = positions
        self._tables = [
            _Table(name, columns[name], values_of) for name, values_of in _VALUES.items() if name in columns
        ]

    def problems(self, expected: ExpectedState, rows: InstanceRows) -> Iterator[CorruptJournal]:
        """Yield the problems of an instance, each column of each table once."""
        for table in self._tables:
            yield from table.problems(expected, rows.tables.get(table.name, ()))
        yield from self._of_facts(rows)
        yield from self._of_commands(expected, rows)
        yield from self._of_deliveries(expected, rows)

    def _of_facts(self, rows: InstanceRows) -> Iterator[CorruptJournal]:
        """Check the numbers and positions of entries, which the chain does not cover."""
        before = 0
        for number, (_, sequence, position, *_) in enumerate(rows.tables.get(FACTS, ()), 1):
            if sequence != number:
                yield otherwise(FACTS, "sequence", str(number), sequence, shown(number))
                return
            if position <= before:
                yield otherwise(FACTS, "position", str(number), position, f"> {before}")
                return
            before = position

    def _of_commands(self, expected: ExpectedState, rows: InstanceRows) -> Iterator[CorruptJournal]:
        """Check that each command id points to a fact, and to a refusal if it is marked as refused."""
        for _, command, sequence, refused in rows.tables.get(COMMANDS, ()):
            if not _is_among(expected.facts, sequence):
                yield otherwise(COMMANDS, "sequence", command, sequence, f"1…{len(expected.facts)}")
                continue
            right = sequence if isinstance(expected.facts[sequence - 1], Refused) else 0
            if refused != right:
                yield otherwise(COMMANDS, "refused", command, refused, shown(right))

    def _of_deliveries(self, expected: ExpectedState, rows: InstanceRows) -> Iterator[CorruptJournal]:
        """Check that undelivered facts lie behind the cursor of their subscription, and that the first in line waits."""
        facts, headed = rows.tables.get(FACTS, ()), set[str]()
        for _, name, sequence, state, *_ in rows.tables.get(DELIVERIES, ()):
            row = f"{name} {sequence}"
            if name not in self._positions:
                yield surplus(DELIVERIES, row, Text(zh="没有此订阅", en="there is no such subscription"))
            elif not _is_among(expected.facts, sequence):
                yield otherwise(DELIVERIES, "sequence", row, sequence, f"1…{len(expected.facts)}")
            elif facts[sequence - 1][2] > self._positions[name]:
                yield surplus(
                    DELIVERIES, row, Text(zh="该订阅尚未到此", en="the subscription is not so far yet")
                )
            elif state not in _STATES or (state == "blocked" and name not in headed):
                yield otherwise(DELIVERIES, "state", row, state, "waiting")
            if state != "dead":
                headed.add(name)


class _Table:
    """Comparison of the rows of one table with the values that they follow from."""

    def __init__(
        self, name: str, columns: Columns, values_of: Callable[[ExpectedState], Iterable[object]]
    ) -> None:
        self.name = name
        self._values_of = values_of
        apart = _APART if name == INSTANCES else ()
        # the first column is the instance, by which the rows were selected
        self._indices = [index for index, name in enumerate(columns.names) if index and name not in apart]
        self._names = [columns.names[index] for index in self._indices]
        self._key = columns.key - 1
        read: Any = attrgetter(*self._names)
        self._row_of: Callable[[object], tuple[Any, ...]] = (
            read if len(self._names) > 1 else lambda value: (read(value),)
        )

    def problems(self, expected: ExpectedState, stored: Sequence[Row]) -> Iterator[CorruptJournal]:
        right = [self._row_of(value) for value in self._values_of(expected)]
        actual = [tuple([row[index] for index in self._indices]) for row in stored]
        if actual == right:
            return
        yield from self._differences(
            {row[: self._key]: row for row in right}, {row[: self._key]: row for row in actual}
        )

    def _differences(self, right: _Rows, actual: _Rows) -> Iterator[CorruptJournal]:
        lost = [key for key in right if key not in actual]
        if lost:
            yield missing(self.name, _named(lost[0]), len(lost))
        more = [key for key in actual if key not in right]
        if more:
            yield surplus(self.name, _named(more[0]), count=len(more))
        for index, column in enumerate(self._names):
            wrong = [key for key, row in actual.items() if key in right and row[index] != right[key][index]]
            if wrong:
                key = wrong[0]
                value, expected = actual[key][index], shown(right[key][index])
                yield otherwise(self.name, column, _named(key), value, expected, count=len(wrong))


def otherwise(
    table: str, column: str, row: str, stored: object, expected: str, *, count: int = 1
) -> CorruptJournal:
    """Return the error for a value that is not what the journal leads to; `count` is the number of such rows."""
    zh, en = f"（{row}）" if row else "", f" of {row}" if row else ""
    more_zh, more_en = (f"，共 {count} 行", f"; {count} rows in all") if count > 1 else ("", "")
    message = Text(
        zh=f"{table}.{column}{zh} 与留痕不符：存的是 {shown(stored)}，应为 {expected}{more_zh}",
        en=f"{table}.{column}{en} is {shown(stored)}; the journal leads to {expected}{more_en}",
    )
    return CorruptJournal(message, RESTORE, table=table, column=column, row=row)


def missing(table: str, row: str, count: int = 1) -> CorruptJournal:
    """Return the error for rows that the journal leads to and that are missing."""
    message = Text(
        zh=f"{table} 缺少 {count} 行" + (f"：{row}" if row else ""),
        en=f"{table} lacks {count} of its rows" + (f": {row}" if row else ""),
    )
    return CorruptJournal(message, RESTORE, table=table, row=row)


def surplus(table: str, row: str, why: Text | None = None, count: int = 1) -> CorruptJournal:
    """Return the error for rows that nothing leads to."""
    reason = why or Text(zh="留痕中没有", en="the journal does not lead to it")
    message = Text(
        zh=f"{table} 多出 {count} 行：{row}（{reason.zh}）",
        en=f"{table} has {count} rows too many: {row} ({reason.en})",
    )
    return CorruptJournal(message, RESTORE, table=table, row=row)


def _is_among(facts: Sequence[Fact], sequence: object) -> bool:
    return isinstance(sequence, int) and 1 <= sequence <= len(facts)


def _named(key: Row) -> str:
    return " ".join(str(part) for part in key)


def shown(value: object) -> str:
    """Return a value as a message shows it, cut short."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
