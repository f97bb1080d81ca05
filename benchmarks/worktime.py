"""Working-time arithmetic beside three libraries, in one run: `python benchmarks/worktime.py`.

The ratios travel between machines, the microseconds do not. Each library is asked for office hours of
eight hours a day; holidays are given to those that take them.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import businesstimedelta
import numpy as np
import pandas as pd

from svcflow.worktime import WorkCalendar, shipped_calendar

HOUR_US = 3600 * 10**6
LIMIT = timedelta(hours=30)
MANY = 100_000


def each(work: Callable[[], object], number: int) -> float:
    """Return microseconds a call, the best of five rounds."""
    return min(timeit.repeat(work, number=number, repeat=5)) / number * 1e6


def us(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def single_operations() -> None:
    office = shipped_calendar("cn_office")
    zone = office.timezone
    start, end = datetime(2026, 3, 2, 9, tzinfo=zone), datetime(2026, 5, 7, 16, tzinfo=zone)
    start_us, end_us, limit_us = us(start), us(end), 30 * HOUR_US
    add, between = (
        each(lambda: office.add(start, LIMIT), 20_000),
        each(lambda: office.between(start, end), 20_000),
    )
    print("svcflow, microseconds a call")
    print(f"  add                 {add:8.2f}   (target 3)")
    print(f"  between             {between:8.2f}   (target 3)")
    print(f"  add_us              {each(lambda: office.add_us(start_us, limit_us), 50_000):8.2f}")
    print(f"  subtract_us         {each(lambda: office.subtract_us(end_us, limit_us), 50_000):8.2f}")
    print(f"  between_us          {each(lambda: office.between_us(start_us, end_us), 50_000):8.2f}")
    print(f"  nth_closing_us      {each(lambda: office.nth_closing_us(start_us, 5), 50_000):8.2f}")
    always = shipped_calendar("always")
    print(f"  always.add_us       {each(lambda: always.add_us(start_us, limit_us), 50_000):8.2f}")
    closed = [date.fromordinal(day) for run in office.to_mapping()["holidays"] for day in span(run)]
    against_pandas(add, start, closed)
    against_businesstimedelta(add, between, start, end)


def span(run: dict[str, date]) -> range:
    return range(run["date"].toordinal(), run.get("to", run["date"]).toordinal() + 1)


def against_pandas(add: float, start: datetime, closed: list[date]) -> None:
    hours = pd.offsets.CustomBusinessHour(
        n=30, start=["08:30", "13:30"], end=["12:00", "17:30"], holidays=[day.isoformat() for day in closed]
    )
    stamp = pd.Timestamp(start.replace(tzinfo=None))
    theirs = each(lambda: stamp + hours, 300)
    print(f"pandas CustomBusinessHour: add {theirs:.1f}; svcflow is {theirs / add:.0f} times as fast")


def against_businesstimedelta(add: float, between: float, start: datetime, end: datetime) -> None:
    def half(first: time, last: time) -> businesstimedelta.WorkDayRule:
        return businesstimedelta.WorkDayRule(start_time=first, end_time=last, working_days=[0, 1, 2, 3, 4])

    rules = businesstimedelta.Rules([half(time(8, 30), time(12)), half(time(13, 30), time(17, 30))])
    begin, finish = start.replace(tzinfo=None), end.replace(tzinfo=None)
    amount = businesstimedelta.BusinessTimeDelta(rules, hours=30)
    adding, counting = each(lambda: begin + amount, 100), each(lambda: rules.difference(begin, finish), 50)
    print(f"businesstimedelta:         add {adding:.1f}; svcflow is {adding / add:.0f} times as fast")
    print(
        f"businesstimedelta:         between {counting:.1f}; svcflow is {counting / between:.0f} times as fast"
    )


def many_operations() -> None:
    office = shipped_calendar("cn_office")
    random = np.random.default_rng(7)
    low = us(datetime(2025, 1, 6, tzinfo=UTC))
    starts = random.integers(low, low + 300 * 24 * HOUR_US, MANY)
    amounts = random.integers(0, 200 * HOUR_US, MANY)
    days, counts = (starts // (24 * HOUR_US)).astype("datetime64[D]"), random.integers(0, 25, MANY)
    ours = each(lambda: office.add_many(starts, amounts), 5) / MANY * 1000
    theirs = each(lambda: np.busday_offset(days, counts, roll="forward"), 5) / MANY * 1000
    print(
        f"{MANY} at once, nanoseconds each: add_many {ours:.0f}, numpy busday_offset {theirs:.0f} (whole days);"
    )
    print(f"  add_many takes {ours / theirs:.1f} times as long (target 10), to the microsecond")


def compilation() -> None:
    mapping = shipped_calendar("cn_office").to_mapping()
    zone = shipped_calendar("cn_office").timezone
    first, last = datetime(2024, 1, 2, tzinfo=zone), datetime(2026, 12, 30, tzinfo=zone)
    read = each(lambda: WorkCalendar.from_mapping(mapping), 5) / 1000
    both = each(lambda: WorkCalendar.from_mapping(mapping).between(first, last), 5) / 1000
    print(
        f"from_mapping of 19 years of notices, with one year compiled: {read:.1f} ms; with three: {both:.1f} ms"
    )


if __name__ == "__main__":
    single_operations()
    many_operations()
    compilation()
