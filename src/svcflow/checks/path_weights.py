"""Paths that a limit runs over, from its first step to its last, and their weights.

A parallel step weighs what its longest branch weighs, unless it has a limit of its own. Where a limit
starts or ends inside a branch, the way goes through that branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from svcflow.checks.graph import Way, heaviest_way, lightest_way, reachable, scope_graph
from svcflow.checks.locations import Scope, scopes
from svcflow.model.amount import DAY_US, HOUR_US, Amount
from svcflow.model.calendar_names import ALWAYS_OPEN
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE, Step, Transition
from svcflow.text import Text
from svcflow.wording import SHORT_UNITS, UNITS, plural

if TYPE_CHECKING:
    from svcflow.checks.graph import Graph
    from svcflow.worktime import WorkCalendar

__all__ = [
    "Length",
    "LimitPath",
    "Measure",
    "WorkingDayLength",
    "branches_of",
    "limit_path",
    "measures",
]


Weigh = Callable[[Step], int | None]
"""What a step's own limit weighs; None when it has none."""

_Choose = Callable[[Scope, list[str], Mapping[str, int]], Way | None]

_A_LEAP_YEAR = date(2024, 1, 1)


@attrs.frozen
class LimitPath:
    """Steps that a limit runs over: everything between `source` and the `targets`.

    Of a span that a trigger ends, `ended_by`, the target is a node of its own: what follows once it was fired.
    """

    scopes: tuple[Scope, ...]
    source: str
    targets: tuple[str, ...]
    passed: frozenset[str] = frozenset()
    """Parallel steps that the way enters or leaves through one branch: the branch weighs, not the step."""
    closed: frozenset[int] = frozenset()
    """Moves, by `id`, that are not taken (see `RowCombination.closed`)."""
    ended_by: str | None = None

    def shortest(self, weigh: Weigh) -> Way | None:
        """Return the lightest way, rework included; None where no way leads to a target."""
        return lightest_way(self._whole, self.source, self.targets, self._weights(weigh, self._lightest))

    def longest(self, weigh: Weigh) -> Way | None:
        """Return the heaviest acyclic way without rework, as `heaviest_way` defines it."""
        return heaviest_way(self._onward, self.source, self.targets, self._weights(weigh, self._heaviest))

    def covered(self) -> set[str]:
        """Return the steps whose time the limit counts, without rework."""
        after = reachable(self._onward, self.source)
        backward = self._onward.reverse()
        before = {step for target in self.targets for step in reachable(backward, target)} - {*self.targets}
        return after & before

    @cached_property
    def _whole(self) -> Graph:
        return self._graph(self._open)

    @cached_property
    def _onward(self) -> Graph:
        return self._graph(self._forward)

    def _open(self, move: Transition) -> bool:
        return id(move) not in self.closed

    def _forward(self, move: Transition) -> bool:
        return move.kind != "rework" and self._open(move)

    def _graph(self, keep: Callable[[Transition], bool]) -> Graph:
        graph = scope_graph(self.scopes[0], lambda move: keep(move) and move.trigger != self.ended_by)
        for scope in self.scopes[1:]:
            graph.update(scope_graph(scope, lambda move: keep(move) and move.trigger != self.ended_by))
        if self.ended_by is not None:
            graph.add_nodes_from(self.targets)
            for step in _firing(self.scopes, self.ended_by, self._open):
                graph.add_edges_from((step, target) for target in self.targets)
        for scope in self.scopes:
            if scope.parent is None or scope.parent.id not in self.passed:
                continue
            if self._leads_to(scope):
                graph.add_edge(scope.parent.id, scope.steps[0].id)
            elif self._starts_in(scope):
                after = [move.step for move in scope.parent.to if move.trigger == DONE]
                ends = [step.id for step in scope.steps if step.end is not None]
                graph.add_edges_from((end, step) for end in ends for step in after)
        return graph

    def _lightest(self, scope: Scope, ends: list[str], weights: Mapping[str, int]) -> Way | None:
        return lightest_way(scope_graph(scope, self._open), scope.steps[0].id, ends, weights)

    def _heaviest(self, scope: Scope, ends: list[str], weights: Mapping[str, int]) -> Way | None:
        return heaviest_way(scope_graph(scope, self._forward), scope.steps[0].id, ends, weights)

    def _leads_to(self, scope: Scope) -> bool:
        last = self.targets if self.ended_by is None else (*_firing(self.scopes, self.ended_by),)
        return any(_within(scope, self.scopes, step) for step in last)

    def _starts_in(self, scope: Scope) -> bool:
        return _within(scope, self.scopes, self.source)

    def _weights(self, weigh: Weigh, choose: _Choose) -> Mapping[str, int]:
        """Return the weights, inner scopes first, since a parallel step weighs what its branches do."""
        weights: dict[str, int] = {}
        branches: dict[str, int] = {}
        for scope in reversed(self.scopes):
            for step in scope.steps:
                own = 0 if step.id in self.passed else weigh(step)
                weights[step.id] = branches.get(step.id, 0) if own is None else own
            if scope.parent is not None:
                ends = [step.id for step in scope.steps if step.end is not None]
                way = choose(scope, ends, weights)
                longest = max(branches.get(scope.parent.id, 0), way[0] if way else 0)
                branches[scope.parent.id] = longest
        return weights


