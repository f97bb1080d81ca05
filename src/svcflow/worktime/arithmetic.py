"""Protocol of calendar arithmetic, and the errors that its implementations share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from svcflow.errors import CalendarCoverageError, DeclarationError, Problem
from svcflow.text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Arithmetic", "not_covered", "refuse_count", "refuse_negative"]


class Arithmetic(Protocol):
    """Arithmetic with open hours. Instants are integers of microseconds of UTC, days are `date.toordinal()`."""

    def add_us(self, start_us: int, amount_us: int) -> int: ...
    def subtract_us(self, end_us: int, amount_us: int) -> int: ...
    def between_us(self, start_us: int, end_us: int) -> int: ...
    def each_between_us(self, runs: Sequence[tuple[int, int]]) -> list[int]: ...
    def is_open_us(self, at_us: int) -> bool: ...
    def day_of_us(self, at_us: int) -> int: ...
    def date_us(self, at_us: int) -> int: ...
    def clock_us(self, day: int, minute: int) -> int: ...
    def rolled_us(self, day: int) -> int: ...
    def nth_day(self, day: int, n: int) -> int: ...
    def nth_closing_us(self, start_us: int, n: int) -> int: ...
    def closings_between_us(self, start_us: int, end_us: int, after_day_of_us: int) -> int: ...
    def nth_closing_from_us(self, from_us: int, n: int, after_day_of_us: int) -> int: ...
    def hours_us(self, day: int) -> tuple[tuple[int, int], ...]: ...
    def add_many(self, starts: NDArray[np.int64], amounts: NDArray[np.int64]) -> NDArray[np.int64]: ...


def refuse_negative(amount: int) -> None:
    """Raise when a length of working time is negative; `subtract` counts backwards.

    Raises:
        DeclarationError: `amount` is below zero.

    """
    if amount < 0:
        message = Text(zh="时限不能为负", en="a length of working time cannot be negative")
        remedy = Text(zh="向前推算请用 subtract", en="to count backwards, use subtract")
        raise DeclarationError([Problem((), message, remedy)])


def refuse_count(n: int) -> None:
    """Raise when a count of closings does not begin at one.

    Raises:
        DeclarationError: `n` is below one.

    """
    if n < 1:
        message = Text(zh=f"第 {n} 个工作日无从谈起", en=f"there is no closing number {n}")
        raise DeclarationError([Problem((), message, Text(zh="请从 1 数起", en="count from 1"))])


def not_covered(
    calendar: str, day: int, first: date | None = None, last: date | None = None
) -> CalendarCoverageError:
    """Return the error for a day the calendar says nothing about; a bounded one names its coverage."""
    when = (
        date.fromordinal(day).isoformat()
        if date.min.toordinal() <= day <= date.max.toordinal()
        else "9999-12-31 +"
    )
    span = f" {first} – {last}" if first and last else ""
    return CalendarCoverageError(
        Text(
            zh=f"日历 {calendar} 不包含 {when}" + (f"（覆盖范围{span}）" if span else ""),
            en=f"the calendar {calendar} does not cover {when}" + (f" (it covers{span})" if span else ""),
        ),
        Text(
            zh="请在日历文件中补上该年度的安排并放宽 covers" if span else "请检查时限与日期是否过大",
            en="add that year's arrangement to the calendar file and widen its covers"
            if span
            else "check whether the limit or the date is too large",
        ),
    )
