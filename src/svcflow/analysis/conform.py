"""conform: hold a foreign log against a procedure, case by case, through the kernel.

It drives the replay and gathers its results; it knows no file format and makes no text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sized
from operator import attrgetter
from pathlib import Path

import attrs

from svcflow.analysis.conformance import CaseResult, Conformance, LimitResult, Status
from svcflow.analysis.log import Case, Event, Flaw, Report
from svcflow.analysis.rehearsal import Rehearsal, Timetable, rehearse
from svcflow.analysis.replay import Judgement, Replay, compile_for_replay
from svcflow.analysis.translation import Ask, Reading, Translation
from svcflow.analysis.xes import Progress, XesLog
from svcflow.errors import CalendarCoverageError
from svcflow.kernel.commands import Actor
from svcflow.kernel.compiled import Calendars, Compiled
from svcflow.kernel.deviations import Deviation
from svcflow.model.limit import TimeLimit
from svcflow.model.mapping import LogMapping
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
    cleared: int = 0
    rehearsed: bool = False
    rehearsal: Rehearsal | None = None


@attrs.frozen
class _Waiting:
    """Hold a case that was open at its last event until the end of the log is known."""

    place: int
    variant: _Variant
    case: Case
    events: Sequence[Event]
    replay: Replay | None