@attrs.frozen
class WorkingDayLength:
    """Hours of the shortest and of the longest working day of a calendar."""

    least_us: int = 8 * HOUR_US
    most_us: int = 8 * HOUR_US
    assumed: bool = True

    @classmethod
    def of(cls, calendar: WorkCalendar) -> WorkingDayLength:
        """Return the hours of the first year that the calendar covers."""
        first = calendar.covers.first if calendar.covers else _A_LEAP_YEAR
        last = calendar.covers.last if calendar.covers else _A_LEAP_YEAR + timedelta(days=365)
        days = (first + timedelta(days=n) for n in range(min((last - first).days + 1, 366)))
        hours = [_open_us(calendar, day) for day in days if calendar.is_working_day(day)]
        return cls(min(hours), max(hours), assumed=False) if hours else cls()


@attrs.frozen
class Length:
    """Amount of time with the calendar on which it runs."""

    amount: Amount
    calendar: str

    @property
    def clock(self) -> str:
        """Kind of time: on a calendar always open, working time is elapsed and working days are calendar days."""
        family = self.amount.family
        if self.calendar in ALWAYS_OPEN:
            return {"working": "elapsed", "working_days": "calendar_days"}.get(family, family)
        return family

    @property
    def clock_of(self) -> tuple[str, str]:
        """Kind of time with its calendar; elapsed time and dates are the same on every calendar."""
        return self.clock, self.calendar if self.clock.startswith("working") else ""

    def __str__(self) -> str:
        return str(self.amount)


@attrs.frozen
class Measure:
    """Measure of steps against one limit: `weigh` gives the least a step takes, `most` what the limit allows.

    `bounds` says that `word` already words a total as a bound.
    """

    weigh: Callable[[Length], int]
    most: int
    word: Callable[[int], Text]
    assumes_hours: Callable[[Length], bool] = lambda _: False
    bounds: bool = False


def limit_path(procedure: Procedure, limit: TimeLimit) -> LimitPath | None:
    """Return what the limit runs over; None for a limit over one step.

    A whole-procedure limit runs to the ends that complete it, where there are any: being turned down after
    an hour does not make a day enough for the work.
    """
    all_scopes = scopes(procedure)
    if limit.scope == "step":
        return None
    if limit.from_ is None:
        ends = [step for step in procedure.steps if step.end is not None]
        completed = [step for step in ends if step.succeeds] or ends
        return LimitPath(all_scopes, procedure.steps[0].id, tuple(step.id for step in completed))
    homes = {step.id: scope for scope in all_scopes for step in scope.steps}
    starts = set(_parents(homes[limit.from_]))
    if limit.to_trigger is not None:
        last = [set(_parents(homes[step])) for step in _firing(all_scopes, limit.to_trigger)]
        passed = frozenset(parent for stops in last for parent in starts ^ stops)
        return LimitPath(
            all_scopes, limit.from_, (f"({limit.to_trigger})",), passed, ended_by=limit.to_trigger
        )
    if limit.lasts_to_end(procedure.all_steps):
        last_steps = tuple(step.id for step in procedure.steps if step.end is not None)
        return LimitPath(all_scopes, limit.from_, last_steps, frozenset(starts))
    stops = set(_parents(homes[str(limit.to)]))
    return LimitPath(all_scopes, limit.from_, (str(limit.to),), frozenset(starts ^ stops))


def _firing(
    all_scopes: tuple[Scope, ...], trigger: str, keep: Callable[[Transition], bool] = lambda _: True
) -> Iterator[str]:
    """Yield the steps that a trigger leaves."""
    for scope in all_scopes:
        for step in scope.steps:
            if any(move.trigger == trigger and keep(move) for move in step.to):
                yield step.id


