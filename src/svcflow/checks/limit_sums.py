"""Sums of limits: what the steps may take against the limit that runs over all of them.

What is reported is certain when every step uses its limit up; `path_weights` has how clocks are compared. A
step that waits takes nothing from a limit it stops; a step without a limit counts as no time at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import attrs

from svcflow.checks.findings import Finding, finding
from svcflow.checks.guard_samples import Sample, holds, samples, worded
from svcflow.checks.locations import concurrent, row_groups, scopes
from svcflow.checks.path_weights import (
    Length,
    LimitPath,
    Measure,
    WorkingDayLength,
    branches_of,
    limit_path,
    measures,
)
from svcflow.errors import Path
from svcflow.model.calendar_names import ALWAYS_OPEN
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.limit_locations import limits_over
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.text import Text
from svcflow.worktime import WorkCalendar

__all__ = ["RowCombination", "row_combinations", "sums"]


SHOWN = 8
"""Steps of a way that a message names before it says how many more there are."""

MAX_COMBINATIONS, MAX_VISITS = 64, 40_000
"""Bounds of one limit's work: combinations of rows, and combinations times steps, or data times guards of moves."""


@attrs.frozen
class RowCombination:
    """Rows that may hold together, by limit id; `example` is data for which they do, in words.

    `closed` are the moves (by `id`) that these data do not take: a guard is false, or an earlier row is taken.
    """

    rows: Mapping[str, tuple[Row, ...]]
    example: Text | None = None
    closed: frozenset[int] = frozenset()


def sums(procedure: Procedure, calendar: WorkCalendar | None) -> Iterator[Finding]:
    """Yield limits that the steps' own limits break, and spans whose end no way reaches."""
    own = {step.id: limit for step in procedure.all_steps.values() if (limit := _own(procedure, step))}
    hours = (
        WorkingDayLength()
        if calendar is None or calendar.id in ALWAYS_OPEN
        else WorkingDayLength.of(calendar)
    )
    lengths = _Lengths(procedure, own, calendar.id if calendar else None, hours)
    for scope in scopes(procedure):
        for step in scope.steps:
            if step.parallel and step.id in own:
                path = (*scope.path_of(step), "within")
                yield from _compare(lengths, own[step.id], tuple(branches_of(procedure, step)), path)
    for place, limit in enumerate(procedure.limits):
        over = limit_path(procedure, limit)
        if over is None:
            continue
        if limit.from_ is not None and limit.to in {*_entered_with(procedure.all_steps[limit.from_])}:
            yield _empty_span(limit, place)
        elif over.shortest(lambda _: 0) is None:
            yield from _no_way(procedure, limit, place)
        elif not limit.if_reached:  # a case whose steps use their limits up need not reach its end
            yield from _compare(lengths, limit, (over,), ("limits", place))


