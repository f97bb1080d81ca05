"""Shipped calendars: those that come with the library, by name."""

from __future__ import annotations

import difflib
from functools import cache

from svcflow.errors import UnknownCalendar
from svcflow.model.calendar_names import SHIPPED_CALENDARS, shipped_calendar_names
from svcflow.text import Text
from svcflow.worktime.calendar import WorkCalendar

__all__ = ["shipped_calendar", "shipped_names"]


@cache
def shipped_calendar(name: str) -> WorkCalendar:
    """Return a shipped calendar; one object for each name.

    Raises:
        UnknownCalendar: no calendar of that name is shipped.

    """
    if name not in shipped_names():
        raise _unknown(name)
    from ruamel.yaml import YAML  # noqa: PLC0415  # importing the package must stay light

    text = (SHIPPED_CALENDARS / f"{name}.yaml").read_text(encoding="utf-8")
    return WorkCalendar.from_mapping(YAML(typ="safe", pure=True).load(text))


def shipped_names() -> tuple[str, ...]:
    """Return the names of the shipped calendars, sorted."""
    return shipped_calendar_names()


def _unknown(name: str) -> UnknownCalendar:
    near = difflib.get_close_matches(name, shipped_names(), n=3) or shipped_names()
    return UnknownCalendar(
        Text(zh=f"没有随库提供的日历 {name!r}", en=f"no calendar named {name!r} is shipped"),
        Text(zh=f"是否指：{'、'.join(near)}？", en=f"did you mean {' or '.join(near)}?"),
    )
