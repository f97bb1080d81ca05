"""Check of a foreign log against a procedure, case by case, through the kernel."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import suppress
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

import attrs

from svcflow.analysis.activity_mapping import ActivityMapping, MappedSequence
from svcflow.analysis.conformance import CaseResult, Conformance, LimitResult, Status
from svcflow.analysis.event_log import Case, Event, Flaw, Report
from svcflow.analysis.fast_replay import DeadlineBounds, FastReplay, make_fast_replay
from svcflow.analysis.replay import CaseReplay, Judgement, compile_for_replay
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
_with_actor = attrgetter("activity", "role", "lifecycle", "actor")
_at_us = attrgetter("at_us")


def conform(
    log: Iterable[Case] | Path,
    procedure: Procedure,
    mapping: LogMapping,
    *,
    calendars: Calendars = shipped_calendar,
    progress: Progress | None = None,
) -> Conformance:
    """Replay every case of a log through the kernel, every rule on record, and return what departs from the procedure.

    A path is read as XES, its stamps without a zone in the mapping's zone. `progress` is called with the bytes read and
    the size of the file, or for cases that are given, with how many are done of how many (0 when that is unknown).
    Limits that still run at the end of a case are judged up to the last instant of the log.

    Raises: DeclarationError for a mapping that does not fit its procedure, before the log is read; LogError
    for a log that cannot be read; UnknownCalendar.
    """
    activities = ActivityMapping.of(procedure, mapping)
    compiled = compile_for_replay(procedure, calendars, frozenset(mapping.activities.values()))
    if isinstance(log, Path):
        log, progress = XesLog(log, default_zone=activities.zone, progress=progress), None
    replay = _LogReplay(activities, compiled)
    size = len(log) if isinstance(log, Sized) else 0
    for done, case in enumerate(log, 1):
        replay.add(case)
        if progress is not None and (done % _EVERY == 0 or done == size):
            progress(done, size)
    replay.finish()
    return replay.conformance(procedure, _flaws(log))


def _flaws(log: Iterable[Case]) -> tuple[Flaw, ...]:
    report = getattr(log, "report", None)
    return report.flaws if isinstance(report, Report) else ()


@attrs.define
class _TraceVariant:
    """Sequence of events that cases share; with its second case it gets a fast replay, if it admits one."""

    sequence: MappedSequence
    activities: tuple[str, ...]
    cases: int = 0
    judged: int = 0
    """How many cases were judged by the fast replay alone."""
    is_tried: bool = False
    """Whether a fast replay was attempted; it is None where the sequence admits none."""
    fast_replay: FastReplay | None = None


@attrs.frozen
class _OpenCase:
    """Case that was open at its last event: how it stands depends on the end of the log."""

    name: str
    place: int
    variant: _TraceVariant
    events: tuple[Event, ...]
    times: list[int]
    replay: CaseReplay | None


class _LogReplay:
    """Replay of a log, case by case. A case is judged by its times alone where the fast replay of its variant allows."""

    def __init__(self, activities: ActivityMapping, compiled: Compiled) -> None:
        self._activities, self._compiled = activities, compiled
        self._signature = _with_actor if _tells_actors_apart(compiled) else _activity_role_lifecycle
        self._variants: dict[tuple[tuple[str, ...], ...], _TraceVariant] = {}
        self._bounds: dict[tuple[str, int], DeadlineBounds] = {}
        self._actors: dict[tuple[str, frozenset[str] | None], Actor] = {}
        self._results: list[CaseResult | None] = []
        self._open_cases: list[_OpenCase] = []
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
        self._judge(case.id, self._variant(tuple(map(self._signature, events))), events, times)

    def finish(self) -> None:
        """Judge the open cases as of the last instant of the log."""
        for case in self._open_cases:
            self._results[case.place] = self._at_the_end(case, self._last_us or 0)

    def conformance(self, procedure: Procedure, flaws: tuple[Flaw, ...]) -> Conformance:
        results = tuple(result for result in self._results if result is not None)
        for variant in self._variants.values():
            if variant.fast_replay is not None:
                for interval in variant.fast_replay.intervals:
                    self._judgements[interval.key] += variant.judged
        return Conformance(
            procedure=procedure,
            mapping=self._activities.mapping.id,
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
            zone=self._activities.mapping.zone,
        )

    def _variant(self, signatures: tuple[tuple[str, ...], ...]) -> _TraceVariant:
        variant = self._variants.get(signatures)
        if variant is None:
            sequence = self._activities.sequence([(sign[0], sign[1], sign[2]) for sign in signatures])
            variant = self._variants[signatures] = _TraceVariant(sequence, sequence.activities)
        variant.cases += 1
        return variant

    def _judge(self, name: str, variant: _TraceVariant, events: tuple[Event, ...], times: list[int]) -> None:
        """Judge one case, at once when it has ended."""
        if not variant.activities:
            self._results.append(CaseResult(name, (), "empty"))
            return
        fast_replay = self._fast_replay(variant, events, times)
        if fast_replay is not None and fast_replay.open:
            self._leave_open(_OpenCase(name, len(self._results), variant, events, times, None))
            return
        judged = None if fast_replay is None else self._by_times(name, variant, fast_replay, times)
        if judged is not None:
            self._results.append(judged)
        else:
            self._replay(name, variant, events, times)

    def _by_times(
        self, name: str, variant: _TraceVariant, fast_replay: FastReplay, times: list[int]
    ) -> CaseResult | None:
        """Judge a case by its times; None when it has to be replayed in full."""
        breaches = fast_replay.breaches(name, times)
        if breaches is None:
            return None
        variant.judged += 1
        # `conformance` counts every interval of a judged case as kept: a breach takes one of these back.
        for interval, _ in breaches:
            self._judgements[interval.key] -= 1
        deviations = tuple(deviation for _, deviation in breaches)
        status: Status = "open" if fast_replay.open else "ended"
        return CaseResult(
            name, variant.activities, status, fast_replay.outcome, deviations, unjudged=fast_replay.unjudged
        )

    def _fast_replay(
        self, variant: _TraceVariant, events: tuple[Event, ...], times: list[int]
    ) -> FastReplay | None:
        if variant.cases > 1 and not variant.is_tried:
            at_us, actors = times[variant.sequence.events[0].index], self._actors_of(variant, events)
            with suppress(CalendarCoverageError):  # another case may begin within its coverage
                variant.fast_replay = make_fast_replay(
                    self._compiled, variant.sequence, actors, at_us, self._bounds
                )
                variant.is_tried = True
        return variant.fast_replay

    def _replay(self, name: str, variant: _TraceVariant, events: tuple[Event, ...], times: list[int]) -> None:
        replay = CaseReplay(self._compiled, name)
        replay.run(variant.sequence, self._actors_of(variant, events), times)
        ended = replay.broken_off or (replay.instance is not None and replay.instance.status == "ended")
        if ended:
            self._results.append(self._result(name, variant, replay))
        else:
            self._leave_open(_OpenCase(name, len(self._results), variant, events, times, replay))

    def _leave_open(self, case: _OpenCase) -> None:
        self._open_cases.append(case)
        self._results.append(None)

    def _at_the_end(self, case: _OpenCase, last_us: int) -> CaseResult:
        variant, replay = case.variant, case.replay
        if replay is None:
            assert variant.fast_replay is not None  # noqa: S101  # a case left open without a replay has one
            judged = self._by_times(case.name, variant, variant.fast_replay, [*case.times, last_us])
            if judged is not None:
                return judged
            replay = CaseReplay(self._compiled, case.name)
            replay.run(variant.sequence, self._actors_of(variant, case.events), case.times)
        replay.wait(last_us)
        return self._result(case.name, variant, replay)

    def _result(self, name: str, variant: _TraceVariant, replay: CaseReplay) -> CaseResult:
        instance, deviations = replay.instance, replay.deviations()
        self._judgements.update(replay.judgements(deviations))
        ended = instance is not None and instance.status == "ended"
        status: Status = "broken_off" if replay.broken_off else "ended" if ended else "open"
        outcome = instance.outcome if instance is not None else ""
        return CaseResult(
            name, variant.activities, status, outcome, deviations, tuple(replay.missed), replay.unjudged
        )

    def _actors_of(self, variant: _TraceVariant, events: tuple[Event, ...]) -> dict[int, Actor]:
        return {
            event.index: self._actor(events[event.index].actor, event.roles)
            for event in variant.sequence.events
        }

    def _actor(self, name: str, roles: frozenset[str] | None) -> Actor:
        """Return one actor of each name and role: most logs name few."""
        key = (name, roles)
        actor = self._actors.get(key)
        if actor is None:
            actor = self._actors[key] = Actor(name if is_named(name) else "", roles)
        return actor

    def _summed(self, counts: Callable[[MappedSequence], Mapping[str, int]]) -> dict[str, int]:
        total: Counter[str] = Counter()
        for variant in self._variants.values():
            for name, count in counts(variant.sequence).items():
                total[name] += count * variant.cases
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def _tells_actors_apart(compiled: Compiled) -> bool:
    return any(step.step.not_by for step in compiled.steps.values())


def _limits(
    procedure: Procedure, judgements: Mapping[tuple[str, Judgement], int], results: tuple[CaseResult, ...]
) -> Iterator[LimitResult]:
    breaches: defaultdict[str, list[Deviation]] = defaultdict(list)
    for result in results:
        for deviation in result.deviations:
            breaches[deviation.limit].append(deviation)
    for name, limit in procedure.time_limits.items():
        overruns = sorted(
            deviation.overrun_us for deviation in breaches[name] if deviation.overrun_us is not None
        )
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
    """Return whether overruns are lengths of open time, as `due.measure` takes them; of calendar days they are elapsed."""
    targets = [row.target for row in limit.rows if row.target is not None]
    amounts = [target.amount if target.anchor is None else target.anchor.amount for target in targets]
    return any(amount is not None and amount.family in ("working", "working_days") for amount in amounts)
