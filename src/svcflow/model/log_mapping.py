"""Log mappings: activities, roles and data of a foreign log in the terms of a procedure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from svcflow.bounds import count
from svcflow.errors import Problem
from svcflow.text import NO_TEXT, Text


@attrs.frozen(kw_only=True)
class LogMapping:
    """Mapping of a foreign log onto one procedure.

    `activities` maps an activity to a trigger; one listed under `starts` starts the instance when it is the
    first of its case, and fires its trigger afterwards. `roles` maps the log's role to a role; a role not
    listed is unknown, which is no deviation. `ignore` names activities that are left out on purpose.
    """

    id: str
    procedure: str
    version: int | None = attrs.field(default=None, validator=count())
    name: Text = NO_TEXT
    starts: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    activities: Mapping[str, str] = attrs.field(factory=dict)
    roles: Mapping[str, str] = attrs.field(factory=dict)
    ignore: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    zone: str = "UTC"


def zone_problem(zone: str) -> Iterator[Problem]:
    """Yield a mistake when there is no such time zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # what zoneinfo raises for names it cannot open
        message = Text(zh=f"没有时区“{zone}”", en=f"there is no time zone {zone!r}")
        remedy = Text(zh="例如写 Asia/Shanghai", en="write for example Europe/Amsterdam")
        yield Problem(("zone",), message, remedy)
