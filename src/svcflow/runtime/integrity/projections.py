"""What a store keeps beside a journal and could be told from it, row by row and column by column.

Most tables are told by a value of the kernel with attributes that are called like their columns, so that a column
which is added there is compared as well. Columns with a rule of their own are in the functions below.
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
"""Columns of instances that are held against the chain, the replay and the commitments."""

_LONGEST = 60


class ExpectedState(NamedTuple):
    """What the journal of one instance leads to."""

    instance: Instance
    facts: Sequence[Fact]
    deviations: Sequence[Deviation]
    compiled: Compiled
    persons: frozenset[str]


_Rows = Mapping[tuple[Any, ...], tuple[Any, ...]]
"""Rows by their key, in which they begin."""


class PersonRow(NamedTuple):
    """One whose personal data stand beside a journal."""

    person: str


_TELLING: Mapping[str, Callable[[ExpectedState], Iterable[object]]] = {
    INSTANCES: lambda told: (told.instance,),
    DEVIATIONS: lambda told: told.deviations,
    WORK: lambda told: work_of(told.compiled, told.instance),
    PERSONS: lambda told: (PersonRow(one) for one in told.persons),
}
"""The values that tell the rows of a table."""


class Projections:
    """Compare what is kept of instances with what their journals lead to.

    `positions` says how far each subscription has come.
    """

    def __init__(self, columns: Mapping[str, Columns], positions: Mapping[str, int]) -> None:
        self._positions = positions
        self._tables = [
            _Table(name, columns[name], tell) for name, tell in _TELLING.items() if name in columns
        ]

    def problems(self, told: ExpectedState, rows: InstanceRows) -> Iterator[CorruptJournal]:
        """Yield what is wrong, each column of each table once."""
        for table in self._tables:
            yield from table.problems(told, rows.tables.get(table.name, ()))
        yield from self._of_facts(rows)
        yield from self._of_commands(told, rows)
        yield from self._of_deliveries(told, rows)

    def _of_facts(self, rows: InstanceRows) -> Iterator[CorruptJournal]:
        """Check the numbers and positions of entries, which the chain says nothing of."""
        before = 0
        for number, (_, sequence, position, *_) in enumerate(rows.tables.get(FACTS, ()), 1):
            if sequence != number:
                yield otherwise(FACTS, "sequence", str(number), sequence, shown(number))
                return
            if position <= before:
                yield otherwise(FACTS, "position", str(number), position, f"> {before}")
                return
            before = position

    def _of_commands(self, told: ExpectedState, rows: InstanceRows) -> Iterator[CorruptJournal]:
        """Check that a command came to a fact, and to a refusal if it was refused."""
        for _, command, sequence, refused in rows.tables.get(COMMANDS, ()):
            if not _is_among(told.facts, sequence):
                yield otherwise(COMMANDS, "sequence", command, sequence, f"1…{len(told.facts)}")
                continue
            expected = sequence if isinstance(told.facts[sequence - 1], Refused) else 0
            if refused != expected:
                yield otherwise(COMMANDS, "refused", command, refused, shown(expected))

    def _of_deliveries(self, told: ExpectedState, rows: InstanceRows) -> Iterator[CorruptJournal]:
        """Check that what is not delivered is a fact its subscription has passed, and that the first in line waits."""
        facts, headed = rows.tables.get(FACTS, ()), set[str]()
        for _, name, sequence, state, *_ in rows.tables.get(DELIVERIES, ()):
            row = f"{name} {sequence}"
            if name not in self._positions:
                yield surplus(DELIVERIES, row, Text(zh="没有此订阅", en="there is no such subscription"))
            elif not _is_among(told.facts, sequence):
                yield otherwise(DELIVERIES, "sequence", row, sequence, f"1…{len(told.facts)}")
            elif facts[sequence - 1][2] > self._positions[name]:
                yield surplus(
                    DELIVERIES, row, Text(zh="该订阅尚未到此", en="the subscription is not so far yet")
                )
            elif state not in _STATES or (state == "blocked" and name not in headed):
                yield otherwise(DELIVERIES, "state", row, state, "waiting")
            if state != "dead":
                headed.add(name)


class _Table:
    """Compare the rows of one table with the values that tell them."""

    def __init__(
        self, name: str, columns: Columns, tell: Callable[[ExpectedState], Iterable[object]]
    ) -> None:
        self.name = name
        self._tell = tell
        apart = _APART if name == INSTANCES else ()
        self._places = [place for place, one in enumerate(columns.names) if place and one not in apart]
        self._names = [columns.names[place] for place in self._places]
        self._key = columns.key - 1
        read: Any = attrgetter(*self._names)
        self._told: Callable[[object], tuple[Any, ...]] = (
            read if len(self._names) > 1 else lambda one: (read(one),)
        )

    def problems(self, told: ExpectedState, kept: Sequence[Row]) -> Iterator[CorruptJournal]:
        expected = [self._told(one) for one in self._tell(told)]
        found = [tuple([row[place] for place in self._places]) for row in kept]
        if found == expected:
            return
        yield from self._differences(
            {row[: self._key]: row for row in expected}, {row[: self._key]: row for row in found}
        )

    def _differences(self, expected: _Rows, found: _Rows) -> Iterator[CorruptJournal]:
        lost = [key for key in expected if key not in found]
        if lost:
            yield missing(self.name, _named(lost[0]), len(lost))
        more = [key for key in found if key not in expected]
        if more:
            yield surplus(self.name, _named(more[0]), count=len(more))
        for place, name in enumerate(self._names):
            wrong = [
                key for key, row in found.items() if key in expected and row[place] != expected[key][place]
            ]
            if wrong:
                key = wrong[0]
                row = _named(key)
                yield otherwise(
                    self.name, name, row, found[key][place], shown(expected[key][place]), count=len(wrong)
                )


def otherwise(
    table: str, column: str, row: str, kept: object, told: str, *, count: int = 1
) -> CorruptJournal:
    """Return the error for a value that is not what the journal leads to; `count` says in how many rows."""
    zh, en = f"（{row}）" if row else "", f" of {row}" if row else ""
    more_zh, more_en = (f"，共 {count} 行", f"; {count} rows in all") if count > 1 else ("", "")
    message = Text(
        zh=f"{table}.{column}{zh} 与留痕不符：存的是 {shown(kept)}，应为 {told}{more_zh}",
        en=f"{table}.{column}{en} is {shown(kept)}; the journal leads to {told}{more_en}",
    )
    return CorruptJournal(message, RESTORE, table=table, column=column, row=row)


def missing(table: str, row: str, count: int = 1) -> CorruptJournal:
    """Return the error for rows that the journal leads to and that are not there."""
    message = Text(
        zh=f"{table} 缺少 {count} 行" + (f"：{row}" if row else ""),
        en=f"{table} lacks {count} of its rows" + (f": {row}" if row else ""),
    )
    return CorruptJournal(message, RESTORE, table=table, row=row)


def surplus(table: str, row: str, why: Text | None = None, count: int = 1) -> CorruptJournal:
    """Return the error for rows that are there and that nothing leads to."""
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
    """Return a value as it is shown in a message, cut short."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
