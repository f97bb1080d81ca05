"""Fingerprints of calendars at the start of an instance, by which a correction is told from a forgery.

A fingerprint is `LAST_DAY:HASH`: the last day the calendar covered then, and a hash of its days up to that one. A
calendar that was only prolonged since still has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Fact, Migrated, Started
from svcflow.kernel.instance import Instance, Stopwatch
from svcflow.kernel.lifecycle.migration_target import VersionOf
from svcflow.worktime.calendar import WorkCalendar

Fingerprints = Mapping[str, str]
"""Fingerprint of each calendar, by its id."""


def fingerprints_of(compiled: Compiled) -> Fingerprints:
    """Return the fingerprints of the calendars that a procedure version uses, computed once."""
    if not compiled.calendar_fingerprints:
        compiled.calendar_fingerprints.update(
            {name: _fingerprint(calendar) for name, calendar in _calendars(compiled).items()}
        )
    return compiled.calendar_fingerprints


def corrected_calendars(version_of: VersionOf, facts: Iterable[Fact]) -> tuple[str, ...]:
    """Return the ids of calendars whose covered days were changed since a journal recorded their fingerprints."""
    return tuple(dict.fromkeys(_corrections(version_of, facts)))


def without_deadlines(instance: Instance) -> Instance:
    """Return an instance without what only its calendars tell: the instants of deadlines, and what depends on them.

    That a deadline passed stays, since it is a recorded fact; so does that a minimum was ended early.
    """
    stopwatches = {name: _without_deadline(watch) for name, watch in instance.stopwatches.items()}
    return instance._replace(stopwatches=stopwatches, next_us=0)


def _corrections(version_of: VersionOf, facts: Iterable[Fact]) -> Iterator[str]:
    procedure = ""
    for fact in facts:
        if isinstance(fact, Started):
            procedure, version = fact.procedure, fact.version
        elif isinstance(fact, Migrated):
            version = fact.to_version
        else:
            continue
        present = _calendars(version_of(procedure, version))
        for name, fingerprint in fact.calendars.items():
            if not _still_has(present.get(name), fingerprint):
                yield name


def _calendars(compiled: Compiled) -> dict[str, WorkCalendar]:
    of_limits = (row.calendar.calendar for limit in compiled.limits.values() for row in limit.rows)
    return {calendar.id: calendar for calendar in (compiled.calendar, *of_limits)}


@cache
def _fingerprint(calendar: WorkCalendar) -> str:
    covers = calendar.covers
    return f"{covers.last.isoformat() if covers else ''}:{calendar.fingerprint()}"


def _still_has(calendar: WorkCalendar | None, fingerprint: str) -> bool:
    """Return whether a calendar still has the days that it had when its fingerprint was recorded."""
    last, _, digest = fingerprint.partition(":")
    until = date.fromisoformat(last) if last else None
    return calendar is not None and calendar.fingerprint(until) == digest


def _without_deadline(watch: Stopwatch) -> Stopwatch:
    verdict = "met" if watch.verdict == "early" else watch.verdict
    return watch._replace(due_us=0, next_us=0, extra=0, kept=0, verdict=verdict)
