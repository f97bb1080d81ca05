"""Rehearsal: a sequence of events replayed once with time standing still, to judge its cases by their times alone.

Where no limit moves the instance by itself, the kernel's way through a sequence depends on nothing but the
sequence. So one replay gives the stretches over which each limit runs, and every case of the sequence is judged on
them with the kernel's own clocks. What breaks a rule, runs with pauses or may be moved by time it leaves to a
replay in full. It knows no rules.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import attrs

from svcflow.analysis.activity_mapping import Reading
from svcflow.analysis.replay import Judgement, Replay, superseded
from svcflow.errors import CalendarCoverageError
from svcflow.kernel.commands import Actor
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import SYSTEM
from svcflow.kernel.instance import STOPPED, Stopwatch
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit

__all__ = ["Rehearsal", "Stretch", "Timetable", "rehearse"]

_AT_END = -1
_BUCKET = 35  # 2**35 microseconds are 9.5 hours: few bounds to compute, and few exact deadlines


class Timetable:
    """Say quickly whether a limit that starts at one instant is surely kept at another.

    A limit that starts later is due no earlier, so the deadline of the bucket's first instant is a lower bound
    for all starts in it; the exact deadline is computed only when the bound does not settle it.
    """

    __slots__ = ("_bounds", "limit", "row")

    def __init__(self, limit: CompiledLimit, row: int) -> None:
        self.limit, self.row = limit, row
        self._bounds: dict[int, int] = {}

    def keeps(self, start_us: int, stop_us: int) -> bool:
        """Tell whether the limit, never interrupted, would be kept when it ends at `stop_us`.

        Raises: CalendarCoverageError.
        """
        bucket = start_us >> _BUCKET
        bound_us = self._bounds.get(bucket)
        if bound_us is None:
            bound_us = self._bounds[bucket] = self._bound(bucket << _BUCKET)
        return stop_us < bound_us or stop_us < self.clock(start_us).next_us

    def clock(self, start_us: int) -> Stopwatch:
        """Return the limit's clock as it starts; all it waits for is the breach, for nobody is warned."""
        begun = stopwatch.start(self.limit, self.row, start_us, visit=1, running=True)
        return stopwatch.with_due(self.limit, begun)

    def _bound(self, bucket_us: int) -> int:
        try:
            return self.clock(bucket_us).next_us
        except CalendarCoverageError:  # the bucket begins before the calendar does: no bound, always exact
            return bucket_us


@attrs.frozen
class Stretch:
    """Hold from which event to which a limit's clock ran in one visit, and how it stands if it was kept.

    `stop` is the event that stopped it for good, -1 being the end of the log. `whole` stretches have no pauses
    and move nothing; pauses of others only move the deadline on.
    """

    timetable: Timetable
    visit: int
    begin: int
    stop: int
    whole: bool
    judgement: Judgement

    @property
    def key(self) -> tuple[str, Judgement]:
        """The limit and how it stands if it was kept."""
        return self.timetable.limit.id, self.judgement


@attrs.frozen
class Rehearsal:
    """Hold what is the same for all cases of one sequence that break no rule."""

    compiled: Compiled
    stretches: tuple[Stretch, ...]
    outcome: str
    open: bool
    asked: tuple[int, ...]
    steps: tuple[str, ...]
    """After each of the events `asked`, the step that a breach of a span is recorded at."""
    unjudged: Mapping[str, int]

    def breaches(self, case: str, times: Sequence[int]) -> list[tuple[Stretch, Deviation]] | None:
        """Return the limits that a case with these instants broke; None when only a full replay can tell.

        Append the log's end to the instants of an open case.
        """
        try:
            late = [
                one for one in self.stretches if not one.timetable.keeps(times[one.begin], times[one.stop])
            ]
            if not all(one.whole for one in late):
                return None
            found = [(one, self._breach(case, one, times)) for one in late]
        except CalendarCoverageError:  # the full replay says at which event
            return None
        found.sort(key=_occurred_us)
        return found

    def _breach(self, case: str, stretch: Stretch, times: Sequence[int]) -> Deviation:
        limit, procedure = stretch.timetable.limit, self.compiled.procedure
        clock = stretch.timetable.clock(times[stretch.begin])
        step = limit.limit.step or self._step_at(clock.next_us, times)
        settled = stretch.stop != _AT_END
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
            occurred_us=clock.due_us,
            limit=limit.id,
            visit=stretch.visit,
            due_us=clock.due_us,
            overrun_us=stopwatch.overrun(limit, clock, times[stretch.stop]) if settled else None,
        )

    def _step_at(self, noticed_us: int, times: Sequence[int]) -> str:
        """Return the step the instance was in when the breach was noticed: before the next event asked something."""
        return self.steps[bisect_left(self.asked, noticed_us, key=times.__getitem__) - 1]


