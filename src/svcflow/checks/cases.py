"""Which rows of the limits' matrices and which guarded moves go together. One case per combination that data give.

An urgent repair has urgent steps, urgent ways and an urgent whole: adding its steps up against the ordinary whole
would report what cannot happen. The data are taken to stay as they are on the way. Where guards cannot be sampled,
every row of a step stays possible, and every move open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from svcflow.checks.places import row_groups, scopes
from svcflow.checks.samples import Sample, holds, samples, worded
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Transition
from svcflow.text import Text

__all__ = ["Case", "cases"]

MAX_CASES, MAX_VISITS = 64, 40_000
"""Bounds of one limit's work: combinations of rows, and combinations times steps, or data times guards of moves."""


@attrs.frozen
class Case:
    """The rows that may hold together, by limit id; `example` words data that give them.

    `closed` are the moves (by `id`) that these data do not take: a guard is false, or an earlier row is taken.
    """

    rows: Mapping[str, tuple[Row, ...]]
    example: Text | None = None
    closed: frozenset[int] = frozenset()


def cases(procedure: Procedure, over: TimeLimit, parts: Iterable[TimeLimit]) -> Iterator[Case]:
    """Yield the combinations of rows of `over` and of the limits it is compared with.

    One case where no limit has a matrix; beyond `MAX_CASES` combinations rows are no longer held together.
    """
    limits = (over, *(part for part in parts if part.id != over.id))
    guards = [row.when for limit in limits for row in limit.match if row.when is not None]
    most = min(MAX_CASES, MAX_VISITS // len(limits))
    moves = _guarded(procedure)
    for ways in (moves, ()) if moves else ((),):
        choices = [move.when for rows in ways for move in rows if move.when is not None]
        tried = samples(procedure, [*guards, *choices])
        if tried is not None and len(tried) * len(choices) > MAX_VISITS:
            continue
        chosen = None if tried is None else _chosen(limits, ways, tried)
        if chosen is not None and len(chosen) <= most:
            for (places, closed), sample in chosen.items():
                rows = {limit.id: (limit.rows[at],) for limit, at in zip(limits, places, strict=True)}
                yield Case(rows, worded(sample) if guards or choices else None, closed)
            return
    yield from _loose(over, limits)


def _guarded(procedure: Procedure) -> tuple[tuple[Transition, ...], ...]:
    """Return the rows of each trigger of each step where at least one has a guard."""
    groups = (rows.moves for scope in scopes(procedure) for rows in row_groups(scope))
    return tuple(moves for moves in groups if any(move.when is not None for move in moves))


def _chosen(
    limits: tuple[TimeLimit, ...], ways: Sequence[Sequence[Transition]], tried: tuple[Sample, ...]
) -> dict[tuple[tuple[int, ...], frozenset[int]], Sample]:
    found: dict[tuple[tuple[int, ...], frozenset[int]], Sample] = {}
    for sample in tried:
        closed = frozenset(number for moves in ways for number in _closed(moves, sample))
        found.setdefault((tuple(_first(limit, sample) for limit in limits), closed), sample)
    return found


def _closed(moves: Sequence[Transition], sample: Sample) -> Iterator[int]:
    """Yield the rows of one trigger that are not taken: all but the first whose guard holds."""
    taken = next((move for move in moves if holds(move.when, sample)), None)
    yield from (id(move) for move in moves if move is not taken)


def _first(limit: TimeLimit, sample: Sample) -> int:
    return next(at for at, row in enumerate(limit.rows) if holds(row.when, sample))


def _loose(over: TimeLimit, limits: tuple[TimeLimit, ...]) -> Iterator[Case]:
    every = {limit.id: limit.rows for limit in limits}
    for row in over.rows:
        said = None if row.when is None else Text(zh=f"条件“{row.when}”成立", en=f"'{row.when}' true")
        yield Case({**every, over.id: (row,)}, said)
