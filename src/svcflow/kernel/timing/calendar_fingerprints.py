"""Marks of calendars: what a calendar said when an instance began, so that a correction is told from a forgery.

A mark names the last day the calendar covered then, and the fingerprint of what it said up to that day: a
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
"""The mark of each calendar, by its id."""


def fingerprints_of(compiled: Compiled) -> Fingerprints:
    """Return the marks of the calendars that a procedure version reckons with."""
    if not compiled.calendar_fingerprints:
        compiled.calendar_fingerprints.update(
            {name: _fingerprint(one) for name, one in _calendars(compiled).items()}
        )
    return compiled.calendar_fingerprints


def corrected_calendars(version_of: VersionOf, facts: Iterable[Fact]) -> tuple[str, ...]:
    """Return the calendars that say otherwise today, of days they covered, than when a journal was begun."""
    return tuple(dict.fromkeys(_corrections(version_of, facts)))


def without_deadlines(instance: Instance) -> Instance:
    """Return an instance without what only its calendars say: the instants of deadlines, and what hangs on them.

    That a deadline passed is a fact, and stays; so is that a minimum was ended early.
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
        now = _calendars(version_of(procedure, version))
        yield from (name for name, mark in fact.calendars.items() if not _still_has(now.get(name), mark))


def _calendars(compiled: Compiled) -> dict[str, WorkCalendar]:
    reckoners = (limit.calendar for limit in compiled.limits.values())
    return {one.id: one for one in (compiled.calendar, *(one.calendar for one in reckoners))}


@cache
def _fingerprint(calendar: WorkCalendar) -> str:
    covers = calendar.covers
    return f"{covers.last.isoformat() if covers else ''}:{calendar.fingerprint()}"


def _still_has(calendar: WorkCalendar | None, mark: str) -> bool:
    """Tell whether a calendar still says what it said when it was marked."""
    last, _, said = mark.partition(":")
    until = date.fromisoformat(last) if last else None
    return calendar is not None and calendar.fingerprint(until) == said


def _without_deadline(watch: Stopwatch) -> Stopwatch:
    verdict = "met" if watch.verdict == "early" else watch.verdict
    return watch._replace(due_us=0, next_us=0, extra=0, kept=0, verdict=verdict)
