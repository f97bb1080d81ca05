"""Calendars that procedures and scenarios name, and those among them that do not exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path as FilePath

from svcflow.errors import Path, Problem
from svcflow.model.limit_locations import limit_places, step_places
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Scenario
from svcflow.nearest import nearest
from svcflow.text import Text

__all__ = [
    "ALWAYS_OPEN",
    "SHIPPED_CALENDARS",
    "calendar_names",
    "shipped_calendar_names",
    "unknown_calendars",
]

SHIPPED_CALENDARS = FilePath(__file__).resolve().parents[1] / "worktime" / "data"
ALWAYS_OPEN = frozenset(("always", "cn_always"))
"""The shipped calendars that never close: working time on them is elapsed time, and every day is a working day."""


@cache
def shipped_calendar_names() -> tuple[str, ...]:
    """Return the names of the calendars that come with the library, sorted."""
    return tuple(sorted(file.stem for file in SHIPPED_CALENDARS.glob("*.yaml")))


def unknown_calendars(declared: Procedure | Scenario, own: Collection[str]) -> Iterator[Problem]:
    """Yield a mistake for each calendar named that is neither one's own nor shipped."""
    for path, name in calendar_names(declared):
        if name not in own and name not in shipped_calendar_names():
            yield Problem(
                path,
                Text(zh=f"没有名为“{name}”的日历", en=f"there is no calendar {name!r}"),
                nearest(name, sorted({*own, *shipped_calendar_names()})),
            )


def calendar_names(declared: Procedure | Scenario) -> Iterator[tuple[Path, str]]:
    """Yield every calendar that is named, with its place."""
    named = _of_scenario(declared) if isinstance(declared, Scenario) else _of_procedure(declared)
    yield from ((path, name) for path, name in named if name is not None)


def _of_scenario(declared: Scenario) -> Iterator[tuple[Path, str | None]]:
    yield ("arrivals", "calendar"), declared.arrivals.calendar
    for role, pool in declared.pools.items():
        yield ("pools", role, "calendar"), pool.calendar


def _of_procedure(declared: Procedure) -> Iterator[tuple[Path, str | None]]:
    yield ("calendar",), declared.calendar
    if declared.start is not None:
        yield ("start", "calendar"), declared.start.calendar
    for path, limit in limit_places(declared):
        yield (*path, "calendar"), limit.calendar
        for place, row in enumerate(limit.match):
            yield (*path, "match", place, "calendar"), row.calendar
    for place, start in enumerate(declared.starts):
        yield ("starts", place, "calendar"), start.calendar
    for path, step in step_places(declared.steps, ("steps",)):
        if step.then is not None:
            yield (*path, "then", "calendar"), step.then.calendar