def branches_of(procedure: Procedure, step: Step) -> Iterator[LimitPath]:
    """Yield, for a parallel step, what runs inside each branch."""
    all_scopes = scopes(procedure)
    for scope in all_scopes:
        if scope.parent is not None and scope.parent.id == step.id:
            ends = tuple(inner.id for inner in scope.steps if inner.end is not None)
            yield LimitPath(all_scopes, scope.steps[0].id, ends)


def measures(limit: Length, hours: WorkingDayLength) -> Iterator[Measure]:
    """Yield the measures for a limit; none for a clock that limits do not run on yet."""
    match limit.clock:
        case "elapsed":
            yield Measure(_elapsed, limit.amount.us, _hours)
            yield Measure(_dates, -(-limit.amount.us // DAY_US), _more_than_days, bounds=True)
        case "calendar_days":
            yield Measure(_dates, limit.amount.count, _days)
        case "working":
            yield _working(limit, hours)
        case "working_days":
            yield _by_days(limit, hours)
            yield _by_hours(limit, hours)


def _within(scope: Scope, all_scopes: tuple[Scope, ...], step: str) -> bool:
    home: Scope | None = next(s for s in all_scopes if any(inner.id == step for inner in s.steps))
    while home is not None:
        if home.path == scope.path:
            return True
        home = home.outer
    return False


def _parents(scope: Scope | None) -> Iterator[str]:
    while scope is not None and scope.parent is not None:
        yield scope.parent.id
        scope = scope.outer


def _elapsed(length: Length) -> int:
    if length.clock in ("elapsed", "working"):
        return length.amount.us
    return max(0, _count(length) - 1) * DAY_US


def _dates(length: Length) -> int:
    if length.clock in ("elapsed", "working"):
        return length.amount.us // DAY_US
    return _count(length)


def _working(limit: Length, hours: WorkingDayLength) -> Measure:
    weigh = _opening_hours(limit.calendar, hours)
    return Measure(weigh, limit.amount.us, _working_hours, _counts_days(limit.calendar))


def _by_days(limit: Length, hours: WorkingDayLength) -> Measure:
    def weigh(length: Length) -> int:
        if length.calendar != limit.calendar:
            return 0
        if length.clock == "working":
            return max(0, -(-length.amount.us // hours.most_us) - 1)
        return _count(length) if length.clock == "working_days" else 0

    def assumes(length: Length) -> bool:
        return length.clock == "working" and weigh(length) > 0

    return Measure(weigh, limit.amount.count, _working_days, assumes)


def _by_hours(limit: Length, hours: WorkingDayLength) -> Measure:
    weigh = _opening_hours(limit.calendar, hours)
    return Measure(weigh, (limit.amount.count + 1) * hours.most_us, _working_hours, lambda s: weigh(s) > 0)


def _opening_hours(calendar: str, hours: WorkingDayLength) -> Callable[[Length], int]:
    def weigh(length: Length) -> int:
        if length.calendar != calendar:
            return 0
        if length.clock == "working":
            return length.amount.us
        return length.amount.count * hours.least_us if length.clock == "working_days" else 0

    return weigh


def _counts_days(calendar: str) -> Callable[[Length], bool]:
    return lambda length: length.clock == "working_days" and length.calendar == calendar


def _count(length: Length) -> int:
    return length.amount.count if length.clock in ("working_days", "calendar_days") else 0


def _hours(total: int) -> Text:
    return Text(
        zh=f"{_in_hours(total)} {SHORT_UNITS['h'].zh}", en=f"{_in_hours(total)} {SHORT_UNITS['h'].en}"
    )


def _more_than_days(total: int) -> Text:
    return Text(zh=f"{total - 1} 天（每天 24 小时）以上", en=f"more than {total - 1} days of 24 h")


def _days(total: int) -> Text:
    return _in_units(total, "cd")


def _working_hours(total: int) -> Text:
    return _in_units(_in_hours(total), "wh")


def _working_days(total: int) -> Text:
    return _in_units(total, "wd")


def _in_units(total: int | str, unit: str) -> Text:
    """Word a sum of several lengths, which is always a plural in English."""
    noun = UNITS[unit]
    return Text(zh=f"{total} {noun.zh}", en=f"{total} {plural(noun.en)}")


def _open_us(calendar: WorkCalendar, day: date) -> int:
    microsecond = timedelta(microseconds=1)
    return sum((closing - opening) // microsecond for opening, closing in calendar.intervals(day))


def _in_hours(us: int) -> str:
    return f"{us / HOUR_US:.4g}"
