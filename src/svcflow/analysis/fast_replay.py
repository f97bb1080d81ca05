"""Fast replay: a sequence of events replayed once, so that further cases are judged by their times.

Where no limit moves an instance by itself, the kernel's way through a sequence of events depends on the sequence only.
One replay of it gives the intervals over which each limit runs, and every case of the same sequence is judged on these
with the kernel's own stopwatches. A case that breaks a rule, runs with pauses or may be moved by time has to be
replayed in full (`svcflow.analysis.replay`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import attrs

from svcflow.analysis.activity_mapping import MappedSequence
from svcflow.analysis.replay import CaseReplay, Judgement
from svcflow.errors import CalendarCoverageError
from svcflow.kernel.commands import Actor
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import SYSTEM, Fact
from svcflow.kernel.instance import STOPPED, Stopwatch
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit

__all__ = ["DeadlineBounds", "FastReplay", "LimitInterval", "make_fast_replay"]

_AT_END = -1
_BUCKET = 35  # 2**35 microseconds are 9.5 hours: few bounds to compute, and few exact deadlines


class DeadlineBounds:
    """Lower bounds of the deadlines of a limit, by the instant of its start, so that few have to be computed.

    A limit that starts later is due no earlier, so the deadline of a bucket's first instant is a lower bound for all
    starts in it; the exact deadline is computed only when the bound does not settle whether the limit was kept.
    """

    __slots__ = ("_bounds", "limit", "row")

    def __init__(self, limit: CompiledLimit, row: int) -> None:
        self.limit, self.row = limit, row
        self._bounds: dict[int, int] = {}

    def is_kept(self, start_us: int, stop_us: int) -> bool:
        """Return whether the limit, never interrupted, would be kept when it ends at `stop_us`.

        Raises: CalendarCoverageError.
        """
        bucket = start_us >> _BUCKET
        bound_us = self._bounds.get(bucket)
        if bound_us is None:
            bound_us = self._bounds[bucket] = self._bound(bucket << _BUCKET)
        return (
            stop_us < bound_us or stop_us <= self.stopwatch(start_us).due_us
        )  # at its deadline it is still met

    def stopwatch(self, start_us: int) -> Stopwatch:
        """Return the limit's stopwatch at its start."""
        begun = stopwatch.start(self.limit, self.row, start_us, visit=1, running=True)
        return stopwatch.with_due(self.limit, begun)

    def _bound(self, bucket_us: int) -> int:
        try:
            return self.stopwatch(bucket_us).due_us
        except CalendarCoverageError:  # the bucket begins before the calendar does: no bound, so always exact
            return bucket_us


@attrs.frozen
class LimitInterval:
    """Interval over which a limit ran in one visit, from event to event, with how it stands if it was kept.

    `begin` and `stop` are places of events in the case; `stop` ended it for good, -1 being the end of the log. A `whole`
    interval has no pauses and moves nothing; pauses of others only move the deadline on.
    """

    bounds: DeadlineBounds
    visit: int
    begin: int
    stop: int
    whole: bool
    judgement: Judgement

    @property
    def key(self) -> tuple[str, Judgement]:
        """The limit and how it stands if it was kept."""
        return self.bounds.limit.id, self.judgement

    @property
    def is_judged(self) -> bool:
        """Whether the limit may be broken: always, but for one that is judged only where its end is reached."""
        return not self.bounds.limit.if_reached or self.judgement == "met" or not self.whole


@attrs.frozen
class FastReplay:
    """What is the same for all cases of one sequence of events that break no rule."""

    compiled: Compiled
    intervals: tuple[LimitInterval, ...]
    judged: tuple[LimitInterval, ...]
    """Those that a case may break."""
    outcome: str
    open: bool
    places: tuple[int, ...]
    """The places, in a case, of the events that mean something to the procedure."""
    steps: tuple[str, ...]
    """After each of these events, the step that a breach of a span is recorded at."""
    unjudged: Mapping[str, int]

    def breaches(self, case: str, times: Sequence[int]) -> list[tuple[LimitInterval, Deviation]] | None:
        """Return the limits that a case broke, given the instants of its events; None when only a full replay can tell.

        Of an open case, `times` ends with the last instant of the log.
        """
        try:
            late = [
                interval
                for interval in self.judged
                if not interval.bounds.is_kept(times[interval.begin], times[interval.stop])
            ]
            if not all(interval.whole for interval in late):
                return None
            breaches = [(interval, self._breach(case, interval, times)) for interval in late]
        except CalendarCoverageError:  # the full replay says at which event
            return None
        breaches.sort(key=_in_order)
        return breaches

    def _breach(self, case: str, interval: LimitInterval, times: Sequence[int]) -> Deviation:
        limit, procedure = interval.bounds.limit, self.compiled.procedure
        watch = interval.bounds.stopwatch(times[interval.begin])
        reached = limit.if_reached  # the breach occurs only then, at the step where the span began
        step = (
            limit.limit.step
            or (limit.limit.from_ if reached else self._step_at(watch.due_us + 1, times))
            or ""
        )
        is_settled = interval.stop != _AT_END
        return Deviation(
            instance=case,
            sequence=0,
            procedure=procedure.id,
            version=procedure.version,
            kind="long_wait" if limit.is_wait else "overdue",
            severity=limit.limit.severity,
            step=step,
            role=self.compiled.steps[step].step.role or "",
            actor=SYSTEM,
            occurred_us=times[interval.stop] if reached else watch.due_us,
            limit=limit.id,
            visit=interval.visit,
            due_us=watch.due_us,
            overrun_us=stopwatch.overrun(limit, watch, times[interval.stop]) if is_settled else None,
        )

    def _step_at(self, noticed_us: int, times: Sequence[int]) -> str:
        """Return the step the instance was in when the breach was noticed: before the next event that means something."""
        return self.steps[bisect_left(self.places, noticed_us, key=times.__getitem__) - 1]