def row_combinations(
    procedure: Procedure, over: TimeLimit, parts: Iterable[TimeLimit]
) -> Iterator[RowCombination]:
    """Yield the combinations of rows of `over` and of the limits it is compared with.

    There is one where no limit has a matrix; beyond `MAX_COMBINATIONS` rows are no longer combined.
    """
    limits = (over, *(part for part in parts if part.id != over.id))
    guards = [row.when for limit in limits for row in limit.match if row.when is not None]
    most = min(MAX_COMBINATIONS, MAX_VISITS // len(limits))
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
                yield RowCombination(rows, worded(sample) if guards or choices else None, closed)
            return
    yield from _uncombined(over, limits)


@attrs.frozen
class _Lengths:
    """The procedure, rows and calendars from which lengths are computed."""

    procedure: Procedure
    own: Mapping[str, TimeLimit]
    calendar: str | None
    given: WorkingDayLength

    def length(self, limit: TimeLimit, place: int, combination: RowCombination) -> Length | None:
        """Return the length of one row of a limit; None where the row has no target."""
        row = combination.rows[limit.id][place]
        calendar = row.calendar or limit.calendar or self.procedure.calendar
        return None if row.within is None else Length(row.within, calendar)

    def hours(self, calendar: str) -> WorkingDayLength:
        """Return the hours of a working day: of the calendar given, where it is the one meant."""
        return self.given if calendar == self.calendar else WorkingDayLength()

    def least(
        self, step: str, over: TimeLimit, combination: RowCombination, measure: Measure
    ) -> tuple[int, Length] | None:
        """Return what a step takes at the least by a measure, with the row that says so."""
        limit = self.own.get(step)
        if limit is None or limit.id == over.id:
            return None
        if over.stoppable and self.procedure.all_steps[step].waits is not None:
            return None
        lengths = [self.length(limit, place, combination) for place in range(len(combination.rows[limit.id]))]
        if None in lengths:
            return None
        return min(
            ((measure.weigh(length), length) for length in lengths if length), key=lambda pair: pair[0]
        )

    def weigh(
        self, over: TimeLimit, combination: RowCombination, measure: Measure
    ) -> Callable[[Step], int | None]:
        """Return what weighs a step; one whose row has no target counts as one without a limit."""

        def scale(step: Step) -> int | None:
            least = self.least(step.id, over, combination, measure)
            return None if least is None else least[0]

        return scale


def _own(procedure: Procedure, step: Step) -> TimeLimit | None:
    """Return the limit that says how long the step may take: its own, else one declared for it apart."""
    return next(iter(limits_over(procedure, step)), None)


def _compare(
    lengths: _Lengths, over: TimeLimit, runs: tuple[LimitPath, ...], path: Path
) -> Iterator[Finding]:
    """Yield at most one finding for the limit: the shortest way in any combination of rows, else the longest."""
    tried = list(row_combinations(lengths.procedure, over, lengths.own.values()))
    closed = {combination.closed for combination in tried}
    runs_in = {shut: [attrs.evolve(run, closed=shut) for run in runs] for shut in closed}
    for shortest in (True, False):
        for combination in tried:
            limit = lengths.length(over, 0, combination)
            if limit is None:
                continue
            for measure in measures(limit, lengths.hours(limit.calendar)):
                scale = lengths.weigh(over, combination, measure)
                for run in runs_in[combination.closed]:
                    way = run.shortest(scale) if shortest else run.longest(scale)
                    if way is not None and way[0] > measure.most:
                        shortfall = _Shortfall(lengths, over, limit, combination, measure, way[1], way[0])
                        yield shortfall.finding(path, shortest=shortest)
                        return


@attrs.frozen
class _Shortfall:
    """One way on which the steps need more than the limit allows."""

    lengths: _Lengths
    over: TimeLimit
    limit: Length
    combination: RowCombination
    measure: Measure
    steps: tuple[str, ...]
    total: int

    def finding(self, path: Path, *, shortest: bool) -> Finding:
        """Return the finding in words."""
        need, when, way, basis = self._need(), self._when(), self._way(), self._basis()
        zh_which, en_which = ("最短", "shortest") if shortest else ("最长（无环）", "longest acyclic")
        zh_scope, en_scope = self._scope()
        message = Text(
            zh=f"{when.zh}{zh_which}路径（{way}）上各环节用足时限合计{need.zh}，而{zh_scope}“{self.over.id}”为 {self.limit.amount.text('zh')}{basis.zh}",
            en=f"{when.en}used up, the limits on the {en_which} way ({way}) come to {need.en}; {en_scope} '{self.over.id}' is {self.limit}{basis.en}",
        )
        code = "limit-below-shortest-way" if shortest else "limit-below-longest-way"
        remedy = Text(
            zh="收紧该路径上的环节时限，或放宽其上的总时限",
            en="tighten the limits on that way, or widen the one over them",
        )
        return finding(code, path, message, remedy)

    def _step_lengths(self) -> list[tuple[str, Length]]:
        least_of = (
            (step, self.lengths.least(step, self.over, self.combination, self.measure))
            for step in self.steps[:-1]
        )
        return [(step, least[1]) for step, least in least_of if least is not None]

    def _need(self) -> Text:
        """Return the time needed, exact where every step runs on the limit's own clock."""
        lengths = [length for _, length in self._step_lengths()]
        plain = all(length.clock_of == self.limit.clock_of for length in lengths)
        exact = plain and self.total == sum(map(self.measure.weigh, lengths))
        need = self.measure.word(self.total)
        return need if exact or self.measure.bounds else Text(zh=f"至少 {need.zh}", en=f"at least {need.en}")

    def _way(self) -> str:
        labels = {step: f"{step} {length}" for step, length in self._step_lengths()}
        named = [labels.get(step, step) for step in self.steps]
        if len(named) > SHOWN:
            named = [*named[: SHOWN - 1], f"… {len(named) - SHOWN} …", named[-1]]
        return " → ".join(named)

    def _when(self) -> Text:
        example = self.combination.example
        return Text() if example is None else Text(zh=f"当 {example.zh} 时，", en=f"with {example.en}, ")

    def _scope(self) -> tuple[str, str]:
        if self.over.scope == "step":
            return "环节时限", "the step's limit"
        return ("总时限", "the whole limit") if self.over.scope == "procedure" else ("时限", "the limit")

    def _basis(self) -> Text:
        hours = self.lengths.hours(self.limit.calendar)
        if not any(self.measure.assumes_hours(length) for _, length in self._step_lengths()):
            return Text()
        if hours.assumed:
            return Text(zh="（按 1 个工作日 8 小时计）", en=" (counting a working day as 8 working hours)")
        return Text(zh="（工时取自工作日历）", en=" (with the hours of the calendar)")


def _entered_with(step: Step) -> Iterator[str]:
    """Yield the steps that are entered at the instant at which a step is: itself, and the first of its branches."""
    yield step.id
    for branch in step.parallel:
        yield from _entered_with(branch.steps[0])


def _empty_span(limit: TimeLimit, place: int) -> Finding:
    same = limit.from_ == limit.to
    zh, en = ("起点就是终点", "the same step") if same else ("两者同时进入", "entered at the same instant")
    remedy = Text(
        zh=f"计在该环节内的时间，写 step: {limit.from_}；否则改正 to",
        en=f"for the time inside that step write step: {limit.from_}; else correct 'to'",
    )
    return finding(
        "span-of-nothing",
        ("limits", place),
        Text(
            zh=f"时限“{limit.id}”由 {limit.from_} 计到 {limit.to}，{zh}",
            en=f"limit '{limit.id}' runs from {limit.from_} to {limit.to}, which is {en}",
        ),
        remedy if same else Text(zh="改正 from 或 to", en="correct 'from' or 'to'"),
    )


def _no_way(procedure: Procedure, limit: TimeLimit, place: int) -> Iterator[Finding]:
    # Steps in two branches of one parallel step have no way between them and yet may follow one another.
    homes = {step.id: scope for scope in scopes(procedure) for step in scope.steps}
    start, stop, key = limit.from_, limit.to_trigger or limit.to, "to_trigger" if limit.to_trigger else "to"
    if (
        start is None or stop is None or limit.lasts_to_end(homes)
    ):  # that no end is reached is found at the step
        return
    last = homes if limit.to_trigger else (stop,)
    fired = (name for name in last if key == "to" or _fires(procedure, name, stop))
    if any(concurrent(homes[start], homes[name]) for name in fired):
        return
    yield finding(
        "span-without-way",
        ("limits", place),
        Text(
            zh=f"时限“{limit.id}”由 {start} 计到 {stop}，但从 {start} 走不到 {stop}",
            en=f"limit '{limit.id}' runs from {start} to {stop}, but no way leads there",
        ),
        Text(zh=f"改正 from 或 {key}", en=f"correct 'from' or '{key}'"),
    )


def _fires(procedure: Procedure, step: str, trigger: str) -> bool:
    return any(move.trigger == trigger for move in procedure.all_steps[step].to)


def _guarded(procedure: Procedure) -> tuple[tuple[Transition, ...], ...]:
    """Return the rows of each trigger of each step where at least one has a guard."""
    groups = (rows.moves for scope in scopes(procedure) for rows in row_groups(scope))
    return tuple(moves for moves in groups if any(move.when is not None for move in moves))


def _chosen(
    limits: tuple[TimeLimit, ...], ways: Sequence[Sequence[Transition]], tried: tuple[Sample, ...]
) -> dict[tuple[tuple[int, ...], frozenset[int]], Sample]:
    chosen: dict[tuple[tuple[int, ...], frozenset[int]], Sample] = {}
    for sample in tried:
        closed = frozenset(number for moves in ways for number in _closed(moves, sample))
        chosen.setdefault((tuple(_first(limit, sample) for limit in limits), closed), sample)
    return chosen


def _closed(moves: Sequence[Transition], sample: Sample) -> Iterator[int]:
    """Yield the rows of one trigger that are not taken: all but the first whose guard holds."""
    taken = next((move for move in moves if holds(move.when, sample)), None)
    yield from (id(move) for move in moves if move is not taken)


def _first(limit: TimeLimit, sample: Sample) -> int:
    return next(at for at, row in enumerate(limit.rows) if holds(row.when, sample))


def _uncombined(over: TimeLimit, limits: tuple[TimeLimit, ...]) -> Iterator[RowCombination]:
    every = {limit.id: limit.rows for limit in limits}
    for row in over.rows:
        example = None if row.when is None else Text(zh=f"条件“{row.when}”成立", en=f"'{row.when}' true")
        yield RowCombination({**every, over.id: (row,)}, example)
