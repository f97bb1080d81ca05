"""The same date some months later."""

from __future__ import annotations

from datetime import date

import pytest

from svcflow.worktime.instants import months_after


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-03-15", 0, "2026-03-15"),
        ("9999-11-30", 1, "9999-12-30"),
    ],
)
def test_a_month_ends_on_the_same_date_or_at_its_end(start, months, end):
    """Where the month has no such date, its last day is the last (民法典 §202)."""
    assert months_after(date.fromisoformat(start).toordinal(), months) == date.fromisoformat(end).toordinal()


def test_past_the_last_date_it_is_the_day_after():
    """No date stands for it; a calendar then says that it does not cover it."""
    assert months_after(date(9999, 12, 1).toordinal(), 1) == date.max.toordinal() + 1
