"""Instants: integer microseconds of UTC, and how local clocks map to them.

The date some months later (民法典 §202) is here too, as it depends on no calendar.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from svcflow.bounds import refuse_instant, shown
from svcflow.errors import NaiveDatetime
from svcflow.text import Text

__all__ = [
    "DAY",
    "EPOCH_ORDINAL",
    "MINUTE",
    "SECOND",
    "amount_us",
    "boundary_us",
    "clock_us",
    "from_us",
    "given_us",
    "midnights_us",
    "months_after",
    "naive",
    "optional_given_us",
    "ordinal_at",
    "to_us",
]


SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()


def to_us(at: datetime) -> int:
    """Return the microseconds of UTC of an aware datetime.

    A local time inside a gap counts with the offset before it: 02:30 becomes 03:30.

    Raises:
        NaiveDatetime: `at` has no time zone, or is no datetime.

    """
    try:
        since = at - EPOCH
    except TypeError:
        raise naive(at) from None
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def given_us(place: str, at: datetime) -> int:
    """Return what `to_us` does, of an instant that comes in. Raises: NaiveDatetime; FieldError out of the bounds."""
    us = to_us(at)
    refuse_instant(place, us, at)
    return us


def optional_given_us(place: str, at: datetime | None) -> int | None:
    """Return what `given_us` does, None for None. Raises: NaiveDatetime, FieldError."""
    return None if at is None else given_us(place, at)


def amount_us(amount: timedelta) -> int:
    """Return a length of time in microseconds, exactly."""
    return (amount.days * 86_400 + amount.seconds) * SECOND + amount.microseconds


def from_us(us: int, zone: ZoneInfo) -> datetime:
    """Return the instant as an aware datetime in `zone`."""
    seconds, micros = divmod(us, SECOND)
    return zone.fromutc(datetime(1970, 1, 1, tzinfo=zone) + timedelta(0, seconds, micros))


def ordinal_at(us: int, zone: ZoneInfo) -> int:
    """Return the local date of an instant, as a proleptic Gregorian ordinal."""
    return from_us(us, zone).toordinal()


def clock_us(zone: ZoneInfo, day: date, minute: int) -> int:
    """Return the instant people mean by a local clock time: the first of two, a skipped one moved on by the gap."""
    return _wall_us(day.toordinal(), minute) - _offset_us(_wall(zone, day.toordinal(), minute))


def boundary_us(zone: ZoneInfo, ordinal: int, minute: int) -> int:
    """Return the earliest instant at which the wall clock has reached `minute` of the day.

    This keeps hours in order on every day: a boundary inside a gap falls on the change of the clock, so
    hours that the clock skips have no length and hours never overlap.
    """
    wall = _wall(zone, ordinal, minute)
    before, after = _offset_us(wall), _offset_us(wall.replace(fold=1))
    naive_us = _wall_us(ordinal, minute)
    if before >= after:  # no gap; of a time that comes twice, this is the first
        return naive_us - before
    return _change_us(zone, naive_us - after, naive_us - before)


def midnights_us(zone: ZoneInfo, first: int, last: int) -> list[int]:
    """Return the beginning of each day from `first` to `last`, as `boundary_us` does but many times faster."""
    offsets = [zone.utcoffset(datetime.fromordinal(day)) for day in range(first - 1, last + 2)]
    midnights: list[int] = []
    for day, before, here, after in zip(
        range(first, last + 1), offsets, offsets[1:], offsets[2:], strict=False
    ):
        if here is not None and before == here == after:
            midnights.append((day - EPOCH_ORDINAL) * DAY - amount_us(here))
        else:  # the clock changes within a day of this midnight, perhaps over it
            midnights.append(boundary_us(zone, day, 0))
    return midnights


def months_after(day: int, months: int) -> int:
    """Return the same date so many months later, or the last day of that month (民法典 §202).

    Days are `date.toordinal()`; past the year 9999 it is the day after the last one that there is.
    """
    start = date.fromordinal(day)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > date.max.year:
        return date.max.toordinal() + 1
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).toordinal()


def naive(at: object) -> NaiveDatetime:
    """Return the error for a datetime without a time zone, and for what is no datetime."""
    if isinstance(at, datetime):
        message = Text(
            zh=f"时间 {at.isoformat()} 没有时区", en=f"the datetime {at.isoformat()} has no time zone"
        )
    else:
        message = Text(zh=f"{shown(at)} 不是 datetime", en=f"{shown(at)} is no datetime")
    return NaiveDatetime(
        message,
        Text(
            zh="请给出带时区的时间，例如 tzinfo=ZoneInfo('Asia/Shanghai')",
            en="give an aware datetime, for example with tzinfo=ZoneInfo('Asia/Shanghai')",
        ),
    )


def _wall(zone: ZoneInfo, ordinal: int, minute: int) -> datetime:
    return datetime.fromordinal(ordinal).replace(tzinfo=zone) + timedelta(minutes=minute)


def _wall_us(ordinal: int, minute: int) -> int:
    return (ordinal - EPOCH_ORDINAL) * DAY + minute * MINUTE


def _offset_us(wall: datetime) -> int:
    offset = wall.utcoffset()
    return 0 if offset is None else amount_us(offset)


def _change_us(zone: ZoneInfo, low: int, high: int) -> int:
    """Bisect for the second in (low, high] at which the zone's offset changes."""
    target = from_us(high, zone).utcoffset()
    while high - low > SECOND:
        middle = low + (high - low) // (2 * SECOND) * SECOND
        if from_us(middle, zone).utcoffset() == target:
            high = middle
        else:
            low = middle
    return high
