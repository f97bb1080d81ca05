"""Coming starts: what begins by itself up to an instant, and from which day on that is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

import attrs

from svcflow.kernel.facts import to_datetime
from svcflow.kernel.timing.occurrences import Occurrence
from svcflow.runtime.start_positions import NOT_BEFORE_US, StartPosition
from svcflow.runtime.start_schedules import Schedule, Schedules
from svcflow.worktime.instants import from_us

Positions = Mapping[tuple[str, str], StartPosition]
"""Positions by procedure and regular start."""


@attrs.frozen
class ComingStart:
    """Regular start that is to come: when it is due, or from which day on that is not known.

    `due_at` is on the clock of its calendar; it is None where the calendar does not cover the days from
    `unknown_from` on. `occurrence` is the declared local date and time, from which a closed day may have moved it.
    `recipients` is the function that yields for whom; `error` says why it could not begin yet, and `retry_at` when it
    is tried again.
    """

    procedure: str
    version: int
    start: str
    due_at: datetime | None
    occurrence: str = ""
    unknown_from: date | None = None
    recipients: str = ""
    error: str = ""
    retry_at: datetime | None = None


def coming_starts(
    schedules: Schedules, positions: Positions, now_us: int, until_us: int
) -> tuple[ComingStart, ...]:
    """Return what begins up to an instant, what is due already first; then the starts of which it is not known."""
    known = [*_waiting(schedules, positions, now_us)]
    for since_us, before_us, in_force in schedules.spans(now_us, until_us):
        for schedule in in_force:
            known += _ahead(schedule, positions.get(schedule.key), since_us, before_us)
    unknown = [
        _coming(schedule, None, day)
        for schedule in schedules.in_force(until_us)
        if (day := schedule.occurrences.unknown_from(until_us)) is not None
    ]
    return (*sorted(known, key=_order), *unknown)


def _waiting(schedules: Schedules, positions: Positions, now_us: int) -> Iterator[ComingStart]:
    """Yield what is due and has not begun for everybody: of several occurrences the last, which begins."""
    for schedule in schedules.in_force(now_us):
        position = positions.get(schedule.key)
        if position is None or position.version > schedule.version:
            continue
        of_position = schedules.of(position) or schedule
        due = of_position.due(position, now_us)
        if due:
            failed = position.error if due[-1].name == position.pending else ""
            retry_us = position.retry_us if failed else NOT_BEFORE_US
            yield _coming(schedule, due[-1], error=failed, retry_us=retry_us)


def _ahead(
    schedule: Schedule, position: StartPosition | None, since_us: int, before_us: int
) -> Iterator[ComingStart]:
    """Yield what is to begin later, while the version is in force."""
    first_us, done = since_us, ""
    if (
        position is not None and position.version > schedule.version
    ):  # of a version that this program does not know
        return
    if position is not None:
        first_us = max(since_us + 1, position.since_us)
        done = max(position.done, position.pending) if position.version == schedule.version else ""
    for occurrence in schedule.occurrences.between(first_us, before_us - 1):
        if occurrence.name > done:
            yield _coming(schedule, occurrence)


def _coming(
    schedule: Schedule,
    occurrence: Occurrence | None,
    unknown_from: date | None = None,
    error: str = "",
    retry_us: int = NOT_BEFORE_US,
) -> ComingStart:
    zone = schedule.occurrences.calendar.timezone
    return ComingStart(
        schedule.procedure.id,
        schedule.version,
        schedule.start.id,
        None if occurrence is None else from_us(occurrence.due_us, zone),
        "" if occurrence is None else occurrence.name,
        unknown_from,
        schedule.start.for_ or "",
        error,
        None if retry_us == NOT_BEFORE_US else to_datetime(retry_us).astimezone(zone),
    )


def _order(one: ComingStart) -> tuple[datetime, str, str]:
    assert one.due_at is not None  # noqa: S101  # of those that are known
    return one.due_at, one.procedure, one.start
