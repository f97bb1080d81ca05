"""conform: hold a foreign log against a procedure, case by case, through the kernel.

It drives the replay and gathers its results; it knows no file format and makes no text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import suppress
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

import attrs

from svcflow.analysis.activity_mapping import Ask, Reading, Translation
from svcflow.analysis.conformance import CaseResult, Conformance, LimitResult, Status
from svcflow.analysis.fast_replay import Rehearsal, Timetable, rehearse
from svcflow.analysis.log import Case, Event, Flaw, Report
from svcflow.analysis.replay import Judgement, Replay, compile_for_replay
from svcflow.analysis.xes import Progress, XesLog
from svcflow.errors import CalendarCoverageError
from svcflow.kernel.commands import Actor, is_named
from svcflow.kernel.compiled import Calendars, Compiled
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.model.limit import TimeLimit
from svcflow.model.log_mapping import LogMapping
from svcflow.model.procedure import Procedure
from svcflow.worktime import shipped_calendar

__all__ = ["conform"]

_EVERY = 500  # cases between two reports of progress

_activity_role_lifecycle = attrgetter("activity", "role", "lifecycle")
_and_actor = attrgetter("activity", "role", "lifecycle", "actor")
_at_us = attrgetter("at_us")


def conform(
    log: Iterable[Case] | Path,
    procedure: Procedure,
    mapping: LogMapping,
    *,
    calendars: Calendars = shipped_calendar,
    progress: Progress | None = None,
) -> Conformance:
    """Replay every case of a log through the kernel, every rule on record, and return what departs.

    A path is read as XES, its stamps without a zone in the mapping's zone. `progress` is told bytes read and
    the file's size, or for cases that are given, how many are done of how many (0 when that is unknown).
    Limits that still run at the end of a case are judged up to the last instant of the log.

    Raises: DeclarationError for a mapping that does not fit its procedure, before the log is read; LogError
    for a log that cannot be read; UnknownCalendar.
    """
    translation = Translation.of(procedure, mapping)
    compiled = compile_for_replay(procedure, calendars)
    if isinstance(log, Path):
        log, progress = XesLog(log, default_zone=translation.zone, progress=progress), None
    gathering = _Gathering(translation, compiled)
    size = len(log) if isinstance(log, Sized) else 0
    for done, case in enumerate(log, 1):
        gathering.add(case)
        if progress is not None and (done % _EVERY == 0 or done == size):
            progress(done, size)
    gathering.finish()
    return gathering.conformance(procedure, _flaws(log))


def _flaws(log: Iterable[Case]) -> tuple[Flaw, ...]:
    report = getattr(log, "report", None)
    return report.flaws if isinstance(report, Report) else ()


@attrs.define
class _Variant:
    """Hold what the cases of one sequence of events share; it is rehearsed when it comes a second time."""

    reading: Reading
    activities: tuple[str, ...]
    cases: int = 0
    judged: int = 0
    rehearsed: bool = False
    rehearsal: Rehearsal | None = None


@attrs.frozen
class _Waiting:
    """Hold a case that was open at its last event until the end of the log is known."""

    name: str
    place: int
    variant: _Variant
    events: tuple[Event, ...]
    times: list[int]
    replay: Replay | None


class _Gathering:
    """Take the cases one by one; judge by their times those that can be, replay the others, gather the results."""

    def __init__(self, translation: Translation, compiled: Compiled) -> None:
        self._translation, self._compiled = translation, compiled
        self._signs = _and_actor if _tells_actors_apart(compiled) else _activity_role_lifecycle
        self._variants: dict[tuple[tuple[str, ...], ...], _Variant] = {}
        self._timetables: dict[tuple[str, int], Timetable] = {}
        self._actors: dict[tuple[str, frozenset[str] | None], Actor] = {}
        self._results: list[CaseResult | None] = []
        self._waiting: list[_Waiting] = []
        self._judgements: Counter[tuple[str, Judgement]] = Counter()
        self._events = self._reordered = 0
        self._last_us: int | None = None

    def add(self, case: Case) -> None:
        events = case.events
        times = [event.at_us for event in events]
        if sorted(times) != times:
            self._reordered += sum(later < earlier for earlier, later in pairwise(times))
            events = tuple(sorted(events, key=_at_us))
            times.sort()
        self._events += len(events)
        if times and (self._last_us is None or times[-1] > self._last_us):
            self._last_us = times[-1]
        self._hold(case.id, self._variant(tuple(map(self._signs, events))), events, times)

    def finish(self) -> None:
        """Judge what is still open at the last instant of the log."""
        for one in self._waiting:
            self._results[one.place] = self._at_the_end(one, self._last_us or 0)

    def conformance(self, procedure: Procedure, flaws: tuple[Flaw, ...]) -> Conformance:
        results = tuple(result for result in self._results if result is not None)
        for variant in self._variants.values():
            if variant.rehearsal is not None:
                for stretch in variant.rehearsal.stretches:
                    self._judgements[stretch.key] += variant.judged
        return Conformance(
            procedure=procedure,
            mapping=self._translation.mapping.id,
            results=results,
            limits=tuple(_limits(procedure, self._judgements, results)),
            events=self._events,
            ended_us=self._last_us,
            reordered=self._reordered,
            unmapped=self._summed(attrgetter("unmapped")),
            ignored=self._summed(attrgetter("ignored")),
            unfinished=self._summed(attrgetter("unfinished")),
            unjudged=tuple(field.id for field in procedure.fields.values() if field.required),
            flaws=flaws,
            zone=self._translation.mapping.zone,
        )

    def _variant(self, signs: tuple[tuple[str, ...], ...]) -> _Variant:
        variant = self._variants.get(signs)
        if variant is None:
            reading = self._translation.read([(sign[0], sign[1], sign[2]) for sign in signs])
            variant = self._variants[signs] = _Variant(reading, reading.activities)
        variant.cases += 1
        return variant

    def _hold(self, name: str, variant: _Variant, events: tuple[Event, ...], times: list[int]) -> None:
        """Hold one case against the procedure, at once when it has ended."""
        if not variant.activities:
            self._results.append(CaseResult(name, (), "empty"))
            return
        rehearsal = self._rehearsal(variant, events, times)
        if rehearsal is not None and rehearsal.open:
            self._wait(_Waiting(name, len(self._results), variant, events, times, None))
            return
        judged = None if rehearsal is None else self._judged(name, variant, rehearsal, times)
        if judged is not None:
            self._results.append(judged)
        else:
            self._replay(name, variant, events, times)

    def _judged(
        self, name: str, variant: _Variant, rehearsal: Rehearsal, times: list[int]
    ) -> CaseResult | None:
        """Judge a case by its times; None when it has to be replayed in full."""
        breaches = rehearsal.breaches(name, times)
        if breaches is None:
            return None
        variant.judged += 1
        for stretch, _ in breaches:
            self._judgements[stretch.key] -= 1
        deviations = tuple(deviation for _, deviation in breaches)
        status: Status = "open" if rehearsal.open else "ended"
        return CaseResult(
            name, variant.activities, status, rehearsal.outcome, deviations, unjudged=rehearsal.unjudged
        )

    def _rehearsal(self, variant: _Variant, events: tuple[Event, ...], times: list[int]) -> Rehearsal | None:
        if variant.cases > 1 and not variant.rehearsed:
            at_us, actors = times[variant.reading.asks[0].index], self._acting(variant, events)
            with suppress(CalendarCoverageError):  # another case may begin where the calendar speaks
                variant.rehearsal = rehearse(self._compiled, variant.reading, actors, at_us, self._timetables)
                variant.rehearsed = True
        return variant.rehearsal

    def _replay(self, name: str, variant: _Variant, events: tuple[Event, ...], times: list[int]) -> None:
        replay = Replay(self._compiled, name)
        replay.run(variant.reading, self._acting(variant, events), times)
        ended = replay.broken_off or (replay.instance is not None and replay.instance.status == "ended")
        if ended:
            self._results.append(self._result(name, variant, replay))
        else:
            self._wait(_Waiting(name, len(self._results), variant, events, times, replay))

    def _wait(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._results.append(None)

    def _at_the_end(self, one: _Waiting, last_us: int) -> CaseResult:
        variant, replay = one.variant, one.replay
        if replay is None:
            assert variant.rehearsal is not None  # noqa: S101  # who waits without a replay was rehearsed
            judged = self._judged(one.name, variant, variant.rehearsal, [*one.times, last_us])
            if judged is not None:
                return judged
            replay = Replay(self._compiled, one.name)
            replay.run(variant.reading, self._acting(variant, one.events), one.times)
        replay.wait(last_us)
        return self._result(one.name, variant, replay)

    def _result(self, name: str, variant: _Variant, replay: Replay) -> CaseResult:
        instance, deviations = replay.instance, replay.deviations()
        self._judgements.update(replay.judgements(deviations))
        ended = instance is not None and instance.status == "ended"
        status: Status = "broken_off" if replay.broken_off else "ended" if ended else "open"
        outcome = instance.outcome if instance is not None else ""
        return CaseResult(
            name, variant.activities, status, outcome, deviations, tuple(replay.missed), replay.unjudged
        )

    def _acting(self, variant: _Variant, events: tuple[Event, ...]) -> dict[int, Actor]:
        return {ask.index: self._actor(events[ask.index].actor, ask) for ask in variant.reading.asks}

    def _actor(self, name: str, ask: Ask) -> Actor:
        """Return one actor of each name and role: most logs name few."""
        key = (name, ask.roles)
        actor = self._actors.get(key)
        if actor is None:
            actor = self._actors[key] = Actor(name if is_named(name) else "", ask.roles)
        return actor

    def _summed(self, counts: Callable[[Reading], Mapping[str, int]]) -> dict[str, int]:
        total: Counter[str] = Counter()
        for variant in self._variants.values():
            for name, count in counts(variant.reading).items():
                total[name] += count * variant.cases
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def _tells_actors_apart(compiled: Compiled) -> bool:
    return any(step.step.not_by for step in compiled.steps.values())


def _limits(
    procedure: Procedure, judgements: Mapping[tuple[str, Judgement], int], results: tuple[CaseResult, ...]
) -> Iterator[LimitResult]:
    breaches: defaultdict[str, list[Deviation]] = defaultdict(list)
    for result in results:
        for one in result.deviations:
            breaches[one.limit].append(one)
    for name, limit in procedure.time_limits.items():
        overruns = sorted(one.overrun_us for one in breaches[name] if one.overrun_us is not None)
        yield LimitResult(
            limit=name,
            name=limit.name,
            working=_counts_open_hours(limit),
            met=judgements.get((name, "met"), 0),
            breached=len(breaches[name]),
            open=judgements.get((name, "open"), 0),
            cancelled=judgements.get((name, "cancelled"), 0),
            overruns_us=tuple(overruns),
        )


def _counts_open_hours(limit: TimeLimit) -> bool:
    return any(row.within is not None and row.within.family != "elapsed" for row in limit.rows)
