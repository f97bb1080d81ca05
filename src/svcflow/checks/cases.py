"""Which rows of the limits' matrices can hold together. One case per combination that some data gives.

An urgent repair has urgent steps and an urgent whole: adding its steps up against the ordinary whole would
report what cannot happen. Where guards cannot be sampled, every row of a step stays possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from svcflow.checks.samples import Sample, holds, samples, worded
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.text import Text

__all__ = ["Case", "cases"]

MAX_CASES, MAX_VISITS = 64, 40_000
"""Bounds of one limit's work: combinations of rows, and combinations times steps."""


@attrs.frozen
class Case:
    """Hold, by limit id, the rows that may hold together; `example` words data that gives them."""

    rows: Mapping[str, tuple[Row, ...]]
    example: Text | None = None


def cases(procedure: Procedure, over: TimeLimit, parts: Iterable[TimeLimit]) -> Iterator[Case]:
    """Yield the combinations of rows of `over` and of the limits it is compared with.

    One case where no limit has a matrix; beyond `MAX_CASES` combinations rows are no longer held together.
    """
    limits = (over, *(part for part in parts if part.id != over.id))
    guards = [row.when for limit in limits for row in limit.match if row.when is not None]
    tried = samples(procedure, guards)
    chosen = None if tried is None else _chosen(limits, tried)
    most = min(MAX_CASES, MAX_VISITS // len(limits))
    if chosen is None or len(chosen) > most:
        yield from _loose(over, limits)
        return
    for places, sample in chosen.items():
        rows = {limit.id: (limit.rows[at],) for limit, at in zip(limits, places, strict=True)}
        yield Case(rows, worded(sample) if guards else None)


def _chosen(limits: tuple[TimeLimit, ...], tried: tuple[Sample, ...]) -> dict[tuple[int, ...], Sample]:
    found: dict[tuple[int, ...], Sample] = {}
    for sample in tried:
        found.setdefault(tuple(_first(limit, sample) for limit in limits), sample)
    return found


def _first(limit: TimeLimit, sample: Sample) -> int:
    return next(at for at, row in enumerate(limit.rows) if holds(row.when, sample))


def _loose(over: TimeLimit, limits: tuple[TimeLimit, ...]) -> Iterator[Case]:
    every = {limit.id: limit.rows for limit in limits}
    for row in over.rows:
        said = None if row.when is None else Text(zh=f"条件“{row.when}”成立", en=f"'{row.when}' true")
        yield Case({**every, over.id: (row,)}, said)