def _occurred_us(found: tuple[Stretch, Deviation]) -> int:
    return found[1].occurred_us


def rehearse(
    compiled: Compiled,
    reading: Reading,
    actors: Mapping[int, Actor],
    at_us: int,
    timetables: dict[tuple[str, int], Timetable],
) -> Rehearsal | None:
    """Replay a sequence at one instant; None when it breaks a rule, which every case of it then does.

    None too where a limit is more than a length of time: its deadline hangs on data, the clock or occurrences.

    Raises: CalendarCoverageError.
    """
    if any(row.kind != "within" for limit in compiled.limits.values() for row in limit.rows):
        return None
    replay, watch = Replay(compiled, ""), _Watch(compiled, timetables)
    steps: list[str] = []
    for ask in reading.asks:
        replay.take(ask, actors[ask.index], at_us, starts=reading.starts)
        assert replay.instance is not None  # noqa: S101  # the first event starts it
        watch.see(ask.index, replay.instance.stopwatches)
        steps.append(replay.instance.steps[0])
    instance = replay.instance
    if instance is None or replay.missed or replay.deviations():
        return None
    asked = tuple(ask.index for ask in reading.asks)
    is_open = instance.status != "ended"
    return Rehearsal(
        compiled, watch.stretches(), instance.outcome, is_open, asked, tuple(steps), replay.unjudged
    )


@attrs.define
class _Seen:
    clock: Stopwatch
    begin: int
    stop: int
    paused: bool = False


class _Watch:
    """Follow each visit of each clock from its start to its last stop."""

    def __init__(self, compiled: Compiled, timetables: dict[tuple[str, int], Timetable]) -> None:
        self._compiled, self._timetables = compiled, timetables
        self._visits: dict[str, list[_Seen]] = {}

    def see(self, index: int, now: Mapping[str, Stopwatch]) -> None:
        for limit, clock in now.items():
            visits = self._visits.setdefault(limit, [])
            seen = visits[-1] if visits else None
            ran = seen is not None and seen.clock.open_us != STOPPED
            if seen is not None and ran:
                seen.stop = index  # it ran until now, whether it runs on or not
            if seen is None or seen.clock.visit != clock.visit:
                visits.append(_Seen(clock, index, index))
                continue
            runs = clock.open_us != STOPPED
            seen.paused = seen.paused or (runs and not ran) or not (runs or clock.verdict)
            seen.clock = clock

    def stretches(self) -> tuple[Stretch, ...]:
        """Return the stretches in the order in which the instance holds its limits."""
        return tuple(
            self._stretch(seen, last=seen is visits[-1])
            for visits in self._visits.values()
            for seen in visits
        )

    def _stretch(self, seen: _Seen, *, last: bool) -> Stretch:
        clock, limit = seen.clock, self._compiled.limits[seen.clock.limit]
        timetable = self._timetables.setdefault((limit.id, clock.row), Timetable(limit, clock.row))
        judgement = superseded(limit, clock)
        if last:
            judgement = "open" if not clock.verdict else "met" if clock.verdict == "met" else "cancelled"
        running = last and clock.open_us != STOPPED
        whole = not seen.paused and limit.limit.on_overdue is None and bool(running or clock.verdict)
        return Stretch(
            timetable, clock.visit, seen.begin, _AT_END if running else seen.stop, whole, judgement
        )