def _in_order(breach: tuple[LimitInterval, Deviation]) -> tuple[int, bool]:
    # A deadline passes only after its instant: what a move of that instant reached too late was recorded before.
    return breach[1].occurred_us, not breach[0].bounds.limit.if_reached


def make_fast_replay(
    compiled: Compiled,
    sequence: MappedSequence,
    actors: Mapping[int, Actor],
    at_us: int,
    bounds: dict[tuple[str, int], DeadlineBounds],
) -> FastReplay | None:
    """Replay a sequence of events at one instant; None when it breaks a rule, which every case of it then does.

    None too where a limit is more than a length of time: its deadline depends on data, the time of day or occurrences;
    and where a step moves on by itself.

    Raises: CalendarCoverageError.
    """
    limits = compiled.limits.values()
    if any(limit.is_timer or any(row.kind != "within" for row in limit.rows) for limit in limits):
        return None
    replay, recorder = CaseReplay(compiled, ""), _StopwatchRecorder(compiled, bounds)
    steps: list[str] = []
    for event in sequence.events:
        replay.replay(event, actors[event.index], at_us, starts=sequence.starts)
        assert replay.instance is not None  # noqa: S101  # the first event starts it
        recorder.record(event.index, replay.instance.stopwatches, replay.latest)
        steps.append(replay.instance.steps[0])
    instance = replay.instance
    if instance is None or replay.missed or replay.deviations():
        return None
    places = tuple(event.index for event in sequence.events)
    intervals = recorder.intervals(replay.replaced())
    is_open = instance.status != "ended"
    return FastReplay(
        compiled,
        intervals,
        tuple(interval for interval in intervals if interval.is_judged),
        instance.outcome,
        is_open,
        places,
        tuple(steps),
        replay.unjudged,
    )


@attrs.define
class _Visit:
    """One visit of a limit: its stopwatch, and the places of the events that began and last stopped it."""

    watch: Stopwatch
    begin: int
    stop: int
    paused: bool = False


class _StopwatchRecorder:
    """Recorder of each visit of each limit, from its start to its last stop."""

    def __init__(self, compiled: Compiled, bounds: dict[tuple[str, int], DeadlineBounds]) -> None:
        self._compiled, self._bounds = compiled, bounds
        self._visits: dict[str, list[_Visit]] = {}

    def record(self, index: int, watches: Mapping[str, Stopwatch], facts: Sequence[Fact]) -> None:
        """Record the stopwatches as they are after the event at `index`, which led to these facts."""
        for limit, watch in watches.items():
            visits = self._visits.setdefault(limit, [])
            visit = visits[-1] if visits else None
            ran = visit is not None and visit.watch.open_us != STOPPED
            if visit is not None and ran:
                visit.stop = index  # it ran up to this event, whether it runs on or not
            if visit is None or visit.watch.visit != watch.visit:
                visits.append(_Visit(watch, index, index))
                continue
            runs = watch.open_us != STOPPED
            reached = ran and runs and self._is_reached(limit, facts)
            visit.paused = visit.paused or reached or (runs and not ran) or not (runs or watch.verdict)
            visit.watch = watch

    def _is_reached(self, limit_id: str, facts: Sequence[Fact]) -> bool:
        """Return whether a limit judged when it is reached was, though it runs on: only a full replay tells if in time."""
        limit = self._compiled.limits[limit_id]
        return limit.if_reached and self._compiled.reaches(facts, limit)

    def intervals(self, replaced: Mapping[tuple[str, int], Judgement]) -> tuple[LimitInterval, ...]:
        """Return the intervals in the order in which the instance holds its limits.

        `replaced` says how limits stood on visits that later ones replaced.
        """
        return tuple(
            self._interval(visit, replaced.get((visit.watch.limit, visit.watch.visit)))
            for visits in self._visits.values()
            for visit in visits
        )

    def _interval(self, visit: _Visit, replaced: Judgement | None) -> LimitInterval:
        watch, limit = visit.watch, self._compiled.limits[visit.watch.limit]
        bounds = self._bounds.setdefault((limit.id, watch.row), DeadlineBounds(limit, watch.row))
        last = replaced is None
        stands: Judgement = "open" if not watch.verdict else "met" if watch.verdict == "met" else "cancelled"
        judgement = replaced or stands
        running = last and watch.open_us != STOPPED
        whole = not visit.paused and limit.limit.on_overdue is None and bool(running or watch.verdict)
        return LimitInterval(
            bounds, watch.visit, visit.begin, _AT_END if running else visit.stop, whole, judgement
        )
