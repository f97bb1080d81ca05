"""Lines of an explanation, and their writer: in one limit's names, at its calendar's local time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import attrs

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import to_datetime
from svcflow.kernel.timing.business_time import BusinessTime
from svcflow.kernel.timing.compiled_limit import CompiledLimit
from svcflow.model.amount import Family
from svcflow.model.guard_wording import guard_text
from svcflow.model.target import Target
from svcflow.model.wording import move_instant_text, target_text
from svcflow.text import NO_TEXT, Lang, Text
from svcflow.wording import duration, instant

LineKind = Literal[
    "started", "counted", "closed", "holiday", "rolled", "anchored", "hold", "waits", "resumed", "changed", "rescheduled",
    "extended", "recomputed", "migrated", "warned", "escalated", "due", "provisional", "overdue", "annulled", "ended", "left",
    "pending", "explained", "accepted", "rejected", "child", "short_notice",
]  # fmt: skip
DAY_UNITS: Mapping[Family, str] = {"working_days": "wd", "calendar_days": "cd", "months": "mo"}
"""The unit of an amount for each family of amounts that counts days or months instead of lengths of time."""


@attrs.frozen
class Line:
    """One line: what happened from when to when, how much of it counted, and the running total.

    `amount` and `total` are in the limit's own time: a length of open or elapsed time, or a number of days.
    """

    kind: LineKind
    from_at: datetime
    to_at: datetime | None
    amount: timedelta | int | None
    total: timedelta | int | None
    words: Text

    def text(self, lang: Lang = "en") -> str:
        """Return the line for people."""
        return f"{self.words.zh}\n{self.words.en}" if lang == "zh+en" else self.words.in_(lang)


class LineWriter:
    """Writer of the lines of one limit, in the names of its procedure and on the clock of its calendar.

    `compiled` is the version that holds, `limit` the limit as that version declares it, and `row` the row that
    applies. Whoever narrates sets all three as migrations and changes of row come along.
    """

    def __init__(self, compiled: Compiled, limit: CompiledLimit) -> None:
        self.compiled, self.limit, self.row = compiled, limit, 0
        self.lines: list[Line] = []

    @property
    def family(self) -> Family:
        """The family of the present row."""
        return self.limit.rows[self.row].family

    @property
    def open_time(self) -> Text:
        """A qualifier of lengths that are open time; a space where they are elapsed time."""
        is_open = self.family in ("working", "working_days")
        return Text(zh="工作时间 ", en=" of open time") if is_open else Text(zh=" ")

    @property
    def calendar(self) -> BusinessTime:
        """The calendar of the present row."""
        return self.limit.rows[self.row].calendar

    def local(self, us: int) -> datetime:
        """Return an instant, in microseconds of UTC, on the calendar's clock."""
        return to_datetime(us).astimezone(self.calendar.calendar.timezone)

    def instant(self, us: int, *, year: bool = False) -> Text:
        """Return an instant, in microseconds of UTC, in words on the calendar's clock."""
        return instant(self.local(us), year=year)

    def step(self, step: str) -> Text:
        """Return a step's name, in each language by itself."""
        return _named(self.compiled.procedure.all_steps[step].name, step)

    def field(self, field: str) -> Text:
        """Return a field's name, in each language by itself."""
        return _named(self.compiled.procedure.fields[field].name, field)

    @property
    def automatic_move(self) -> Text:
        """The name of the move that a timer makes, in each language by itself."""
        trigger = self.limit.fires or ""
        rows = self.compiled.rows(self.limit.limit.step or "", trigger)
        return _named(rows[0].move.name if rows else Text(), trigger)

    def target(self, target: Target) -> Text:
        """Return a target in words, with a scheduled instant by the name of its field."""
        fields = self.compiled.procedure.fields
        if self.limit.is_timer:
            return Text(
                zh=move_instant_text(target, fields, "zh"), en=move_instant_text(target, fields, "en")
            )
        return Text(zh=target_text(target, fields, "zh"), en=target_text(target, fields, "en"))

    def case(self, row: int) -> Text:
        """Return for which instances a row of the limit holds, in brackets; nothing for a row that holds for any."""
        guard = self.limit.rows[row].guard
        if guard is None:
            return NO_TEXT
        words = guard_text(guard, self.compiled.procedure.fields)
        return Text(zh=f"（{words.zh}）", en=f" ({words.en})")

    def at(self, kind: LineKind, at_us: int, words: Text) -> None:
        """Write a line about one instant."""
        self.between(kind, (at_us, None), (None, None), words)

    def between(
        self,
        kind: LineKind,
        interval: tuple[int, int | None],
        amounts: tuple[int | None, int | None],
        words: Text,
    ) -> None:
        """Write a line about an interval, with the amount of it and the running total.

        Amounts are microseconds, except where days or months are counted: there they are numbers of these.
        """
        start_us, end_us = interval
        end_at = None if end_us is None else self.local(end_us)
        in_days = self.family in DAY_UNITS and kind == "counted"
        amount, total = (n if n is None or in_days else timedelta(microseconds=n) for n in amounts)
        self.lines.append(Line(kind, self.local(start_us), end_at, amount, total, words))


def length(us: int) -> Text:
    """Return a length of time in words, to the second."""
    return duration(timedelta(microseconds=us), "exact")


def _named(name: Text, fallback: str) -> Text:
    return Text(zh=name.in_("zh") or fallback, en=name.in_("en") or fallback)
