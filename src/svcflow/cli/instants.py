"""Instants for people: on whose clock they are written, and how.

Every command follows one rule: the clock is that of the calendar where all that is shown goes by one, and this
computer's where it does not, or where there is no calendar; and the offset from UTC stands with each instant, or
the clock is named once above them. It computes no instant.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from svcflow.cli.language import Tongue
from svcflow.text import Text

__all__ = ["by_clock", "clock_of", "day_time", "near", "when"]

_DAYS = Text(zh="一二三四五六日", en="Mon Tue Wed Thu Fri Sat Sun")


def clock_of(zones: Iterable[tzinfo | None]) -> tzinfo | None:
    """Return the zone that calendars share; None, which is this computer's, where they do not."""
    first, *others = [*zones] or [None]
    return None if any(str(zone) != str(first) for zone in others) else first


def when(at: datetime, zone: tzinfo | None) -> str:
    """Write an instant on the local clock with its offset: `2026-03-02 09:00+08`; None is this computer's zone."""
    local = _local(at, zone)
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M}{offset[:3]}{'' if offset.endswith('00') else ':' + offset[3:]}"


def near(at: datetime, zone: tzinfo | None, now: datetime) -> str:
    """Write an instant without the year when it is that of now: `03-02 09:00+08`."""
    written = when(at, zone)
    return written[5:] if _local(at, zone).year == _local(now, zone).year else written


def by_clock(zone: tzinfo | None) -> Text:
    """Name the clock once, for an answer whose instants stand without their offset."""
    return Text(zh=f"（时刻按 {zone}）", en=f" (times: {zone})")


def day_time(at: datetime, zone: tzinfo | None, lang: Tongue, *, dated: bool = True) -> str:
    """Write an instant of a year that is known: `Mon 03-02 09:00`, `周一 03-02 09:00`."""
    local = _local(at, zone)
    day = f"周{_DAYS.zh[local.weekday()]}" if lang == "zh" else _DAYS.en.split()[local.weekday()]
    return f"{day} {local:%m-%d %H:%M}" if dated else f"{day} {local:%H:%M}"


def _local(at: datetime, zone: tzinfo | None) -> datetime:
    """Return the instant on the local clock; one that no clock there can show, as old stores may hold, as it is."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at
