"""Rehearsal: a sequence of events replayed once with time standing still, to clear its cases by their times alone.

Where no limit can run out, the kernel's way through a sequence depends on nothing but the sequence. So one replay
speaks for all cases of it whose limits were all kept; any other case is replayed in full. It finds no deviation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from svcflow.analysis.replay import Judgement, Replay
from svcflow.analysis.translation import Reading
from svcflow.errors import CalendarCoverageError
from svcflow.kernel import clocks
from svcflow.kernel.commands import Actor
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.instance import STOPPED, Clock
from svcflow.kernel.ladder import CompiledLimit

__all__ = ["Rehearsal", "Timetable", "rehearse"]

_AT_END = -1
_BUCKET = 34  # 2**34 microseconds are 4.8 hours: most buckets lie within one working day


class Timetable:
    """Say quickly whether a limit that starts at one instant is surely kept at another.

    A limit that starts later is due no earlier, so the deadline of the bucket's first instant is a lower bound
    for all starts in it; the exact deadline is computed only when the bound does not settle it.
    """

    __slots__ = ("_bounds", "_limit", "_row")

    def __init__(self, limit: CompiledLimit, row: int) -> None:
        self._limit, self._row = limit, row
        self._bounds: dict[int, int] = {}

    def keeps(self, start_us: int, stop_us: int) -> bool:
        """Tell whether the limit, never interrupted, would be kept when it ends at `stop_us`.

        Raises: CalendarCoverageError.
        """
        bucket = start_us >> _BUCKET
        bound_us = self._bounds.get(bucket)
        if bound_us is None:
            bound_us = self._bounds[bucket] = self._bound(bucket << _BUCKET)
        return stop_us < bound_us or stop_us < self._breach_us(start_us)

    def _breach_us(self, start_us: int) -> int:
        """Return the first instant of the breach: without warnings it is all that a clock waits for."""
        return clocks.start(self._limit, self._row, start_us, visit=1, running=True).next_us

    def _bound(self, bucket_us: int) -> int:
        try:
            return self._breach_us(bucket_us)
        except CalendarCoverageError:  # the bucket begins before the calendar does: no bound, always exact
            return bucket_us


@attrs.frozen
class Stretch:
    """Hold from which event to which a clock ran; pauses between only move its deadline on."""

    timetable: Timetable
    begin: int
    stop: int
    """The event that stopped it for good; -1 for the end of the log."""


@attrs.frozen
class Rehearsal:
    """Hold what is the same for all cases of one sequence that break no rule and no limit."""

    stretches: tuple[Stretch, ...]
    judgements: tuple[tuple[str, Judgement], ...]
    outcome: str
    open: bool

    def clears(self, times: Sequence[int]) -> bool:
        """Tell whether a case with these instants keeps every limit for sure; append the log's end when `open`."""
        try:
            for one in self.stretches:
                if not one.timetable.keeps(times[one.begin], times[one.stop]):
                    return False
        except CalendarCoverageError:  # the full replay says at which event
            return False
        return True


def rehearse(
    compiled: Compiled,
    reading: Reading,
    actors: Sequence[Actor],
    at_us: int,
    timetables: dict[tuple[str, int], Timetable],
) -> Rehearsal | None:
    """Replay a sequence at one instant; None when it breaks a rule, which every case of it then does.

    Raises: CalendarCoverageError.
    """
    replay, watch = Replay(compiled, ""), _Watch(compiled)
    for ask in reading.asks:
        replay.take(ask, actors[ask.index], at_us, starts=reading.starts)
        assert replay.instance is not None  # noqa: S101  # the first event starts it
        watch.see(ask.index, replay.instance.clocks)
    if replay.missed or replay.deviations or replay.instance is None:
        return None
    stretches = tuple(watch.stretches(timetables))
    instance = replay.instance
    return Rehearsal(stretches, tuple(replay.judgements()), instance.outcome, instance.status != "ended")


@attrs.define
class _Seen:
    clock: Clock
    begin: int
    stop: int


class _Watch:
    """Follow each visit of each clock from its start to its last stop."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._present: dict[str, _Seen] = {}
        self._past: list[_Seen] = []

    def see(self, index: int, now: Mapping[str, Clock]) -> None:
        for limit, clock in now.items():
            seen = self._present.get(limit)
            if seen is not None and seen.clock.open_us != STOPPED:
                seen.stop = index  # it ran until now, whether it runs on or not
            if seen is None or seen.clock.visit != clock.visit:
                self._past += () if seen is None else (seen,)
                seen = self._present[limit] = _Seen(clock, index, index)
            seen.clock = clock

    def stretches(self, timetables: dict[tuple[str, int], Timetable]) -> Iterator[Stretch]:
        for seen in self._present.values():
            seen.stop = _AT_END if seen.clock.open_us != STOPPED else seen.stop
        for seen in (*self._past, *self._present.values()):
            key = (seen.clock.limit, seen.clock.row)
            if key not in timetables:
                timetables[key] = Timetable(self._compiled.limits[key[0]], key[1])
            yield Stretch(timetables[key], seen.begin, seen.stop)
